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
	// maxResponse is the maximum size of a response after decompression. The list of 10,000 FoneNumbers is about 12 MB.
	maxResponse = 64 << 20
	// maxErrorBody is how much is read of a response that reports a failure or is not JSON. It is more than is ever shown,
	// because a truncated secret could not be recognized.
	maxErrorBody = 64 << 10
)

// transport sends a request once, within its timeout.
type transport struct {
	http      *http.Client
	endpoint  *url.URL
	userAgent string
	timeout   time.Duration
	secrets   *secrets
	proven    *atomic.Bool // Set once a response could be read, which shows that the endpoint is FoneStorm's.
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
		content, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody)) // A partial body is enough.
		return failedResponse(c.request, t.url(c.request), response, content, t.secrets.clean)
	}
	return t.read(timed, c, response)
}

// unreachable returns the failure of a request that did not get a complete response. It removes the method and the URL that
// http.Client adds, because they are known.
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

// reasonFor returns the error of the network. Errors from net/http quote a response that is not valid HTTP, which may contain an
// unknown token if the request was for one.
func reasonFor(r *request, err error) string {
	reason := err.Error()
	if r.obtainsToken() {
		reason, _, _ = strings.Cut(reason, `"`)
		reason, _, _ = strings.Cut(reason, "malformed MIME header")
	}
	return strings.TrimSpace(reason)
}

// url returns the URL of a request.
func (t *transport) url(r *request) string {
	target := t.endpoint.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	return target.String()
}

// newRequest builds the HTTP request.
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
		httpRequest.Header["token"] = []string{c.token} // Not in canonical form, because FracTEL documents it in lower case.
	}
	return httpRequest, nil
}

// read decodes the body of a successful response. It reads to the end so that the connection can be reused.
func (t *transport) read(timed context.Context, c *call, response *http.Response) *Error {
	var start prefix
	body := io.TeeReader(http.MaxBytesReader(nil, response.Body, maxResponse), &start)
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
