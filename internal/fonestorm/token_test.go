package fonestorm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// jwt returns a token with this payload.
func jwt(payload string) string {
	return "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
}

// issue returns a handler that responds to a login or a subaccount with this token.
func issue(token string) http.HandlerFunc {
	return respondWith(http.StatusCreated, fmt.Sprintf(`{"auth":{"token":%q}}`, token))
}

// Without a subaccount and with one, whose token all other calls use. Rejected tokens are renewed, also if that happens before the
// user's token is exchanged for the subaccount's.
func TestLogIn(t *testing.T) {
	t.Parallel()
	const login = `{"expires":3600,"password":"demo-password","username":"demo"}`
	user, sub := jwt(`{"account":{"id":"1000000001"}}`), jwt(`{"account":{"id":"2000000002"}}`)
	expired := rejectWith(http.StatusUnauthorized, "expired", "")
	for account, test := range map[string]struct {
		change    func(*Config)
		responses []http.HandlerFunc
		calls     string
		tokens    []string
	}{
		"1000000001": {
			withoutRetries,
			[]http.HandlerFunc{issue(user), respondTo("ok"), expired, issue(user), respondTo("ok")},
			"login json, get, get, login json, get",
			[]string{"", user, user, "", user},
		},
		"2000000002": {
			withSubaccount,
			[]http.HandlerFunc{
				issue(user), expired, issue(user), issue(sub), respondTo("ok"), // At first.
				expired, expired, issue(user), issue(sub), respondTo("ok"), // Later.
			},
			"login json, subaccount json, login json, subaccount json, get, get, subaccount json, login json, subaccount json, get",
			[]string{"", user, "", user, sub, sub, user, "", user, sub},
		},
	} {
		inBubble(t, account, func(t *testing.T) {
			server := newScript(test.responses...)
			client := newClient(t, server, withoutRetries, test.change)
			if got := client.Account(); got != "" {
				t.Errorf("before the login the account is %q", got)
			}
			for range 2 {
				wantSuccess(t, fetch(t.Context(), client))
				if got := client.Account(); got != account {
					t.Errorf("the account is %q", got)
				}
			}
			server.wantCalls(t, test.calls)
			if !slices.Equal(server.tokens, test.tokens) || server.bodies[0] != login {
				t.Errorf("the tokens were %q, want %q; the login was %s", server.tokens, test.tokens, server.bodies[0])
			}
			if exchange := slices.Index(server.calls, "subaccount json"); exchange > 0 && server.bodies[exchange] != `{"subaccount":"2000000002"}` {
				t.Errorf("the subaccount was requested with %s", server.bodies[exchange])
			}
		})
	}
}

// All calls share one login and, when the token expires, one renewal, which waits for nothing.
func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var expired bool
		var rejected atomic.Int32
		server := newScript(func(w http.ResponseWriter, r *http.Request) {
			switch token := r.Header.Get("token"); {
			case token == "":
				issue(fmt.Sprint("expired later: ", !expired))(w, r)
			case token == "expired later: true" && expired:
				if rejected.Add(1) == 7 { // One caller learns of it long after the others have renewed the token.
					time.Sleep(10 * time.Second)
				}
				rejectWith(http.StatusUnauthorized, "expired", "")(w, r)
			default:
				respondTo("ok")(w, r)
			}
		})
		server.latency = 50 * time.Millisecond
		client := newClient(t, server, withoutRetries)
		fetchAll := func() { wantSuccess(t, together(20, func(int) error { return fetch(t.Context(), client) })...) }
		fetchAll()
		server.wantCount(t, 1+20)
		expired = true
		begun := time.Now()
		fetchAll()
		server.wantCount(t, 1+20+1+40)
		if took := time.Since(begun); took > 10500*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

// A login may end the tokens of earlier ones. Even then, two concurrent programs both finish.
func TestTwoClientsThatEndEachOthersTokens(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var logins atomic.Int32
		server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(100 * time.Millisecond)
			switch kind, token := kindOf(r), r.Header.Get("token"); {
			case kind == "login":
				issue(fmt.Sprint("user ", logins.Add(1)))(w, r)
			case !strings.HasSuffix(token, fmt.Sprint(" ", logins.Load())):
				rejectWith(http.StatusUnauthorized, "ended", "")(w, r)
			case kind == "subaccount":
				issue(fmt.Sprint("subaccount ", logins.Load()))(w, r)
			default:
				respondTo("ok")(w, r)
			}
		})
		changes := []func(*Config){paced, withDefaultRetries, withSubaccount}
		clients := [2]*Client{newClient(t, server, changes...), newClient(t, server, changes...)}
		begun := time.Now()
		wantSuccess(t, together(2*10, func(worker int) error { // Terraform's default parallelism.
			for range 10 {
				if err := set(t.Context(), clients[worker%2], anyNumber, Delivery{Type: None}); err != nil {
					return err
				}
			}
			return nil
		})...)
		if took := time.Since(begun); took > 5*time.Minute || logins.Load() < 3 {
			t.Errorf("took %s and %d logins", took, logins.Load())
		}
	})
}

// FracTEL may lock an account after too many wrong passwords. A rejected subaccount is not requested again either. A rejection with
// 400 or 422 may be about the encoding, so it is repeated as a form.
func TestRejectedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for responses, test := range map[string]struct {
		change   func(*Config)
		kind     Kind
		requests int
	}{
		"401": {withoutRetries, AuthenticationFailed, 1}, "login ok 401 401": {withoutRetries, AuthenticationFailed, 4},
		"403": {withoutRetries, AuthenticationFailed, 1}, "login ok 401 403": {withoutRetries, AuthenticationFailed, 4},
		"400": {withoutRetries, AuthenticationFailed, 2}, "login ok 401 400": {withoutRetries, AuthenticationFailed, 4},
		"422": {withoutRetries, AuthenticationFailed, 2}, "login ok 401 422": {withoutRetries, AuthenticationFailed, 4},
		"login 400": {withSubaccount, SubaccountRejected, 2}, "login 403": {withSubaccount, SubaccountRejected, 2},
		"login 404": {withSubaccount, SubaccountRejected, 2}, "login 422": {withSubaccount, SubaccountRejected, 2},
	} {
		inBubble(t, responses, func(t *testing.T) {
			server, callers := scripted(responses), 30
			client := newClient(t, server, test.change)
			if strings.Contains(responses, "ok") { // The first call is successful, and the next one has to renew the token.
				wantSuccess(t, fetch(t.Context(), client))
				callers = 1
			}
			call := map[Kind]string{AuthenticationFailed: "log in", SubaccountRejected: "get a token for subaccount " + subaccount}[test.kind]
			for _, err := range append(together(callers, func(int) error { return fetch(t.Context(), client) }), fetch(t.Context(), client)) {
				wantKind(t, err, test.kind, call, "words of "+responses[len(responses)-3:])
			}
			server.wantCount(t, test.requests)
		})
	}
}

// Other failures of a login are not about the password.
func TestFailedLoginIsTriedAgainByTheNextCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		tooMany := rejectWith(http.StatusForbidden, "Request limit exceeded", "")
		client := newClient(t, newScript(respondTo("503"), tooMany, respondTo("login"), respondTo("ok")), withoutRetries)
		wantKind(t, fetch(t.Context(), client), ServerError, "log in", "words of 503")
		wantSuccess(t, fetch(t.Context(), client))
	})
}

// FracTEL's example of a token names the account. Another token is valid, too.
func TestAccountOfToken(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]string{
		jwt(`{"account":{"id":"1000000001"},"portal":{"token":"x"},"iat":1000,"exp":4600}`): "1000000001", // FracTEL's example.
		jwt(`{"account":{"id":1000000001}}`):                                                "1000000001",
		"a.eyJhY2NvdW50Ijp7ImlkIjoiMSJ9fQ==.c":                                              "1",
		jwt(`{"account":[]}`):                                                               "", jwt(`[]`): "", jwt(`{"account":`): "", "a.!.c": "", "opaque": "",
	} {
		if got := newClient(t, nil, func(c *Config) { c.Token = token }).Account(); got != want {
			t.Errorf("%s: the account is %q, want %q", token, got, want)
		}
	}
}

// A caller whose context ends stops waiting for the login. If it was the one that logged in, the others log in again.
func TestCanceledLogin(t *testing.T) {
	t.Parallel()
	for canceled, calls := range map[int]string{0: "login json, login json, get", 1: "login json, get"} {
		inBubble(t, fmt.Sprint("caller ", canceled), func(t *testing.T) {
			server := scripted(strings.NewReplacer(" json,", "", "get", "ok").Replace(calls))
			server.latency = time.Second
			client := newClient(t, server)
			ctx, why := cancelLater(t, 200*time.Millisecond)
			callers := [2]context.Context{t.Context(), t.Context()}
			callers[canceled] = ctx
			failures := together(2, func(i int) error {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				return fetch(callers[i], client)
			})
			wantKind(t, failures[canceled], Canceled)
			if !errors.Is(failures[canceled], why) {
				t.Errorf("the error is %v", failures[canceled])
			}
			wantSuccess(t, failures[1-canceled])
			server.wantCalls(t, calls)
		})
	}
}

// An uncertain call stays uncertain, whatever happens to the login after it.
func TestCancelledLoginAfterAnUncertainSetting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := newClient(t, scripted("login ok 502 401 never"))
		wantSuccess(t, fetch(t.Context(), client))
		ctx, why := cancelLater(t, 10*time.Second) // While the login gets no response.
		err := set(ctx, client, anyNumber, Delivery{Type: None})
		wantKind(t, err, Canceled, "set the delivery of FoneNumber "+anyNumber, why.Error())
		if !errors.Is(err, why) || !MayHaveTakenEffect(err) {
			t.Errorf("the setting may have taken effect before %v: %v", why, err)
		}
	})
}
