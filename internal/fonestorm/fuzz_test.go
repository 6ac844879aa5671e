package fonestorm

import (
	"bytes"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v5"
)

// The list is read as a stream, piece by piece. It must come to what reading it as a whole comes to.
func FuzzDecodeList(f *testing.F) {
	for _, body := range []string{
		`{"fonenumbers":[]}`, `{"fonenumbers":["3215550000",{"fonenumber":"3215550001","label":"x"}]}`, `{"fonenumbers":null}`,
		`{"a":[{}],"fonenumbers":[{"message_options":{"receive":{"type":"url","url":"https://x.test"}}}],"b":{"fonenumbers":["1"]}}`,
		`{"fonenumbers":["1"],"fonenumbers":["2"]}`, `{"fonenumbers":["1",]}`, `{"fonenumbers":["1"`, `{"fonenumbers":["1"],}`,
		`["1"]`, `{"FoneNumbers":["1"]}`, `{"fonenumbers":[1]}`, "{\"fonenumbers\":[\"\xff\"]}", `{"fonenumbers":[null,{},"",{"fonenumber":null}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got []FoneNumber
		err := decodeList(strings.NewReader(body), func(f FoneNumber) { got = append(got, f) })
		var whole json.RawMessage
		if flaw := json.NewDecoder(strings.NewReader(body)).Decode(&whole); err == nil && flaw != nil {
			t.Fatalf("it was read although it is no JSON: %v", flaw)
		}
		var answer listAtOnce
		if json.Unmarshal([]byte(body), &answer) != nil || hasOtherSpelling(body) {
			return
		}
		if wanted := answer.FoneNumbers.found; wanted != (err == nil) {
			t.Fatalf("it holds a list: %v, but reading it says %v", wanted, err)
		}
		if want := answer.FoneNumbers.list; err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("it was read as %+v, want %+v", got, want)
		}
	})
}

// listAtOnce is the same answer for json.Unmarshal.
type listAtOnce struct {
	FoneNumbers lists `json:"fonenumbers"`
}

// lists are all of that name, of which JSON allows more than one.
type lists struct {
	list  []FoneNumber
	found bool
}

func (l *lists) UnmarshalJSON(data []byte) error {
	var entries []wireEntry
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	if entries == nil {
		return errors.New("null is no list")
	}
	l.found = true
	for _, entry := range entries {
		l.list = append(l.list, entry.foneNumber())
	}
	return nil
}

// hasOtherSpelling reports whether json.Unmarshal would take another member for the list, as it does with other cases.
func hasOtherSpelling(body string) bool {
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(body), &members)
	for name := range members {
		if name != "fonenumbers" && strings.EqualFold(name, "fonenumbers") {
			return true
		}
	}
	return false
}

// What is taken for the answer about a FoneNumber is about that one, and everything else is an error that says something.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"fonenumber":{"fonenumber":"3215550000","is_active":"yes"}}`, "3215550000")
	f.Add(`{"fonenumber":{"fonenumber":"3215550001"}}`, "3215550000")
	f.Add(`{"status_code":200,"result":"SUCCESS"}`, "3215550000")
	f.Add(`{"error":"Oops\u001b","message":"Try\nlater"}`, "3215550000")
	f.Add(`{"fonenumber":{"fonenumber":3}}`, "3")
	f.Add(`{"fonenumber":{"message_options":{"receive":{"type":"pager\u0007"}}}}`, "")
	f.Add(`{"fonenumber":null}{`, "")
	f.Fuzz(func(t *testing.T, body, number string) {
		r := request{doing: "reading"}
		answer := answer{Result: "SUCCESS"} // As an earlier attempt may have left it.
		if err := answer.decode(strings.NewReader(body)); err != nil {
			wantShown(t, r.printable(flaw(err)))
			return
		}
		var whole struct{ Result string }
		_ = json.NewDecoder(strings.NewReader(body)).Decode(&whole)
		if answer.FoneNumber == nil && whole.Result != "SUCCESS" {
			t.Fatal("it was taken for an answer and has nothing in it")
		}
		found, err := answer.about(r, number)
		switch {
		case err != nil:
			wantShown(t, err.Error())
		case found.Number != number:
			t.Fatalf("it is about %q", found.Number)
		case found.Delivery != nil:
			wantShown(t, found.Delivery.String())
		}
	})
}

// wantShown checks that a text can be shown: it is there, on one line, and reads from left to right.
func wantShown(t *testing.T, text string) {
	t.Helper()
	i := strings.IndexFunc(text, func(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) })
	if i >= 0 || text == "" {
		t.Fatalf("it has an invisible character at %d: %q", i, text)
	}
}

// A login ends with a token that can be sent, or with an error that does not show the password.
func FuzzLogIn(f *testing.F) {
	const password = "correct-horse"
	f.Add(http.StatusCreated, `{"auth":{"token":"abc"}}`)
	f.Add(http.StatusOK, `{"authorization":{"token":"abc"}}`)
	f.Add(http.StatusOK, `{"status_code":200,"token":"abc"}`)
	f.Add(http.StatusOK, `{"auth":{"token":""},"token":null}`)
	f.Add(http.StatusOK, `{"auth":"abc","token":{}}`)
	f.Add(http.StatusOK, "{\"auth\":{\"token\":\"abc\\r\\n\"}}")
	f.Add(http.StatusOK, "<title>"+password+"</title>")
	f.Add(http.StatusUnauthorized, `{"error":"Unauthorized","message":"not `+password+`"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 999 { // What net/http would not take for an answer.
			return
		}
		client := newBubbleClient(t, answering(status, body), withoutRetries, func(c *Config) { c.Password = password })
		token, err := client.session.logIn(t.Context())
		if err != nil {
			wantShown(t, err.Error())
			if strings.Contains(err.Error(), password) {
				t.Fatalf("it shows the password: %s", err)
			}
			return
		}
		if token == "" || strings.ContainsFunc(token, unicode.IsControl) {
			t.Fatalf("the token is %q", token)
		}
	})
}

// Whatever comes instead of an answer becomes an error that is short, can be shown, and shows no secret.
func FuzzErrorFrom(f *testing.F) {
	const secret = "correct-horse"
	f.Add(400, `{"error":"Bad Request","message":"no: correct-horse","status_code":400}`, "", "", secret)
	f.Add(410, `{"error":"Gone","message":"Rate Limit Exceeded"}`, "", "3", secret)
	f.Add(429, "", "", "Fri, 31 Dec 9999 23:59:59 GMT", secret)
	f.Add(503, "<html><title>\n correct-horse \x1b[31m</title>", "", "-1", secret)
	f.Add(307, "", "https://example.com/correct-horse", "99999999999999999999", secret)
	f.Add(500, `{"error":"\u202e\u2028","message":"\r\n"}`, "", "2147483647", "gr\tüße")
	f.Add(404, `["`+strings.Repeat("ü", 400), "", "0x10", "ü...")
	f.Fuzz(func(t *testing.T, status int, body, location, retry, secret string) {
		response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		response.Header.Set("Location", location)
		response.Header.Set("Retry-After", retry)
		got := errorFrom(request{doing: "reading", secrets: []string{"", secret}}, response)
		if got.Status != status {
			t.Fatalf("the status is %d", got.Status)
		}
		wantShown(t, got.Error())
		foreign := strings.TrimPrefix(got.Message, "instead of an explanation came ")
		if got.Title != http.StatusText(status) {
			foreign = got.Title + "\n" + foreign
		} else if location != "" {
			foreign = ""
		}
		if n := utf8.RuneCountInString(foreign); n > 2*301+1 {
			t.Fatalf("it has %d characters", n)
		}
		if maskable(secret) && strings.Contains(foreign, secret) {
			t.Fatalf("it shows the secret %q: %q", secret, foreign)
		}
		wait, ok := errors.AsType[*backoff.RetryAfterError](got.verdict())
		if ok && (wait.Duration < 0 || wait.Duration > longestWait) {
			t.Fatalf("it would be waited for %s", wait.Duration)
		}
	})
}

// maskable tells secrets apart that can be hidden for sure: those of a few characters are found everywhere, and those
// that hold what hides them, or what says that a text goes on, can come to be by chance.
func maskable(secret string) bool { return len(secret) >= 4 && !strings.ContainsAny(secret, "*…") }

// A secret does not come through in any of the spellings that it can have in an answer, whatever stands around it.
func FuzzPrintable(f *testing.F) {
	for _, secret := range secrets {
		f.Add("before ", secret, " after")
	}
	f.Add("a", "b c d", "\n")
	f.Add("b\nc d", "b c d", "")
	f.Add("<title>", "b\u2028c d", "</title>")
	f.Add(`{"x":"`, `pass/word`, `"}`)
	f.Add(strings.Repeat("x", 298), "hunter2", "")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		r := request{secrets: []string{secret}}
		asJSON, _ := json.Marshal(secret)
		inJSON := string(asJSON[1 : len(asJSON)-1])
		for _, spelling := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), inJSON,
			strings.ReplaceAll(inJSON, "/", `\/`), // As PHP writes it.
			strconv.Quote(secret)[1 : len(strconv.Quote(secret))-1],
		} {
			text := before + spelling + after
			for _, shown := range []string{r.printable(text), r.printable(describe([]byte(text)))} {
				if n := utf8.RuneCountInString(shown); n > 301 {
					t.Fatalf("it has %d characters", n)
				}
				if shown != "" {
					wantShown(t, shown)
				}
				if maskable(secret) && (strings.Contains(shown, secret) || strings.Contains(shown, spelling)) {
					t.Fatalf("%q shows the secret %q: %q", text, secret, shown)
				}
			}
		}
	})
}

// A secret that is longer than what is kept of an answer is not shown in part either.
func TestErrorsDoNotShowPartsOfALongToken(t *testing.T) {
	t.Parallel()
	token := "eyJhbGciOiJIUzI1NiJ9." + strings.Repeat("c29tZSBjbGFpbXM", 200)
	for status, body := range map[int]string{
		http.StatusOK: "no such token: " + token, http.StatusForbidden: "no such token: " + token,
	} {
		client := newBubbleClient(t, answering(status, body), withoutRetries, func(c *Config) { c.Token = token })
		_, err := client.GetFoneNumber(t.Context(), anyNumber)
		wantWords(t, err, "no such token: ***")
		if strings.Contains(err.Error(), token[:20]) {
			t.Errorf("the error shows the token's beginning: %s", err)
		}
	}
}

// Retry-After is a whole number of seconds or a date. Nothing that a server can write makes the wait negative.
func FuzzRetryAfter(f *testing.F) {
	for _, header := range []string{
		"", "0", "5", "+5", "-5", "5.5", " 5", "2147483647", "2147483648", "18446744073709551616", "Mon, 02 Jan 2006 15:04:05 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Monday, 02-Jan-06 15:04:05 MST", "Mon Jan  2 15:04:05 2006", "Sat, 01 Jan 0000 00:00:00 GMT",
	} {
		f.Add(header, int64(1136214245))
	}
	f.Fuzz(func(t *testing.T, header string, now int64) {
		wait := retryAfter(header, time.Unix(now, 0))
		switch seconds, err := strconv.ParseInt(header, 10, 64); {
		case wait < 0:
			t.Fatalf("it would be waited for %s", wait)
		case err == nil && seconds >= 0 && seconds < 1<<31 && header[0] != '+' && wait != time.Duration(seconds)*time.Second:
			t.Fatalf("it would be waited for %s", wait)
		case err != nil && wait > 0 && !strings.ContainsAny(header, ":"):
			t.Fatalf("%q is neither a number nor a date, but it would be waited for %s", header, wait)
		}
	})
}

// No endpoint that is accepted sends credentials in clear, or elsewhere than it says.
func FuzzParseEndpoint(f *testing.F) {
	for _, endpoint := range []string{
		DefaultEndpoint, "http://localhost:8080/v2", "http://[::1]:80", "http://127.0.0.1.example.com", "http://localhost@example.com",
		"https://example.com\\@example.org/", "https:example.com", "https://%6c/", "HTTPS://EXAMPLE.COM:443/v2/../x", "http://[::1%25x]/",
		"https://example.com/\u202e", "https://exa\u00admple.com", "https://example.com/?", "https://example.com:port/", "//localhost", "https://example.com:",
	} {
		f.Add(endpoint)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		u, err := ParseEndpoint(endpoint)
		if err != nil {
			wantShown(t, err.Error())
			return
		}
		wantShown(t, endpoint)
		if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && u.Hostname() != "localhost" && !ip.IsLoopback() {
			t.Fatalf("it is %q at %q", u.Scheme, u.Hostname())
		}
		if !strings.HasPrefix(strings.ToLower(endpoint), u.Scheme+"://") || u.Host == "" || strings.ContainsAny(u.Host, "@/\\") {
			t.Fatalf("its host is %q", u.Host)
		}
		transport := newTransport(Config{RequestsPerSecond: 1}, u)
		sent, err := transport.newRequest(t.Context(), request{path: "/auth"})
		if err != nil {
			t.Fatalf("it cannot be asked: %s", err)
		}
		host := strings.TrimSuffix(u.Host, ":") // Package http takes a port that is empty out.
		if sent.URL.Scheme != u.Scheme || sent.URL.Host != host || sent.URL.User != nil || !strings.HasSuffix(sent.URL.Path, "/auth") {
			t.Fatalf("what is asked is %s", sent.URL)
		}
	})
}

// What is sent comes apart again into exactly the parameters that were meant, whatever they hold.
func FuzzForm(f *testing.F) {
	f.Add("3215550000", "URL", "https://x.test/?a=1&type=None", "hook", "a&value=b;c", true, true)
	f.Add("3215550000&type=None", "Email", "ops+sms@example.com\r\nvalue: x", "", "", false, false)
	f.Add("", "None", "%zz", "\x00", "\xff", true, false)
	f.Fuzz(func(t *testing.T, number, kind, value, username, password string, withUsername, withPassword bool) {
		want := url.Values{"fonenumber": {number}, "type": {kind}, "value": {value}, "url_method": {"POST"}}
		d := Delivery{Type: DeliveryType(kind), Value: value}
		if kind == "None" {
			want.Set("value", "None")
		}
		if withUsername {
			d.URLUsername = &username
			want.Set("url_username", username)
		}
		if withPassword {
			d.URLPassword = &password
			want.Set("url_password", password)
		}
		sent := d.form(number).Encode()
		if got, err := url.ParseQuery(sent); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q comes to %q, want %q: %v", sent, got, want, err)
		}
		if bytes.ContainsFunc([]byte(sent), func(c rune) bool { return c <= ' ' || c > '~' }) {
			t.Fatalf("%q is not what a form looks like", sent)
		}
	})
}
