package fonestorm

import (
	"bytes"
	"compress/gzip"
	"context"
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
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// script answers requests one after the other, and remembers when they came.
type script struct {
	answers []http.HandlerFunc // The last one is for all further requests.
	arrived []time.Time
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.arrived = append(s.arrived, time.Now())
	s.answers[min(len(s.arrived), len(s.answers))-1](w, r)
}

// gaps returns the time between one request and the next.
func (s *script) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(s.arrived); i++ {
		gaps = append(gaps, s.arrived[i].Sub(s.arrived[i-1]))
	}
	return gaps
}

// refuse answers with an error as FoneStorm does; retryAfter is left out when empty.
func refuse(status int, message, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		respond(w, status, envelopeOf(status, message))
	}
}

func succeed(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, receiving(`{"type":"None"}`))
}

func logIn(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusCreated, `{"auth":{"token":"any"}}`)
}

// inBubble runs a test of its own on a fake clock.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

func read1(t testing.TB, client *Client) error {
	t.Helper()
	_, err := client.fetchFoneNumber(t.Context(), anyNumber)
	return err
}

func TestAnswersThatAreAskedForAgain(t *testing.T) {
	t.Parallel()
	again := []int{408, 429, 500, 502, 503, 504}
	for _, status := range again {
		for _, retries := range []int{0, 1, 3} {
			inBubble(t, fmt.Sprint(status, " with retries ", retries), func(t *testing.T) {
				server := &script{answers: []http.HandlerFunc{refuse(status, "not now", "")}}
				client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = retries })
				err := read1(t, client)
				wantError(t, err, status)
				wantWords(t, err, "not now")
				if got := len(server.arrived); got != retries+1 {
					t.Errorf("there were %d requests, want %d", got, retries+1)
				}
				wantAttempts(t, err, retries+1)
			})
		}
	}
}

// wantAttempts checks that people learn how often a call was attempted, unless that was once.
func wantAttempts(t *testing.T, err error, attempts int) {
	t.Helper()
	repeated, ok := errors.AsType[*RetriesError](err)
	switch {
	case ok && attempts == 1:
		t.Errorf("one attempt is reported as %v", err)
	case attempts > 1 && !ok:
		t.Errorf("the error is %T, want a *RetriesError: %v", err, err)
	case attempts > 1:
		if repeated.Attempts != attempts {
			t.Errorf("it reports %d attempts, want %d", repeated.Attempts, attempts)
		}
		wantWords(t, err, fmt.Sprintf("attempt %d", attempts))
	}
}

func TestAnswersThatAreFinal(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 423, 428, 451, 501} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{answers: []http.HandlerFunc{refuse(status, "no", "1")}}
			client := newBubbleClient(t, server, withToken)
			begun := time.Now()
			err := read1(t, client)
			wantError(t, err, status)
			wantAttempts(t, err, 1)
			if len(server.arrived) != 1 || time.Since(begun) != 0 {
				t.Errorf("there were %d requests in %s, want one", len(server.arrived), time.Since(begun))
			}
		})
	}
}

func TestDamagedAnswersAreAskedForAgain(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"cut off":     `{"fonenumber":{"fonenumber":"` + anyNumber,
		"empty":       "",
		"web page":    "<html><title>One moment please</title></html>",
		"wrong types": `{"fonenumber":5}`,
	}
	for name, body := range bodies {
		inBubble(t, name, func(t *testing.T) {
			damaged := answering(http.StatusOK, body).ServeHTTP
			server := &script{answers: []http.HandlerFunc{damaged, damaged, succeed}}
			wantSuccess(t, read1(t, newBubbleClient(t, server, withToken)))

			server = &script{answers: []http.HandlerFunc{damaged}}
			err := read1(t, newBubbleClient(t, server, withToken))
			wantAnswerError(t, err)
			wantAttempts(t, err, 3)
		})
	}
}

// brokenBody fails when it is read to its end, as a connection does that is lost.
type brokenBody struct {
	rest io.Reader
	fail func() error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err != nil {
		err = b.fail()
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

func TestLostConnections(t *testing.T) {
	t.Parallel()
	reset := errors.New("connection reset by peer")
	whole := receiving(`{"type":"None"}`)
	answer := func(r *http.Request, body string, fail func() error) *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Request: r, Body: &brokenBody{strings.NewReader(body), fail}}
	}
	tests := map[string]struct {
		trip  roundTripFunc
		words []string
	}{
		"none made": {func(*http.Request) (*http.Response, error) { return nil, reset }, []string{"no answer from FoneStorm: connection reset by peer"}},
		"lost at once": {func(r *http.Request) (*http.Response, error) {
			return answer(r, "", func() error { return reset }), nil
		}, nil},
		"lost midway": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole[:20], func() error { return reset }), nil
		}, []string{"reset"}},
		"lost at last": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole, func() error { return io.ErrUnexpectedEOF }), nil
		}, []string{"cut off"}},
		"never answers": {func(r *http.Request) (*http.Response, error) { return nil, untilGone(r) }, []string{"none within the request timeout of 30s"}},
		"stops midway": {
			func(r *http.Request) (*http.Response, error) {
				return answer(r, whole[:20], func() error { return untilGone(r) }), nil
			},
			[]string{"none within the request timeout of 30s"},
		},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, http.HandlerFunc(succeed), withToken)
			memory := client.transport.http.Transport
			attempts := 0
			client.transport.http.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				attempts++
				return test.trip(r)
			})
			err := read1(t, client)
			wantWords(t, err, append(test.words, "reading FoneNumber "+anyNumber)...)
			wantAttempts(t, err, 3)
			if attempts != 3 {
				t.Errorf("there were %d attempts, want 3", attempts)
			}

			client.transport.http.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if attempts++; attempts == 4 {
					return test.trip(r)
				}
				return memory.RoundTrip(r)
			})
			wantSuccess(t, read1(t, client))
		})
	}
}

// untilGone waits until nobody waits for the answer any more.
func untilGone(r *http.Request) error {
	<-r.Context().Done()
	return r.Context().Err()
}

// The timeout is for each attempt: neither waiting for a turn nor other attempts count.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 2 * time.Second})
		client := newBubbleClient(t, sim, func(c *Config) {
			c.RequestTimeout = 2500 * time.Millisecond
			c.RequestsPerSecond = 1
			c.MaxRetries = 0
		})
		wantSuccess(t, together(20, func(i int) error {
			_, err := client.fetchFoneNumber(t.Context(), numberAt(i))
			return err
		})...)

		client = newBubbleClient(t, sim, func(c *Config) {
			c.RequestTimeout = 1500 * time.Millisecond
			c.MaxRetries = 0
		})
		begun := time.Now()
		err := read1(t, client)
		if _, ok := errors.AsType[*ConnectionError](err); !ok {
			t.Errorf("the error is %T, want a *ConnectionError", err)
		}
		wantWords(t, err, "logging in", "none within the request timeout of 1.5s")
		if waited := time.Since(begun); waited != 1500*time.Millisecond {
			t.Errorf("it took %s", waited)
		}
	})
}

func TestWaitsBetweenAttemptsGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &script{answers: []http.HandlerFunc{refuse(http.StatusBadGateway, "", "")}}
		client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = 6 })
		err := read1(t, client)
		wantError(t, err, http.StatusBadGateway)
		middle := 500 * time.Millisecond
		for i, gap := range server.gaps() {
			if gap < middle/2 || gap > middle*3/2+time.Millisecond {
				t.Errorf("wait %d is %s, want %s or up to half more or less", i+1, gap, middle)
			}
			middle = middle * 3 / 2
		}
		repeated, ok := errors.AsType[*RetriesError](err)
		if want := server.arrived[6].Sub(server.arrived[0]); !ok || repeated.Elapsed != want {
			t.Errorf("the error is %v, want one that knows of %s", err, want)
		}
	})
}

func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	const date = "date" // One that lies as far ahead as the test wants.
	tests := []struct {
		status int
		header string
		want   time.Duration
	}{
		{http.StatusServiceUnavailable, "7", 7 * time.Second},
		{http.StatusServiceUnavailable, "300", 5 * time.Minute},
		{http.StatusServiceUnavailable, date, 42 * time.Second},
		{http.StatusInternalServerError, "1", time.Second},
		{http.StatusTooManyRequests, "7", 7 * time.Second},
		{http.StatusTooManyRequests, "300", 5 * time.Minute},
		{http.StatusTooManyRequests, date, 42 * time.Second},
	}
	for _, test := range tests {
		inBubble(t, fmt.Sprint(test.status, " ", test.header), func(t *testing.T) {
			header := test.header
			if header == date {
				header = time.Now().Add(test.want).UTC().Format(http.TimeFormat) // The bubble begins on a full second.
			}
			server := &script{answers: []http.HandlerFunc{refuse(test.status, "", header), succeed}}
			wantSuccess(t, read1(t, newBubbleClient(t, server, withToken)))
			if gaps := server.gaps(); len(gaps) != 1 || gaps[0] != test.want {
				t.Errorf("the waits are %s, want %s", gaps, test.want)
			}
		})
	}
}

func TestLongRetryAfterEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		inBubble(t, fmt.Sprint(status), func(t *testing.T) {
			server := &script{answers: []http.HandlerFunc{refuse(status, "come back tomorrow", "301")}}
			client := newBubbleClient(t, server, withToken)
			begun := time.Now()
			err := read1(t, client)
			wantError(t, err, status)
			wantWords(t, err, "come back tomorrow")
			wantAttempts(t, err, 1)
			if len(server.arrived) != 1 || time.Since(begun) != 0 {
				t.Errorf("there were %d requests in %s, want one", len(server.arrived), time.Since(begun))
			}
		})
	}
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"1":                             time.Second,
		"86400":                         24 * time.Hour,
		"-1":                            0,
		"1.5":                           0,
		"soon":                          0,
		"99999999999999999999":          0,
		"Sun, 01 Mar 2026 12:01:00 GMT": time.Minute - 500,
		"Sun, 01 Mar 2026 11:59:00 GMT": 0,
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			if got := retryAfter(header, now); got != want {
				t.Errorf("it means %s, want %s", got, want)
			}
		})
	}
}

func TestCancelledWhileWaitingToRepeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &script{answers: []http.HandlerFunc{refuse(http.StatusServiceUnavailable, "", "60")}}
		client := newBubbleClient(t, server, withToken)
		why := errors.New("Terraform was interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error)
		go func() {
			_, err := client.SetDelivery(ctx, anyNumber, Delivery{Type: None})
			done <- err
		}()
		synctest.Wait()
		begun := time.Now()
		cancel(why)
		err := <-done
		if !errors.Is(err, why) || time.Since(begun) != 0 {
			t.Errorf("after %s came %v, want %v at once", time.Since(begun), err, why)
		}
		wantWords(t, err, "setting the delivery of FoneNumber "+anyNumber)
		if len(server.arrived) != 1 {
			t.Errorf("there were %d requests, want one", len(server.arrived))
		}
	})
}

// A redirect could lead the token to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached.Add(1)
		succeed(w, r)
	}))
	t.Cleanup(other.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			client := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				http.Redirect(w, r, other.URL+r.URL.Path, status)
			}), withToken)
			_, errSet := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
			for _, err := range []error{read1(t, client), errSet} {
				wantError(t, err, status)
				wantWords(t, err, "redirect", "endpoint")
			}
			if asked.Load() != 2 {
				t.Errorf("there were %d requests, want 2", asked.Load())
			}
		})
	}
	t.Cleanup(func() {
		if n := reached.Load(); n != 0 {
			t.Errorf("the other host got %d requests", n)
		}
	})
}

// zipped makes a handler compress its answers when the client says that it understands that.
func zipped(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			http.Error(w, "only for clients that understand gzip", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		defer zip.Close()
		handler.ServeHTTP(zippedWriter{w, zip}, r)
	})
}

type zippedWriter struct {
	http.ResponseWriter
	zip *gzip.Writer
}

func (w zippedWriter) Write(p []byte) (int, error) { return w.zip.Write(p) }

func TestCompressedAnswersAreUnderstood(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 10})
	client := newTestClient(t, zipped(sim))
	list, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	if len(list) != 10 {
		t.Errorf("the list has %d entries, want 10", len(list))
	}
	_, err = client.SetDelivery(t.Context(), "3215559999", Delivery{Type: None})
	wantError(t, err, http.StatusNotFound)
	wantWords(t, err, "The FoneNumber was not found.")
}

// An endless answer, however small it is on the wire, must not fill the memory.
func TestAnswersHaveALimit(t *testing.T) {
	t.Parallel()
	decoders := map[string]decoder{
		"found by the decoder": func(body io.Reader) error {
			_, err := io.Copy(io.Discard, body)
			return err
		},
		"found after the decoder": new(answer).decode,
	}
	for name, decode := range decoders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			beginning, more := gzipped(receiving(`{"type":"None"}`)), gzipped(strings.Repeat(" ", 1<<20))
			var asked atomic.Int32
			client := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Content-Encoding", "gzip")
				for _, err := w.Write(beginning); err == nil; { // Until the client hangs up.
					_, err = w.Write(more)
				}
			}), withToken)
			err := client.transport.send(t.Context(), &request{doing: "reading", method: http.MethodGet}, decode)
			wantAnswerError(t, err)
			wantWords(t, err, "larger than 64 MiB")
			if asked.Load() != 1 {
				t.Errorf("there were %d requests, want one", asked.Load())
			}
		})
	}
}

// gzipped returns text as a member of a gzip stream, which may have many.
func gzipped(text string) []byte {
	var data bytes.Buffer
	zip := gzip.NewWriter(&data)
	_, _ = io.WriteString(zip, text)
	_ = zip.Close() // A buffer takes everything.
	return data.Bytes()
}

// Whoever answers in FoneStorm's place is asked once and told nothing.
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
	wantWords(t, err, "logging in", "certificate")
	wantAttempts(t, err, 1)
	if connections.Load() != 1 || requests.Load() != 0 {
		t.Errorf("there were %d connections and %d requests, want one and none", connections.Load(), requests.Load())
	}
}
