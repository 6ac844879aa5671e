package fonestorm

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// window is how long a request counts after it was written: a second, with some room because two requests do not take
	// exactly the same time to arrive.
	window = 1010 * time.Millisecond
	// maxLateness is by how much longer a request counts at most whose response comes late.
	maxLateness = 50 * time.Millisecond
	// spacing and fullSpacing are the least distance between two requests, in percent of an even share of the second.
	spacing, fullSpacing = 103, 95
)

// limiter sends requests so that in no second, wherever it begins, more of them arrive at FoneStorm than the account's limit
// allows. A token bucket does not guarantee that: what it saved while idle and what it then earns can fall into the same
// second. Instead, a request counts for a second, and others wait while as many count as the limit allows. The second begins
// when the request was written to its connection, not when it was let through: FoneStorm counts arrivals, and a request may
// wait for a new connection first. When its response comes later than usual, the request may have arrived later, too, and
// counts a little longer. Requests also keep a distance, which protects against requests that this limiter does not know of:
// Terraform plans in one process and applies in the next, which share the account's limit. Once a whole second is known the
// distance is smaller, so that one request that left late does not delay all after it. A response that says that the limit is
// exceeded nevertheless stops all requests for a while.
type limiter struct {
	next *transport

	interval time.Duration // An even share of the second.
	recent   chan struct{} // An element for each request that counts.
	waiting  chan struct{} // An element while a request waits; others queue, so that no two leave at once.

	mu       sync.Mutex
	earliest time.Time                   // When the next request may leave.
	pausedAt time.Time                   // When the last pause began.
	pauses   *backoff.ExponentialBackOff // Pauses whose length FoneStorm does not say.
	usual    time.Duration               // From a request's writing to its response; zero until there is one.
}

// departure is a request that was let through.
type departure struct {
	left    time.Time
	written time.Time
	took    time.Duration // From its writing to its response; zero until then.
}

func newLimiter(perSecond int, next *transport) *limiter {
	return &limiter{
		next:     next,
		interval: time.Second / time.Duration(perSecond),
		recent:   make(chan struct{}, perSecond),
		waiting:  make(chan struct{}, 1),
		pauses:   growingWaits(),
	}
}

// growingWaits returns waits of a second, then twice as long each time up to half a minute, a quarter more or less.
func growingWaits() *backoff.ExponentialBackOff {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = time.Second
	waits.Multiplier = 2
	waits.RandomizationFactor = 0.25
	waits.MaxInterval = 30 * time.Second
	return waits
}

// send sends the request once, as soon as the limit allows.
func (l *limiter) send(ctx context.Context, c *call, body encoding) *Error {
	if err := l.wait(ctx); err != nil {
		return canceled(ctx, c.request)
	}
	d := &departure{left: time.Now()}
	written := sync.OnceFunc(func() { l.count(d) })
	defer written() // At the latest.
	failure := l.next.send(ctx, c, body, written)
	l.learn(d, failure)
	return failure
}

// count makes a request count from now on, until a window later or a little longer.
func (l *limiter) count(d *departure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d.written = time.Now()
	time.AfterFunc(window, func() {
		time.AfterFunc(l.lateness(d), func() { <-l.recent })
	})
}

// lateness returns by how much the request may have arrived later than others.
func (l *limiter) lateness(d *departure) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := d.took
	if took == 0 {
		took = time.Since(d.written) // Until now, at least.
	}
	return min(max(0, took-l.usual), maxLateness)
}

// wait returns when a request may leave, which counts from now on, or with the context's error.
func (l *limiter) wait(ctx context.Context) error {
	if err := enter(ctx, l.waiting); err != nil {
		return err
	}
	defer func() { <-l.waiting }()
	full := len(l.recent) == cap(l.recent)
	if err := enter(ctx, l.recent); err != nil {
		return err
	}
	for {
		wait := l.depart(full)
		if wait <= 0 {
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			<-l.recent
			return err
		}
	}
}

// depart lets a request leave and returns zero, or returns how long it must still wait. It is full when the request had to
// wait for another one that no longer counts, so that all requests of a whole second are known.
func (l *limiter) depart(full bool) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := time.Until(l.earliest); wait > 0 {
		return wait
	}
	distance := l.interval * spacing / 100
	if full {
		distance = l.interval * fullSpacing / 100
	}
	l.earliest = time.Now().Add(distance)
	return 0
}

// learn notes how long the response took: what is usual follows quicker ones at once and slower ones by and by. It stops all
// requests when this one was rejected for the limit: for as long as FoneStorm asks, or for a time that grows with each pause
// that follows another.
func (l *limiter) learn(d *departure, failure *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if gotResponse(failure) && !d.written.IsZero() {
		d.took = time.Since(d.written)
		if d.took < l.usual || l.usual == 0 {
			l.usual = d.took
		}
		l.usual += (d.took - l.usual) / 32
	}
	beforePause := !d.left.After(l.pausedAt) // The pause is the response to this one, too.
	switch {
	case failure == nil && !beforePause:
		l.pauses.Reset()
	case failure == nil || failure.Kind != RateLimited || failure.retryAfter > longestWait:
	case failure.retryAfter > 0:
		l.pause(failure.retryAfter)
	case !beforePause:
		l.pause(l.pauses.NextBackOff())
	}
}

func (l *limiter) pause(d time.Duration) {
	l.pausedAt = time.Now()
	if until := l.pausedAt.Add(d); until.After(l.earliest) {
		l.earliest = until
	}
}

// enter adds an element as soon as there is room for it, unless the context has ended.
func enter(ctx context.Context, room chan<- struct{}) error {
	if err := ctx.Err(); err != nil {
		return err // A select may not notice.
	}
	select {
	case room <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
