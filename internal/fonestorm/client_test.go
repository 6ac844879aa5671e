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
	"strings"
	"sync"
	"testing"

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

// testConfig suits the simulator, and is fast enough that only tests about pacing notice the pacing.
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

func newNetworkClient(t testing.TB, n *network, changes ...func(*Config)) *Client {
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

func (n *network) RoundTrip(sent *http.Request) (*http.Response, error) {
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
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	received := httptest.NewRequestWithContext(ctx, sent.Method, sent.URL.RequestURI(), &body)
	for name, values := range sent.Header {
		received.Header[http.CanonicalHeaderKey(name)] = values // As on the way through a server.
	}
	answer := httptest.NewRecorder()
	n.handler.ServeHTTP(answer, received)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// answering returns a handler that answers everything in the same way.
func answering(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { respond(w, status, body) })
}

func respond(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// envelopeOf returns the body of an error as FoneStorm sends it.
func envelopeOf(status int, message string) string {
	return fmt.Sprintf(`{"error":%q,"message":%q,"status_code":%d}`, http.StatusText(status), message, status)
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

// wantKinds checks how often each call of the API was made.
func wantKinds(t testing.TB, sim *simulator.Simulator, want map[string]int) {
	t.Helper()
	got := make(map[string]int)
	for _, r := range sim.Requests() {
		got[r.Kind()]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("the requests were %v, want %v", got, want)
	}
}

// wantError returns the answer by which a call was refused, after a look at its status.
func wantError(t testing.TB, err error, status int) *Error {
	t.Helper()
	answered, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("the error is %T (%v), want an *Error", err, err)
	}
	if answered.Status != status || !Is(err, answered.Kind()) {
		t.Fatalf("the status is %d, want %d: %v", answered.Status, status, err)
	}
	return answered
}

func wantAnswerError(t testing.TB, err error) {
	t.Helper()
	if _, ok := errors.AsType[*AnswerError](err); !ok {
		t.Fatalf("the error is %T (%v), want an *AnswerError", err, err)
	}
}

func TestNewSendsNothing(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 1})
	client := newTestClient(t, sim)
	wantKinds(t, sim, map[string]int{})

	// The same client does send when asked, so that the check above means something.
	_, err := client.GetFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	wantKinds(t, sim, map[string]int{"login": 1, "get": 1})
}

func TestNewRefusesUnusableConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Config)
		words  []string
	}{
		"endpoint":            {func(c *Config) { c.Endpoint = "fonestorm.test" }, []string{"https://"}},
		"no requests":         {func(c *Config) { c.RequestsPerSecond = 0 }, []string{"requests per second", "0", "at least 1"}},
		"negative retries":    {func(c *Config) { c.MaxRetries = -1 }, []string{"retries", "-1"}},
		"user name with line": {func(c *Config) { c.Username = "demo\r\n" }, []string{"the user name holds a control character"}},
		"password with line":  {func(c *Config) { c.Password = "demo-password\n" }, []string{"the password holds a control character"}},
		"token with line":     {func(c *Config) { c.Token = "abc\n" }, []string{"the token holds a control character"}},
		"no time for request": {func(c *Config) { c.RequestTimeout = 0 }, []string{"request timeout", "0s"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(testConfig(DefaultEndpoint, []func(*Config){test.change}))
			wantWords(t, err, test.words...)
		})
	}
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		endpoint string
		flaw     string // Empty when there is none.
	}{
		{DefaultEndpoint, ""},
		{"https://fonestorm.test:8443/v2/", ""},
		{"http://localhost:8080/v2", ""},
		{"http://127.0.0.1/v2", ""},
		{"http://127.8.9.10:80/v2", ""},
		{"http://[::1]:8080/v2", ""},
		{"http://fonestorm.test/v2", "loopback"},
		{"http://localhost.fonestorm.test/v2", "loopback"},
		{"http://10.0.0.1/v2", "loopback"},
		{"https://user:hunter2@fonestorm.test/v2", "user name"},
		{"ftp://fonestorm.test/v2", "https://"},
		{"fonestorm.test/v2", "https://"},
		{"", "https://"},
		{"https:///v2", "no host"},
		{"https://fonestorm.test/v2?token=hunter2", "query"},
		{"https://fonestorm.test/v2#hunter2", "fragment"},
		{"https://hunter2%zz/", "not a URL"},
	}
	for _, test := range tests {
		t.Run(test.endpoint, func(t *testing.T) {
			t.Parallel()
			u, err := ParseEndpoint(test.endpoint)
			if test.flaw == "" {
				wantSuccess(t, err)
				if u.String() != test.endpoint {
					t.Errorf("it became %s", u)
				}
				return
			}
			wantWords(t, err, test.flaw)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %s", err)
			}
		})
	}
}

// What travels must be as FracTEL's documents have it, down to the case of the token's header.
func TestRequestsAsDocumented(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://fonestorm.test/v2", "https://fonestorm.test/v2/", "https://fonestorm.test/proxy/v2"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			var sent []*http.Request
			n := &network{handler: answering(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber+`"},"fonenumbers":[]}`)}
			n.connect = func(r *http.Request) error {
				sent = append(sent, r)
				return nil
			}
			client := newNetworkClient(t, n, withToken, func(c *Config) { c.Endpoint = endpoint })
			_, errOne := client.fetchFoneNumber(t.Context(), anyNumber)
			_, errAll := client.fetchFoneNumbers(t.Context())
			wantSuccess(t, errOne, errAll)

			base := strings.TrimSuffix(endpoint, "/")
			for i, want := range []string{base + "/fonenumbers/" + anyNumber, base + "/fonenumbers?filter=all"} {
				if got := sent[i].URL.String(); got != want || sent[i].Method != http.MethodGet {
					t.Errorf("the request is %s %s, want GET %s", sent[i].Method, got, want)
				}
				wantHeader := http.Header{
					"Accept": {"application/json"}, "User-Agent": {"client-test"}, "token": {"given-token"},
				}
				if !maps.EqualFunc(sent[i].Header, wantHeader, func(a, b []string) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
					t.Errorf("the header is %v, want %v", sent[i].Header, wantHeader)
				}
			}
		})
	}
}

// A number that is no number must not become another path of the API.
func TestNumberStaysInItsPlace(t *testing.T) {
	t.Parallel()
	var path string
	n := &network{handler: answering(http.StatusNotFound, envelopeOf(http.StatusNotFound, ""))}
	n.connect = func(r *http.Request) error {
		path = r.URL.EscapedPath()
		return nil
	}
	client := newNetworkClient(t, n, withToken)
	_, err := client.fetchFoneNumber(t.Context(), "321/555?filter=all")
	wantError(t, err, http.StatusNotFound)
	if want := "/v2/fonenumbers/321%2F555%3Ffilter=all"; path != want {
		t.Errorf("the path is %s, want %s", path, want)
	}
}

// cancelled returns a context that was cancelled for a reason of its own.
func cancelled(t testing.TB, why error) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	return ctx
}
