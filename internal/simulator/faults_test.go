package simulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// received is the result of one request.
type received struct {
	status int
	header http.Header
	body   string
	err    error // The error of the request or of reading the body.
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
		return received{err: err}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return received{response.StatusCode, response.Header, string(read), err}
}

const newEmail = `{"fonenumber":"3215550000","type":"Email","value":"new@example.com","url_method":"POST"}`

// Each fault does what its name says when a delivery is set.
func TestFaults(t *testing.T) {
	t.Parallel()
	const limited, page, email = `"message":"Rate Limit Exceeded"`, "<title>", `"email":"new@example.com"`
	tests := map[Fault]struct {
		err     error
		status  int
		body    string // Is in the body; the whole body if it is "".
		changes bool   // The setting takes effect.
	}{
		ConnectionReset:    {err: syscall.ECONNRESET},
		ConnectionClosed:   {err: io.EOF},
		NoResponse:         {err: context.Canceled},
		ResponseLost:       {err: syscall.ECONNRESET, changes: true},
		TokenRejected:      {status: 401, body: `"status_code":401`},
		RateLimited:        {status: 429, body: limited},
		RateLimitedSeconds: {status: 429, body: limited},
		RateLimited400:     {status: 400, body: limited},
		ServerError:        {status: 500, body: `"status_code":500`},
		BadGateway:         {status: 502, body: page},
		HTMLPage:           {status: 200, body: page},
		NotFound:           {status: 404, body: `"status_code":404`},
		NotFoundPage:       {status: 404, body: page},
		EmptyResponse:      {status: 200, changes: true},
		CutOff:             {err: io.ErrUnexpectedEOF, status: 200, body: "{", changes: true},
		WrongContentType:   {status: 200, body: email, changes: true},
		UnknownMembers:     {status: 200, body: `"receive":{"added_later":`, changes: true},
		ReceiveMissing:     {status: 200, body: `"sms_options":{"mms_enabled":"yes","receive_notify":`, changes: true},
		WrongTypes:         {status: 200, body: `"email":{"text":"new@example.com"}`, changes: true},
		AnotherFoneNumber:  {status: 200, body: `"fonenumber":"3215550001"`, changes: true},
		BareSuccess:        {status: 200, body: `{"status_code":200,"result":"SUCCESS"}`, changes: true},
	}
	for _, fault := range Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			want, known := tests[fault]
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
			got := send(ctx, t, sim, http.MethodPost, server.URL+BasePath+"/messages/receive", newEmail)
			if !errors.Is(got.err, want.err) || got.status != want.status || !strings.Contains(got.body, want.body) || want.body == "" && got.body != "" {
				t.Errorf("the response is %+v, want %+v", got, want)
			}
			if f, _ := sim.Get(number); (f.Receive.Email == "new@example.com") != want.changes {
				t.Errorf("the account has %+v", f.Receive)
			}
			if retryAfter := got.header.Get("Retry-After"); retryAfter != map[Fault]string{RateLimitedSeconds: "1"}[fault] {
				t.Errorf("Retry-After is %q", retryAfter)
			}
			isHTML := got.header.Get("Content-Type") == "text/html"
			if isHTML != slices.Contains([]Fault{BadGateway, HTMLPage, NotFoundPage, WrongContentType}, fault) {
				t.Errorf("the content type is %s", got.header.Get("Content-Type"))
			}
			wantViolations(t, sim, 0)
		})
	}
}

// A test chooses the fault by the request, which FoneStorm receives unchanged, and can disable faults.
func TestInject(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token, calls := anyToken(sim), 0
	setting := func() int {
		return ask(t, sim, http.MethodPost, "/messages/receive", token, jsonBody, newEmail).Code
	}
	sim.Inject(func(r *http.Request) Fault {
		body, err := io.ReadAll(r.Body)
		if calls++; calls == 1 || err != nil || !bytes.Contains(body, []byte(number)) {
			return ServerError
		}
		return ""
	})
	if first, second := setting(), setting(); first != http.StatusInternalServerError || second != http.StatusOK {
		t.Errorf("the settings return %d and %d", first, second)
	}
	sim.Inject(nil)
	if status := setting(); status != http.StatusOK || calls != 2 {
		t.Errorf("without faults the setting returns %d after %d calls", status, calls)
	}
	wantViolations(t, sim, 0)
	sim.Inject(func(*http.Request) Fault { return "gremlins" })
	if status := setting(); status != http.StatusOK {
		t.Errorf("with an unknown fault the setting returns %d", status)
	}
	wantViolations(t, sim, 1)
}
