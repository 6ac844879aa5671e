package simulator

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// At most three requests are accepted in any second, whenever it begins. Requests over the limit do not count.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	const yes, no = true, false
	l := limiter{limit: 3}
	begun := time.Now()
	for i, arrival := range []struct {
		milliseconds int
		accepted     bool
	}{
		{0, yes},
		{0, yes},
		{0, yes},
		{999, no},
		{1900, yes},
		{1950, yes},
		{1999, yes},
		{2899, no},
		{2900, yes},
		{2900, no},
		{2950, yes},
		{3_600_000, yes},
	} {
		if got := l.accept(begun.Add(time.Duration(arrival.milliseconds) * time.Millisecond)); got != arrival.accepted {
			t.Errorf("request %d, at %d ms, is accepted: %v", i, arrival.milliseconds, got)
		}
	}
}

// Every request within the limit counts, even if it fails for another reason. The dialect has its own status for others.
func TestRequestsOverTheLimit(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"live": http.StatusTooManyRequests, "2.12": http.StatusGone} {
		synctest.Test(t, func(t *testing.T) {
			sim := newSimulator(t, Options{FoneNumbers: 1, RateLimit: 2, Dialect: Dialects[name]})
			intercepted := 0
			sim.Intercept(func(http.ResponseWriter, *http.Request) bool {
				intercepted++
				return false
			})
			token := anyToken(sim)
			for range 3 {
				wantEnvelope(t, get(t, sim, "/fonenumbers", "wrong"), http.StatusUnauthorized)
				decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)
				wantEnvelope(t, get(t, sim, "/fonenumbers", token), status, "Rate Limit Exceeded")
				wantEnvelope(t, post(t, sim, "/auth", "", rightLogin), status, "Rate Limit Exceeded")
				time.Sleep(time.Second)
			}
			if intercepted != 6 {
				t.Errorf("the interceptor saw %d requests, want the 6 within the limit", intercepted)
			}
			wantViolations(t, sim, 0)
		})
	}
}
