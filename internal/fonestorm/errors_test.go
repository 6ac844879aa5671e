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
)

func TestErrorsShowTheResponse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		kind   Kind
		words  []string
	}{
		"envelope": {
			402, `{"error":"Payment Required","message":"Your balance is too low.","status_code":402}`,
			PaymentRequired,
			[]string{"402 Payment Required: Your balance is too low."},
		},
		"envelope without message": {
			409, `{"error":"Locked Out","message":"","status_code":409}`, Rejected, []string{"FoneStorm returned 409 Conflict: Locked Out"},
		},
		"web page": {
			http.StatusForbidden, "<!DOCTYPE html>\n<html><head><title>\n Blocked by proxy &amp; co \n</title></head></html>",
			PermissionDenied,
			[]string{"403 Forbidden", `HTML page titled "Blocked by proxy & co"`},
		},
		"web page without title": {
			http.StatusForbidden, "\n<HTML><body>Blocked</body></HTML>", PermissionDenied, []string{"GET https://fonestorm.test/v2/fonenumbers/" + anyNumber + " returned 403 Forbidden; the response body was an HTML page"},
		},
		"empty":      {403, " \n", PermissionDenied, []string{"403 Forbidden", "was empty"}},
		"cut off":    {403, `{"error":"Forbid`, PermissionDenied, []string{"incomplete or damaged JSON", `{"error":"Forbid`}},
		"plain text": {403, "upstream says no", PermissionDenied, []string{"text that is not JSON: upstream says no"}},
		"other JSON": {403, `{"detail":"denied"}`, PermissionDenied, []string{"JSON with an unexpected structure", `{"detail":"denied"}`}},
		"odd types":  {403, `{"error":403,"message":["denied"]}`, PermissionDenied, []string{"403 Forbidden: 403"}},
		"JSON text":  {403, `"denied"`, PermissionDenied, []string{"JSON with an unexpected structure", `"denied"`}},
		"odd status": {499, `nginx gave up`, Rejected, []string{"499", "nginx gave up"}},
		"binary":     {403, "\x00\x1b\x07\xff", PermissionDenied, []string{"text that is not JSON"}},
		"control characters": {
			409, `{"error":"Bad","message":"a\r\nb\u0000c\u0085d\u007fe\u202ef\u2028g"}`, Rejected, []string{"409 Conflict: a  b c d e f g"},
		},
		"sign in":     {200, "<html><title>Sign in to the Wi-Fi</title></html>", UnexpectedResponse, []string{`an HTML page titled "Sign in to the Wi-Fi"`}},
		"no body":     {200, "", UnexpectedResponse, []string{"is empty"}},
		"part of it":  {200, `{"fonenumber":{"fonenumber":"321`, UnexpectedResponse, []string{"incomplete or damaged JSON"}},
		"damaged":     {200, `{"fonenumber":{"fonenumber":"321"` + "\x00" + `}}`, UnexpectedResponse, []string{"incomplete or damaged JSON"}},
		"only OK":     {200, "OK", UnexpectedResponse, []string{"text that is not JSON: OK"}},
		"another":     {200, `{"fonenumber":3215559999}`, UnexpectedResponse, []string{`about FoneNumber "3215559999"`}},
		"a list":      {200, `[{"fonenumber":"3215550000"}]`, UnexpectedResponse, []string{"cannot unmarshal array"}},
		"null":        {200, `null`, UnexpectedResponse, []string{"contains no FoneNumber"}},
		"nothing":     {200, `{}`, UnexpectedResponse, []string{"contains no FoneNumber"}},
		"null in it":  {200, `{"fonenumber":null,"data":[]}`, UnexpectedResponse, []string{"contains no FoneNumber"}},
		"error in it": {200, `{"error":"Oops","message":"Try later"}`, UnexpectedResponse, []string{`reports success and the error "Oops"`}},
		"success":     {200, `{"status_code":200,"result":"SUCCESS"}`, UnexpectedResponse, []string{"contains no FoneNumber"}},
		"no endpoint": {http.StatusNotFound, "404 page not found\n", WrongEndpoint, []string{"GET https://fonestorm.test/v2/fonenumbers/" + anyNumber}},
		"no method":   {http.StatusMethodNotAllowed, "no", WrongEndpoint, []string{"405", "not a response of the FoneStorm API"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := read1(t, newBubbleClient(t, respondWith(test.status, test.body), withToken, withoutRetries))
			if failure := wantKind(t, err, test.kind); failure.Status != test.status && test.status != 200 {
				t.Errorf("the status is %d", failure.Status)
			}
			wantWords(t, err, append(test.words, "could not read FoneNumber "+anyNumber)...)
			wantShown(t, err.Error())
		})
	}
}

// The forms of a rate limit that FracTEL's documents show.
func TestRateLimitForms(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]map[int]bool{
		`{"error":"Too Many Requests","message":"slow down","status_code":429}`: {429: true, 400: false, 410: false},
		`{"error":"x","message":"Rate Limit Exceeded","status_code":400}`:       {429: true, 400: true, 410: true, 403: false, 422: false, 503: false},
		`{"error":"RATE LIMIT EXCEEDED","message":"","status_code":400}`:        {429: true, 400: true, 410: true, 403: false},
		`rate limit exceeded`: {429: true, 400: false, 410: false},
	} {
		for status, limited := range want {
			response := &http.Response{StatusCode: status, Header: http.Header{}}
			if got := failedResponse(&request{operation: setDelivery}, "", response, []byte(body), strings.Clone); (got.Kind == RateLimited) != limited {
				t.Errorf("%d with %s is of kind %d, rate limit: %t", status, body, got.Kind, limited)
			}
		}
	}
}

// What each status means for each call if the response is FoneStorm's.
func TestKindsOfFailures(t *testing.T) {
	t.Parallel()
	operations := []operation{logIn, useSubaccount, readFoneNumber, listFoneNumbers, setDelivery, listDevices}
	for status, want := range map[int][6]Kind{
		400: {AuthenticationFailed, SubaccountRejected, Rejected, Rejected, DestinationRejected, Rejected},
		401: {AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed, AuthenticationFailed},
		402: {PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired, PaymentRequired},
		403: {AuthenticationFailed, SubaccountRejected, PermissionDenied, PermissionDenied, PermissionDenied, PermissionDenied},
		404: {WrongEndpoint, SubaccountRejected, NotFound, Rejected, NotFound, Rejected},
		405: {Rejected, Rejected, Rejected, Rejected, Rejected, Rejected},
		408: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
		410: {Rejected, Rejected, Rejected, Rejected, Rejected, Rejected},
		415: {Rejected, Rejected, Rejected, Rejected, Rejected, Rejected},
		422: {AuthenticationFailed, SubaccountRejected, Rejected, Rejected, DestinationRejected, Rejected},
		429: {RateLimited, RateLimited, RateLimited, RateLimited, RateLimited, RateLimited},
		501: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
		503: {ServerError, ServerError, ServerError, ServerError, ServerError, ServerError},
	} {
		for i, o := range operations {
			response := &http.Response{StatusCode: status, Header: http.Header{}}
			got := failedResponse(&request{operation: o}, "", response, []byte(envelopeOf(status, "no")), strings.Clone)
			if got.Kind != want[i] {
				t.Errorf("%d in response to %s is of kind %d, want %d", status, (&request{operation: o}).String(), got.Kind, want[i])
			}
			if got.uncertain != (o == setDelivery && got.Kind == ServerError) {
				t.Errorf("%d in response to %s may have taken effect: %t", status, (&request{operation: o}).String(), got.uncertain)
			}
		}
	}
	for _, o := range operations {
		lost, damaged := unreachable(t.Context(), &request{operation: o}, true, "", nil), unexpected(&request{operation: o}, true, "")
		if lost.uncertain != (o == setDelivery) || damaged.uncertain != (o == setDelivery) {
			t.Errorf("%s may have taken effect: %t, %t", &request{operation: o}, lost.uncertain, damaged.uncertain)
		}
	}
	if got := (&request{operation: -1}).String(); got != "call FoneStorm" {
		t.Errorf("an unknown operation is described as %q", got)
	}
}

func TestKindOfOtherErrors(t *testing.T) {
	t.Parallel()
	refused := &Error{Call: "read", Status: http.StatusBadGateway, Kind: ServerError, Reason: "FoneStorm returned 502 Bad Gateway", Attempts: 5, Elapsed: 12340 * time.Millisecond}
	err := fmt.Errorf("while refreshing: %w", refused)
	if KindOf(err) != ServerError || IsNotFound(err) || IsNotFound(nil) || KindOf(io.EOF) != Rejected || KindOf(context.Canceled) != Canceled {
		t.Error("the kind of an error is wrong")
	}
	if want := "could not read: FoneStorm returned 502 Bad Gateway (attempt 5, 12.3s after the first)"; refused.Error() != want {
		t.Errorf("got %q, want %q", refused, want)
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
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// Retry-After is a number of seconds or a date. No value makes the wait negative.
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
			t.Fatalf("got a wait of %s", wait)
		case err == nil && seconds >= 0 && seconds < 1<<31 && header[0] != '+' && wait != time.Duration(seconds)*time.Second:
			t.Fatalf("got a wait of %s", wait)
		case err != nil && wait > 0 && !strings.ContainsAny(header, ":"):
			t.Fatalf("%q is neither a number nor a date, but the wait is %s", header, wait)
		}
	})
}
