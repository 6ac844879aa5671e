// Package simulator is FoneStorm in memory: the part of the API that message delivery needs, for tests, the demo,
// the benchmark and for trying a configuration without an account.
//
// It is written from the contract (openapi.yaml) and from FracTEL's documents alone and shares no code with the
// client, so that a wrong idea in the client meets a right one here. What belongs here is behavior of the service
// and the ways it can fail; what does not is anything of Terraform. The provider binary never links it.
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

// BasePath is where the API begins below the server's address.
const BasePath = "/v2"

// Options say which FoneStorm to simulate. The zero value is a usable one: an account named "demo" with no
// FoneNumbers, tokens that last an hour, no latency, no rate limit, and the dialect of the live service.
type Options struct {
	Username    string   // Name that may log in; "demo" when empty.
	Password    string   // Its password; "demo-password" when empty.
	Account     string   // ID of the account, ten digits; "1000000001" when empty.
	Subaccounts []string // Codes of its subaccounts, ten digits each, in addition to those that Put and PutDevice name.
	Users       []User   // Further users that may log in, to accounts of their own.

	FoneNumbers int  // How many FoneNumbers the account has at first: 3215550000 and those that follow.
	Documented  bool // Whether it has those that README, documentation and examples use, in the state that they expect.

	TokenLifetime time.Duration // How long a token is accepted at most; as FoneStorm does, an hour unless asked, when zero.
	Latency       time.Duration // How long every response takes.

	RateLimit  int        // Requests accepted in a second; zero for no limit.
	RateWindow RateWindow // How those seconds are counted; sliding when empty.

	Profile Profile // The dialect; that of the live service when zero.

	OnResponse func(Request) // Called with each request once it has been responded to, also by several goroutines at once; may be nil.
}

// User may log in to an account other than the first one, whose FoneNumbers and devices name it as their Subaccount.
type User struct {
	Name     string
	Password string
	Account  string // Ten digits.
}

// Request is what the simulator remembers of one request.
type Request struct {
	Arrived time.Time
	Method  string
	Path    string     // Below BasePath, with the query.
	Account string     // Account or subaccount that the token acts on; empty for logins and when the token is not valid.
	Body    string     // Kind of the body: "json", "form", or "" when there is none or it is of another kind.
	Form    url.Values // Parameters of the body, of either kind; empty when the body could not be read.
	Header  http.Header

	Status int    // Of the response; zero when there was none.
	Reason string // Beginning of the body of a response that reports a failure.
	Change string // What the request changed, without credentials; empty for nothing.
}

// Kind names the API call that a request made, in few words.
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

// Simulator is an http.Handler that responds as FoneStorm does. It is safe for concurrent use.
type Simulator struct {
	options Options
	profile *Profile     // The dialect, every setting with its value.
	service http.Handler // What FoneStorm itself does: contract, API, spelling of responses.
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

// Interceptor sees every request before FoneStorm does, after limit and latency. It may change the account, or write
// a response of its own, which the contract does not bind, and return true.
type Interceptor func(w http.ResponseWriter, r *http.Request) (answered bool)

// New returns a simulator, or an error when the options are unusable.
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

// contractRouter reads the contract, once for all simulators of a process: tests make hundreds of them, and reading takes most of
// the time of each.
var contractRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// validate wraps a handler so that requests and responses that break the contract are found out: such a request gets
// a 400 envelope, such a response becomes a 500, and both are kept as violations.
func (s *Simulator) validate(next http.Handler) (http.Handler, error) {
	router, err := contractRouter()
	if err != nil {
		return nil, err
	}
	validator := openapi3filter.NewValidator(router,
		openapi3filter.Strict(true),
		openapi3filter.ValidationOptions(openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc, // The API itself checks the token.
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
	// The decoders of kin-openapi are the same for all validators; its own for forms passes over unknown parameters.
	openapi3filter.RegisterBodyDecoder("application/x-www-form-urlencoded", decodeForm)
}

// decodeForm refuses parameters that the contract does not name, as the decoder of JSON does.
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

// ServeHTTP serves one request: limit, latency, contract, API, in this order.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return // The client went away.
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
	s.requests = append(s.requests, request) // Before the response: a test that has it may look at the requests.
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

// requestKey is the key of a context's *Request.
type requestKey struct{}

// noteChange remembers what a request has changed. The caller has locked s.
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

// Intercept sets what sees every request from now on; nil for nothing.
func (s *Simulator) Intercept(intercept Interceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = intercept
}

// Requests returns what has been asked so far, in the order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var requests []Request
	for _, r := range s.requests {
		requests = append(requests, *r)
	}
	return requests
}

// Forget drops the requests remembered so far.
func (s *Simulator) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Violations returns the requests and responses that broke the contract, described.
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

// recorder notes the status of a response before it is sent, and why a request failed.
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

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
