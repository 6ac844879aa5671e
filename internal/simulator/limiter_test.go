package simulator

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestRateWindows(t *testing.T) {
	t.Parallel()
	const yes, no = true, false
	type arrival struct {
		milliseconds   int // After the start of a second.
		fixed, sliding bool
	}
	tests := map[string][]arrival{ // With three requests allowed per second.
		"bunch at the beginning": {
			{0, yes, yes},
			{0, yes, yes},
			{0, yes, yes},
			{0, no, no},
			{999, no, no},
			{1000, yes, yes},
			{1000, yes, yes},
			{1000, yes, yes},
			{1000, no, no},
		},
		"bunch at the end of a second": {
			{900, yes, yes},
			{950, yes, yes},
			{999, yes, yes},
			{1000, yes, no},
			{1899, yes, no},
			{1900, yes, yes}, // The first one is a second ago.
			{1900, no, no},
			{1950, no, yes},
			{1998, no, no},
			{1999, no, yes},
		},
		"spread evenly": {
			{0, yes, yes},
			{334, yes, yes},
			{668, yes, yes},
			{1002, yes, yes},
			{1336, yes, yes},
			{1670, yes, yes},
		},
		"second that is almost over": {
			{100, yes, yes},
			{1050, yes, yes},
			{1060, yes, yes},
			{1070, yes, no}, // 100 is less than a second ago.
			{1110, no, yes},
			{2045, yes, no},
			{2051, yes, yes},
		},
		"after a long time": {
			{0, yes, yes},
			{0, yes, yes},
			{0, yes, yes},
			{3_600_000, yes, yes},
			{3_600_000, yes, yes},
			{3_600_000, yes, yes},
			{3_600_000, no, no},
		},
	}
	second := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, arrivals := range tests {
		for _, window := range []RateWindow{FixedWindow, SlidingWindow, ""} {
			t.Run(fmt.Sprintf("%s, %s", name, window), func(t *testing.T) {
				t.Parallel()
				l, err := newLimiter(3, window)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range arrivals {
					want := a.sliding
					if window == FixedWindow {
						want = a.fixed
					}
					if got := l.accept(second.Add(time.Duration(a.milliseconds) * time.Millisecond)); got != want {
						t.Errorf("request %d, at %d ms, is accepted: %v, want %v", i, a.milliseconds, got, want)
					}
				}
			})
		}
	}
}

func TestNoLimit(t *testing.T) {
	t.Parallel()
	l, err := newLimiter(0, "")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 1000 {
		if !l.accept(now) {
			t.Fatalf("request %d was not accepted", i)
		}
	}
}

// Every request within the limit counts, even if it fails for another reason. Requests over the limit do not count.
func TestLimitOfRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{FoneNumbers: 1, RateLimit: 2})
		intercepted := 0
		sim.Intercept(func(http.ResponseWriter, *http.Request) bool {
			intercepted++
			return false
		})
		token := anyToken(sim)
		for range 3 {
			wantEnvelope(t, get(t, sim, "/fonenumbers", "wrong"), http.StatusUnauthorized)
			decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)
			wantEnvelope(t, get(t, sim, "/fonenumbers", token), http.StatusTooManyRequests, "Rate Limit Exceeded")
			wantEnvelope(t, post(t, sim, "/auth", "", rightLogin), http.StatusTooManyRequests, "Rate Limit Exceeded")
			time.Sleep(time.Second)
		}
		if intercepted != 6 {
			t.Errorf("the interceptor saw %d requests, want the 6 within the limit", intercepted)
		}
		wantViolations(t, sim, 0)
	})
}
