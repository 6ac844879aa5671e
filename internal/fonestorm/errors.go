package fonestorm

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Error is an answer by which FoneStorm, or something in between, refused a call.
type Error struct {
	Doing   string // The call, as in "reading FoneNumber 3215551212".
	Status  int    // The HTTP status.
	Title   string // The envelope's `error`, or the status in words.
	Message string // The envelope's `message`, or what came instead of an envelope. May be empty.

	// RateLimited is set when the account's limit of requests was exceeded, whichever status said so.
	RateLimited bool

	retryAfter time.Duration // Zero when the answer did not say.
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: FoneStorm answered %d %s", e.Doing, e.Status, e.Title)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// AnswerError is an answer that reports success and cannot be used: cut off, not JSON, or about something else.
type AnswerError struct {
	Doing  string
	Reason string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s: FoneStorm's answer cannot be used: %s", e.Doing, e.Reason)
}

// ConnectionError is a call that got no answer.
type ConnectionError struct {
	Doing string
	Err   error
}

func (e *ConnectionError) Error() string {
	return fmt.Sprintf("%s: no answer from FoneStorm: %s", e.Doing, e.Err)
}
func (e *ConnectionError) Unwrap() error { return e.Err }

// RetriesError is the last error of a call that was attempted more than once.
type RetriesError struct {
	Attempts int
	Elapsed  time.Duration
	Last     error
}

func (e *RetriesError) Error() string {
	return fmt.Sprintf("%s (attempt %d, %s after the first)", e.Last, e.Attempts, e.Elapsed.Round(100*time.Millisecond))
}
func (e *RetriesError) Unwrap() error { return e.Last }

// Kind is what a refusal means to the caller.
type Kind int

// The kinds of refusal.
const (
	Refused       Kind = iota // The request as it is; the message says why.
	RateLimited               // The account's limit of requests is exceeded, whichever status said so.
	Unauthorized              // User name, password or token are wrong, or the token has expired.
	PaymentDue                // The account has to pay first.
	Forbidden                 // The user may not do this.
	NotFound                  // The account does not have it.
	Unprocessable             // The destination cannot be used.
	Failing                   // FoneStorm, or a proxy in between, has a problem of its own.
)

// Kind returns what the refusal means.
func (e *Error) Kind() Kind {
	switch {
	case e.RateLimited:
		return RateLimited
	case e.Status == http.StatusUnauthorized:
		return Unauthorized
	case e.Status == http.StatusPaymentRequired:
		return PaymentDue
	case e.Status == http.StatusForbidden:
		return Forbidden
	case e.Status == http.StatusNotFound:
		return NotFound
	case e.Status == http.StatusUnprocessableEntity:
		return Unprocessable
	case e.Status >= http.StatusInternalServerError, e.Status == http.StatusRequestTimeout:
		return Failing
	default:
		return Refused
	}
}

// Is reports whether err is, or wraps, a refusal of this kind.
func Is(err error, kind Kind) bool {
	var answered *Error
	return errors.As(err, &answered) && answered.Kind() == kind
}

// MayHaveTakenEffect reports whether FoneStorm may have set the delivery although this error of SetDelivery came of it: an
// answer may be lost on its way, or be damaged there.
func MayHaveTakenEffect(err error) bool {
	var effective *effectiveError
	return errors.As(err, &effective)
}

// effectiveError is an error of a call that may have taken effect.
type effectiveError struct{ error }

func (e *effectiveError) Unwrap() error { return e.error }

// isUncertain reports whether an attempt that failed in this way may have taken effect. A refusal is certain, except by
// something in between.
func isUncertain(err error) bool {
	var answered *Error
	var unusable *AnswerError
	var unanswered *ConnectionError
	return errors.As(err, &answered) && answered.Kind() == Failing || errors.As(err, &unusable) || errors.As(err, &unanswered)
}

// envelope is the form of every error answer of FoneStorm.
type envelope struct {
	Error      string `json:"error"`
	Message    string `json:"message"`
	StatusCode int    `json:"status_code"`
}

// maxErrorBody is how much of an error's answer is read.
const maxErrorBody = 64 << 10

// errorFrom reads an answer that reports no success. It never fails: what cannot be read is described.
func errorFrom(r request, response *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	failure := &Error{
		Doing:      r.doing,
		Status:     response.StatusCode,
		Title:      http.StatusText(response.StatusCode),
		retryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err == nil && e.Error != "" {
		failure.Title, failure.Message = r.printable(e.Error), r.printable(e.Message)
	} else if location := response.Header.Get("Location"); location != "" {
		failure.Message = "a redirect, which is never followed because the token must not reach another host; is the endpoint right?"
	} else {
		failure.Message = "instead of an explanation came " + r.printable(describe(body))
	}
	failure.RateLimited = isRateLimit(failure)
	return failure
}

// isRateLimit knows the forms that FracTEL's documents give for an exceeded limit: status 429, and a 400 (v2.11) or
// 410 (v2.12) that says so.
func isRateLimit(e *Error) bool {
	switch e.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadRequest, http.StatusGone:
		return strings.Contains(strings.ToLower(e.Title+" "+e.Message), "rate limit")
	default:
		return false
	}
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	htmlStart = regexp.MustCompile(`(?i)^<(!doctype|html|head|body)`)
)

// describe says in few words what an answer is that is not the JSON it should be.
func describe(body []byte) string {
	text := strings.TrimSpace(string(body))
	switch title := htmlTitle.FindStringSubmatch(text); {
	case text == "":
		return "an empty answer"
	case title != nil:
		return fmt.Sprintf("an HTML page titled %q", strings.TrimSpace(html.UnescapeString(title[1])))
	case htmlStart.MatchString(text):
		return "an HTML page"
	case json.Valid(body):
		return "JSON of an unknown form: " + text
	case text[0] == '{' || text[0] == '[':
		return "JSON that is cut off or damaged: " + text
	default:
		return "text that is not JSON: " + text
	}
}

// printable makes text from outside fit to be shown: no secrets of the request, nothing that ends a line or turns the
// direction of writing around, no more than a few lines.
func (r request) printable(text string) string {
	text = strings.Map(func(c rune) rune {
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return c
	}, r.mask(text))
	text = r.mask(text) // Where the spaces are new, a secret that holds one can be.
	const most = 300
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// mask puts asterisks where a text shows secrets of the request.
func (r request) mask(text string) string {
	for _, secret := range r.secrets {
		if secret != "" {
			text = strings.NewReplacer(masked(secret)...).Replace(text)
		}
	}
	return text
}

// masked pairs the forms in which a secret can come back with asterisks: as it is, and as it looks in a form, a URL,
// HTML, a Go quotation or JSON, which escapes more or less of it depending on who writes it.
func masked(secret string) []string {
	inJSON, _ := json.Marshal(secret) // Text can always be encoded.
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret)}
	for _, quoted := range []string{string(inJSON), strconv.Quote(secret), strconv.QuoteToASCII(secret)} {
		unquoted := quoted[1 : len(quoted)-1]
		forms = append(forms, unquoted, strings.ReplaceAll(unquoted, "/", `\/`))
	}
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, "***")
	}
	return pairs
}
