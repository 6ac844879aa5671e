package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// received is the result of one request.
type received struct {
	status  int
	header  http.Header
	body    string
	object  map[string]any // The JSON body; nil if the body is not JSON.
	err     error          // The error of the request or of reading the body.
	changed bool           // Whether a setting took effect.
}

// set is the body of a setting.
func set(ctx context.Context, t *testing.T, sim *Simulator, endpoint string) received {
	t.Helper()
	form := url.Values{"fonenumber": {number}, "type": {"Email"}, "value": {"new@example.com"}, "url_method": {"POST"}}
	got := send(ctx, t, sim, http.MethodPost, endpoint+"/messages/receive", inJSONBody(form))
	f, _ := sim.Get(number)
	got.changed = f.Receive.Email == "new@example.com"
	return got
}

// send makes one request over its own connection.
func send(ctx context.Context, t *testing.T, sim *Simulator, method, target, body string) (got received) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("token", anyToken(sim))
	if body != "" {
		r.Header.Set("Content-Type", jsonBody)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		got.err = err
		return got
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	got.status, got.header, got.body, got.err = response.StatusCode, response.Header, string(read), err
	_ = json.Unmarshal(read, &got.object)
	return got
}

// wantError checks that a response is an error envelope.
func wantError(status int, retryAfter func(text string) bool) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		if got.err != nil || got.status != status || got.object["status_code"] != float64(status) || got.object["message"] == "" {
			t.Errorf("the response is not the envelope of a %d", status)
		}
		if limited := got.object["message"] == rateLimitExceeded; limited != slices.Contains([]int{400, 410, 429}, status) {
			t.Errorf("the message is %q: %t", rateLimitExceeded, limited)
		}
		if text := got.header.Get("Retry-After"); retryAfter == nil && text != "" || retryAfter != nil && !retryAfter(text) {
			t.Errorf("Retry-After is %q", text)
		}
	}
}

func wantPage(status int) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		if got.err != nil || got.status != status || !strings.Contains(got.body, "<title>") || got.header.Get("Content-Type") != "text/html" {
			t.Errorf("the response is not an HTML page with status %d", status)
		}
	}
}

func wantConnectionError(want error) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		if !errors.Is(got.err, want) {
			t.Errorf("the error is not %v", want)
		}
	}
}

// wantObject checks a successful response and the delivery in it.
func wantObject(check func(object, receive map[string]any) bool) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		object, _ := got.object["fonenumber"].(map[string]any)
		options, _ := object["sms_options"].(map[string]any)
		receive, _ := options["receive"].(map[string]any)
		if got.err != nil || got.status != http.StatusOK || !check(object, receive) {
			t.Error("the response is different")
		}
	}
}

// Each fault does what its name says when a delivery is set.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := map[Fault]struct {
		check   func(*testing.T, received)
		changes bool // The setting takes effect.
	}{
		ConnectionReset:  {wantConnectionError(syscall.ECONNRESET), false},
		ConnectionClosed: {wantConnectionError(io.EOF), false},
		NoResponse:       {wantConnectionError(context.Canceled), false},
		ResponseLost:     {wantConnectionError(syscall.ECONNRESET), true},
		TokenRejected:    {wantError(401, nil), false},
		RequestTimeout:   {wantError(408, nil), false},
		RateLimited:      {wantError(429, nil), false},
		RateLimitedSeconds: {wantError(429, func(text string) bool {
			return text == "1"
		}), false},
		RateLimitedDate: {wantError(429, func(text string) bool {
			date, err := http.ParseTime(text)
			return err == nil && time.Until(date) < 2*time.Second && time.Until(date) > 0
		}), false},
		RateLimited400: {wantError(400, nil), false},
		RateLimited410: {wantError(410, nil), false},
		ServerError:    {wantError(500, nil), false},
		BadGateway:     {wantPage(502), false},
		Unavailable:    {wantError(503, nil), false},
		GatewayTimeout: {wantError(504, nil), false},
		HTMLPage:       {wantPage(200), false},
		NotFound:       {wantError(404, nil), false},
		NotFoundPage:   {wantPage(404), false},
		NotFoundForeign: {func(t *testing.T, got received) {
			if got.status != http.StatusNotFound || strings.TrimSpace(got.body) != `{"message":"no Route matched"}` {
				t.Error("the response is not the 404 of another program")
			}
		}, false},
		NoContent: {func(t *testing.T, got received) {
			if got.err != nil || got.status != http.StatusNoContent || got.body != "" {
				t.Error("the response has content")
			}
		}, true},
		EmptyResponse: {func(t *testing.T, got received) {
			if got.err != nil || got.status != http.StatusOK || got.body != "" {
				t.Error("the response is not empty")
			}
		}, true},
		CutOff: {func(t *testing.T, got received) {
			if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.status != http.StatusOK || !strings.HasPrefix(got.body, "{") {
				t.Error("the response is not truncated")
			}
		}, true},
		WrongContentType: {func(t *testing.T, got received) {
			if got.header.Get("Content-Type") != "text/html" {
				t.Error("the content type is correct")
			}
			wantObject(func(_, receive map[string]any) bool { return receive["email"] == "new@example.com" })(t, got)
		}, true},
		UnknownMembers: {wantObject(func(object, receive map[string]any) bool {
			return object["added_later"] != nil && receive["added_later"] != nil && receive["email"] == "new@example.com"
		}), true},
		ReceiveMissing: {wantObject(func(object, receive map[string]any) bool {
			return receive == nil && object["fonenumber"] == number
		}), true},
		WrongTypes: {wantObject(func(object, receive map[string]any) bool {
			return reflect.DeepEqual(object["fonenumber"], map[string]any{"text": number}) &&
				reflect.DeepEqual(receive["email"], map[string]any{"text": "new@example.com"})
		}), true},
		AnotherFoneNumber: {wantObject(func(object, receive map[string]any) bool {
			return object["fonenumber"] == "3215550001" && receive["email"] == "new@example.com"
		}), true},
		BareSuccess: {func(t *testing.T, got received) {
			if got.status != http.StatusOK || got.body != `{"status_code":200,"result":"SUCCESS"}` {
				t.Error("the response is not a bare success")
			}
		}, true},
	}
	for _, fault := range Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			test, known := tests[fault]
			if !known {
				t.Fatal("the fault is not tested")
			}
			sim := newSimulator(t, Options{FoneNumbers: 2})
			server := httptest.NewServer(sim)
			defer server.Close()
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			sim.Inject(func(*http.Request) Fault {
				if fault == NoResponse {
					giveUp() // As a client does on a timeout.
				}
				return fault
			})
			got := set(ctx, t, sim, server.URL+BasePath)
			test.check(t, got)
			if got.changed != test.changes {
				t.Errorf("the setting took effect: %t", got.changed)
			}
			if t.Failed() {
				t.Logf("%+v", got)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// Faults in responses about one FoneNumber do not affect other calls to which they do not apply.
func TestFaultsOfOtherCalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault        Fault
		method, path string
		body         string
		want         string // In the response.
	}{
		"bare success of a read":        {BareSuccess, "GET", "/fonenumbers/" + number, "", `"fonenumber":"3215550000"`},
		"another FoneNumber in lists":   {AnotherFoneNumber, "GET", "/fonenumbers", "", `["3215550000"]`},
		"receive missing in lists":      {ReceiveMissing, "GET", "/fonenumbers?filter=all", "", `"sms_options":{"mms_enabled":"yes","receive_notify":`},
		"wrong types of a login":        {WrongTypes, "POST", "/auth", `{"username":"demo","password":"demo-password"}`, `{"auth":{"token":{"text":"`},
		"another FoneNumber of devices": {AnotherFoneNumber, "GET", "/devices/219", "", `"fonenumber":"3215550000"`},
		"unknown members of devices":    {UnknownMembers, "GET", "/devices", "", `"added_later"`},
		"page for a subaccount token":   {NotFoundPage, "POST", "/subaccounts/token", `{"subaccount":"2000000002"}`, "<title>"},
		"404 without content":           {NoContent, "GET", "/fonenumbers/3215559999", "", `"error":"Not Found"`},
		"404":                           {WrongTypes, "GET", "/fonenumbers/3215559999", "", `"error":"Not Found"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1})
			sim.PutDevice(Device{ID: "219", FoneNumber: number})
			server := httptest.NewServer(sim)
			defer server.Close()
			sim.Inject(func(*http.Request) Fault { return test.fault })
			if got := send(t.Context(), t, sim, test.method, server.URL+BasePath+test.path, test.body); !strings.Contains(got.body, test.want) {
				t.Errorf("the response is %s, want %s in it", got.body, test.want)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// A test chooses the fault by the request, which FoneStorm receives unchanged, and can disable faults.
func TestInject(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	server := httptest.NewServer(sim)
	defer server.Close()
	asked := 0
	sim.Inject(func(r *http.Request) Fault {
		body, err := io.ReadAll(r.Body)
		if asked++; asked == 1 || err != nil || !bytes.Contains(body, []byte(number)) {
			return RequestTimeout
		}
		return ""
	})
	for i, want := range []int{http.StatusRequestTimeout, http.StatusOK} {
		if got := set(t.Context(), t, sim, server.URL+BasePath); got.status != want {
			t.Errorf("the response to request %d is %+v, want %d", i, got, want)
		}
	}
	sim.Inject(nil)
	if got := send(t.Context(), t, sim, http.MethodGet, server.URL+BasePath+"/fonenumbers", ""); got.status != http.StatusOK || asked != 2 {
		t.Errorf("without faults the response is %+v after %d calls", got, asked)
	}
	wantViolations(t, sim, 0)

	sim.Inject(func(*http.Request) Fault { return "gremlins" })
	if got := send(t.Context(), t, sim, http.MethodGet, server.URL+BasePath+"/fonenumbers", ""); got.status != http.StatusOK {
		t.Errorf("an unknown fault gives %+v", got)
	}
	wantViolations(t, sim, 1)
}
