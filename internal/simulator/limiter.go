package simulator

import "time"

// limiter decides which requests exceed the account's rate limit: those that arrive when the second before has had its share
// already. It is not documented how FoneStorm counts; this is the strictest way. Rejected requests do not count.
type limiter struct {
	limit    int         // Requests in any second; zero for no limit.
	accepted []time.Time // Arrival of each accepted request, oldest first.
}

// accept reports whether a request that arrives now is within the rate limit.
func (l *limiter) accept(now time.Time) bool {
	if l.limit == 0 {
		return true
	}
	if n := len(l.accepted); n >= l.limit && now.Sub(l.accepted[n-l.limit]) < time.Second {
		return false
	}
	l.accepted = append(l.accepted, now)
	return true
}
