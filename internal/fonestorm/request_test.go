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
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Which responses are retried, and how many times.
func TestRetries(t *testing.T) {
	t.Parallel()
	retried := map[string]http.HandlerFunc{
		"cut off": respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber), "empty": respondWith(http.StatusOK, ""),
		"web page": respondWith(http.StatusOK, "<html><title>One moment please</title></html>"), "lost": loseResponse, "no response": neverRespond,
	}
	for _, status := range []int{408, 500, 502, 503, 504} {
		retried[fmt.Sprint(status)] = rejectWith(status, "not now", "")
	}
	responses := maps.Clone(retried)
	responses["wrong form"] = respondWith(http.StatusOK, "{}")
	for _, status := range []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 423, 428, 451, 501} {
		responses[fmt.Sprint(status)] = rejectWith(status, "no", "1")
	}
	for name, response := range responses {
		for _, retries := range []int{0, 3} {
			inBubble(t, fmt.Sprint(name, " with retries ", retries), func(t *testing.T) {
				server, want, begun := newScript(response), 1, time.Now()
				client := newClient(t, server, withToken, func(c *Config) { c.MaxRetries = retries })
				err := fetchAny(t, client)
				if retried[name] != nil {
					want += retries
				} else if time.Since(begun) != 0 {
					t.Errorf("it took %s", time.Since(begun))
				}
				wantAttempts(t, err, want)
				server.wantCount(t, want)
				server.responses = []http.HandlerFunc{succeed}
				wantSuccess(t, fetchAny(t, client))
			})
		}
	}
}

func TestWaitsBetweenAttemptsGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := newScript(rejectWith(http.StatusBadGateway, "", ""))
		err := fetchAny(t, newClient(t, server, withToken, func(c *Config) { c.MaxRetries = 6 }))
		middle := 500 * time.Millisecond
		for i, gap := range server.gaps() {
			if gap < middle/2 || gap > middle*3/2+time.Millisecond {
				t.Errorf("wait %d is %s, want %s or up to half more or less", i+1, gap, middle)
			}
			middle = middle * 3 / 2
		}
		if want := server.arrived[6].Sub(server.arrived[0]); wantKind(t, err, ServerError).Elapsed != want {
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
				server := newScript(rejectWith(status, "", header), succeed)
				wantSuccess(t, fetchAny(t, newClient(t, server, withToken)))
				if gaps := server.gaps(); len(gaps) != 1 || gaps[0] != want {
					t.Errorf("the waits are %s, want %s", gaps, want)
				}
			})
		}
		inBubble(t, fmt.Sprint(status, " longer than the client waits"), func(t *testing.T) {
			client := newClient(t, newScript(rejectWith(status, "Come back later.", "600"), succeed), withToken)
			err := fetchAny(t, client)
			wantAttempts(t, err, 1)
			wantWords(t, err, "Come back later. FoneStorm asks to wait 10m0s, longer than the provider waits (5m0s)")
			begun := time.Now()
			if wantSuccess(t, fetchAny(t, client)); time.Since(begun) > time.Second { // Nobody else waits for it.
				t.Errorf("the next call took %s", time.Since(begun))
			}
		})
	}
}

// If FoneStorm does not respond, the run fails once, not after a thousand calls have each timed out.
func TestUnreachableServerFailsTheRunOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sets bool
		from func(*Config)
	}{
		"reads": {false, withToken}, "reads with a login": {false, paced}, "settings": {true, withToken}, "settings with a login": {true, paced},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := newScript(neverRespond)
			client := newClient(t, server, test.from, paced, withDefaultRetries)
			begun := time.Now()
			wantErrors := together(10, func(worker int) (err error) { // Terraform's default parallelism.
				for i := worker; i < 1000; i += 10 {
					err = read(t.Context(), client, numberAt(i))
					if test.sets {
						err = set(t.Context(), client, numberAt(i), Delivery{Type: None})
					}
					if wasSent := test.sets && client.config.Token != "" && i < 10; MayHaveTakenEffect(err) && !wasSent {
						t.Errorf("call %d may have taken effect: %v", i, err)
					}
				}
				return err
			})
			for _, err := range wantErrors {
				wantKind(t, err, Unreachable, "not sent, because 3 calls in a row got no response")
			}
			if took := time.Since(begun); took > 15*time.Minute {
				t.Errorf("took %s and %d requests", took, len(server.calls))
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
	notFound, failing := rejectWith(http.StatusNotFound, "no", ""), rejectWith(http.StatusServiceUnavailable, "later", "")
	for name, test := range map[string]struct {
		responses []http.HandlerFunc
		ends      bool // Whether the last call is sent.
	}{
		"three in a row":        {[]http.HandlerFunc{loseResponse, loseResponse, loseResponse}, false},
		"two in a row":          {[]http.HandlerFunc{loseResponse, loseResponse}, true},
		"a success in between":  {[]http.HandlerFunc{loseResponse, loseResponse, succeed, loseResponse, loseResponse}, true},
		"a 404 in between":      {[]http.HandlerFunc{loseResponse, loseResponse, notFound, loseResponse, loseResponse}, true},
		"a failure in between":  {[]http.HandlerFunc{loseResponse, loseResponse, failing, loseResponse, loseResponse}, true},
		"failures do not count": {[]http.HandlerFunc{failing, failing, failing, failing}, true},
		"three after a success": {[]http.HandlerFunc{succeed, loseResponse, loseResponse, loseResponse}, false},
		"canceled":              {[]http.HandlerFunc{neverRespond, neverRespond, neverRespond, neverRespond}, true},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := newScript(append(test.responses, succeed)...)
			client := newClient(t, server, withToken, withoutRetries)
			for range test.responses {
				ctx, _ := cancelLater(t, time.Second)
				_ = fetch(ctx, client, anyNumber)
			}
			want := len(test.responses)
			err := fetchAny(t, client)
			if test.ends {
				want++
			}
			if server.wantCount(t, want); (err == nil) != test.ends {
				t.Errorf("the last call ended with %v", err)
			}
		})
	}
}

// brokenBody is a response body that fails at its end, like a lost connection.
type brokenBody struct {
	io.Reader
	fail func() error
}

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		err = b.fail()
	}
	return n, err
}

func (b brokenBody) Close() error { return nil }

func TestLostConnections(t *testing.T) {
	t.Parallel()
	fails := func(err error) roundTripFunc {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
	unknown := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "fonestorm.test"}}
	begins := func(body string, fail func(context.Context) error) roundTripFunc {
		return func(r *http.Request) (*http.Response, error) {
			body := brokenBody{strings.NewReader(body), func() error { return fail(r.Context()) }}
			return &http.Response{StatusCode: http.StatusOK, Request: r, Body: body}, nil
		}
	}
	ends := func(context.Context) error { return io.ErrUnexpectedEOF }
	never := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	whole := receiving(`{"type":"None"}`)
	for name, test := range map[string]struct {
		network http.RoundTripper
		words   string
	}{
		"none made":    {fails(reset), "no response from https://fonestorm.test/v2: read tcp: connection reset by peer"},
		"unknown host": {fails(unknown), `the host name "fonestorm.test" could not be resolved; check endpoint`},
		"closed":       {inMemory(http.HandlerFunc(loseResponse)), "no response from https://fonestorm.test/v2: EOF"},
		"not HTTP":     {fails(errors.New("malformed HTTP response \"hunter2\"")), "the connection failed, or the response is not valid HTTP"},
		"lost at once": {begins("", ends), "is incomplete"},
		"lost at last": {begins(whole, ends), "is incomplete"},
		"no response":  {inMemory(http.HandlerFunc(neverRespond)), "no response within 30s"},
		"stops midway": {begins(whole[:20], never), "no response within 30s"},
	} {
		inBubble(t, name, func(t *testing.T) {
			err := fetchAny(t, newNetworkClient(t, test.network, withToken))
			wantWords(t, err, test.words, "read FoneNumber "+anyNumber)
			wantAttempts(t, err, 3)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes the response: %v", err)
			}
		})
	}
}

// The timeout applies to each attempt. Waiting for the rate limit does not count. A list may take longer, but a timeout is final.
func TestRequestTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			succeed(w, r)
		}
		within := func(timeout time.Duration) func(*Config) {
			return func(c *Config) { c.RequestTimeout, c.RequestsPerSecond, c.MaxRetries = timeout, 1, 0 }
		}
		client := newClient(t, newScript(slow), withToken, within(2500*time.Millisecond))
		wantSuccess(t, together(20, func(int) error { return fetchAny(t, client) })...)

		server := newScript(neverRespond)
		begun := time.Now()
		wantKind(t, fetchAny(t, newClient(t, server, within(1500*time.Millisecond))), Unreachable, "log in", "no response within 1.5s")
		took := time.Since(begun)
		_, err := newClient(t, server, withToken).ListDevices(t.Context())
		wantKind(t, err, Unreachable, "no response within 2m0s")
		if both := time.Since(begun); took != 1500*time.Millisecond || both-took != 2*time.Minute {
			t.Errorf("took %s and %s", took, both-took)
		}
		server.wantCalls(t, "login json", "devices")
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
		for _, err := range []error{fetchAny(t, client), set(t.Context(), client, anyNumber, Delivery{Type: None})} {
			failure := wantKind(t, err, WrongEndpoint, "a redirect, which is never followed", "https://fonestorm.test/v2")
			if failure.Status != status || strings.Contains(err.Error(), "evil.test") {
				t.Errorf("the error has another status, or quotes the Location: %v", err)
			}
		}
		server.wantCalls(t, "get", "set json")
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
	endless := true
	handler := newScript(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, err := w.Write(beginning)
		for err == nil && endless { // Until the client closes the connection.
			_, err = w.Write(more)
		}
	})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := New(testConfig(server.URL+"/v2", withToken))
	wantSuccess(t, err)
	wantKind(t, fetchAny(t, client), UnexpectedResponse, "larger than 64 MiB")
	handler.wantCount(t, 1)
	endless = false
	wantSuccess(t, fetchAny(t, client))
}

func TestByteOrderMarkIsCutOff(t *testing.T) {
	t.Parallel()
	wantSuccess(t, fetchAny(t, newClient(t, respondWith(http.StatusOK, "\ufeff"+receiving(`{"type":"None"}`)), withToken)))
	err := fetchAny(t, newClient(t, respondWith(http.StatusConflict, "\ufeff"+envelopeOf(http.StatusConflict, "Locked.")), withToken))
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
	client, err := New(testConfig(server.URL))
	wantSuccess(t, err)
	err = fetchAny(t, client)
	wantWords(t, err, "log in", "certificate")
	wantAttempts(t, err, 1)
	if connections.Load() != 1 || requests.Load() != 0 {
		t.Errorf("there were %d connections and %d requests, want one and none", connections.Load(), requests.Load())
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("the cause is hidden: %v", err)
	}
}

// FoneStorm may read JSON in logins and forms in settings, or the other way around. What worked is used from then on, even if a
// destination is rejected. Settings that start at once each find it out.
func TestEncodingIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"login json", "login form"} {
		for _, setting := range []string{"set json", "set form"} {
			for _, status := range []int{400, 415, 422} {
				inBubble(t, fmt.Sprint(login, ", ", setting, ", ", status), func(t *testing.T) {
					setsIt := http.HandlerFunc(succeed)
					server := newScript(func(w http.ResponseWriter, r *http.Request) {
						time.Sleep(time.Second)
						switch callOf(r) {
						case login:
							acceptLogin(w, r)
						case setting:
							setsIt(w, r)
						default:
							rejectWith(status, "fonenumber is required", "")(w, r)
						}
					})
					client := newClient(t, server)
					set := func(int) error { return set(t.Context(), client, anyNumber, Delivery{Type: None}) }
					wantSuccess(t, append(together(3, set), together(5, set)...)...)
					setsIt = rejectWith(status, "value is not valid", "")
					wantWords(t, set(0), "value is not valid")
					want := map[string]int{login: 1, setting: 9}
					if login == "login form" {
						want["login json"] = 1
					}
					if setting == "set form" {
						want["set json"] = 3
					}
					sent := map[string]int{}
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
			server := newScript(response)
			for _, change := range []func(*Config){withToken, withoutRetries} { // A setting, and the login before it.
				if err := set(t.Context(), newClient(t, server, change), anyNumber, Delivery{Type: None}); err == nil {
					t.Error("got no error")
				}
			}
			if sent := fmt.Sprint(server.calls); strings.Contains(sent, "form") || !strings.Contains(sent, "login json") {
				t.Errorf("the requests were %s", sent)
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
		forms      int
	}{
		"twice":                        {400, 422, "words of 400", DestinationRejected, 1},
		"JSON is not read":             {415, 422, "words of 422", DestinationRejected, 1},
		"neither is read":              {415, 415, "words of 415", Rejected, 1},
		"a form without the number":    {400, 404, "words of 400", DestinationRejected, 1},
		"a form that is not permitted": {400, 403, "words of 403", PermissionDenied, 1},
		"a form that fails":            {400, 503, "words of 503", ServerError, 3},
	} {
		inBubble(t, name, func(t *testing.T) {
			says := func(status int) http.HandlerFunc { return rejectWith(status, fmt.Sprint("words of ", status), "") }
			server := newScript(says(test.json), says(test.form))
			_, err := newClient(t, server, withToken).requestFoneNumber(t.Context(), Setting{Option: Receive, Delivery: Delivery{Type: None}}.request(anyNumber))
			wantKind(t, err, test.kind, test.words, "set the delivery of FoneNumber "+anyNumber)
			wantAttempts(t, err, test.forms)
			server.wantCalls(t, append([]string{"set json"}, []string{"set form", "set form", "set form"}[:test.forms]...)...)
		})
	}
}
