package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	number = "3215550000" // In every account that has FoneNumbers.
	login  = `{"username":"demo","password":"demo-password"}`
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
	return account{sim, t, sim.newToken("")["token"].(string)}
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

// The response to an invalid request contains the reason.
func TestContractIsChecked(t *testing.T) {
	t.Parallel()
	for call, values := range map[string][]string{
		`/messages/receive {"type":"Device","url_method":"POST","value":%q}`:          {"sip-phone", "98 71"},
		`/messages/receive {"type":"Email","url_method":"POST","value":%q}`:           {"ops", "Ops <ops@example.com>", "a@example.com,b@example.com", " ops@example.com"},
		`/messages/receive {"type":"URL","url_method":"POST","value":%q}`:             {"example.com", "ftp://example.com", "https://", "https://exa mple.com"},
		`/messages/receive {"type":"Forward","url_method":"POST","value":%q}`:         {"321555111", "13215551111", "321-555-1111"},
		`/messages/receive {"type":"None","url_method":"POST","value":%q}`:            {"none", "3215551111"},
		`/messages/receive {"type":%q,"url_method":"POST","value":"ops@example.com"}`: {"", "email", "Fax"},
		`/messages/receive {"type":"Email","url_method":%q,"value":"a@example.com"}`:  {"", "JSON", "GET"},
		`/messages/receive {"type":"Email",%q:"POST","value":"a@example.com"}`:        {"url_metod"},
		`/messages/receive {"type":"None","url_method":"POST","value":"None",%q:""}`:  {"method"},
		`/messages/receive {"type":"None","url_method":"POST","value":"None"%q`:       {"not JSON"},
		`/messages/receive_notify {"type":"Callback","method":"JSON","url":%q}`:       {"", "example.com"},
		`/messages/receive_notify {"type":"Callback",%q:"https://example.com"}`:       {"url"},
		`/messages/receive_notify {"type":"None","method":%q}`:                        {"PUT"},
		`/messages/send_notify {"type":"Email","email":%q}`:                           {"", "a@example.com,b@example.com"},
	} {
		for _, value := range values {
			a := newAccount(t, Options{FoneNumbers: 1})
			path, body, _ := strings.Cut(fmt.Sprintf(call, value), " {")
			a.ask("POST "+path, `{"fonenumber":"`+number+`",`+body, 400)
			a.wantViolation()
		}
	}
	for call, status := range map[string]int{
		`POST /messages/receive {"fonenumber":3215550000,"type":"None","value":"None","url_method":"POST"}`:    400,
		`POST /messages/receive {"fonenumber":"13215550000","type":"None","value":"None","url_method":"POST"}`: 400,
		`POST /messages/receive {"type":"None","value":"None","url_method":"POST"}`:                            400,
		`POST /auth {"username":"demo","password":"demo-password","expires":172800}`:                           400,
		"POST /auth?username=demo&password=demo-password":                                                      400,
		"GET /devices/220":               404,
		"GET /fonenumbers?filter=all":    500, // The response violates the contract, which is a mistake in the test.
		"GET /fonenumbers?filter=active": 400,
		"DELETE /fonenumbers/" + number:  404,
		"GET /":                          404,
	} {
		a := newAccount(t, Options{})
		a.Put(FoneNumber{Number: "321"})
		call, body, _ := strings.Cut(call, " {")
		message := a.ask(call, strings.TrimPrefix("{"+body, "{}"), status)["message"].(string)
		if strings.Contains(body, `"fonenumber":`) && !strings.Contains(message, "fonenumber") {
			t.Errorf("the message is %s", message)
		}
		a.wantViolation()
	}
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
