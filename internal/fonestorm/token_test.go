package fonestorm

import (
	"context"
	"encoding/base64"
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
func issue(token string) responder {
	return respondWith(http.StatusCreated, fmt.Sprintf(`{"auth":{"token":%q}}`, token))
}

// All other calls use the subaccount's token. Rejected tokens are renewed, also if that happens before the user's token is exchanged
// for the subaccount's. A login that fails for another reason than the password is sent again by the next call.
func TestLogIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const login = `{"password":"demo-password","username":"demo"}`
		user, sub := jwt(`{"account":{"id":"1000000001"}}`), jwt(`{"account":{"id":"2000000002"}}`)
		ok, expired := respondTo("ok"), respondTo("401")
		server := newScript(
			respondTo("503"), rejectWith(http.StatusForbidden, "Too many requests", ""),
			issue(user), expired, issue(user), issue(sub), ok, // At first.
			expired, issue(user), issue(sub), ok, // Later.
		)
		client := newClient(t, server, withoutRetries, withSubaccount)
		wantKind(t, fetch(t.Context(), client), ServerError, "log in", "words of 503")
		if got := client.Account(); got != "" {
			t.Errorf("before the login the account is %q", got)
		}
		for range 2 {
			wantSuccess(t, fetch(t.Context(), client))
			if got := client.Account(); got != "2000000002" {
				t.Errorf("the account is %q", got)
			}
		}
		server.wantCalls(t, "login json, login json, login json, subaccount json, login json, subaccount json, get, "+
			"get, login json, subaccount json, get")
		if want := []string{"", "", "", user, "", user, sub, sub, "", user, sub}; !slices.Equal(server.tokens, want) {
			t.Errorf("the tokens were %q, want %q", server.tokens, want)
		}
		if server.bodies[2] != login || server.bodies[3] != `{"subaccount":"2000000002"}` {
			t.Errorf("the bodies were %s", server.bodies)
		}
	})
}

// All calls share one login and, when the token expires, one renewal, which is not a retry.
func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		valid := "first"
		var rejected atomic.Int32
		server := newScript(func(r *http.Request) (*http.Response, error) {
			switch tokenOf(r) {
			case "":
				return issue(valid)(r)
			case valid:
				return respondTo("ok")(r)
			default:
				if rejected.Add(1) == 7 { // One caller learns of it long after the others have renewed the token.
					time.Sleep(10 * time.Second)
				}
				return respondTo("401")(r)
			}
		})
		server.latency = 50 * time.Millisecond
		client := newClient(t, server, withoutRetries)
		fetchAll := func() { wantSuccess(t, together(20, func(int) error { return fetch(t.Context(), client) })...) }
		fetchAll()
		server.wantCount(t, 1+20)
		valid = "second"
		fetchAll()
		server.wantCount(t, 1+20+1+40)
	})
}

// FracTEL may lock an account after too many wrong passwords. A rejected subaccount is not requested again either. A rejection with
// 400 may be about the encoding, so it is repeated as a form.
func TestRejectedLoginIsNotRepeated(t *testing.T) {
	t.Parallel()
	for responses, calls := range map[string]string{
		"401": "login json", "400": "login json, login form", "400 405": "login json, login form", "400 error": "login json, login form",
		"login 400": "login json, subaccount json, subaccount form", "login 404": "login json, subaccount json",
		"login 401 login 401": "login json, subaccount json, login json, subaccount json",
	} {
		inBubble(t, responses, func(t *testing.T) {
			server := scripted(responses)
			client := newClient(t, server, withSubaccount)
			want, call := AuthenticationFailed, "log in"
			if strings.Contains(calls, "subaccount") {
				want, call = SubaccountRejected, "get a token for subaccount "+subaccount
			}
			if strings.Contains(responses, "401") {
				want = AuthenticationFailed
			}
			for _, err := range append(together(30, func(int) error { return fetch(t.Context(), client) }), fetch(t.Context(), client)) {
				wantKind(t, err, want, call, "words of 40")
			}
			server.wantCalls(t, calls)
		})
	}
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

// A caller whose context ends stops waiting for the login at once. If it was the one that logged in, the others log in again.
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
			begun := time.Now()
			failures := together(2, func(i int) error {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				err := fetch(callers[i], client)
				if took := time.Since(begun); i == canceled && took != 200*time.Millisecond {
					t.Errorf("the caller stopped waiting after %s", took)
				}
				return err
			})
			wantKind(t, failures[canceled], Canceled, why.Error())
			wantSuccess(t, failures[1-canceled])
			server.wantCalls(t, calls)
		})
	}
}
