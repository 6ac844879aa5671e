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

const (
	pause       = 200 * time.Millisecond // Between requests, which are at most 5 per second.
	callTimeout = 2 * time.Minute        // Long lists are slow.
)

// checker calls FoneStorm and prints what it sees.
type checker struct {
	endpoint, token                string
	username, password, subaccount string
	http                           *http.Client
	out                            io.Writer
	seen                           map[string]bool // Lines of shapes, which are not repeated.
	surprises                      int             // Number of calls that were not as expected.
}

// newChecker reads the provider's environment variables.
func newChecker(getenv func(string) string, transport http.RoundTripper, out io.Writer) (*checker, error) {
	c := &checker{
		endpoint: strings.TrimSuffix(cmp.Or(getenv("FRACTEL_ENDPOINT"), "https://api.fonestorm.com/v2"), "/"),
		token:    getenv("FRACTEL_TOKEN"), username: getenv("FRACTEL_USERNAME"), password: getenv("FRACTEL_PASSWORD"),
		subaccount: getenv("FRACTEL_SUBACCOUNT"), out: out, seen: map[string]bool{},
		// A redirect would send the token to another address.
		http: &http.Client{
			Transport: transport, Timeout: callTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	u, err := url.Parse(c.endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()):
		return nil, errors.New("FRACTEL_ENDPOINT must be an https URL, or http with a loopback address")
	case c.token == "" && (c.username == "" || c.password == ""):
		return nil, errors.New("there are no credentials: set FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN")
	}
	return c, nil
}

// logIn gets the token for all other calls.
func (c *checker) logIn(ctx context.Context) error {
	if c.token == "" {
		r, err := c.call(ctx, "POST", "/auth", map[string]any{"username": c.username, "password": c.password})
		if err != nil {
			return err
		}
		token := cmp.Or(r.text("auth", "token"), r.text("authorization", "token"), r.text("data", "auth", "token"), r.text("token"))
		if c.expect(token != "", "the response contains no token"); token == "" {
			return errors.New("FoneStorm did not accept the credentials")
		}
		c.token = token
	}
	if c.subaccount == "" {
		return nil
	}
	r, err := c.call(ctx, "POST", "/subaccounts/token", map[string]any{"subaccount": c.subaccount})
	if err != nil {
		return err
	}
	if c.token = r.text("subaccount", "token"); c.token == "" {
		return errors.New("FoneStorm did not accept the subaccount")
	}
	return nil
}

// response is a response of FoneStorm.
type response struct {
	status int
	body   any // JSON; nil if it is not.
}

// at returns a member of the response; nil if it does not exist.
func (r response) at(path ...string) any {
	value := r.body
	for _, name := range path {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

func (r response) text(path ...string) string {
	text, _ := r.at(path...).(string)
	return text
}

// longDigits are the telephone numbers and device IDs in a path.
var longDigits = regexp.MustCompile(`[0-9]{5,}`)

// call sends a request and prints its shape and that of the response, without lines that were printed before.
func (c *checker) call(ctx context.Context, method, path string, parameters map[string]any) (response, error) {
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return response{}, context.Cause(ctx)
	}
	fmt.Fprintf(c.out, "\n%s %s%s\n", method, longDigits.ReplaceAllString(path, "{number}"), sent(parameters))
	var body []byte
	if parameters != nil {
		body, _ = json.Marshal(parameters) // Cannot fail for text.
	}
	request, err := http.NewRequestWithContext(ctx, method, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return response{}, errors.New("the endpoint is invalid")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("token", c.token)
	begun := time.Now()
	answer, err := c.http.Do(request)
	if err != nil {
		failed := (*url.Error)(nil)
		if errors.As(err, &failed) {
			err = failed.Err // The rest quotes the URL, which contains the FoneNumber.
		}
		return response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	r := response{status: answer.StatusCode}
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	decoder.UseNumber() // An ID can be a number.
	isJSON := decoder.Decode(&r.body) == nil
	fmt.Fprintf(c.out, "  %d after %s, JSON: %t\n", r.status, time.Since(begun).Round(time.Millisecond), isJSON)
	for _, line := range shape(r.body) {
		if !c.seen[line] {
			c.seen[line] = true
			fmt.Fprintln(c.out, "    "+line)
		}
	}
	return r, err
}

// sent describes parameters without their values, except for the type.
func sent(parameters map[string]any) string {
	if parameters == nil {
		return ""
	}
	text := " with " + strings.Join(slices.Sorted(maps.Keys(parameters)), ", ")
	if parameters["type"] != nil {
		text = fmt.Sprintf(" of type %v%s", parameters["type"], text)
	}
	return text
}

// expect prints whether the last call was as the provider expects.
func (c *checker) expect(ok bool, problem string) {
	if ok {
		fmt.Fprintln(c.out, "  as the provider expects")
		return
	}
	c.surprises++
	fmt.Fprintln(c.out, "  NOT as the provider expects:", problem)
}
