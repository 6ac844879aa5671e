package fonestorm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// Requests must match FracTEL's documents, including the case of the token header.
func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	const endpoint = "https://fonestorm.test/proxy/v2"
	var sent []string
	client := newClient(t, newScript(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header))
		return respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber+`"},"fonenumbers":[]}`)(r)
	}), func(c *Config) { c.Endpoint = endpoint + "/" })
	_, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err, fetch(t.Context(), client))
	_, _ = client.ReadFoneNumber(t.Context(), "321/555?filter=all") // Other text must not change the path.
	for i, path := range []string{"/fonenumbers?filter=all", "/fonenumbers/" + anyNumber, "/fonenumbers/321%2F555%3Ffilter=all"} {
		want := "GET " + endpoint + path + " map[Accept:[application/json] User-Agent:[client-test] token:[given-token]]"
		if sent[i] != want {
			t.Errorf("got request %s, want %s", sent[i], want)
		}
	}
}

// A request is retried if its response is lost or damaged, or if its status says that it may succeed later, see TestKindsOfFailures.
// The waits grow.
func TestRetries(t *testing.T) {
	t.Parallel()
	for response, want := range map[string]int{"cut": 7, "empty": 7, "html": 7, "lost": 7, "never": 7, "502": 7, "400": 1, "error": 1} {
		inBubble(t, response, func(t *testing.T) {
			server := scripted(response)
			client := newClient(t, server, func(c *Config) { c.MaxRetries, c.RequestTimeout = 6, time.Millisecond })
			err := fetch(t.Context(), client)
			attempts := fmt.Sprintf("(%d attempts in %s)", want, time.Since(server.arrived[0]).Round(100*time.Millisecond))
			if server.wantCount(t, want); strings.Contains(err.Error(), attempts) != (want > 1) {
				t.Errorf("the error is %v; want %s only after retries", err, attempts)
			}
			if MayHaveTakenEffect(err) {
				t.Errorf("a read may have taken effect: %v", err)
			}
			middle := 500 * time.Millisecond
			for i := 1; i < len(server.arrived); i++ {
				gap := server.arrived[i].Sub(server.arrived[i-1])
				if gap < middle/2 || gap > middle*3/2+2*time.Millisecond {
					t.Errorf("wait %d is %s, want %s or up to half more or less", i, gap, middle)
				}
				middle = middle * 3 / 2
			}
			server.responses = scripted("ok").responses
			wantSuccess(t, fetch(t.Context(), client))
		})
	}
}

func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{ // By the fake clock.
		"1": time.Second, "300": 5 * time.Minute, "Sat, 01 Jan 2000 00:00:42 GMT": 42 * time.Second, "Fri, 31 Dec 1999 23:59:00 GMT": 0, "soon": 0,
	} {
		inBubble(t, header, func(t *testing.T) {
			server := newScript(rejectWith(http.StatusServiceUnavailable, "Come back later.", header), respondTo("ok"))
			client := newClient(t, server)
			begun := time.Now()
			wantSuccess(t, fetch(t.Context(), client))
			if took := time.Since(begun); took < want || took > want+time.Second { // Otherwise it is the backoff.
				t.Errorf("it took %s, want %s", took, want)
			}
			server.wantCount(t, 2)
		})
	}
}

// If FoneStorm is not available, the run fails after three calls, not after a thousand have each timed out. A call that was
// not sent has no effect. Only consecutive calls count, and canceled ones do not.
func TestUnavailableServerFailsTheRun(t *testing.T) {
	t.Parallel()
	for responses, fails := range map[string]bool{
		"login lost lost":              false,
		"login lost lost lost":         true,
		"login lost lost never lost":   true, // The caller is gone by then.
		"login ok lost lost lost":      true,
		"login later lost later":       true, // Other calls do not wait for an hour, either.
		"login lost lost ok lost lost": false, "login lost lost 404 lost lost": false, "login lost lost 500 lost lost": false,
		"login lost 503 lost lost":      false,
		"login 503 503 503 503":         false,
		"login never never never never": false,
	} {
		inBubble(t, responses, func(t *testing.T) {
			server := scripted(responses + " ok")
			client := newClient(t, server, withoutRetries)
			sent := len(strings.Fields(responses))
			for range sent - strings.Count(responses, "login") {
				ctx, _ := cancelLater(t, time.Second)
				_ = fetch(ctx, client)
			}
			err := set(t.Context(), client, none)
			if !fails {
				wantSuccess(t, err)
				return
			}
			if wantKind(t, err, Unreachable, "not sent, because 3 calls in a row had no response or exceeded the rate limit"); MayHaveTakenEffect(err) {
				t.Errorf("a call that was not sent may have taken effect: %v", err)
			}
			server.wantCount(t, sent)
		})
	}
}

// A request is repeated for five minutes because of the rate limit.
func TestEndlessRateLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := scripted("limit")
		err := fetch(t.Context(), newClient(t, server))
		wantKind(t, err, RateLimited, "Rate Limit Exceeded", " attempts in 5m")
		if took := time.Since(server.arrived[0]); took < 5*time.Minute || took > 6*time.Minute || len(server.calls) > 20 {
			t.Errorf("it took %s and %d requests", took, len(server.calls))
		}
	})
}

// An error says why there was no complete response, but never quotes it.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	fails := func(err error) responder {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	ends := func(*http.Request) (*http.Response, error) { // After all of the response, as it seems.
		body := io.MultiReader(strings.NewReader(showing(`{"receive":{"type":"None"}}`)), iotest.ErrReader(io.ErrUnexpectedEOF))
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
	}
	stops := func(r *http.Request) (*http.Response, error) {
		body, writer := io.Pipe()
		context.AfterFunc(r.Context(), func() { writer.CloseWithError(r.Context().Err()) })
		return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
	}
	const nothing = "no response from https://fonestorm.test/v2: "
	for _, test := range []struct {
		network responder
		words   string
	}{
		{fails(&net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")}), nothing + "read tcp: reset"},
		{fails(errors.New(`malformed HTTP response "hunter2"`)), nothing + "the connection failed, or the response is not valid HTTP"},
		{ends, "the response is incomplete"},
		{stops, nothing + "no response within 30s"},
	} {
		inBubble(t, test.words, func(t *testing.T) {
			client := newClient(t, newScript(test.network))
			wantWords(t, fetch(t.Context(), client), "read FoneNumber "+anyNumber+": "+test.words+" (5 attempts in ")
			if err := set(t.Context(), client, none); !MayHaveTakenEffect(err) {
				t.Errorf("a setting may have taken effect, but not according to its error: %v", err)
			}
		})
	}
}

// The timeout applies to each attempt. Waiting for the rate limit does not count. A list may take longer, but a slow one is not
// repeated.
func TestRequestTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := scripted("ok")
		server.latency = 2 * time.Second
		client := newClient(t, server, func(c *Config) { c.RequestTimeout, c.RequestsPerSecond = 2500*time.Millisecond, 1 })
		wantSuccess(t, together(20, func(int) error { return fetch(t.Context(), client) })...)
		server.wantCount(t, 20)

		server = scripted("never")
		_, err := newClient(t, server).ListDevices(t.Context())
		wantKind(t, err, Unreachable, "no response within 2m0s")
		server.wantCalls(t, "devices")

		server = scripted("504 502 ok")
		server.latency = time.Minute // A proxy ends the list before the timeout.
		_, err = newClient(t, server).ListDevices(t.Context())
		wantKind(t, err, ServerError, "words of 504")
		server.wantCalls(t, "devices")
	})
}

// An endless response must not fill the memory.
func TestResponseSizeIsLimited(t *testing.T) {
	t.Parallel()
	server := newScript(respondWith(http.StatusOK, strings.Repeat(" ", maxResponse+1)))
	wantKind(t, fetch(t.Context(), newClient(t, server)), UnexpectedResponse, "larger than 64 MiB")
	server.wantCount(t, 1)
}

// A setting for which there was no connection has no effect. One whose certificate is not trusted is not repeated.
func TestSettingsWithoutConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request was sent")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // It accepts connections, but no TLS handshake ends.
	wantSuccess(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for endpoint, want := range map[string]string{
		server.URL:                          "certificate signed by unknown authority",
		"https://" + silent.Addr().String(): "no response within 1s (2 attempts in ",
		"https://127.0.0.1:0":               "dial tcp 127.0.0.1:0: ",
	} {
		config := testConfig(endpoint)
		config.Token, config.MaxRetries, config.RequestTimeout = "given-token", 1, time.Second
		client, err := New(config)
		wantSuccess(t, err)
		err = set(t.Context(), client, none)
		failure := wantKind(t, err, Unreachable, want)
		if isCertificate := endpoint == server.URL; MayHaveTakenEffect(err) || (failure.Attempts == 1) != isCertificate {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

// deadListener accepts connections, of which the first one receives nothing once it is dead, as after a change of the network.
type deadListener struct {
	net.Listener
	accepted int
	isDead   atomic.Bool
}

func (l *deadListener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	if l.accepted++; l.accepted == 1 {
		return &deadConn{connection, &l.isDead}, err
	}
	return connection, err
}

type deadConn struct {
	net.Conn
	isDead *atomic.Bool
}

func (c *deadConn) Read(p []byte) (n int, err error) {
	for n, err = c.Conn.Read(p); err == nil && c.isDead.Load(); {
		n, err = c.Conn.Read(p)
	}
	return n, err
}

// Over HTTP/2, all requests share a connection, which a timeout does not close. A retry does not use one that is dead.
func TestDeadConnectionIsNotReused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("the protocol is %s", r.Proto)
		}
		_, _ = io.WriteString(w, showing(`{"receive":{"type":"None"}}`))
	}))
	listener := &deadListener{Listener: server.Listener}
	server.Listener, server.EnableHTTP2 = listener, true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := testConfig(server.URL)
	config.Token, config.MaxRetries, config.RequestTimeout = "given-token", 1, 3*time.Second
	client, err := New(config)
	wantSuccess(t, err)
	network, _ := client.http.Transport.(*http.Transport)
	trusting, _ := server.Client().Transport.(*http.Transport)
	network.TLSClientConfig = &tls.Config{RootCAs: trusting.TLSClientConfig.RootCAs}
	wantSuccess(t, fetch(t.Context(), client))
	listener.isDead.Store(true)
	wantSuccess(t, fetch(t.Context(), client))
}

// FoneStorm may read JSON in logins and forms in settings, or the other way around. What worked is used from then on, even if a
// destination is rejected.
func TestEncodingIsFoundOut(t *testing.T) {
	t.Parallel()
	for responses, calls := range map[string]string{
		"login ok ok 422":         "login json, set json, set json, set json",
		"login 400 ok ok 422":     "login json, set json, set form, set form, set form",
		"415 login ok ok 422":     "login json, login form, set json, set json, set json",
		"422 login 422 ok ok 422": "login json, login form, set json, set form, set form, set form",
	} {
		server := scripted(responses)
		client := newClient(t, server)
		wantSuccess(t, set(t.Context(), client, none), set(t.Context(), client, none))
		wantKind(t, set(t.Context(), client, none), DestinationRejected)
		server.wantCalls(t, calls)
	}
	inBubble(t, "several at once", func(t *testing.T) {
		server := newScript(func(r *http.Request) (*http.Response, error) {
			return respondTo(map[bool]string{true: "415", false: "ok"}[callOf(r) == "set json"])(r)
		})
		server.latency = time.Second
		client := newClient(t, server)
		wantSuccess(t, together(5, func(i int) error {
			time.Sleep(time.Duration(i) * 400 * time.Millisecond) // Some are rejected after a form was accepted.
			return set(t.Context(), client, none)
		})...)
	})
}

// What a failed call has sent, what it returns, and whether a setting may have taken effect: unless every attempt was rejected or
// never sent. A request is sent as a form only if the failure may be about its
// encoding. If both are rejected, the error has the words of the first rejection, unless that only says that JSON is not read.
func TestFailedCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		retries   int
		responses string // If the first one is a login, there is no token.
		calls     string
		kind      Kind
		words     string
		may       bool
	}{
		{0, "422", "set json, set form", DestinationRejected, "words of 422", false},
		{0, "400 422", "set json, set form", DestinationRejected, "words of 400; sent as a form: FoneStorm returned 422 Unprocessable Entity: words of 422 (2 attempts in 0s)", false},
		{0, "415 422", "set json, set form", DestinationRejected, "words of 422", false},
		{0, "400 404", "set json, set form", DestinationRejected, "words of 400", false}, // A form without the number.
		{1, "400 503", "set json, set form, set form", ServerError, "words of 503", true},
		{0, "404", "set json", Rejected, "words of 404", false}, // A device may not be found, too.
		{0, "limit limit 403", "set json, set json, set json", PermissionDenied, "words of 403", false},
		{0, "later", "set json", RateLimited, "asks to wait 1h0m0s, longer than the provider waits (5m0s)", false}, // It has status 400, but is not about the encoding.
		{0, "502", "set json", ServerError, "words of 502", true},
		{1, "502 422 403", "set json, set json, set form", DestinationRejected, "words of 422", true},
		{0, "lost", "set json", Unreachable, "no response", true},
		{0, "another", "set json, get", UnexpectedResponse, "does not contain the FoneNumber", true},
		{0, "error", "set json", UnexpectedResponse, "Gone Fishing", true},
		{0, "success 404", "set json, get, list, list", UnexpectedResponse, "words of 404", true},
		{0, "login 401 401", "login json, set json, login json", AuthenticationFailed, "log in", false},
		{0, "login 401 415", "login json, set json, login json", Rejected, "log in", false}, // It says nothing about the setting's encoding.
		{0, "login 401 login 403", "login json, set json, login json, set json", PermissionDenied, "words of 403", false},
		{1, "login 401 login 401 login 401", "login json, set json, login json, set json, login json, set json", AuthenticationFailed, "words of 401", false}, // The first renewal is free.
		{1, "login 401 login 502 403", "login json, set json, login json, set json, set json", PermissionDenied, "words of 403", true},
		{1, "login 502 401 401", "login json, set json, set json, login json", AuthenticationFailed, "log in", true},
	} {
		inBubble(t, fmt.Sprint(test.responses, " with retries ", test.retries), func(t *testing.T) {
			server := scripted(test.responses)
			client := newClient(t, server, func(c *Config) { c.MaxRetries = test.retries })
			err := set(t.Context(), client, Delivery{Type: Email, Value: "ops@example.com"})
			wrapped := fmt.Errorf("while applying: %w", err)
			if wantKind(t, wrapped, test.kind, test.words); MayHaveTakenEffect(wrapped) != test.may {
				t.Errorf("the setting may have taken effect: %t, want %t: %v", !test.may, test.may, err)
			}
			server.wantCalls(t, test.calls)
		})
	}
}
