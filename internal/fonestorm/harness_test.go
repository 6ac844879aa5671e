package fonestorm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// anyNumber is in every simulated account that has FoneNumbers.
const anyNumber = "3215550000"

// numberAt returns the FoneNumbers of a simulated account in order.
func numberAt(i int) string { return fmt.Sprint(3215550000 + i) }

// newSimulator returns a FoneStorm whose contract the test must not break.
func newSimulator(t testing.TB, options simulator.Options) *simulator.Simulator {
	t.Helper()
	sim, err := simulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, violation := range sim.Violations() {
			t.Errorf("the contract was broken: %s", violation)
		}
	})
	return sim
}

// slow is an account whose responses take long enough for things to happen meanwhile.
func slow(foneNumbers int) simulator.Options {
	return simulator.Options{FoneNumbers: foneNumbers, Latency: time.Second}
}

// testConfig suits the simulator, and is fast enough that only tests about the rate limit notice the limiter.
func testConfig(endpoint string, changes []func(*Config)) Config {
	config := Config{
		Endpoint:          endpoint,
		Username:          "demo",
		Password:          "demo-password",
		RequestsPerSecond: 1000,
		MaxRetries:        2,
		RequestTimeout:    DefaultRequestTimeout,
		UserAgent:         "client-test",
	}
	for _, change := range changes {
		change(&config)
	}
	return config
}

// withToken spares the test a login.
func withToken(config *Config) { config.Token = "given-token" }

func withoutRetries(config *Config) { config.MaxRetries = 0 }

func withSubaccount(config *Config) { config.Subaccount = subaccount }

const subaccount = "2000000002"

// newTestClient returns a client that talks to the handler over a real connection.
func newTestClient(t testing.TB, handler http.Handler, changes ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := New(testConfig(server.URL+simulator.BasePath, changes))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newBubbleClient returns a client that talks to the handler in memory, as the fake clock of synctest demands.
func newBubbleClient(t testing.TB, handler http.Handler, changes ...func(*Config)) *Client {
	t.Helper()
	return newNetworkClient(t, &network{handler: handler}, changes...)
}

func newNetworkClient(t testing.TB, n http.RoundTripper, changes ...func(*Config)) *Client {
	t.Helper()
	config := testConfig("https://fonestorm.test"+simulator.BasePath, changes)
	config.Transport = n
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// network does without sockets what http.Transport does for the client and http.Server for the handler.
type network struct {
	handler http.Handler
	// connect, if set, makes the connection that a request travels on, or fails to.
	connect func(*http.Request) error
}

func (n *network) RoundTrip(sent *http.Request) (response *http.Response, err error) {
	ctx := sent.Context()
	if n.connect != nil {
		if err := n.connect(sent); err != nil {
			return nil, err
		}
	}
	var body bytes.Buffer
	if sent.Body != nil {
		defer sent.Body.Close()
		if _, err := body.ReadFrom(sent.Body); err != nil {
			return nil, err
		}
	}
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		trace.WroteHeaders()
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	received := httptest.NewRequestWithContext(ctx, sent.Method, sent.URL.RequestURI(), &body)
	for name, values := range sent.Header {
		received.Header[http.CanonicalHeaderKey(name)] = values // As on the way through a server.
	}
	defer func() {
		if recover() != nil { // The handler closed the connection.
			response, err = nil, io.EOF
		}
	}()
	answer := httptest.NewRecorder()
	n.handler.ServeHTTP(answer, received)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	response = answer.Result()
	if announced, err := strconv.Atoi(answer.Header().Get("Content-Length")); err == nil && announced > answer.Body.Len() {
		response.Body = &brokenBody{response.Body, func() error { return io.ErrUnexpectedEOF }}
	}
	return response, nil
}

// brokenBody fails when it is read to its end, as a connection does that is lost.
type brokenBody struct {
	rest io.Reader
	fail func() error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err != nil {
		err = b.fail()
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// script responds to requests one after the other, and remembers when they came.
type script struct {
	answers []http.HandlerFunc // The last one is for all further requests.

	mu      sync.Mutex
	arrived []time.Time
	bodies  []string // Their content types; "" for none.
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.arrived = append(s.arrived, time.Now())
	s.bodies = append(s.bodies, r.Header.Get("Content-Type"))
	answer := s.answers[min(len(s.arrived), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, r)
}

// count returns how many requests there were so far.
func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrived)
}

// gaps returns the time between one request and the next.
func (s *script) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(s.arrived); i++ {
		gaps = append(gaps, s.arrived[i].Sub(s.arrived[i-1]))
	}
	return gaps
}

// answering returns a handler that responds to everything in the same way.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { respond(w, status, body) }
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html") // Proxies and old servers get it wrong, so the client must not care.
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// refuse returns an error as FoneStorm does; retryAfter is left out when empty.
func refuse(status int, message, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		respond(w, status, envelopeOf(status, message))
	}
}

func succeed(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, receiving(`{"type":"None"}`))
}

func acceptLogin(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusCreated, `{"auth":{"token":"any"}}`)
}

// loseAnswer closes the connection.
func loseAnswer(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// silence never responds.
func silence(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// envelopeOf returns the body of an error as FoneStorm sends it.
func envelopeOf(status int, message string) string {
	return fmt.Sprintf(`{"error":%q,"message":%q,"status_code":%d}`, http.StatusText(status), message, status)
}

// receiving returns a response about anyNumber with this delivery.
func receiving(receive string) string {
	return `{"fonenumber":{"fonenumber":"` + anyNumber + `","is_active":"yes","sms_options":{"receive":` + receive + `}}}`
}

// interceptPath makes an interceptor see one path only.
func interceptPath(path string, intercept simulator.Interceptor) simulator.Interceptor {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == simulator.BasePath+path && intercept(w, r)
	}
}

// instead makes an interceptor of a handler.
func instead(handler http.HandlerFunc) simulator.Interceptor {
	return func(w http.ResponseWriter, r *http.Request) bool {
		handler(w, r)
		return true
	}
}

// injectInto makes calls of this kind fail in this way.
func injectInto(sim *simulator.Simulator, kind string, fault simulator.Fault) {
	sim.Inject(func(r *http.Request) simulator.Fault {
		if kindOf(r) == kind {
			return fault
		}
		return ""
	})
}

func kindOf(r *http.Request) string {
	return simulator.Request{Path: strings.TrimPrefix(r.URL.RequestURI(), simulator.BasePath)}.Kind()
}

// together does the same work n times at once and returns the errors.
func together(n int, work func(i int) error) []error {
	failures := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { failures[i] = work(i) })
	}
	all.Wait()
	return failures
}

// bubble runs a test on a fake clock.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// inBubble runs a test of its own on a fake clock.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// begin does something in the background.
func begin(work func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	return done
}

// fetch reads a FoneNumber without the snapshot.
func fetch(ctx context.Context, client *Client, number string) error {
	_, err := client.fetchFoneNumber(ctx, number)
	return err
}

func read1(t testing.TB, client *Client) error {
	t.Helper()
	return fetch(t.Context(), client, anyNumber)
}

// fetchAll reads n FoneNumbers at once without the snapshot.
func fetchAll(t testing.TB, client *Client, n int) {
	t.Helper()
	wantSuccess(t, together(n, func(i int) error { return fetch(t.Context(), client, numberAt(i)) })...)
}

func set(ctx context.Context, client *Client, number string, d Delivery) error {
	_, err := client.SetDelivery(ctx, number, d)
	return err
}

// read reads through the snapshot.
func read(ctx context.Context, client *Client, number string) error {
	_, err := client.GetFoneNumber(ctx, number)
	return err
}

// get reads through the snapshot.
func get(t testing.TB, client *Client, number string) FoneNumber {
	t.Helper()
	f, err := client.GetFoneNumber(t.Context(), number)
	wantSuccess(t, err)
	return f
}

func listAll(t testing.TB, client *Client) []FoneNumber {
	t.Helper()
	list, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	return list
}

func getAll(t testing.TB, client *Client, n int) {
	t.Helper()
	wantSuccess(t, together(n, func(i int) error {
		f, err := client.GetFoneNumber(t.Context(), numberAt(i))
		if err == nil && f.Number != numberAt(i) {
			return fmt.Errorf("%s was read as %s", numberAt(i), f.Number)
		}
		return err
	})...)
}

func forwardTo(number string) Delivery { return Delivery{Type: Forward, Value: number} }

func wantSuccess(t testing.TB, failures ...error) {
	t.Helper()
	if err := errors.Join(failures...); err != nil {
		t.Fatalf("it failed: %v", err)
	}
}

// wantWords checks that people can tell from an error what went wrong.
func wantWords(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("there is no error; want one that says %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %s", word, err)
		}
	}
}

// wantKind returns the failure, after a look at its kind.
func wantKind(t testing.TB, err error, want Kind) *Error {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Kind != want {
		t.Fatalf("the error is %T of kind %d, want %d: %v", err, KindOf(err), want, err)
	}
	return failure
}

// wantStatus returns the failure, after a look at its status.
func wantStatus(t testing.TB, err error, want int) *Error {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Status != want {
		t.Fatalf("the error is %T, want one of status %d: %v", err, want, err)
	}
	return failure
}

// wantAttempts checks that people learn how often a request was sent, unless that was once.
func wantAttempts(t testing.TB, err error, want int) {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Attempts != want {
		t.Fatalf("it reports other attempts than %d: %v", want, err)
	}
	if text := fmt.Sprintf("(attempt %d,", want); strings.Contains(err.Error(), text) != (want > 1) {
		t.Errorf("the error reports the attempts wrongly: %s", err)
	}
}

// arrivals returns when requests of this kind, or all ("") came, in ascending order.
func arrivals(sim *simulator.Simulator, kind string) []time.Time {
	var times []time.Time
	for _, r := range sim.Requests() {
		if kind == "" || r.Kind() == kind {
			times = append(times, r.Arrived)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// wantRequests checks how often each call of the API was made.
func wantRequests(t testing.TB, sim *simulator.Simulator, want map[string]int) {
	t.Helper()
	wantCounts(t, sim, simulator.Request.Kind, want)
}

// wantBodies checks how often each call of the API was made, with the kind of its body.
func wantBodies(t testing.TB, sim *simulator.Simulator, want map[string]int) {
	t.Helper()
	wantCounts(t, sim, func(r simulator.Request) string { return strings.TrimSpace(r.Kind() + " " + r.Body) }, want)
}

func wantCounts(t testing.TB, sim *simulator.Simulator, kind func(simulator.Request) string, want map[string]int) {
	t.Helper()
	got := make(map[string]int)
	for _, r := range sim.Requests() {
		got[kind(r)]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("the requests were %v, want %v", got, want)
	}
}

func contextWithCause(t testing.TB) (context.Context, context.CancelCauseFunc) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	t.Cleanup(func() { cancel(nil) })
	return ctx, cancel
}
