package fonestorm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestErrorAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		title  string
		words  []string
	}{
		"envelope": {
			http.StatusPaymentRequired, `{"error":"Payment Required","message":"Your balance is too low.","status_code":402}`,
			"Payment Required",
			[]string{"402 Payment Required: Your balance is too low."},
		},
		"envelope without message": {
			http.StatusConflict, `{"error":"Locked Out","message":"","status_code":409}`,
			"Locked Out",
			[]string{"FoneStorm answered 409 Locked Out"},
		},
		"web page": {
			http.StatusForbidden, "<!DOCTYPE html>\n<html><head><title>\n Blocked by proxy &amp; co \n</title></head></html>",
			"Forbidden",
			[]string{"403 Forbidden", `HTML page titled "Blocked by proxy & co"`},
		},
		"web page without title": {
			http.StatusForbidden, "\n<HTML><body>Blocked</body></HTML>", "Forbidden", []string{"403 Forbidden", "came an HTML page"},
		},
		"empty":      {http.StatusForbidden, " \n", "Forbidden", []string{"403 Forbidden", "an empty answer"}},
		"cut off":    {http.StatusForbidden, `{"error":"Forbid`, "Forbidden", []string{"JSON that is cut off", `{"error":"Forbid`}},
		"plain text": {http.StatusForbidden, "upstream says no", "Forbidden", []string{"text that is not JSON: upstream says no"}},
		"other JSON": {http.StatusForbidden, `{"detail":"denied"}`, "Forbidden", []string{"JSON of an unknown form", `{"detail":"denied"}`}},
		"wrong types": {
			http.StatusForbidden, `{"error":403,"message":["denied"]}`, "Forbidden", []string{"JSON of an unknown form", `["denied"]`},
		},
		"JSON text":        {http.StatusForbidden, `"denied"`, "Forbidden", []string{"JSON of an unknown form", `"denied"`}},
		"unknown status":   {499, `nginx gave up`, "", []string{"499", "nginx gave up"}},
		"binary":           {http.StatusForbidden, "\x00\x1b\x07\xff", "Forbidden", []string{"text that is not JSON"}},
		"not JSON for URL": {http.StatusNotFound, "404 page not found\n", "Not Found", []string{"404 page not found"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(test.status, test.body), withToken)
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			answered := wantError(t, err, test.status)
			if answered.Title != test.title {
				t.Errorf("the title is %q, want %q", answered.Title, test.title)
			}
			wantWords(t, err, append(test.words, "reading FoneNumber "+anyNumber)...)
			wantPrintable(t, err)
		})
	}
}

func wantPrintable(t *testing.T, err error) {
	t.Helper()
	if i := strings.IndexFunc(err.Error(), unicode.IsControl); i >= 0 {
		t.Errorf("the error has a control character at %d: %q", i, err)
	}
}

// Content types are ignored on purpose: proxies and old servers get them wrong, the body tells.
func TestWrongContentType(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, envelopeOf(http.StatusBadRequest, "The device is not registered."))
			return
		}
		fmt.Fprint(w, receiving(`{"type":"None"}`))
	})
	client := newTestClient(t, handler, withToken)
	_, err := client.fetchFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	_, err = client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Device, Value: "1"})
	if got := wantError(t, err, http.StatusBadRequest).Message; got != "The device is not registered." {
		t.Errorf("the message is %q", got)
	}
}

func TestSuccessesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		words []string
	}{
		"web page":       {"<html><title>Sign in to the Wi-Fi</title></html>", []string{`an HTML page titled "Sign in to the Wi-Fi"`}},
		"empty":          {"", []string{"an empty answer"}},
		"cut off":        {`{"fonenumber":{"fonenumber":"321`, []string{"it is cut off"}},
		"damaged":        {`{"fonenumber":{"fonenumber":"321"` + "\x00" + `}}`, []string{"invalid character"}},
		"plain text":     {"OK", []string{"text that is not JSON: OK"}},
		"wrong type":     {`{"fonenumber":3215550000}`, []string{`member "fonenumber"`, "JSON number"}},
		"wrong types":    {`{"fonenumber":{"is_active":true}}`, []string{`member "fonenumber.is_active"`, "JSON bool"}},
		"a list":         {`[{"fonenumber":"3215550000"}]`, []string{"JSON", `[{"fonenumber":"3215550000"}]`}},
		"null":           {`null`, []string{"JSON", "null"}},
		"nothing in it":  {`{}`, []string{"it holds no FoneNumber"}},
		"error in it":    {`{"error":"Oops","message":"Try later"}`, []string{`reports success and the error "Oops": Try later`}},
		"only a success": {`{"status_code":200,"result":"SUCCESS"}`, []string{"it holds no FoneNumber"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(http.StatusOK, test.body), withToken, withoutRetries)
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantAnswerError(t, err)
			wantWords(t, err, append(test.words, "reading FoneNumber "+anyNumber, "cannot be used")...)
			wantPrintable(t, err)
		})
	}
}

// secrets are hard to find when they are quoted, escaped or part of a URL.
var secrets = []string{"hunter2", "p@ss word&=%+/", `quo"te\slash`, "<tag>'&amp;", "grüße  !"}

// Servers and proxies like to repeat what they were sent.
func TestErrorsDoNotShowSecrets(t *testing.T) {
	t.Parallel()
	quoted := func(text string) string {
		data, _ := json.Marshal(text)
		return string(data)
	}
	echoes := map[string]struct {
		status int
		echo   func(secret string) string
	}{
		"message":          {http.StatusBadRequest, func(s string) string { return `{"error":"Bad Request","message":` + quoted(s) + `}` }},
		"error":            {http.StatusBadRequest, func(s string) string { return `{"error":` + quoted(s) + `,"message":""}` }},
		"form in message":  {http.StatusBadRequest, func(s string) string { return `{"error":"x","message":"a=b&c=` + url.QueryEscape(s) + `"}` }},
		"path in message":  {http.StatusBadRequest, func(s string) string { return `{"error":"x","message":"/a/` + url.PathEscape(s) + `"}` }},
		"other JSON":       {http.StatusBadRequest, func(s string) string { return `{"sent":` + quoted(s) + `}` }},
		"plain text":       {http.StatusBadRequest, func(s string) string { return "bad " + s }},
		"form as text":     {http.StatusBadRequest, func(s string) string { return "bad x=" + url.QueryEscape(s) }},
		"title of page":    {http.StatusBadRequest, func(s string) string { return "<html><title>" + s + "</title></html>" }},
		"text on success":  {http.StatusOK, func(s string) string { return "thanks for " + s }},
		"error on success": {http.StatusOK, func(s string) string { return `{"error":"x","message":` + quoted(s) + `}` }},
		"other number":     {http.StatusOK, func(s string) string { return `{"fonenumber":{"fonenumber":` + quoted(s) + `}}` }},
		"other delivery":   {http.StatusOK, func(s string) string { return receiving(`{"type":"email","email":` + quoted(s) + `}`) }},
		"login's answer":   {http.StatusCreated, func(s string) string { return "thanks for " + s }},
	}
	for name, test := range echoes {
		for _, secret := range secrets {
			t.Run(name+"/"+secret, func(t *testing.T) {
				t.Parallel()
				handler := answering(test.status, test.echo(secret))
				withSecret := func(c *Config) { c.Password = secret }
				_, err := newBubbleClient(t, handler, withoutRetries, withSecret).GetFoneNumber(t.Context(), anyNumber)
				wantHidden(t, err, secret) // At the login, or in the answer to a login that cannot be used.

				delivery := Delivery{Type: URL, Value: callback, URLPassword: &secret}
				_, err = newBubbleClient(t, handler, withoutRetries, withToken).SetDelivery(t.Context(), anyNumber, delivery)
				wantHidden(t, err, secret)
			})
		}
	}
}

// The account's password is known to FoneStorm at every call, not only at the login.
func TestErrorsOfCallsDoNotShowThePassword(t *testing.T) {
	t.Parallel()
	for body, status := range map[string]int{
		"wrong password hunter2": http.StatusForbidden,
		envelopeOf(http.StatusForbidden, "demo:hunter2 may not do this"): http.StatusForbidden,
		`{"fonenumber":{"fonenumber":"hunter2"}}`:                        http.StatusOK, // A late error: about another number.
	} {
		client := newBubbleClient(t, answering(status, body), withToken, func(c *Config) { c.Password = "hunter2" })
		_, err := client.GetFoneNumber(t.Context(), anyNumber)
		wantHidden(t, err, "hunter2")
		wantWords(t, err, "***")
	}
}

func TestErrorsDoNotShowTheToken(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOi.eyJzdWIiOiI.SflKxwRJSM"
	for _, body := range []string{"bad token " + token, envelopeOf(http.StatusUnauthorized, "expired: "+token)} {
		client := newBubbleClient(t, answering(http.StatusUnauthorized, body), func(c *Config) { c.Token = token })
		_, err := client.GetFoneNumber(t.Context(), anyNumber)
		wantHidden(t, err, token)
		wantWords(t, err, "***")
	}
}

// wantHidden looks for a secret in all the spellings that an error could have it in.
func wantHidden(t *testing.T, err error, secret string) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	quoted, _ := json.Marshal(secret)
	spellings := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), string(quoted[1 : len(quoted)-1]), strings.Trim(fmt.Sprintf("%q", secret), `"`),
		strings.ReplaceAll(secret, "\t", " "),
	}
	for _, spelling := range spellings {
		if strings.Contains(err.Error(), spelling) {
			t.Errorf("the error shows the secret as %s: %s", spelling, err)
		}
	}
}

func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 100_000)
	for name, handler := range map[string]http.Handler{
		"envelope":         answering(http.StatusBadRequest, envelopeOf(http.StatusBadRequest, long[:40_000])),
		"text":             answering(http.StatusBadRequest, long),
		"title":            answering(http.StatusBadRequest, "<title>"+long+"</title>"),
		"text on success":  answering(http.StatusOK, strings.Repeat("x", 100_000)),
		"other number":     answering(http.StatusOK, `{"fonenumber":{"fonenumber":"`+long+`"}}`),
		"error on success": answering(http.StatusOK, envelopeOf(http.StatusBadRequest, long)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, handler, withToken, withoutRetries)
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantWords(t, err, "…")
			if n := len([]rune(err.Error())); n > 500 {
				t.Errorf("the error has %d characters", n)
			}
		})
	}
}

func TestControlCharactersBecomeSpaces(t *testing.T) {
	t.Parallel()
	body := `{"error":"Bad\u001b[31m","message":"a\r\nb\u0000c\u0085d\u007fe"}`
	client := newBubbleClient(t, answering(http.StatusBadRequest, body), withToken)
	_, err := client.fetchFoneNumber(t.Context(), anyNumber)
	answered := wantError(t, err, http.StatusBadRequest)
	if answered.Title != "Bad [31m" || answered.Message != "a  b c d e" {
		t.Errorf("the error is %q, %q", answered.Title, answered.Message)
	}
}

func TestRateLimitForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status  int
		body    string
		limited bool
	}{
		{http.StatusTooManyRequests, `{"error":"Too Many Requests","message":"slow down","status_code":429}`, true},
		{http.StatusTooManyRequests, "", true},
		{http.StatusBadRequest, `{"error":"Bad Request","message":"Rate Limit Exceeded","status_code":400}`, true},
		{http.StatusBadRequest, `{"error":"RATE LIMIT EXCEEDED","message":"","status_code":400}`, true},
		{http.StatusGone, `{"error":"Gone","message":"Rate Limit Exceeded","status_code":410}`, true},
		{http.StatusGone, `rate limit exceeded`, true},
		{http.StatusBadRequest, `{"error":"Bad Request","message":"value is not valid","status_code":400}`, false},
		{http.StatusGone, `{"error":"Gone","message":"no such service","status_code":410}`, false},
		{http.StatusForbidden, `{"error":"Forbidden","message":"Rate Limit Exceeded","status_code":403}`, false},
		{http.StatusServiceUnavailable, `{"error":"x","message":"Rate Limit Exceeded","status_code":503}`, false},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, test.body), func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(test.status, test.body), withToken, withoutRetries)
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			if got := wantError(t, err, test.status).RateLimited; got != test.limited {
				t.Errorf("it counts as a rate limit: %v, want %v", got, test.limited)
			}
		})
	}
}

func TestErrorsUnwrap(t *testing.T) {
	t.Parallel()
	refused := &Error{Doing: "reading", Status: http.StatusBadGateway, Title: "Bad Gateway"}
	err := error(&RetriesError{Attempts: 5, Elapsed: 12340 * time.Millisecond, Last: refused})
	if !Is(err, Failing) || Is(err, NotFound) || Is(nil, Refused) {
		t.Error("Is does not see the kind of the last attempt")
	}
	if want := "reading: FoneStorm answered 502 Bad Gateway (attempt 5, 12.3s after the first)"; err.Error() != want {
		t.Errorf("it says %q, want %q", err, want)
	}
	cause := errors.New("connection refused")
	if err := (&ConnectionError{Doing: "reading", Err: cause}); !errors.Is(err, cause) {
		t.Error("a ConnectionError hides its cause")
	}
}
