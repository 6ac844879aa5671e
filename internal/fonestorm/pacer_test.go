package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// perSecond is the limit of a standard account, for client and simulator alike.
const perSecond = 10

func paced(config *Config) { config.RequestsPerSecond = perSecond }

// limited is an account with the limit, whose answers take a while.
func limited(window simulator.RateWindow, foneNumbers int) simulator.Options {
	return simulator.Options{FoneNumbers: foneNumbers, RateLimit: perSecond, RateWindow: window, Latency: 25 * time.Millisecond}
}

// arrivals returns when requests came, in ascending order.
func arrivals(sim *simulator.Simulator) []time.Time {
	var times []time.Time
	for _, r := range sim.Requests() {
		times = append(times, r.Arrived)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// wantPeace checks that no request was refused, and that none could have been, however the seconds are counted.
func wantPeace(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	for _, r := range sim.Requests() {
		if r.Status != http.StatusOK && r.Status != http.StatusCreated {
			t.Errorf("%s %s was answered %d", r.Method, r.Path, r.Status)
		}
	}
	times := arrivals(sim)
	for i := perSecond; i < len(times); i++ {
		if gap := times[i].Sub(times[i-perSecond]); gap < time.Second {
			t.Errorf("%d requests came within %s", perSecond+1, gap)
		}
	}
}

// atOnce and inTurn are the two ways in which Terraform may ask.
func atOnce(n int, work func(int) error) []error { return together(n, work) }

func inTurn(n int, work func(int) error) []error {
	var failures []error
	for i := range n {
		failures = append(failures, work(i))
	}
	return failures
}

func TestPaceStaysWithinTheLimitAndUsesIt(t *testing.T) {
	t.Parallel()
	for _, window := range []simulator.RateWindow{simulator.FixedWindow, simulator.SlidingWindow} {
		for name, do := range map[string]func(int, func(int) error) []error{"at once": atOnce, "in turn": inTurn} {
			// Where in the server's second the first request falls must not matter.
			for _, offset := range []time.Duration{0, 370 * time.Millisecond, 990 * time.Millisecond} {
				inBubble(t, string(window)+" "+name+" after "+offset.String(), func(t *testing.T) {
					sim := newSimulator(t, limited(window, 200))
					client := newBubbleClient(t, sim, paced)
					time.Sleep(offset)
					begun := time.Now()
					wantSuccess(t, do(200, func(i int) error {
						_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
						return err
					})...)
					elapsed := time.Since(begun)
					wantPeace(t, sim)
					wantRequests(t, sim, map[string]int{"login": 1, "get": 200})
					if most := 201 * time.Second / perSecond * 105 / 100; elapsed > most {
						t.Errorf("201 requests took %s, want at most %s", elapsed, most)
					}
				})
			}
		}
	}
}

// New connections take long to make, so that requests which left in good order arrive in a bunch with later ones.
func TestPaceAllowsForSlowConnections(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(n int32) bool{
		"the login":          func(n int32) bool { return n == 1 },
		"the first requests": func(n int32) bool { return n <= 11 },
		"every third":        func(n int32) bool { return n%3 == 0 },
	} {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, limited(simulator.SlidingWindow, 100))
			var requests atomic.Int32
			client := newNetworkClient(t, &network{handler: sim, connect: func(*http.Request) error {
				if slow(requests.Add(1)) {
					time.Sleep(500 * time.Millisecond)
				}
				return nil
			}}, paced)
			wantSuccess(t, together(100, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			})...)
			wantPeace(t, sim)
			wantRequests(t, sim, map[string]int{"login": 1, "get": 100})
		})
	}
}

// Requests that left in good order are held up on their way, one now and then.
func TestPaceAllowsForLateArrivals(t *testing.T) {
	t.Parallel()
	for _, every := range []int32{2, 3, 7, 13, 40} {
		inBubble(t, fmt.Sprintf("one of %d", every), func(t *testing.T) {
			sim := newSimulator(t, limited(simulator.SlidingWindow, 300))
			var requests atomic.Int32
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1)%every == 0 {
					time.Sleep(55 * time.Millisecond)
				}
				sim.ServeHTTP(w, r)
			}), paced)
			begun := time.Now()
			wantSuccess(t, together(300, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			})...)
			elapsed := time.Since(begun)
			wantPeace(t, sim)
			wantRequests(t, sim, map[string]int{"login": 1, "get": 300})
			if most := 301 * time.Second / perSecond * 107 / 100; elapsed > most {
				t.Errorf("301 requests took %s, want at most %s", elapsed, most)
			}
		})
	}
}

// Terraform plans in one run of the provider and applies in the next, which knows nothing of the first one's requests.
func TestPaceAllowsForAnEarlierRun(t *testing.T) {
	t.Parallel()
	for _, earlier := range []int{1, 6, 9, 10} {
		inBubble(t, fmt.Sprint(earlier), func(t *testing.T) {
			sim := newSimulator(t, limited(simulator.SlidingWindow, 40))
			for _, reads := range []int{earlier, 40} {
				client := newBubbleClient(t, sim, paced)
				wantSuccess(t, together(reads, func(i int) error {
					_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
					return err
				})...)
				time.Sleep(50 * time.Millisecond) // Starting a provider takes longer.
			}
			wantPeace(t, sim)
		})
	}
}

// A server that is slow is not late: the limit is used up all the same.
func TestPaceUsesTheLimitOfASlowServer(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{500 * time.Millisecond, 3 * time.Second} {
		inBubble(t, latency.String(), func(t *testing.T) {
			options := limited(simulator.SlidingWindow, 300)
			options.Latency = latency
			sim := newSimulator(t, options)
			client := newBubbleClient(t, sim, paced)
			begun := time.Now()
			wantSuccess(t, together(300, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			})...)
			elapsed := time.Since(begun) - 2*latency // Of the login and of the last request.
			wantPeace(t, sim)
			if most := 301 * time.Second / perSecond * 105 / 100; elapsed > most {
				t.Errorf("301 requests took %s, want at most %s", elapsed, most)
			}
		})
	}
}

// A connection that cannot be made must give its turn back.
func TestFailedConnectionsDoNotUseUpTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, limited(simulator.SlidingWindow, 1))
		down := true
		client := newNetworkClient(t, &network{handler: sim, connect: func(*http.Request) error {
			if down {
				return errors.New("no route to host")
			}
			return nil
		}}, paced, withoutRetries)
		for range 3 * perSecond { // Without the rest of the client, which would give up.
			r := &request{operation: readFoneNumber, method: http.MethodGet, path: "/fonenumbers/" + anyNumber}
			wantWords(t, client.transport.attempt(t.Context(), r, "", asJSON, nil), "no route to host")
		}
		down = false
		wantSuccess(t, read1(t, client))
	})
}

func TestIdleClientAsksAtOnceAndThenInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, limited(simulator.SlidingWindow, 30))
		client := newBubbleClient(t, sim, paced)
		for _, idle := range []time.Duration{0, time.Minute, time.Hour - 2*time.Minute} { // The token is valid for an hour.
			time.Sleep(idle)
			sim.Forget()
			begun := time.Now()
			wantSuccess(t, together(30, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			})...)
			wantPeace(t, sim)
			times := arrivals(sim)
			if first := times[0].Sub(begun); first != 0 {
				t.Errorf("after %s of idleness the first request waited %s", idle, first)
			}
			for i := 1; i < len(times); i++ {
				// Not in a bunch; wantPeace has seen to the limit.
				if gap := times[i].Sub(times[i-1]); gap < 95*time.Millisecond {
					t.Errorf("after %s of idleness requests %d and %d came within %s", idle, i, i+1, gap)
				}
			}
		}
	})
}

// The account may be in use by others: whoever is told so, everyone waits, and longer each time.
func TestRefusalHoldsEverybody(t *testing.T) {
	t.Parallel()
	for _, window := range []simulator.RateWindow{simulator.FixedWindow, simulator.SlidingWindow} {
		inBubble(t, string(window), func(t *testing.T) {
			options := limited(window, 40)
			options.Latency = 0
			sim := newSimulator(t, options)
			client := newBubbleClient(t, sim, paced, func(c *Config) { c.MaxRetries = 4 })
			wantSuccess(t, read1(t, client))
			// Another client takes all there is, at the beginning of each second.
			nextSecond := func() { time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }
			exhaust := func() {
				nextSecond()
				for range perSecond {
					sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/fonenumbers", nil))
				}
			}
			nextSecond() // So that what was asked above does not count any more.
			exhaust()
			go inTurn(8, func(int) error {
				exhaust()
				return nil
			})
			time.Sleep(500 * time.Millisecond)
			sim.Forget()
			wantSuccess(t, together(40, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			})...)
			wantGrowingHolds(t, sim)
		})
	}
}

// wantGrowingHolds checks that each refusal was followed by silence, of about a second at first and twice as long
// each time.
func wantGrowingHolds(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	var times []time.Time
	refusals := 0
	expected := time.Second
	for _, r := range sim.Requests() {
		if r.Header.Get("User-Agent") != "client-test" {
			continue
		}
		times = append(times, r.Arrived)
		if n := len(times); refusals == n-1 && n > 1 {
			gap := times[n-1].Sub(times[n-2])
			if gap < expected*3/4 || gap > expected*5/4+time.Millisecond {
				t.Errorf("hold %d took %s, want %s or up to a quarter more or less", n-1, gap, expected)
			}
			expected *= 2
		}
		if r.Status == http.StatusTooManyRequests {
			refusals++
		}
	}
	if refusals < 3 {
		t.Errorf("there were %d refusals, too few to see waits grow", refusals)
	}
	if want := 40 + refusals; len(times) != want {
		t.Errorf("there were %d requests, want %d", len(times), want)
	}
}

func TestHoldOfServersChoice(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]http.HandlerFunc{
		"429": refuse(http.StatusTooManyRequests, "Rate Limit Exceeded", "7"),
		"400": refuse(http.StatusBadRequest, "Rate Limit Exceeded", "7"),
		"410": refuse(http.StatusGone, "Rate Limit Exceeded", "7"),
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{answers: []http.HandlerFunc{succeed, succeed, refusal, succeed}}
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

// After a time without refusals the next hold is a short one again.
func TestHoldsBeginSmallAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		no := refuse(http.StatusTooManyRequests, "", "")
		server := &script{answers: []http.HandlerFunc{no, no, no, succeed, no, succeed}}
		client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = 3 })
		wantSuccess(t, inTurn(2, func(int) error { return read1(t, client) })...)
		gaps := server.gaps()
		if gaps[2] < 3*time.Second {
			t.Errorf("the third hold in a row took %s, want about four seconds", gaps[2])
		}
		if gaps[4] > 1250*time.Millisecond {
			t.Errorf("the first hold after a success took %s, want about a second", gaps[4])
		}
	})
}

// Requests that were under way when the first of them was refused are refused as well: that is still one hold.
func TestRefusalsOfOneBunchAreOneHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 5, Latency: 2 * time.Second})
		client := newBubbleClient(t, sim, paced)
		wantSuccess(t, read1(t, client))
		sim.Forget()
		begun := time.Now()
		sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if time.Since(begun) > 3*time.Second {
				return false
			}
			refuse(http.StatusTooManyRequests, "", "")(w, r)
			return true
		})
		wantSuccess(t, together(5, func(i int) error {
			_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
			return err
		})...)
		times := arrivals(sim)
		if len(times) != 10 {
			t.Fatalf("there were %d requests, want 10", len(times))
		}
		// Refused after two seconds, and then held for about one.
		if wait := times[5].Sub(begun); wait < 2750*time.Millisecond || wait > 3250*time.Millisecond {
			t.Errorf("the first repetition came after %s", wait)
		}
	})
}

func TestCancellingEndsWaitsAtOnce(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("Terraform was interrupted")
	tests := map[string]struct {
		before int // Requests that are made first, so that the next one has to wait.
		answer http.HandlerFunc
	}{
		"for the spacing": {1, succeed},
		"for a permit":    {perSecond, succeed},
		"for a hold":      {1, refuse(http.StatusTooManyRequests, "", "60")},
		"for the answer":  {0, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, test.answer, paced, withToken, withoutRetries)
			inTurn(test.before, func(int) error { return read1(t, client) })
			ctx, cancel := context.WithCancelCause(t.Context())
			done := make(chan error)
			go func() {
				_, err := client.fetchFoneNumber(ctx, anyNumber)
				done <- err
			}()
			synctest.Wait()
			begun := time.Now()
			cancel(interrupted)
			err := <-done
			if !errors.Is(err, interrupted) || time.Since(begun) != 0 {
				t.Errorf("after %s came %v, want %v at once", time.Since(begun), err, interrupted)
			}
			wantWords(t, err, "read FoneNumber "+anyNumber)
		})
	}
}

// Who gives up waiting must leave its place to the others.
func TestCancelledWaitersDoNotUseUpTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, limited(simulator.SlidingWindow, 100))
		client := newBubbleClient(t, sim, paced)
		wantSuccess(t, read1(t, client))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan []error)
		go func() {
			done <- together(5*perSecond, func(int) error {
				_, err := client.fetchFoneNumber(ctx, anyNumber)
				return err
			})
		}()
		synctest.Wait()
		cancel()
		<-done
		sim.Forget()
		begun := time.Now()
		wantSuccess(t, together(perSecond, func(i int) error {
			_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
			return err
		})...)
		wantPeace(t, sim)
		if elapsed := time.Since(begun); elapsed > 3*time.Second {
			t.Errorf("ten requests took %s", elapsed)
		}
	})
}

// A deadline that is too close for the request's turn is one like any other.
func TestDeadlineBeforeTheTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newBubbleClient(t, http.HandlerFunc(succeed), paced, withToken)
		wantSuccess(t, read1(t, client))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := client.fetchFoneNumber(ctx, anyNumber)
		wantWords(t, err, "read FoneNumber "+anyNumber)
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "rate:") {
			t.Errorf("the error is %v, want that the deadline is exceeded", err)
		}
	})
}
