package fonestorm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// Which responses are retried, and how many times.
func TestRetries(t *testing.T) {
	t.Parallel()
	retried := strings.Fields("cut empty html lost never 408 500 502 503 504")
	final := strings.Fields("400 401 402 403 404 405 406 407 409 410 411 412 413 414 415 416 417 422 423 428 451 501")
	for i, response := range append(retried, final...) {
		for _, retries := range []int{0, 3} {
			inBubble(t, fmt.Sprint(response, " with retries ", retries), func(t *testing.T) {
				server, want, begun := scripted(response), 1, time.Now()
				client := newClient(t, server, withToken, func(c *Config) { c.MaxRetries = retries })
				err := fetch(t.Context(), client)
				if i < len(retried) {
					want += retries
				} else if time.Since(begun) != 0 {
					t.Errorf("it took %s", time.Since(begun))
				}
				wantAttempts(t, err, want)
				server.wantCount(t, want)
				server.responses = scripted("ok").responses
				wantSuccess(t, fetch(t.Context(), client))
			})
		}
	}
}

func TestWaitsBetweenAttemptsGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := scripted("502")
		err := fetch(t.Context(), newClient(t, server, withToken, func(c *Config) { c.MaxRetries = 6 }))
		middle := 500 * time.Millisecond
		for i, gap := range server.gaps() {
			if gap < middle/2 || gap > middle*3/2+time.Millisecond {
				t.Errorf("wait %d is %s, want %s or up to half more or less", i+1, gap, middle)
			}
			middle = middle * 3 / 2
		}
		server.wantCount(t, 1+6)
		if want := server.arrived[len(server.arrived)-1].Sub(server.arrived[0]); wantKind(t, err, ServerError).Elapsed != want {
			t.Errorf("the error is %v, want one that knows of %s", err, want)
		}
	})
}

func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusTooManyRequests} {
		for header, want := range map[string]time.Duration{ // By the fake clock.
			"1": time.Second, "300": 5 * time.Minute, "Sat, 01 Jan 2000 00:00:42 GMT": 42 * time.Second, "600": 0,
		} {
			inBubble(t, fmt.Sprint(status, " ", header), func(t *testing.T) {
				client := newClient(t, newScript(rejectWith(status, "Come back later.", header), respondTo("ok")), withToken)
				begun := time.Now()
				if err := fetch(t.Context(), client); want > 0 {
					wantSuccess(t, err)
				} else {
					wantAttempts(t, err, 1)
					wantWords(t, err, "Come back later. FoneStorm asks to wait 10m0s, longer than the provider waits (5m0s)")
					wantSuccess(t, fetch(t.Context(), client)) // Nobody else waits for it.
				}
				if took := time.Since(begun).Round(time.Second); took != want {
					t.Errorf("it took %s, want %s", took, want)
				}
			})
		}
	}
}

// If FoneStorm does not respond, the run fails once, not after a thousand calls have each timed out. A call that was not sent has no
// effect.
func TestUnreachableServerFailsTheRunOnce(t *testing.T) {
	t.Parallel()
	for calls, from := range map[string]func(*Config){"login json": paced, "set json": withToken} {
		inBubble(t, calls, func(t *testing.T) {
			server := scripted("never")
			client := newClient(t, server, from, paced)
			begun := time.Now()
			for _, err := range together(10, func(worker int) (err error) { // Terraform's default parallelism.
				for i := worker; i < 1000; i += 10 {
					err = set(t.Context(), client, numberAt(i), Delivery{Type: None})
				}
				return err
			}) {
				if wantKind(t, err, Unreachable, "not sent, because 3 calls in a row got no response"); MayHaveTakenEffect(err) {
					t.Errorf("a call that was not sent may have taken effect: %v", err)
				}
			}
			if took := time.Since(begun); took > 15*time.Minute || server.calls[0] != calls {
				t.Errorf("took %s and %d requests, the first of which was %s", took, len(server.calls), server.calls[0])
			}
			sent := len(server.calls)
			_, err := client.ListDevices(t.Context())
			wantKind(t, err, Unreachable)
			server.wantCount(t, sent)
		})
	}
}

// Only consecutive calls without any response count, and canceled ones do not.
func TestWhatEndsAnOutage(t *testing.T) {
	t.Parallel()
	for responses, ends := range map[string]bool{ // Whether the call after these is sent.
		"lost lost":              true,
		"lost lost lost":         false,
		"lost lost never lost":   false,
		"ok lost lost lost":      false,
		"lost lost ok lost lost": true, "lost lost 404 lost lost": true, "lost lost 503 lost lost": true,
		"503 503 503 503":         true,
		"never never never never": true, // The caller is gone by then.
	} {
		inBubble(t, responses, func(t *testing.T) {
			server := scripted(responses + " ok")
			client := newClient(t, server, withToken, withoutRetries)
			want := len(server.responses) - 1
			for range want {
				ctx, _ := cancelLater(t, time.Second)
				_ = fetch(ctx, client)
			}
			err := fetch(t.Context(), client)
			if ends {
				want++
			}
			if server.wantCount(t, want); (err == nil) != ends {
				t.Errorf("the last call ended with %v", err)
			}
		})
	}
}

func TestLostConnections(t *testing.T) {
	t.Parallel()
	fails := func(err error) roundTripFunc {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	begins := func(body string, rest func(context.Context) io.Reader) roundTripFunc {
		return func(r *http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(body), rest(r.Context()))
			return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(body)}, nil
		}
	}
	ends := func(context.Context) io.Reader { return iotest.ErrReader(io.ErrUnexpectedEOF) }
	stops := func(ctx context.Context) io.Reader {
		reader, writer := io.Pipe()
		context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
		return reader
	}
	whole := showing(Receive, `{"type":"None"}`)
	unsent := []string{"read tcp: reset", "dial: lookup fonestorm.test", "the connection failed, or the response is not valid HTTP", http.ErrSchemeMismatch.Error()}
	for words, network := range map[string]roundTripFunc{
		unsent[0]: fails(&net.OpError{Op: "read", Net: "tcp", Err: errors.New("reset")}),
		unsent[1]: fails(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "fonestorm.test"}}),
		"no response from https://fonestorm.test/v2: the connection failed": inMemory(scripted("lost")),
		unsent[2]:                fails(errors.New(`malformed HTTP response "hunter2"`)),
		unsent[3]:                fails(http.ErrSchemeMismatch),
		"is incomplete":          begins(whole[:20], ends),
		"response is incomplete": begins(whole, ends), // All of it, as it seems.
		"no response within 30s": inMemory(scripted("never")),
		"no response from https://fonestorm.test/v2: no response within 30s": begins(whole[:20], stops),
	} {
		inBubble(t, words, func(t *testing.T) {
			err := fetch(t.Context(), newClient(t, nil, over(network), withToken))
			wantWords(t, err, words, "read FoneNumber "+anyNumber)
			if wantAttempts(t, err, 1+DefaultMaxRetries); strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the response: %v", err)
			}
			err = set(t.Context(), newClient(t, nil, over(network), withToken), anyNumber, Delivery{Type: None})
			if wasSent := !slices.Contains(unsent, words); MayHaveTakenEffect(err) != wasSent {
				t.Errorf("a setting may have taken effect: %t, want %t: %v", !wasSent, wasSent, err)
			}
		})
	}
}

// The timeout applies to each attempt. Waiting for the rate limit does not count. A list may take longer, but a timeout is final.
func TestRequestTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := scripted("ok")
		slow.latency = 2 * time.Second
		within := func(timeout time.Duration) func(*Config) {
			return func(c *Config) { c.RequestTimeout, c.RequestsPerSecond, c.MaxRetries = timeout, 1, 0 }
		}
		client := newClient(t, slow, withToken, within(2500*time.Millisecond))
		wantSuccess(t, together(20, func(int) error { return fetch(t.Context(), client) })...)

		server := scripted("never")
		begun := time.Now()
		wantKind(t, fetch(t.Context(), newClient(t, server, within(1500*time.Millisecond))), Unreachable, "log in", "no response within 1.5s")
		took := time.Since(begun)
		_, err := newClient(t, server, withToken).ListDevices(t.Context())
		wantKind(t, err, Unreachable, "no response within 2m0s")
		if both := time.Since(begun); took != 1500*time.Millisecond || both-took != 2*time.Minute {
			t.Errorf("took %s and %s", took, both-took)
		}
		server.wantCalls(t, "login json, devices")
	})
}

// A redirect could send the token to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := newScript(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.test"+r.URL.Path, status)
		})
		client := newClient(t, server, withToken)
		for _, err := range []error{fetch(t.Context(), client), set(t.Context(), client, anyNumber, Delivery{Type: None})} {
			failure := wantKind(t, err, WrongEndpoint, "a redirect, which is never followed", "https://fonestorm.test/v2")
			if failure.Status != status || strings.Contains(err.Error(), "evil.test") {
				t.Errorf("the error has another status, or quotes the Location: %v", err)
			}
		}
		server.wantCalls(t, "get, set json")
	}
}

// An endless response must not fill the memory.
func TestResponseSizeIsLimited(t *testing.T) {
	t.Parallel()
	server := newScript(respondWith(http.StatusOK, strings.Repeat(" ", maxResponse+1)))
	wantKind(t, fetch(t.Context(), newClient(t, server, withToken)), UnexpectedResponse, "larger than 64 MiB")
	server.wantCount(t, 1)
}

// A server with an untrusted certificate receives no request, and the connection is not retried.
func TestUntrustedCertificateIsFinal(t *testing.T) {
	t.Parallel()
	handler := scripted("login")
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := New(testConfig(server.URL))
	wantSuccess(t, err)
	err = fetch(t.Context(), client)
	wantWords(t, err, "log in", "certificate")
	wantAttempts(t, err, 1)
	handler.wantCount(t, 0)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("the cause is hidden: %v", err)
	}
}

// FoneStorm may read JSON in logins and forms in settings, or the other way around. What worked is used from then on, even if a
// destination is rejected. Settings that start at once each find it out.
func TestEncodingIsFoundOut(t *testing.T) {
	t.Parallel()
	type counts = map[string]int
	for _, want := range []counts{
		{"login json": 1, "set json": 9},
		{"login json": 1, "set json": 3, "set form": 9},
		{"login json": 1, "login form": 1, "set json": 9},
		{"login json": 1, "login form": 1, "set json": 3, "set form": 9},
	} {
		for _, status := range []int{400, 415, 422} {
			inBubble(t, fmt.Sprint(want, status), func(t *testing.T) {
				var valid atomic.Bool
				valid.Store(true)
				server := newScript(func(w http.ResponseWriter, r *http.Request) {
					switch call := callOf(r); {
					case strings.HasSuffix(call, "json") && want[kindOf(r)+" form"] > 0 || !valid.Load():
						rejectWith(status, "not valid", "")(w, r)
					case kindOf(r) == "login":
						respondTo("login")(w, r)
					default:
						respondTo("ok")(w, r)
					}
				})
				server.latency = time.Second
				client := newClient(t, server)
				set := func(int) error { return set(t.Context(), client, anyNumber, Delivery{Type: None}) }
				wantSuccess(t, append(together(3, set), together(5, set)...)...)
				valid.Store(false)
				wantWords(t, set(0), "not valid")
				sent := counts{}
				for _, call := range server.calls {
					sent[call]++
				}
				if !maps.Equal(sent, want) {
					t.Errorf("the requests were %v, want %v", sent, want)
				}
			})
		}
	}
}

// What a failed call has sent, what it returns, and whether a setting may have taken effect: unless every attempt was rejected or
// never sent. After an uncertain setting the FoneNumber is read. A request is sent as a form only if the failure may be about its
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
		{0, "400 422", "set json, set form", DestinationRejected, "words of 400", false},
		{0, "415 422", "set json, set form", DestinationRejected, "words of 422", false},
		{0, "415 415", "set json, set form", Rejected, "words of 415", false},
		{0, "400 404", "set json, set form", DestinationRejected, "words of 400", false}, // A form without the number.
		{0, "400 403", "set json, set form", PermissionDenied, "words of 403", false},
		{0, "400 503", "set json, set form, get", ServerError, "words of 503", true},
		{1, "400 503", "set json, set form, set form, get, get", ServerError, "words of 503 (attempt 2,", true},
		{0, "401", "set json", TokenRejected, "words of 401", false}, // A configured token is never renewed, even if there is a username.
		{0, "402", "set json", PaymentRequired, "words of 402", false},
		{0, "403", "set json", PermissionDenied, "words of 403", false},
		{0, "404 404 []", "set json, get, list", NotFound, "words of 404", false}, // Reading confirms that it is gone.
		{0, `404 404 ["3215559999"]`, "set json, get, list", NotFound, "words of 404", false},
		{0, `404 404 ["+13215550000"]`, "set json, get, list", UnexpectedResponse, "words of 404. The account's list contains", false},
		{0, `404 404 [{"fonenumber":3215550000,"is_active":"no"}]`, "set json, get, list", UnexpectedResponse, "The account's list contains", false},
		{0, `404 404 [{"label":"x"}]`, "set json, get, list", NotFound, "words of 404", false}, // The list cannot be read.
		{0, "404 404 403", "set json, get, list", NotFound, "words of 404", false},
		{0, "404 404", "set json, get, list, list", UnexpectedResponse, "The account's list was not found either", false},
		{0, "404 ok", "set json, get", UnexpectedResponse, "words of 404. Reading the FoneNumber does not confirm that", false},
		{0, "409", "set json", Rejected, "words of 409", false},
		{0, "limit limit 403", "set json, set json, set json", PermissionDenied, "words of 403", false},
		{0, "later", "set json", RateLimited, "FoneStorm asks to wait 1h0m0s", false},
		{0, "408", "set json, get", ServerError, "words of 408", true},
		{0, "502", "set json, get", ServerError, "words of 502", true},
		{1, "502 422", "set json, set json, set form, get", DestinationRejected, "words of 422", true},
		{1, "502 422 403", "set json, set json, set form, get", PermissionDenied, "words of 403", true},
		{1, "lost 403", "set json, set json, get", PermissionDenied, "words of 403", true},
		{1, "never 403", "set json, set json, get", PermissionDenied, "words of 403", true},
		{0, "lost", "set json, get", Unreachable, "no response", true},
		{0, "html", "set json, get", UnexpectedResponse, "an HTML page", true},
		{0, "another", "set json, get", UnexpectedResponse, "another FoneNumber", true},
		{0, "error", "set json, get", UnexpectedResponse, "Gone Fishing", true},
		{0, "success 404", "set json, get, get, list, list", UnexpectedResponse, "words of 404", true},
		{0, "success 403", "set json, get", PermissionDenied, "words of 403", true},
		{0, "login 401 401", "login json, set json, login json", AuthenticationFailed, "log in", false},
		{0, "login 401 415", "login json, set json, login json", Rejected, "log in", false}, // It says nothing about the setting's encoding.
		{0, "login 401 login 403", "login json, set json, login json, set json", PermissionDenied, "words of 403", false},
		{0, "login 401 login 401", "login json, set json, login json, set json", AuthenticationFailed, "words of 401", false}, // The first renewal is free.
		{1, "login 401 login 401 login 401", "login json, set json, login json, set json, login json, set json", AuthenticationFailed, "words of 401", false},
		{1, "login 401 login 502 403", "login json, set json, login json, set json, set json, get", PermissionDenied, "words of 403", true},
		{1, "login 502 401 login 403", "login json, set json, set json, login json, set json, get", PermissionDenied, "words of 403", true},
		{1, "login 502 401 401", "login json, set json, set json, login json", AuthenticationFailed, "log in", true},
	} {
		inBubble(t, fmt.Sprint(test.responses, " with retries ", test.retries), func(t *testing.T) {
			server := scripted(test.responses)
			client := newClient(t, server, func(c *Config) {
				if c.MaxRetries = test.retries; !strings.HasPrefix(test.responses, "login") {
					withToken(c)
				}
			})
			err := set(t.Context(), client, anyNumber, Delivery{Type: Email, Value: "ops@example.com"})
			if wantKind(t, err, test.kind, test.words); MayHaveTakenEffect(err) != test.may {
				t.Errorf("the setting may have taken effect: %t, want %t: %v", !test.may, test.may, err)
			}
			server.wantCalls(t, test.calls)
		})
	}
}
