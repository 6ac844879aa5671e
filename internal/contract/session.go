package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Limits of every run.
const (
	requestsPerSecond = 5
	rateLimitRetries  = 3               // For one request.
	rateLimitWait     = 2 * time.Second // Before each retry.
	requestTimeout    = 30 * time.Second
	listTimeout       = 5 * time.Minute
	maxResponse       = 64 << 20 // Bytes.
)

// request is one API call.
type request struct {
	purpose    string // Identifies the exchange for the assumptions.
	method     string
	path       string // May contain {fonenumber}.
	fonenumber string
	token      string         // Sent in the header unless empty.
	body       string         // Kind of the body: json, form, or "" for none.
	parameters map[string]any // Of the body.
}

func (r request) label() string { return r.method + " " + r.path }

// exchange is a request and its response.
type exchange struct {
	request
	status int    // Zero if there was no response.
	kind   string // Kind of the response body: JSON, HTML, empty, or other.
	json   any    // Nil unless kind is JSON.
	took   time.Duration
}

func (x *exchange) ok() bool { return x.status/100 == 2 }

// bodyRejected reports whether the response may mean that FoneStorm does not read this kind of body.
func (x *exchange) bodyRejected() bool {
	return x.status == http.StatusBadRequest || x.status == http.StatusUnsupportedMediaType || x.status == http.StatusUnprocessableEntity
}

// rateLimited reports whether the response reports an exceeded rate limit, in any of the documented ways.
func (x *exchange) rateLimited() bool {
	switch x.status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadRequest, http.StatusGone:
		said := strings.ToLower(fmt.Sprint(at(x.json, "error"), at(x.json, "message")))
		return strings.Contains(said, "rate limit")
	default:
		return false
	}
}

// failure says why the exchange is not usable; "" if it is.
func (x *exchange) failure() string {
	switch {
	case x.status == 0:
		return "no response"
	case x.status >= 500 || x.rateLimited():
		return fmt.Sprintf("status %d", x.status)
	case x.status == http.StatusUnauthorized && x.token != "" && x.purpose != "invalid token" && x.purpose != "earlier token":
		return "the token was rejected"
	case x.ok() && x.kind != "JSON" && x.kind != "empty":
		return fmt.Sprintf("status %d with a body that is %s instead of JSON", x.status, x.kind)
	default:
		return ""
	}
}

// session sends the requests of one run and records the exchanges.
type session struct {
	Config
	client *http.Client
	pace   *rate.Limiter
	record
	firstToken  string // From the first login; empty without one.
	loginKind   string // Kind of body that logins accept: json or form; empty if unknown.
	settingKind string // The same for settings.
}

func newSession(config Config) *session {
	return &session{
		Config: config,
		client: &http.Client{
			Transport:     config.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // The token must not reach another host.
		},
		pace:   rate.NewLimiter(requestsPerSecond, 1),
		record: record{token: config.Token, skipped: map[string]string{}},
	}
}

// do sends a request at the permitted rate, and retries it if the rate limit is exceeded. An error means that ctx has ended; any
// other failure is an exchange.
func (s *session) do(ctx context.Context, r request) (*exchange, error) {
	for attempt := 0; ; attempt++ {
		if err := s.pace.Wait(ctx); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		x := s.send(ctx, r)
		if ctx.Err() != nil && x.status == 0 {
			return nil, ctx.Err()
		}
		if !x.rateLimited() || attempt == rateLimitRetries {
			return x, nil
		}
		if err := sleep(ctx, rateLimitWait); err != nil {
			return nil, err
		}
	}
}

// send makes one attempt and records it.
func (s *session) send(ctx context.Context, r request) *exchange {
	timeout := requestTimeout
	if r.path == listPath || r.path == listAllPath {
		timeout = listTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	x := &exchange{request: r}
	started := time.Now()
	if sent, err := s.encode(ctx, r); err == nil {
		s.exchange(sent, x)
	}
	x.took = time.Since(started)
	s.add(x)
	return x
}

func (s *session) encode(ctx context.Context, r request) (*http.Request, error) {
	body, contentType := "", ""
	switch r.body {
	case "json":
		data, err := json.Marshal(r.parameters)
		if err != nil {
			return nil, err
		}
		body, contentType = string(data), "application/json"
	case "form":
		form := url.Values{}
		for name, value := range r.parameters {
			form.Set(name, fmt.Sprint(value))
		}
		body, contentType = form.Encode(), "application/x-www-form-urlencoded"
	}
	path := strings.ReplaceAll(r.path, "{fonenumber}", r.fonenumber)
	sent, err := http.NewRequestWithContext(ctx, r.method, strings.TrimRight(s.Endpoint, "/")+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	sent.Header.Set("User-Agent", "terraform-provider-fractel fonestorm-check")
	sent.Header.Set("Accept", "application/json")
	if contentType != "" {
		sent.Header.Set("Content-Type", contentType)
	}
	if r.token != "" {
		sent.Header.Set("token", r.token)
	}
	return sent, nil
}

// exchange reads the response to a request. An incomplete response counts as none.
func (s *session) exchange(sent *http.Request, x *exchange) {
	response, err := s.client.Do(sent)
	if err != nil {
		return
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return
	}
	x.status = response.StatusCode
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	text := strings.ToLower(strings.TrimSpace(string(body)))
	switch {
	case text == "":
		x.kind = "empty"
	case decoder.Decode(&x.json) == nil:
		x.kind = "JSON"
	case strings.HasPrefix(text, "<"):
		x.kind = "HTML"
	default:
		x.kind = "other"
	}
}

func sleep(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// at returns the value at a path of member names; nil if there is none.
func at(value any, path ...string) any {
	for _, name := range path {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}
