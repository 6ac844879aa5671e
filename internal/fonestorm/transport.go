package fonestorm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// maxAnswer is the largest response that is read, decompressed. An account of 10,000 FoneNumbers has about 12 MB.
	maxAnswer = 64 << 20
	// maxErrorBody is how much of a response is read that reports a failure or is no JSON. That is more than is ever shown of
	// it, because a secret that was cut in two could not be recognized.
	maxErrorBody = 64 << 10
)

// operation is what a request does.
type operation int

const (
	logIn operation = iota
	useSubaccount
	readFoneNumber
	listFoneNumbers
	setDelivery
	listDevices
)

// request describes one call of the API. It does not change while it is sent.
type request struct {
	operation operation
	subject   string // The FoneNumber or subaccount that it is about; may be empty.
	method    string
	path      string        // Below the endpoint.
	query     url.Values    // May be nil.
	params    params        // Of the body; nil for none.
	timeout   time.Duration // Of one attempt, when it is longer than the configured one.
	once      bool          // Whether it is not repeated after a timeout.
}

// sets reports whether the request changes something at FoneStorm.
func (r *request) sets() bool { return r.operation == setDelivery }

// obtainsToken reports whether the response contains a token.
func (r *request) obtainsToken() bool { return r.operation == logIn || r.operation == useSubaccount }

// call describes the request to complete "could not".
func (r *request) call() string {
	switch r.operation {
	case logIn:
		return "log in to FoneStorm"
	case useSubaccount:
		return "get a token for subaccount " + r.subject
	case readFoneNumber:
		return "read FoneNumber " + r.subject
	case listFoneNumbers:
		return "list the account's FoneNumbers"
	case setDelivery:
		return "set the delivery of FoneNumber " + r.subject
	case listDevices:
		return "list the account's devices"
	default:
		return "call FoneStorm"
	}
}

// decoder reads the body of a successful response. It may be called again for another attempt.
type decoder func(body io.Reader) error

// transport sends one request once, in its turn and within its time.
type transport struct {
	http      *http.Client
	endpoint  *url.URL
	userAgent string
	timeout   time.Duration
	limiter   *pacer
	secrets   *secrets
	proven    atomic.Bool // Whether a response could be used: the endpoint is FoneStorm's.
}

func newTransport(config Config, endpoint *url.URL, secrets *secrets) *transport {
	return &transport{
		http: &http.Client{
			Transport: config.Transport,
			// The token must never reach another host, and a redirected POST would lose its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		endpoint:  endpoint,
		userAgent: config.UserAgent,
		timeout:   config.RequestTimeout,
		limiter:   newPacer(config.RequestsPerSecond),
		secrets:   secrets,
	}
}

// attempt sends the request once. Only the wait for its turn ends with the context: a request that has been sent is left
// to end by itself, within its timeout, because what it sets would otherwise be forgotten.
func (t *transport) attempt(ctx context.Context, r *request, token string, body encoding, decode decoder) *Error {
	turn, err := t.limiter.wait(ctx)
	if err != nil {
		return canceled(ctx, r)
	}
	defer turn.sent() // At the latest.

	timeout := max(t.timeout, r.timeout)
	timed, cancel := context.WithTimeoutCause(t.lifetime(ctx, r), timeout, fmt.Errorf("no response within %s", timeout))
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { turn.sent() },
	})
	httpRequest, err := t.newRequest(traced, r, token, body)
	if err != nil {
		return &Error{Kind: Refused, Call: r.call(), Reason: t.secrets.clean(err.Error())}
	}
	begun := time.Now()
	response, err := t.http.Do(httpRequest)
	if err != nil {
		return t.unreachable(timed, r, sent.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	turn.answered()
	tflog.Debug(ctx, "FoneStorm responded", map[string]any{
		"method": r.method, "path": r.path, "status": response.StatusCode, "milliseconds": time.Since(begun).Milliseconds(),
	})
	if response.StatusCode/100 != 2 {
		return t.refused(r, turn, response)
	}
	t.limiter.accepted(turn)
	return t.read(timed, r, response, decode)
}

// lifetime returns the context in which a request is sent. One that changes nothing ends with its call.
func (t *transport) lifetime(ctx context.Context, r *request) context.Context {
	if r.sets() {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (t *transport) refused(r *request, turn *turn, response *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // What could be read of it says enough.
	failure := refused(r, t.url(r), t.secrets, response, body)
	if failure.Kind == RateLimited && failure.retryAfter <= longestWait {
		t.limiter.hold(turn, failure.retryAfter)
	}
	return failure
}

// unreachable returns the failure of a request that got no response, or not all of it. http.Client says the method and the
// URL around its reason, which are known.
func (t *transport) unreachable(timed context.Context, r *request, sent bool, err error) *Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if timed.Err() != nil {
		err = context.Cause(timed)
	}
	failure := unreachable(r, sent, fmt.Sprintf("no response from %s: %s", t.endpoint.Redacted(), t.secrets.clean(reasonFor(r, err))), err)
	failure.timedOut = errors.Is(timed.Err(), context.DeadlineExceeded)
	if errors.Is(err, context.Canceled) {
		failure.Kind, failure.retryable = Canceled, false
	}
	return failure
}

// reasonFor returns what the network reports. Errors of net/http quote a response that is not HTTP, which may contain a token
// that nobody knows when one was asked for.
func reasonFor(r *request, err error) string {
	reason := err.Error()
	if r.obtainsToken() {
		reason, _, _ = strings.Cut(reason, `"`)
		reason, _, _ = strings.Cut(reason, "malformed MIME header")
	}
	return strings.TrimSpace(reason)
}

// url returns where a request is sent.
func (t *transport) url(r *request) string {
	target := t.endpoint.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	return target.String()
}

// newRequest returns the request in the form in which it travels.
func (t *transport) newRequest(ctx context.Context, r *request, token string, body encoding) (*http.Request, error) {
	var content io.Reader
	if r.params != nil {
		content = bytes.NewReader(body.encode(r.params))
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, t.url(r), content)
	if err != nil {
		return nil, err
	}
	httpRequest.Header.Set("Accept", "application/json")
	httpRequest.Header.Set("User-Agent", t.userAgent)
	if r.params != nil {
		httpRequest.Header.Set("Content-Type", body.contentType())
	}
	if token != "" {
		httpRequest.Header["token"] = []string{token} // Not canonical: the documents spell it so.
	}
	return httpRequest, nil
}

// read decodes the body of a successful response, all of it, so that the connection can serve the next request.
func (t *transport) read(timed context.Context, r *request, response *http.Response, decode decoder) *Error {
	var start prefix
	body := io.TeeReader(http.MaxBytesReader(nil, response.Body, maxAnswer), &start)
	err := decode(body)
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		t.proven.Store(true)
		return nil
	case timed.Err() != nil:
		return t.unreachable(timed, r, true, err)
	case tooLarge:
		return unexpected(r, false, fmt.Sprintf("is larger than %d MiB", maxAnswer>>20))
	}
	_, _ = io.CopyN(io.Discard, body, maxErrorBody)
	damaged := !json.Valid(bytes.TrimSpace(start))
	switch {
	case r.obtainsToken():
		return unexpected(r, damaged, "contains no token") // It may contain one in a form that nobody knows, so nothing of it is shown.
	case errors.Is(err, io.ErrUnexpectedEOF) && strings.HasPrefix(strings.TrimSpace(string(start)), "{"):
		return unexpected(r, true, "is incomplete")
	case damaged && !errors.Is(err, errWrongForm):
		return unexpected(r, true, "is "+t.secrets.clean(describe(start)))
	default:
		return unexpected(r, false, t.secrets.clean(err.Error()))
	}
}

// prefix keeps the beginning of what is written to it.
type prefix []byte

func (p *prefix) Write(data []byte) (int, error) {
	if room := maxErrorBody - len(*p); room > 0 {
		*p = append(*p, data[:min(room, len(data))]...)
	}
	return len(data), nil
}
