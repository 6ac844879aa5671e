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
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// BasePath is the path of the API on the server.
const BasePath = "/v2"

// Options configures a simulator. With the zero value, the user is "demo", the account has no FoneNumbers, tokens last an hour,
// there is no latency and no rate limit, and the dialect is that of the live service.
type Options struct {
	Username    string   // Name of the user; "demo" if empty.
	Password    string   // Password of the user; "demo-password" if empty.
	Account     string   // ID of the account, ten digits; "1000000001" if empty.
	Subaccounts []string // Codes of subaccounts, ten digits each, in addition to those from Put and PutDevice.

	FoneNumbers int  // Initial number of FoneNumbers without a delivery, from 3215550000 on.
	Documented  bool // Whether to add the FoneNumbers of the README, the documentation, and the examples.

	TokenLifetime time.Duration // Maximum lifetime of tokens; if zero, as long as the login requests, or an hour.
	Latency       time.Duration // Delay of every response.
	RateLimit     int           // Requests accepted in any second; zero for no limit.
	Dialect       Dialect

	OnResponse func(Request) // Called after each response, possibly concurrently; may be nil.
}

// Simulator is an http.Handler that responds like FoneStorm. It is safe for concurrent use.
type Simulator struct {
	options Options
	users   []user
	dialect Dialect
	service http.Handler // FoneStorm itself: contract and API.
	limiter limiter
	key     []byte // Signs tokens.

	mu          sync.Mutex
	numbers     map[string]*record
	devices     map[string]Device
	subaccounts map[string]bool // By code.
	tokens      map[string]token
	requests    []*Request
	violations  []string
	intercept   Interceptor
	showAs      func(View) FoneNumber
	storeAs     func(before, after FoneNumber) FoneNumber
}

// Interceptor receives every request before FoneStorm does, after the rate limit and the latency. It may change the account. To
// replace FoneStorm's response, it writes its own, which the contract does not restrict, and returns true.
type Interceptor func(w http.ResponseWriter, r *http.Request) (answered bool)

// New returns a simulator, or an error if the options are invalid.
func New(options Options) (*Simulator, error) {
	options.Username = cmp.Or(options.Username, "demo")
	options.Password = cmp.Or(options.Password, "demo-password")
	options.Account = cmp.Or(options.Account, "1000000001")
	users := []user{{options.Username, options.Password, options.Account}}
	if options.Documented {
		users = append(users, partner)
	}
	for _, account := range append([]string{options.Account}, options.Subaccounts...) {
		if !tenDigits.MatchString(account) {
			return nil, fmt.Errorf("the account %q must have ten digits", account)
		}
	}
	if options.RateLimit < 0 {
		return nil, fmt.Errorf("the rate limit %d is negative: use 0 for none", options.RateLimit)
	}
	s := &Simulator{
		options:     options,
		users:       users,
		dialect:     options.Dialect,
		limiter:     limiter{limit: options.RateLimit},
		key:         []byte(rand.Text()),
		numbers:     make(map[string]*record),
		devices:     make(map[string]Device),
		subaccounts: make(map[string]bool),
		tokens:      make(map[string]token),
	}
	for _, subaccount := range options.Subaccounts {
		s.subaccounts[subaccount] = true
	}
	for i := range options.FoneNumbers {
		s.Put(FoneNumber{Number: fmt.Sprint(3215550000 + i), Label: fmt.Sprintf("Number %d", i)})
	}
	if options.Documented {
		if err := s.PutCSV(strings.NewReader(documented)); err != nil {
			return nil, err
		}
	}
	var err error
	s.service, err = s.validate(s.api())
	return s, err
}

// ServeHTTP handles a request: rate limit, latency, contract, and API, in this order.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return // The client has disconnected.
	}
	request := &Request{
		Arrived: arrived,
		Method:  r.Method,
		Path:    strings.TrimPrefix(r.URL.RequestURI(), BasePath),
		Header:  r.Header.Clone(),
	}
	request.Body, request.Form = parameters(r.Header, body)
	request.Account, _ = s.accountOf(r.Header.Get("token"))
	s.mu.Lock()
	s.requests = append(s.requests, request) // Before the response, because a test may inspect the requests as soon as it has the response.
	s.mu.Unlock()
	recorder := &recorder{ResponseWriter: w, request: request, mu: &s.mu}
	s.respond(recorder, r.WithContext(context.WithValue(r.Context(), requestKey{}, request)), body, arrived)
	if s.options.OnResponse != nil {
		s.mu.Lock()
		answered := *request
		s.mu.Unlock()
		s.options.OnResponse(answered)
	}
}

func (s *Simulator) respond(w http.ResponseWriter, r *http.Request, body []byte, arrived time.Time) {
	accepted := s.limiter.accept(arrived)
	select {
	case <-time.After(s.options.Latency):
	case <-r.Context().Done():
		return
	}
	if !accepted {
		fail(w, cmp.Or(s.dialect.RateLimitStatus, http.StatusTooManyRequests), rateLimitExceeded)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	intercept := s.intercept
	s.mu.Unlock()
	if intercept != nil && intercept(w, r) {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // The interceptor may have read it.
	s.service.ServeHTTP(w, r)
}

// Intercept sets the interceptor for all further requests; nil for none.
func (s *Simulator) Intercept(intercept Interceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = intercept
}

// Source is the kind of response that shows a FoneNumber.
type Source string

// The responses that show FoneNumbers.
const (
	FromSetting Source = "setting" // The response to a setting of the FoneNumber.
	FromRead    Source = "read"    // GET /fonenumbers/{fonenumber}.
	FromList    Source = "list"    // GET /fonenumbers.
)

// View is a FoneNumber that a response is about to show.
type View struct {
	FoneNumber            // As the account has it.
	Source     Source     // The response.
	Before     FoneNumber // As it was before the latest setting; the same if there was none since it was Put.
	Shown      int        // Number of earlier responses that have shown it since that setting, including the setting's own.
}

// ShowAs sets what responses show of a FoneNumber, so that a test can have FoneStorm spell a destination in another way, or show
// for a while what was set before. Nil shows what the account has. The function must not call the simulator.
func (s *Simulator) ShowAs(show func(View) FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.showAs = show
}

// StoreAs sets what the account has after a successful setting, so that a test can have FoneStorm ignore it, or somebody else
// change the FoneNumber just then. Nil stores what was set. The function must not call the simulator.
func (s *Simulator) StoreAs(store func(before, after FoneNumber) FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storeAs = store
}
