package fonestorm

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// maxAnswer is the largest answer that is read, decompressed. An account of 10,000 FoneNumbers has about 12 MB.
const maxAnswer = 64 << 20

// longestWait is the longest Retry-After that is waited for; a longer one ends the call.
const longestWait = 5 * time.Minute

// request is one call of the API, to be sent once or, if need be, again, and what has come of it so far.
type request struct {
	doing   string // For people: "reading FoneNumber 3215551212".
	method  string
	path    string     // Below the endpoint.
	query   url.Values // May be nil.
	form    url.Values // Parameters of the body; nil for none.
	token   string     // Empty only for the login.
	secrets []string   // What must not be shown of the answer.

	begun     time.Time // Zero until it is sent.
	attempts  int       // How often it was sent.
	renewals  int       // How many of these were refused for a token that has been renewed since.
	effective bool      // Whether one of these succeeded, or may have taken effect although it failed.
}

// decoder reads the answer to a successful request. It may be called again for another attempt.
type decoder func(body io.Reader) error

// transport sends requests: each in its turn, within its time, and again when that can help.
type transport struct {
	http       *http.Client
	endpoint   *url.URL
	userAgent  string
	timeout    time.Duration
	maxRetries int
	pacer      *pacer
}

func newTransport(config Config, endpoint *url.URL) *transport {
	return &transport{
		http: &http.Client{
			Transport: config.Transport,
			// The token must never reach another host, and a redirected POST would lose its body.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		endpoint:   endpoint,
		userAgent:  config.UserAgent,
		timeout:    config.RequestTimeout,
		maxRetries: config.MaxRetries,
		pacer:      newPacer(config.RequestsPerSecond),
	}
}

// send makes the request until it succeeds, cannot succeed, or has been repeated often enough. Every request of this
// API may be repeated: reading changes nothing and setting the same twice is harmless.
func (t *transport) send(ctx context.Context, r *request, decode decoder) error {
	ctx = tflog.MaskLogStrings(ctx, nonEmpty(r.secrets)...)
	if r.attempts == 0 {
		r.begun = time.Now()
	}
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		r.attempts++
		last = t.attempt(ctx, *r, decode)
		r.effective = r.effective || last == nil || isUncertain(last)
		return struct{}{}, t.verdict(last)
	},
		backoff.WithBackOff(backoff.NewExponentialBackOff()), // Half a second, growing by half, jittered.
		backoff.WithMaxTries(uint(1+t.maxRetries+r.renewals-r.attempts)),
		backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(_ error, wait time.Duration) {
			tflog.Warn(ctx, "FoneStorm request failed, will repeat it", map[string]any{
				"error": last.Error(), "attempt": r.attempts, "wait": wait.String(),
			})
		}),
	)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", r.doing, context.Cause(ctx))
	case r.attempts > 1:
		return &RetriesError{Attempts: r.attempts, Elapsed: time.Since(r.begun), Last: last}
	default:
		return last
	}
}

// attempt sends the request once, when its turn comes.
func (t *transport) attempt(ctx context.Context, r request, decode decoder) error {
	turn, err := t.pacer.wait(ctx)
	if err != nil {
		return err
	}
	defer turn.sent() // At the latest.

	timed, cancel := context.WithTimeoutCause(ctx, t.timeout, fmt.Errorf("none within the request timeout of %s", t.timeout))
	defer cancel()
	timed = httptrace.WithClientTrace(timed, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { turn.sent() },
	})
	httpRequest, err := t.newRequest(timed, r)
	if err != nil {
		return err
	}
	begun := time.Now()
	response, err := t.http.Do(httpRequest)
	if err != nil {
		return &ConnectionError{Doing: r.doing, Err: reason(timed, err)}
	}
	defer func() { _ = response.Body.Close() }()
	turn.answered()
	tflog.Debug(ctx, "FoneStorm answered", map[string]any{
		"method": r.method, "path": r.path, "status": response.StatusCode, "milliseconds": time.Since(begun).Milliseconds(),
	})
	if response.StatusCode/100 != 2 {
		failure := errorFrom(r, response)
		if failure.RateLimited && failure.retryAfter <= longestWait {
			t.pacer.hold(turn, failure.retryAfter)
		}
		return failure
	}
	t.pacer.accepted(turn)
	return read(timed, r, response, decode)
}

// newRequest returns the request in the form in which it travels.
func (t *transport) newRequest(ctx context.Context, r request) (*http.Request, error) {
	target := t.endpoint.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	var body io.Reader
	if r.form != nil {
		body = strings.NewReader(r.form.Encode())
	}
	httpRequest, err := http.NewRequestWithContext(ctx, r.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.doing, err)
	}
	httpRequest.Header.Set("Accept", "application/json")
	httpRequest.Header.Set("User-Agent", t.userAgent)
	if r.form != nil {
		httpRequest.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if r.token != "" {
		httpRequest.Header["token"] = []string{r.token} // Not canonical: the documents spell it so.
	}
	return httpRequest, nil
}

// read decodes the answer to a successful request, all of it, so that the connection can serve the next one.
func read(ctx context.Context, r request, response *http.Response, decode decoder) error {
	var start prefix
	body := io.TeeReader(http.MaxBytesReader(nil, response.Body, maxAnswer), &start)
	err := decode(body)
	if err == nil {
		_, err = io.Copy(io.Discard, body)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &ConnectionError{Doing: r.doing, Err: context.Cause(ctx)}
	case errors.As(err, &tooLarge):
		return &AnswerError{Doing: r.doing, Reason: fmt.Sprintf("it is larger than %d MiB", maxAnswer>>20)}
	case strings.HasPrefix(strings.TrimSpace(string(start)), "{"):
		return &unreadable{AnswerError{Doing: r.doing, Reason: r.printable(flaw(err))}}
	default:
		_, _ = io.CopyN(io.Discard, body, maxErrorBody) // What is not JSON is given up after a few bytes.
		return &unreadable{AnswerError{Doing: r.doing, Reason: "it is " + r.printable(describe(start))}}
	}
}

// flaw says what is wrong with JSON that could not be decoded.
func flaw(err error) string {
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mismatch):
		return fmt.Sprintf("its member %q holds a JSON %s", mismatch.Field, mismatch.Value)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it is cut off"
	default:
		return err.Error()
	}
}

// unreadable is an answer that was damaged on its way, so that asking again may help.
type unreadable struct{ AnswerError }

func (u *unreadable) Unwrap() error { return &u.AnswerError }

// prefix keeps the beginning of what is written to it. That is more than is ever shown of it, because a secret that
// was cut through could not be found.
type prefix []byte

func (p *prefix) Write(data []byte) (int, error) {
	if room := maxErrorBody - len(*p); room > 0 {
		*p = append(*p, data[:min(room, len(data))]...)
	}
	return len(data), nil
}

// reason tells a timeout from other failures to connect, and drops what http.Client says around them: the method and
// the URL are in the error already.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// verdict tells the retry loop what to do about the error of an attempt.
func (t *transport) verdict(err error) error {
	var answered *Error
	var noAnswer *ConnectionError
	var damaged *unreadable
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answered):
		return answered.verdict()
	case errors.As(err, &damaged), errors.As(err, &noAnswer) && !isCertificate(err):
		return err
	default:
		return backoff.Permanent(err)
	}
}

func (e *Error) verdict() error {
	switch {
	case e.retryAfter > longestWait:
		return backoff.Permanent(e)
	case e.RateLimited:
		return &backoff.RetryAfterError{} // At once, that is, when the pacer lets requests through again.
	case e.retryAfter > 0 && e.transient():
		return &backoff.RetryAfterError{Duration: e.retryAfter}
	case e.transient():
		return e
	default:
		return backoff.Permanent(e)
	}
}

// transient reports whether the same request may succeed a little later.
func (e *Error) transient() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return e.RateLimited
	}
}

func isCertificate(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// retryAfter reads the header of that name, which holds seconds or a date. Zero when there is none or it is unusable.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

func nonEmpty(texts []string) []string {
	var kept []string
	for _, text := range texts {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept
}
