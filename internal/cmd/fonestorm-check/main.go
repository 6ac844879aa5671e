// Command fonestorm-check shows how a FoneStorm account responds, without showing what is in it: for each call the status, the
// duration, and the shape of the response, and whether that is as the provider expects. It changes nothing unless -fonenumber is
// set. It shares no code with the client, so that it does not repeat the client's mistakes.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// main exits with status 0 if everything is as expected, 1 if not, and 2 if the account could not be checked.
func main() {
	signal.Ignore(syscall.SIGPIPE) // A closed terminal or pipe must not stop the program before the FoneNumber is restored.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	c := checker{
		endpoint: cmp.Or(os.Getenv("FRACTEL_ENDPOINT"), "https://api.fonestorm.com/v2"),
		username: os.Getenv("FRACTEL_USERNAME"), password: os.Getenv("FRACTEL_PASSWORD"),
		token: os.Getenv("FRACTEL_TOKEN"), subaccount: os.Getenv("FRACTEL_SUBACCOUNT"),
		transport: http.DefaultTransport, out: os.Stdout,
	}
	flag.StringVar(&c.number, "fonenumber", "", "`FoneNumber` on which to set every delivery type, ten digits. Its delivery is restored, except for\n"+
		"callback credentials. Messages that it receives meanwhile are lost")
	flag.BoolVar(&c.force, "force", false, "change the FoneNumber even if it delivers to a URL, whose credentials and method cannot be restored")
	flag.Parse()
	c.failIf(flag.NArg() > 0, "unexpected arguments")
	c.run(ctx)
	switch {
	case c.err != nil:
		fmt.Fprintln(os.Stderr, "fonestorm-check:", c.err)
		os.Exit(2)
	case c.surprises > 0:
		fmt.Printf("\n%d calls were not as the provider expects. Please attach this output to an issue: it contains no secrets and no values.\n", c.surprises)
		os.Exit(1)
	}
	fmt.Println("\nEverything is as the provider expects.")
}
