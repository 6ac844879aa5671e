package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request is what the simulator records about a request when it arrives.
type Request struct {
	Method   string
	Path     string // Below BasePath, with the query.
	Header   http.Header
	Form     url.Values // Parameters of the body; empty if it could not be read.
	Rejected bool       // Because of the rate limit.
}

// kinds contains the short name of each call by its path without digits at the end.
var kinds = map[string]string{
	"/auth":                    "login",
	"/subaccounts/token":       "subaccount",
	"/messages/receive":        "set",
	"/messages/receive_notify": "notify",
	"/messages/send_notify":    "notify",
	"/fonenumbers":             "list",
	"/fonenumbers/":            "get",
	"/devices":                 "devices",
}

// Kind returns a short name for the API call; "other" if there is no such call.
func (r Request) Kind() string {
	path, _, _ := strings.Cut(r.Path, "?")
	return cmp.Or(kinds[strings.TrimRight(path, "0123456789")], "other")
}

// Requests returns the requests so far, in the order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Forget deletes the recorded requests.
func (s *Simulator) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// parameters returns the parameters in a JSON or form body; none if it is neither.
func parameters(contentType string, body []byte) url.Values {
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body))
		return form
	}
	var members map[string]any
	_ = json.Unmarshal(body, &members) // The contract rejects a body that is not valid.
	form := make(url.Values, len(members))
	for name, value := range members {
		form.Set(name, fmt.Sprint(value))
	}
	return form
}
