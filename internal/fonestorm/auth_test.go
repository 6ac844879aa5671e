package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// FracTEL's documents disagree about where the token is in the answer.
func TestLogInReadsEveryDialect(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"auth", "authorization", "token"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: simulator.Dialect{Auth: dialect}})
			client := newTestClient(t, sim)
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			wantSuccess(t, err)
			wantKinds(t, sim, map[string]int{"login": 1, "get": 1})

			login := sim.Requests()[0]
			if want := (url.Values{"username": {"demo"}, "password": {"demo-password"}}); !reflect.DeepEqual(login.Form, want) {
				t.Errorf("the login's form is %v, want %v", login.Form, want)
			}
			if got := login.Header.Get("Content-Type"); login.Method != http.MethodPost || got != "application/x-www-form-urlencoded" {
				t.Errorf("the login is a %s of %s", login.Method, got)
			}
			if got := login.Header.Values("token"); len(got) != 0 {
				t.Errorf("the login carries the token %q", got)
			}
		})
	}
}

func TestManyCallersLogInOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 50, Latency: 50 * time.Millisecond})
		client := newBubbleClient(t, sim)
		wantSuccess(t, together(50, func(i int) error {
			_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
			return err
		})...)
		wantKinds(t, sim, map[string]int{"login": 1, "get": 50})
	})
}

func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 50 * time.Millisecond})
		client := newBubbleClient(t, sim)
		_, err := client.fetchFoneNumber(t.Context(), anyNumber)
		wantSuccess(t, err)
		sim.ExpireTokens()
		old := client.session.current
		sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			// The refusal of one token reaches its caller long after the others have renewed it.
			if r.URL.Path == "/v2/fonenumbers/"+numberAt(7) && r.Header.Get("token") == old {
				time.Sleep(10 * time.Second)
			}
			return false
		})
		sim.Forget()
		wantSuccess(t, together(20, func(i int) error {
			_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
			return err
		})...)
		wantKinds(t, sim, map[string]int{"login": 1, "get": 40})
	})
}

// FracTEL might lock an account whose password is wrong too often.
func TestRefusedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Latency: 50 * time.Millisecond})
				sim.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
					respond(w, status, envelopeOf(status, "Invalid username or password."))
					return true
				})
				client := newBubbleClient(t, sim)
				failures := together(30, func(i int) error {
					_, err := client.GetFoneNumber(t.Context(), numberAt(i))
					return err
				})
				_, later := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
				for _, err := range append(failures, later) {
					wantError(t, err, status)
					wantWords(t, err, "logging in", "Invalid username or password.")
				}
				wantKinds(t, sim, map[string]int{"login": 1})
			})
		})
	}
}

func TestRefusedRenewalIsNotRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 50 * time.Millisecond})
		client := newBubbleClient(t, sim)
		_, err := client.fetchFoneNumber(t.Context(), anyNumber)
		wantSuccess(t, err)
		sim.ExpireTokens()
		sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v2/auth" {
				return false
			}
			respond(w, http.StatusUnauthorized, envelopeOf(http.StatusUnauthorized, "The password was changed."))
			return true
		})
		for range 2 {
			for _, err := range together(20, func(i int) error {
				_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
				return err
			}) {
				wantError(t, err, http.StatusUnauthorized)
				wantWords(t, err, "logging in", "The password was changed.")
			}
		}
		logins := 0
		for _, r := range sim.Requests() {
			if r.Kind() == "login" {
				logins++
			}
		}
		if logins != 2 {
			t.Errorf("there were %d logins, want the first and one renewal", logins)
		}
	})
}

// Other failures of a login say nothing about the password.
func TestFailedLoginIsTriedAgainByTheNextCall(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim, withoutRetries)
	sim.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		respond(w, http.StatusServiceUnavailable, envelopeOf(http.StatusServiceUnavailable, "Maintenance"))
		return true
	})
	_, err := client.GetFoneNumber(t.Context(), anyNumber)
	wantError(t, err, http.StatusServiceUnavailable)
	sim.Intercept(nil)
	_, err = client.GetFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	wantKinds(t, sim, map[string]int{"login": 2, "get": 1})
}

// A token that is refused as soon as it was issued must not make the client log in for ever.
func TestNewTokenThatIsRefused(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim)
	sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/auth" && len(sim.Requests()) < 20 { // Enough to see that it does not end.
			sim.ExpireTokens()
		}
		return false
	})
	_, err := client.fetchFoneNumber(t.Context(), anyNumber)
	wantError(t, err, http.StatusUnauthorized)
	wantWords(t, err, "reading FoneNumber "+anyNumber)
	wantKinds(t, sim, map[string]int{"login": 2, "get": 2})
}

// The attempt with a new token is one more; others that failed before still count.
func TestRenewalCostsNoRetry(t *testing.T) {
	t.Parallel()
	for before := range 3 {
		inBubble(t, fmt.Sprint("after failures: ", before), func(t *testing.T) {
			failing, expired := refuse(http.StatusBadGateway, "later", ""), refuse(http.StatusUnauthorized, "expired", "")
			answers := append([]http.HandlerFunc{logIn}, slices.Repeat([]http.HandlerFunc{failing}, before)...)
			server := &script{answers: append(answers, expired, logIn, failing)}
			client := newBubbleClient(t, server, func(c *Config) { c.MaxRetries = 2 })
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantError(t, err, http.StatusBadGateway)
			const attempts = 1 + 2 + 1 // The first, two retries, and the one with a token that was refused.
			wantAttempts(t, err, attempts)
			if got := len(server.arrived) - 2; got != attempts {
				t.Errorf("it was sent %d times, want %d", got, attempts)
			}
		})
	}
}

func TestGivenTokenIsNeverRenewed(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim, withToken) // The configuration has a user name and a password as well.
	for range 2 {
		_, err := client.fetchFoneNumber(t.Context(), anyNumber)
		wantError(t, err, http.StatusUnauthorized)
	}
	wantKinds(t, sim, map[string]int{"get": 2})
}

func TestGivenTokenIsUsed(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	first := newTestClient(t, sim)
	_, err := first.fetchFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	second := newTestClient(t, sim, func(c *Config) { c.Token = first.session.current })
	_, err = second.fetchFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	wantKinds(t, sim, map[string]int{"login": 1, "get": 2})
}

// Terraform may cancel one resource while others still wait for the same login.
func TestCancelledWaiterLeavesTheLoginToTheOthers(t *testing.T) {
	t.Parallel()
	for quitter, who := range []string{"the one who began it", "one who joined it"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim := newSimulator(t, simulator.Options{FoneNumbers: 2, Latency: time.Second})
				client := newBubbleClient(t, sim)
				ctx, cancel := context.WithCancelCause(t.Context())
				done := [2]chan error{make(chan error), make(chan error)}
				begun := time.Now()
				for i := range done {
					of := t.Context()
					if i == quitter {
						of = ctx
					}
					go func() {
						_, err := client.fetchFoneNumber(of, numberAt(i))
						done[i] <- err
					}()
					synctest.Wait() // So that the first one is first.
				}
				why := errors.New("it is not needed any more")
				cancel(why)
				if err := <-done[quitter]; !errors.Is(err, why) {
					t.Errorf("who was cancelled got %v, want %v", err, why)
				}
				if waited := time.Since(begun); waited != 0 {
					t.Errorf("who was cancelled waited %s all the same", waited)
				}
				wantSuccess(t, <-done[1-quitter])
				wantKinds(t, sim, map[string]int{"login": 1, "get": 1})
			})
		})
	}
}

func TestLogInWithoutToken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body  string
		words []string
	}{
		"no token":    {`{"auth":{"user":"demo"}}`, []string{"it holds no token"}},
		"empty token": {`{"token":"","authorization":{"token":""}}`, []string{"it holds no token"}},
		"wrong types": {`{"auth":{"token":{"jwt":"abc"}}}`, []string{`member "auth.token"`, "JSON object"}},
		"cut off":     {`{"auth":{"token":"abc`, []string{"it is cut off"}},
		"a web page":  {"<html><title>Sign in to the Wi-Fi</title>", []string{`HTML page titled "Sign in to the Wi-Fi"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, answering(http.StatusCreated, test.body), withoutRetries)
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			wantAnswerError(t, err)
			wantWords(t, err, append(test.words, "logging in")...)
			if strings.Contains(err.Error(), "abc") {
				t.Errorf("the error shows what may be a token: %s", err)
			}
		})
	}
}
