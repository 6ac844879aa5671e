package fonestorm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// awkward contains secrets that are hard to find when they are quoted, escaped, or part of a URL.
var awkward = []string{"hunter2", "p@ss word&=%+/", `quo"te\slash`, "<tag>'&amp;", "grüße\u00a0 !", "correct horse", `ends with "`}

// encodings contains the forms in which FoneStorm's message can repeat a secret.
var encodings = map[string]func(string) string{
	"plain": func(s string) string { return s },
	"query": url.QueryEscape,
	"path":  url.PathEscape,
	"JSON":  inJSON,
}

func inJSON(text string) string {
	data, _ := json.Marshal(text)
	return string(data[1 : len(data)-1])
}

// places contains the parts of a raw HTTP response where text can appear: %[1]d is the status, %[2]s the text, and %[3]s the text in
// JSON.
var places = map[string]string{
	"status line": "HTTP/1.1 %[2]s\r\n\r\n",
	"status text": "HTTP/1.1 %[1]d %[2]s\r\nContent-Length: 0\r\n\r\n",
	"protocol":    "%[2]s 200 OK\r\n\r\n",
	"header name": "HTTP/1.1 %[1]d X\r\n%[2]s\r\nContent-Length: 2\r\n\r\n{}",
	"header":      "HTTP/1.1 %[1]d X\r\nX-Echo: %[2]s\r\nContent-Length: 2\r\n\r\n{}",
	"type":        "HTTP/1.1 %[1]d X\r\nContent-Type: text/%[2]s\r\nContent-Length: 0\r\n\r\n",
	"Location":    "HTTP/1.1 302 X\r\nLocation: %[2]s\r\nContent-Length: 0\r\n\r\n",
	"bad URL":     "HTTP/1.1 302 X\r\nLocation: https://%%%[2]s\r\nContent-Length: 0\r\n\r\n",
	"length":      "HTTP/1.1 %[1]d X\r\nContent-Length: %[2]s\r\n\r\n{}",
	"transfer":    "HTTP/1.1 %[1]d X\r\nTransfer-Encoding: %[2]s\r\n\r\n{}",
	"Retry-After": "HTTP/1.1 %[1]d X\r\nRetry-After: %[2]s\r\nContent-Length: 2\r\n\r\n{}",
	"cut off":     "HTTP/1.1 %[1]d X\r\nContent-Length: 10000\r\n\r\n{\"x\":\"%[3]s",
	"text":        "HTTP/1.1 %[1]d X\r\n\r\nno: %[2]s is wrong",
	"title":       "HTTP/1.1 %[1]d X\r\n\r\n<html><title>%[2]s</title>",
	"JSON text":   "HTTP/1.1 %[1]d X\r\n\r\n\"%[3]s\"",
	"JSON name":   "HTTP/1.1 %[1]d X\r\n\r\n{\"%[3]s\":1}",
	"JSON member": "HTTP/1.1 %[1]d X\r\n\r\n{\"x\":\"%[3]s\"}",
	"number":      "HTTP/1.1 %[1]d X\r\n\r\n{\"fonenumber\":\"%[3]s\"}",
	"list":        "HTTP/1.1 %[1]d X\r\n\r\n{\"fonenumbers\":\"%[3]s\",\"devices\":\"%[3]s\"}",
	"damaged":     "HTTP/1.1 %[1]d X\r\n\r\n{\"x\":\"%[3]s",
	"message":     "HTTP/1.1 %[1]d X\r\n\r\n{\"error\":\"x\",\"message\":\"not %[3]s\",\"status_code\":%[1]d}",
	"error":       "HTTP/1.1 %[1]d X\r\n\r\n{\"error\":\"%[3]s\"}",
}

// receive parses raw bytes as http.Transport does, with errors that quote them.
func receive(r *http.Request, raw string) (*http.Response, error) {
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), r)
	if err != nil {
		return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", err)
	}
	if location := response.Header.Get("Location"); location != "" {
		if _, err := r.URL.Parse(location); err != nil {
			return nil, fmt.Errorf("failed to parse Location header %q: %w", location, err)
		}
	}
	return response, nil
}

// Neither errors nor the log quote a response to any call, except FoneStorm's message, where a JSON Web Token is masked even if the
// client does not know it.
func TestResponsesAreNeverQuoted(t *testing.T) {
	t.Parallel()
	for place, format := range places {
		for _, text := range []string{jwt(`{"account":{"id":"1000000001"}}`), "qx7-opaque-token"} {
			if text[0] == 'q' && (place == "message" || place == "error") {
				continue
			}
			inBubble(t, place+" "+text[:3], func(t *testing.T) {
				var log bytes.Buffer
				ctx := tflogtest.RootLogger(t.Context(), &log)
				for _, status := range []int{200, 201, 401, 429, 503} {
					for _, kind := range []string{"login", "subaccount", "set", "get", "list", "devices"} {
						client := newNetworkClient(t, roundTripFunc(func(r *http.Request) (*http.Response, error) {
							if kindOf(r) == kind {
								return receive(r, fmt.Sprintf(format, status, text, inJSON(text)))
							}
							return inMemory(respondTo("login"))(r)
						}), withSubaccount, func(c *Config) { c.MaxRetries = 1 })
						_, errList := client.ListFoneNumbers(ctx)
						_, errDevices := client.ListDevices(ctx)
						failed := []error{set(ctx, client, anyNumber, Delivery{Type: None}), read(ctx, client, anyNumber), errList, errDevices}
						if shown := fmt.Sprint(failed); strings.Contains(shown, text[:len(text)-1]) {
							t.Errorf("the errors quote %d in response to %s: %s", status, kind, shown)
						}
					}
				}
				if shown := log.String(); strings.Contains(shown, text[:len(text)-1]) || shown == "" {
					t.Errorf("the log quotes the response, or is empty: %s", shown)
				}
			})
		}
	}
}

// The passwords and tokens that the client knows are masked in FoneStorm's message, whichever way it repeats them.
func TestMessagesAreMasked(t *testing.T) {
	t.Parallel()
	for _, secret := range awkward {
		inBubble(t, secret, func(t *testing.T) {
			var log bytes.Buffer
			ctx := tflogtest.RootLogger(t.Context(), &log)
			user, callbackPassword := "user", "callback "+secret
			known := []string{secret, "first-token", "second-token", callbackPassword, basicCredentials("demo", secret), basicCredentials(user, callbackPassword)}
			for _, s := range known {
				for name, encode := range encodings {
					message := rejectWith(http.StatusServiceUnavailable, "not "+encode(s)+"!", "")
					changes := func(c *Config) { c.Password, c.Subaccount = secret, subaccount }
					client := newClient(t, newScript(issue("first-token"), issue("second-token"), message), changes)
					err := set(ctx, client, anyNumber, Delivery{Type: URL, Value: callback, URLUsername: &user, URLPassword: &callbackPassword})
					if wantKind(t, err, ServerError, "not ***"); strings.Contains(err.Error()+log.String(), encode(s)) {
						t.Errorf("the %s form of %q is shown: %v", name, s, err)
					}
				}
			}
			err := fetch(t.Context(), newClient(t, rejectWith(http.StatusUnauthorized, "not "+secret, ""), func(c *Config) { c.Token = secret }))
			wantKind(t, err, TokenRejected, ": not ***")
		})
	}
}

// Failures are classified before secrets are masked.
func TestShortSecretsDoNotHideTheKind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, secret := range []string{"a", "Rate Limit"} {
			wantKind(t, read(t.Context(), newClient(t, scripted("limit"), func(c *Config) { c.Password = secret }), anyNumber), RateLimited)
		}
		wantKind(t, fetch(t.Context(), newClient(t, scripted("404"), func(c *Config) { c.Token = "4" })), NotFound)
	})
}

// A secret is masked in every encoding, whatever surrounds it.
func FuzzClean(f *testing.F) {
	for _, secret := range awkward {
		f.Add("before ", secret, " after")
	}
	f.Add("a", "b c d", "\n")
	f.Add("b\nc d", "b c d", "")
	f.Add(`{"x":"`, `pass/word`, `"}`)
	f.Add(strings.Repeat("x", 298), "hunter2", "")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		s := &secrets{}
		s.add(secret)
		for name, encode := range encodings {
			text := before + encode(secret) + after
			shown := s.clean(text)
			if n := utf8.RuneCountInString(shown); n > 301 {
				t.Fatalf("got %d characters", n)
			}
			if shown != "" {
				wantShown(t, shown)
			}
			// Short secrets occur everywhere by coincidence, and so do those that contain the mask or the ellipsis.
			if len(secret) >= 4 && !strings.ContainsAny(secret, "*…") && strings.Contains(shown, secret) {
				t.Fatalf("%q shows the %s form of the secret %q: %q", text, name, secret, shown)
			}
		}
	})
}
