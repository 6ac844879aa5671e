package fonestorm

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"
)

// usedShare is the part of the account's rate limit that the client uses. A second's worth of requests is then sent in 1.064 seconds,
// so that requests which take up to 60 ms longer to arrive than others never exceed the limit, whenever FoneStorm's second begins.
const usedShare = 0.94

// pace makes all requests of a client wait for the rate limit: evenly spaced, without a burst, because FoneStorm counts the
// requests of any second, including those of the process that ran before this one. If FoneStorm still rejects a request, other
// programs use the account too, and all requests pause.
type pace struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	until  time.Time // End of the last pause.
	pauses *backoff.ExponentialBackOff
}

func newPace(perSecond int) *pace {
	pauses := backoff.NewExponentialBackOff() // 1 second to 30 seconds, doubling, with 25% jitter.
	pauses.InitialInterval, pauses.Multiplier = time.Second, 2
	pauses.RandomizationFactor, pauses.MaxInterval = 0.25, 30*time.Second
	return &pace{limiter: rate.NewLimiter(rate.Limit(usedShare*float64(perSecond)), 1), pauses: pauses}
}

// wait blocks until a request may be sent. It returns the context's error if that ends first.
func (p *pace) wait(ctx context.Context) error {
	for {
		if p.limiter.Wait(ctx) != nil { // It fails at once if a deadline comes first.
			<-ctx.Done()
			return ctx.Err()
		}
		p.mu.Lock()
		pause := time.Until(p.until)
		p.mu.Unlock()
		if pause <= 0 {
			return nil
		}
		sleep(ctx, pause) // If it is canceled, so is the next wait.
	}
}

// learn pauses all requests if FoneStorm rejected one because of the rate limit: for the time in Retry-After, or else for a time that
// grows until a request succeeds. Responses during a pause are to requests that were sent before it, so only Retry-After extends it.
func (p *pace) learn(failure *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case failure == nil:
		p.pauses.Reset()
	case failure.Kind != RateLimited || !failure.retryable:
	case failure.retryAfter > 0 || !time.Now().Before(p.until):
		wait := cmp.Or(failure.retryAfter, p.pauses.NextBackOff())
		if until := time.Now().Add(wait); until.After(p.until) {
			p.until = until
		}
	}
}

// sleep waits until the time is over or the context ends.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
