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
	"sync"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// jwt returns a token with this payload.
func jwt(payload string) string {
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim)
	if got := client.Account(); got != "" {
		t.Errorf("before the login the account is %q", got)
	}
	get(t, client, anyNumber)
	wantBodies(t, sim, map[string]int{"login json": 1, "get": 1})
	login := sim.Requests()[0]
	if want := (url.Values{"username": {"demo"}, "password": {"demo-password"}, "expires": {"3600"}}); !reflect.DeepEqual(login.Form, want) {
		t.Errorf("the login's parameters are %v, want %v", login.Form, want)
	}
	if got := login.Header.Values("token"); len(got) != 0 {
		t.Errorf("the login has the token %q", got)
	}
	if got := client.Account(); got != "1000000001" {
		t.Errorf("the account is %q", got)
	}
}

// All calls share one login and, when the token expires, one renewal, which waits for nothing.
func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 50 * time.Millisecond})
		client := newBubbleClient(t, sim, withoutRetries)
		fetchAll(t, client, 20)
		wantRequests(t, sim, map[string]int{"login": 1, "get": 20})
		sim.ExpireTokens()
		late := sim.Requests()[1].Header.Get("token")
		sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			// One caller learns that its token was rejected long after the others have renewed it.
			if r.URL.Path == "/v2/fonenumbers/"+numberAt(7) && r.Header.Get("token") == late {
				time.Sleep(10 * time.Second)
			}
			return false
		})
		sim.Forget()
		begun := time.Now()
		fetchAll(t, client, 20)
		wantRequests(t, sim, map[string]int{"login": 1, "get": 40})
		if took := time.Since(begun); took > 10500*time.Millisecond {
			t.Errorf("took %s", took)
		}
		if client.Account() != "1000000001" {
			t.Errorf("the account is %q", client.Account())
		}
	})
}

// The first renewal of a call is free, further ones use up the retries. Earlier failures count as well.
func TestRenewals(t *testing.T) {
	t.Parallel()
	failing, expired := rejectWith(http.StatusBadGateway, "later", ""), rejectWith(http.StatusUnauthorized, "Expired.", "")
	for name, test := range map[string]struct {
		responses []http.HandlerFunc // After the login.
		attempts  int
		status    int
	}{
		"rejected each time":       {[]http.HandlerFunc{expired, acceptLogin, expired, acceptLogin, expired, acceptLogin, expired}, 4, 401},
		"fails after the renewal":  {[]http.HandlerFunc{expired, acceptLogin, failing}, 4, 502},
		"fails before the renewal": {[]http.HandlerFunc{failing, failing, expired, acceptLogin, failing}, 4, 502},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: append([]http.HandlerFunc{acceptLogin}, test.responses...)}
			err := read1(t, newBubbleClient(t, server))
			wantStatus(t, err, test.status)
			wantAttempts(t, err, test.attempts)
			if test.status == 401 {
				wantKind(t, err, AuthenticationFailed)
				wantWords(t, err, "read FoneNumber "+anyNumber, "Expired.")
			}
		})
	}
}

// A login may end the tokens of earlier ones. Even then, two concurrent programs both finish.
func TestTwoClientsThatEndEachOthersTokens(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]func(*Config){"account": {}, "subaccount": {withSubaccount}} {
		inBubble(t, name, func(t *testing.T) {
			var mu sync.Mutex
			var logins int
			valid := map[string]bool{}
			server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				if kindOf(r) == "login" {
					logins++
					valid = map[string]bool{fmt.Sprint("user ", logins): true}
					respond(w, http.StatusCreated, fmt.Sprintf(`{"auth":{"token":"user %d"}}`, logins))
					return
				}
				if !valid[r.Header.Get("token")] {
					rejectWith(http.StatusUnauthorized, "ended", "")(w, r)
					return
				}
				if kindOf(r) == "subaccount" {
					valid[fmt.Sprint("sub ", logins)] = true
					respond(w, http.StatusOK, fmt.Sprintf(`{"subaccount":{"token":"sub %d"}}`, logins))
					return
				}
				succeed(w, r)
			})
			changes = append(changes, paced, func(c *Config) { c.MaxRetries = DefaultMaxRetries })
			clients := [2]*Client{newBubbleClient(t, server, changes...), newBubbleClient(t, server, changes...)}
			begun := time.Now()
			wantSuccess(t, together(2*10, func(worker int) error { // Terraform's default parallelism.
				for range 10 {
					if err := set(t.Context(), clients[worker%2], anyNumber, Delivery{Type: None}); err != nil {
						return err
					}
				}
				return nil
			})...)
			t.Logf("%d logins in %s", logins, time.Since(begun))
			if took := time.Since(begun); took > 5*time.Minute || logins < 3 {
				t.Errorf("took %s and %d logins", took, logins)
			}
		})
	}
}

// FracTEL may lock an account after too many wrong passwords.
func TestRejectedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for status, requests := range map[int]int{401: 1, 403: 1, 400: 2, 422: 2} { // 400 and 422 may be about the encoding, so the login is also sent as a form.
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{rejectWith(status, "Invalid username or password.", "")}}
			client := newBubbleClient(t, server)
			failures := together(30, func(i int) error { return read(t.Context(), client, numberAt(i)) })
			failures = append(failures, set(t.Context(), client, anyNumber, Delivery{Type: None}))
			for _, err := range failures {
				wantKind(t, wantStatus(t, err, status), AuthenticationFailed)
				wantWords(t, err, "log in", "Invalid username or password.")
				if MayHaveTakenEffect(err) {
					t.Error("the setting may have taken effect")
				}
			}
			if n := server.count(); n != requests {
				t.Errorf("there were %d requests, want %d", n, requests)
			}
			server = &script{responses: []http.HandlerFunc{ // The same for a renewal.
				acceptLogin, succeed, rejectWith(401, "Expired.", ""), rejectWith(status, "The password was changed.", ""),
			}}
			client = newBubbleClient(t, server)
			wantSuccess(t, read1(t, client))
			for range 2 {
				wantWords(t, read1(t, client), "log in", "The password was changed.")
			}
			if n := server.count(); n != 4 {
				t.Errorf("there were %d requests, want 4", n)
			}
		})
	}
}

// Other failures of a login are not about the password.
func TestFailedLoginIsTriedAgainByTheNextCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{respondWith(http.StatusServiceUnavailable, "<html>"), acceptLogin, succeed}}
		client := newBubbleClient(t, server, withoutRetries)
		wantWords(t, read1(t, client), "log in", "POST https://fonestorm.test/v2/auth returned 503 Service Unavailable")
		wantSuccess(t, read1(t, client))
	})
}

// A configured token is never renewed, even if there is a username. If it says that it has expired, nothing is sent.
func TestConfiguredToken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		expires := time.Now().Add(time.Hour)
		token := jwt(fmt.Sprintf(`{"account":{"id":"1000000001"},"exp":%d}`, expires.Unix()))
		server := &script{responses: []http.HandlerFunc{succeed, rejectWith(http.StatusUnauthorized, "Not valid.", "")}}
		client := newBubbleClient(t, server, func(c *Config) { c.Token = token })
		if got := client.Account(); got != "1000000001" {
			t.Errorf("the account is %q", got)
		}
		wantSuccess(t, read1(t, client))
		err := read1(t, client)
		wantKind(t, wantStatus(t, err, http.StatusUnauthorized), TokenRejected)
		wantWords(t, err, "FoneStorm returned 401 Unauthorized: Not valid.")
		time.Sleep(time.Hour)
		err = read1(t, client)
		wantKind(t, err, TokenRejected)
		wantWords(t, err, "could not read FoneNumber "+anyNumber+": the token expired at 2000-01-01 01:00 UTC") // By the fake clock.
		if n := server.count(); n != 2 {
			t.Errorf("there were %d requests, want 2", n)
		}
	})
}

func TestReadClaims(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token string
		want  claims
	}{
		"FracTEL's example": {jwt(`{"account":{"id":"1000000001"},"portal":{"token":"x"},"iat":1000,"exp":4600}`), claims{"1000000001", time.Unix(4600, 0).UTC()}},
		"account as number": {jwt(`{"account":{"id":1000000001}}`), claims{account: "1000000001"}},
		"account as array":  {jwt(`{"account":[],"exp":"4600"}`), claims{expires: time.Unix(4600, 0).UTC()}},
		"no number":         {jwt(`{"exp":"soon"}`), claims{}},
		"not an object":     {jwt(`[]`), claims{}},
		"damaged":           {jwt(`{"account":`), claims{}},
		"not base64":        {"a.!.c", claims{}},
		"padded":            {"a.eyJpYXQiOjAsImV4cCI6MX0=.c", claims{expires: time.Unix(1, 0).UTC()}},
		"opaque":            {"abc", claims{}},
	} {
		if got := readClaims(test.token); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

// A caller whose context ends stops waiting for the login. If it was the one that logged in, the others log in again.
func TestCanceledLogin(t *testing.T) {
	t.Parallel()
	for _, first := range []bool{true, false} {
		inBubble(t, fmt.Sprint("the first caller: ", first), func(t *testing.T) {
			sim := newSimulator(t, slow(2))
			client := newBubbleClient(t, sim)
			ctx, cancel := contextWithCause(t)
			callers := [2]context.Context{t.Context(), ctx}
			if first {
				slices.Reverse(callers[:])
			}
			early := begin(func() error { return fetch(callers[0], client, anyNumber) })
			time.Sleep(100 * time.Millisecond)
			late := begin(func() error { return fetch(callers[1], client, anyNumber) })
			time.Sleep(100 * time.Millisecond)
			why := errors.New("no longer needed")
			cancel(why)
			canceled, other, logins := early, late, 2
			if !first {
				canceled, other, logins = late, early, 1
			}
			if err := <-canceled; KindOf(err) != Canceled || !errors.Is(err, why) {
				t.Errorf("the error is %v", err)
			}
			wantSuccess(t, <-other)
			wantRequests(t, sim, map[string]int{"login": logins, "get": 1})
		})
	}
}

// With a subaccount, all calls act on it. The login is repeated if its token is rejected before it is exchanged.
func TestSubaccount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		user, sub := jwt(`{"account":{"id":"1000000001"}}`), jwt(`{"account":{"id":"2000000002"}}`)
		logIn := respondWith(http.StatusCreated, `{"auth":{"token":"`+user+`"}}`)
		expired := rejectWith(http.StatusUnauthorized, "expired", "")
		server := &script{}
		check := func(token string, next http.HandlerFunc) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("token"); got != token {
					t.Errorf("request %d has the token %q, want %q", len(server.arrived), got, token)
				}
				next(w, r)
			}
		}
		exchange := check(user, respondWith(http.StatusOK, `{"subaccount":{"token":"`+sub+`"}}`))
		server.responses = []http.HandlerFunc{
			check("", logIn), check(user, expired), check("", logIn), exchange, check(sub, succeed), // At first.
			check(sub, expired), check(user, expired), check("", logIn), exchange, check(sub, succeed), // Later.
		}
		client := newBubbleClient(t, server, withSubaccount, withoutRetries)
		for range 2 {
			wantSuccess(t, read1(t, client))
			if got := client.Account(); got != "2000000002" {
				t.Errorf("the account is %q", got)
			}
		}
		if n := server.count(); n != 10 {
			t.Errorf("there were %d requests, want 10", n)
		}
	})
}

func TestRejectedSubaccountIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 422} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{acceptLogin, rejectWith(status, "The subaccount was not found.", "")}}
			client := newBubbleClient(t, server, withSubaccount)
			for _, err := range append(together(20, func(i int) error { return read(t.Context(), client, numberAt(i)) }), read1(t, client)) {
				wantKind(t, err, SubaccountRejected)
				wantWords(t, err, "get a token for subaccount "+subaccount, "The subaccount was not found.")
			}
			if n := server.count(); n != 2 {
				t.Errorf("there were %d requests, want 2", n)
			}
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
		ctx, cancel := contextWithCause(t)
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
