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
	"sync"
)

// Fault is a way in which a request fails or its response is damaged in transit. The zero value means none.
type Fault string

// Faults of the connection.
const (
	ConnectionClosed Fault = "connection closed" // Before FoneStorm receives the request.
	NoResponse       Fault = "no response"       // FoneStorm does not receive the request, and the connection stays open.
	ResponseLost     Fault = "response lost"     // FoneStorm processes the request, then the connection is closed.
)

// Error responses. FoneStorm does not process the request.
const (
	TokenRejected Fault = "401" // Although the token is valid.
	RateLimited   Fault = "429" // Without Retry-After.
	ServerError   Fault = "500"
	NotFound      Fault = "404" // As for a FoneNumber that the account does not have.
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

const rateLimitExceeded = "Rate Limit Exceeded"

// behavior is what happens to a request in place of the service.
type behavior func(service http.Handler, w http.ResponseWriter, r *http.Request)

var faults = map[Fault]behavior{
	ConnectionClosed: func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	NoResponse:       func(_ http.Handler, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	ResponseLost: func(service http.Handler, _ http.ResponseWriter, r *http.Request) {
		service.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	},

	TokenRejected: failure(http.StatusUnauthorized, "The token is missing, invalid, or expired."),
	RateLimited:   failure(http.StatusTooManyRequests, rateLimitExceeded),
	ServerError:   failure(http.StatusInternalServerError, "Something went wrong."),
	NotFound:      failure(http.StatusNotFound, foneNumberNotFound),
	NotFoundPage:  page(http.StatusNotFound),
	BadGateway:    page(http.StatusBadGateway),
	HTMLPage:      page(http.StatusOK),

	EmptyResponse: damaged(func(response *httptest.ResponseRecorder) { response.Body.Reset() }),
	CutOff: damaged(func(response *httptest.ResponseRecorder) {
		// The server closes a connection on which it has sent less.
		response.Header().Set("Content-Length", strconv.Itoa(response.Body.Len()))
		response.Body.Truncate(response.Body.Len() / 2)
	}),
	WrongTypes:        replaced(`:("[^"]*")`, `:{"text":$1}`),
	AnotherFoneNumber: replaced(`^({"fonenumber":.*"fonenumber":")\d{3}`, `${1}999`),
}

// Faults returns all faults.
func Faults() []Fault { return slices.Sorted(maps.Keys(faults)) }

// Inject sets an Interceptor that gives each request the fault that the function chooses, "" for none. The function is called for one
// request at a time and may read the request with Parameters.
func (s *Simulator) Inject(choose func(r *http.Request) Fault) {
	var mu sync.Mutex
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		fault := choose(r)
		mu.Unlock()
		respond, isFault := faults[fault]
		if isFault {
			respond(s.service, w, r)
		}
		return isFault
	})
}

// failure sends an error response.
func failure(status int, message string) behavior {
	return func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { reply(w, status, message) }
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
