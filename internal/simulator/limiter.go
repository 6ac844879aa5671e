package simulator

import (
	"fmt"
	"sync"
	"time"
)

// RateWindow is a way to count requests per second. It is not documented which one FoneStorm uses.
type RateWindow string

// The ways to count: per second of the clock, or over the second before each request, which is stricter.
const (
	FixedWindow   RateWindow = "fixed"
	SlidingWindow RateWindow = "sliding"
)

// limiter decides which requests exceed the account's rate limit. Rejected requests do not count.
type limiter struct {
	limit  int // Zero for no limit.
	window RateWindow

	mu       sync.Mutex
	accepted []time.Time // Arrival of the latest requests, at most limit of them, oldest first.
}

func newLimiter(limit int, window RateWindow) (*limiter, error) {
	if limit < 0 {
		return nil, fmt.Errorf("the rate limit %d is negative: use 0 for none", limit)
	}
	switch window {
	case "":
		window = SlidingWindow
	case FixedWindow, SlidingWindow:
	default:
		return nil, fmt.Errorf("unknown rate window %q: use fixed or sliding", window)
	}
	return &limiter{limit: limit, window: window}, nil
}

// accept reports whether a request that arrives now is within the rate limit.
func (l *limiter) accept(now time.Time) bool {
	if l.limit == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.accepted) == l.limit {
		oldest := l.accepted[0]
		if l.window == FixedWindow && !oldest.Truncate(time.Second).Before(now.Truncate(time.Second)) {
			return false
		}
		if l.window == SlidingWindow && now.Sub(oldest) < time.Second {
			return false
		}
		l.accepted = l.accepted[1:]
	}
	l.accepted = append(l.accepted, now)
	return true
}
