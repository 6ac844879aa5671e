package fonestorm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// longestWait is the longest Retry-After that the client honors, and the longest time for which a call is repeated because of
	// the rate limit.
	longestWait = 5 * time.Minute
	// listTimeout is the minimum timeout of a list: FracTEL warns that the list of all FoneNumbers may take a while.
	listTimeout = 2 * time.Minute
	// unreachableCalls is the number of consecutive calls without any response, including their retries, after which all others
	// fail immediately. Otherwise, a run with a thousand FoneNumbers would take hours to fail.
	unreachableCalls = 3
	// maxResponse is the maximum size of a response after decompression. The list of 10,000 FoneNumbers is about 12 MB.
	maxResponse = 64 << 20
)

// role is what a request does, which decides how it is sent and what a failure means.
type role int

const (
	readsOne          role = iota // Reads one FoneNumber.
	lists                         // Lists something in the account. It may take longer, and is not repeated after a timeout.
	sets                          // Sets something. A failure may be uncertain.
	logsIn                        // Gets a token for the username and password.
	choosesSubaccount             // Gets a token for the subaccount.
)

// request is one request to the API. It does not change while it is being sent.
type request struct {
	role    role
	text    string // With the subject, it completes the phrase "could not".
	subject string // The FoneNumber or subaccount; may be empty.
	method  string
	path    string     // Relative to the endpoint.
	query   url.Values // May be nil.
	params  params     // Parameters of the body; nil for none.
}

func (r *request) String() string {
	if r.subject == "" {
		return r.text
	}
	return r.text + " " + r.subject
}

// progress is the state of one call across its attempts.
type progress struct {
	begun     time.Time     // Start of the first attempt.
	attempts  int           // How many times the request was sent.
	retries   int           // How many of them used up the budget.
	renewals  int           // How many times the token was renewed.
	uncertain bool          // Whether a failed attempt may have taken effect.
	encoding  encoding      // Of the last attempt.
	working   *atomic.Int32 // The encoding in which a request of this kind last succeeded; zero if none has.
	refused   *Error        // The rejection of the body as JSON, after which it is sent as a form.
	waits     *backoff.ExponentialBackOff
}

// call sends a request until it succeeds, a retry would not help, or the retries are used up. decode reads the body of a successful
// response; it may be called again with that of another attempt. Every request to this API is safe to retry: reading changes
// nothing, and setting the same thing twice is harmless.
func (c *Client) call(ctx context.Context, r *request, decode func(body []byte) error) error {
	p := &progress{working: &c.loginEncoding, waits: backoff.NewExponentialBackOff()} // 0.5 seconds, then 1.5 times longer, with jitter.
	if r.role == sets {
		p.working = &c.settingEncoding
	}
	for {
		if c.unreachable.Load() >= unreachableCalls {
			return p.end(unsent(r))
		}
		token, err := c.token(ctx, r)
		if err != nil {
			failure := asError(err) // A login has had retries of its own.
			if failure == nil {
				failure = canceled(ctx, r)
			}
			return p.end(failure)
		}
		failure := c.attempt(ctx, r, p, token, decode)
		if failure == nil {
			return nil
		}
		p.uncertain = p.uncertain || failure.uncertain
		wait, again := c.next(r, p, token, failure)
		if !again {
			if failure.Kind == Unreachable {
				c.unreachable.Add(1)
			}
			return p.end(failure)
		}
		tflog.Warn(ctx, "FoneStorm request failed, retrying", map[string]any{
			"error": failure.Error(), "attempt": p.attempts, "wait": wait.String(),
		})
		if sleep(ctx, wait) != nil {
			return p.end(canceled(ctx, r))
		}
	}
}

// attempt waits for the rate limit, sends the request once, and decodes the response.
func (c *Client) attempt(ctx context.Context, r *request, p *progress, token string, decode func([]byte) error) *Error {
	if c.pace.wait(ctx) != nil {
		return canceled(ctx, r)
	}
	sent := time.Now()
	if p.attempts++; p.attempts == 1 {
		p.begun = sent
	}
	if p.encoding != asForm {
		p.encoding = max(asJSON, encoding(p.working.Load()))
	}
	body, failure := c.sendOnce(ctx, r, token, p.encoding)
	if failure == nil {
		if err := decode(body); err != nil {
			failure = unexpected(r, !json.Valid(body), c.secrets.clean(err.Error()))
		} else if r.params != nil {
			p.working.Store(int32(p.encoding))
		}
	}
	if failure == nil || failure.Kind != Unreachable && failure.Kind != Canceled {
		c.unreachable.Store(0)
	}
	c.pace.learn(sent, failure)
	return failure
}

// next decides whether a failed request is sent again, and after which wait.
func (c *Client) next(r *request, p *progress, token string, failure *Error) (wait time.Duration, again bool) {
	switch {
	case failure.Status == http.StatusUnauthorized && c.dropToken(r, token):
		if p.renewals++; p.renewals == 1 { // Tokens expire, and the login of another program may invalidate them.
			return 0, true
		}
	case r.params != nil && p.encoding == asJSON && encoding(p.working.Load()) != asJSON && isUnreadBody(failure):
		p.refused, p.encoding = failure, asForm
		p.attempts-- // The form is part of the same attempt.
		return 0, true
	case failure.Kind == RateLimited && failure.retryable:
		return 0, time.Since(p.begun) < longestWait // The pace makes all requests wait.
	case !failure.retryable, failure.timedOut && r.role == lists:
		return 0, false
	}
	if p.retries++; p.retries > c.config.MaxRetries {
		return 0, false
	}
	wait = p.waits.NextBackOff()
	if failure.retryAfter > 0 {
		wait = failure.retryAfter
	}
	return wait, true
}

// end returns the failure with what is known about the whole call.
func (p *progress) end(last *Error) *Error {
	if p.refused != nil && last.Status != 0 && !last.retryable {
		last = rejectedInBoth(p.refused, last)
	}
	failure := *last // A copy, because several calls can share the failure of a login.
	failure.uncertain = failure.uncertain || p.uncertain
	if p.attempts > 0 {
		failure.Attempts, failure.Elapsed = p.attempts, time.Since(p.begun)
	}
	return &failure
}

// sendOnce sends the request, within its timeout, and returns the body of a successful response.
func (c *Client) sendOnce(ctx context.Context, r *request, token string, e encoding) ([]byte, *Error) {
	timeout := c.config.RequestTimeout
	if r.role == lists {
		timeout = max(timeout, listTimeout)
	}
	lifetime := ctx
	if r.role == sets { // A setting in flight is never canceled, because its outcome would be unknown.
		lifetime = context.WithoutCancel(ctx)
	}
	timed, cancel := context.WithTimeoutCause(lifetime, timeout, fmt.Errorf("no response within %s", timeout))
	defer cancel()
	var sent atomic.Bool
	httpRequest, err := c.newRequest(httptrace.WithClientTrace(timed, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}), r, token, e)
	if err != nil {
		return nil, &Error{Kind: Rejected, Call: r.String(), Reason: c.secrets.clean(err.Error())}
	}
	begun := time.Now()
	response, err := c.http.Do(httpRequest)
	if err != nil {
		return nil, c.noResponse(lifetime, timed, r, sent.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	tflog.Debug(ctx, "FoneStorm responded", map[string]any{
		"method": r.method, "path": r.path, "status": response.StatusCode, "milliseconds": time.Since(begun).Milliseconds(),
	})
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	switch {
	case response.StatusCode/100 != 2:
		return nil, c.failedResponse(r, httpRequest.URL.String(), response, body) // A partial body is enough.
	case err != nil && timed.Err() != nil:
		return nil, c.noResponse(lifetime, timed, r, true, err)
	case err != nil:
		return nil, unexpected(r, true, "is incomplete")
	case len(body) > maxResponse:
		return nil, unexpected(r, false, fmt.Sprintf("is larger than %d MiB", maxResponse>>20))
	}
	return body, nil
}

// newRequest builds the HTTP request.
func (c *Client) newRequest(ctx context.Context, r *request, token string, e encoding) (*http.Request, error) {
	target := c.endpoint.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(e.encode(r.params)))
	if err != nil {
		return nil, err
	}
	httpRequest.Header.Set("Accept", "application/json")
	httpRequest.Header.Set("User-Agent", c.config.UserAgent)
	if r.params != nil {
		httpRequest.Header.Set("Content-Type", e.contentType())
	}
	if token != "" {
		httpRequest.Header["token"] = []string{token} // Not in canonical form, because FracTEL documents it in lower case.
	}
	return httpRequest, nil
}

// sleep waits, or returns the context's error if that ends first or has ended.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
