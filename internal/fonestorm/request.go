package fonestorm

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// longestWait is the longest Retry-After that the client honors, and the time after which a call is not repeated because of the
	// rate limit again.
	longestWait = 5 * time.Minute
	// listTimeout is the minimum timeout of a list: FracTEL warns that the list of all FoneNumbers may take a while.
	listTimeout = 2 * time.Minute
	// unavailableCalls is the number of consecutive calls that had no response or still exceeded the rate limit after all retries. Then
	// all others fail immediately, for the rest of the run. Otherwise, a run with a thousand FoneNumbers would take hours to fail.
	unavailableCalls = 3
	// maxResponse is the maximum size of a response after decompression. The list of 10,000 FoneNumbers is about 12 MB.
	maxResponse = 64 << 20
)

// role is what a request does, which decides how it is sent and what a failure means.
type role int

const (
	readsOne          role = iota // Reads one FoneNumber.
	lists                         // Lists something in the account. It may take longer, and a slow one is not repeated.
	sets                          // Sets something. A failure may be uncertain.
	logsIn                        // Gets a token for the username and password.
	choosesSubaccount             // Gets a token for the subaccount.
	roles                         // The number of roles.
)

// request is one request to the API. It does not change while it is being sent.
type request struct {
	role   role
	text   string // Completes the phrase "could not".
	path   string // Relative to the endpoint.
	query  string // May be empty.
	params params // Parameters of the body, which is sent with POST; nil for a GET.
	token  string // The user's, for choosesSubaccount; "" for all others, which have the client's token or, for a login, none.
}

// call sends a request and returns its response as read by decode, which is called for each response that reports success. A body is
// sent in the encoding that FoneStorm accepted last for this role. Until it has accepted one, a body that it rejects as JSON is sent
// once more as a form. If it rejects that, too, the first rejection counts, unless it says that FoneStorm does not read JSON.
func call[T any](ctx context.Context, c *Client, r *request, decode func(body []byte) (T, error)) (value T, _ error) {
	read := func(body []byte) (err error) {
		value, err = decode(body)
		return err
	}
	p := &progress{waits: backoff.NewExponentialBackOff()} // 0.5 seconds, then 1.5 times longer, with jitter.
	accepted := &c.encodings[r.role]
	known := encoding(accepted.Load())
	e := max(known, asJSON)
	failure := c.send(ctx, r, p, e, read)
	if known == 0 && r.params != nil && isRejectedWith(failure, r.role, 400, 415, 422) {
		e = asForm
		again := c.send(ctx, r, p, e, read)
		switch {
		case again == nil, again.retryable, again.Kind == Canceled, failure.Status == http.StatusUnsupportedMediaType:
			failure = again
		case again.Reason != failure.Reason:
			failure.Reason = strings.TrimRight(failure.Reason, ".") + "; sent as a form: " + again.Reason
		}
	}
	if failure != nil {
		return value, p.end(failure)
	}
	accepted.Store(int32(e))
	return value, nil
}

// progress is the state of a call across its attempts.
type progress struct {
	sent      time.Time // Start of the last attempt.
	begun     time.Time // Start of the first attempt.
	attempts  int       // How many times the request was sent.
	retries   int       // How many retries count toward MaxRetries.
	renewed   bool      // Whether the token was renewed.
	uncertain bool      // Whether a failed attempt may have taken effect.
	waits     *backoff.ExponentialBackOff
}

// send sends a request until it succeeds, a retry would not help, or the retries are used up. It returns the last failure. A retry is
// safe: reading changes nothing, setting the same thing twice is harmless, and a rejected login is not retried.
func (c *Client) send(ctx context.Context, r *request, p *progress, e encoding, read func(body []byte) error) *Error {
	failure := &Error{Kind: Unreachable, Call: r.text}
	failure.Reason = fmt.Sprintf("not sent, because %d calls in a row had no response or exceeded the rate limit", unavailableCalls)
	for c.unavailable.Load() < unavailableCalls {
		token, err := c.token(ctx, r)
		if err != nil {
			return asError(err) // A login has had retries of its own.
		}
		if c.pace.wait(ctx) != nil {
			return canceled(ctx, r)
		}
		if p.attempts++; p.attempts == 1 {
			p.begun = time.Now()
		}
		p.sent = time.Now()
		failure = c.sendOnce(ctx, r, token, e, read)
		c.pace.learn(failure)
		if failure == nil {
			c.unavailable.Store(0)
			return nil
		}
		wait, again := c.next(r, p, token, failure)
		if !again {
			break
		}
		tflog.Warn(ctx, "FoneStorm request failed, retrying", map[string]any{
			"error": failure.Error(), "attempt": p.attempts, "wait": wait.String(),
		})
		sleep(ctx, wait) // If it is canceled, so is the next attempt.
	}
	return failure
}

// next records a failure, and decides whether the request is sent again, and after which wait.
func (c *Client) next(r *request, p *progress, token string, failure *Error) (wait time.Duration, again bool) {
	p.uncertain = p.uncertain || failure.uncertain
	isSlow := r.role == lists && time.Since(p.sent) > c.config.RequestTimeout
	hasOldToken := failure.Status == http.StatusUnauthorized && c.logsInFor(r)
	if hasOldToken {
		c.dropToken(token)
	}
	switch isLimited := failure.Kind == RateLimited; {
	case hasOldToken && !p.renewed: // Tokens expire, and the login of another program may invalidate them.
		p.renewed = true
		return 0, true
	case isLimited && failure.retryable && time.Since(p.begun) < longestWait:
		return 0, true // The pace makes all requests wait.
	case !isLimited && !isSlow && (failure.retryable || hasOldToken) && p.retries < c.config.MaxRetries:
		p.retries++
		return cmp.Or(failure.retryAfter, p.waits.NextBackOff()), true
	case isLimited || failure.Kind == Unreachable:
		c.unavailable.Add(1)
	case failure.Kind != Canceled:
		c.unavailable.Store(0)
	}
	return 0, false
}

// end returns a failure with what is known about all attempts. It is a copy, because several calls can share that of a login.
func (p *progress) end(last *Error) *Error {
	failure := *last
	failure.uncertain = failure.uncertain || p.uncertain
	if p.attempts > 0 {
		failure.Attempts, failure.Elapsed = p.attempts, time.Since(p.begun)
	}
	return &failure
}

// sendOnce sends the request, within its timeout, and reads the response.
func (c *Client) sendOnce(ctx context.Context, r *request, token string, e encoding, read func(body []byte) error) *Error {
	timeout := c.config.RequestTimeout
	if r.role == lists {
		timeout = max(timeout, listTimeout)
	}
	if r.role == sets { // A setting in flight is never canceled, because its outcome would be unknown.
		ctx = context.WithoutCancel(ctx)
	}
	timed, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no response within %s", timeout))
	defer cancel()
	var isConnected atomic.Bool // Before that, nothing is sent.
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { isConnected.Store(true) }}
	httpRequest := c.newRequest(httptrace.WithClientTrace(timed, trace), r, token, e)
	begun := time.Now()
	response, err := c.http.Do(httpRequest)
	if err != nil {
		return c.noResponse(ctx, timed, r, err, isConnected.Load())
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	tflog.Debug(ctx, "FoneStorm responded", map[string]any{
		"method": httpRequest.Method, "path": r.path, "status": response.StatusCode, "milliseconds": time.Since(begun).Milliseconds(),
	})
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	switch {
	case response.StatusCode/100 != 2:
		return c.failedResponse(r, httpRequest, response, body) // A partial body is enough.
	case err != nil && timed.Err() != nil:
		return c.noResponse(ctx, timed, r, err, true)
	case err != nil:
		return unexpected(r, true, "is incomplete")
	case len(body) > maxResponse:
		return unexpected(r, false, fmt.Sprintf("is larger than %d MiB", maxResponse>>20))
	}
	if err := read(body); err != nil {
		return unexpected(r, !json.Valid(body), c.secrets.clean(err.Error()))
	}
	return nil
}

func (c *Client) newRequest(ctx context.Context, r *request, token string, e encoding) *http.Request {
	target := c.endpoint.JoinPath(r.path)
	target.RawQuery = r.query
	method, body := http.MethodGet, []byte(nil)
	header := http.Header{"Accept": {"application/json"}, "User-Agent": {c.config.UserAgent}}
	if r.params != nil {
		method = http.MethodPost
		encoded, contentType := e.encode(r.params)
		body, header["Content-Type"] = encoded, []string{contentType}
	}
	if token != "" {
		header["token"] = []string{token} // Not in canonical form, because FracTEL documents it in lower case.
	}
	httpRequest, _ := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body)) // A parsed URL cannot fail.
	httpRequest.Header = header
	return httpRequest
}
