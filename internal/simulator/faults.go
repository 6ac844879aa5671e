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
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
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
	RequestTimeout     Fault = "408"
	RateLimited        Fault = "429" // Without Retry-After.
	RateLimitedSeconds Fault = "429 with seconds"
	RateLimitedDate    Fault = "429 with a date"
	RateLimited400     Fault = "400 for the rate limit" // As in version 2.11.
	RateLimited410     Fault = "410 for the rate limit" // As in version 2.12.
	ServerError        Fault = "500"
	BadGateway         Fault = "502 with an HTML page" // A proxy's page, as in the next one.
	HTMLPage           Fault = "200 with an HTML page"
	Unavailable        Fault = "503"
	GatewayTimeout     Fault = "504"
	NotFound           Fault = "404 envelope" // As for a FoneNumber that the account does not have.
	NotFoundPage       Fault = "404 with an HTML page"
	NotFoundForeign    Fault = "404 of another program"
)

// Damaged responses. FoneStorm processes the request; its error responses are not damaged.
const (
	EmptyResponse     Fault = "empty response"
	NoContent         Fault = "204 no content"
	CutOff            Fault = "truncated response" // The connection is closed in the middle of the body.
	WrongContentType  Fault = "wrong content type" // JSON that is declared as HTML.
	UnknownMembers    Fault = "unknown members"    // Every object has undocumented members.
	ReceiveMissing    Fault = "receive missing"    // FoneNumbers have no delivery.
	WrongTypes        Fault = "wrong JSON types"   // Objects instead of text.
	AnotherFoneNumber Fault = "another FoneNumber" // The response is about another FoneNumber. Lists are unchanged.
	BareSuccess       Fault = "bare success"       // Set Delivery Service returns only a success, as version 2.1 did.
)

// faults contains what each fault does in place of FoneStorm.
var faults = map[Fault]func(s *Simulator, w http.ResponseWriter, r *http.Request){
	ConnectionReset:  func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, reset) },
	ConnectionClosed: func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, orderly) },
	NoResponse:       func(_ *Simulator, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	ResponseLost: func(s *Simulator, w http.ResponseWriter, r *http.Request) {
		s.service.ServeHTTP(httptest.NewRecorder(), r)
		disconnect(w, reset)
	},

	TokenRejected:      envelope(http.StatusUnauthorized, "The token is missing, invalid, or expired.", nil),
	RequestTimeout:     envelope(http.StatusRequestTimeout, "The request took too long.", nil),
	RateLimited:        envelope(http.StatusTooManyRequests, rateLimitExceeded, nil),
	RateLimitedSeconds: envelope(http.StatusTooManyRequests, rateLimitExceeded, func() string { return "1" }),
	RateLimitedDate: envelope(http.StatusTooManyRequests, rateLimitExceeded, func() string {
		return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) // The format has whole seconds.
	}),
	RateLimited400:  envelope(http.StatusBadRequest, rateLimitExceeded, nil),
	RateLimited410:  envelope(http.StatusGone, rateLimitExceeded, nil),
	ServerError:     envelope(http.StatusInternalServerError, "Something went wrong.", nil),
	BadGateway:      page(http.StatusBadGateway, "text/html", proxyPage),
	HTMLPage:        page(http.StatusOK, "text/html", proxyPage),
	Unavailable:     envelope(http.StatusServiceUnavailable, "Try again later.", nil),
	GatewayTimeout:  envelope(http.StatusGatewayTimeout, "There was no response in time.", nil),
	NotFound:        envelope(http.StatusNotFound, "The FoneNumber was not found.", nil),
	NotFoundPage:    page(http.StatusNotFound, "text/html", proxyPage),
	NotFoundForeign: page(http.StatusNotFound, "application/json", `{"message":"no Route matched"}`),

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
		if strings.Contains(r.URL.Path, "/devices") {
			return response.Body.Bytes()
		}
		return inJSON(func(object map[string]any) {
			number, ok := object["fonenumber"].(string)
			if inList := strings.HasSuffix(r.URL.Path, "/fonenumbers"); ok && !inList {
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
		body, _ := io.ReadAll(r.Body) // The body is in memory.
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		fault := choose(r)
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		respond, known := faults[fault]
		if fault != "" && !known {
			s.addViolation(fmt.Sprintf("a test asks for the unknown fault %q", fault))
		}
		if known {
			respond(s, w, r)
		}
		return known
	})
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

// envelope returns a handler that sends FoneStorm's error envelope, and Retry-After unless it is nil.
func envelope(status int, message string, retryAfter func() string) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		if retryAfter != nil {
			w.Header().Set("Retry-After", retryAfter())
		}
		fail(w, status, message)
	}
}

const proxyPage = "<!DOCTYPE html><html><head><title>Not FoneStorm</title></head><body>A proxy.</body></html>"

func page(status int, contentType, content string) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, content)
	}
}

// alteration returns the body to send in a response. It may also change the header and the status.
type alteration func(r *http.Request, response *httptest.ResponseRecorder) []byte

// damaged lets FoneStorm process the request and alters a successful response.
func damaged(alter alteration) func(*Simulator, http.ResponseWriter, *http.Request) {
	return func(s *Simulator, w http.ResponseWriter, r *http.Request) {
		response := httptest.NewRecorder()
		s.service.ServeHTTP(response, r)
		body := response.Body.Bytes()
		if response.Code/100 == 2 {
			response.Header().Del("Content-Length")
			body = alter(r, response)
		}
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = w.Write(body) // Fails only when the client has gone away.
	}
}

// inJSON returns an alteration that applies a change to every object in a response, inner ones first.
func inJSON(change func(object map[string]any)) alteration {
	var apply func(value any)
	apply = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, element := range value {
				apply(element)
			}
		case map[string]any:
			for _, member := range value {
				apply(member)
			}
			change(value)
		}
	}
	return func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		var body any
		_ = json.Unmarshal(response.Body.Bytes(), &body) // The contract has checked that it is JSON.
		apply(body)
		changed, _ := json.Marshal(body)
		return changed
	}
}
