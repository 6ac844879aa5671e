// Command fonestorm-check shows how a FoneStorm account responds, without showing what is in it: for each call the status, the
// duration, and the shape of the response, and whether that is as the provider expects. It changes nothing unless -fonenumber is
// set. It shares no code with the client, so that it does not repeat the client's mistakes.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // A closed terminal or pipe must not stop the program before the FoneNumber is restored.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	status := run(ctx, os.Args[1:], os.Getenv, http.DefaultTransport, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is the program without its exit. Only errors go to stderr. The exit status is 0 if everything is as expected, 1 if not, and 2 if
// the account could not be checked.
func run(ctx context.Context, args []string, getenv func(string) string, transport http.RoundTripper, stdout, stderr io.Writer) (status int) {
	flags := flag.NewFlagSet("fonestorm-check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	number := flags.String("fonenumber", "", "`FoneNumber` on which to set every delivery type, ten digits. Its delivery is restored, except for\n"+
		"callback credentials. Messages that it receives meanwhile are lost")
	force := flags.Bool("force", false, "change the FoneNumber even if it delivers to a URL, whose credentials and method cannot be restored")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2 // The flag package has printed the error.
	}
	// A redirect would send the token to another address. Long lists are slow.
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &checker{
		endpoint: strings.TrimSuffix(cmp.Or(getenv("FRACTEL_ENDPOINT"), "https://api.fonestorm.com/v2"), "/"),
		token:    getenv("FRACTEL_TOKEN"), http: client, out: stdout, printed: map[string]bool{},
	}
	u, err := url.Parse(c.endpoint)
	c.failIf(err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()),
		"FRACTEL_ENDPOINT must be an https URL, or http with a loopback address")
	c.failIf(flags.NArg() > 0 || *number != "" && (len(*number) != 10 || digitsOf(*number) != *number),
		"the FoneNumber must have ten digits, and there are no other arguments")
	c.check(ctx, getenv, *number, *force)
	switch {
	case c.err != nil:
		fmt.Fprintln(stderr, "fonestorm-check:", c.err)
		return 2
	case c.surprises > 0:
		fmt.Fprintf(stdout, "\n%d calls were not as the provider expects. Please attach this output to an issue: it contains no secrets and no values.\n", c.surprises)
		return 1
	default:
		fmt.Fprintln(stdout, "\nEverything is as the provider expects.")
		return 0
	}
}

// checker calls FoneStorm and prints what it sees.
type checker struct {
	endpoint, token string
	http            *http.Client
	out             io.Writer
	sent            string          // Destination that was set last, to which responses are compared.
	printed         map[string]bool // Lines of shapes, which are not repeated.
	surprises       int             // Number of calls that were not as expected.
	err             error           // Why the account cannot be checked. No calls are sent then.
}

// Names of members in responses, as patterns for shape and first.
const (
	jwt     = `((auth|authorization|data\.auth|subaccount)\.)?token`
	listed  = `fonenumber(\.fonenumber)?`
	receive = `fonenumber\.((sms|message)_options\.)?receive\.`
)

// check makes all calls. With a FoneNumber, it also sets every type on it, and restores it.
func (c *checker) check(ctx context.Context, getenv func(string) string, number string, force bool) {
	if c.token == "" {
		login := map[string]string{"username": getenv("FRACTEL_USERNAME"), "password": getenv("FRACTEL_PASSWORD")}
		c.failIf(login["username"] == "" || login["password"] == "",
			"there are no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN, and FRACTEL_SUBACCOUNT if you need it")
		c.getToken(ctx, "/auth", login)
	}
	if code := getenv("FRACTEL_SUBACCOUNT"); code != "" {
		c.getToken(ctx, "/subaccounts/token", map[string]string{"subaccount": code})
	}
	list, ok := c.call(ctx, "GET", "/fonenumbers?filter=all", nil, receive+"type: ")
	if !ok {
		list, _ = c.call(ctx, "GET", "/fonenumbers", nil, listed+": ten digits")
	}
	read := cmp.Or(number, list.first(listed))
	c.failIf(read == "", "the account lists no FoneNumber: name one with -fonenumber")
	one, ok := c.call(ctx, "GET", "/fonenumbers/"+read, nil, receive+"type: ")
	devices, _ := c.call(ctx, "GET", "/devices", nil, "(device.id: |devices: empty list)")
	if number == "" {
		return
	}
	original := restorable(one)
	c.failIf(!ok || original.value == "", "the delivery of the FoneNumber cannot be read, so that it could not be restored")
	c.failIf(original.kind == "URL" && !force, "the FoneNumber delivers to a URL, whose credentials and method cannot be restored: use another one, or -force")
	if c.err == nil {
		c.setEveryType(ctx, number, devices.first(`device\.id`))
		c.restore(context.WithoutCancel(ctx), number, original)
	}
}

// getToken gets the token for all further calls.
func (c *checker) getToken(ctx context.Context, path string, send map[string]string) {
	response, ok := c.call(ctx, "POST", path, send, jwt+": ")
	c.failIf(!ok, "FoneStorm did not accept the credentials, or the subaccount")
	c.token = response.first(jwt)
}

// failIf ends the check for a reason, unless it has ended already.
func (c *checker) failIf(failed bool, reason string) {
	if failed && c.err == nil {
		c.err = errors.New(reason)
	}
}

// delivery is a type and a destination, as they are set.
type delivery struct{ kind, value string }

// restorable returns the delivery in a response that contains its type, in the spelling of settings. The value is "" if it could not be set again.
func restorable(response scalars) delivery {
	shown := response.first(receive + "type")
	kind := map[string]string{"device": "Device", "email": "Email", "url": "URL", "forward": "Forward"}[strings.ToLower(shown)]
	value := response.first(receive + strings.ToLower(kind))
	switch {
	case shown == "", strings.EqualFold(shown, "none"): // It is empty if it was never set.
		return delivery{"None", "None"}
	case kind == "Device":
		value = digitsOf(value)
	case kind == "Forward":
		value = digitsOf(value)
		value = value[max(0, len(value)-10):] // Without the country code.
	case kind == "URL":
		value = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}").Replace(value)
	}
	return delivery{kind, value}
}

// setEveryType sets each type on the FoneNumber and reads it. A URL has credentials, and None removes them, because the provider needs
// both.
func (c *checker) setEveryType(ctx context.Context, number, device string) {
	c.set(ctx, number, delivery{"Email", "Terraform.Check@Example.com"})
	c.set(ctx, number, delivery{"URL", "https://Example.com/Check?from={{from}}&msg={{msg}}"}, "terraform", "check")
	c.set(ctx, number, delivery{"Forward", "2025550123"})
	if device == "" {
		fmt.Fprintln(c.out, "\nThe account has no device, so that type Device is not set.")
	} else {
		c.set(ctx, number, delivery{"Device", device})
	}
	c.set(ctx, number, delivery{"None", "None"}, "", "")
}

// set sets a delivery and reads the FoneNumber. It reports whether the read shows the delivery.
func (c *checker) set(ctx context.Context, number string, d delivery, credentials ...string) (shown bool) {
	send := map[string]string{"fonenumber": number, "type": d.kind, "value": d.value, "url_method": "POST"}
	if len(credentials) > 0 {
		send["url_username"], send["url_password"] = credentials[0], credentials[1]
	}
	kind, value := receive+"type: \"(?i:"+d.kind+")\"", receive+strings.ToLower(d.kind)+": as sent"
	if d.kind == "None" {
		kind = receive + `type: (""|null|"(?i:None)")`
		value = kind
	}
	c.sent = d.value
	const success = `|result: "(?i:success)"` // Version 2.1 returns nothing else.
	c.call(ctx, "POST", "/messages/receive", send, kind+success, value+success)
	_, shown = c.call(ctx, "GET", "/fonenumbers/"+number, nil, kind, value)
	return shown
}

// restore sets the original delivery until a read confirms it, also after the check has failed.
func (c *checker) restore(ctx context.Context, number string, original delivery) {
	fmt.Fprintln(c.out, "\nRestoring the FoneNumber.")
	failure := c.err
	for attempt := range 6 {
		time.Sleep(time.Duration(attempt) * time.Second)
		c.err = nil
		if c.set(ctx, number, original) {
			fmt.Fprintln(c.out, "  The FoneNumber is restored.")
			c.err = failure
			return
		}
	}
	c.err = fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q", number, original.kind, original.value)
}

// call sends a request, at most five per second, and prints the shape of the response, without lines that were printed before. ok
// reports whether each of the expected patterns matches the beginning of a line of its shape, which none does in an error.
func (c *checker) call(ctx context.Context, method, path string, send map[string]string, expected ...string) (response scalars, ok bool) {
	if c.err == nil {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			c.err = context.Cause(ctx)
		}
	}
	if c.err != nil {
		return nil, false
	}
	fmt.Fprintf(c.out, "\n%s %s", method, regexp.MustCompile(`[0-9]{5,}`).ReplaceAllString(path, "{number}"))
	if send != nil {
		fmt.Fprint(c.out, strings.TrimSuffix(" of type "+send["type"], " of type "), " with ", strings.Join(slices.Sorted(maps.Keys(send)), ", "))
		ctx = context.WithoutCancel(ctx) // A canceled setting could take effect after a later one.
	}
	fmt.Fprintln(c.out)
	begun := time.Now()
	status, content, err := c.send(ctx, method, path, send)
	if err != nil {
		c.err = err
		return nil, false
	}
	fmt.Fprintf(c.out, "  %d after %s, JSON: %t\n", status, time.Since(begun).Round(time.Millisecond), content != nil)
	response = scalarsOf("", content)
	shape := response.shape(c.sent)
	for _, line := range shape {
		if !c.printed[line] {
			c.printed[line] = true
			fmt.Fprintln(c.out, "    "+line)
		}
	}
	for _, pattern := range expected {
		if !slices.ContainsFunc(shape, regexp.MustCompile("^("+pattern+")").MatchString) {
			c.surprises++
			fmt.Fprintln(c.out, "  NOT as the provider expects:", pattern)
			return response, false
		}
	}
	fmt.Fprintln(c.out, "  as the provider expects")
	return response, true
}

// send sends a request and returns the status and the JSON of the response; nil if it is not JSON.
func (c *checker) send(ctx context.Context, method, path string, parameters map[string]string) (status int, content any, err error) {
	var body []byte
	if parameters != nil {
		body, _ = json.Marshal(parameters) // Cannot fail for texts.
	}
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("the endpoint is invalid")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("token", c.token)
	response, err := c.http.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // The rest quotes the URL, which contains the FoneNumber.
		}
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(read, []byte("\ufeff"))))
	decoder.UseNumber() // An ID can be a number.
	_ = decoder.Decode(&content)
	return response.StatusCode, content, err
}
