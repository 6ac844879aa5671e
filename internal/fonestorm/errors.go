package fonestorm

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what a failure means to the caller.
type Kind int

// The kinds of failure.
const (
	Rejected             Kind = iota // FoneStorm rejected the request; its message says why.
	RateLimited                      // The account's rate limit is exceeded, whatever the status.
	AuthenticationFailed             // FoneStorm rejected the username and password, or even a new token.
	TokenRejected                    // FoneStorm rejected the configured token.
	SubaccountRejected               // The user cannot act on the configured subaccount.
	PaymentRequired                  // A payment is due.
	PermissionDenied                 // The user lacks the permission.
	NotFound                         // FoneStorm returned 404 to the read of a FoneNumber, and the account's list does not contradict it.
	WrongEndpoint                    // The endpoint is not the FoneStorm API.
	DestinationRejected              // FoneStorm rejected the destination of a setting.
	ServerError                      // FoneStorm, or a proxy in front of it, failed.
	UnexpectedResponse               // The response reports success but cannot be read, or it is a 404 that the list did not confirm.
	OtherDestination                 // FoneStorm accepted a setting but still shows another destination.
	Unreachable                      // There was no complete response, or nothing was sent.
	Canceled                         // The caller's context ended first.
)

// Error is the failure of a call. Secrets that the client knows are masked in its texts.
type Error struct {
	Kind Kind
	// Call completes the phrase "could not", as in "read FoneNumber 3215551212".
	Call string
	// Status is the HTTP status of the response; zero if there was none, or if it reports success.
	Status int
	// Reason says why the call failed and includes FoneStorm's message, if any.
	Reason string
	// Attempts is how many times the request was sent. Elapsed is the time since the first attempt.
	Attempts int
	Elapsed  time.Duration

	role       role          // Of the request, if Status is set.
	uncertain  bool          // The request may have taken effect.
	retryable  bool          // The same request may succeed later.
	retryAfter time.Duration // From the Retry-After header; zero without one.
}

func (e *Error) Error() string {
	text := fmt.Sprintf("could not %s: %s", e.Call, e.Reason)
	if e.Attempts > 1 {
		text = fmt.Sprintf("%s (%d attempts in %s)", text, e.Attempts, e.Elapsed.Round(100*time.Millisecond))
	}
	return text
}

// KindOf returns what a failure means. Nil and errors that do not come from this package have the zero Kind.
func KindOf(err error) Kind {
	if failure := asError(err); failure != nil {
		return failure.Kind
	}
	return Rejected
}

// MayHaveTakenEffect reports whether FoneStorm may have accepted a setting even though Set returned this error: a response
// can be lost or damaged in transit, and FoneStorm may still process a request that timed out.
func MayHaveTakenEffect(err error) bool {
	failure := asError(err)
	return failure != nil && failure.uncertain
}

// noResponse returns the failure of a request without a complete response: the caller's context ended, the timeout passed, or the
// network failed, before or after the request was sent. The reason never quotes a response, such as a malformed status line or
// header, because that may contain a secret.
func (c *Client) noResponse(ctx, timed context.Context, r *request, err error, isSent bool) *Error {
	if ctx.Err() != nil {
		return canceled(ctx, r)
	}
	certificate, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	connection, isConnection := errors.AsType[*net.OpError](err)
	reason, isTimeout := "the connection failed, or the response is not valid HTTP", timed.Err() != nil
	switch {
	case isTimeout:
		reason = context.Cause(timed).Error()
	case isCertificate:
		reason = certificate.Error()
	case isConnection:
		reason = connection.Error()
	}
	return &Error{
		Kind: Unreachable, Call: r.text,
		Reason:    fmt.Sprintf("no response from %s: %s", c.endpoint.Redacted(), c.secrets.clean(reason)),
		uncertain: r.role == sets && isSent,
		retryable: !isCertificate,
	}
}

// canceled returns the failure of a request whose context ended.
func canceled(ctx context.Context, r *request) *Error {
	return &Error{Kind: Canceled, Call: r.text, Reason: context.Cause(ctx).Error()}
}

// unexpected returns the failure of a response that reports success but cannot be used. If it was damaged in transit, a retry may
// help.
func unexpected(r *request, damaged bool, reason string) *Error {
	return &Error{Kind: UnexpectedResponse, Call: r.text, Reason: "the response " + reason, uncertain: r.role == sets, retryable: damaged}
}

// explained returns a failure as another kind, with a sentence about why.
func explained(err error, kind Kind, sentence string) *Error {
	failure := *asError(err)
	failure.Kind = kind
	failure.Reason = strings.TrimRight(failure.Reason, ".") + ". " + sentence
	return &failure
}

// failedResponse returns the failure that a response reports. The response is classified before secrets are masked.
func (c *Client) failedResponse(r *request, sent *http.Request, response *http.Response, body []byte) *Error {
	status := response.StatusCode
	statusText := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	word, message, fromFoneStorm := decodeEnvelope(body, status)
	words := rateLimit.FindStringSubmatch(strings.ToLower(word + " " + message))
	isLimit := status == http.StatusTooManyRequests || slices.Contains([]int{400, 403, 410}, status) &&
		words != nil && !strings.Contains(strings.ToLower(fmt.Sprint(r.params)), words[1])
	failure := &Error{
		Kind:       c.kind(r.role, status, fromFoneStorm, isLimit),
		Call:       r.text,
		role:       r.role,
		Status:     status,
		Reason:     fmt.Sprintf("FoneStorm returned %s: %s", statusText, c.secrets.clean(cmp.Or(message, word))),
		retryAfter: retryAfter(response.Header.Get("Retry-After")),
	}
	failure.retryable = isLimit || failure.Kind == ServerError
	failure.uncertain = r.role == sets && failure.Kind == ServerError
	if failure.Kind == WrongEndpoint || word+message == "" { // A proxy or another program may have sent it.
		failure.Reason = fmt.Sprintf("%s %s returned %s; the response body was %s", sent.Method, sent.URL, statusText, describe(body))
	}
	if failure.retryable && failure.retryAfter > longestWait {
		failure.retryable = false
		return explained(failure, failure.Kind, fmt.Sprintf("FoneStorm asks to wait %s, longer than the provider waits (%s)", failure.retryAfter, longestWait))
	}
	return failure
}

// kind classifies a response that does not report success. A 404 is about the FoneNumber if its body is FoneStorm's envelope,
// and about the endpoint otherwise.
func (c *Client) kind(to role, status int, fromFoneStorm, isLimit bool) Kind {
	isElsewhere := status == http.StatusNotFound || status == http.StatusMethodNotAllowed
	switch {
	case isLimit:
		return RateLimited
	case status/100 == 3, isElsewhere && !fromFoneStorm:
		return WrongEndpoint
	case status == http.StatusUnauthorized && c.config.Token != "":
		return TokenRejected
	case status == http.StatusUnauthorized:
		return AuthenticationFailed
	case status == http.StatusPaymentRequired:
		return PaymentRequired
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return ServerError
	default:
		return kinds[to][status] // Rejected if it is not there.
	}
}

// kinds contains what a status means if that depends on the role.
var kinds = [roles]map[int]Kind{
	readsOne:          {403: PermissionDenied, 404: NotFound},
	lists:             {403: PermissionDenied},
	sets:              {400: DestinationRejected, 403: PermissionDenied, 422: DestinationRejected},
	logsIn:            {400: AuthenticationFailed, 403: AuthenticationFailed, 404: WrongEndpoint, 422: AuthenticationFailed},
	choosesSubaccount: {400: SubaccountRejected, 403: SubaccountRejected, 404: SubaccountRejected, 422: SubaccountRejected},
}

// rateLimit matches a message about too many requests, which can have status 400 (v2.11), 403, or 410 (v2.12). It does not match one
// about another limit, such as that of the credit or of a message's length: waiting would not help. A message can also quote these
// words from a destination that was sent.
var rateLimit = regexp.MustCompile(`(?:^|[^a-z])(rate[ _-]?limit|too many requests|throttl)`)

// retryAfter parses a Retry-After header, which contains seconds or a date; zero if it is missing or contains anything else.
func retryAfter(header string) time.Duration {
	if date, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(date))
	}
	seconds, _ := strconv.ParseUint(header, 10, 31)
	return time.Duration(seconds) * time.Second
}

// isRejectedWith reports whether FoneStorm rejected a request of this role, and not a login before it, with one of these statuses,
// and not because of the rate limit.
func isRejectedWith(err error, by role, statuses ...int) bool {
	failure := asError(err)
	return failure != nil && failure.role == by && failure.Kind != RateLimited && slices.Contains(statuses, failure.Status)
}

// asError returns the *Error that an error is or wraps; nil if there is none.
func asError(err error) *Error {
	failure, _ := errors.AsType[*Error](err)
	return failure
}
