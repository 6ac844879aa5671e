package fonestorm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-log/tflogtest"
)

// Neither errors nor the log quote a response to any call, except FoneStorm's message, where a JSON Web Token is masked even if the
// client does not know it. TestLostConnections shows the same of responses that are not HTTP.
func TestResponsesAreNeverQuoted(t *testing.T) {
	t.Parallel()
	token := jwt(`{"account":{"id":"1000000001"}}`)
	for body, secret := range map[string]string{
		"no: hunter2 is wrong":                                      "hunter2",
		"<html><title>hunter2</title>":                              "hunter2",
		`"hunter2"`:                                                 "hunter2",
		`{"hunter2":1}`:                                             "hunter2",
		`{"fonenumber":"hunter2","auth":"hunter2"`:                  "hunter2", // Cut off.
		`{"fonenumber":"hunter2"}`:                                  "hunter2",
		`{"fonenumbers":"hunter2","devices":"hunter2"}`:             "hunter2",
		`{"error":"` + token + `"}`:                                 token,
		`{"error":"x","message":"` + token + `","status_code":401}`: token,
	} {
		inBubble(t, body, func(t *testing.T) {
			var log bytes.Buffer
			ctx := tflogtest.RootLogger(t.Context(), &log)
			for _, status := range []int{200, 201, 302, 401, 429, 503} {
				for _, kind := range []string{"login", "subaccount", "set", "get", "list", "devices"} {
					client := newClient(t, newScript(func(r *http.Request) (*http.Response, error) {
						if kindOf(r) != kind {
							return respondTo("login")(r)
						}
						response, err := respondWith(status, body, "Retry-After", secret, "Content-Type", secret, "Www-Authenticate", secret)(r)
						response.Status = secret
						return response, err
					}), withSubaccount)
					_, errList := client.ListFoneNumbers(ctx)
					_, errDevices := client.ListDevices(ctx)
					fmt.Fprintln(&log, set(ctx, client, none), read(ctx, client, anyNumber), errList, errDevices)
				}
			}
			if shown := log.String(); strings.Contains(shown, secret) || !strings.Contains(shown, `"status":503`) {
				t.Errorf("the errors or the log quote the response, or there is no log: %s", shown)
			}
		})
	}
}

// The passwords and tokens that the client knows are masked in FoneStorm's message; FuzzClean shows in which encodings.
func TestMessagesAreMasked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx := tflogtest.RootLogger(t.Context(), &log)
		credentials := &Credentials{"user", "callback demo-password"} // It contains another secret.
		hook := Setting{Delivery: Delivery{Type: URL, Value: callback}, Credentials: credentials}
		for _, secret := range []string{
			"demo-password", "first-token", "second-token", credentials.Password, credentials.basic(),
			"/handler.php?msg={{msg}}&from={{from}}", // The path of the callback URL.
		} {
			message := rejectWith(http.StatusServiceUnavailable, "not "+secret+"!", "")
			client := newClient(t, newScript(issue("first-token"), issue("second-token"), message), withSubaccount)
			_, err := client.Set(ctx, anyNumber, hook)
			if wantKind(t, err, ServerError, "not ***"); strings.Contains(err.Error()+log.String(), secret) {
				t.Errorf("%q is shown: %v", secret, err)
			}
		}
		kinds := map[string]Kind{"401": TokenRejected, "404": NotFound, "later": RateLimited} // Failures are classified before.
		for token, response := range map[string]string{"words": "401", "4": "404", "Rate Limit": "later"} {
			err := fetch(t.Context(), newClient(t, scripted(response+" []"), func(c *Config) { c.Token = token }))
			wantKind(t, err, kinds[response], ": ", "***")
		}
	})
}

// A word that contains a secret, or an escape that can spell one, is masked, and of a URL only the host is shown. FuzzClean shows it for
// every encoding.
func TestCleanMessages(t *testing.T) {
	t.Parallel()
	var s secrets
	s.add("pass/wörd=1", "two words", "/?key=%79es", "/?key=yes", "I love my 2 red cats", "correct-horse-battery", "$#@!", "/in")
	for message, want := range map[string]string{
		`Bad {"password":"pass/wörd=1"}!`:                   "Bad ***",
		`bad {"password":"p\u0061ss"}, sir`:                 "bad *** sir",
		"not pass%2fw%c3%b6rd":                              "not ***",
		"a &lt;b&gt; & 100% c":                              "a *** & 100% c",
		"not two+words or words":                            "not *** or words",
		"not PASS WORD=1":                                   "not PASS WORD=1",
		"not PASS/WÖRD=1":                                   "not ***",
		"I do not love the device that I love my 2 red c":   "I do not love the device that *** *** *** *** *** ***",
		"not $#@! but in":                                   "not *** but in",
		"the correct battery is not 'CORRECT-HORSE...'":     "the correct battery is not ***",
		"not x.test/?key=yes or https://x.test/?key=%79es":  "not *** or ***",
		"cannot call https://x.test/HOOK?key=s3cret, sorry": "cannot call https://x.test/… sorry",
		`"https://user:s3cret@x.test:8443/a" is invalid`:    `"https://x.test:8443/…" is invalid`,
	} {
		if got := s.clean(message); got != want {
			t.Errorf("%q is shown as %q, want %q", message, got, want)
		}
	}
}

// A secret is masked in every encoding in which FoneStorm's message can repeat it, whatever surrounds it.
func FuzzClean(f *testing.F) {
	for _, secret := range []string{ // Hard to find when they are quoted, escaped, or part of a URL.
		"hunter2", "p@ss word&=%+/", `quo"te\slash`, "<tag>'&amp;", "grüße\u00a0 !", "correct horse", `ends with "`,
	} {
		f.Add("before ", secret, " after")
	}
	f.Add("a", "b c d", "\n")
	f.Add("b\nc d", "b c d", "")
	f.Add(`{"x":"`, `pass/word`, `"}`)
	f.Add(strings.Repeat("x", 298), "hunter2", "")
	isInvisible := func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		var s secrets
		s.add(secret)
		letters, _ := lettersOf(secret)
		isComparable := len(letters) >= minPart || !strings.ContainsFunc(secret, unicode.IsSpace) // Others are not found in several words.
		// Short secrets occur everywhere by coincidence, and so do those that contain the mask or the ellipsis. No secret contains an
		// invisible character, because it is part of a header.
		isHidden := utf8.ValidString(secret) && !strings.ContainsFunc(secret, isInvisible) &&
			len(secret) >= 4 && isComparable && !strings.ContainsAny(secret, "*…")
		inJSON, _ := json.Marshal(secret)
		quoted := string(inJSON[1 : len(inJSON)-1])
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), quoted, strings.ReplaceAll(quoted, "/", `\/`),
		} {
			shown := s.clean(before + form + after)
			if utf8.RuneCountInString(shown) > 301 || strings.ContainsFunc(shown, isInvisible) {
				t.Fatalf("it is too long, or contains an invisible character: %q", shown)
			}
			if isHidden && (strings.Contains(shown, secret) || strings.Contains(shown, form)) {
				t.Fatalf("%q is shown as %q", form, shown)
			}
		}
	})
}
