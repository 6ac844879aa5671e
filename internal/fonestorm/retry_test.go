package fonestorm

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Which responses are retried, and how many times.
func TestRetries(t *testing.T) {
	t.Parallel()
	again := map[string]http.HandlerFunc{
		"cut off": respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber), "empty": respondWith(http.StatusOK, ""),
		"web page": respondWith(http.StatusOK, "<html><title>One moment please</title></html>"), "lost": loseResponse, "no response": neverRespond,
	}
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		again[fmt.Sprint(status)] = rejectWith(status, "not now", "")
	}
	for name, response := range again {
		for _, retries := range []int{0, 1, 3} {
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
	final := map[string]http.HandlerFunc{
		"wrong form": respondWith(http.StatusOK, "{}"),
		"503, later": rejectWith(503, "come back tomorrow", "301"), "429, later": rejectWith(429, "come back tomorrow", "301"),
	}
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
	}
}

// If FoneStorm does not respond, the run fails once, not after a thousand calls have each timed out.
func TestUnreachableServerFailsTheRunOnce(t *testing.T) {
	t.Parallel()
	const n = 1000
	for name, test := range map[string]struct {
		call func(ctx context.Context, c *Client, i int) error
		most time.Duration
	}{
		"reads": {func(ctx context.Context, c *Client, i int) error { return read(ctx, c, numberAt(i)) }, 4 * time.Minute},
		"settings": {func(ctx context.Context, c *Client, i int) error {
			return set(ctx, c, numberAt(i), Delivery{Type: None})
		}, 5 * time.Minute},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{neverRespond}}
			client := newBubbleClient(t, server, withToken, paced, func(c *Config) { c.MaxRetries = DefaultMaxRetries })
			begun := time.Now()
			wantOutage(t, together(10, func(worker int) error { // Terraform's default parallelism.
				var failures []error
				for i := worker; i < n; i += 10 {
					err := test.call(t.Context(), client, i)
					if sent := i < 10; KindOf(err) != Unreachable || MayHaveTakenEffect(err) != (sent && name == "settings") {
						t.Errorf("call %d failed with %v", i, err)
					}
					failures = append(failures, err)
				}
				return failures[len(failures)-1]
			}))
			took := time.Since(begun)
			t.Logf("%d %s took %s and %d requests", n, name, took, len(server.arrived))
			if took > test.most {
				t.Errorf("took %s, want at most %s", took, test.most)
			}
			sent := len(server.arrived)
			_, devices := client.ListDevices(t.Context())
			failed := set(t.Context(), client, anyNumber, Delivery{Type: None})
			wantOutage(t, []error{devices, failed})
			if len(server.arrived) != sent || MayHaveTakenEffect(failed) {
				t.Errorf("got %d requests after the outage was detected", len(server.arrived)-sent)
			}
		})
	}
}

func wantOutage(t *testing.T, failures []error) {
	t.Helper()
	for _, err := range failures {
		wantKind(t, err, Unreachable)
		wantWords(t, err, "not sent, because 3 calls in a row got no response", "no response within 30s")
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
