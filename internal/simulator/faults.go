package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is a way in which a request fails or its response is damaged in transit. The zero value means none.
type Fault string

// Faults of the connection.
const (
	// ConnectionReset resets the connection before FoneStorm receives the request.
	ConnectionReset Fault = "connection reset"
	// ConnectionClosed closes the connection gracefully before FoneStorm receives the request.
	ConnectionClosed Fault = "connection closed"
	// NoResponse keeps the connection open without a response until the client cancels; FoneStorm does not receive the request.
	NoResponse Fault = "no response"
	// ResponseLost lets FoneStorm process the request, then resets the connection.
	ResponseLost Fault = "response lost"
)

// Error responses. FoneStorm does not process the request.
const (
	// TokenRejected returns 401 although the token is valid.
	TokenRejected Fault = "401"
	// RequestTimeout returns 408.
	RequestTimeout Fault = "408"
	// RateLimited returns 429 without Retry-After.
	RateLimited Fault = "429"
	// RateLimitedSeconds returns 429 with a Retry-After of one second.
	RateLimitedSeconds Fault = "429 with seconds"
	// RateLimitedDate returns 429 with a Retry-After date one to two seconds from now.
	RateLimitedDate Fault = "429 with a date"
	// RateLimited400 reports an exceeded rate limit with status 400, as version 2.11 does.
	RateLimited400 Fault = "400 for the rate limit"
	// RateLimited410 reports an exceeded rate limit with status 410, as version 2.12 does.
	RateLimited410 Fault = "410 for the rate limit"
	// ServerError returns 500.
	ServerError Fault = "500"
	// BadGateway returns 502 with the HTML page of a proxy.
	BadGateway Fault = "502 with an HTML page"
	// Unavailable returns 503.
	Unavailable Fault = "503"
	// GatewayTimeout returns 504.
	GatewayTimeout Fault = "504"
	// HTMLPage returns status 200 with the HTML page of a proxy.
	HTMLPage Fault = "200 with an HTML page"
	// NotFound returns 404 with FoneStorm's envelope, as for a FoneNumber that the account does not have.
	NotFound Fault = "404 envelope"
	// NotFoundPage returns 404 with the HTML page of a proxy.
	NotFoundPage Fault = "404 with an HTML page"
	// NotFoundForeign returns 404 with the JSON of another program.
	NotFoundForeign Fault = "404 of another program"
)

// Damaged responses. FoneStorm processes the request; its error responses are not damaged.
const (
	// EmptyResponse removes the body.
	EmptyResponse Fault = "empty response"
	// NoContent removes the body and returns status 204.
	NoContent Fault = "204 no content"
	// CutOff closes the connection in the middle of the body.
	CutOff Fault = "truncated response"
	// WrongContentType declares the JSON body as HTML.
	WrongContentType Fault = "wrong content type"
	// UnknownMembers adds undocumented members to every object.
	UnknownMembers Fault = "unknown members"
	// ReceiveMissing removes the delivery of FoneNumbers.
	ReceiveMissing Fault = "receive missing"
	// WrongTypes replaces text with objects.
	WrongTypes Fault = "wrong JSON types"
	// AnotherFoneNumber replaces the number in a response about one FoneNumber. Lists are unchanged.
	AnotherFoneNumber Fault = "another FoneNumber"
	// BareSuccess makes Set Delivery Service return only a success, as version 2.1 did.
	BareSuccess Fault = "bare success"
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{
		ConnectionReset, ConnectionClosed, NoResponse, ResponseLost,
		TokenRejected, RequestTimeout, RateLimited, RateLimitedSeconds, RateLimitedDate, RateLimited400, RateLimited410,
		ServerError, BadGateway, Unavailable, GatewayTimeout, HTMLPage,
		NotFound, NotFoundPage, NotFoundForeign,
		EmptyResponse, NoContent, CutOff, WrongContentType, UnknownMembers, ReceiveMissing, WrongTypes, AnotherFoneNumber, BareSuccess,
	}
}

// Inject sets the function that chooses the fault of each request, "" for none; nil disables faults. It is called for one
// request at a time and may read the request's body. It replaces an Interceptor.
func (s *Simulator) Inject(choose func(r *http.Request) Fault) {
	if choose == nil {
		s.Intercept(nil)
		return
	}
	var mu sync.Mutex
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body) // The body is in memory.
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		fault := choose(r)
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		return s.commit(fault, w, r)
	})
}

// commit handles a request with this fault, unless there is none.
func (s *Simulator) commit(fault Fault, w http.ResponseWriter, r *http.Request) (answered bool) {
	if fault == "" {
		return false
	}
	respond, known := faults[fault]
	if !known {
		s.addViolation(fmt.Sprintf("a test asks for the unknown fault %q", fault))
		return false
	}
	respond(s, w, r)
	return true
}

// faults contains what each fault does in place of FoneStorm.
var faults = map[Fault]func(s *Simulator, w http.ResponseWriter, r *http.Request){
	ConnectionReset:  func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, reset) },
	ConnectionClosed: func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, orderly) },
	NoResponse:       func(_ *Simulator, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	ResponseLost: func(s *Simulator, w http.ResponseWriter, r *http.Request) {
		s.service.ServeHTTP(httptest.NewRecorder(), r)
		disconnect(w, reset)
	},

	TokenRejected:      errorEnvelope(http.StatusUnauthorized, "The token is missing, invalid, or expired.", nil),
	RequestTimeout:     errorEnvelope(http.StatusRequestTimeout, "The request took too long.", nil),
	RateLimited:        errorEnvelope(http.StatusTooManyRequests, rateLimitExceeded, nil),
	RateLimitedSeconds: errorEnvelope(http.StatusTooManyRequests, rateLimitExceeded, func() string { return "1" }),
	RateLimitedDate: errorEnvelope(http.StatusTooManyRequests, rateLimitExceeded, func() string {
		return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) // The format has whole seconds.
	}),
	RateLimited400: errorEnvelope(http.StatusBadRequest, rateLimitExceeded, nil),
	RateLimited410: errorEnvelope(http.StatusGone, rateLimitExceeded, nil),
	ServerError:    errorEnvelope(http.StatusInternalServerError, "Something went wrong.", nil),
	BadGateway:     htmlPage(http.StatusBadGateway),
	Unavailable:    errorEnvelope(http.StatusServiceUnavailable, "Try again later.", nil),
	GatewayTimeout: errorEnvelope(http.StatusGatewayTimeout, "There was no response in time.", nil),
	HTMLPage:       htmlPage(http.StatusOK),
	NotFound:       errorEnvelope(http.StatusNotFound, "The FoneNumber was not found.", nil),
	NotFoundPage:   htmlPage(http.StatusNotFound),
	NotFoundForeign: func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, map[string]any{"message": "no Route matched"})
	},

	EmptyResponse: damaged(func(*http.Request, *httptest.ResponseRecorder) []byte { return nil }),
	NoContent: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		response.Code = http.StatusNoContent
		return nil
	}),
	CutOff: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		body := response.Body.Bytes()
		response.Header().Set("Content-Length", strconv.Itoa(len(body))) // The server closes a connection on which it has sent less.
		return body[:len(body)/2]
	}),
	WrongContentType: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		response.Header().Set("Content-Type", "text/html")
		return response.Body.Bytes()
	}),
	UnknownMembers: damaged(inJSON(func(object map[string]any) {
		object["added_later"] = map[string]any{"type": "Fax", "fonenumber": []any{1, nil, "2"}}
	})),
	ReceiveMissing: damaged(inJSON(func(object map[string]any) {
		if _, delivers := object["receive_notify"]; delivers { // Other options contain a receive too.
			delete(object, "receive")
		}
	})),
	WrongTypes: damaged(inJSON(func(object map[string]any) {
		for name, value := range object {
			if text, ok := value.(string); ok {
				object[name] = map[string]any{"text": text}
			}
		}
	})),
	AnotherFoneNumber: damaged(func(r *http.Request, response *httptest.ResponseRecorder) []byte {
		if kind := (Request{Path: strings.TrimPrefix(r.URL.Path, BasePath)}).Kind(); kind != "get" && kind != "set" {
			return response.Body.Bytes()
		}
		return inJSON(func(object map[string]any) {
			if number, ok := object["fonenumber"].(string); ok {
				last := number[len(number)-1]
				object["fonenumber"] = number[:len(number)-1] + string('0'+(last-'0'+1)%10)
			}
		})(r, response)
	}),
	BareSuccess: damaged(func(r *http.Request, response *httptest.ResponseRecorder) []byte {
		if !strings.HasSuffix(r.URL.Path, "/messages/receive") {
			return response.Body.Bytes()
		}
		return []byte(`{"status_code":200,"result":"SUCCESS"}`)
	}),
}

const rateLimitExceeded = "Rate Limit Exceeded"

// Arguments for SetLinger: 0 makes TCP reset the connection when it is closed.
const (
	reset   = 0
	orderly = -1
)

// disconnect closes the connection without a response.
func disconnect(w http.ResponseWriter, linger int) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // For connections that cannot be hijacked.
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(linger)
	}
	_ = connection.Close()
}

// errorEnvelope returns a handler that sends FoneStorm's error envelope, and Retry-After unless it is nil.
func errorEnvelope(status int, message string, retryAfter func() string) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		if retryAfter != nil {
			w.Header().Set("Retry-After", retryAfter())
		}
		fail(w, status, message)
	}
}

func htmlPage(status int) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>%s</title></head><body>A proxy.</body></html>", http.StatusText(status))
	}
}

// alteration returns the body to send in a response. It may also change the header and the status.
type alteration func(r *http.Request, response *httptest.ResponseRecorder) []byte

// damaged lets FoneStorm process the request and alters a successful response.
func damaged(damage alteration) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(s *Simulator, w http.ResponseWriter, r *http.Request) {
		altered(s.service, damage).ServeHTTP(w, r)
	}
}

// altered changes the successful responses of a handler.
func altered(next http.Handler, alter alteration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		next.ServeHTTP(response, r)
		body := response.Body.Bytes()
		if response.Code/100 == 2 {
			response.Header().Del("Content-Length")
			body = alter(r, response)
		}
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = w.Write(body) // Fails only when the client has gone away.
	})
}

// inJSON returns an alteration that applies a change to every object in a response.
func inJSON(change func(object map[string]any)) alteration {
	return func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		var body any
		_ = json.Unmarshal(response.Body.Bytes(), &body) // The contract has checked that it is JSON.
		inObjects(body, change)
		changed, _ := json.Marshal(body)
		return changed
	}
}

// inObjects calls visit for every object in a JSON value, inner ones first.
func inObjects(value any, change func(object map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			inObjects(element, change)
		}
	case map[string]any:
		for _, member := range value {
			inObjects(member, change)
		}
		change(value)
	}
}
