package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	formBody = "application/x-www-form-urlencoded"
	jsonBody = "application/json"

	number = "3215550000" // In every account that has FoneNumbers.
)

func newSimulator(t testing.TB, options Options) *Simulator {
	t.Helper()
	sim, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

// ask sends one raw request, which may be invalid.
func ask(t testing.TB, sim *Simulator, method, path, token, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, BasePath+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("token", token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("the response to %s %s has content type %q", method, path, got)
	}
	return w
}

func get(t testing.TB, sim *Simulator, path, token string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, sim, http.MethodGet, path, token, "", "")
}

// post sends parameters as JSON.
func post(t testing.TB, sim *Simulator, path, token string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, sim, http.MethodPost, path, token, jsonBody, inJSONBody(form))
}

func inJSONBody(form url.Values) string {
	members := map[string]any{}
	for name := range form {
		members[name] = form.Get(name)
	}
	body, _ := json.Marshal(members)
	return string(body)
}

// anyToken returns a valid token without a login, which would be recorded.
func anyToken(sim *Simulator) string {
	return sim.newToken(sim.options.Account, time.Hour)
}

// decoded returns the JSON of a successful response.
func decoded(t testing.TB, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	if w.Code != status {
		t.Fatalf("the status is %d, want %d: %s", w.Code, status, w.Body)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("the response is not JSON: %v: %s", err, w.Body)
	}
	return body
}

// wantEnvelope checks that the response is an error envelope whose message contains the words.
func wantEnvelope(t testing.TB, w *httptest.ResponseRecorder, status int, words ...string) {
	t.Helper()
	body := decoded(t, w, status)
	message, isText := body["message"].(string)
	if len(body) != 3 || !isText || body["error"] != http.StatusText(status) || body["status_code"] != float64(status) {
		t.Errorf("the response is not the envelope of a %d: %v", status, body)
	}
	for _, word := range words {
		if !strings.Contains(message, word) {
			t.Errorf("the message does not say %q: %s", word, message)
		}
	}
}

func wantViolations(t testing.TB, sim *Simulator, want int) {
	t.Helper()
	if got := sim.Violations(); len(got) != want {
		t.Errorf("there were %d violations of the contract, want %d: %q", len(got), want, got)
	}
}

// The response to an invalid request contains the reason. The request is recorded and changes nothing.
func TestContractIsChecked(t *testing.T) {
	t.Parallel()
	const rest = `,"value":"ops@example.com","url_method":"POST"}`
	const start = `{"fonenumber":"3215550000","type":"Email"`
	for name, test := range map[string]struct{ call, body, words string }{
		"no fonenumber":          {"POST /messages/receive", `{"type":"Email"` + rest, "fonenumber"},
		"no url_method":          {"POST /messages/receive", start + `,"value":"ops@example.com"}`, "url_method"},
		"url_method JSON":        {"POST /messages/receive", start + `,"value":"ops@example.com","url_method":"JSON"}`, "url_method"},
		"unknown parameter":      {"POST /messages/receive", start + `,"url_metod":"POST"` + rest, "url_metod"},
		"type in lower case":     {"POST /messages/receive", `{"fonenumber":"3215550000","type":"email"` + rest, "type"},
		"eleven digits":          {"POST /messages/receive", `{"fonenumber":"13215550000","type":"Email"` + rest, "fonenumber"},
		"JSON number":            {"POST /messages/receive", `{"fonenumber":3215550000,"type":"Email"` + rest, "fonenumber"},
		"echo of a read":         {"POST /messages/receive", `{"fonenumber":{"fonenumber":"3215550000"}}`, ""},
		"notification by method": {"POST /messages/send_notify", `{"fonenumber":"3215550000","type":"None","method":"PUT"}`, "method"},
		"login for two days":     {"POST /auth", `{"username":"demo","password":"demo-password","expires":172800}`, "expires"},
		"login in the query":     {"POST /auth?username=demo&password=demo-password", "", ""},
		"read of device x":       {"GET /devices/x", "", "id"},
		"other filter":           {"GET /fonenumbers?filter=active", "", "filter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1})
			before := sim.Numbers()
			method, path, _ := strings.Cut(test.call, " ")
			contentType := map[bool]string{true: jsonBody, false: formBody}[strings.HasPrefix(test.body, "{")]
			wantEnvelope(t, ask(t, sim, method, path, anyToken(sim), contentType, test.body), http.StatusBadRequest, test.words)
			wantViolations(t, sim, 1)
			if after := sim.Numbers(); !slices.Equal(after, before) {
				t.Errorf("the account is now %+v", after)
			}
		})
	}
}

// A response that violates the contract is a mistake in the test, which must notice it.
func TestResponsesAreCheckedToo(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	sim.Put(FoneNumber{Number: "321"})
	wantEnvelope(t, get(t, sim, "/fonenumbers?filter=all", anyToken(sim)), http.StatusInternalServerError, "fonenumbers")
	wantViolations(t, sim, 1)
}

func TestUnknownRoutes(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	for i, route := range []struct{ method, path string }{
		{"GET", "/"},
		{"POST", "/devices"},
		{"GET", "/messages/receive"},
		{"PUT", "/fonenumbers/" + number},
		{"DELETE", "/fonenumbers/" + number}, // FoneStorm's call to cancel the number.
		{"POST", "/fonenumbers"},
	} {
		wantEnvelope(t, ask(t, sim, route.method, route.path, token, "", ""), http.StatusNotFound)
		wantViolations(t, sim, i+1)
	}
	if _, ok := sim.Get(number); !ok {
		t.Error("the number is gone")
	}
	outside := httptest.NewRecorder()
	sim.ServeHTTP(outside, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/fonenumbers", nil))
	wantEnvelope(t, outside, http.StatusNotFound)
}

func TestRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{FoneNumbers: 1, Latency: 2 * time.Second})
		token := anyToken(sim)
		begun := time.Now()
		post(t, sim, "/auth", "", url.Values{"username": {"demo"}, "password": {"wrong"}})
		get(t, sim, "/fonenumbers?filter=all", token)
		get(t, sim, "/fonenumbers/"+number, token)
		ask(t, sim, http.MethodPost, "/messages/receive", token, jsonBody, `{"type":"None"}`)
		get(t, sim, "/devices", token)
		ask(t, sim, http.MethodPost, "/subaccounts/token", token, formBody, "subaccount=2000000002")
		get(t, sim, "/devices/219", "wrong")
		want := `login POST /auth 401 password=wrong&username=demo
list GET /fonenumbers?filter=all 200 
get GET /fonenumbers/3215550000 200 
set POST /messages/receive 400 type=None
devices GET /devices 200 
subaccount POST /subaccounts/token 404 subaccount=2000000002
device GET /devices/219 401 
`
		got := ""
		for i, r := range sim.Requests() {
			got += fmt.Sprintln(r.Kind(), r.Method, r.Path, r.Status, r.Form.Encode())
			if arrived := begun.Add(time.Duration(i) * 2 * time.Second); !r.Arrived.Equal(arrived) { // Each was sent after the previous response.
				t.Errorf("request %d arrived at %s, want %s", i, r.Arrived, arrived)
			}
		}
		if got != want {
			t.Errorf("the requests are\n%s, want\n%s", got, want)
		}
		if header := sim.Requests()[1].Header; header.Get("token") != token {
			t.Errorf("the header is %v, want one with the token", header)
		}
		sim.Forget()
		if n := len(sim.Requests()); n != 0 {
			t.Errorf("there are %d requests after all were forgotten", n)
		}
	})
}

func TestIntercept(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	path := "/fonenumbers/" + number

	sim.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json") // Because ask checks it; the contract does not apply to interceptors.
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>")
		return true
	})
	if w := get(t, sim, path, token); w.Code != http.StatusBadGateway || w.Body.String() != "<html>" {
		t.Errorf("the interceptor's response arrived as %d %s", w.Code, w.Body)
	}
	if status := sim.Requests()[0].Status; status != http.StatusBadGateway {
		t.Errorf("the status is recorded as %d", status)
	}

	sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		_, _ = io.ReadAll(r.Body) // FoneStorm must still receive it.
		sim.Put(FoneNumber{Number: number, Label: "changed by hand"})
		return false
	})
	if w := ask(t, sim, http.MethodPost, "/messages/receive", token, jsonBody, newEmail); !strings.Contains(w.Body.String(), "changed by hand") {
		t.Errorf("the account was not changed before the response: %s", w.Body)
	}
	sim.Intercept(nil)
	sim.Put(FoneNumber{Number: number, Label: "changed again"})
	if w := get(t, sim, path, token); !strings.Contains(w.Body.String(), "changed again") {
		t.Errorf("without an interceptor the response is %s", w.Body)
	}
	wantViolations(t, sim, 0)
}
