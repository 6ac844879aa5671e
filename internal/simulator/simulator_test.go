package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	number   = "3215550000" // In every account that has FoneNumbers.
	login    = `{"username":"demo","password":"demo-password"}`
	newEmail = `{"fonenumber":"3215550000","type":"Email","value":"new@example.com","url_method":"POST"}`
)

// account is a simulated account, with a token for it.
type account struct {
	*Simulator
	t     *testing.T
	token string
}

// newAccount returns an account. The test fails if it ends with violations of the contract.
func newAccount(t *testing.T, options Options) account {
	t.Helper()
	sim := New(options)
	t.Cleanup(func() {
		if violations := sim.Violations(); len(violations) > 0 {
			t.Errorf("there were violations of the contract: %q", violations)
		}
	})
	return account{sim, t, sim.newToken("", time.Hour)["token"].(string)}
}

// ask sends a request, as in "GET /devices", with a body in JSON or, if it does not begin with a brace, as a form. It returns the
// response, which must have this status and, for an error, be FoneStorm's envelope.
func (a account) ask(call, body string, status int) object {
	a.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	r := httptest.NewRequestWithContext(a.t.Context(), method, BasePath+path, strings.NewReader(body))
	r.Header.Set("token", a.token)
	switch {
	case strings.HasPrefix(body, "{"):
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	var response object
	if err := json.Unmarshal(w.Body.Bytes(), &response); err != nil || w.Code != status || w.Header().Get("Content-Type") != "application/json" {
		a.t.Fatalf("%s %s: the response is %d %s, want %d", call, body, w.Code, w.Body, status)
	}
	if text, ok := response["message"].(string); status >= 400 && (!ok || text == "" || len(response) != 3 ||
		response["error"] != http.StatusText(status) || response["status_code"] != float64(status)) {
		a.t.Errorf("%s: the error is %v", call, response)
	}
	return response
}

// wantViolation checks that the last request violated the contract, and forgets that.
func (a account) wantViolation() {
	a.t.Helper()
	if n := len(a.violations); n != 1 {
		a.t.Errorf("there were %d violations of the contract, want 1: %q", n, a.violations)
	}
	a.violations = nil
}

// receive returns the delivery in a response about a FoneNumber of the live service; nil if there is none.
func receive(response object) object {
	shown, _ := response["fonenumber"].(object)
	options, _ := shown["sms_options"].(object)
	delivery, _ := options["receive"].(object)
	return delivery
}

// set sets a delivery and returns the one in the response.
func (a account) set(kind, value string) object {
	a.t.Helper()
	body := fmt.Sprintf(`{"fonenumber":%q,"type":%q,"value":%q,"url_method":"POST"}`, number, kind, value)
	return receive(a.ask("POST /messages/receive", body, 200))
}

// The response to an invalid request contains the reason. The request changes nothing.
func TestContractIsChecked(t *testing.T) {
	t.Parallel()
	const rest = `,"value":"ops@example.com","url_method":"POST"}`
	const start = `{"fonenumber":"3215550000","type":"Email"`
	for name, test := range map[string]struct {
		call, body string
		status     int
		words      string
	}{
		"no fonenumber":          {"POST /messages/receive", `{"type":"Email"` + rest, 400, "fonenumber"},
		"no url_method":          {"POST /messages/receive", start + `,"value":"ops@example.com"}`, 400, "url_method"},
		"url_method JSON":        {"POST /messages/receive", start + `,"value":"ops@example.com","url_method":"JSON"}`, 400, "url_method"},
		"unknown parameter":      {"POST /messages/receive", start + `,"url_metod":"POST"` + rest, 400, "url_metod"},
		"type in lower case":     {"POST /messages/receive", `{"fonenumber":"3215550000","type":"email"` + rest, 400, "type"},
		"eleven digits":          {"POST /messages/receive", `{"fonenumber":"13215550000","type":"Email"` + rest, 400, "fonenumber"},
		"JSON number":            {"POST /messages/receive", `{"fonenumber":3215550000,"type":"Email"` + rest, 400, "fonenumber"},
		"truncated JSON":         {"POST /messages/receive", start, 400, ""},
		"notification by method": {"POST /messages/send_notify", `{"fonenumber":"3215550000","type":"None","method":"PUT"}`, 400, "method"},
		"login for two days":     {"POST /auth", `{"username":"demo","password":"demo-password","expires":172800}`, 400, "expires"},
		"login in the query":     {"POST /auth?username=demo&password=demo-password", "", 400, ""},
		"read of device x":       {"GET /devices/x", "", 400, "id"},
		"other filter":           {"GET /fonenumbers?filter=active", "", 400, "filter"},
		"cancellation":           {"DELETE /fonenumbers/" + number, "", 404, ""},
		"unknown path":           {"GET /", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, Options{FoneNumbers: 1})
			before := a.Numbers()
			if message := a.ask(test.call, test.body, test.status)["message"].(string); !strings.Contains(message, test.words) {
				t.Errorf("the message is %s", message)
			}
			a.wantViolation()
			if after := a.Numbers(); !slices.Equal(after, before) {
				t.Errorf("the account is now %+v", after)
			}
		})
	}
}

// A response that violates the contract is a mistake in the test, which must notice it.
func TestResponsesAreCheckedToo(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{})
	a.Put(FoneNumber{Number: "321"})
	a.ask("GET /fonenumbers?filter=all", "", 500)
	a.wantViolation()
}

// At most two requests are accepted in any second, whenever it begins. One that fails for another reason counts, one over the limit does
// not. Only accepted requests are intercepted.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"live": http.StatusTooManyRequests, "2.12": http.StatusGone} {
		synctest.Test(t, func(t *testing.T) {
			a := newAccount(t, Options{RateLimit: 2, Dialect: Dialects[name]})
			intercepted, rejected := 0, 0
			a.Intercept(func(Request) Fault {
				intercepted++
				return ""
			})
			begun := time.Now()
			for _, at := range []int{0, 0, -999, 1900, 1950, -1999, -2899, 2900, -2900, 2950, 3_600_000} { // Milliseconds; negative if over the limit.
				time.Sleep(time.Until(begun.Add(time.Duration(max(at, -at)) * time.Millisecond)))
				if at >= 0 {
					a.ask("POST /auth", strings.Replace(login, "demo", "bob", 1), 401)
				} else if message := a.ask("GET /fonenumbers", "", status)["message"]; message != "Rate Limit Exceeded" {
					t.Errorf("the message is %v", message)
				}
			}
			for _, r := range a.Requests() {
				if r.Rejected {
					rejected++
				}
			}
			if intercepted != 7 || rejected != 4 {
				t.Errorf("%d requests were intercepted and %d rejected, want 7 and 4", intercepted, rejected)
			}
		})
	}
}
