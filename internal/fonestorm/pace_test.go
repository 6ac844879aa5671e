package fonestorm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// perSecond is the limit of a standard account, for client and simulator alike.
const perSecond = 10

func paced(config *Config) { config.RequestsPerSecond = perSecond }

// Ten senders, 300 requests that arrive up to 60 ms late, and a FoneStorm that counts the requests of every second, whenever it
// begins: none is rejected, and the client uses 94% of the limit.
func TestLimitIsReachedButNotExceeded(t *testing.T) {
	t.Parallel()
	const n, senders = 300, 10
	for seed := range uint64(20) {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1, RateLimit: perSecond})
			random := rand.New(rand.NewPCG(seed, 0))
			var mu sync.Mutex
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				late := time.Duration(random.Int64N(int64(60 * time.Millisecond)))
				mu.Unlock()
				time.Sleep(late)
				sim.ServeHTTP(w, r)
			}), paced)
			begun := time.Now()
			wantSuccess(t, together(senders, func(int) error {
				var failures []error
				for range n / senders {
					failures = append(failures, read1(t, client))
				}
				return errors.Join(failures...)
			})...)
			wantRequests(t, sim, map[string]int{"login": 1, "get": n})
			if share := (n + 1) / time.Since(begun).Seconds() / perSecond; share < 0.93 || share > 0.95 {
				t.Errorf("the client used %.1f%% of the limit", share*100)
			}
		})
	}
}

// Terraform plans in one process and applies in the next, which does not know the requests of the first. An idle client saves
// nothing up.
func TestLimitIsKeptAcrossProcessesAndAfterIdleness(t *testing.T) {
	t.Parallel()
	for _, idle := range []time.Duration{50 * time.Millisecond, time.Second, time.Minute} {
		inBubble(t, idle.String(), func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 30, RateLimit: perSecond, Latency: 25 * time.Millisecond})
			client := newBubbleClient(t, sim, paced)
			for _, client := range []*Client{newBubbleClient(t, sim, paced), client, client} {
				fetchAll(t, client, 15)
				time.Sleep(idle)
			}
			wantRequests(t, sim, map[string]int{"login": 2, "get": 45})
		})
	}
}

// Other programs may use the account. When FoneStorm rejects any request because of the rate limit, all requests wait, longer
// each time. After a success the next pause is short again. The retries are not used up.
func TestRateLimitPausesEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		no := rejectWith(http.StatusTooManyRequests, "", "")
		server := &script{responses: []http.HandlerFunc{succeed, no, no, no, succeed, no, succeed}}
		client := newBubbleClient(t, server, paced, withToken, withoutRetries)
		wantSuccess(t, together(40, func(int) error { return read1(t, client) })...)
		pauses := map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 5: time.Second}
		for i, gap := range server.gaps() {
			want := max(120*time.Millisecond, pauses[i]) // The spacing, or a little more.
			if gap < want*3/4 || gap > want*5/4+120*time.Millisecond {
				t.Errorf("request %d came %s after the one before, want %s or a quarter more or less", i+2, gap, want)
			}
		}
		if n := server.count(); n != 44 {
			t.Errorf("there were %d requests, want 40 and 4 that were rejected", n)
		}
	})
}

func TestPauseFromRetryAfter(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 400, 403, 410} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{succeed, succeed, rejectWith(status, "Rate Limit Exceeded", "7"), succeed}}
			client := newBubbleClient(t, server, paced, withToken)
			wantSuccess(t, together(25, func(int) error { return read1(t, client) })...)
			if got := len(server.arrived); got != 26 {
				t.Errorf("there were %d requests, want 26", got)
			}
			for i, gap := range server.gaps() {
				if pauses := i == 2; pauses != (gap >= 7*time.Second) || gap > 8*time.Second {
					t.Errorf("the wait before request %d is %s", i+2, gap)
				}
			}
		})
	}
}

// Rejections of requests that were in flight at the same time cause a single pause.
func TestSimultaneousRejectionsCauseOnePause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var sent atomic.Int32
		server := &script{responses: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			if sent.Add(1) <= 5 {
				rejectWith(http.StatusTooManyRequests, "", "")(w, r)
				return
			}
			succeed(w, r)
		}}}
		client := newBubbleClient(t, server, paced, withToken)
		begun := time.Now()
		wantSuccess(t, together(5, func(int) error { return read1(t, client) })...)
		if len(server.arrived) != 10 {
			t.Fatalf("there were %d requests, want 10", len(server.arrived))
		}
		// Rejected after two seconds, and then paused for about one.
		if wait := server.arrived[5].Sub(begun); wait < 2750*time.Millisecond || wait > 3500*time.Millisecond {
			t.Errorf("the first repetition came after %s", wait)
		}
	})
}

func TestShortPauseDoesNotEndALongOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, begun := newPace(perSecond), time.Now()
		for _, wait := range []time.Duration{time.Minute, time.Second} {
			p.learn(begun, &Error{Kind: RateLimited, retryable: true, retryAfter: wait})
		}
		wantSuccess(t, p.wait(t.Context()))
		if paused := time.Since(begun); paused < time.Minute {
			t.Errorf("the pause ended after %s", paused)
		}
	})
}

// A rate limit that never ends fails the call after five minutes.
func TestRateLimitIsBoundedByTime(t *testing.T) {
	t.Parallel()
	for header, requests := range map[string][2]int{"": {10, 20}, "60": {6, 6}} {
		inBubble(t, header, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{rejectWith(http.StatusTooManyRequests, "Slow down.", header)}}
			begun := time.Now()
			err := read1(t, newBubbleClient(t, server, withToken))
			wantKind(t, err, RateLimited)
			wantWords(t, err, "FoneStorm returned 429 Too Many Requests: Slow down.", "after the first)")
			if took := time.Since(begun); took < longestWait || took > longestWait+time.Minute {
				t.Errorf("took %s", took)
			}
			if n := server.count(); n < requests[0] || n > requests[1] {
				t.Errorf("there were %d requests, want %d to %d", n, requests[0], requests[1])
			}
		})
	}
}

// When a context ends, every wait ends at once and nothing more is sent.
func TestWaitsEndWithTheContext(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before   int // Requests sent first, so that the next one has to wait.
		response http.HandlerFunc
		waiting  int // Number of waiting requests.
		sent     int // Total number of requests sent.
	}{
		"for the spacing":  {1, succeed, 1, 1},
		"for others":       {1, succeed, 20, 1},
		"for a pause":      {0, rejectWith(http.StatusTooManyRequests, "", "60"), 1, 1},
		"for the response": {0, neverRespond, 1, 1},
		"for a retry":      {0, rejectWith(http.StatusServiceUnavailable, "", "60"), 1, 1},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{test.response}}
			client := newBubbleClient(t, server, paced, withToken)
			for range test.before {
				wantSuccess(t, read1(t, client))
			}
			ctx, cancel := contextWithCause(t)
			var waits []<-chan error
			for range test.waiting {
				waits = append(waits, begin(func() error { return fetch(ctx, client, anyNumber) }))
			}
			synctest.Wait()
			why := errors.New("Terraform was interrupted")
			begun := time.Now()
			cancel(why)
			for _, wait := range waits {
				err := <-wait
				wantKind(t, err, Canceled)
				wantWords(t, err, "read FoneNumber "+anyNumber)
				if !errors.Is(err, why) || time.Since(begun) != 0 {
					t.Errorf("after %s came %v, want %v at once", time.Since(begun), err, why)
				}
			}
			wantKind(t, fetch(ctx, client, anyNumber), Canceled)
			if n := server.count(); n != test.sent {
				t.Errorf("there were %d requests, want %d", n, test.sent)
			}
		})
	}
}
