package fonestorm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"
)

// perSecond is the limit of a standard account.
const perSecond = 10

func paced(config *Config) { config.RequestsPerSecond = perSecond }

// Three times 100 requests that arrive up to 60 ms late, and a FoneStorm that counts the requests of every second, whenever it begins:
// none is one too many, and the client uses 94% of the limit. Terraform plans in one process and applies in the next, which does not
// know the requests of the first. An idle client saves nothing up.
func TestLimitIsReachedButNotExceeded(t *testing.T) {
	t.Parallel()
	const n = 100
	for seed := range uint64(20) {
		inBubble(t, fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var arrived []time.Time
			first, second := newPace(perSecond), newPace(perSecond)
			for _, p := range []*pace{first, second, second} {
				begun := time.Now()
				for range n {
					wantSuccess(t, p.wait(t.Context()))
					arrived = append(arrived, time.Now().Add(time.Duration(random.Int64N(int64(60*time.Millisecond)))))
				}
				if share := n / time.Since(begun).Seconds() / perSecond; share < 0.93 || share > 0.95 {
					t.Errorf("the client used %.1f%% of the limit", share*100)
				}
				time.Sleep(time.Duration(seed+1) * time.Second / 10)
			}
			slices.SortFunc(arrived, time.Time.Compare)
			for i := perSecond; i < len(arrived); i++ {
				if since := arrived[i].Sub(arrived[i-perSecond]); since < time.Second {
					t.Errorf("request %d is one too many within %s", i, since)
				}
			}
		})
	}
}

// Other programs may use the account. When FoneStorm rejects any request because of the rate limit, all requests wait: for the
// time in Retry-After, or else longer each time. Rejections of requests that were in flight together cause a single pause, and a short
// one does not end a long one. After a success the next pause is short again. The retries are not used up.
func TestRateLimitPausesEverybody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := scripted("ok limit limit limit limit limit limit ok ok ok limit ok ok")
		seven, one := rejectWith(http.StatusGone, "Rate Limit Exceeded", "7"), rejectWith(http.StatusGone, "Rate Limit Exceeded", "1")
		server.responses = append(server.responses, seven, one, respondTo("limit"), respondTo("ok"))
		server.latency = 250 * time.Millisecond // Three requests are in flight together.
		client := newClient(t, server, paced, withoutRetries)
		wantSuccess(t, together(40, func(int) error { return fetch(t.Context(), client) })...)
		pauses := map[int]time.Duration{4: time.Second, 7: 2 * time.Second, 13: time.Second, 16: 7 * time.Second}
		for i := 1; i < len(server.arrived); i++ {
			gap := server.arrived[i].Sub(server.arrived[i-1])
			want := max(120*time.Millisecond, pauses[i]) // The spacing, or a little more.
			if gap < want*3/4 || gap > want*5/4+150*time.Millisecond {
				t.Errorf("request %d came %s after the one before, want %s or a quarter more or less", i+1, gap, want)
			}
		}
		server.wantCount(t, 40+10)
	})
}

// When a context ends, every wait ends at once and nothing more is sent: for the spacing of requests, a response, a retry, a pause, or a
// login. Later calls are sent as usual.
func TestWaitsEndWithTheContext(t *testing.T) {
	t.Parallel()
	for responses, call := range map[string]string{
		"ok": "read FoneNumber", "never ok": "read FoneNumber", "503 ok": "read FoneNumber", "limit ok": "read FoneNumber", "never login ok": "log in",
	} {
		inBubble(t, responses, func(t *testing.T) {
			server := scripted(responses)
			client := newClient(t, server, paced)
			if responses == "ok" {
				wantSuccess(t, fetch(t.Context(), client))
			}
			ctx, why := cancelLater(t, time.Millisecond)
			begun := time.Now()
			for _, err := range together(20, func(int) error { return fetch(ctx, client) }) {
				wantKind(t, err, Canceled, call, why.Error())
				if took := time.Since(begun); took != time.Millisecond {
					t.Errorf("after %s came %v", took, err)
				}
			}
			wantKind(t, fetch(ctx, client), Canceled)
			early, cancel := context.WithTimeout(t.Context(), time.Millisecond) // It ends before the next request can be sent.
			defer cancel()
			wantKind(t, fetch(early, client), Canceled)
			server.wantCount(t, 1)
			wantSuccess(t, fetch(t.Context(), client))
		})
	}
}
