package fonestorm

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	AuthenticationFailed             // FoneStorm rejected the login, or a token that cannot be renewed.
	SubaccountRejected               // The user cannot act on the configured subaccount.
	PaymentRequired                  // A payment is due.
	PermissionDenied                 // The user lacks the permission.
	NotFound                         // FoneStorm reports that the account does not have this FoneNumber.
	WrongEndpoint                    // The endpoint is not the FoneStorm API.
	DestinationRejected              // FoneStorm rejected the destination of a delivery.
	ServerError                      // FoneStorm, or a proxy in front of it, failed.
	UnexpectedResponse               // The response reports success but cannot be read, or it contradicts other responses.
	OtherDestination                 // FoneStorm accepted a delivery but still shows another destination.
	Unreachable                      // There was no response.
	Canceled                         // The caller's context ended first.
	TokenRejected                    // FoneStorm rejected a configured token, which the client cannot renew.
)

// Error is the failure of a call. Secrets that the client knows are masked in its texts.
type Error struct {
	Kind Kind
	// Call completes the phrase "could not", as in "read FoneNumber 3215551212".
	Call string
	// Status is the HTTP status of the response; zero if there was none.
	Status int
	// Reason says why the call failed and includes FoneStorm's message, if any.
	Reason string
	// Attempts is how many times the request was sent. Elapsed is the time since the first attempt.
	Attempts int
	Elapsed  time.Duration

	uncertain  bool          // The request may have taken effect.
	retryable  bool          // The same request may succeed later.
	timedOut   bool          // There was no response within the timeout.
	retryAfter time.Duration // From the Retry-After header; zero without one.
	cause      error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("could not %s: %s", e.Call, e.Reason)
	if e.Attempts > 1 {
		text = fmt.Sprintf("%s (attempt %d, %s after the first)", text, e.Attempts, e.Elapsed.Round(100*time.Millisecond))
	}
	return text
}

// Unwrap returns the cause, if any: that of a canceled call, or the error of the network.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns what a failure means. An error from a context is Canceled; other errors that do not come from this package
// have the zero Kind.
func KindOf(err error) Kind {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	return Rejected
}

// IsNotFound reports whether FoneStorm has reported that the account does not have the FoneNumber. A 404 that does not come from
// FoneStorm, or that the account's list contradicts, is another kind of failure.
func IsNotFound(err error) bool { return err != nil && KindOf(err) == NotFound }

// MayHaveTakenEffect reports whether FoneStorm may have set the delivery even though SetDelivery returned this error: a response
// can be lost or damaged in transit, and FoneStorm may still process a request that timed out.
func MayHaveTakenEffect(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.uncertain
}

// unreachable returns the failure of a request that did not get a complete response. A setting is uncertain only if it was sent.
func unreachable(timed context.Context, r *request, sent bool, reason string, cause error) *Error {
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](cause)
	return &Error{
		Kind: Unreachable, Call: r.String(), Reason: reason, cause: cause,
		uncertain: sent && r.sets(),
		retryable: !badCertificate,
		timedOut:  errors.Is(timed.Err(), context.DeadlineExceeded),
	}
}

// unsendable returns the failure of a request that cannot be built.
func unsendable(r *request, reason string) *Error {
	return &Error{Kind: Rejected, Call: r.String(), Reason: reason}
}

// unsent returns the failure of a request that is not sent because of an outage.
func unsent(r *request, outage *Error) *Error {
	return &Error{Kind: Unreachable, Call: r.String(), cause: outage, Reason: fmt.Sprintf(
		"not sent, because %d calls in a row got no response (%s)", unreachableCalls, outage.Reason)}
}

// canceled returns the failure of a request whose context ended before it could be sent.
func canceled(ctx context.Context, r *request) *Error {
	cause := context.Cause(ctx)
	return &Error{Kind: Canceled, Call: r.String(), Reason: cause.Error(), cause: cause}
}

// failureOf returns the failure of a call that did not fail in its own request, but in the login or while waiting for it. It is
// uncertain if an earlier attempt was.
func failureOf(c *call, err error) *Error {
	failure := &Error{Kind: Canceled, Call: c.String(), Reason: err.Error(), cause: err}
	if of := asError(err); of != nil {
		*failure = *of // A copy, because several calls can share the login's failure.
	}
	failure.uncertain = failure.uncertain || c.uncertain
	return failure
}

// unexpected returns the failure of a response that reports success but cannot be used. If it was damaged in transit, a retry may
// help.
func unexpected(r *request, damaged bool, reason string) *Error {
	return &Error{Kind: UnexpectedResponse, Call: r.String(), Reason: "the response " + reason, uncertain: r.sets(), retryable: damaged}
}

// unusable returns the failure of a response that reports success but cannot be decoded. start is the beginning of its body.
func unusable(r *request, start []byte, err error, clean func(string) string) *Error {
	damaged := !json.Valid(bytes.TrimSpace(start))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		return unexpected(r, false, fmt.Sprintf("is larger than %d MiB", maxResponse>>20))
	case r.obtainsToken():
		return unexpected(r, damaged, "contains no token") // It may contain one in an unknown form, so none of it is shown.
	case errors.Is(err, io.ErrUnexpectedEOF) && bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")):
		return unexpected(r, true, "is incomplete")
	case damaged && !errors.Is(err, errWrongForm):
		return unexpected(r, true, "is "+clean(describe(start)))
	default:
		return unexpected(r, false, clean(err.Error()))
	}
}

// uncertain marks the failure of a call after FoneStorm has accepted a setting.
func uncertain(err error) error {
	failure := *asError(err)
	failure.uncertain = true
	return &failure
}

// otherDestination returns the failure of a setting that FoneStorm accepted but does not show. The value may be sensitive, so
// the error contains only its type.
func otherDestination(r *request, shown string, want Delivery) *Error {
	return &Error{
		Kind: OtherDestination, Call: r.String(), uncertain: true,
		Reason: fmt.Sprintf("FoneStorm accepted the destination of type %q but still shows %s", want.Type, shown),
	}
}

// unconfirmed turns a "not found" that could not be confirmed into an UnexpectedResponse.
func unconfirmed(notFound error, why string) *Error {
	failure := *asError(notFound)
	failure.Kind = UnexpectedResponse
	failure.Reason = strings.TrimRight(failure.Reason, ".") + ". " + why
	return &failure
}

// nothingFound turns a "not found" into a WrongEndpoint, for an endpoint that returns 404 to every request.
func nothingFound(notFound error, endpoint string) *Error {
	failure := *asError(notFound)
	failure.Kind = WrongEndpoint
	failure.Reason = endpoint + " returned 404 Not Found to every request"
	return &failure
}

// rejectedInBoth chooses the failure to report after FoneStorm rejected a request both as JSON and as a form: the one that is
// about its content, or both if that is unclear. A service that reads only JSON finds no FoneNumber in a form, so a 404 for the
// form does not mean that the account does not have it.
func rejectedInBoth(inJSON, inForm *Error) *Error {
	switch {
	case inForm == nil, !isUnreadBody(inForm) && inForm.Kind != NotFound, inJSON.Status == http.StatusUnsupportedMediaType:
		return inForm
	case inForm.Status == http.StatusUnsupportedMediaType, inForm.Reason == inJSON.Reason:
		return inJSON
	}
	both := *inJSON
	both.Reason += "; sent as a form, " + inForm.Reason
	return &both
}

// envelope is the body of every error response from FoneStorm. All three members are required.
type envelope struct {
	Error      scalar  `json:"error"`
	Message    *scalar `json:"message"`
	StatusCode scalar  `json:"status_code"`
}

// isComplete reports whether this is FoneStorm's envelope for the status, and not the JSON of a proxy.
func (e *envelope) isComplete(status int) bool {
	return e.Error.text != "" && e.Message != nil && e.StatusCode.text == strconv.Itoa(status)
}

// failedResponse returns the failure that a response reports. The response is classified before secrets are masked.
func failedResponse(r *request, url string, response *http.Response, body []byte, clean func(string) string) *Error {
	var sent envelope
	if json.Unmarshal(body, &sent) != nil {
		sent = envelope{} // Not from FoneStorm.
	}
	message := ""
	if sent.Message != nil {
		message = sent.Message.text
	}
	limited := isRateLimit(response.StatusCode, sent.Error.text+" "+message)
	failure := &Error{
		Kind:       r.operation.kind(response.StatusCode, sent.isComplete(response.StatusCode), limited),
		Call:       r.String(),
		Status:     response.StatusCode,
		Reason:     "FoneStorm returned " + statusText(response.StatusCode),
		retryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
		retryable:  limited || isTransient(response.StatusCode),
	}
	failure.uncertain = r.sets() && failure.Kind == ServerError
	switch {
	case response.StatusCode/100 == 3:
		failure.Reason = fmt.Sprintf("%s %s returned %s, a redirect, which is never followed because the token must not reach another host",
			r.method, url, statusText(response.StatusCode))
	case failure.Kind == WrongEndpoint:
		failure.Reason = fmt.Sprintf("%s %s returned %s, which is not a response of the FoneStorm API", r.method, url, statusText(response.StatusCode))
	case message != "":
		failure.Reason += ": " + clean(message)
	case sent.Error.text != "":
		failure.Reason += ": " + clean(sent.Error.text)
	default: // Not FoneStorm's envelope: a proxy or another program may have sent it.
		failure.Reason = fmt.Sprintf("%s %s returned %s", r.method, url, statusText(response.StatusCode))
		if !r.obtainsToken() { // The body may contain a token in an unknown form.
			failure.Reason += "; the response body was " + clean(describe(body))
		}
	}
	return failure
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// kind classifies a response that does not report success. A 404 is about the FoneNumber if its body is FoneStorm's envelope,
// and about the endpoint otherwise.
func (o operation) kind(status int, fromFoneStorm, rateLimited bool) Kind {
	isContent := status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
	switch {
	case rateLimited:
		return RateLimited
	case status/100 == 3, !fromFoneStorm && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed), o == logIn && status == http.StatusNotFound:
		return WrongEndpoint
	case o == logIn && (isContent || status == http.StatusForbidden), status == http.StatusUnauthorized:
		return AuthenticationFailed
	case o == useSubaccount && (isContent || status == http.StatusForbidden || status == http.StatusNotFound):
		return SubaccountRejected
	case status == http.StatusPaymentRequired:
		return PaymentRequired
	case status == http.StatusForbidden:
		return PermissionDenied
	case status == http.StatusNotFound && (o == readFoneNumber || o == setDelivery):
		return NotFound
	case o == setDelivery && isContent:
		return DestinationRejected
	case status >= http.StatusInternalServerError, status == http.StatusRequestTimeout:
		return ServerError
	default:
		return Rejected
	}
}

// isRateLimit recognizes an exceeded rate limit in each of its documented forms: status 429, or a 400 (v2.11) or 410 (v2.12)
// whose message says so.
func isRateLimit(status int, words string) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadRequest, http.StatusGone:
		return strings.Contains(strings.ToLower(words), "rate limit")
	default:
		return false
	}
}

// isTransient reports whether the same request may succeed later.
func isTransient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// isUnreadBody reports whether FoneStorm may have rejected a request because it cannot read a body in this encoding.
func isUnreadBody(failure *Error) bool {
	if failure == nil || failure.Kind == RateLimited {
		return false
	}
	switch failure.Status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	default:
		return false
	}
}

// isUnsupported reports whether FoneStorm does not support a call in this form, so that sending it again would not help.
func isUnsupported(err error) bool {
	failure := asError(err)
	return isUnreadBody(failure) || failure != nil && failure.Kind != RateLimited && (failure.Status == http.StatusNotFound || failure.Status == http.StatusGone)
}

// isCanceled reports whether a call ended because its caller's context ended.
func isCanceled(err error) bool { return err != nil && KindOf(err) == Canceled }

// isRejectedToken reports whether a call failed because its token is invalid or has expired.
func isRejectedToken(failure *Error) bool {
	return failure != nil && failure.Status == http.StatusUnauthorized
}

// isRejectedLogin reports whether another login would fail too, and could lock the user out.
func isRejectedLogin(err error) bool {
	kind := KindOf(err)
	return err != nil && (kind == AuthenticationFailed || kind == SubaccountRejected || kind == PermissionDenied)
}

// hasStatus reports whether the response to a failed call had this status.
func hasStatus(err error, status int) bool {
	failure := asError(err)
	return failure != nil && failure.Status == status
}

// gotResponse reports whether there was a response, successful or not.
func gotResponse(failure *Error) bool { return failure == nil || failure.Status != 0 }

// isSlow reports whether a call failed in a way that may take long each time.
func isSlow(failure *Error) bool {
	return failure != nil && (failure.timedOut || failure.Kind == ServerError)
}

// retryAfter parses a Retry-After header, which contains seconds or a date; zero if it is missing or invalid.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// asError returns the *Error that an error is or wraps; nil if there is none.
func asError(err error) *Error {
	failure, _ := errors.AsType[*Error](err)
	return failure
}
