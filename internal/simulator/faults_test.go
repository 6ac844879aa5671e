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
	"testing"
)

// Each fault does what its name says when a delivery is set.
func TestFaults(t *testing.T) {
	t.Parallel()
	const limited, page = `"message":"Rate Limit Exceeded"`, "<title>"
	tests := map[Fault]struct {
		err     error
		status  int
		body    string // Is in the body; the whole body if it is "".
		changes bool   // The setting takes effect.
	}{
		ConnectionClosed:  {err: io.EOF},
		NoResponse:        {err: context.Canceled},
		ResponseLost:      {err: io.EOF, changes: true},
		TokenRejected:     {status: 401, body: `"status_code":401`},
		RateLimited:       {status: 429, body: limited},
		ServerError:       {status: 500, body: `"status_code":500`},
		BadGateway:        {status: 502, body: page},
		HTMLPage:          {status: 200, body: page},
		NotFound:          {status: 404, body: `"status_code":404`},
		NotFoundPage:      {status: 404, body: page},
		EmptyResponse:     {status: 200, changes: true},
		CutOff:            {err: io.ErrUnexpectedEOF, status: 200, body: "{", changes: true},
		WrongTypes:        {status: 200, body: `"email":{"text":"new@example.com"}`, changes: true},
		AnotherFoneNumber: {status: 200, body: `"fonenumber":"9995550000"`, changes: true},
	}
	for _, fault := range Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			want, known := tests[fault]
			if !known {
				t.Fatal("the fault is not tested")
			}
			a := newAccount(t, Options{FoneNumbers: 2})
			server := httptest.NewServer(a)
			defer server.Close()
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			a.Inject(func(*http.Request) Fault {
				if fault == NoResponse {
					giveUp() // As a client does on a timeout.
				}
				return fault
			})
			status, header, body, err := a.send(ctx, server.URL+BasePath+"/messages/receive", newEmail)
			if !errors.Is(err, want.err) || status != want.status || !strings.Contains(body, want.body) || want.body == "" && body != "" {
				t.Errorf("the response is %d %s, %v; want %+v", status, body, err, want)
			}
			if f, _ := a.Get(number); (f.Receive.Email == "new@example.com") != want.changes {
				t.Errorf("the account has %+v", f.Receive)
			}
			isHTML := slices.Contains([]Fault{BadGateway, HTMLPage, NotFoundPage}, fault)
			if contentType := header.Get("Content-Type"); isHTML != (contentType == "text/html") {
				t.Errorf("the content type is %s", contentType)
			}
		})
	}
}

// send makes one request over its own connection. The error is that of the request or of reading the body.
func (a account) send(ctx context.Context, target, body string) (status int, header http.Header, read string, err error) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header = http.Header{"Token": {a.token}, "Content-Type": {"application/json"}}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(content), err
}

// A test chooses the fault by the request, which FoneStorm receives unchanged, and can disable faults.
func TestInject(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 1})
	a.Inject(func(r *http.Request) Fault {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("new@example.com")) {
			return ServerError
		}
		return ""
	})
	a.ask("POST /messages/receive", newEmail, 500)
	a.set("Email", "ops@example.com")
	a.ask("POST /auth", login, 201)
	a.Inject(nil)
	a.ask("POST /messages/receive", newEmail, 200)
}
