package fonestorm

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// window is how long a request counts after it was written: a second and a margin, because requests do not all take the
	// same time to arrive.
	window = 1010 * time.Millisecond
	// maxLateness is the maximum extra time that a request counts if its response is late.
	maxLateness = 50 * time.Millisecond
	// spacing and fullSpacing are the minimum intervals between two requests, in percent of an even share of the second.
	spacing, fullSpacing = 103, 95
)

// limiter sends requests so that no more of them than the account's rate limit allows arrive at FoneStorm within any second,
// whenever that second begins. A token bucket does not guarantee this: the tokens saved while idle and those added afterwards can
// be spent within the same second. Instead, each request counts for one second, and others wait while the maximum number counts.
// The second begins when the request is written to its connection, not when the limiter releases it: FoneStorm counts arrivals,
// and a request may first wait for a new connection. If its response is later than usual, the request may have arrived late too,
// and counts a little longer. The limiter also spaces requests, because it does not know all of them: Terraform plans in one
// process and applies in the next, and both share the account's limit. Once the limiter knows all requests of a whole second, it
// spaces them a little less, so that one late request does not delay all others. If FoneStorm still reports that the limit is
// exceeded, the limiter pauses all requests.
type limiter struct {
	next *transport

	interval time.Duration // An even share of the second.
	recent   chan struct{} // Contains an element for each request that counts.
	waiting  chan struct{} // Contains an element while a request waits, so that requests leave one at a time.

	mu       sync.Mutex
	earliest time.Time                   // When the next request may be sent.
	pausedAt time.Time                   // Start of the last pause.
	pauses   *backoff.ExponentialBackOff // Pauses for responses without Retry-After.
	usual    time.Duration               // Usual time from writing a request to its response; zero until known.
}

// departure is a request that the limiter has released.
type departure struct {
	left    time.Time
	written time.Time
	took    time.Duration // From writing to response; zero until then.
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

// growingWaits returns waits that double from 1 second to 30 seconds, with 25% jitter.
func growingWaits() *backoff.ExponentialBackOff {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval = time.Second
	waits.Multiplier = 2
	waits.RandomizationFactor = 0.25
	waits.MaxInterval = 30 * time.Second
	return waits
}

// send sends the request once, as soon as the rate limit allows.
func (l *limiter) send(ctx context.Context, c *call, body encoding) *Error {
	if err := l.wait(ctx); err != nil {
		return canceled(ctx, c.request)
	}
	d := &departure{left: time.Now()}
	written := sync.OnceFunc(func() { l.count(d) })
	defer written() // In case the transport did not call it.
	failure := l.next.send(ctx, c, body, written)
	l.learn(d, failure)
	return failure
}

// count starts the window in which a request counts.
func (l *limiter) count(d *departure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d.written = time.Now()
	time.AfterFunc(window, func() {
		time.AfterFunc(l.lateness(d), func() { <-l.recent })
	})
}

// lateness returns how much later than others the request may have arrived.
func (l *limiter) lateness(d *departure) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	took := d.took
	if took == 0 {
		took = time.Since(d.written) // There is no response yet.
	}
	return min(max(0, took-l.usual), maxLateness)
}

// wait blocks until the request may be sent; from then on it counts. It returns the context's error if that ends first.
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

// depart releases a request and returns zero, or returns how long the request must still wait. full means that the request had to
// wait until another one no longer counted, so that the limiter knows all requests of a whole second.
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

// learn records how long the response took: faster responses change the usual time at once, slower ones gradually. If FoneStorm
// rejected the request because of the rate limit, learn pauses all requests for the time in Retry-After, or else for a time that
// grows with each successive pause.
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
	beforePause := !d.left.After(l.pausedAt) // That pause covers this rejection too.
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

// enter adds an element as soon as there is room, unless the context has ended.
func enter(ctx context.Context, room chan<- struct{}) error {
	if err := ctx.Err(); err != nil {
		return err // If both are ready, select chooses at random.
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
