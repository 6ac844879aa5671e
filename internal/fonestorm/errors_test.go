package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestErrorResponses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		kind   Kind
		words  []string
	}{
		"envelope": {
			http.StatusPaymentRequired, `{"error":"Payment Required","message":"Your balance is too low.","status_code":402}`,
			PaymentRequired,
			[]string{"402 Payment Required: Your balance is too low."},
		},
		"envelope without message": {
			http.StatusConflict, `{"error":"Locked Out","message":"","status_code":409}`,
			Refused,
			[]string{"FoneStorm returned 409 Conflict: Locked Out"},
		},
		"web page": {
			http.StatusForbidden, "<!DOCTYPE html>\n<html><head><title>\n Blocked by proxy &amp; co \n</title></head></html>",
			PermissionDenied,
			[]string{"403 Forbidden", `HTML page titled "Blocked by proxy & co"`},
		},
		"web page without title": {
			http.StatusForbidden, "\n<HTML><body>Blocked</body></HTML>", PermissionDenied, []string{"403 Forbidden", "was an HTML page"},
		},
		"empty":       {http.StatusForbidden, " \n", PermissionDenied, []string{"403 Forbidden", "was empty"}},
		"cut off":     {http.StatusForbidden, `{"error":"Forbid`, PermissionDenied, []string{"incomplete or damaged JSON", `{"error":"Forbid`}},
		"plain text":  {http.StatusForbidden, "upstream says no", PermissionDenied, []string{"text that is not JSON: upstream says no"}},
		"other JSON":  {http.StatusForbidden, `{"detail":"denied"}`, PermissionDenied, []string{"JSON of an unknown form", `{"detail":"denied"}`}},
		"odd types":   {http.StatusForbidden, `{"error":403,"message":["denied"]}`, PermissionDenied, []string{"403 Forbidden: 403"}},
		"JSON text":   {http.StatusForbidden, `"denied"`, PermissionDenied, []string{"JSON of an unknown form", `"denied"`}},
		"odd status":  {499, `nginx gave up`, Refused, []string{"499", "nginx gave up"}},
		"binary":      {http.StatusForbidden, "\x00\x1b\x07\xff", PermissionDenied, []string{"text that is not JSON"}},
		"no endpoint": {http.StatusNotFound, "404 page not found\n", WrongEndpoint, []string{"GET https://fonestorm.test/v2/fonenumbers/" + anyNumber}},
		"no method":   {http.StatusMethodNotAllowed, "no", WrongEndpoint, []string{"405", "not a response of the FoneStorm API"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(test.status, test.body), withToken)
			err := read1(t, client)
			if failure := wantKind(t, err, test.kind); failure.Status != test.status {
				t.Errorf("the status is %d", failure.Status)
			}
			wantWords(t, err, append(test.words, "could not read FoneNumber "+anyNumber)...)
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
	wantSuccess(t, fetch(t.Context(), client, anyNumber))
	_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Device, Value: "1"})
	wantKind(t, err, DestinationRejected)
	wantWords(t, err, "400 Bad Request: The device is not registered.")
}

func TestSuccessesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		words []string
	}{
		"web page":       {"<html><title>Sign in to the Wi-Fi</title></html>", []string{`an HTML page titled "Sign in to the Wi-Fi"`}},
		"empty":          {"", []string{"is empty"}},
		"cut off":        {`{"fonenumber":{"fonenumber":"321`, []string{"incomplete or damaged JSON"}},
		"damaged":        {`{"fonenumber":{"fonenumber":"321"` + "\x00" + `}}`, []string{"incomplete or damaged JSON"}},
		"plain text":     {"OK", []string{"text that is not JSON: OK"}},
		"number":         {`{"fonenumber":3215559999}`, []string{`about FoneNumber "3215559999"`}},
		"a list":         {`[{"fonenumber":"3215550000"}]`, []string{"cannot unmarshal array"}},
		"null":           {`null`, []string{"contains no FoneNumber"}},
		"nothing in it":  {`{}`, []string{"contains no FoneNumber"}},
		"null in it":     {`{"fonenumber":null,"data":[]}`, []string{"contains no FoneNumber"}},
		"error in it":    {`{"error":"Oops","message":"Try later"}`, []string{`reports success and the error "Oops"`}},
		"only a success": {`{"status_code":200,"result":"SUCCESS"}`, []string{"contains no FoneNumber"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(http.StatusOK, test.body), withToken, withoutRetries)
			err := read1(t, client)
			wantKind(t, err, UnexpectedResponse)
			wantWords(t, err, append(test.words, "could not read FoneNumber "+anyNumber)...)
			wantPrintable(t, err)
			if MayHaveTakenEffect(err) {
				t.Error("a read took effect")
			}
		})
	}
}

// No failure of a read is one of a change.
func TestFailedReadsHaveNoEffect(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"server error": refuse(http.StatusBadGateway, "later", ""),
		"lost":         loseAnswer,
		"no response":  silence,
		"damaged":      answering(http.StatusOK, "{"),
		"refused":      refuse(http.StatusUnauthorized, "no", ""),
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, handler, withToken)
			_, one := client.GetFoneNumber(t.Context(), anyNumber)
			_, list := client.ListFoneNumbers(t.Context())
			_, devices := client.ListDevices(t.Context())
			for _, err := range []error{one, list, devices} {
				if err == nil || MayHaveTakenEffect(err) {
					t.Errorf("it may have taken effect: %v", err)
				}
			}
		})
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
		"error on success": answering(http.StatusOK, `{"error":"`+long+`"}`),
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
	body := `{"error":"Bad","message":"a\r\nb\u0000c\u0085d\u007fe\u202ef\u2028g"}`
	err := read1(t, newBubbleClient(t, answering(http.StatusConflict, body), withToken))
	wantWords(t, err, "409 Conflict: a  b c d e f g")
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
		{http.StatusGone, `rate limit exceeded`, false},
		{http.StatusBadRequest, `{"error":"Bad Request","message":"value is not valid","status_code":400}`, false},
		{http.StatusGone, `{"error":"Gone","message":"no such service","status_code":410}`, false},
		{http.StatusForbidden, `{"error":"Forbidden","message":"Rate Limit Exceeded","status_code":403}`, false},
		{http.StatusServiceUnavailable, `{"error":"x","message":"Rate Limit Exceeded","status_code":503}`, false},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, test.body), func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(test.status, test.body), withToken, withoutRetries)
			if got := wantStatus(t, read1(t, client), test.status).Kind == RateLimited; got != test.limited {
				t.Errorf("it counts as a rate limit: %v, want %v", got, test.limited)
			}
		})
	}
}

// The table of what each status means to each call, when FoneStorm itself sends it.
func TestKindsOfFailures(t *testing.T) {
	t.Parallel()
	operations := []operation{logIn, useSubaccount, readFoneNumber, listFoneNumbers, setDelivery, listDevices}
	for status, want := range map[int][6]Kind{
		400: {AuthenticationFailed, SubaccountRejected, Refused, Refused, DestinationRejected, Refused},
		401: {AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed},
		402: {PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired},
		403: {AuthenticationFailed, SubaccountRejected, PermissionDenied, PermissionDenied, PermissionDenied, PermissionDenied},
		404: {WrongEndpoint, SubaccountRejected, NotFound, Refused, NotFound, Refused},
		405: {Refused, Refused, Refused, Refused, Refused, Refused},
		408: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
		410: {Refused, Refused, Refused, Refused, Refused, Refused},
		415: {Refused, Refused, Refused, Refused, Refused, Refused},
		422: {AuthenticationFailed, SubaccountRejected, Refused, Refused, DestinationRejected, Refused},
		429: {RateLimited, RateLimited, RateLimited, RateLimited, RateLimited, RateLimited},
		501: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
		503: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
	} {
		for i, o := range operations {
			response := &http.Response{StatusCode: status, Header: http.Header{}}
			got := refused(&request{operation: o}, "", response, []byte(envelopeOf(status, "no")), strings.Clone)
			if got.Kind != want[i] {
				t.Errorf("%d in response to %s is of kind %d, want %d", status, (&request{operation: o}).String(), got.Kind, want[i])
			}
			if got.uncertain != (o == setDelivery && got.Kind == ServerError) {
				t.Errorf("%d in response to %s may have taken effect: %t", status, (&request{operation: o}).String(), got.uncertain)
			}
		}
	}
	if got := (&request{operation: -1}).String(); got != "call FoneStorm" {
		t.Errorf("an unknown operation is described as %q", got)
	}
}

func TestKindOfForeignErrors(t *testing.T) {
	t.Parallel()
	refused := &Error{Call: "read", Status: http.StatusBadGateway, Kind: ServerError, Reason: "FoneStorm returned 502 Bad Gateway", Attempts: 5, Elapsed: 12340 * time.Millisecond}
	err := fmt.Errorf("while refreshing: %w", refused)
	if KindOf(err) != ServerError || IsNotFound(err) || IsNotFound(nil) || KindOf(io.EOF) != Refused || KindOf(context.Canceled) != Canceled {
		t.Error("the kind of an error is wrong")
	}
	if want := "could not read: FoneStorm returned 502 Bad Gateway (attempt 5, 12.3s after the first)"; refused.Error() != want {
		t.Errorf("it says %q, want %q", refused, want)
	}
	cause := errors.New("connection refused")
	if err := (&Error{cause: cause}); !errors.Is(err, cause) {
		t.Error("the cause is hidden")
	}
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"1":                             time.Second,
		"86400":                         24 * time.Hour,
		"-1":                            0,
		"1.5":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute - 500,
		"Sun, 01 Mar 2026 11:59:00 GMT": 0,
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(header, now); got != want {
				t.Errorf("it means %s, want %s", got, want)
			}
		})
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
