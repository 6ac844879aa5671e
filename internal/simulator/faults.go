package simulator

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fault is a way in which a request fails or its response is damaged in transit. One that is not in this list, as "403 Not yours.", is
// FoneStorm's error response with this status and message. The zero value means none.
type Fault string

// Faults of the connection.
const (
	ConnectionClosed Fault = "connection closed" // Before FoneStorm receives the request.
	NoResponse       Fault = "no response"       // FoneStorm does not receive the request, and the connection stays open.
	ResponseLost     Fault = "response lost"     // FoneStorm processes the request, then the connection is closed.
)

// Error responses. FoneStorm does not process the request.
const (
	TokenRejected Fault = "401 " + tokenInvalid       // Although the token is valid.
	RateLimited   Fault = "429 " + rateLimitExceeded  // Without Retry-After.
	NotFound      Fault = "404 " + foneNumberNotFound // Although the account has the FoneNumber.
	ServerError   Fault = "500 Something went wrong."
	NotFoundPage  Fault = "404 with an HTML page"
	BadGateway    Fault = "502 with an HTML page" // A proxy's page, as in the next one.
	HTMLPage      Fault = "200 with an HTML page"
)

// Damaged responses. FoneStorm processes the request; its error responses are not damaged.
const (
	EmptyResponse     Fault = "empty response"
	CutOff            Fault = "truncated response" // The connection is closed in the middle of the body.
	WrongTypes        Fault = "wrong JSON types"   // Objects instead of text.
	AnotherFoneNumber Fault = "another FoneNumber" // The response is about another FoneNumber. Lists are unchanged.
)

// behavior is what happens to a request in place of the service.
type behavior func(service http.Handler, w http.ResponseWriter, r *http.Request)

var faults = map[Fault]behavior{
	ConnectionClosed: func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	NoResponse:       func(_ http.Handler, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	ResponseLost: func(service http.Handler, _ http.ResponseWriter, r *http.Request) {
		service.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	},

	NotFoundPage: page(http.StatusNotFound),
	BadGateway:   page(http.StatusBadGateway),
	HTMLPage:     page(http.StatusOK),

	EmptyResponse: damaged(func(response *httptest.ResponseRecorder) { response.Body.Reset() }),
	CutOff: damaged(func(response *httptest.ResponseRecorder) {
		// The server closes a connection on which it has sent less.
		response.Header().Set("Content-Length", strconv.Itoa(response.Body.Len()))
		response.Body.Truncate(response.Body.Len() / 2)
	}),
	WrongTypes:        replaced(`:("[^"]*")`, `:{"text":$1}`),
	AnotherFoneNumber: replaced(`^({"fonenumber":.*"fonenumber":")\d{3}`, `${1}999`),
}

// Faults returns all faults in the list above.
func Faults() []Fault {
	all := slices.AppendSeq([]Fault{TokenRejected, RateLimited, NotFound, ServerError}, maps.Keys(faults))
	return slices.Sorted(slices.Values(all))
}

// serve responds to a request, with a fault.
func (s *Simulator) serve(fault Fault, w http.ResponseWriter, r *http.Request) {
	respond, found := faults[fault]
	switch {
	case fault == "":
		s.service.ServeHTTP(w, r)
	case found:
		respond(s.service, w, r)
	default:
		code, message, _ := strings.Cut(string(fault), " ")
		status, _ := strconv.Atoi(code)
		reply(w, status, message)
	}
}

// page sends a proxy's HTML page.
func page(status int) behavior {
	return func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Not FoneStorm</title></head><body>A proxy.</body></html>")
	}
}

// damaged lets FoneStorm process the request and alters a successful response.
func damaged(alter func(*httptest.ResponseRecorder)) behavior {
	return func(service http.Handler, w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		service.ServeHTTP(response, r)
		if response.Code < http.StatusMultipleChoices {
			alter(response)
		}
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = response.Body.WriteTo(w) // Fails only if the client has disconnected.
	}
}

// replaced is damaged by a replacement in the JSON of the response.
func replaced(pattern, replacement string) behavior {
	compiled := regexp.MustCompile(pattern)
	return damaged(func(response *httptest.ResponseRecorder) {
		response.Body = bytes.NewBuffer(compiled.ReplaceAll(response.Body.Bytes(), []byte(replacement)))
	})
}
