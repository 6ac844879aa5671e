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
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
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

// checker calls FoneStorm and prints what it sees.
type checker struct {
	endpoint           string
	username, password string
	token              string // Of all calls but the login, which gets it if it is empty.
	subaccount         string // May be empty.
	number             string // FoneNumber to change; may be empty.
	force              bool   // Change it even if it delivers to a URL.
	transport          http.RoundTripper
	out                io.Writer

	sent      string // Destination that was set last, to which responses are compared.
	surprises int    // Number of calls that were not as expected.
	err       error  // Why the account cannot be checked. No calls are sent then.
}

// failIf ends the check for a reason, unless it has ended already.
func (c *checker) failIf(failed bool, reason string) {
	if failed && c.err == nil {
		c.err = errors.New(reason)
	}
}

// Names of members in responses, as patterns.
const (
	jwt     = `((auth|authorization|data\.auth|subaccount)\.)?token`
	listed  = `fonenumber(\.fonenumber)?`
	receive = `fonenumber\.((sms|message)_options\.)?receive\.`
)

var (
	safeEndpoint = regexp.MustCompile(`^(https://|http://(127\.0\.0\.1|\[::1\])[:/])`)
	tenDigits    = regexp.MustCompile(`^[0-9]{10}$`)
	braces       = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}")
)

// run makes all calls. With a FoneNumber, it also sets every type on it, and restores it.
func (c *checker) run(ctx context.Context) {
	c.failIf(!safeEndpoint.MatchString(c.endpoint), "FRACTEL_ENDPOINT must be an https URL, or http with a loopback address")
	c.failIf(c.number != "" && !tenDigits.MatchString(c.number), "the FoneNumber must have ten digits")
	if c.token == "" {
		c.failIf(c.username == "" || c.password == "",
			"there are no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN, and FRACTEL_SUBACCOUNT if you need it")
		c.getToken(ctx, "/auth", parameters{"username": c.username, "password": c.password})
	}
	if c.subaccount != "" {
		c.getToken(ctx, "/subaccounts/token", parameters{"subaccount": c.subaccount})
	}
	list, ok := c.call(ctx, "GET", "/fonenumbers?filter=all", nil, receive+"type: ")
	if !ok {
		list, _ = c.call(ctx, "GET", "/fonenumbers", nil, listed+": ten digits")
	}
	number := cmp.Or(c.number, list.first(listed))
	c.failIf(number == "", "the account lists no FoneNumber: name one with -fonenumber")
	shown, ok := c.call(ctx, "GET", "/fonenumbers/"+number, nil, receive+"type: ")
	devices, _ := c.call(ctx, "GET", "/devices", nil, `(device.id: |devices: \[\])`)
	if c.number == "" {
		return
	}
	original := parameters{"type": "None", "value": "None"}
	if shownType := strings.ToLower(shown.first(receive + "type")); shownType != "none" && shownType != "" {
		types := map[string]string{"device": "Device", "email": "Email", "url": "URL", "forward": "Forward"}
		// Tokens are set without percent-encoding, as in {{msg}}, however FoneStorm shows them.
		original = parameters{"type": types[shownType], "value": braces.Replace(shown.first(receive + shownType))}
	}
	c.failIf(!ok || original["value"] == "", "the delivery of the FoneNumber cannot be read, so that it could not be restored")
	c.failIf(original["type"] == "URL" && !c.force,
		"the FoneNumber delivers to a URL, whose credentials and method cannot be restored: use another one, or -force")
	if c.err == nil {
		c.restore(ctx, original) // FoneStorm must accept what it shows, before anything is changed.
	}
	if c.err == nil {
		for _, delivery := range []parameters{
			{"type": "Email", "value": "Terraform.Check@Example.com"},
			// A URL has credentials, and None removes them, because the provider needs both.
			{
				"type": "URL", "value": "https://Example.com/Check?from={{from}}&msg={{msg}}",
				"url_username": "terraform", "url_password": "check",
			},
			{"type": "Forward", "value": "2025550123"},
			{"type": "Device", "value": devices.first(`device\.id`)},
			{"type": "None", "value": "None", "url_username": "", "url_password": ""},
		} {
			if delivery["value"] != "" { // The account has a device.
				c.set(ctx, delivery)
			}
		}
		c.restore(ctx, original)
	}
}

// getToken gets the token for all further calls.
func (c *checker) getToken(ctx context.Context, path string, send parameters) {
	response, ok := c.call(ctx, "POST", path, send, jwt+": ")
	c.failIf(!ok, "FoneStorm did not accept the credentials, or the subaccount")
	c.token = response.first(jwt)
}

// set sets a delivery and reads the FoneNumber. It reports whether FoneStorm accepts the delivery and then shows it.
func (c *checker) set(ctx context.Context, delivery parameters) bool {
	send := parameters{"fonenumber": c.number, "url_method": "POST"}
	maps.Copy(send, delivery)
	c.sent = send["value"]
	kind := receive + `type: "(?i:` + send["type"] + `)"`
	value := receive + strings.ToLower(send["type"]) + ": as sent"
	if send["type"] == "None" {
		c.sent = ""
		kind = receive + `type: (""|null|"(?i:None)")`
		value = kind
	}
	_, accepted := c.call(ctx, "POST", "/messages/receive", send, listed+`: |result: "(?i:success)"`) // Version 2.1 returns only a result.
	_, shown := c.call(ctx, "GET", "/fonenumbers/"+c.number, nil, kind, value)
	return accepted && shown
}

// restore sets the original delivery until a read confirms it, also after the check has failed or was interrupted.
func (c *checker) restore(ctx context.Context, original parameters) {
	fmt.Fprintln(c.out, "\nSetting the original delivery.")
	failure := c.err
	for attempt := range 6 {
		time.Sleep(time.Duration(attempt) * time.Second)
		c.err = nil
		if c.set(context.WithoutCancel(ctx), original) {
			c.err = failure
			return
		}
	}
	c.err = fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q", c.number, original["type"], original["value"])
}

// parameters are those in the body of a request; nil for a request without a body.
type parameters map[string]string

// call sends a request and prints the shape of the response: a line for each member. ok reports whether each of the expected patterns
// matches the beginning of a line, which none does in an error.
func (c *checker) call(ctx context.Context, method, path string, send parameters, expected ...string) (response scalars, ok bool) {
	time.Sleep(200 * time.Millisecond) // To stay far below the rate limit.
	c.failIf(ctx.Err() != nil, "interrupted")
	if c.err != nil {
		return nil, false
	}
	fmt.Fprintln(c.out, "\n"+method, regexp.MustCompile(`[0-9]{5,}`).ReplaceAllString(path, "{number}"))
	if send != nil {
		ctx = context.WithoutCancel(ctx) // A canceled setting could take effect after a later one.
		fmt.Fprintln(c.out, "  sent", send["type"], slices.Sorted(maps.Keys(send)))
	}
	begun := time.Now()
	status, content, err := c.send(ctx, method, path, send)
	if err != nil {
		c.err = err
		return nil, false
	}
	fmt.Fprintf(c.out, "  %d after %s, JSON: %t\n", status, time.Since(begun).Round(time.Millisecond), content != nil)
	response = scalarsOf("", content)
	var shape []string
	for _, s := range response {
		shape = append(shape, s.name+": "+kindOf(s.value, c.sent))
	}
	slices.Sort(shape)
	for _, line := range slices.Compact(shape) {
		fmt.Fprintln(c.out, "    "+line)
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

// send sends a request and returns the status and the JSON of the response; nil if it is not JSON. Unlike http.Client, a transport does
// not follow redirects, with which the token would reach another address, and does not quote the FoneNumber in errors.
func (c *checker) send(ctx context.Context, method, path string, send parameters) (status int, content any, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // Long lists are slow.
	defer cancel()
	var body []byte
	if send != nil {
		body, _ = json.Marshal(send) // Cannot fail for texts.
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.endpoint, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("token", c.token)
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	decoder := json.NewDecoder(io.LimitReader(response.Body, 64<<20))
	decoder.UseNumber() // An ID can be a number.
	_ = decoder.Decode(&content)
	return response.StatusCode, content, nil
}

// scalars contains the scalars and empty lists of a response. Entries of a list have the same name.
type scalars []struct {
	name  string // Where it is, as in "fonenumber.label".
	value any
}

// memberName matches what FoneStorm's members are called. Other keys of an object are omitted, because they could be values.
var memberName = regexp.MustCompile(`^[a-z_]+$`)

// scalarsOf returns the scalars in a JSON value with this name.
func scalarsOf(name string, value any) (found scalars) {
	object, _ := value.(map[string]any)
	for _, member := range slices.Sorted(maps.Keys(object)) {
		inner := strings.TrimPrefix(name+"."+memberName.FindString(member), ".")
		found = append(found, scalarsOf(inner, object[member])...)
	}
	list, _ := value.([]any)
	for _, entry := range list {
		found = append(found, scalarsOf(strings.TrimSuffix(name, "s"), entry)...) // As in a response about one FoneNumber or device.
	}
	if object == nil && len(list) == 0 {
		found = scalars{{name, value}}
	}
	return found
}

// first returns the first scalar whose whole name matches a pattern, as text without blanks around it; "" if there is none.
func (all scalars) first(name string) string {
	pattern := regexp.MustCompile("^(" + name + ")$")
	for _, s := range all {
		if pattern.MatchString(s.name) {
			return strings.TrimSpace(fmt.Sprint(cmp.Or(s.value, any(""))))
		}
	}
	return ""
}

// kinds contains the kind of a scalar by the first pattern that matches its JSON; others are text. The words that FoneStorm itself uses
// have no kind, because they are shown.
var kinds = []struct {
	pattern *regexp.Regexp
	kind    string
}{
	{regexp.MustCompile(`^(null|true|false|\[\]|"(?i:device|email|url|forward|none|callback|get|post|json|yes|no|cancel|success|registered|)")$`), ""},
	{regexp.MustCompile(`^[^"]`), "JSON number"},
	{regexp.MustCompile(`^"[0-9]{10}"$`), "ten digits"},
	{regexp.MustCompile(`^"[0-9]+"$`), "digits"},
	{regexp.MustCompile(`^"[\s0-9+().-]+"$`), "digits with punctuation"},
	{regexp.MustCompile(`^"[\w-]+\.[\w-]+\.[\w-]+"$`), "JWT"},
	{regexp.MustCompile(`^"https?://[^{]*%7[Bb]`), "URL, percent-encoded"},
	{regexp.MustCompile(`^"(?i:https?)://`), "URL"},
	{regexp.MustCompile(`^"[^\s@A-Z]+@[^\s@A-Z]+"$`), "e-mail, lower case"},
	{regexp.MustCompile(`^"[^\s@]+@[^\s@]+"$`), "e-mail, case kept"},
}

// kindOf describes a scalar without its value. It is "as sent" if it contains a destination that was sent, however it is spelled.
func kindOf(value any, sent string) (kind string) {
	encoded, _ := json.Marshal(value) // Cannot fail for what was decoded from JSON.
	if sent != "" && strings.Contains(plain(fmt.Sprint(value)), plain(sent)) {
		kind = "as sent, "
	}
	for _, k := range kinds {
		if k.pattern.Match(encoded) {
			return kind + cmp.Or(k.kind, string(encoded))
		}
	}
	return kind + "text"
}

// plain returns the letters and digits of a text, in lower case and without percent-encoding.
func plain(text string) string {
	return regexp.MustCompile(`%[0-9a-f]{2}|[^a-z0-9]`).ReplaceAllString(strings.ToLower(text), "")
}
