package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
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
	ConnectionReset  Fault = "connection reset"  // Before FoneStorm receives the request.
	ConnectionClosed Fault = "connection closed" // The same, but orderly.
	NoResponse       Fault = "no response"       // FoneStorm does not receive the request, and the connection stays open.
	ResponseLost     Fault = "response lost"     // FoneStorm processes the request, then the connection is reset.
)

// Error responses. FoneStorm does not process the request.
const (
	TokenRejected      Fault = "401" // Although the token is valid.
	RateLimited        Fault = "429" // Without Retry-After.
	RateLimitedSeconds Fault = "429 with seconds"
	RateLimited400     Fault = "400 for the rate limit" // As in version 2.11.
	ServerError        Fault = "500"
	NotFound           Fault = "404" // As for a FoneNumber that the account does not have.
	NotFoundPage       Fault = "404 with an HTML page"
	BadGateway         Fault = "502 with an HTML page" // A proxy's page, as in the next one.
	HTMLPage           Fault = "200 with an HTML page"
)

// Damaged responses. FoneStorm processes the request; its error responses are not damaged.
const (
	EmptyResponse     Fault = "empty response"
	CutOff            Fault = "truncated response" // The connection is closed in the middle of the body.
	WrongContentType  Fault = "wrong content type" // JSON that is declared as HTML.
	UnknownMembers    Fault = "unknown members"    // Every object has undocumented members.
	ReceiveMissing    Fault = "receive missing"    // FoneNumbers have no delivery.
	WrongTypes        Fault = "wrong JSON types"   // Objects instead of text.
	AnotherFoneNumber Fault = "another FoneNumber" // The response is about another FoneNumber. Lists are unchanged.
	BareSuccess       Fault = "bare success"       // Set Delivery Service returns only a success, as version 2.1 did.
)

const rateLimitExceeded = "Rate Limit Exceeded"

// behavior is what happens to a request in place of the service.
type behavior func(service http.Handler, w http.ResponseWriter, r *http.Request)

var faults = map[Fault]behavior{
	ConnectionReset:  func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { reset(w) },
	ConnectionClosed: func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	NoResponse:       func(_ http.Handler, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	ResponseLost: func(service http.Handler, w http.ResponseWriter, r *http.Request) {
		service.ServeHTTP(httptest.NewRecorder(), r)
		reset(w)
	},

	TokenRejected:  failure(http.StatusUnauthorized, "The token is missing, invalid, or expired."),
	RateLimited:    failure(http.StatusTooManyRequests, rateLimitExceeded),
	RateLimited400: failure(http.StatusBadRequest, rateLimitExceeded),
	RateLimitedSeconds: func(_ http.Handler, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		reply(w, http.StatusTooManyRequests, rateLimitExceeded)
	},
	ServerError:  failure(http.StatusInternalServerError, "Something went wrong."),
	NotFound:     failure(http.StatusNotFound, foneNumberNotFound),
	NotFoundPage: page(http.StatusNotFound),
	BadGateway:   page(http.StatusBadGateway),
	HTMLPage:     page(http.StatusOK),

	EmptyResponse: damaged("", func(response *httptest.ResponseRecorder) { response.Body.Reset() }),
	CutOff: damaged("", func(response *httptest.ResponseRecorder) {
		// The server closes a connection on which it has sent less.
		response.Header().Set("Content-Length", strconv.Itoa(response.Body.Len()))
		response.Body.Truncate(response.Body.Len() / 2)
	}),
	WrongContentType: damaged("", func(response *httptest.ResponseRecorder) { response.Header().Set("Content-Type", "text/html") }),
	BareSuccess: damaged("/messages/", func(response *httptest.ResponseRecorder) {
		response.Body.Reset()
		response.Body.WriteString(`{"status_code":200,"result":"SUCCESS"}`)
	}),
	UnknownMembers: changed("", func(shown object) {
		shown["added_later"] = object{"type": "Fax", "fonenumber": []any{1, nil, "2"}}
	}),
	ReceiveMissing: changed("", func(shown object) {
		if _, delivers := shown["receive_notify"]; delivers { // Other options contain a receive too.
			delete(shown, "receive")
		}
	}),
	WrongTypes: changed("", func(shown object) {
		for name, value := range shown {
			if text, ok := value.(string); ok {
				shown[name] = object{"text": text}
			}
		}
	}),
	AnotherFoneNumber: changed("/fonenumbers/|/messages/", func(shown object) {
		if number, ok := shown["fonenumber"].(string); ok {
			last := number[len(number)-1]
			shown["fonenumber"] = number[:len(number)-1] + string('0'+(last-'0'+1)%10)
		}
	}),
}

// Faults returns all faults.
func Faults() []Fault { return slices.Sorted(maps.Keys(faults)) }

// Inject sets the function that chooses the fault of each request, "" for none; nil disables faults. It is called for one
// request at a time and may read the request's body. It replaces an Interceptor.
func (s *Simulator) Inject(choose func(r *http.Request) Fault) {
	if choose == nil {
		s.Intercept(nil)
		return
	}
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

// reset resets the connection, so that what was sent is lost. Without a connection, as in memory, it only ends the request.
func reset(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // Makes TCP reset the connection when it is closed.
		}
		_ = connection.Close()
	}
	panic(http.ErrAbortHandler)
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

// damaged lets FoneStorm process the request and alters a successful response to a path that matches the regular expression.
func damaged(paths string, alter func(*httptest.ResponseRecorder)) behavior {
	affected := regexp.MustCompile(paths)
	return func(service http.Handler, w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		service.ServeHTTP(response, r)
		if response.Code < http.StatusMultipleChoices && affected.MatchString(r.URL.Path) {
			alter(response)
		}
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = response.Body.WriteTo(w) // Fails only if the client has disconnected.
	}
}

// changed is like damaged, and applies a change to every object in the response.
func changed(paths string, change func(shown object)) behavior {
	var apply func(value any)
	apply = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, element := range value {
				apply(element)
			}
		case object:
			for _, member := range value {
				apply(member)
			}
			change(value)
		}
	}
	return damaged(paths, func(response *httptest.ResponseRecorder) {
		var content any
		_ = json.Unmarshal(response.Body.Bytes(), &content) // The contract has checked that it is JSON.
		apply(content)
		response.Body.Reset()
		_ = json.NewEncoder(response.Body).Encode(content)
	})
}
