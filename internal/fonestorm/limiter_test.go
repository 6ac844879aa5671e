package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// perSecond is the limit of a standard account, for client and simulator alike.
const perSecond = 10

func paced(config *Config) { config.RequestsPerSecond = perSecond }

// limited is an account with the limit and slow responses.
func limited(foneNumbers int) simulator.Options {
	return simulator.Options{FoneNumbers: foneNumbers, RateLimit: perSecond, Latency: 25 * time.Millisecond}
}

// wantWithinLimit checks that no request was rejected, and that none could be, whenever a second begins.
func wantWithinLimit(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	for _, r := range sim.Requests() {
		if r.Status != http.StatusOK && r.Status != http.StatusCreated {
			t.Errorf("the response to %s %s was %d", r.Method, r.Path, r.Status)
		}
	}
	times := arrivals(sim, "")
	for i := perSecond; i < len(times); i++ {
		if gap := times[i].Sub(times[i-perSecond]); gap < time.Second {
			t.Errorf("%d requests came within %s", perSecond+1, gap)
		}
	}
}

func inTurn(n int, work func(int) error) []error {
	var failures []error
	for i := range n {
		failures = append(failures, work(i))
	}
	return failures
}

func TestLimitIsReachedButNotExceeded(t *testing.T) {
	t.Parallel()
	const n = 200
	account := limited(n)
	latency := func(d time.Duration) simulator.Options {
		options := account
		options.Latency = d
		return options
	}
	every := func(n int) func(int) bool { return func(request int) bool { return request%n == 0 } }
	for name, test := range map[string]struct {
		account simulator.Options
		do      func(int, func(int) error) []error
		offset  time.Duration          // When the first request is sent, relative to FoneStorm's second.
		connect func(request int) bool // Whether connecting takes half a second.
		late    func(request int) bool // Whether the request is delayed in transit.
		slower  int                    // Maximum percentage by which the run may be slower than the limit allows; zero if that does not matter.
	}{
		"at once":                      {account, together, 0, nil, nil, 5},
		"in turn":                      {account, inTurn, 0, nil, nil, 5},
		"slow responses":               {latency(500 * time.Millisecond), together, 0, nil, nil, 5},
		"very slow responses":          {latency(3 * time.Second), together, 0, nil, nil, 5},
		"slow connection of the login": {account, together, 0, func(n int) bool { return n == 1 }, nil, 5},
		"slow first connections":       {account, together, 0, func(n int) bool { return n <= 11 }, nil, 0},
		"every third connection slow":  {account, together, 0, every(3), nil, 0},
		"half are late":                {account, together, 0, nil, every(2), 7},
		"one of seven is late":         {account, together, 0, nil, every(7), 7},
		"one of forty is late":         {account, together, 0, nil, every(40), 7},
	} {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, test.account)
			var connected, sent atomic.Int32
			client := newNetworkClient(t, &network{
				handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if n := sent.Add(1); test.late != nil && test.late(int(n)) {
						time.Sleep(55 * time.Millisecond)
					}
					sim.ServeHTTP(w, r)
				}),
				connect: func(*http.Request) error {
					if n := connected.Add(1); test.connect != nil && test.connect(int(n)) {
						time.Sleep(500 * time.Millisecond)
					}
					return nil
				},
			}, paced)
			time.Sleep(test.offset)
			begun := time.Now()
			wantSuccess(t, test.do(n, func(i int) error { return fetch(t.Context(), client, numberAt(i)) })...)
			elapsed := time.Since(begun) - 2*test.account.Latency // Excluding the login and the last request.
			wantWithinLimit(t, sim)
			wantRequests(t, sim, map[string]int{"login": 1, "get": n})
			if most := (n + 1) * time.Second / perSecond * time.Duration(100+test.slower) / 100; test.slower > 0 && elapsed > most {
				t.Errorf("%d requests took %s, want at most %s", n+1, elapsed, most)
			}
		})
	}
}

// Terraform plans in one process and applies in the next, which does not know the requests of the first.
func TestLimitIsKeptAcrossProcesses(t *testing.T) {
	t.Parallel()
	for _, earlier := range []int{1, 6, 9, 10} {
		inBubble(t, fmt.Sprint(earlier), func(t *testing.T) {
			sim := newSimulator(t, limited(40))
			for _, reads := range []int{earlier, 40} {
				fetchAll(t, newBubbleClient(t, sim, paced), reads)
				time.Sleep(50 * time.Millisecond) // Starting a provider takes longer.
			}
			wantWithinLimit(t, sim)
		})
	}
}

func TestIdleClientSendsAtOnceAndThenSpaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, limited(30))
		client := newBubbleClient(t, sim, paced)
		for _, idle := range []time.Duration{0, time.Minute, time.Hour - 2*time.Minute} { // The token is valid for an hour.
			time.Sleep(idle)
			sim.Forget()
			begun := time.Now()
			fetchAll(t, client, 30)
			wantWithinLimit(t, sim)
			times := arrivals(sim, "")
			if first := times[0].Sub(begun); first != 0 {
				t.Errorf("after %s of idleness the first request waited %s", idle, first)
			}
			for i := 1; i < len(times); i++ {
				if gap := times[i].Sub(times[i-1]); gap < 95*time.Millisecond {
					t.Errorf("after %s of idleness requests %d and %d came within %s", idle, i, i+1, gap)
				}
			}
		}
	})
}

// Requests that are not sent do not count: failed connections and canceled waits.
func TestUnsentRequestsDoNotCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, limited(100))
		down := true
		client := newNetworkClient(t, &network{handler: sim, connect: func(*http.Request) error {
			if down {
				return errors.New("no route to host")
			}
			return nil
		}}, paced, withoutRetries)
		for range 3 * perSecond { // Without the rest of the client, which would detect an outage.
			r := &request{operation: readFoneNumber, method: http.MethodGet, path: "/fonenumbers/" + anyNumber}
			wantWords(t, client.tokens.next.next.next.send(t.Context(), &call{request: r}, asJSON), "no route to host")
		}
		down = false
		wantSuccess(t, read1(t, client))

		ctx, cancel := context.WithCancel(t.Context())
		done := begin(func() error {
			return errors.Join(together(5*perSecond, func(int) error { return fetch(ctx, client, anyNumber) })...)
		})
		synctest.Wait()
		cancel()
		<-done
		sim.Forget()
		begun := time.Now()
		fetchAll(t, client, perSecond)
		wantWithinLimit(t, sim)
		if elapsed := time.Since(begun); elapsed > 3*time.Second {
			t.Errorf("ten requests took %s", elapsed)
		}
	})
}

// Other programs may use the account. When FoneStorm rejects any request because of the rate limit, all requests wait, longer
// each time. After a success the next pause is short again.
func TestRateLimitPausesEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		no := rejectWith(http.StatusTooManyRequests, "", "")
		server := &script{responses: []http.HandlerFunc{succeed, no, no, no, succeed, no, succeed}}
		client := newBubbleClient(t, server, paced, withToken)
		wantSuccess(t, together(40, func(int) error { return read1(t, client) })...)
		pauses := map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 5: time.Second}
		for i, gap := range server.gaps() {
			want := max(120*time.Millisecond, pauses[i]) // The spacing, or a little more.
			if gap < want*3/4 || gap > want*5/4 {
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
	for _, status := range []int{429, 400, 410} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{succeed, succeed, rejectWith(status, "Rate Limit Exceeded", "7"), succeed}}
			client := newBubbleClient(t, server, paced, withToken)
			wantSuccess(t, together(25, func(int) error { return read1(t, client) })...)
			if got := len(server.arrived); got != 26 {
				t.Errorf("there were %d requests, want 26", got)
			}
			for i, gap := range server.gaps() {
				if i == 2 && gap != 7*time.Second || i != 2 && gap >= time.Second {
					t.Errorf("the wait before request %d is %s", i+2, gap)
				}
			}
		})
	}
}

// Rejections of requests that were in flight at the same time cause a single pause.
func TestSimultaneousRejectionsCauseOnePause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 5, Latency: 2 * time.Second})
		client := newBubbleClient(t, sim, paced)
		wantSuccess(t, read1(t, client))
		sim.Forget()
		begun := time.Now()
		sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if time.Since(begun) > 3*time.Second {
				return false
			}
			rejectWith(http.StatusTooManyRequests, "", "")(w, r)
			return true
		})
		fetchAll(t, client, 5)
		times := arrivals(sim, "")
		if len(times) != 10 {
			t.Fatalf("there were %d requests, want 10", len(times))
		}
		// Rejected after two seconds, and then paused for about one.
		if wait := times[5].Sub(begun); wait < 2750*time.Millisecond || wait > 3250*time.Millisecond {
			t.Errorf("the first repetition came after %s", wait)
		}
	})
}

// When a context ends, every wait ends at once and nothing more is sent.
func TestWaitsEndWithTheContext(t *testing.T) {
	t.Parallel()
	const status = http.StatusServiceUnavailable
	for name, test := range map[string]struct {
		before  int // Requests sent first, so that the next one has to wait.
		answer  http.HandlerFunc
		waiting int // Number of waiting requests.
		sent    int // Total number of requests sent.
	}{
		"for the spacing":  {1, succeed, 1, 1},
		"for others":       {1, succeed, 2, 1},
		"for the window":   {perSecond, succeed, 1, perSecond},
		"for a pause":      {1, rejectWith(http.StatusTooManyRequests, "", "60"), 1, 1},
		"for the response": {0, neverRespond, 1, 1},
		"for a retry":      {0, rejectWith(status, "", "60"), 1, 1},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{test.answer}}
			client := newBubbleClient(t, server, paced, withToken)
			if test.before > 0 {
				first, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				inTurn(test.before, func(int) error { return fetch(first, client, anyNumber) })
				cancel()
			}
			ctx, cancel := context.WithCancelCause(t.Context())
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

// A call whose context has ended sends nothing, even if it does not have to wait.
func TestNothingIsSentAfterTheContextHasEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 50 { // Because select chooses at random.
			server := &script{responses: []http.HandlerFunc{succeed}}
			wantKind(t, fetch(ctx, newBubbleClient(t, server, withToken), anyNumber), Canceled)
			if n := server.count(); n != 0 {
				t.Fatalf("there were %d requests", n)
			}
		}
	})
}
