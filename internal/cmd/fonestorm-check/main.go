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
	// A redirect would send the token to another address. Long lists are slow.
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &checker{
		endpoint: strings.TrimSuffix(cmp.Or(getenv("FRACTEL_ENDPOINT"), "https://api.fonestorm.com/v2"), "/"),
		token:    getenv("FRACTEL_TOKEN"), http: client, out: stdout, seen: map[string]bool{},
	}
	u, err := url.Parse(c.endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()):
		err = errors.New("FRACTEL_ENDPOINT must be an https URL, or http with a loopback address")
	case flags.NArg() > 0 || *number != "" && (len(*number) != 10 || digitsOf(*number) != *number):
		err = errors.New("the FoneNumber must have ten digits, and there are no other arguments")
	default:
		if err = c.logIn(ctx, getenv); err == nil {
			err = c.check(ctx, *number, *force)
		}
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

// checker calls FoneStorm and prints what it sees.
type checker struct {
	endpoint, token string
	http            *http.Client
	out             io.Writer
	seen            map[string]bool // Lines of shapes, which are not repeated.
	surprises       int             // Number of calls that were not as expected.
}

// logIn gets the token for all other calls.
func (c *checker) logIn(ctx context.Context, getenv func(string) string) error {
	if c.token == "" {
		login := map[string]string{"username": getenv("FRACTEL_USERNAME"), "password": getenv("FRACTEL_PASSWORD")}
		if login["username"] == "" || login["password"] == "" {
			return errors.New("there are no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN")
		}
		body, _, err := c.call(ctx, "POST", "/auth", login, `^((auth|authorization|data\.auth)\.)?token: `)
		if err != nil {
			return err
		}
		for _, place := range []any{body, at(body, "auth"), at(body, "authorization"), at(body, "data", "auth")} {
			c.token = cmp.Or(c.token, text(at(place, "token")))
		}
	}
	if code := getenv("FRACTEL_SUBACCOUNT"); code != "" && c.token != "" {
		body, _, err := c.call(ctx, "POST", "/subaccounts/token", map[string]string{"subaccount": code}, `^subaccount\.token: `)
		if err != nil {
			return err
		}
		c.token = text(at(body, "subaccount", "token"))
	}
	if c.token == "" {
		return errors.New("FoneStorm did not accept the credentials, or the subaccount")
	}
	return nil
}

// receive matches the beginning of the lines about a delivery in the shape of a response.
const receive = `^fonenumber\.((sms|message)_options\.)?receive\.`

// check makes all other calls. With a FoneNumber, it also sets every type on it, and restores it.
func (c *checker) check(ctx context.Context, number string, force bool) error {
	list, ok, err := c.call(ctx, "GET", "/fonenumbers?filter=all", nil, receive+"type: ")
	if err == nil && !ok {
		list, _, err = c.call(ctx, "GET", "/fonenumbers", nil, `^fonenumber(\.fonenumber)?: ten digits`)
	}
	if err != nil {
		return err
	}
	read := cmp.Or(number, first(at(list, "fonenumbers"), "fonenumber"))
	if read == "" {
		return errors.New("the account lists no FoneNumber: name one with -fonenumber")
	}
	one, _, err := c.call(ctx, "GET", "/fonenumbers/"+read, nil, receive+"type: ")
	if err != nil {
		return err
	}
	devices, _, err := c.call(ctx, "GET", "/devices", nil, "^(device.id: |devices: empty list)")
	if err != nil || number == "" {
		return err
	}
	var original delivery
	for _, options := range []any{at(one, "fonenumber"), at(one, "fonenumber", "message_options"), at(one, "fonenumber", "sms_options")} {
		if settings, found := at(options, "receive").(map[string]any); found {
			original = restorable(settings)
		}
	}
	switch {
	case original.value == "":
		return errors.New("the delivery of the FoneNumber cannot be read, so that it could not be restored")
	case original.kind == "URL" && !force:
		return errors.New("the FoneNumber delivers to a URL, whose credentials and method cannot be restored: use another one, or -force")
	}
	return c.setEveryType(ctx, number, original, first(at(devices, "devices"), "id"))
}

// delivery is a type and a destination, as they are set.
type delivery struct{ kind, value string }

// restorable returns the delivery that a response shows, in the spelling of settings; the zero value if it could not be set again.
func restorable(settings map[string]any) delivery {
	kind := map[string]string{"device": "Device", "email": "Email", "url": "URL", "forward": "Forward", "none": "None"}[strings.ToLower(text(settings["type"]))]
	if shown, isSet := settings["type"]; isSet && (shown == nil || shown == "") {
		kind = "None" // Never set.
	}
	value := text(settings[strings.ToLower(kind)])
	switch kind {
	case "":
		return delivery{}
	case "None":
		value = "None"
	case "Device":
		value = digitsOf(value)
	case "Forward":
		value = digitsOf(value)
		value = value[max(0, len(value)-10):] // Without the country code.
	case "URL":
		value = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}").Replace(value)
	}
	return delivery{kind, value}
}

// setEveryType sets each type on the FoneNumber, reads it, and finally restores what was there before, also if the context ends. A
// URL has credentials, and None removes them, because the provider needs both.
func (c *checker) setEveryType(ctx context.Context, number string, original delivery, device string) (err error) {
	defer func() { err = cmp.Or(c.restore(context.WithoutCancel(ctx), number, original), err) }()
	for _, try := range []struct {
		delivery
		credentials []string
	}{
		{delivery{"Email", "Terraform.Check@Example.com"}, nil},
		{delivery{"URL", "https://Example.com/Check?from={{from}}&msg={{msg}}"}, []string{"terraform", "check"}},
		{delivery{"Forward", "2025550123"}, nil},
		{delivery{"Device", device}, nil},
		{delivery{"None", "None"}, []string{"", ""}},
	} {
		if try.value == "" {
			fmt.Fprintln(c.out, "\nThe account has no device, so that type Device is not set.")
			continue
		}
		if _, err := c.set(ctx, number, try.delivery, try.credentials...); err != nil {
			return err
		}
	}
	return nil
}

// set sets a delivery and reads the FoneNumber. It reports whether the read shows the delivery.
func (c *checker) set(ctx context.Context, number string, d delivery, credentials ...string) (shown bool, err error) {
	send := map[string]string{"fonenumber": number, "type": d.kind, "value": d.value, "url_method": "POST"}
	if len(credentials) > 0 {
		send["url_username"], send["url_password"] = credentials[0], credentials[1]
	}
	expected := []string{receive + "type: \"(?i:" + d.kind + ")\"", receive + strings.ToLower(d.kind) + ": as sent"}
	if d.kind == "None" {
		expected = []string{receive + `type: (""|null|"(?i:None)")`}
	}
	const success = `|^result: "(?i:success)"` // Version 2.1 returns nothing else.
	if _, _, err = c.call(ctx, "POST", "/messages/receive", send, expected[0]+success, expected[len(expected)-1]+success); err == nil {
		_, shown, err = c.call(ctx, "GET", "/fonenumbers/"+number, map[string]string{"value": d.value}, expected...)
	}
	return shown, err
}

// restore sets the original delivery until a read confirms it.
func (c *checker) restore(ctx context.Context, number string, original delivery) error {
	fmt.Fprintln(c.out, "\nRestoring the FoneNumber.")
	for attempt := range 6 {
		time.Sleep(time.Duration(attempt) * time.Second)
		if shown, err := c.set(ctx, number, original); err == nil && shown {
			fmt.Fprintln(c.out, "  The FoneNumber is restored.")
			return nil
		}
	}
	return fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q", number, original.kind, original.value)
}

// call sends a request, at most five per second, and prints the shape of the response, without lines that were printed before. ok
// reports whether the response is successful and each of the expected patterns matches a line of its shape. The parameters of a GET
// are not sent: their value is only compared with the response.
func (c *checker) call(ctx context.Context, method, path string, send map[string]string, expected ...string) (content any, ok bool, err error) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
	fmt.Fprintf(c.out, "\n%s %s", method, regexp.MustCompile(`[0-9]{5,}`).ReplaceAllString(path, "{number}"))
	var body []byte
	if method == http.MethodPost {
		fmt.Fprint(c.out, strings.TrimSuffix(" of type "+send["type"], " of type "), " with ", strings.Join(slices.Sorted(maps.Keys(send)), ", "))
		body, _ = json.Marshal(send)
		ctx = context.WithoutCancel(ctx) // A canceled setting could take effect after a later one.
	}
	fmt.Fprintln(c.out)
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, false, errors.New("the endpoint is invalid")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("token", c.token)
	begun := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err // The rest quotes the URL, which contains the FoneNumber.
		}
		return nil, false, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(response.Body, 64<<20))
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber() // An ID can be a number.
	isJSON := decoder.Decode(&content) == nil
	fmt.Fprintf(c.out, "  %d after %s, JSON: %t\n", response.StatusCode, time.Since(begun).Round(time.Millisecond), isJSON)
	shape := c.printShape(content, send["value"])
	ok = response.StatusCode/100 == 2
	for _, pattern := range expected {
		if ok = ok && regexp.MustCompile("(?m)"+pattern).MatchString(shape); !ok {
			c.surprises++
			fmt.Fprintln(c.out, "  NOT as the provider expects:", pattern)
			return content, false, err
		}
	}
	fmt.Fprintln(c.out, "  as the provider expects")
	return content, ok, err
}
