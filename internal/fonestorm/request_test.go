package fonestorm

import (
	"bytes"
	"compress/gzip"
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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Which responses are retried, and how many times.
func TestRetries(t *testing.T) {
	t.Parallel()
	again := map[string]http.HandlerFunc{
		"cut off": respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber), "empty": respondWith(http.StatusOK, ""),
		"web page": respondWith(http.StatusOK, "<html><title>One moment please</title></html>"), "lost": loseResponse, "no response": neverRespond,
	}
	for _, status := range []int{408, 500, 502, 503, 504} {
		again[fmt.Sprint(status)] = rejectWith(status, "not now", "")
	}
	for name, response := range again {
		for _, retries := range []int{0, 3} {
			inBubble(t, fmt.Sprint(name, " with retries ", retries), func(t *testing.T) {
				server := &script{responses: []http.HandlerFunc{response}}
				client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = retries })
				wantAttempts(t, read1(t, client), retries+1)
				if got := len(server.arrived); got != retries+1 {
					t.Errorf("there were %d requests, want %d", got, retries+1)
				}
				server.responses = []http.HandlerFunc{succeed}
				wantSuccess(t, read1(t, client))
			})
		}
	}
	final := map[string]http.HandlerFunc{"wrong form": respondWith(http.StatusOK, "{}")}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 423, 428, 451, 501} {
		final[fmt.Sprint(status)] = rejectWith(status, "no", "1")
	}
	for name, response := range final {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{response}}
			begun := time.Now()
			wantAttempts(t, read1(t, newBubbleClient(t, server, withToken)), 1)
			if len(server.arrived) != 1 || time.Since(begun) != 0 {
				t.Errorf("there were %d requests in %s, want one", len(server.arrived), time.Since(begun))
			}
		})
	}
}

func TestWaitsBetweenAttemptsGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{rejectWith(http.StatusBadGateway, "", "")}}
		client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = 6 })
		err := read1(t, client)
		wantStatus(t, err, http.StatusBadGateway)
		middle := 500 * time.Millisecond
		for i, gap := range server.gaps() {
			if gap < middle/2 || gap > middle*3/2+time.Millisecond {
				t.Errorf("wait %d is %s, want %s or up to half more or less", i+1, gap, middle)
			}
			middle = middle * 3 / 2
		}
		if want := server.arrived[6].Sub(server.arrived[0]); asError(err).Elapsed != want {
			t.Errorf("the error is %v, want one that knows of %s", err, want)
		}
	})
}

func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	const date = "date" // Replaced by a date as far ahead as the test wants.
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusTooManyRequests} {
		for header, want := range map[string]time.Duration{"1": time.Second, "300": 5 * time.Minute, date: 42 * time.Second} {
			inBubble(t, fmt.Sprint(status, " ", header), func(t *testing.T) {
				if header == date {
					header = time.Now().Add(want).UTC().Format(http.TimeFormat) // The bubble begins on a full second.
				}
				server := &script{responses: []http.HandlerFunc{rejectWith(status, "", header), succeed}}
				wantSuccess(t, read1(t, newBubbleClient(t, server, withToken)))
				if gaps := server.gaps(); len(gaps) != 1 || gaps[0] != want {
					t.Errorf("the waits are %s, want %s", gaps, want)
				}
			})
		}
		inBubble(t, fmt.Sprint(status, " longer than the client waits"), func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{rejectWith(status, "Come back later.", "600"), succeed}}
			client := newBubbleClient(t, server, withToken)
			err := read1(t, client)
			wantAttempts(t, err, 1)
			wantWords(t, err, "Come back later. FoneStorm asks to wait 10m0s, longer than the provider waits (5m0s)")
			begun := time.Now()
			if wantSuccess(t, read1(t, client)); time.Since(begun) > time.Second { // Nobody else waits for it.
				t.Errorf("the next call took %s", time.Since(begun))
			}
		})
	}
}

// If FoneStorm does not respond, the run fails once, not after a thousand calls have each timed out.
func TestUnreachableServerFailsTheRunOnce(t *testing.T) {
	t.Parallel()
	const n = 1000
	for name, changes := range map[string][]func(*Config){"with a token": {withToken}, "with a login": {}} {
		for kind, call := range map[string]func(ctx context.Context, c *Client, i int) error{
			"reads": func(ctx context.Context, c *Client, i int) error { return read(ctx, c, numberAt(i)) },
			"settings": func(ctx context.Context, c *Client, i int) error {
				return set(ctx, c, numberAt(i), Delivery{Type: None})
			},
		} {
			inBubble(t, kind+" "+name, func(t *testing.T) {
				server := &script{responses: []http.HandlerFunc{neverRespond}}
				client := newBubbleClient(t, server, append(changes, paced, func(c *Config) { c.MaxRetries = DefaultMaxRetries })...)
				begun := time.Now()
				for _, err := range together(10, func(worker int) (err error) { // Terraform's default parallelism.
					for i := worker; i < n; i += 10 {
						err = call(t.Context(), client, i)
						if sent := i < 10 && len(changes) > 0; KindOf(err) != Unreachable || MayHaveTakenEffect(err) != (sent && kind == "settings") {
							t.Errorf("call %d failed with %v", i, err)
						}
					}
					return err
				}) {
					wantKind(t, err, Unreachable)
					wantWords(t, err, "not sent, because 3 calls in a row got no response")
				}
				took := time.Since(begun)
				t.Logf("%d %s took %s and %d requests", n, kind, took, len(server.arrived))
				if took > 15*time.Minute {
					t.Errorf("took %s", took)
				}
				sent := len(server.arrived)
				_, devices := client.ListDevices(t.Context())
				failed := set(t.Context(), client, anyNumber, Delivery{Type: None})
				wantKind(t, devices, Unreachable)
				wantKind(t, failed, Unreachable)
				if len(server.arrived) != sent || MayHaveTakenEffect(failed) {
					t.Errorf("got %d requests after the outage was detected", len(server.arrived)-sent)
				}
			})
		}
	}
}

// Only consecutive calls without any response count.
func TestWhatEndsAnOutage(t *testing.T) {
	t.Parallel()
	notFound := rejectWith(http.StatusNotFound, "no", "")
	failing := rejectWith(http.StatusServiceUnavailable, "later", "")
	for name, test := range map[string]struct {
		responses []http.HandlerFunc
		ends      bool // Whether the last call is sent.
	}{
		"three in a row":        {[]http.HandlerFunc{loseResponse, loseResponse, loseResponse}, false},
		"two in a row":          {[]http.HandlerFunc{loseResponse, loseResponse}, true},
		"a success in between":  {[]http.HandlerFunc{loseResponse, loseResponse, succeed, loseResponse, loseResponse}, true},
		"a 404 in between":      {[]http.HandlerFunc{loseResponse, loseResponse, notFound, loseResponse, loseResponse}, true},
		"a failure in between":  {[]http.HandlerFunc{loseResponse, loseResponse, failing, loseResponse, loseResponse}, true},
		"failures do not count": {[]http.HandlerFunc{failing, failing, failing, failing, failing}, true},
		"three after a success": {[]http.HandlerFunc{succeed, loseResponse, loseResponse, loseResponse}, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: append(test.responses, succeed)}
			client := newBubbleClient(t, server, withToken, withoutRetries)
			for range test.responses {
				_ = read1(t, client)
			}
			err := read1(t, client)
			if (err == nil) != test.ends {
				t.Errorf("the last call ended with %v", err)
			}
			if want := len(test.responses) + 1; test.ends && len(server.arrived) != want {
				t.Errorf("there were %d requests, want %d", len(server.arrived), want)
			}
		})
	}
}

// A canceled call does not show that FoneStorm is unreachable.
func TestCancellationIsNotAnOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{neverRespond, neverRespond, neverRespond, neverRespond, succeed}}
		client := newBubbleClient(t, server, withToken)
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			wantKind(t, fetch(ctx, client, anyNumber), Canceled)
			cancel()
		}
		wantSuccess(t, read1(t, client))
	})
}

func TestLostConnections(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	whole := receiving(`{"type":"None"}`)
	answer := func(r *http.Request, body string, fail func() error) *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Request: r, Body: &brokenBody{strings.NewReader(body), fail}}
	}
	tests := map[string]struct {
		trip  roundTripFunc
		words string
	}{
		"none made": {func(*http.Request) (*http.Response, error) { return nil, reset }, "no response from https://fonestorm.test/v2: read tcp: connection reset by peer"},
		"unknown host": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "fonestorm.test"}}
		}, `the host name "fonestorm.test" could not be resolved; check endpoint`},
		"lost at once": {func(r *http.Request) (*http.Response, error) {
			return answer(r, "", func() error { return reset }), nil
		}, "is incomplete"},
		"lost at last": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole, func() error { return io.ErrUnexpectedEOF }), nil
		}, "is incomplete"},
		"no response": {func(r *http.Request) (*http.Response, error) { return nil, untilGone(r) }, "no response within 30s"},
		"stops midway": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole[:20], func() error { return untilGone(r) }), nil
		}, "no response within 30s"},
		"not HTTP": {func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("net/http: HTTP/1.x transport connection broken: malformed HTTP response %q", "hunter2")
		}, "the connection failed, or the response is not valid HTTP"},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			err := read1(t, newNetworkClient(t, test.trip, withToken))
			wantWords(t, err, test.words, "read FoneNumber "+anyNumber)
			wantAttempts(t, err, 3)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the response: %v", err)
			}
		})
	}
}

// untilGone blocks until the caller has gone away.
func untilGone(r *http.Request) error {
	<-r.Context().Done()
	return r.Context().Err()
}

// The timeout applies to each attempt. Waiting for the rate limit does not count. A list may take longer, but a timeout is final.
func TestRequestTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			succeed(w, r)
		})
		client := newBubbleClient(t, slow, withToken, func(c *Config) {
			c.RequestTimeout, c.RequestsPerSecond, c.MaxRetries = 2500*time.Millisecond, 1, 0
		})
		wantSuccess(t, together(20, func(int) error { return read1(t, client) })...)

		server := &script{responses: []http.HandlerFunc{neverRespond}}
		client = newBubbleClient(t, server, func(c *Config) { c.RequestTimeout, c.MaxRetries = 1500*time.Millisecond, 0 })
		begun := time.Now()
		err := read1(t, client)
		wantKind(t, err, Unreachable)
		wantWords(t, err, "log in", "no response within 1.5s")
		if waited := time.Since(begun); waited != 1500*time.Millisecond {
			t.Errorf("took %s", waited)
		}
		server.arrived, begun = nil, time.Now()
		_, err = newBubbleClient(t, server, withToken).ListDevices(t.Context())
		wantWords(t, err, "no response within 2m0s")
		if waited := time.Since(begun); waited != 2*time.Minute || server.count() != 1 {
			t.Errorf("%d requests took %s", server.count(), waited)
		}
	})
}

// A redirect could send the token to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		succeed(w, r)
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var asked atomic.Int32
		client := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			http.Redirect(w, r, other.URL+r.URL.Path, status)
		}), withToken)
		for _, err := range []error{read1(t, client), set(t.Context(), client, anyNumber, Delivery{Type: None})} {
			wantStatus(t, err, status)
			wantKind(t, err, WrongEndpoint)
			wantWords(t, err, "a redirect, which is never followed", simulator.BasePath)
			if strings.Contains(err.Error(), other.URL) {
				t.Errorf("the error quotes the Location: %v", err)
			}
		}
		if asked.Load() != 2 {
			t.Errorf("there were %d requests, want 2", asked.Load())
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

// Compressed responses are read. An endless one must not fill the memory, however small it is on the wire.
func TestResponseSizeIsLimited(t *testing.T) {
	t.Parallel()
	gzipped := func(text string) []byte { // A member of a gzip stream, which may contain several.
		var data bytes.Buffer
		zip := gzip.NewWriter(&data)
		_, _ = io.WriteString(zip, text)
		_ = zip.Close() // Writing to a buffer cannot fail.
		return data.Bytes()
	}
	beginning, more := gzipped(receiving(`{"type":"None"}`)), gzipped(strings.Repeat(" ", 1<<20))
	var asked atomic.Int32
	endless := true
	client := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Encoding", "gzip")
		_, err := w.Write(beginning)
		for err == nil && endless { // Until the client closes the connection.
			_, err = w.Write(more)
		}
	}), withToken)
	err := read1(t, client)
	wantKind(t, err, UnexpectedResponse)
	wantWords(t, err, "larger than 64 MiB")
	if asked.Load() != 1 {
		t.Errorf("there were %d requests, want one", asked.Load())
	}
	endless = false
	wantSuccess(t, read1(t, client))
}

func TestByteOrderMarkIsCutOff(t *testing.T) {
	t.Parallel()
	wantSuccess(t, read1(t, newBubbleClient(t, respondWith(http.StatusOK, "\ufeff"+receiving(`{"type":"None"}`)), withToken)))
	err := read1(t, newBubbleClient(t, respondWith(http.StatusConflict, "\ufeff"+envelopeOf(http.StatusConflict, "Locked.")), withToken))
	wantWords(t, err, "Locked.")
}

// A server with an untrusted certificate receives no request, and the connection is not retried.
func TestUntrustedCertificateIsFinal(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	client, err := New(testConfig(server.URL, nil))
	wantSuccess(t, err)
	err = read1(t, client)
	wantWords(t, err, "log in", "certificate")
	wantAttempts(t, err, 1)
	if connections.Load() != 1 || requests.Load() != 0 {
		t.Errorf("there were %d connections and %d requests, want one and none", connections.Load(), requests.Load())
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("the cause is hidden: %v", err)
	}
}

// FoneStorm may read JSON in logins and forms in settings, or the other way around. What worked is used from then on. Settings that
// start at once each find it out.
func TestEncodingIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"json", "form"} {
		for _, setting := range []string{"json", "form"} {
			for _, status := range []int{400, 415, 422} {
				inBubble(t, fmt.Sprintf("login %s, setting %s, %d", login, setting, status), func(t *testing.T) {
					unread := readsOnly(map[string]string{"login": login, "set": setting}, status)
					var mu sync.Mutex
					sent := map[string]int{}
					client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						mu.Lock()
						sent[kindOf(r)+" "+r.Header.Get("Content-Type")]++
						mu.Unlock()
						time.Sleep(time.Second)
						if unread(w, r) {
							return
						}
						if kindOf(r) == "login" {
							acceptLogin(w, r)
							return
						}
						succeed(w, r)
					}))
					set := func(int) error { return set(t.Context(), client, anyNumber, Delivery{Type: None}) }
					wantSuccess(t, together(3, set)...)
					wantSuccess(t, together(5, set)...)
					types := map[string]string{"json": "application/json", "form": "application/x-www-form-urlencoded"}
					want := map[string]int{"login " + types[login]: 1, "set " + types[setting]: 8}
					if login == "form" {
						want["login application/json"] = 1
					}
					if setting == "form" {
						want["set application/json"] = 3
					}
					if !maps.Equal(sent, want) {
						t.Errorf("the requests were %v, want %v", sent, want)
					}
				})
			}
		}
	}
}

// A request is sent as a form only if the failure may be about its encoding: not after a wrong password, a rejected token, or an
// exceeded rate limit, whatever the status.
func TestNoFormAfterOtherFailures(t *testing.T) {
	t.Parallel()
	responses := map[string]http.HandlerFunc{"400": rejectWith(400, "Rate Limit Exceeded", ""), "410": rejectWith(410, "too many requests", "")}
	for _, status := range []int{401, 402, 403, 404, 409, 429, 500, 503} {
		responses[fmt.Sprint(status)] = rejectWith(status, "no", "")
	}
	for name, response := range responses {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{response}}
			for _, changes := range [][]func(*Config){{}, {withToken}} {
				client := newBubbleClient(t, server, append(changes, withoutRetries)...)
				if err := set(t.Context(), client, anyNumber, Delivery{Type: None}); err == nil {
					t.Error("got no error")
				}
			}
			if bodies := fmt.Sprint(server.bodies); strings.Contains(bodies, "form") {
				t.Errorf("the bodies were %s", bodies)
			}
		})
	}
}

// The error of a request that is rejected in both encodings has the words of the first rejection, unless that one only says that
// FoneStorm does not read JSON. A failure that has nothing to do with the encoding counts itself.
func TestRejectedInBothEncodings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		json, form int
		words      string
		kind       Kind
	}{
		"twice":                        {400, 422, "words of 400", DestinationRejected},
		"JSON is not read":             {415, 422, "words of 422", DestinationRejected},
		"neither is read":              {415, 415, "words of 415", Rejected},
		"a form without the number":    {400, 404, "words of 400", DestinationRejected},
		"a form that is not permitted": {400, 403, "words of 403", PermissionDenied},
		"a form that fails":            {400, 503, "words of 503", ServerError},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
				status := test.json
				if strings.Contains(r.Header.Get("Content-Type"), "form") {
					status = test.form
				}
				rejectWith(status, fmt.Sprint("words of ", status), "")(w, r)
			}}}
			r := Delivery{Type: None}.params(anyNumber)
			_, err := newBubbleClient(t, server, withToken).requestFoneNumber(t.Context(), &request{
				operation: setDelivery, subject: anyNumber, method: http.MethodPost, path: "/messages/receive", params: r,
			})
			wantKind(t, err, test.kind)
			wantWords(t, err, test.words, "set the delivery of FoneNumber "+anyNumber)
			forms := slices.DeleteFunc(server.bodies, func(body string) bool { return !strings.Contains(body, "form") })
			if want := map[bool]int{false: 1, true: 3}[test.kind == ServerError]; len(forms) != want || asError(err).Attempts != want {
				t.Errorf("it was sent as a form %d times, and the error reports %d attempts; want %d", len(forms), asError(err).Attempts, want)
			}
		})
	}
}

// Once a setting has succeeded, a rejected destination is sent only once.
func TestRejectedDestinationAfterASuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{succeed, rejectWith(400, "no", "")}}
		client := newBubbleClient(t, server, withToken)
		wantSuccess(t, set(t.Context(), client, anyNumber, Delivery{Type: None}))
		wantKind(t, set(t.Context(), client, anyNumber, Delivery{Type: None}), DestinationRejected)
		if len(server.bodies) != 2 {
			t.Errorf("the bodies were %s", server.bodies)
		}
	})
}
