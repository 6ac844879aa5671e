// Command fonestorm-check compares a FoneStorm account with what the provider assumes about FoneStorm, and writes a report to
// attach to an issue, without secrets and personal data. It changes nothing unless -fonenumber is set.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/fractel/terraform-provider-fractel/internal/contract"
)

// Exit statuses.
const (
	asAssumed  = 0
	differs    = 1
	notChecked = 2
)

func main() {
	// A closed terminal or pipe must not stop the program before the FoneNumber is restored.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:], os.Getenv, http.DefaultTransport, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the program without its exit. Messages that are only for the terminal go to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, transport http.RoundTripper, stdout, stderr io.Writer) int {
	fail := func(err error) int {
		fmt.Fprintln(stderr, "fonestorm-check:", err)
		return notChecked
	}
	flags := flag.NewFlagSet("fonestorm-check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	fonenumber := flags.String("fonenumber", "", "`FoneNumber` on which to set every delivery type; it is restored afterwards. Without it, nothing is changed")
	force := flags.Bool("force", false, "change the FoneNumber even if it delivers to a URL, whose credentials cannot be restored")
	rateLimit := flags.Bool("rate-limit", false, "exceed the rate limit once to see the response")
	file := flags.String("report", "fonestorm-report.json", "`file` to write the report to")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return asAssumed
	} else if err != nil {
		return notChecked // The flag package has printed the error.
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	config, err := contract.FromEnvironment(getenv)
	if err != nil {
		return fail(err)
	}
	config.FoneNumber, config.Force, config.RateLimit, config.Transport = *fonenumber, *force, *rateLimit, transport

	announce(stdout, config)
	silence := context.AfterFunc(ctx, func() {
		fmt.Fprintln(stderr, "Interrupted. If the FoneNumber was changed, it is being restored, which takes at most two minutes.")
	})
	defer silence()
	report, err := contract.Run(ctx, config)
	unrestored := (*contract.NotRestoredError)(nil)
	switch {
	case errors.As(err, &unrestored) && report == nil:
		return fail(unrestored)
	case ctx.Err() != nil:
		return fail(errors.New("interrupted; the FoneNumber, if any, has its original delivery"))
	case report == nil:
		return fail(err)
	}
	show(stdout, report)
	if err := write(*file, report); err != nil {
		return fail(err)
	}
	fmt.Fprintf(stdout, "\nThe report is in %s. It contains no secrets and no personal data. Please attach it to an issue.\n", *file)
	switch {
	case err != nil:
		return fail(err)
	case report.Differences() > 0:
		return differs
	default:
		return asAssumed
	}
}

// announce prints the planned calls.
func announce(w io.Writer, config contract.Config) {
	fmt.Fprintf(w, "Requests to %s, at most 5 per second unless noted, retried if the rate limit is exceeded:\n\n", config.Endpoint)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, call := range config.Plan() {
		fmt.Fprintf(table, "  %s\tup to %d\t%s\n", call.Call, call.AtMost, call.Why)
	}
	_ = table.Flush()
	if config.FoneNumber == "" {
		fmt.Fprint(w, "\nNothing is changed.\n\n")
		return
	}
	fmt.Fprintf(w, "\n%s\n\n", config.Notice())
}

// show prints the results as a table.
func show(w io.Writer, report *contract.Report) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, result := range report.Results {
		switch result.Status {
		case contract.AsAssumed:
			fmt.Fprintf(table, "as assumed\t%s\n", result.Sentence)
		case contract.Differs:
			fmt.Fprintf(table, "DIFFERS\t%s Seen: %s\n", result.Sentence, result.Seen)
		case contract.NotChecked:
			fmt.Fprintf(table, "not checked\t%s Reason: %s\n", result.Sentence, result.Why)
		}
	}
	_ = table.Flush()
	fmt.Fprintf(w, "\n%d of %d assumptions differ.\n", report.Differences(), len(report.Results))
}

func write(file string, report *contract.Report) error {
	data, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o600)
}
