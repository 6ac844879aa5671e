package fonestorm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// FracTEL's documents show the token in different places.
func TestLogInReadsEveryForm(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"auth", "authorization"} {
		for _, kind := range []string{"jwt", "opaque"} {
			t.Run(form+" "+kind, func(t *testing.T) {
				t.Parallel()
				sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: simulator.Dialect{LoginMember: form, OpaqueTokens: kind == "opaque"}})
				client := newTestClient(t, sim)
				get(t, client, anyNumber)
				wantBodies(t, sim, map[string]int{"login json": 1, "get": 1})

				login := sim.Requests()[0]
				if want := (url.Values{"username": {"demo"}, "password": {"demo-password"}, "expires": {"3600"}}); !reflect.DeepEqual(login.Form, want) {
					t.Errorf("the login's parameters are %v, want %v", login.Form, want)
				}
				if got := login.Header.Values("token"); len(got) != 0 {
					t.Errorf("the login has the token %q", got)
				}
				wantAccount := map[string]string{"jwt": "1000000001", "opaque": ""}[kind]
				if got := client.Account(); got != wantAccount {
					t.Errorf("the account is %q, want %q", got, wantAccount)
				}
			})
		}
	}
}

func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 50 * time.Millisecond})
		client := newBubbleClient(t, sim)
		wantSuccess(t, fetch(t.Context(), client, anyNumber))
		sim.ExpireTokens()
		old := client.tokens.current.text
		sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			// One caller learns that its token was rejected long after the others have renewed it.
			if r.URL.Path == "/v2/fonenumbers/"+numberAt(7) && r.Header.Get("token") == old {
				time.Sleep(10 * time.Second)
			}
			return false
		})
		sim.Forget()
		fetchAll(t, client, 20)
		wantRequests(t, sim, map[string]int{"login": 1, "get": 40})
	})
}

// FracTEL may lock an account after too many wrong passwords.
func TestRejectedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for status, requests := range map[int]int{401: 1, 403: 1, 400: 2, 422: 2} { // 400 and 422 may be about the encoding, so the login is also sent as a form.
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Latency: 50 * time.Millisecond})
			sim.Intercept(instead(rejectWith(status, "Invalid username or password.", "")))
			client := newBubbleClient(t, sim)
			failures := together(30, func(i int) error { return read(t.Context(), client, numberAt(i)) })
			_, later := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
			for _, err := range append(failures, later) {
				wantKind(t, wantStatus(t, err, status), AuthenticationFailed)
				wantWords(t, err, "log in", "Invalid username or password.")
				if MayHaveTakenEffect(err) {
					t.Error("the setting may have taken effect")
				}
			}
			wantRequests(t, sim, map[string]int{"login": requests})

			sim.Intercept(nil) // The same for a renewal.
			client = newBubbleClient(t, sim)
			wantSuccess(t, read1(t, client))
			sim.ExpireTokens()
			sim.Forget()
			sim.Intercept(interceptPath("/auth", instead(rejectWith(401, "The password was changed.", ""))))
			for range 2 {
				wantWords(t, read1(t, client), "log in", "The password was changed.")
			}
			wantRequests(t, sim, map[string]int{"login": 1, "get": 1})
		})
	}
}

// Other failures of a login are not about the password.
func TestFailedLoginIsTriedAgainByTheNextCall(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim, withoutRetries)
	sim.Intercept(instead(respondWith(http.StatusServiceUnavailable, "<html>")))
	wantWords(t, read1(t, client), "log in", "POST http://127.0.0.1:", "/v2/auth returned 503 Service Unavailable")
	sim.Intercept(nil)
	wantSuccess(t, read1(t, client))
	wantRequests(t, sim, map[string]int{"login": 2, "get": 1})
}

// If a new token is rejected at once, the client must not log in forever.
func TestNewTokenThatIsRejected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
		client := newBubbleClient(t, sim)
		injectInto(sim, "get", simulator.TokenRejected)
		err := read1(t, client)
		wantKind(t, err, AuthenticationFailed)
		wantWords(t, err, "read FoneNumber "+anyNumber)
		wantRequests(t, sim, map[string]int{"login": 2, "get": 2})
	})
}

// The attempt with a renewed token does not count as a retry; earlier failures do.
func TestRenewalIsNotARetry(t *testing.T) {
	t.Parallel()
	for before := range 3 {
		inBubble(t, fmt.Sprint("after failures: ", before), func(t *testing.T) {
			failing, expired := rejectWith(http.StatusBadGateway, "later", ""), rejectWith(http.StatusUnauthorized, "expired", "")
			responses := append([]http.HandlerFunc{acceptLogin}, slices.Repeat([]http.HandlerFunc{failing}, before)...)
			server := &script{responses: append(responses, expired, acceptLogin, failing)}
			client := newBubbleClient(t, server, func(c *Config) { c.MaxRetries = 2 })
			_, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantStatus(t, err, http.StatusBadGateway)
			const attempts = 1 + 2 + 1 // The first, two retries, and the one with the rejected token.
			wantAttempts(t, err, attempts)
			if got := len(server.arrived) - 2; got != attempts {
				t.Errorf("sent %d times, want %d", got, attempts)
			}
		})
	}
}

func TestConfiguredTokenIsNeverRenewed(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	first := newTestClient(t, sim)
	wantSuccess(t, read1(t, first))
	second := newTestClient(t, sim, func(c *Config) { c.Token = first.tokens.current.text }) // In addition to a username and a password.
	wantSuccess(t, read1(t, second))
	sim.ExpireTokens()
	for range 2 {
		wantStatus(t, read1(t, second), http.StatusUnauthorized)
	}
	wantRequests(t, sim, map[string]int{"login": 1, "get": 4})
}

func TestLogInWithoutToken(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no token":      `{"auth":{"user":"demo"}}`,
		"empty token":   `{"token":"","authorization":{"token":""}}`,
		"wrong types":   `{"auth":{"token":{"jwt":"abc123"}}}`,
		"only text":     `"abc123"`,
		"bare":          `abc123`,
		"a list":        `[{"token":"abc123"}]`,
		"another name":  `{"auth":{"jwt":"abc123"}}`,
		"a line break":  `{"auth":{"token":"abc123\r\n x"}}`,
		"cut off":       `{"auth":{"token":"abc123`,
		"a web page":    "<html><title>abc123</title>",
		"two documents": `{"auth":{"token":"abc123"}}{}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newBubbleClient(t, respondWith(http.StatusCreated, body), withoutRetries)
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			wantKind(t, err, UnexpectedResponse)
			wantWords(t, err, "could not log in", "contains no token")
			if strings.Contains(err.Error(), "abc123") {
				t.Errorf("the error shows what may be a token: %s", err)
			}
		})
	}
}

// jwt returns a token with this payload.
func jwt(payload string) string {
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
}

// The lifetime comes from the token and does not depend on FoneStorm's clock.
func TestTokenIsRenewedShortlyBeforeItExpires(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		issued   int64 // On FoneStorm's clock.
		lifetime time.Duration
		renewed  time.Duration // When the next call renews it.
	}{
		"an hour":             {946684800, time.Hour, time.Hour - time.Minute},
		"its clock is ahead":  {4102444800, time.Hour, time.Hour - time.Minute},
		"its clock is behind": {1000, time.Hour, time.Hour - time.Minute},
		"a short life":        {946684800, 100 * time.Second, 90 * time.Second},
		"a very short life":   {946684800, time.Second, 900 * time.Millisecond},
		"no time of issue":    {0, 90 * time.Second, 81 * time.Second},
	} {
		inBubble(t, name, func(t *testing.T) {
			logins := 0
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kindOf(r) != "login" {
					succeed(w, r)
					return
				}
				logins++
				respond(w, http.StatusCreated, fmt.Sprintf(`{"auth":{"token":%q}}`,
					jwt(fmt.Sprintf(`{"iat":%d,"exp":"%d.0","n":%d}`, test.issued, test.issued+int64(test.lifetime.Seconds()), logins))))
			}))
			wantSuccess(t, read1(t, client))
			time.Sleep(test.renewed - 20*time.Millisecond) // Reads take a few milliseconds.
			wantSuccess(t, read1(t, client))
			if logins != 1 {
				t.Fatalf("before %s there were %d logins, want one", test.renewed, logins)
			}
			time.Sleep(20 * time.Millisecond)
			wantSuccess(t, read1(t, client))
			if logins != 2 {
				t.Fatalf("after %s there were %d logins, want two", test.renewed, logins)
			}
		})
	}
}

// A token of unknown lifetime is used until FoneStorm rejects it, and then renewed at once.
func TestOpaqueTokenIsRenewedWhenItIsRejected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 1, Dialect: simulator.Dialect{OpaqueTokens: true}})
		client := newBubbleClient(t, sim)
		wantSuccess(t, read1(t, client))
		time.Sleep(time.Hour - time.Second)
		wantSuccess(t, read1(t, client))
		wantRequests(t, sim, map[string]int{"login": 1, "get": 2})
		time.Sleep(time.Second)
		begun := time.Now()
		wantSuccess(t, read1(t, client))
		wantRequests(t, sim, map[string]int{"login": 2, "get": 4})
		if waited := time.Since(begun); waited > 10*time.Millisecond {
			t.Errorf("the renewal waited %s", waited)
		}
	})
}

// Tokens that are rejected early are renewed as often as other failures are retried, with growing waits.
func TestTokenThatIsRepeatedlyInvalidated(t *testing.T) {
	t.Parallel()
	for _, retries := range []int{0, 1, 4} {
		inBubble(t, fmt.Sprint(retries), func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
			client := newBubbleClient(t, sim, func(c *Config) { c.MaxRetries = retries })
			wantSuccess(t, read1(t, client))
			sim.Forget()
			injectInto(sim, "get", simulator.TokenRejected)
			err := read1(t, client)
			wantKind(t, err, AuthenticationFailed)
			renewals := max(1, retries)
			wantRequests(t, sim, map[string]int{"login": renewals, "get": 1 + renewals})
			logins := arrivals(sim, "login")
			expected := 2 * time.Second // The first wait is one second.
			for i := 1; i < len(logins); i++ {
				if gap := logins[i].Sub(logins[i-1]); gap < expected*3/4 || gap > expected*5/4+10*time.Millisecond {
					t.Errorf("login %d came %s after the one before, want %s or a quarter more or less", i+1, gap, expected)
				}
				expected *= 2
			}
			// The next call succeeds.
			sim.Intercept(nil)
			wantSuccess(t, read1(t, client))
		})
	}
}

// A login may invalidate earlier tokens. Even then, two concurrent programs must both finish.
func TestTwoClientsThatInvalidateEachOthersTokens(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]func(*Config){"account": {}, "subaccount": {withSubaccount}} {
		inBubble(t, name, func(t *testing.T) {
			const n = 100
			sim := newSimulator(t, simulator.Options{Latency: 100 * time.Millisecond, Subaccounts: []string{subaccount}})
			sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
				if kindOf(r) == "login" {
					sim.ExpireTokens()
				}
				return false
			})
			for i := range n {
				f := simulator.FoneNumber{Number: numberAt(i)}
				if len(changes) > 0 {
					f.Subaccount = subaccount
				}
				sim.Put(f)
			}
			changes = append(changes, paced, func(c *Config) { c.MaxRetries = DefaultMaxRetries })
			clients := [2]*Client{newBubbleClient(t, sim, changes...), newBubbleClient(t, sim, changes...)}
			begun := time.Now()
			wantSuccess(t, together(2*10, func(worker int) error { // Terraform's default parallelism.
				for i := worker / 2; i < n; i += 10 {
					if _, err := clients[worker%2].SetDelivery(t.Context(), numberAt(i), forwardTo("3215551111")); err != nil {
						return err
					}
				}
				return nil
			})...)
			if took := time.Since(begun); took > 5*time.Minute {
				t.Errorf("took %s", took)
			}
			if logins := len(arrivals(sim, "login")); logins < 3 {
				t.Errorf("there were %d logins, so that no token was ended", logins)
			}
		})
	}
}

// The login's token can be invalidated before it is exchanged for the subaccount's.
func TestSubaccountWhoseLoginWasInvalidated(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{Subaccounts: []string{subaccount}})
		sim.Put(simulator.FoneNumber{Number: anyNumber, Subaccount: subaccount})
		rejected := false
		sim.Inject(func(r *http.Request) simulator.Fault {
			if kindOf(r) == "subaccount" && !rejected {
				rejected = true
				return simulator.TokenRejected
			}
			return ""
		})
		client := newBubbleClient(t, sim, withSubaccount)
		get(t, client, anyNumber)
		wantRequests(t, sim, map[string]int{"login": 2, "subaccount": 2, "get": 1})

		sim.Forget()
		sim.ExpireTokens()
		injectInto(sim, "subaccount", simulator.TokenRejected)
		wantKind(t, read1(t, client), AuthenticationFailed)
		wantRequests(t, sim, map[string]int{"login": 3, "subaccount": 3, "get": 1}) // As many as the retries of other requests.

		sim.Forget()
		ctx, cancel := context.WithCancel(t.Context())
		client = newBubbleClient(t, sim, withSubaccount)
		done := begin(func() error { return fetch(ctx, client, anyNumber) })
		time.Sleep(100 * time.Millisecond) // It is waiting to log in again.
		cancel()
		wantKind(t, <-done, Canceled)
		wantRequests(t, sim, map[string]int{"login": 1, "subaccount": 1})
	})
}

func TestSubaccount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 3, Subaccounts: []string{subaccount}})
		sim.Put(simulator.FoneNumber{Number: "3215559999", Subaccount: subaccount})
		client := newBubbleClient(t, sim, withSubaccount)
		_, err := client.GetFoneNumber(t.Context(), anyNumber) // A FoneNumber of the parent account.
		wantKind(t, err, NotFound)
		get(t, client, "3215559999")
		wantSuccess(t, set(t.Context(), client, "3215559999", forwardTo("3215551111")))
		if got := client.Account(); got != subaccount {
			t.Errorf("the account is %q, want %q", got, subaccount)
		}
		time.Sleep(time.Hour - time.Minute) // Both tokens are renewed.
		_, err = client.tokens.token(t.Context(), nil)
		wantSuccess(t, err)
		wantRequests(t, sim, map[string]int{"login": 2, "subaccount": 2, "get": 1, "list": 1, "set": 1})
		for _, r := range sim.Requests() {
			if kind := r.Kind(); kind != "login" && kind != "subaccount" && r.Account != subaccount {
				t.Errorf("%s %s used a token of account %q", r.Method, r.Path, r.Account)
			}
		}
	})
}

func TestRejectedSubaccountIsNotRepeated(t *testing.T) {
	t.Parallel()
	for status, requests := range map[int]int{403: 1, 404: 1, 400: 2, 422: 2} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
			sim.Intercept(interceptPath("/subaccounts/token", instead(rejectWith(status, "The subaccount was not found.", ""))))
			client := newBubbleClient(t, sim, withSubaccount)
			for _, err := range together(20, func(i int) error { return read(t.Context(), client, numberAt(i)) }) {
				wantKind(t, err, SubaccountRejected)
				wantWords(t, err, "get a token for subaccount "+subaccount, "The subaccount was not found.")
			}
			wantKind(t, read1(t, client), SubaccountRejected)
			wantRequests(t, sim, map[string]int{"login": 1, "subaccount": requests})
		})
	}
}

// An uncertain call stays uncertain, whatever happens to the login after it.
func TestCancelledLoginAfterAnUncertainSetting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{
			acceptLogin, succeed, rejectWith(http.StatusBadGateway, "later", ""), rejectWith(http.StatusUnauthorized, "expired", ""), neverRespond,
		}}
		client := newBubbleClient(t, server)
		wantSuccess(t, read1(t, client))
		ctx, cancel := context.WithCancelCause(t.Context())
		done := begin(func() error { return set(ctx, client, anyNumber, Delivery{Type: None}) })
		time.Sleep(10 * time.Second) // The login gets no response.
		why := errors.New("Terraform was interrupted")
		cancel(why)
		err := <-done
		wantKind(t, err, Canceled)
		wantWords(t, err, "set the delivery of FoneNumber "+anyNumber, why.Error())
		if !errors.Is(err, why) || !MayHaveTakenEffect(err) {
			t.Errorf("the setting may have taken effect before %v: %v", why, err)
		}
	})
}
