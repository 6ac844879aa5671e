// Command fonestorm-check shows how a FoneStorm account responds, without showing what is in it: for each call the status, the
// duration, and the shape of the response, and whether that is as the provider expects. It changes nothing unless -fonenumber is
// set. It shares no code with the client, so that it does not repeat the client's mistakes.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

// Exit statuses.
const (
	asExpected = 0
	unexpected = 1
	notChecked = 2
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // A closed terminal or pipe must not stop the program before the FoneNumber is restored.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:], os.Getenv, http.DefaultTransport, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the program without its exit. Only errors go to stderr.
func run(ctx context.Context, args []string, getenv func(string) string, transport http.RoundTripper, stdout, stderr io.Writer) (status int) {
	flags := flag.NewFlagSet("fonestorm-check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "Set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN, and FRACTEL_SUBACCOUNT if you need it.\n\nFlags:\n")
		flags.PrintDefaults()
	}
	number := flags.String("fonenumber", "", "`FoneNumber` on which to set every delivery type, ten digits. Its delivery is restored, except for\n"+
		"callback credentials. Messages that it receives meanwhile are lost")
	force := flags.Bool("force", false, "change the FoneNumber even if it delivers to a URL, whose credentials and method cannot be restored")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return asExpected
	} else if err != nil {
		return notChecked // The flag package has printed the error.
	}
	c, err := newChecker(getenv, transport, stdout)
	if err == nil && (flags.NArg() > 0 || *number != "" && !tenDigits.MatchString(*number)) {
		err = errors.New("the FoneNumber must have ten digits, and there are no other arguments")
	}
	if err == nil {
		err = c.check(ctx, *number, *force)
	}
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "fonestorm-check:", err)
		return notChecked
	case c.surprises > 0:
		fmt.Fprintf(stdout, "\n%d calls were not as the provider expects. Please attach this output to an issue: it contains no secrets and no values.\n", c.surprises)
		return unexpected
	default:
		fmt.Fprintln(stdout, "\nEverything is as the provider expects.")
		return asExpected
	}
}

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

// check makes all calls. With a FoneNumber, it also sets every type on it, and restores it.
func (c *checker) check(ctx context.Context, number string, force bool) error {
	if err := c.logIn(ctx); err != nil {
		return err
	}
	list, err := c.call(ctx, "GET", "/fonenumbers?filter=all", nil)
	if err != nil {
		return err
	}
	entries, complete := list.at("fonenumbers").([]any)
	for _, entry := range entries {
		complete = complete && deliveryOf(entry) != nil
	}
	c.expect(list.status == 200 && complete, "the list does not contain every FoneNumber's delivery, so that each is read singly")
	if list.status != 200 {
		if list, err = c.call(ctx, "GET", "/fonenumbers", nil); err != nil {
			return err
		}
		entries, _ = list.at("fonenumbers").([]any)
	}
	read := cmp.Or(number, firstOf(entries, "fonenumber"))
	if read == "" {
		return errors.New("the account lists no FoneNumber: name one with -fonenumber")
	}
	one, err := c.call(ctx, "GET", "/fonenumbers/"+read, nil)
	if err != nil {
		return err
	}
	receive := deliveryOf(one.at("fonenumber"))
	c.expect(one.status == 200 && receive != nil, "the response contains no delivery")
	devices, err := c.call(ctx, "GET", "/devices", nil)
	if err != nil {
		return err
	}
	found, isList := devices.at("devices").([]any)
	c.expect(devices.status == 200 && isList, "the devices are not listed, so that plans do not check the IDs of devices")
	if number == "" {
		return nil
	}
	return c.setEveryType(ctx, number, receive, firstOf(found, "id"), force)
}

// firstOf returns the first entry of a list or, if it is an object, this member of it; "" if there is none.
func firstOf(entries []any, member string) string {
	for _, entry := range entries {
		if object, ok := entry.(map[string]any); ok {
			entry = object[member]
		}
		if entry != nil {
			return fmt.Sprint(entry)
		}
	}
	return ""
}

// deliveryOf returns the delivery in a FoneNumber, which is in one of three places; nil if there is none.
func deliveryOf(foneNumber any) map[string]any {
	object, _ := foneNumber.(map[string]any)
	for _, options := range []any{object["sms_options"], object["message_options"], object} {
		members, _ := options.(map[string]any)
		if receive, ok := members["receive"].(map[string]any); ok {
			return receive
		}
	}
	return nil
}
