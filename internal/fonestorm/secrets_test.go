package fonestorm

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
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
var awkward = []string{"hunter2", "p@ss word&=%+/", `quo"te\slash`, "<tag>'&amp;", "grüße  !", "correct horse"}

// encodings contains the forms in which a server can echo a request.
var encodings = map[string]func(string) string{
	"plain":       func(s string) string { return s },
	"query":       url.QueryEscape,
	"path":        url.PathEscape,
	"percent":     percentEncoded,
	"lower":       func(s string) string { return lowerPercent(url.QueryEscape(s)) },
	"HTML":        html.EscapeString,
	"JSON":        inJSON,
	"PHP":         func(s string) string { return strings.ReplaceAll(inJSON(s), "/", `\/`) },
	"Go":          func(s string) string { quoted := strconv.Quote(s); return quoted[1 : len(quoted)-1] },
	"ASCII":       func(s string) string { quoted := strconv.QuoteToASCII(s); return quoted[1 : len(quoted)-1] },
	"hexadecimal": func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":         func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"base64":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64url":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"in base64":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte("somebody:" + s + ":x")) },
}

func inJSON(text string) string {
	data, _ := json.Marshal(text)
	return string(data[1 : len(data)-1])
}

// places contains the parts of a raw HTTP response where an encoded secret can appear.
var places = map[string]func(status int, echo string) string{
	"status line": func(_ int, echo string) string { return "HTTP/1.1 " + echo + "\r\n\r\n" },
	"protocol":    func(_ int, echo string) string { return echo + " 200 OK\r\n\r\n" },
	"header name": func(status int, echo string) string { return response(status, echo+"\r\n", "{}") },
	"header":      func(status int, echo string) string { return response(status, "X-Echo: "+echo+"\r\n", "{}") },
	"Location":    func(_ int, echo string) string { return response(302, "Location: "+echo+"\r\n", "") },
	"Location:":   func(_ int, echo string) string { return response(302, "Location: https://"+echo+"\r\n", "") },
	"length": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %s\r\n\r\n{}", status, echo)
	},
	"transfer": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nTransfer-Encoding: %s\r\n\r\n{}", status, echo)
	},
	"Retry-After": func(status int, echo string) string { return response(status, "Retry-After: "+echo+"\r\n", "{}") },
	"text":        func(status int, echo string) string { return response(status, "", "no: "+echo+" is wrong") },
	"only text":   func(status int, echo string) string { return response(status, "", echo) },
	"JSON text":   func(status int, echo string) string { return response(status, "", `"`+inJSON(echo)+`"`) },
	"JSON array":  func(status int, echo string) string { return response(status, "", `["`+inJSON(echo)+`"]`) },
	"JSON name":   func(status int, echo string) string { return response(status, "", `{"`+inJSON(echo)+`":1}`) },
	"JSON member": func(status int, echo string) string { return response(status, "", `{"x":"`+inJSON(echo)+`"}`) },
	"message": func(status int, echo string) string {
		return response(status, "", `{"error":"x","message":"not `+inJSON(echo)+`","status_code":`+strconv.Itoa(status)+`}`)
	},
	"error": func(status int, echo string) string { return response(status, "", `{"error":"`+inJSON(echo)+`"}`) },
	"title": func(status int, echo string) string { return response(status, "", "<html><title>"+echo+"</title>") },
	"number": func(status int, echo string) string {
		return response(status, "", `{"fonenumber":{"fonenumber":"`+inJSON(echo)+`"}}`)
	},
	"delivery": func(status int, echo string) string {
		return response(status, "", receiving(`{"type":"email","email":"`+inJSON(echo)+`"}`))
	},
	"type": func(status int, echo string) string {
		return response(status, "", receiving(`{"type":"`+inJSON(echo)+`"}`))
	},
	"list": func(status int, echo string) string {
		return response(status, "", `{"fonenumbers":"`+inJSON(echo)+`"}`)
	},
	"damaged": func(status int, echo string) string { return response(status, "", `{"x":"`+inJSON(echo)) },
	"cut off": func(status int, echo string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 10000\r\n\r\n{\"x\":\"%s", status, inJSON(echo))
	},
	"cut in two": func(status int, echo string) string {
		return response(status, "", `{"x":"`+inJSON(echo)[:len(inJSON(echo))-1])
	},
}

func response(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

// parsed returns a transport on which calls of one kind receive these bytes and others reach the simulator.
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

// wantHidden checks that a text does not contain the secret in any encoding.
func wantHidden(t interface {
	Helper()
	Fatalf(string, ...any)
}, text, secret string,
) {
	t.Helper()
	for name, encode := range encodings {
		if name == "in base64" {
			continue // Its first and last characters depend on the surrounding text.
		}
		for _, spelling := range []string{encode(secret), strings.Join(strings.Fields(encode(secret)), " ")} {
			if strings.Contains(text, spelling) {
				t.Fatalf("the %s form of %q, %q, is shown: %s", name, secret, spelling, text)
			}
		}
	}
	if len(secret) >= minBase64 {
		for before := range 3 { // Any base64 text that contains it.
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				inner := encoding.EncodeToString(append(bytes.Repeat([]byte("x"), before), secret...))
				if inner = inner[(before*8+5)/6 : (before+len(secret))*8/6]; strings.Contains(text, inner) {
					t.Fatalf("base64 that contains %q is shown as %q: %s", secret, inner, text)
				}
			}
		}
	}
}

// Neither errors nor the log show a secret, wherever it is in a response and however it is encoded.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const login, laterLogin, call = 0, 1, 2
	rapid.Check(t, func(rt *rapid.T) {
		password, callbackPassword := rapid.SampledFrom(awkward).Draw(rt, "password"), rapid.SampledFrom(awkward).Draw(rt, "callback password")
		first, later := jwt(`{"account":{"id":"1"},"n":1}`), "opaque-token-"+rapid.StringMatching(`[a-z0-9]{8}`).Draw(rt, "later token")
		when := rapid.SampledFrom([]int{login, laterLogin, call}).Draw(rt, "when")
		known := []string{password, callbackPassword, "user:" + callbackPassword, "demo:" + password}
		if when == call {
			known = append(known, first, later)
		}
		secret := rapid.SampledFrom(known).Draw(rt, "secret")
		encode := rapid.SampledFrom(slices.Sorted(maps.Keys(encodings))).Draw(rt, "encoding")
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
				return response(201, "", `{"auth":{"token":"`+[]string{first, later}[min(logins-1, 1)]+`"}}`), true
			}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				rejectWith(401, "expired", "")(w, nil) // To get a second token.
			})), func(c *Config) { c.Password, c.MaxRetries = password, 1 })
			name := "user"
			want := Delivery{Type: URL, Value: callback, URLUsername: &name, URLPassword: &callbackPassword}
			client.keepSecret(want)
			_, errSet := client.SetDelivery(ctx, anyNumber, want)
			_, errGet := client.GetFoneNumber(ctx, anyNumber)
			_, errList := client.ListFoneNumbers(ctx)
			_, errDevices := client.ListDevices(ctx)
			shown = fmt.Sprint(errSet, errGet, errList, errDevices)
		})
		for _, s := range known {
			wantHidden(rt, shown+log.String(), s)
		}
	})
}

// An unknown token in a login response is never shown, except in FoneStorm's message if it is not a JSON Web Token.
func TestUnknownTokensAreNeverShown(t *testing.T) {
	t.Parallel()
	for place, build := range places {
		for _, status := range []int{200, 201, 401, 500} {
			for kind, token := range map[string]string{"JWT": jwt(`{"account":{"id":"1000000001"}}`), "opaque": "qx7-opaque-token"} {
				if kind == "opaque" && (place == "message" || place == "error") {
					continue
				}
				for _, subaccount := range []bool{false, true} {
					inBubble(t, fmt.Sprintf("%s %d %s subaccount %t", place, status, kind, subaccount), func(t *testing.T) {
						var log bytes.Buffer
						ctx := tflogtest.RootLogger(t.Context(), &log)
						client := newNetworkClient(t, parsed(func(r *http.Request) (string, bool) {
							return build(status, token), (kindOf(r) == "subaccount") == subaccount
						}, http.HandlerFunc(acceptLogin)), withSubaccount, withoutRetries)
						_, err := client.GetFoneNumber(ctx, anyNumber)
						if err == nil {
							t.Fatal("there is no error")
						}
						if shown := log.String() + err.Error(); strings.Contains(shown, token) || strings.Contains(shown, token[:len(token)-1]) {
							t.Errorf("the error shows the token: %s", shown)
						}
					})
				}
			}
		}
	}
}

// Parts of a secret that is longer than the stored response are not shown either.
func TestErrorsDoNotShowPartsOfALongToken(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("c29tZSBjbGFpbXM", 200)
	for status, body := range map[int]string{
		http.StatusOK: "no such token: " + token, http.StatusForbidden: "no such token: " + token, http.StatusConflict: "no such token: " + token[:1000],
	} {
		client := newBubbleClient(t, respondWith(status, body), withoutRetries, func(c *Config) { c.Token = token })
		err := read1(t, client)
		wantWords(t, err, "no such token: ***")
		if strings.Contains(err.Error(), token[:20]) {
			t.Errorf("the error shows the token's beginning: %s", err)
		}
	}
}

// Failures are classified before secrets are masked.
func TestShortSecretsDoNotHideTheRateLimit(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"a", "e", "rate limit", "Rate", "t"} {
		inBubble(t, secret, func(t *testing.T) {
			client := newBubbleClient(t, rejectWith(400, "Rate Limit Exceeded", ""), withoutRetries, func(c *Config) { c.Password = secret })
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			wantKind(t, err, RateLimited)
			_, err = client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
			wantKind(t, err, RateLimited)
		})
	}
	notFound := newBubbleClient(t, rejectWith(404, "not found", ""), withToken, func(c *Config) { c.Token = "4" })
	wantKind(t, read1(t, notFound), NotFound)
}

// maskable reports whether a secret can be masked reliably. Short secrets occur everywhere by coincidence, and so do those that
// contain the mask or the ellipsis of a truncated text.
func maskable(secret string) bool { return len(secret) >= 4 && !strings.ContainsAny(secret, "*…") }

// A secret is masked in every encoding that a response can contain, whatever surrounds it.
func FuzzClean(f *testing.F) {
	for _, secret := range awkward {
		f.Add("before ", secret, " after")
	}
	f.Add("a", "b c d", "\n")
	f.Add("b\nc d", "b c d", "")
	f.Add("<title>", "b\u2028c d", "</title>")
	f.Add(`{"x":"`, `pass/word`, `"}`)
	f.Add(strings.Repeat("x", 298), "hunter2", "")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		s := &secrets{}
		s.add(secret)
		for _, encode := range encodings {
			text := before + encode(secret) + after
			for _, shown := range []string{s.clean(text), s.clean(describe([]byte(text)))} {
				if n := utf8.RuneCountInString(shown); n > 301 {
					t.Fatalf("got %d characters", n)
				}
				if shown != "" {
					wantShown(t, shown)
				}
				if maskable(secret) && strings.Contains(shown, secret) {
					t.Fatalf("%q shows the secret %q: %q", text, secret, shown)
				}
			}
		}
	})
}
