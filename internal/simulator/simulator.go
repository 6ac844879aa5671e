// Package simulator simulates FoneStorm in memory: the part of the API that message delivery needs. It is for tests, the demo,
// the benchmark, and for trying a configuration without an account.
//
// It is based only on the contract (openapi.yaml) and FracTEL's documents, and shares no code with the client, so that it does
// not repeat the client's mistakes. It simulates how the service behaves and how it fails, and knows nothing about Terraform. The
// provider binary never links it.
package simulator

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// BasePath is the path of the API on the server.
const BasePath = "/v2"

// Options configures a simulator. With the zero value, the user is "demo", the account has no FoneNumbers, there is no latency and
// no rate limit, and the dialect is that of the live service.
type Options struct {
	Password string // Password of the user "demo"; "demo-password" if empty.
	Account  string // ID of the account, ten digits; "1000000001" if empty.

	FoneNumbers int  // Initial number of FoneNumbers without a delivery, from 3215550000 on.
	Documented  bool // Whether to add the FoneNumbers of the README, the documentation, and the examples.

	Latency   time.Duration // Delay of every response.
	RateLimit int           // Requests accepted in any second; zero for no limit.
	Dialect   Dialect
}

// Simulator is an http.Handler that responds like FoneStorm. It is safe for concurrent use.
type Simulator struct {
	options Options
	users   map[string]user
	service http.Handler // FoneStorm itself: contract and API.

	mu         sync.Mutex  // A call of the API locks it until it has a response.
	accepted   []time.Time // Arrival of each request within the rate limit, oldest first.
	numbers    map[string]FoneNumber
	devices    map[string]Device
	tokens     map[string]token
	requests   []Request
	violations []string
	intercept  func(Request) Fault
	showAs     func(kind string, f FoneNumber) FoneNumber
}

// New returns a simulator.
func New(options Options) *Simulator {
	options.Password = cmp.Or(options.Password, "demo-password")
	options.Account = cmp.Or(options.Account, "1000000001")
	options.Dialect = cmp.Or(options.Dialect, Dialects["live"])
	s := &Simulator{
		options: options,
		users:   map[string]user{"demo": {password: options.Password}, "partner": partner},
		numbers: make(map[string]FoneNumber),
		devices: make(map[string]Device),
		tokens:  make(map[string]token),
	}
	s.service = s.validate(s.api())
	for i := range options.FoneNumbers {
		s.Put(FoneNumber{Number: fmt.Sprint(3215550000 + i), Label: fmt.Sprintf("Number %d", i)})
	}
	if options.Documented {
		s.putDocumented()
	}
	return s
}

// ServeHTTP handles a request: rate limit, latency, fault, contract, and API, in this order. It sets the request's PostForm to the
// parameters in its body, even if that is JSON.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // The client has disconnected.
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.PostForm = parameters(r.Header.Get("Content-Type"), body)
	request := Request{Method: r.Method, Path: strings.TrimPrefix(r.URL.RequestURI(), BasePath), Header: r.Header.Clone(), Form: r.PostForm}
	s.mu.Lock()
	request.Rejected = s.exceedsRateLimit(time.Now())
	s.requests = append(s.requests, request)
	intercept := s.intercept
	s.mu.Unlock()
	time.Sleep(s.options.Latency)
	if request.Rejected {
		reply(w, s.options.Dialect.RateLimitStatus, rateLimitExceeded)
		return
	}
	var fault Fault
	if intercept != nil {
		fault = intercept(request)
	}
	s.serve(fault, w, r)
}

// exceedsRateLimit reports whether a request exceeds the account's rate limit: one that arrives when the second before has had its share
// already. It is not documented how FoneStorm counts; this is the strictest way. Rejected requests do not count.
func (s *Simulator) exceedsRateLimit(arrival time.Time) bool {
	limit, n := s.options.RateLimit, len(s.accepted)
	if limit > 0 && n >= limit && arrival.Sub(s.accepted[n-limit]) < time.Second {
		return true
	}
	s.accepted = append(s.accepted, arrival)
	return false
}

// Intercept sets a function that returns the fault of each further request within the rate limit. It is called before FoneStorm
// receives the request, and may change the account. Nil means no faults.
func (s *Simulator) Intercept(intercept func(Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = intercept
}

// ShowAs sets what responses show of a FoneNumber, by the kind of the request (see [Request.Kind]), so that a test can have FoneStorm spell
// a destination in another way, or ignore a setting. Nil shows what the account has. The function must not call the simulator.
func (s *Simulator) ShowAs(show func(kind string, f FoneNumber) FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.showAs = show
}
