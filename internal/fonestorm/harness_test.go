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
	"regexp"
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

// newSimulator returns a simulated FoneStorm. The test fails if a request violates its contract.
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

// slow is an account whose responses take long enough for other things to happen in the meantime.
func slow(foneNumbers int) simulator.Options {
	return simulator.Options{FoneNumbers: foneNumbers, Latency: time.Second}
}

// testConfig returns a configuration for the simulator. Its rate limit is too high for tests to notice.
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

// newBubbleClient returns a client that calls the handler in memory, as the fake clock of synctest requires.
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

// network connects the client to the handler without sockets, in place of http.Transport and http.Server.
type network struct {
	handler http.Handler
	// connect, if set, simulates making the connection for a request; it may return an error.
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
	}
	received := httptest.NewRequestWithContext(ctx, sent.Method, sent.URL.RequestURI(), &body)
	for name, values := range sent.Header {
		received.Header[http.CanonicalHeaderKey(name)] = values // A server does this too.
	}
	defer func() {
		if recover() != nil { // The handler closed the connection.
			response, err = nil, io.EOF
		}
	}()
	recorder := httptest.NewRecorder()
	n.handler.ServeHTTP(recorder, received)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	response = recorder.Result()
	if announced, err := strconv.Atoi(recorder.Header().Get("Content-Length")); err == nil && announced > recorder.Body.Len() {
		response.Body = &brokenBody{response.Body, func() error { return io.ErrUnexpectedEOF }}
	}
	return response, nil
}

// brokenBody fails at its end, like a lost connection.
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

// script sends its responses one after the other and records when requests arrive.
type script struct {
	responses []http.HandlerFunc // The last one is repeated.

	mu      sync.Mutex
	arrived []time.Time
	bodies  []string // Their content types; "" for none.
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.arrived = append(s.arrived, time.Now())
	s.bodies = append(s.bodies, r.Header.Get("Content-Type"))
	response := s.responses[min(len(s.arrived), len(s.responses))-1]
	s.mu.Unlock()
	response(w, r)
}

// count returns the number of requests so far.
func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.arrived)
}

// gaps returns the times between consecutive requests.
func (s *script) gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(s.arrived); i++ {
		gaps = append(gaps, s.arrived[i].Sub(s.arrived[i-1]))
	}
	return gaps
}

// respondWith returns a handler that sends the same response to every request.
func respondWith(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { respond(w, status, body) }
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html") // Proxies and old servers get it wrong, so the client must ignore it.
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// rejectWith returns a handler that sends FoneStorm's error envelope, and Retry-After unless it is empty.
func rejectWith(status int, message, retryAfter string) http.HandlerFunc {
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

// loseResponse closes the connection.
func loseResponse(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// neverRespond never responds.
func neverRespond(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// envelopeOf returns the body of an error as FoneStorm sends it.
func envelopeOf(status int, message string) string {
	return fmt.Sprintf(`{"error":%q,"message":%q,"status_code":%d}`, http.StatusText(status), message, status)
}

// receiving returns the body of a response about anyNumber with this delivery.
func receiving(receive string) string {
	return `{"fonenumber":{"fonenumber":"` + anyNumber + `","is_active":"yes","sms_options":{"receive":` + receive + `}}}`
}

// readsOnly rejects bodies of another kind, "json" or "form", by the kind of request.
func readsOnly(bodies map[string]string, status int) simulator.Interceptor {
	return func(w http.ResponseWriter, r *http.Request) bool {
		body := bodies[kindOf(r)]
		if body == "" || strings.Contains(r.Header.Get("Content-Type"), body) {
			return false
		}
		rejectWith(status, "fonenumber is required", "")(w, r)
		return true
	}
}

// injectInto injects a fault into calls of one kind.
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

// together runs the work n times concurrently and returns the errors.
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

// inBubble runs a subtest on a fake clock.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}

// begin starts work in the background.
func begin(work func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	return done
}

// fetch reads a FoneNumber even if it is known.
func fetch(ctx context.Context, client *Client, number string) error {
	_, err := client.fetchFoneNumber(ctx, number)
	return err
}

func read1(t testing.TB, client *Client) error {
	t.Helper()
	return fetch(t.Context(), client, anyNumber)
}

// fetchAll reads n FoneNumbers at once even if they are known.
func fetchAll(t testing.TB, client *Client, n int) {
	t.Helper()
	wantSuccess(t, together(n, func(i int) error { return fetch(t.Context(), client, numberAt(i)) })...)
}

func set(ctx context.Context, client *Client, number string, d Delivery) error {
	_, err := client.SetDelivery(ctx, number, Setting{Delivery: d})
	return err
}

// read reads a FoneNumber unless it is known.
func read(ctx context.Context, client *Client, number string) error {
	_, err := client.GetFoneNumber(ctx, number)
	return err
}

// get reads a FoneNumber unless it is known.
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
		t.Fatalf("got error %v", err)
	}
}

// wantWords checks that an error contains all of the words.
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

// wantKind checks the kind of an error and returns the error.
func wantKind(t testing.TB, err error, want Kind) *Error {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Kind != want {
		t.Fatalf("the error is %T of kind %d, want %d: %v", err, KindOf(err), want, err)
	}
	return failure
}

// wantStatus checks the status of an error and returns the error.
func wantStatus(t testing.TB, err error, want int) *Error {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Status != want {
		t.Fatalf("the error is %T, want one of status %d: %v", err, want, err)
	}
	return failure
}

// wantAttempts checks that an error reports how many times a request was sent, unless it was sent once.
func wantAttempts(t testing.TB, err error, want int) {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Attempts != want {
		t.Fatalf("the error does not report %d attempts: %v", want, err)
	}
	if text := fmt.Sprintf("(attempt %d,", want); strings.Contains(err.Error(), text) != (want > 1) {
		t.Errorf("the error shows the wrong number of attempts: %s", err)
	}
}

// arrivals returns when requests of this kind, or all ("") of them, arrived, in ascending order.
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

// wantRequests checks how many times each API call was made.
func wantRequests(t testing.TB, sim *simulator.Simulator, want map[string]int) {
	t.Helper()
	wantCounts(t, sim, simulator.Request.Kind, want)
}

// wantBodies checks how many times each API call was made with each kind of body.
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

// lowerPercent converts the hexadecimal digits of percent-encoded bytes to lower case.
func lowerPercent(text string) string {
	return regexp.MustCompile(`%[0-9A-F]{2}`).ReplaceAllStringFunc(text, strings.ToLower)
}
