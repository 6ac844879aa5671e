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
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

//go:embed openapi.yaml
var contract []byte

// BasePath is the path of the API on the server.
const BasePath = "/v2"

// Options configures a simulator. With the zero value, the user is "demo", the account has no FoneNumbers, tokens last an hour,
// there is no latency and no rate limit, and the dialect is that of the live service.
type Options struct {
	Username    string   // Name of the user; "demo" if empty.
	Password    string   // Password of the user; "demo-password" if empty.
	Account     string   // ID of the account, ten digits; "1000000001" if empty.
	Subaccounts []string // Codes of subaccounts, ten digits each, in addition to those from Put and PutDevice.
	Users       []User   // Additional users with their own accounts.

	FoneNumbers int  // Initial number of FoneNumbers, from 3215550000 on.
	Documented  bool // Whether to add the FoneNumbers of the README, the documentation, and the examples.

	TokenLifetime time.Duration // Maximum lifetime of tokens; if zero, as long as the login requests, or an hour.
	Latency       time.Duration // Delay of every response.

	RateLimit  int        // Requests accepted per second; zero for no limit.
	RateWindow RateWindow // How requests per second are counted; sliding if empty.

	Profile Profile // The dialect; that of the live service if zero.

	OnResponse func(Request) // Called after each response, possibly concurrently; may be nil.
}

// User is a user of another account. FoneNumbers and devices of that account have its ID as their Subaccount.
type User struct {
	Name     string
	Password string
	Account  string // Ten digits.
}

// Request is what the simulator records about a request.
type Request struct {
	Arrived time.Time
	Method  string
	Path    string     // Below BasePath, with the query.
	Account string     // Account or subaccount that the token acts on; empty for logins and invalid tokens.
	Body    string     // Kind of the body: "json", "form", or "" for none or another kind.
	Form    url.Values // Parameters of the body; empty if it could not be read.
	Header  http.Header

	Status int    // Status of the response; zero without one.
	Reason string // Beginning of the body of an error response.
	Change string // What the request changed, without credentials; may be empty.
}

// Kind returns a short name for the API call.
func (r Request) Kind() string {
	switch {
	case r.Path == "/auth":
		return "login"
	case r.Path == "/subaccounts/token":
		return "subaccount"
	case r.Path == "/messages/receive":
		return "set"
	case strings.HasPrefix(r.Path, "/fonenumbers/"):
		return "get"
	case strings.HasPrefix(r.Path, "/fonenumbers"):
		return "list"
	case strings.HasPrefix(r.Path, "/devices/"):
		return "device"
	case strings.HasPrefix(r.Path, "/devices"):
		return "devices"
	default:
		return "other"
	}
}

// Simulator is an http.Handler that responds like FoneStorm. It is safe for concurrent use.
type Simulator struct {
	options Options
	profile *Profile     // The dialect, with a value for every setting.
	service http.Handler // FoneStorm itself: contract, API, and spelling of responses.
	limiter *limiter
	key     []byte // Signs tokens.

	mu          sync.Mutex
	numbers     map[string]record
	devices     map[string]Device
	subaccounts map[string]bool // By code.
	tokens      map[string]token
	requests    []*Request
	violations  []string
	intercept   Interceptor
}

// Interceptor receives every request before FoneStorm does, after the rate limit and the latency. It may change the account. To
// replace FoneStorm's response, it writes its own, which the contract does not restrict, and returns true.
type Interceptor func(w http.ResponseWriter, r *http.Request) (answered bool)

// New returns a simulator, or an error if the options are invalid.
func New(options Options) (*Simulator, error) {
	options.Username = cmp.Or(options.Username, "demo")
	options.Password = cmp.Or(options.Password, "demo-password")
	options.Account = cmp.Or(options.Account, "1000000001")
	profile, err := options.Profile.complete()
	if err != nil {
		return nil, err
	}
	if options.Documented {
		options.Users = append(slices.Clone(options.Users), partner)
	}
	accounts := append([]string{options.Account}, options.Subaccounts...)
	for _, user := range options.Users {
		accounts = append(accounts, user.Account)
	}
	for _, account := range accounts {
		if !tenDigits.MatchString(account) {
			return nil, fmt.Errorf("the account %q must have ten digits", account)
		}
	}
	limiter, err := newLimiter(options.RateLimit, options.RateWindow)
	if err != nil {
		return nil, err
	}
	s := &Simulator{
		options:     options,
		profile:     &profile,
		limiter:     limiter,
		key:         []byte(rand.Text()),
		numbers:     make(map[string]record),
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
	validated, err := s.validate(s.api())
	if err != nil {
		return nil, fmt.Errorf("reading the contract: %w", err)
	}
	s.service = profile.respell(validated)
	return s, nil
}

// contractRouter parses the contract once for all simulators of a process, because tests create hundreds of simulators and parsing
// takes most of the time.
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// validate wraps a handler to check requests and responses against the contract. The response to an invalid request is a 400
// envelope, an invalid response becomes a 500, and both are recorded as violations.
func (s *Simulator) validate(next http.Handler) (http.Handler, error) {
	router, err := contractRouter()
	if err != nil {
		return nil, err
	}
	validator := openapi3filter.NewValidator(router,
		openapi3filter.Strict(true),
		openapi3filter.ValidationOptions(openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // The API checks the token.
			IncludeResponseStatus: true,
		}),
		openapi3filter.OnLog(func(context.Context, string, error) {}),
		openapi3filter.OnErr(func(_ context.Context, w http.ResponseWriter, status int, _ openapi3filter.ErrCode, err error) {
			reason, _, _ := strings.Cut(err.Error(), "\nSchema:") // The rest quotes the schema and the value.
			s.addViolation(reason)
			if request := (*openapi3filter.RequestError)(nil); status == http.StatusBadRequest && errors.As(err, &request) &&
				request.Input.Request.URL.Path == BasePath+"/messages/receive" {
				status = s.profile.ValidationStatus
			}
			fail(w, status, reason)
		}),
	)
	return validator.Middleware(next), nil
}

func init() {
	// The decoders of kin-openapi are global. Its own decoder for forms ignores unknown parameters.
	openapi3filter.RegisterBodyDecoder("application/x-www-form-urlencoded", decodeForm)
}

// decodeForm rejects parameters that are not in the contract, as the JSON decoder does.
func decodeForm(body io.Reader, header http.Header, schema *openapi3.SchemaRef, encoding openapi3filter.EncodingFn) (any, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, err
	}
	for name := range form {
		if _, known := schema.Value.Properties[name]; !known {
			return nil, fmt.Errorf("parameter %q is unknown", name)
		}
	}
	return openapi3filter.UrlencodedBodyDecoder(bytes.NewReader(data), header, schema, encoding)
}

// ServeHTTP handles a request: rate limit, latency, contract, and API, in this order.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return // The client has disconnected.
	}
	kind := bodyKind(r.Header.Get("Content-Type"), body)
	form, _ := formOf(kind, body)
	request := &Request{
		Arrived: arrived,
		Method:  r.Method,
		Path:    strings.TrimPrefix(r.URL.RequestURI(), BasePath),
		Body:    kind,
		Form:    form,
		Header:  r.Header.Clone(),
	}
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

// requestKey is the context key of the *Request.
type requestKey struct{}

// noteChange records what a request has changed. The caller must have locked s.
func (s *Simulator) noteChange(ctx context.Context, change string) {
	if request, ok := ctx.Value(requestKey{}).(*Request); ok {
		request.Change = change
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
		fail(w, s.profile.RateLimitStatus, rateLimitExceeded)
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

// Requests returns the requests so far, in the order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var requests []Request
	for _, r := range s.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Forget deletes the recorded requests.
func (s *Simulator) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Violations returns descriptions of the requests and responses that violated the contract.
func (s *Simulator) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Simulator) addViolation(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violations = append(s.violations, reason)
}

// recorder records the status of a response before it is sent, and why a request failed.
type recorder struct {
	http.ResponseWriter
	request *Request
	mu      *sync.Mutex // Protects the request.
}

func (r *recorder) WriteHeader(status int) {
	r.mu.Lock()
	r.request.Status = status
	r.mu.Unlock()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(data []byte) (int, error) {
	r.mu.Lock()
	if room := 1000 - len(r.request.Reason); room > 0 && r.request.Status >= http.StatusBadRequest {
		r.request.Reason += string(data[:min(room, len(data))])
	}
	r.mu.Unlock()
	return r.ResponseWriter.Write(data)
}

// Unwrap gives http.ResponseController access to the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
