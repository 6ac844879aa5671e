package fonestorm

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
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

// All other calls use the subaccount's token. A rejected token is renewed.
func TestLogIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const login = `{"password":"demo-password","username":"demo"}`
		user, sub := jwt(`{"account":{"id":"1000000001"}}`), jwt(`{"account":{"id":"2000000002"}}`)
		ok, expired := respondTo("ok"), respondTo("401")
		server := newScript(
			rejectWith(http.StatusForbidden, "Too many requests", ""),
			issue(user), issue(sub), ok, // At first.
			expired, issue(user), issue(sub), ok, // Later.
		)
		client := newClient(t, server, withoutRetries, withSubaccount)
		for range 2 {
			wantSuccess(t, fetch(t.Context(), client))
			if got := client.Account(); got != "2000000002" {
				t.Errorf("the account is %q", got)
			}
		}
		server.wantCalls(t, "login json, login json, subaccount json, get, get, login json, subaccount json, get")
		if want := []string{"", "", user, sub, sub, "", user, sub}; !slices.Equal(server.tokens, want) {
			t.Errorf("the tokens were %q, want %q", server.tokens, want)
		}
		if server.bodies[1] != login || server.bodies[2] != `{"subaccount":"2000000002"}` {
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
		client := newClient(t, server, withLogin, withoutRetries)
		fetchAll := func() { wantSuccess(t, together(20, func(int) error { return fetch(t.Context(), client) })...) }
		fetchAll()
		server.wantCount(t, 1+20)
		valid = "second"
		fetchAll()
		server.wantCount(t, 1+20+1+40)
	})
}

// FracTEL may lock an account after too many wrong passwords, so a rejected login is final for all calls, and so is a subaccount's. A
// rejection with 400 may be about the encoding, so it is repeated as a form. After any other failure, the next call logs in again.
func TestRejectedLoginIsFinal(t *testing.T) {
	t.Parallel()
	const login, exchange = "log in", "get a token for subaccount " + subaccount
	for responses, want := range map[string]struct {
		calls string
		kind  Kind
		words string
	}{
		"401": {"login json", AuthenticationFailed, login}, "400": {"login json, login form", AuthenticationFailed, login},
		"400 405": {"login json, login form", AuthenticationFailed, login}, "400 error": {"login json, login form", AuthenticationFailed, login},
		"login 400":           {"login json, subaccount json, subaccount form", SubaccountRejected, exchange},
		"login 404":           {"login json, subaccount json", SubaccountRejected, exchange},
		"login 401 login 401": {"login json, subaccount json, login json, subaccount json", AuthenticationFailed, exchange},
	} {
		inBubble(t, responses, func(t *testing.T) {
			server := scripted(responses)
			client := newClient(t, server, withSubaccount, withoutRetries)
			for _, err := range append(together(30, func(int) error { return fetch(t.Context(), client) }), fetch(t.Context(), client)) {
				wantKind(t, err, want.kind, want.words)
			}
			server.wantCalls(t, want.calls)
		})
	}
	for _, failure := range []string{"503", "lost"} {
		server := scripted(failure + " login ok")
		client := newClient(t, server, withoutRetries)
		wantWords(t, fetch(t.Context(), client), login)
		wantSuccess(t, fetch(t.Context(), client))
		server.wantCalls(t, "login json, login json, get")
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
		if got := newClient(t, newScript(), func(c *Config) { c.Token = token }).Account(); got != want {
			t.Errorf("%s: the account is %q, want %q", token, got, want)
		}
	}
}
