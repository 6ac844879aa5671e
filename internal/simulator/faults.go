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

// Fault is a way in which a request fails, or its response is damaged on its way. The zero value is none.
type Fault string

// Faults of the connection.
const (
	// ConnectionReset resets the connection; FoneStorm learns nothing of the request.
	ConnectionReset Fault = "connection reset"
	// ConnectionClosed closes the connection in an orderly way without a response; FoneStorm learns nothing of the request.
	ConnectionClosed Fault = "connection closed"
	// NoAnswer keeps the request open until the client cancels it; FoneStorm learns nothing of it.
	NoAnswer Fault = "no answer"
	// AnswerLost lets FoneStorm do what is asked, then resets the connection.
	AnswerLost Fault = "answer lost"
)

// Refusals. FoneStorm does nothing of what is asked.
const (
	// TokenRejected returns 401 although the token is valid.
	TokenRejected Fault = "401"
	// RequestTimeout returns 408.
	RequestTimeout Fault = "408"
	// RateLimited returns 429 and does not say how long to wait.
	RateLimited Fault = "429"
	// RateLimitedSeconds returns 429 and asks to wait for one second.
	RateLimitedSeconds Fault = "429 with seconds"
	// RateLimitedDate returns 429 and asks to wait until a time, one to two seconds from now.
	RateLimitedDate Fault = "429 with a date"
	// RateLimited400 says that the limit is exceeded by status 400, as version 2.11 does.
	RateLimited400 Fault = "400 for the rate limit"
	// RateLimited410 says that the limit is exceeded by status 410, as version 2.12 does.
	RateLimited410 Fault = "410 for the rate limit"
	// ServerError returns 500.
	ServerError Fault = "500"
	// BadGateway returns 502 with the HTML page of a proxy.
	BadGateway Fault = "502 with an HTML page"
	// Unavailable returns 503.
	Unavailable Fault = "503"
	// GatewayTimeout returns 504.
	GatewayTimeout Fault = "504"
	// HTMLPage returns the HTML page of a proxy and status 200.
	HTMLPage Fault = "200 with an HTML page"
	// NotFound returns 404 as FoneStorm does for a FoneNumber that the account does not have.
	NotFound Fault = "404 envelope"
	// NotFoundPage returns 404 with the HTML page of a proxy.
	NotFoundPage Fault = "404 with an HTML page"
	// NotFoundForeign returns 404 with the JSON of another program.
	NotFoundForeign Fault = "404 of another program"
)

// Damaged responses. FoneStorm does what is requested; its error responses arrive unchanged.
const (
	// EmptyAnswer leaves out the body.
	EmptyAnswer Fault = "empty answer"
	// NoContent leaves out the body and says so by status 204.
	NoContent Fault = "204 no content"
	// CutOff ends the connection in the middle of the body.
	CutOff Fault = "answer cut off"
	// WrongContentType says that the body is HTML, which it is not.
	WrongContentType Fault = "wrong content type"
	// UnknownMembers adds members to every object that no document names.
	UnknownMembers Fault = "unknown members"
	// ReceiveMissing leaves out where FoneNumbers deliver.
	ReceiveMissing Fault = "receive missing"
	// WrongTypes puts objects where there should be text.
	WrongTypes Fault = "wrong JSON types"
	// AnotherFoneNumber makes a response about one FoneNumber name another one. Lists stay as they are.
	AnotherFoneNumber Fault = "another FoneNumber"
	// BareSuccess makes Set Delivery Service return only that it succeeded, as version 2.1 did.
	BareSuccess Fault = "bare success"
)

// Faults lists all of them.
func Faults() []Fault {
	return []Fault{
		ConnectionReset, ConnectionClosed, NoAnswer, AnswerLost,
		TokenRejected, RequestTimeout, RateLimited, RateLimitedSeconds, RateLimitedDate, RateLimited400, RateLimited410,
		ServerError, BadGateway, Unavailable, GatewayTimeout, HTMLPage,
		NotFound, NotFoundPage, NotFoundForeign,
		EmptyAnswer, NoContent, CutOff, WrongContentType, UnknownMembers, ReceiveMissing, WrongTypes, AnotherFoneNumber, BareSuccess,
	}
}

// Inject sets what chooses the fault of every request from now on, "" for none; nil switches faults off. It is asked
// about one request at a time, and may read the request's body. It takes the place of an Interceptor.
func (s *Simulator) Inject(choose func(r *http.Request) Fault) {
	if choose == nil {
		s.Intercept(nil)
		return
	}
	var mu sync.Mutex
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		body, _ := io.ReadAll(r.Body) // Which is in memory.
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		fault := choose(r)
		mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		return s.commit(fault, w, r)
	})
}

// commit responds to a request in a wrong way, unless the fault is none.
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

// faults says what each fault does in place of FoneStorm's response.
var faults = map[Fault]func(s *Simulator, w http.ResponseWriter, r *http.Request){
	ConnectionReset:  func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, reset) },
	ConnectionClosed: func(_ *Simulator, w http.ResponseWriter, _ *http.Request) { disconnect(w, orderly) },
	NoAnswer:         func(_ *Simulator, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	AnswerLost: func(s *Simulator, w http.ResponseWriter, r *http.Request) {
		s.service.ServeHTTP(httptest.NewRecorder(), r)
		disconnect(w, reset)
	},

	TokenRejected:      refusal(http.StatusUnauthorized, "The token is missing, invalid or expired.", nil),
	RequestTimeout:     refusal(http.StatusRequestTimeout, "The request took too long.", nil),
	RateLimited:        refusal(http.StatusTooManyRequests, rateLimitExceeded, nil),
	RateLimitedSeconds: refusal(http.StatusTooManyRequests, rateLimitExceeded, func() string { return "1" }),
	RateLimitedDate: refusal(http.StatusTooManyRequests, rateLimitExceeded, func() string {
		return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) // Of whole seconds.
	}),
	RateLimited400: refusal(http.StatusBadRequest, rateLimitExceeded, nil),
	RateLimited410: refusal(http.StatusGone, rateLimitExceeded, nil),
	ServerError:    refusal(http.StatusInternalServerError, "Something went wrong.", nil),
	BadGateway:     htmlPage(http.StatusBadGateway),
	Unavailable:    refusal(http.StatusServiceUnavailable, "Try again later.", nil),
	GatewayTimeout: refusal(http.StatusGatewayTimeout, "There was no response in time.", nil),
	HTMLPage:       htmlPage(http.StatusOK),
	NotFound:       refusal(http.StatusNotFound, "The FoneNumber was not found.", nil),
	NotFoundPage:   htmlPage(http.StatusNotFound),
	NotFoundForeign: func(_ *Simulator, w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, map[string]any{"message": "no Route matched"})
	},

	EmptyAnswer: damaged(func(*http.Request, *httptest.ResponseRecorder) []byte { return nil }),
	NoContent: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		response.Code = http.StatusNoContent
		return nil
	}),
	CutOff: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		body := response.Body.Bytes()
		response.Header().Set("Content-Length", strconv.Itoa(len(body))) // The server ends a connection on which it has sent less.
		return body[:len(body)/2]
	}),
	WrongContentType: damaged(func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		response.Header().Set("Content-Type", "text/html")
		return response.Body.Bytes()
	}),
	UnknownMembers: damaged(inJSON(addMember)),
	ReceiveMissing: damaged(inJSON(func(object map[string]any) {
		if _, delivers := object["receive_notify"]; delivers { // Other options have a member of this name too.
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
			switch number := object["fonenumber"].(type) {
			case string:
				last := number[len(number)-1] // A digit in every spelling.
				object["fonenumber"] = number[:len(number)-1] + string('0'+(last-'0'+1)%10)
			case float64:
				object["fonenumber"] = number + 1
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

// What a connection does for its unsent data when it is closed: nothing, so that TCP resets it, or what it should.
const (
	reset   = 0
	orderly = -1
)

// disconnect ends the connection without a response.
func disconnect(w http.ResponseWriter, linger int) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // The server's own way, for connections that cannot be taken from it.
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(linger)
	}
	_ = connection.Close()
}

// refusal returns the envelope of all errors. The header Retry-After is optional.
func refusal(status int, message string, retryAfter func() string) func(*Simulator, http.ResponseWriter, *http.Request) {
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

// alteration returns the body of a response that is about to be sent; it may change header and status, too.
type alteration func(r *http.Request, response *httptest.ResponseRecorder) []byte

// damaged lets FoneStorm respond and alters a successful response.
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

// inJSON makes an alteration of a change to every object in a response.
func inJSON(change func(object map[string]any)) alteration {
	return func(_ *http.Request, response *httptest.ResponseRecorder) []byte {
		var body any
		if err := json.Unmarshal(response.Body.Bytes(), &body); err != nil {
			return response.Body.Bytes() // A profile can leave it empty.
		}
		inObjects(body, change)
		changed, _ := json.Marshal(body)
		return changed
	}
}

// inObjects visits every object of a JSON value, the inner ones first.
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
