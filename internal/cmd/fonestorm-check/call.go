package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

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
	name string // Where it is, as in "fonenumber.label".
	text string // Its value without blanks around it; "" for null.
	kind string // Its value in a way that can be shown.
}

// memberName matches what FoneStorm's members are called. Other keys of an object are omitted, because they could be values.
var memberName = regexp.MustCompile(`^[a-z_]+$`)

// scalarsOf returns the scalars in a JSON value with this name. They are "as sent" if they contain a destination that was sent, however
// it is spelled.
func scalarsOf(name string, value any, sent string) (found scalars) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range slices.Sorted(maps.Keys(value)) {
			inner := strings.TrimPrefix(name+"."+memberName.FindString(member), ".")
			found = append(found, scalarsOf(inner, value[member], sent)...)
		}
	case []any:
		if len(value) == 0 {
			return scalars{{name, "", "[]"}}
		}
		for _, entry := range value {
			found = append(found, scalarsOf(strings.TrimSuffix(name, "s"), entry, sent)...) // As in a response about one FoneNumber or device.
		}
	default:
		text := strings.TrimSpace(fmt.Sprint(cmp.Or(value, any(""))))
		kind := kindOf(value)
		if sent != "" && strings.Contains(plain(text), plain(sent)) {
			kind = "as sent, " + kind
		}
		found = scalars{{name, text, kind}}
	}
	return found
}

// first returns the text of the first scalar whose whole name matches a pattern; "" if there is none.
func (all scalars) first(name string) string {
	pattern := regexp.MustCompile("^(" + name + ")$")
	for _, s := range all {
		if pattern.MatchString(s.name) {
			return s.text
		}
	}
	return ""
}

// kinds contains the kind of a scalar by the first pattern that matches its JSON. The words that FoneStorm itself uses have no kind,
// because they are shown.
var kinds = []struct {
	pattern *regexp.Regexp
	kind    string
}{
	{regexp.MustCompile(`^(null|true|false|"(?i:device|email|url|forward|none|callback|get|post|json|yes|no|cancel|success|registered|)")$`), ""},
	{regexp.MustCompile(`^[^"]`), "JSON number"},
	{regexp.MustCompile(`^"[0-9]{10}"$`), "ten digits"},
	{regexp.MustCompile(`^"[0-9]+"$`), "digits"},
	{regexp.MustCompile(`^"[\s0-9+().-]+"$`), "digits with punctuation"},
	{regexp.MustCompile(`^"[\w-]+\.[\w-]+\.[\w-]+"$`), "JWT"},
	{regexp.MustCompile(`^"https?://[^{]*%7[Bb]`), "URL, percent-encoded"},
	{regexp.MustCompile(`^"(?i:https?)://`), "URL"},
	{regexp.MustCompile(`^"[^\s@A-Z]+@[^\s@A-Z]+"$`), "e-mail, lower case"},
	{regexp.MustCompile(`^"[^\s@]+@[^\s@]+"$`), "e-mail, case kept"},
	{regexp.MustCompile(``), "text"},
}

// kindOf describes a scalar without its value.
func kindOf(value any) string {
	encoded, _ := json.Marshal(value) // Cannot fail for what was decoded from JSON.
	for _, k := range kinds {
		if k.pattern.Match(encoded) {
			return cmp.Or(k.kind, string(encoded))
		}
	}
	return ""
}

// plain returns the letters and digits of a text, in lower case and without percent-encoding.
func plain(text string) string {
	return regexp.MustCompile(`%[0-9a-f]{2}|[^a-z0-9]`).ReplaceAllString(strings.ToLower(text), "")
}
