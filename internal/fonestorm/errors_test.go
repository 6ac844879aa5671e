package fonestorm

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// Of a response, an error shows only FoneStorm's own words. Of anything else it says what it is.
func TestErrorsShowFoneStormsMessage(t *testing.T) {
	t.Parallel()
	const url = "GET https://fonestorm.test/v2/fonenumbers/" + anyNumber
	const elsewhere = url + " returned 404 Not Found; the response body was "
	const unlisted = "The account's list could not be read, so the provider does not treat the FoneNumber as deleted"
	for name, test := range map[string]struct {
		status int
		body   string
		kind   Kind
		reason string
	}{
		"envelope":                 {402, `{"error":"Payment Required","message":"Your balance is too low.","status_code":402}`, PaymentRequired, "FoneStorm returned 402 Payment Required: Your balance is too low."},
		"envelope without message": {409, `{"error":"Locked Out","message":"","status_code":409}`, Rejected, "FoneStorm returned 409 Conflict: Locked Out"},
		"rate limit as error":      {410, `{"error":"Rate Limit Exceeded","message":"","status_code":410}`, RateLimited, "FoneStorm returned 410 Gone: Rate Limit Exceeded"},
		"byte order mark":          {409, "\ufeff" + envelopeOf(409, "Locked."), Rejected, "FoneStorm returned 409 Conflict: Locked."},
		"odd types":                {403, `{"error":403,"message":["denied"]}`, PermissionDenied, "FoneStorm returned 403 Forbidden: 403"},
		"control characters":       {409, `{"error":"Bad","message":"a\r\nb\u0000c\u0085d\u007fe\u202ef\u2028g"}`, Rejected, "FoneStorm returned 409 Conflict: a b c d e f g"},
		"long message":             {409, `{"error":"` + strings.Repeat("é", 301) + `"}`, Rejected, "FoneStorm returned 409 Conflict: " + strings.Repeat("é", 300) + "…"},
		"web page":                 {403, "<!DOCTYPE html>\n<title>Blocked</title>", PermissionDenied, url + " returned 403 Forbidden; the response body was 38 bytes of text/html"},
		"cut off":                  {403, `{"error":"Forbid`, PermissionDenied, url + " returned 403 Forbidden; the response body was 16 bytes of text/plain"},
		"no JSON":                  {403, "\x00\x1b\x07\xff", PermissionDenied, url + " returned 403 Forbidden; the response body was 4 bytes of application/octet-stream"},
		"odd status":               {499, `nginx gave up`, Rejected, url + " returned 499; the response body was 13 bytes of text/plain"},
		"another number":           {200, `{"fonenumber":3215559999}`, UnexpectedResponse, "the response does not contain the FoneNumber"},
		"success and error":        {200, `{"error":"Oops","message":"Try later"}`, UnexpectedResponse, `the response reports success and the error "Oops"`},
		"only success":             {200, `{"status_code":200,"result":"SUCCESS"}`, UnexpectedResponse, "the response does not contain the FoneNumber"},
		"captive portal":           {200, "<html>Sign in to the Wi-Fi", UnexpectedResponse, "the response is not valid JSON but 26 bytes of text/html"},
		"two responses":            {200, `{"fonenumber":"3215550000"}{}`, UnexpectedResponse, "the response is not valid JSON but 29 bytes of text/plain"},
		"no endpoint":              {404, "404 page not found\n", WrongEndpoint, elsewhere + "19 bytes of text/plain"},
		"another program":          {404, `{"message":"no Route matched"}`, WrongEndpoint, elsewhere + "30 bytes of text/plain"},
		"envelope of 400":          {404, `{"error":"Not Found","message":"","status_code":400}`, WrongEndpoint, elsewhere + "52 bytes of text/plain"},
		"message is missing":       {404, `{"error":"Not Found","status_code":404}`, WrongEndpoint, elsewhere + "39 bytes of text/plain"},
		"status as text":           {404, `{"error":"Not Found","message":"","status_code":"404"}`, UnexpectedResponse, "FoneStorm returned 404 Not Found: Not Found. " + unlisted},
		"no method":                {405, "no", WrongEndpoint, url + " returned 405 Method Not Allowed; the response body was 2 bytes of text/plain"},
	} {
		inBubble(t, name, func(t *testing.T) {
			err := fetch(t.Context(), newClient(t, respondWith(test.status, test.body), withToken, withoutRetries))
			failure := wantKind(t, err, test.kind)
			if failure.Reason != test.reason || failure.Call != "read FoneNumber "+anyNumber || failure.Status != test.status && test.status != 200 {
				t.Errorf("the error is %d %s: %q, want %q", failure.Status, failure.Call, failure.Reason, test.reason)
			}
		})
	}
}

// What each status means for each call if the response is FoneStorm's, and which of them are retried.
func TestKindsOfFailures(t *testing.T) {
	t.Parallel()
	operations := []role{logsIn, choosesSubaccount, readsOne, lists, sets}
	client := newClient(t, nil)
	wants := map[int][]Kind{
		400: {AuthenticationFailed, SubaccountRejected, Rejected, Rejected, DestinationRejected},
		403: {AuthenticationFailed, SubaccountRejected, PermissionDenied, PermissionDenied, PermissionDenied},
		404: {WrongEndpoint, SubaccountRejected, NotFound, Rejected, Rejected},
		422: {AuthenticationFailed, SubaccountRejected, Rejected, Rejected, DestinationRejected},
	}
	for status, kind := range map[int]Kind{ // These mean the same for each call.
		401: AuthenticationFailed, 402: PaymentRequired, 405: Rejected, 408: ServerError, 409: Rejected, 410: Rejected, 415: Rejected, 423: Rejected,
		428: Rejected, 429: RateLimited, 451: Rejected, 500: ServerError, 501: ServerError, 502: ServerError, 503: ServerError, 504: ServerError,
		522: ServerError,
	} {
		wants[status] = slices.Repeat([]Kind{kind}, len(operations))
	}
	sent := httptest.NewRequest(http.MethodGet, "/", nil)
	for status, want := range wants {
		response := &http.Response{StatusCode: status, Header: http.Header{}}
		for i, o := range operations {
			r := &request{role: o}
			got := client.failedResponse(r, sent, response, []byte(envelopeOf(status, "no")))
			if got.Kind != want[i] || got.uncertain != (o == sets && got.Kind == ServerError) {
				t.Errorf("%d in response to role %d is of kind %d, want %d; it may have taken effect: %t", status, o, got.Kind, want[i], got.uncertain)
			}
			if retried := got.Kind == RateLimited || got.Kind == ServerError; got.retryable != retried {
				t.Errorf("%d is retried: %t", status, got.retryable)
			}
		}
	}
}

func TestIsRateLimit(t *testing.T) {
	t.Parallel()
	client, sent := newClient(t, nil), httptest.NewRequest(http.MethodGet, "/", nil)
	r := &request{params: params{"value": "https://sent.example.com"}}
	for message, saysSo := range map[string]bool{
		"RATE LIMIT EXCEEDED": true, "RateLimit": true, "rate-limited": true, "Too Many Requests": true, "You are throttled": true,
		"": false, "Credit limit exceeded": false, "Message too long: limit of 160 characters": false, "Too many recipients": false,
		"Too many failed logins: the user is locked": false, "You have separate limits for calls": false,
		"Could not resolve sent.example.com: too many requests": true, "account_ratelimit exceeded": true,
	} {
		for status, want := range map[int]bool{400: saysSo, 403: saysSo, 410: saysSo, 401: false, 404: false, 422: false, 503: false, 429: true} {
			response := &http.Response{StatusCode: status, Header: http.Header{}}
			failure := client.failedResponse(r, sent, response, []byte(envelopeOf(status, message)))
			if isLimit := failure.Kind == RateLimited; isLimit != want {
				t.Errorf("%d %q is a rate limit: %t", status, message, isLimit)
			}
		}
	}
	r.params["value"] = "ratelimit@example.com"
	response := &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}}
	if failure := client.failedResponse(r, sent, response, []byte(envelopeOf(400, "ratelimit@example.com is not valid"))); failure.Kind == RateLimited {
		t.Error("A quoted destination is a rate limit.")
	}
}

func TestKindOfOtherErrors(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("while refreshing: %w", &Error{Kind: ServerError})
	if KindOf(err) != ServerError || IsNotFound(err) || IsNotFound(nil) || KindOf(io.EOF) != Rejected {
		t.Error("the kind of an error is wrong")
	}
	if MayHaveTakenEffect(err) || !MayHaveTakenEffect(fmt.Errorf("while setting: %w", &Error{uncertain: true})) || MayHaveTakenEffect(io.EOF) {
		t.Error("the certainty of an error is wrong")
	}
	slow := &Error{Call: "read", Reason: "no", Attempts: 5, Elapsed: 12340 * time.Millisecond}
	if want := "could not read: no (attempt 5, 12.3s after the first)"; slow.Error() != want {
		t.Errorf("got %q, want %q", slow, want)
	}
}
