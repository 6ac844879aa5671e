package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
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
	NotFoundPage  Fault = "404 " + htmlPage
	BadGateway    Fault = "502 " + htmlPage // A proxy's page, as in the next one.
	HTMLPage      Fault = "200 " + htmlPage
)

const htmlPage = "with an HTML page"

// Damaged responses. FoneStorm processes the request; its error responses are not damaged.
const (
	WrongTypes        Fault = "wrong JSON types"   // Objects instead of text.
	AnotherFoneNumber Fault = "another FoneNumber" // The response is about another FoneNumber. Lists are unchanged.
)

// Faults returns all faults in the list above.
func Faults() []Fault {
	return []Fault{
		HTMLPage, TokenRejected, NotFound, NotFoundPage, RateLimited, ServerError, BadGateway, AnotherFoneNumber, ConnectionClosed,
		NoResponse, ResponseLost, WrongTypes,
	}
}

// serve responds to a request, with a fault.
func (s *Simulator) serve(fault Fault, w http.ResponseWriter, r *http.Request) {
	code, message, _ := strings.Cut(string(fault), " ")
	status, _ := strconv.Atoi(code)
	switch {
	case fault == "":
		s.service.ServeHTTP(w, r)
	case fault == ConnectionClosed:
		panic(http.ErrAbortHandler)
	case fault == NoResponse:
		<-r.Context().Done()
	case message == htmlPage:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Not FoneStorm</title></head><body>A proxy.</body></html>")
	case status != 0:
		reply(w, status, message)
	default:
		s.serveDamaged(fault, w, r)
	}
}

var (
	textMember      = regexp.MustCompile(`:("[^"]*")`)
	numberInDetails = regexp.MustCompile(`^({"fonenumber":.*"fonenumber":")\d{3}`)
)

// serveDamaged lets FoneStorm process the request, and damages the response.
func (s *Simulator) serveDamaged(fault Fault, w http.ResponseWriter, r *http.Request) {
	response := httptest.NewRecorder()
	s.service.ServeHTTP(response, r)
	body := response.Body.String()
	switch {
	case fault == ResponseLost:
		panic(http.ErrAbortHandler)
	case response.Code >= http.StatusMultipleChoices: // Stays as it is.
	case fault == WrongTypes:
		body = textMember.ReplaceAllString(body, `:{"text":$1}`)
	case fault == AnotherFoneNumber:
		body = numberInDetails.ReplaceAllString(body, "${1}999")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(response.Code)
	fmt.Fprint(w, body)
}
