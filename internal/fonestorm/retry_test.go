package fonestorm

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Which responses are followed by another attempt, and how many attempts there are.
func TestRetries(t *testing.T) {
	t.Parallel()
	again := map[string]http.HandlerFunc{
		"cut off": answering(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber), "empty": answering(http.StatusOK, ""),
		"web page": answering(http.StatusOK, "<html><title>One moment please</title></html>"), "lost": loseAnswer, "no response": silence,
	}
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		again[fmt.Sprint(status)] = refuse(status, "not now", "")
	}
	for name, answer := range again {
		for _, retries := range []int{0, 1, 3} {
			inBubble(t, fmt.Sprint(name, " with retries ", retries), func(t *testing.T) {
				server := &script{answers: []http.HandlerFunc{answer}}
				client := newBubbleClient(t, server, withToken, func(c *Config) { c.MaxRetries = retries })
				wantAttempts(t, read1(t, client), retries+1)
				if got := len(server.arrived); got != retries+1 {
					t.Errorf("there were %d requests, want %d", got, retries+1)
				}
				server.answers = []http.HandlerFunc{succeed}
				wantSuccess(t, read1(t, client))
			})
		}
	}
	final := map[string]http.HandlerFunc{
		"wrong form": answering(http.StatusOK, "{}"),
		"503, later": refuse(503, "come back tomorrow", "301"), "429, later": refuse(429, "come back tomorrow", "301"),
	}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 422, 423, 428, 451, 501} {
		final[fmt.Sprint(status)] = refuse(status, "no", "1")
	}
	for name, answer := range final {
		inBubble(t, name, func(t *testing.T) {
			server := &script{answers: []http.HandlerFunc{answer}}
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
		server := &script{answers: []http.HandlerFunc{refuse(http.StatusBadGateway, "", "")}}
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
	const date = "date" // One that lies as far ahead as the test wants.
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusInternalServerError, http.StatusTooManyRequests} {
		for header, want := range map[string]time.Duration{"1": time.Second, "300": 5 * time.Minute, date: 42 * time.Second} {
			inBubble(t, fmt.Sprint(status, " ", header), func(t *testing.T) {
				if header == date {
					header = time.Now().Add(want).UTC().Format(http.TimeFormat) // The bubble begins on a full second.
				}
				server := &script{answers: []http.HandlerFunc{refuse(status, "", header), succeed}}
				wantSuccess(t, read1(t, newBubbleClient(t, server, withToken)))
				if gaps := server.gaps(); len(gaps) != 1 || gaps[0] != want {
					t.Errorf("the waits are %s, want %s", gaps, want)
				}
			})
		}
	}
}

// A FoneStorm that does not respond is given up once, and not again by each of a thousand calls.
func TestSilentServerIsGivenUpOnce(t *testing.T) {
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
			server := &script{answers: []http.HandlerFunc{silence}}
			client := newBubbleClient(t, server, withToken, paced, func(c *Config) { c.MaxRetries = DefaultMaxRetries })
			begun := time.Now()
			wantOutage(t, together(10, func(worker int) error { // Terraform works on ten at once.
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
				t.Errorf("it took %s, want at most %s", took, test.most)
			}
			sent := len(server.arrived)
			_, devices := client.ListDevices(t.Context())
			failed := set(t.Context(), client, anyNumber, Delivery{Type: None})
			wantOutage(t, []error{devices, failed})
			if len(server.arrived) != sent || MayHaveTakenEffect(failed) {
				t.Errorf("after it was given up there were %d requests", len(server.arrived)-sent)
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

// Only calls without any response count, and only in a row.
func TestWhatEndsAnOutage(t *testing.T) {
	t.Parallel()
	refusal := refuse(http.StatusNotFound, "no", "")
	failing := refuse(http.StatusServiceUnavailable, "later", "")
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		ends    bool // Whether the last call is still sent.
	}{
		"three in a row":        {[]http.HandlerFunc{loseAnswer, loseAnswer, loseAnswer}, false},
		"two in a row":          {[]http.HandlerFunc{loseAnswer, loseAnswer}, true},
		"a success in between":  {[]http.HandlerFunc{loseAnswer, loseAnswer, succeed, loseAnswer, loseAnswer}, true},
		"a refusal in between":  {[]http.HandlerFunc{loseAnswer, loseAnswer, refusal, loseAnswer, loseAnswer}, true},
		"a failure in between":  {[]http.HandlerFunc{loseAnswer, loseAnswer, failing, loseAnswer, loseAnswer}, true},
		"failures do not count": {[]http.HandlerFunc{failing, failing, failing, failing, failing}, true},
		"three after a success": {[]http.HandlerFunc{succeed, loseAnswer, loseAnswer, loseAnswer}, false},
	} {
		inBubble(t, name, func(t *testing.T) {
			server := &script{answers: append(test.answers, succeed)}
			client := newBubbleClient(t, server, withToken, withoutRetries)
			for range test.answers {
				_ = read1(t, client)
			}
			err := read1(t, client)
			if (err == nil) != test.ends {
				t.Errorf("the last call ended with %v", err)
			}
			if want := len(test.answers) + 1; test.ends && len(server.arrived) != want {
				t.Errorf("there were %d requests, want %d", len(server.arrived), want)
			}
		})
	}
}

// Who is canceled has not found out that FoneStorm is unreachable.
func TestCancellationIsNoOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{answers: []http.HandlerFunc{silence, silence, silence, silence, succeed}}
		client := newBubbleClient(t, server, withToken)
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			wantKind(t, fetch(ctx, client, anyNumber), Canceled)
			cancel()
		}
		wantSuccess(t, read1(t, client))
	})
}
