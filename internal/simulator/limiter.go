package simulator

import "time"

// limiter decides which requests exceed the account's rate limit: those that arrive when the second before has had its share
// already. It is not documented how FoneStorm counts; this is the strictest way. Rejected requests do not count.
type limiter struct {
	limit    int         // Requests in any second; zero for no limit.
	accepted []time.Time // Arrival of the latest requests, at most limit of them, oldest first.
}

// accept reports whether a request that arrives now is within the rate limit.
func (l *limiter) accept(now time.Time) bool {
	if l.limit == 0 {
		return true
	}
	if len(l.accepted) == l.limit {
		if now.Sub(l.accepted[0]) < time.Second {
			return false
		}
		l.accepted = l.accepted[1:]
	}
	l.accepted = append(l.accepted, now)
	return true
}
