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

// received is what came of one request.
type received struct {
	status  int
	header  http.Header
	body    string
	object  map[string]any // The body as JSON; nil when it is none.
	err     error          // Of the request, or of reading the body.
	changed bool           // Whether a setting took effect.
}

// set asks for a delivery to be set.
func set(ctx context.Context, t *testing.T, sim *Simulator, endpoint string) received {
	t.Helper()
	form := url.Values{"fonenumber": {number}, "type": {"Email"}, "value": {"new@example.com"}, "url_method": {"POST"}}
	got := send(ctx, t, sim, http.MethodPost, endpoint+"/messages/receive", inJSONBody(form))
	f, _ := sim.Get(number)
	got.changed = f.Receive.Email == "new@example.com"
	return got
}

// send makes one request over a connection of its own.
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

// wantRefusal checks an answer for the envelope of errors.
func wantRefusal(status int, retryAfter func(text string) bool) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		if got.err != nil || got.status != status || got.object["status_code"] != float64(status) || got.object["message"] == "" {
			t.Errorf("it is no envelope of a %d", status)
		}
		if limited := got.object["message"] == rateLimitExceeded; limited != slices.Contains([]int{400, 410, 429}, status) {
			t.Errorf("whether it says %q is %t", rateLimitExceeded, limited)
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
			t.Errorf("it is no HTML page with status %d", status)
		}
	}
}

func wantError(want error) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		if !errors.Is(got.err, want) {
			t.Errorf("the error is no %v", want)
		}
	}
}

// wantObject checks an answer that reports success and what of it says where the FoneNumber delivers.
func wantObject(check func(object, receive map[string]any) bool) func(*testing.T, received) {
	return func(t *testing.T, got received) {
		t.Helper()
		object, _ := got.object["fonenumber"].(map[string]any)
		options, _ := object["sms_options"].(map[string]any)
		receive, _ := options["receive"].(map[string]any)
		if got.err != nil || got.status != http.StatusOK || !check(object, receive) {
			t.Error("it is another answer")
		}
	}
}

// Each fault is what it says, on the call that has the most to lose.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := map[Fault]struct {
		check   func(*testing.T, received)
		changes bool // The setting takes effect.
	}{
		ConnectionReset:  {wantError(syscall.ECONNRESET), false},
		ConnectionClosed: {wantError(io.EOF), false},
		NoAnswer:         {wantError(context.Canceled), false},
		AnswerLost:       {wantError(syscall.ECONNRESET), true},
		TokenRejected:    {wantRefusal(401, nil), false},
		RequestTimeout:   {wantRefusal(408, nil), false},
		RateLimited:      {wantRefusal(429, nil), false},
		RateLimitedSeconds: {wantRefusal(429, func(text string) bool {
			return text == "1"
		}), false},
		RateLimitedDate: {wantRefusal(429, func(text string) bool {
			date, err := http.ParseTime(text)
			return err == nil && time.Until(date) < 2*time.Second && time.Until(date) > 0
		}), false},
		RateLimited400: {wantRefusal(400, nil), false},
		RateLimited410: {wantRefusal(410, nil), false},
		ServerError:    {wantRefusal(500, nil), false},
		BadGateway:     {wantPage(502), false},
		Unavailable:    {wantRefusal(503, nil), false},
		GatewayTimeout: {wantRefusal(504, nil), false},
		HTMLPage:       {wantPage(200), false},
		NotFound:       {wantRefusal(404, nil), false},
		NotFoundPage:   {wantPage(404), false},
		NotFoundForeign: {func(t *testing.T, got received) {
			if got.status != http.StatusNotFound || strings.TrimSpace(got.body) != `{"message":"no Route matched"}` {
				t.Error("it is not the 404 of another program")
			}
		}, false},
		NoContent: {func(t *testing.T, got received) {
			if got.err != nil || got.status != http.StatusNoContent || got.body != "" {
				t.Error("it has content")
			}
		}, true},
		EmptyAnswer: {func(t *testing.T, got received) {
			if got.err != nil || got.status != http.StatusOK || got.body != "" {
				t.Error("it is not empty")
			}
		}, true},
		CutOff: {func(t *testing.T, got received) {
			if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.status != http.StatusOK || !strings.HasPrefix(got.body, "{") {
				t.Error("it is not cut off")
			}
		}, true},
		WrongContentType: {func(t *testing.T, got received) {
			if got.header.Get("Content-Type") != "text/html" {
				t.Error("the content type is right")
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
				t.Error("it is not bare")
			}
		}, true},
	}
	for _, fault := range Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			test, known := tests[fault]
			if !known {
				t.Fatal("it is not tested")
			}
			sim := newSimulator(t, Options{FoneNumbers: 2})
			server := httptest.NewServer(sim)
			defer server.Close()
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			sim.Inject(func(*http.Request) Fault {
				if fault == NoAnswer {
					giveUp() // As a client does after a while.
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

// Faults of an answer about one FoneNumber leave the other calls alone where these have nothing of the kind.
func TestFaultsOfOtherCalls(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault        Fault
		method, path string
		body         string
		want         string // In the answer.
	}{
		"bare success of a read":        {BareSuccess, "GET", "/fonenumbers/" + number, "", `"fonenumber":"3215550000"`},
		"another FoneNumber in lists":   {AnotherFoneNumber, "GET", "/fonenumbers", "", `["3215550000"]`},
		"receive missing in lists":      {ReceiveMissing, "GET", "/fonenumbers?filter=all", "", `"sms_options":{"mms_enabled":"yes","receive_notify":`},
		"wrong types of a login":        {WrongTypes, "POST", "/auth", `{"username":"demo","password":"demo-password"}`, `{"auth":{"token":{"text":"`},
		"another FoneNumber of devices": {AnotherFoneNumber, "GET", "/devices/219", "", `"fonenumber":"3215550000"`},
		"unknown members of devices":    {UnknownMembers, "GET", "/devices", "", `"added_later"`},
		"page for a subaccount token":   {NotFoundPage, "POST", "/subaccounts/token", `{"subaccount":"2000000002"}`, "<title>"},
		"a refusal without content":     {NoContent, "GET", "/fonenumbers/3215559999", "", `"error":"Not Found"`},
		"a refusal":                     {WrongTypes, "GET", "/fonenumbers/3215559999", "", `"error":"Not Found"`},
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
				t.Errorf("the answer is %s, want %s in it", got.body, test.want)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// A test chooses by the request, which FoneStorm sees as it came, and can switch faults off.
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
			t.Errorf("request %d was answered %+v, want %d", i, got, want)
		}
	}
	sim.Inject(nil)
	if got := send(t.Context(), t, sim, http.MethodGet, server.URL+BasePath+"/fonenumbers", ""); got.status != http.StatusOK || asked != 2 {
		t.Errorf("without faults the answer is %+v after %d questions", got, asked)
	}
	wantViolations(t, sim, 0)

	sim.Inject(func(*http.Request) Fault { return "gremlins" })
	if got := send(t.Context(), t, sim, http.MethodGet, server.URL+BasePath+"/fonenumbers", ""); got.status != http.StatusOK {
		t.Errorf("an unknown fault gives %+v", got)
	}
	wantViolations(t, sim, 1)
}

// Faults damage the response that a profile gives.
func TestFaultsOfRespelledResponses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault   Fault
		profile Profile
		want    string // In the body; "" for an empty one.
	}{
		"nothing to add members to": {UnknownMembers, Profile{SettingResponse: "empty"}, ""},
		"another JSON number":       {AnotherFoneNumber, Profile{Respellings: []string{"fonenumber-number"}}, `"fonenumber":3215550001,`},
		"another with punctuation":  {AnotherFoneNumber, Profile{Respellings: []string{"fonenumber-punctuated"}}, `"fonenumber":"(321) 555-0001"`},
		"no receive on top":         {ReceiveMissing, Profile{OptionsMember: "receive"}, `"mms_enabled":"yes","receive_notify":`},
		"bare success":              {BareSuccess, Profile{SettingResponse: "empty"}, `"SUCCESS"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1, Profile: test.profile})
			sim.Inject(func(*http.Request) Fault { return test.fault })
			form := url.Values{"fonenumber": {number}, "type": {"None"}, "value": {"None"}, "url_method": {"POST"}}
			w := post(t, sim, "/messages/receive", anyToken(sim), form)
			if got := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("the response is %d %q, want %q in it", w.Code, got, test.want)
			}
			wantViolations(t, sim, 0)
		})
	}
}
