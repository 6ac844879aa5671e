package fonestorm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// longestWait is the longest Retry-After that the client honors; a call with a longer one fails.
const longestWait = 5 * time.Minute

// retry retries requests after transient errors. Every request to this API is safe to retry: reading changes nothing, and setting
// the same delivery twice is harmless.
type retry struct {
	next   *encoder
	max    int // Retries after the first attempt.
	outage outage
}

// send makes attempts until one succeeds, a retry would not help, or the maximum number is reached.
func (t *retry) send(ctx context.Context, c *call) *Error {
	if c.attempts == 0 {
		c.begun = time.Now()
	}
	ctx, end := t.outage.endsReads(ctx, c.request)
	defer end()
	var last *Error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if last = t.outage.failure(c.request); last != nil {
			return struct{}{}, backoff.Permanent(last)
		}
		c.attempts++
		if last = t.next.send(ctx, c); last == nil {
			return struct{}{}, nil
		}
		c.uncertain = c.uncertain || last.uncertain
		return struct{}{}, c.nextTry(last)
	},
		backoff.WithBackOff(backoff.NewExponentialBackOff()), // 0.5 seconds, then 1.5 times longer each time, with jitter.
		backoff.WithMaxTries(uint(max(1, 1+t.max+c.renewals-c.attempts))),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(_ error, wait time.Duration) {
			tflog.Warn(ctx, "FoneStorm request failed, retrying", map[string]any{
				"error": last.Error(), "attempt": c.attempts, "wait": wait.String(),
			})
		}),
	)
	if err == nil {
		t.outage.over()
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		last = canceled(ctx, c.request) // Canceled while waiting for a response or for the next attempt.
	}
	if errors.Is(context.Cause(ctx), errOutage) {
		return t.outage.failure(c.request)
	}
	t.outage.note(ctx, last)
	failure := *last
	failure.uncertain, failure.Attempts, failure.Elapsed = c.uncertain, c.attempts, time.Since(c.begun)
	return &failure
}

// nextTry returns the error with which the backoff loop decides whether and when to retry.
func (r *request) nextTry(failure *Error) error {
	switch {
	case !failure.retryable, failure.retryAfter > longestWait, r.once && failure.timedOut:
		return backoff.Permanent(failure)
	case failure.Kind == RateLimited:
		return &backoff.RetryAfterError{} // Immediately: the limiter makes the request wait.
	case failure.retryAfter > 0:
		return &backoff.RetryAfterError{Duration: failure.retryAfter}
	default:
		return failure
	}
}

// unreachableCalls is the number of consecutive calls without any response, including their retries, after which all others fail
// immediately. Otherwise, a run with a thousand FoneNumbers would take hours to fail.
const unreachableCalls = 3

// outage detects that FoneStorm is unreachable. The zero value has detected nothing.
type outage struct {
	mu      sync.Mutex
	inARow  int
	ongoing *Error                               // Why all further calls fail; nil if there is no outage.
	reading map[*request]context.CancelCauseFunc // Cancels the reads in progress.
}

// errOutage cancels the reads in progress when an outage is detected, because a list may take much longer than other requests.
var errOutage = errors.New("FoneStorm cannot be reached")

// endsReads returns a context that is canceled when an outage is detected, unless the request is a setting, which may still take
// effect. The caller must call the function when the request has ended.
func (o *outage) endsReads(ctx context.Context, r *request) (context.Context, func()) {
	if r.sets() {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.reading == nil {
		o.reading = map[*request]context.CancelCauseFunc{}
	}
	o.reading[r] = cancel
	return ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.reading, r)
		cancel(nil)
	}
}

// failure returns the error of a request that is not sent because of an outage; nil if there is no outage.
func (o *outage) failure(r *request) *Error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ongoing == nil {
		return nil
	}
	return unsent(r, o.ongoing)
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inARow = 0
}

// note counts consecutive calls that failed without a response, after all their retries.
func (o *outage) note(ctx context.Context, failure *Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case failure.Kind == Canceled || o.ongoing != nil:
	case failure.Kind != Unreachable:
		o.inARow = 0
	default:
		if o.inARow++; o.inARow >= unreachableCalls {
			o.ongoing = failure
			for _, cancel := range o.reading {
				cancel(errOutage)
			}
			tflog.Error(ctx, "FoneStorm is unreachable, so all further requests fail", map[string]any{"error": failure.Error()})
		}
	}
}
