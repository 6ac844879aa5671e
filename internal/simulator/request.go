package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Request is what the simulator records about a request.
type Request struct {
	Arrived time.Time
	Method  string
	Path    string     // Below BasePath, with the query.
	Account string     // Account or subaccount that the token acts on; empty for logins and invalid tokens.
	Body    string     // Kind of the body: "json", "form", or "" for none or another kind.
	Form    url.Values // Parameters of the body; empty if it could not be read.
	Header  http.Header

	Status int    // Status of the response; zero without one.
	Reason string // Beginning of the body of an error response.
	Change string // What the request changed, without credentials; may be empty.
}

// kinds contains the short name of each call by the beginning of its path, longer ones first.
var kinds = [][2]string{
	{"/auth", "login"},
	{"/subaccounts/token", "subaccount"},
	{"/messages/receive_notify", "notify"},
	{"/messages/send_notify", "notify"},
	{"/messages/receive", "set"},
	{"/fonenumbers/", "get"},
	{"/fonenumbers", "list"},
	{"/devices/", "device"},
	{"/devices", "devices"},
}

// Kind returns a short name for the API call.
func (r Request) Kind() string {
	for _, kind := range kinds {
		if strings.HasPrefix(r.Path, kind[0]) {
			return kind[1]
		}
	}
	return "other"
}

// requestKey is the context key of the *Request.
type requestKey struct{}

// noteChange records what a request has changed. The caller must have locked s.
func (s *Simulator) noteChange(ctx context.Context, change string) {
	if request, ok := ctx.Value(requestKey{}).(*Request); ok {
		request.Change = change
	}
}

// Requests returns the requests so far, in the order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var requests []Request
	for _, r := range s.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Forget deletes the recorded requests.
func (s *Simulator) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// recorder records the status of a response before it is sent, and why a request failed.
type recorder struct {
	http.ResponseWriter
	request *Request
	mu      *sync.Mutex // Protects the request.
}

func (r *recorder) WriteHeader(status int) {
	r.mu.Lock()
	r.request.Status = status
	r.mu.Unlock()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(data []byte) (int, error) {
	r.mu.Lock()
	if room := 1000 - len(r.request.Reason); room > 0 && r.request.Status >= http.StatusBadRequest {
		r.request.Reason += string(data[:min(room, len(data))])
	}
	r.mu.Unlock()
	return r.ResponseWriter.Write(data)
}

// Unwrap gives http.ResponseController access to the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Parameters returns the parameters in a JSON or form body, for interceptors. It returns none if the body cannot be read. The
// body can be read again afterwards.
func Parameters(r *http.Request) url.Values {
	body, _ := io.ReadAll(r.Body) // The body is in memory.
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, form := parameters(r.Header, body)
	return form
}

// parameters returns the kind of a body, "json", "form", or "", and its parameters. JSON values that are not strings are returned
// as JSON.
func parameters(header http.Header, body []byte) (kind string, form url.Values) {
	if len(body) == 0 {
		return "", nil
	}
	switch mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type")); mediaType {
	case "application/x-www-form-urlencoded":
		form, _ = url.ParseQuery(string(body))
		return "form", form
	case "application/json":
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.UseNumber()
		var members map[string]any
		_ = decoder.Decode(&members) // The contract rejects a body that is not valid.
		form = make(url.Values, len(members))
		for name, value := range members {
			form.Set(name, fmt.Sprint(value))
		}
		return "json", form
	default:
		return "", nil
	}
}
