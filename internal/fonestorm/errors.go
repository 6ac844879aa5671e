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

// Kind is what a failure means to the caller. The zero value is Refused.
type Kind int

// The kinds of failure.
const (
	Refused              Kind = iota // FoneStorm rejected the request as it is; its message says why.
	RateLimited                      // The account's request limit is exceeded, whichever status said so.
	AuthenticationFailed             // The login was rejected, or a token was and cannot be renewed.
	SubaccountRejected               // The user cannot act on the configured subaccount.
	PaymentRequired                  // The account has to settle a payment first.
	PermissionDenied                 // The user lacks the permission.
	NotFound                         // FoneStorm itself says that the account does not have this FoneNumber.
	WrongEndpoint                    // Whatever answers at the endpoint is not the FoneStorm API.
	DestinationRejected              // FoneStorm rejects the destination of a delivery.
	ServerError                      // FoneStorm, or a proxy in front of it, fails.
	UnexpectedResponse               // The response reports success but cannot be read, or contradicts what is known.
	OtherDestination                 // FoneStorm accepted a delivery but shows another destination.
	Unreachable                      // There was no response.
	Canceled                         // The caller's context ended first.
)

// Error is the failure of a call. Its texts contain no secrets that the client knows of.
type Error struct {
	Kind Kind
	// Call completes "could not", as in "read FoneNumber 3215551212".
	Call string
	// Status is the HTTP status of the response; zero when there was none.
	Status int
	// Reason says why, with FoneStorm's own message where it sent one.
	Reason string
	// Attempts is how often the request was sent; Elapsed is the time since the first attempt.
	Attempts int
	Elapsed  time.Duration

	uncertain  bool          // The request may have taken effect.
	retryable  bool          // The same request may succeed a little later.
	timedOut   bool          // There was no response within the timeout.
	retryAfter time.Duration // What the response asked for; zero when it did not.
	cause      error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("could not %s: %s", e.Call, e.Reason)
	if e.Attempts > 1 {
		text = fmt.Sprintf("%s (attempt %d, %s after the first)", text, e.Attempts, e.Elapsed.Round(100*time.Millisecond))
	}
	return text
}

// Unwrap returns the error below, if any: the cause of a canceled call, or what the network reported.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns what a failure means. An error of a context is Canceled; other errors that do not come from this package are
// Refused.
func KindOf(err error) Kind {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	return Refused
}

// IsNotFound reports whether FoneStorm has said that the account does not have the FoneNumber. A 404 from anything
// else, and one that the account's own list contradicts, is another kind of failure.
func IsNotFound(err error) bool { return err != nil && KindOf(err) == NotFound }

// MayHaveTakenEffect reports whether FoneStorm may have set the delivery although SetDelivery failed with this error: a
// response can be lost or damaged on its way, and FoneStorm may still be working on a request that timed out.
func MayHaveTakenEffect(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.uncertain
}

// unreachable returns the failure of a request that got no response, or not all of it, while its context lasted. It is uncertain
// only if the request was sent.
func unreachable(timed context.Context, r *request, sent bool, reason string, cause error) *Error {
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](cause)
	return &Error{
		Kind: Unreachable, Call: r.String(), Reason: reason, cause: cause,
		uncertain: sent && r.sets(),
		retryable: !badCertificate,
		timedOut:  errors.Is(timed.Err(), context.DeadlineExceeded),
	}
}

// unsendable returns the failure of a request that cannot be written.
func unsendable(r *request, reason string) *Error {
	return &Error{Kind: Refused, Call: r.String(), Reason: reason}
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

// failureOf returns the failure of a call that ended with an error other than that of its own request: that of the login, or of
// the wait for it. It is as uncertain as the attempts before it.
func failureOf(c *call, err error) *Error {
	failure := &Error{Kind: Canceled, Call: c.String(), Reason: err.Error(), cause: err}
	if of := asError(err); of != nil {
		*failure = *of // Others can have the same.
	}
	failure.uncertain = failure.uncertain || c.uncertain
	return failure
}

// unexpected returns the failure of a response that reports success and cannot be used. One that was damaged on its way
// may be better the next time.
func unexpected(r *request, damaged bool, reason string) *Error {
	return &Error{Kind: UnexpectedResponse, Call: r.String(), Reason: "the response " + reason, uncertain: r.sets(), retryable: damaged}
}

// unusable returns the failure of a response that reports success, begins like this, and cannot be decoded.
func unusable(r *request, start []byte, err error, clean func(string) string) *Error {
	damaged := !json.Valid(bytes.TrimSpace(start))
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		return unexpected(r, false, fmt.Sprintf("is larger than %d MiB", maxAnswer>>20))
	case r.obtainsToken():
		return unexpected(r, damaged, "contains no token") // It may contain one in a form that nobody knows, so nothing of it is shown.
	case errors.Is(err, io.ErrUnexpectedEOF) && bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")):
		return unexpected(r, true, "is incomplete")
	case damaged && !errors.Is(err, errWrongForm):
		return unexpected(r, true, "is "+clean(describe(start)))
	default:
		return unexpected(r, false, clean(err.Error()))
	}
}

// uncertain marks the failure of a call that follows a setting which was accepted.
func uncertain(err error) error {
	failure := *asError(err)
	failure.uncertain = true
	return &failure
}

// otherDestination returns the failure of a setting that FoneStorm accepted without showing it. What was set may come from a
// sensitive value, so only its type is named.
func otherDestination(r *request, shown string, want Delivery) *Error {
	return &Error{
		Kind: OtherDestination, Call: r.String(), uncertain: true,
		Reason: fmt.Sprintf("the destination of type %q was accepted, but FoneStorm still shows %s", want.Type, shown),
	}
}

// unconfirmed returns the failure in place of a "not found" that something else speaks against.
func unconfirmed(notFound error, why string) *Error {
	failure := *asError(notFound)
	failure.Kind = UnexpectedResponse
	failure.Reason = strings.TrimRight(failure.Reason, ".") + ". " + why
	return &failure
}

// nothingFound returns the failure in place of a "not found" from an endpoint that finds nothing at all.
func nothingFound(notFound error, endpoint string) *Error {
	failure := *asError(notFound)
	failure.Kind = WrongEndpoint
	failure.Reason = endpoint + " returned 404 Not Found to every request"
	return &failure
}

// refusedInBoth returns FoneStorm's own words about the content, whichever of the two bodies got them. Where it is not
// known which one that was, both are shown. A service that reads only JSON finds no FoneNumber in a form, so its 404 does not
// say that the account has none.
func refusedInBoth(inJSON, inForm *Error) *Error {
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

// envelope is the form of every error response of FoneStorm. All three members are required.
type envelope struct {
	Error      scalar  `json:"error"`
	Message    *scalar `json:"message"`
	StatusCode scalar  `json:"status_code"`
}

// isComplete reports whether this is FoneStorm's own envelope for a response with this status, and not that of a proxy.
func (e *envelope) isComplete(status int) bool {
	return e.Error.text != "" && e.Message != nil && e.StatusCode.text == strconv.Itoa(status)
}

// refused returns the failure that a response reports. It is classified by what FoneStorm sent, before anything is masked.
func refused(r *request, url string, response *http.Response, body []byte, clean func(string) string) *Error {
	var sent envelope
	if json.Unmarshal(body, &sent) != nil {
		sent = envelope{} // Of something else than FoneStorm.
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
	default: // Not FoneStorm's own response: a proxy may have sent it, or something else at the endpoint.
		failure.Reason = fmt.Sprintf("%s %s returned %s", r.method, url, statusText(response.StatusCode))
		if !r.obtainsToken() { // A body that may contain a token in a form that nobody knows is not shown.
			failure.Reason += "; the response body was " + clean(describe(body))
		}
	}
	return failure
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// kind classifies a response that does not report success. Whether the body is FoneStorm's own envelope decides whether a
// 404 is about the FoneNumber or about the endpoint.
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
		return Refused
	}
}

// isRateLimit recognizes the forms that FracTEL's documents give for an exceeded limit: status 429, and a 400 (v2.11) or
// 410 (v2.12) that says so.
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

// isTransient reports whether the same request may succeed a little later.
func isTransient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// isUnreadBody reports whether FoneStorm may have refused a request because it does not read its body in this encoding.
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

// isUnsupported reports whether FoneStorm does not support a call in this form: it says so each time.
func isUnsupported(err error) bool {
	failure := asError(err)
	return isUnreadBody(failure) || failure != nil && failure.Kind != RateLimited && (failure.Status == http.StatusNotFound || failure.Status == http.StatusGone)
}

// isCanceled reports whether a call ended because its caller's context did.
func isCanceled(err error) bool { return err != nil && KindOf(err) == Canceled }

// isRefusedToken reports whether a call failed because its token is not, or not any longer, valid.
func isRefusedToken(failure *Error) bool {
	return failure != nil && failure.Status == http.StatusUnauthorized
}

// isRefusedLogin reports whether logging in again would be refused again, and could lock the user.
func isRefusedLogin(err error) bool {
	kind := KindOf(err)
	return err != nil && (kind == AuthenticationFailed || kind == SubaccountRejected || kind == PermissionDenied)
}

// hasStatus reports whether a call was answered with this status.
func hasStatus(err error, status int) bool {
	failure := asError(err)
	return failure != nil && failure.Status == status
}

// gotResponse reports whether FoneStorm responded to a call, which may have failed.
func gotResponse(failure *Error) bool { return failure == nil || failure.Status != 0 }

// isSlow reports whether a call failed in a way that can take long each time.
func isSlow(failure *Error) bool {
	return failure != nil && (failure.timedOut || failure.Kind == ServerError)
}

// retryAfter reads the header of that name, which contains seconds or a date. Zero when it is missing or unusable.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// asError returns the failure that an error is or wraps; nil when there is none.
func asError(err error) *Error {
	failure, _ := errors.AsType[*Error](err)
	return failure
}
