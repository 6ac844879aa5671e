package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	Path    string // Below BasePath, with the query.
	Header  http.Header
	Form    url.Values // Parameters of the body; empty if it could not be read.

	Status int    // Status of the response; zero without one.
	Reason string // Beginning of the body of an error response.
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

// Parameters returns the parameters in a JSON or form body, for interceptors. It returns none if the body cannot be read. JSON
// values that are not strings are returned as JSON. The body can be read again afterwards.
func Parameters(r *http.Request) url.Values {
	body, _ := io.ReadAll(r.Body) // The body is in memory.
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		return form
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var members map[string]any
	_ = decoder.Decode(&members) // The contract rejects a body that is not valid.
	form := make(url.Values, len(members))
	for name, value := range members {
		form.Set(name, fmt.Sprint(value))
	}
	return form
}
