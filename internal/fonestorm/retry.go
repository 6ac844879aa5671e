package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// longestWait is the longest Retry-After that is waited for; a longer one ends the call.
const longestWait = 5 * time.Minute

// progress is what has become of one call so far, across retries and renewed tokens. The zero value is a call that has not
// been sent.
type progress struct {
	begun     time.Time // Of the first attempt.
	attempts  int       // How often the request was sent.
	renewals  int       // How many attempts were rejected for a token that was then renewed.
	uncertain bool      // Whether one of the attempts may have taken effect although it failed.
}

// retry repeats attempts that failed for a reason that may pass. Every request of this API may be repeated: reading changes
// nothing, and setting the same twice is harmless.
type retry struct {
	max    int // Retries after the first attempt.
	outage outage
}

// do makes attempts until one succeeds, cannot succeed, or there have been enough of them.
func (t *retry) do(ctx context.Context, r *request, p *progress, attempt func(context.Context) *Error) error {
	if p.attempts == 0 {
		p.begun = time.Now()
	}
	ctx, end := t.outage.endsReads(ctx, r)
	defer end()
	var last *Error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if last = t.outage.failure(r); last != nil {
			return struct{}{}, backoff.Permanent(last)
		}
		p.attempts++
		if last = attempt(ctx); last == nil {
			return struct{}{}, nil
		}
		p.uncertain = p.uncertain || last.uncertain
		return struct{}{}, r.nextTry(last)
	},
		backoff.WithBackOff(backoff.NewExponentialBackOff()), // Half a second, growing by half, with jitter.
		backoff.WithMaxTries(uint(max(1, 1+t.max+p.renewals-p.attempts))),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(_ error, wait time.Duration) {
			tflog.Warn(ctx, "FoneStorm request failed, retrying", map[string]any{
				"error": last.Error(), "attempt": p.attempts, "wait": wait.String(),
			})
		}),
	)
	if err == nil {
		t.outage.over()
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		last = canceled(ctx, r) // While waiting for the next attempt.
	}
	if errors.Is(context.Cause(ctx), errOutage) {
		return t.outage.failure(r)
	}
	t.outage.note(ctx, last)
	failure := *last
	failure.uncertain, failure.Attempts, failure.Elapsed = p.uncertain, p.attempts, time.Since(p.begun)
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
	return &Error{Kind: Unreachable, Call: r.call(), cause: o.ongoing, Reason: fmt.Sprintf(
		"not sent, because %d calls in a row got no response (%s)", unreachableCalls, o.ongoing.Reason)}
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
