package fonestorm

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
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
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

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
		"none made": {func(*http.Request) (*http.Response, error) { return nil, reset }, []string{"no response from https://fonestorm.test/v2: connection reset by peer"}},
		"lost at once": {func(r *http.Request) (*http.Response, error) {
			return answer(r, "", func() error { return reset }), nil
		}, nil},
		"lost midway": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole[:20], func() error { return reset }), nil
		}, nil},
		"lost at last": {func(r *http.Request) (*http.Response, error) {
			return answer(r, whole, func() error { return io.ErrUnexpectedEOF }), nil
		}, []string{"is incomplete"}},
		"no response": {func(r *http.Request) (*http.Response, error) { return nil, untilGone(r) }, []string{"no response within 30s"}},
		"stops midway": {
			func(r *http.Request) (*http.Response, error) {
				return answer(r, whole[:20], func() error { return untilGone(r) }), nil
			},
			[]string{"no response within 30s"},
		},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			err := read1(t, newNetworkClient(t, test.trip, withToken))
			wantWords(t, err, append(test.words, "read FoneNumber "+anyNumber)...)
			wantAttempts(t, err, 3)
		})
	}
}

// untilGone blocks until the caller has gone away.
func untilGone(r *http.Request) error {
	<-r.Context().Done()
	return r.Context().Err()
}

// The timeout applies to each attempt. Waiting for the rate limit does not count.
func TestRequestTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 20, Latency: 2 * time.Second})
		client := newBubbleClient(t, sim, func(c *Config) {
			c.RequestTimeout = 2500 * time.Millisecond
			c.RequestsPerSecond = 1
			c.MaxRetries = 0
		})
		fetchAll(t, client, 20)

		client = newBubbleClient(t, sim, func(c *Config) {
			c.RequestTimeout = 1500 * time.Millisecond
			c.MaxRetries = 0
		})
		begun := time.Now()
		err := read1(t, client)
		wantKind(t, err, Unreachable)
		wantWords(t, err, "log in", "no response within 1.5s")
		if waited := time.Since(begun); waited != 1500*time.Millisecond {
			t.Errorf("took %s", waited)
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
				wantStatus(t, err, status)
				wantKind(t, err, WrongEndpoint)
				wantWords(t, err, "redirect", simulator.BasePath)
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

// Compressed responses are read. An endless one must not fill the memory, however small it is on the wire.
func TestResponseSizeIsLimited(t *testing.T) {
	t.Parallel()
	decoders := map[string]decoder{
		"found by the decoder": func(body io.Reader) error {
			_, err := io.Copy(io.Discard, body)
			return err
		},
		"found after the decoder": func(body io.Reader) error { return json.NewDecoder(body).Decode(new(any)) },
	}
	for name, decode := range decoders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			beginning, more := gzipped(receiving(`{"type":"None"}`)), gzipped(strings.Repeat(" ", 1<<20))
			var asked atomic.Int32
			client := newTestClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Content-Encoding", "gzip")
				for _, err := w.Write(beginning); err == nil; { // Until the client closes the connection.
					_, err = w.Write(more)
				}
			}), withToken)
			err := client.call(t.Context(), &request{operation: listFoneNumbers, method: http.MethodGet}, decode)
			wantKind(t, err, UnexpectedResponse)
			wantWords(t, err, "larger than 64 MiB")
			if asked.Load() != 1 {
				t.Errorf("there were %d requests, want one", asked.Load())
			}
		})
	}
}

// gzipped returns text as a member of a gzip stream, which may contain several.
func gzipped(text string) []byte {
	var data bytes.Buffer
	zip := gzip.NewWriter(&data)
	_, _ = io.WriteString(zip, text)
	_ = zip.Close() // Writing to a buffer cannot fail.
	return data.Bytes()
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
}
