package fonestorm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

const (
	// maxAnswer is the largest response that is read, decompressed. An account of 10,000 FoneNumbers has about 12 MB.
	maxAnswer = 64 << 20
	// maxErrorBody is how much of a response is read that reports a failure or is no JSON. That is more than is ever shown of
	// it, because a secret that was cut in two could not be recognized.
	maxErrorBody = 64 << 10
)

// transport sends one request once, within its time.
type transport struct {
	http      *http.Client
	endpoint  *url.URL
	userAgent string
	timeout   time.Duration
	secrets   *secrets
	proven    *atomic.Bool // Is set when a response could be used: the endpoint is FoneStorm's.
}

func newTransport(config Config, endpoint *url.URL, secrets *secrets, proven *atomic.Bool) *transport {
	return &transport{
		http: &http.Client{
			Transport: config.Transport,
			// The token must never reach another host, and a redirected POST would lose its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		endpoint:  endpoint,
		userAgent: config.UserAgent,
		timeout:   config.RequestTimeout,
		secrets:   secrets,
		proven:    proven,
	}
}

// send sends the request once. It calls written when the request has been written to its connection.
func (t *transport) send(ctx context.Context, c *call, body encoding, written func()) *Error {
	timeout := max(t.timeout, c.timeout)
	timed, cancel := context.WithTimeoutCause(c.lifetime(ctx), timeout, fmt.Errorf("no response within %s", timeout))
	defer cancel()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { written() },
	})
	httpRequest, err := t.newRequest(traced, c, body)
	if err != nil {
		return unsendable(c.request, t.secrets.clean(err.Error()))
	}
	begun := time.Now()
	response, err := t.http.Do(httpRequest)
	if err != nil {
		return t.unreachable(timed, c.request, sent.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	tflog.Debug(ctx, "FoneStorm responded", map[string]any{
		"method": c.method, "path": c.path, "status": response.StatusCode, "milliseconds": time.Since(begun).Milliseconds(),
	})
	if response.StatusCode/100 != 2 {
		content, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // What could be read of it says enough.
		return refused(c.request, t.url(c.request), response, content, t.secrets.clean)
	}
	return t.read(timed, c, response)
}

// unreachable returns the failure of a request that got no response, or not all of it. http.Client says the method and the
// URL around its reason, which are known.
func (t *transport) unreachable(timed context.Context, r *request, sent bool, err error) *Error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if timed.Err() != nil {
		err = context.Cause(timed)
	}
	reason := fmt.Sprintf("no response from %s: %s", t.endpoint.Redacted(), t.secrets.clean(reasonFor(r, err)))
	return unreachable(timed, r, sent, reason, err)
}

// reasonFor returns what the network reports. Errors of net/http quote a response that is not HTTP, which may contain a token
// that nobody knows when one was asked for.
func reasonFor(r *request, err error) string {
	reason := err.Error()
	if r.obtainsToken() {
		reason, _, _ = strings.Cut(reason, `"`)
		reason, _, _ = strings.Cut(reason, "malformed MIME header")
	}
	return strings.TrimSpace(reason)
}

// url returns where a request is sent.
func (t *transport) url(r *request) string {
	target := t.endpoint.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	return target.String()
}

// newRequest returns the request in the form in which it travels.
func (t *transport) newRequest(ctx context.Context, c *call, body encoding) (*http.Request, error) {
	var content io.Reader
	if c.params != nil {
		content = bytes.NewReader(body.encode(c.params))
	}
	httpRequest, err := http.NewRequestWithContext(ctx, c.method, t.url(c.request), content)
	if err != nil {
		return nil, err
	}
	httpRequest.Header.Set("Accept", "application/json")
	httpRequest.Header.Set("User-Agent", t.userAgent)
	if c.params != nil {
		httpRequest.Header.Set("Content-Type", body.contentType())
	}
	if c.token != "" {
		httpRequest.Header["token"] = []string{c.token} // Not canonical: the documents spell it so.
	}
	return httpRequest, nil
}

// read decodes the body of a successful response, all of it, so that the connection can serve the next request.
func (t *transport) read(timed context.Context, c *call, response *http.Response) *Error {
	var start prefix
	body := io.TeeReader(http.MaxBytesReader(nil, response.Body, maxAnswer), &start)
	err := c.decode(body)
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	switch {
	case err == nil:
		t.proven.Store(true)
		return nil
	case timed.Err() != nil:
		return t.unreachable(timed, c.request, true, err)
	}
	_, _ = io.CopyN(io.Discard, body, maxErrorBody)
	return unusable(c.request, start, err, t.secrets.clean)
}

// prefix keeps the beginning of what is written to it.
type prefix []byte

func (p *prefix) Write(data []byte) (int, error) {
	if room := maxErrorBody - len(*p); room > 0 {
		*p = append(*p, data[:min(room, len(data))]...)
	}
	return len(data), nil
}
