package fonestorm

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// window is a second with a few per cent of room, because what counts is when requests arrive and not when they
// leave.
const window = 1030 * time.Millisecond

// pacer keeps requests within the account's limit, however the server counts its seconds.
//
// There are as many permits as the limit allows requests in a second, and each stays taken until a window after its
// request was written to the connection. So the request that follows ten others leaves at least a window after the
// first of them did, even when that one had to wait for a new connection first. The spacing keeps them from leaving
// in a bunch.
type pacer struct {
	permits *semaphore.Weighted
	spacing *rate.Limiter

	mu        sync.Mutex
	heldSince time.Time
	heldUntil time.Time
	growth    *backoff.ExponentialBackOff // Of holds whose length the server leaves to us.
}

func newPacer(perSecond int) *pacer {
	growth := backoff.NewExponentialBackOff()
	growth.InitialInterval = time.Second
	growth.Multiplier = 2
	growth.RandomizationFactor = 0.25
	growth.MaxInterval = 30 * time.Second
	return &pacer{
		permits: semaphore.NewWeighted(int64(perSecond)),
		spacing: rate.NewLimiter(rate.Limit(perSecond), 1),
		growth:  growth,
	}
}

// turn is the right to send one request.
type turn struct {
	granted time.Time
	// sent says that the request has been written, or never will be. It may be called more than once.
	sent func()
}

// wait returns when a request may be sent, or with the context's error.
func (p *pacer) wait(ctx context.Context) (*turn, error) {
	if err := p.permits.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	for {
		err := p.space(ctx)
		if pause := time.Until(p.held()); err == nil && pause > 0 {
			err = sleep(ctx, pause)
		} else if err == nil {
			return &turn{granted: time.Now(), sent: sync.OnceFunc(p.releaseLater)}, nil
		}
		if err != nil {
			p.permits.Release(1)
			return nil, err
		}
	}
}

// space waits for the spacing. Other than rate.Limiter.Wait, it leaves it to the context when its deadline has come.
func (p *pacer) space(ctx context.Context) error {
	place := p.spacing.Reserve()
	err := sleep(ctx, place.Delay())
	if err != nil {
		place.Cancel()
	}
	return err
}

func (p *pacer) releaseLater() {
	time.AfterFunc(window, func() { p.permits.Release(1) })
}

func (p *pacer) held() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heldUntil
}

// hold stops all requests because the one with this turn was refused for the limit: for as long as the server asks,
// or (zero) for a time that grows with every hold in a row.
func (p *pacer) hold(t *turn, asked time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	until := now.Add(min(asked, longestWait))
	if asked == 0 {
		if !t.granted.After(p.heldSince) {
			return // It left before the hold that stands now, which is the answer to it too.
		}
		until = now.Add(p.growth.NextBackOff())
	}
	p.heldSince = now
	if until.After(p.heldUntil) {
		p.heldUntil = until
	}
}

// accepted notes that the limit was not exceeded, so that the next hold is a short one again.
func (p *pacer) accepted(t *turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.granted.After(p.heldSince) {
		p.growth.Reset()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
