package fonestorm

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

const (
	// window is a second with some room, because what counts is when requests arrive and not when they leave.
	window = 1010 * time.Millisecond
	// mostLateness is by how much more a permit stays taken when an answer comes late.
	mostLateness = 50 * time.Millisecond
	// How fast requests may follow each other, as a part of the limit. At first a little slower, because an earlier run
	// of the provider may have used the last second up; Terraform plans in one run and applies in the next. Once the
	// permits know of a whole second, a little faster, so that a request which left late does not delay all after it.
	paceAtFirst = 0.97
	paceLater   = 1.05
)

// pacer keeps requests within the account's limit, however the server counts its seconds.
//
// There are as many permits as the limit allows requests in a second, and each stays taken until a window after its
// request was written to the connection. So the request that follows ten others leaves at least a window after the
// first of them did, even when that one had to wait for a new connection first. What comes after the writing can only
// be guessed: when an answer comes later than usual, then its request may have arrived later, too. The spacing keeps
// requests from leaving in a bunch.
type pacer struct {
	perSecond int
	permits   *semaphore.Weighted
	spacing   *rate.Limiter

	mu        sync.Mutex
	places    int // How many requests have been given a place in the spacing.
	heldSince time.Time
	heldUntil time.Time
	growth    *backoff.ExponentialBackOff // Of holds whose length the server leaves to us.
	usual     time.Duration               // From writing a request to its answer; zero until there is one.
}

func newPacer(perSecond int) *pacer {
	growth := backoff.NewExponentialBackOff()
	growth.InitialInterval = time.Second
	growth.Multiplier = 2
	growth.RandomizationFactor = 0.25
	growth.MaxInterval = 30 * time.Second
	return &pacer{
		perSecond: perSecond,
		permits:   semaphore.NewWeighted(int64(perSecond)),
		spacing:   rate.NewLimiter(rate.Limit(float64(perSecond)*paceAtFirst), 1),
		growth:    growth,
	}
}

// turn is the right to send one request.
type turn struct {
	pacer   *pacer
	granted time.Time
	written sync.Once

	// With the pacer's lock.
	sentAt time.Time
	took   time.Duration // From writing the request to its answer; zero until then.
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
			return &turn{pacer: p, granted: time.Now()}, nil
		}
		if err != nil {
			p.permits.Release(1)
			return nil, err
		}
	}
}

// space waits for the spacing. Other than rate.Limiter.Wait, it leaves it to the context when its deadline has come.
func (p *pacer) space(ctx context.Context) error {
	place := p.place()
	err := sleep(ctx, place.Delay())
	if err != nil {
		place.Cancel()
	}
	return err
}

// place returns the next place in the spacing.
func (p *pacer) place() *rate.Reservation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places++; p.places == p.perSecond+1 {
		p.spacing.SetLimit(rate.Limit(float64(p.perSecond) * paceLater))
	}
	return p.spacing.Reserve()
}

// sent says that the request has been written, or never will be. It may be called more than once.
func (t *turn) sent() {
	t.written.Do(func() {
		t.pacer.mu.Lock()
		defer t.pacer.mu.Unlock()
		t.sentAt = time.Now()
		time.AfterFunc(window, func() {
			time.AfterFunc(t.lateness(), func() { t.pacer.permits.Release(1) })
		})
	})
}

// answered says that the answer has begun to arrive. What is usual follows the quickest answers at once and slower
// ones by and by.
func (t *turn) answered() {
	p := t.pacer
	p.mu.Lock()
	defer p.mu.Unlock()
	t.took = time.Since(t.sentAt)
	if p.usual == 0 || t.took < p.usual {
		p.usual = t.took
	} else {
		p.usual += (t.took - p.usual) / 32
	}
}

// lateness returns by how much the request may have arrived later than others.
func (t *turn) lateness() time.Duration {
	t.pacer.mu.Lock()
	defer t.pacer.mu.Unlock()
	took := t.took
	if took == 0 {
		took = time.Since(t.sentAt) // Until now, at least.
	}
	return min(max(0, took-t.pacer.usual), mostLateness)
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
