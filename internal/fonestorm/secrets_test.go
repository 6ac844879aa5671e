package fonestorm

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
	"pgregory.net/rapid"
)

// awkward contains secrets that are hard to find when they are quoted, escaped, or part of a URL.
var awkward = []string{"hunter2", "p@ss word&=%+/", `quo"te\slash`, "<tag>'&amp;", "grüße  !", "correct horse", `ends with "`}

// encodings contains the forms in which FoneStorm's message can repeat a secret.
var encodings = map[string]func(string) string{
	"plain": func(s string) string { return s },
	"query": url.QueryEscape,
	"path":  url.PathEscape,
	"JSON":  inJSON,
	"Basic": func(s string) string { return basicCredentials("user", s) + " " + basicCredentials("demo", s) },
}

func inJSON(text string) string {
	data, _ := json.Marshal(text)
	return string(data[1 : len(data)-1])
}

// places contains the parts of a raw HTTP response where a secret can appear.
var places = map[string]func(status int, echo string) string{
	"status line": func(_ int, echo string) string { return "HTTP/1.1 " + echo + "\r\n\r\n" },
	"status text": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n", status, echo)
	},
	"protocol":    func(_ int, echo string) string { return echo + " 200 OK\r\n\r\n" },
	"header name": func(status int, echo string) string { return rawResponse(status, echo+"\r\n", "{}") },
	"header":      func(status int, echo string) string { return rawResponse(status, "X-Echo: "+echo+"\r\n", "{}") },
	"type": func(status int, echo string) string {
		return rawResponse(status, "Content-Type: text/"+echo+"\r\n", "")
	},
	"Location":  func(_ int, echo string) string { return rawResponse(302, "Location: "+echo+"\r\n", "") },
	"Location:": func(_ int, echo string) string { return rawResponse(302, "Location: https://"+echo+"\r\n", "") },
	"length": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %s\r\n\r\n{}", status, echo)
	},
	"transfer": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nTransfer-Encoding: %s\r\n\r\n{}", status, echo)
	},
	"Retry-After": func(status int, echo string) string { return rawResponse(status, "Retry-After: "+echo+"\r\n", "{}") },
	"text":        func(status int, echo string) string { return rawResponse(status, "", "no: "+echo+" is wrong") },
	"JSON text":   func(status int, echo string) string { return rawResponse(status, "", `"`+inJSON(echo)+`"`) },
	"JSON name":   func(status int, echo string) string { return rawResponse(status, "", `{"`+inJSON(echo)+`":1}`) },
	"JSON member": func(status int, echo string) string { return rawResponse(status, "", `{"x":"`+inJSON(echo)+`"}`) },
	"message": func(status int, echo string) string {
		return rawResponse(status, "", `{"error":"x","message":"not `+inJSON(echo)+`","status_code":`+strconv.Itoa(status)+`}`)
	},
	"error": func(status int, echo string) string { return rawResponse(status, "", `{"error":"`+inJSON(echo)+`"}`) },
	"title": func(status int, echo string) string { return rawResponse(status, "", "<html><title>"+echo+"</title>") },
	"number": func(status int, echo string) string {
		return rawResponse(status, "", `{"fonenumber":"`+inJSON(echo)+`"}`)
	},
	"list": func(status int, echo string) string {
		return rawResponse(status, "", `{"fonenumbers":"`+inJSON(echo)+`"}`)
	},
	"damaged": func(status int, echo string) string { return rawResponse(status, "", `{"x":"`+inJSON(echo)) },
	"cut off": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 10000\r\n\r\n{\"x\":\"%s", status, inJSON(echo))
	},
}

func rawResponse(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

// parsed returns a transport on which some calls receive these bytes and others reach the handler.
func parsed(raw func(r *http.Request) (string, bool), handler http.Handler) http.RoundTripper {
	memory := &network{handler: handler}
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		text, ok := raw(r)
		if !ok {
			return memory.RoundTrip(r)
		}
		read, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), r)
		if err != nil {
			return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", err) // As http.Transport does.
		}
		if location := read.Header.Get("Location"); location != "" {
			if _, err := r.URL.Parse(location); err != nil {
				return nil, fmt.Errorf("failed to parse Location header %q: %w", location, err)
			}
		}
		return read, nil
	})
}

// Neither errors nor the log show a secret, wherever it is in a response: in FoneStorm's message it is masked, and nothing else is
// shown.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const login, laterLogin, call = 0, 1, 2
	rapid.Check(t, func(rt *rapid.T) {
		password, callbackPassword := rapid.SampledFrom(awkward).Draw(rt, "password"), rapid.SampledFrom(awkward).Draw(rt, "callback password")
		first, later := jwt(`{"account":{"id":"1"},"n":1}`), "opaque-token-"+rapid.StringMatching(`[a-z0-9]{8}`).Draw(rt, "later token")
		when := rapid.SampledFrom([]int{login, laterLogin, call}).Draw(rt, "when")
		known := []string{password, callbackPassword}
		if when == call {
			known = append(known, first, later)
		}
		secret := rapid.SampledFrom(known).Draw(rt, "secret")
		encode := rapid.SampledFrom(slices.Sorted(maps.Keys(encodings))).Draw(rt, "encoding")
		if encode == "Basic" && secret != password && secret != callbackPassword {
			encode = "plain" // A token is not sent in this form.
		}
		place := rapid.SampledFrom(slices.Sorted(maps.Keys(places))).Draw(rt, "place")
		status := rapid.SampledFrom([]int{200, 201, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503}).Draw(rt, "status")
		raw := places[place](status, encodings[encode](secret))

		var log bytes.Buffer
		var shown string
		synctest.Test(t, func(st *testing.T) {
			ctx := tflogtest.RootLogger(st.Context(), &log)
			logins := 0
			client := newNetworkClient(st, parsed(func(r *http.Request) (string, bool) {
				if kindOf(r) != "login" {
					return raw, when == call && logins == 2
				}
				logins++
				if logins == 2 && when == laterLogin || when == login {
					return raw, true
				}
				return rawResponse(201, "", `{"auth":{"token":"`+[]string{first, later}[min(logins-1, 1)]+`"}}`), true
			}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				rejectWith(401, "expired", "")(w, nil) // To get a second token.
			})), func(c *Config) { c.Password, c.MaxRetries = password, 1 })
			client.secrets.add(callbackPassword, basicCredentials("user", callbackPassword), basicCredentials("demo", callbackPassword))
			client.secrets.add(basicCredentials("user", password))
			_, errRequest := client.requestFoneNumber(ctx, &request{operation: setDelivery, subject: anyNumber, method: http.MethodPost, params: params{}})
			_, errGet := client.GetFoneNumber(ctx, anyNumber)
			_, errList := client.ListFoneNumbers(ctx)
			_, errDevices := client.ListDevices(ctx)
			shown = fmt.Sprint(errRequest, errGet, errList, errDevices)
		})
		for _, s := range known {
			for name, encode := range encodings {
				if text := shown + log.String(); strings.Contains(text, encode(s)) {
					rt.Fatalf("the %s form of %q is shown: %s", name, s, text)
				}
			}
		}
	})
}

// An unknown token in a response to a login is never shown, except in FoneStorm's message if it is not a JSON Web Token.
func TestUnknownTokensAreNeverShown(t *testing.T) {
	t.Parallel()
	for place, build := range places {
		for kind, token := range map[string]string{"JWT": jwt(`{"account":{"id":"1000000001"}}`), "opaque": "qx7-opaque-token"} {
			if kind == "opaque" && (place == "message" || place == "error") {
				continue
			}
			for _, status := range []int{200, 201, 401, 500} {
				inBubble(t, fmt.Sprintf("%s %d %s", place, status, kind), func(t *testing.T) {
					var log bytes.Buffer
					ctx := tflogtest.RootLogger(t.Context(), &log)
					for _, call := range []string{"login", "subaccount"} {
						client := newNetworkClient(t, parsed(func(r *http.Request) (string, bool) {
							return build(status, token), kindOf(r) == call
						}, http.HandlerFunc(acceptLogin)), withSubaccount, withoutRetries)
						err := read(ctx, client, anyNumber)
						if err == nil {
							t.Fatal("there is no error")
						}
						if shown := log.String() + err.Error(); strings.Contains(shown, token[:len(token)-1]) {
							t.Errorf("the error shows the token: %s", shown)
						}
					}
				})
			}
		}
	}
}

// Failures are classified before secrets are masked.
func TestShortSecretsDoNotHideTheRateLimit(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"a", "e", "rate limit", "Rate", "t"} {
		inBubble(t, secret, func(t *testing.T) {
			client := newBubbleClient(t, rejectWith(400, "Rate Limit Exceeded", ""), func(c *Config) { c.Password = secret })
			wantKind(t, read(t.Context(), client, anyNumber), RateLimited)
		})
	}
	notFound := newBubbleClient(t, rejectWith(404, "not found", ""), func(c *Config) { c.Token = "4" })
	wantKind(t, read1(t, notFound), NotFound)
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
		s.add(secret, basicCredentials("user", secret), basicCredentials("demo", secret))
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
