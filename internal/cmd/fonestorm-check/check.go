package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

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

// Names of members in responses, as patterns for shape and first.
const (
	jwt     = `((auth|authorization|data\.auth|subaccount)\.)?token`
	listed  = `fonenumber(\.fonenumber)?`
	receive = `fonenumber\.((sms|message)_options\.)?receive\.`
)

// typeOf contains types as they are set, by how FoneStorm shows them, in lower case. A type that was never set is empty.
var typeOf = map[string]string{"device": "Device", "email": "Email", "url": "URL", "forward": "Forward", "none": "None", "": "None"}

// tokens are set without percent-encoding, as in {{msg}}, however FoneStorm shows them.
var tokens = strings.NewReplacer("%7B", "{", "%7b", "{", "%7D", "}", "%7d", "}")

// run makes all calls. With a FoneNumber, it also sets every type on it, and restores it.
func (c *checker) run(ctx context.Context) {
	u, err := url.Parse(c.endpoint)
	c.failIf(err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()),
		"FRACTEL_ENDPOINT must be an https URL, or http with a loopback address")
	c.failIf(!regexp.MustCompile(`^([0-9]{10})?$`).MatchString(c.number), "the FoneNumber must have ten digits")
	c.failIf(c.token == "" && (c.username == "" || c.password == ""),
		"there are no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN, and FRACTEL_SUBACCOUNT if you need it")
	if c.token == "" {
		c.getToken(ctx, "/auth", map[string]string{"username": c.username, "password": c.password})
	}
	if c.subaccount != "" {
		c.getToken(ctx, "/subaccounts/token", map[string]string{"subaccount": c.subaccount})
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
	original := delivery{kind: typeOf[strings.ToLower(shown.first(receive+"type"))], value: "None"}
	if original.kind != "None" {
		original.value = tokens.Replace(shown.first(receive + strings.ToLower(original.kind)))
	}
	c.failIf(!ok || original.value == "", "the delivery of the FoneNumber cannot be read, so that it could not be restored")
	c.failIf(original.kind == "URL" && !c.force, "the FoneNumber delivers to a URL, whose credentials and method cannot be restored: use another one, or -force")
	if c.err != nil {
		return
	}
	uninterrupted := context.WithoutCancel(ctx)
	c.restore(uninterrupted, original) // FoneStorm must accept what it shows, before anything is changed.
	if c.err == nil {
		c.setEveryType(ctx, devices.first(`device\.id`))
		c.restore(uninterrupted, original)
	}
}

// getToken gets the token for all further calls.
func (c *checker) getToken(ctx context.Context, path string, send map[string]string) {
	response, ok := c.call(ctx, "POST", path, send, jwt+": ")
	c.failIf(!ok, "FoneStorm did not accept the credentials, or the subaccount")
	c.token = response.first(jwt)
}

// delivery is a type and a destination, as they are set.
type delivery struct{ kind, value string }

// setEveryType sets each type on the FoneNumber. A URL has credentials, and None removes them, because the provider needs both.
func (c *checker) setEveryType(ctx context.Context, device string) {
	c.set(ctx, delivery{"Email", "Terraform.Check@Example.com"})
	c.set(ctx, delivery{"URL", "https://Example.com/Check?from={{from}}&msg={{msg}}"}, "terraform", "check")
	c.set(ctx, delivery{"Forward", "2025550123"})
	if device == "" {
		fmt.Fprintln(c.out, "\nThe account has no device, so that type Device is not set.")
	} else {
		c.set(ctx, delivery{"Device", device})
	}
	c.set(ctx, delivery{"None", "None"}, "", "")
}

// set sets a delivery and reads the FoneNumber. It reports whether FoneStorm accepts the delivery and then shows it.
func (c *checker) set(ctx context.Context, d delivery, credentials ...string) bool {
	send := map[string]string{"fonenumber": c.number, "type": d.kind, "value": d.value, "url_method": "POST"}
	if len(credentials) > 0 {
		send["url_username"], send["url_password"] = credentials[0], credentials[1]
	}
	c.sent = d.value
	kind, value := receive+`type: "(?i:`+d.kind+`)"`, receive+strings.ToLower(d.kind)+": as sent"
	if d.kind == "None" {
		c.sent = ""
		kind = receive + `type: (""|null|"(?i:None)")`
		value = kind
	}
	const success = `|result: "(?i:success)"` // Version 2.1 returns nothing else.
	response, _ := c.call(ctx, "POST", "/messages/receive", send, kind+success, value+success)
	_, shown := c.call(ctx, "GET", "/fonenumbers/"+c.number, nil, kind, value)
	return shown && response.first(listed+"|result") != "" // Neither is in an error.
}

// restore sets the original delivery until a read confirms it, also after the check has failed or was interrupted.
func (c *checker) restore(ctx context.Context, original delivery) {
	fmt.Fprintln(c.out, "\nSetting the original delivery.")
	failure := c.err
	for attempt := range 6 {
		time.Sleep(time.Duration(attempt) * time.Second)
		c.err = nil
		if c.set(ctx, original) {
			c.err = failure
			return
		}
	}
	c.err = fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q", c.number, original.kind, original.value)
}

// call sends a request and prints the shape of the response. ok reports whether each of the expected patterns matches the beginning of a
// line of its shape, which none does in an error.
func (c *checker) call(ctx context.Context, method, path string, send map[string]string, expected ...string) (response scalars, ok bool) {
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
	response = scalarsOf("", content, c.sent)
	var shape []string
	for _, s := range response {
		shape = append(shape, s.name+": "+s.kind)
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
func (c *checker) send(ctx context.Context, method, path string, parameters map[string]string) (status int, content any, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // Long lists are slow.
	defer cancel()
	var body []byte
	if parameters != nil {
		body, _ = json.Marshal(parameters) // Cannot fail for texts.
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
