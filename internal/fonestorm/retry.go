package fonestorm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// longestWait is the longest Retry-After that is waited for; a longer one ends the call.
const longestWait = 5 * time.Minute

// retry repeats attempts that failed for a reason that may pass. Every request of this API may be repeated: reading changes
// nothing, and setting the same twice is harmless.
type retry struct {
	next   *encoder
	max    int // Retries after the first attempt.
	outage outage
}

// send makes attempts until one succeeds, cannot succeed, or there have been enough of them.
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
		backoff.WithBackOff(backoff.NewExponentialBackOff()), // Half a second, growing by half, with jitter.
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
		last = canceled(ctx, c.request) // While waiting for a response or for the next attempt.
	}
	if errors.Is(context.Cause(ctx), errOutage) {
		return t.outage.failure(c.request)
	}
	t.outage.note(ctx, last)
	failure := *last
	failure.uncertain, failure.Attempts, failure.Elapsed = c.uncertain, c.attempts, time.Since(c.begun)
	return &failure
}

// nextTry tells the loop whether and when to send the request again after this failure.
func (r *request) nextTry(failure *Error) error {
	switch {
	case !failure.retryable, failure.retryAfter > longestWait, r.once && failure.timedOut:
		return backoff.Permanent(failure)
	case failure.Kind == RateLimited:
		return &backoff.RetryAfterError{} // At once, that is, when the limiter lets requests through again.
	case failure.retryAfter > 0:
		return &backoff.RetryAfterError{Duration: failure.retryAfter}
	default:
		return failure
	}
}

// unreachableCalls is after how many calls in a row that got no response at all, whatever their retries, the rest of the
// run fails at once: with a thousand FoneNumbers it would otherwise take hours to fail.
const unreachableCalls = 3

// outage notices that FoneStorm cannot be reached at all. The zero value has not noticed anything.
type outage struct {
	mu      sync.Mutex
	inARow  int
	ongoing *Error                               // Why the rest of the run fails; nil while it does not.
	reading map[*request]context.CancelCauseFunc // Ends what is read at that time.
}

// errOutage is why reads end that were under way when the outage was noticed: the list may take much longer than others.
var errOutage = errors.New("FoneStorm cannot be reached")

// endsReads returns a context that ends when the outage is noticed, unless the request sets something: that may still take
// effect. The function must be called when the request has ended.
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

// failure returns why a request need not be sent; nil when it should be.
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

// note counts the failure of a call, with all its retries. Any response ends the row.
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
			tflog.Error(ctx, "FoneStorm is unreachable, giving up for the rest of this run", map[string]any{"error": failure.Error()})
		}
	}
}
