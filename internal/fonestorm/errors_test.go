package fonestorm

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Of a response, an error shows only FoneStorm's own words. Of anything else it says what it is.
func TestErrorsShowFoneStormsMessage(t *testing.T) {
	t.Parallel()
	const url = "GET https://fonestorm.test/v2/fonenumbers/" + anyNumber
	const elsewhere = url + " returned 404 Not Found; the response body was "
	const unlisted = "The account's list could not be read, so the FoneNumber is not treated as deleted"
	for name, test := range map[string]struct {
		status int
		body   string
		kind   Kind
		reason string
	}{
		"envelope":            {402, `{"error":"Payment Required","message":"Your balance is too low.","status_code":402}`, PaymentRequired, "FoneStorm returned 402 Payment Required: Your balance is too low."},
		"rate limit as error": {410, `{"error":"Rate Limit Exceeded","message":"","status_code":410}`, RateLimited, "FoneStorm returned 410 Gone: Rate Limit Exceeded"},
		"byte order mark":     {409, "\ufeff" + envelopeOf(409, "Locked."), Rejected, "FoneStorm returned 409 Conflict: Locked."},
		"odd types":           {403, `{"error":403,"message":["denied"]}`, PermissionDenied, "FoneStorm returned 403 Forbidden: 403"},
		"control characters":  {409, `{"error":"Bad","message":"a\r\nb\u0000c\u0085d\u007fe\u202ef\u2028g"}`, Rejected, "FoneStorm returned 409 Conflict: a b c d e f g"},
		"long message":        {409, `{"error":"` + strings.Repeat("é", 301) + `"}`, Rejected, "FoneStorm returned 409 Conflict: " + strings.Repeat("é", 300) + "…"},
		"web page":            {403, "<!DOCTYPE html>\n<title>Blocked</title>", PermissionDenied, url + " returned 403 Forbidden; the response body was 38 bytes of text/html"},
		"no JSON":             {403, "\x00\x1b\x07\xff", PermissionDenied, url + " returned 403 Forbidden; the response body was 4 bytes of application/octet-stream"},
		"odd status":          {499, `nginx gave up`, Rejected, url + " returned 499; the response body was 13 bytes of text/plain"},
		"another number":      {200, `{"fonenumber":3215559999}`, UnexpectedResponse, "the response does not contain the FoneNumber"},
		"captive portal":      {200, "<html>Sign in to the Wi-Fi", UnexpectedResponse, "the response is not valid JSON but 26 bytes of text/html"},
		"another program":     {404, `{"message":"no Route matched"}`, WrongEndpoint, elsewhere + "30 bytes of text/plain"},
		"envelope of 400":     {404, `{"error":"Not Found","message":"","status_code":400}`, WrongEndpoint, elsewhere + "52 bytes of text/plain"},
		"message is missing":  {404, `{"error":"Not Found","status_code":404}`, WrongEndpoint, elsewhere + "39 bytes of text/plain"},
		"status as text":      {404, `{"error":"Not Found","message":"","status_code":"404"}`, UnexpectedResponse, "FoneStorm returned 404 Not Found: Not Found. " + unlisted},
		"redirect":            {302, "", WrongEndpoint, url + " returned 302 Found; the response body was 0 bytes of text/plain"},
		"no method":           {405, "no", WrongEndpoint, url + " returned 405 Method Not Allowed; the response body was 2 bytes of text/plain"},
	} {
		inBubble(t, name, func(t *testing.T) {
			response := respondWith(test.status, test.body, "Location", "https://evil.test") // A redirect could send the token there.
			err := fetch(t.Context(), newClient(t, newScript(response), withoutRetries))
			failure := wantKind(t, err, test.kind)
			if failure.Reason != test.reason || failure.Call != "read FoneNumber "+anyNumber || failure.Status != test.status && test.status != 200 {
				t.Errorf("the error is %d %s: %q, want %q", failure.Status, failure.Call, failure.Reason, test.reason)
			}
		})
	}
}

// failed returns the failure that an error response from FoneStorm means.
func failed(t *testing.T, r *request, status int, message string) *Error {
	sent := httptest.NewRequest(http.MethodGet, "/", nil)
	response := &http.Response{StatusCode: status, Header: http.Header{}}
	return newClient(t, newScript(), withLogin).failedResponse(r, sent, response, []byte(envelopeOf(status, message)))
}

// What each status means if the response is FoneStorm's, and which failures are retried.
func TestKindsOfFailures(t *testing.T) {
	t.Parallel()
	for status, want := range map[int][]Kind{ // For all roles, or for each in their order.
		400: {Rejected, Rejected, DestinationRejected, AuthenticationFailed, SubaccountRejected},
		403: {PermissionDenied, PermissionDenied, PermissionDenied, AuthenticationFailed, SubaccountRejected},
		404: {NotFound, Rejected, Rejected, WrongEndpoint, SubaccountRejected},
		422: {Rejected, Rejected, DestinationRejected, AuthenticationFailed, SubaccountRejected},
		401: {AuthenticationFailed}, 402: {PaymentRequired}, 405: {Rejected}, 408: {ServerError}, 409: {Rejected}, 410: {Rejected},
		415: {Rejected}, 423: {Rejected}, 428: {Rejected}, 429: {RateLimited}, 451: {Rejected}, 500: {ServerError}, 501: {ServerError},
		502: {ServerError}, 503: {ServerError}, 504: {ServerError}, 522: {ServerError},
	} {
		for role := range roles {
			got := failed(t, &request{role: role}, status, "no")
			if got.Kind != want[int(role)%len(want)] || got.uncertain != (role == sets && got.Kind == ServerError) {
				t.Errorf("%d in response to role %d is of kind %d; it may have taken effect: %t", status, role, got.Kind, got.uncertain)
			}
			if retried := got.Kind == RateLimited || got.Kind == ServerError; got.retryable != retried {
				t.Errorf("%d is retried: %t", status, got.retryable)
			}
		}
	}
}

func TestIsRateLimit(t *testing.T) {
	t.Parallel()
	for message, saysSo := range map[string]bool{
		"RATE LIMIT EXCEEDED": true, "RateLimit": true, "rate-limited": true, "Too Many Requests": true, "You are throttled": true,
		"": false, "Credit limit exceeded": false, "Message too long: limit of 160 characters": false, "Too many recipients": false,
		"Too many failed logins: the user is locked": false, "You have separate limits for calls": false, "account_ratelimit exceeded": true,
	} {
		for status, want := range map[int]bool{400: saysSo, 403: saysSo, 410: saysSo, 401: false, 404: false, 422: false, 503: false, 429: true} {
			if got := failed(t, &request{}, status, message).Kind == RateLimited; got != want {
				t.Errorf("%d %q is a rate limit: %t", status, message, got)
			}
		}
	}
	quoted := &request{params: params{"value": "ratelimit@example.com"}}
	if failed(t, quoted, 400, "ratelimit@example.com is not valid").Kind == RateLimited {
		t.Error("A quoted destination is a rate limit.")
	}
}
