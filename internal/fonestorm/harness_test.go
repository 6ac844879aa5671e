package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// anyNumber is the first FoneNumber of the account.
const anyNumber = "3215550000"

// numberAt returns the FoneNumbers of the account in order.
func numberAt(i int) string { return fmt.Sprint(3215550000 + i) }

func withLogin(config *Config) { config.Token = "" }

func withoutRetries(config *Config) { config.MaxRetries = 0 }

func withSubaccount(config *Config) { config.Token, config.Subaccount = "", subaccount }

const subaccount = "2000000002"

// testConfig returns a configuration whose rate limit is too high for tests to notice.
func testConfig(endpoint string) Config {
	return Config{
		Endpoint: endpoint, Username: "demo", Password: "demo-password", UserAgent: "client-test",
		RequestsPerSecond: 1000, MaxRetries: DefaultMaxRetries, RequestTimeout: DefaultRequestTimeout,
	}
}

// newClient returns a client whose requests get their responses in memory, as the fake clock of synctest requires. A token spares the
// test a login, unless the script is in words and contains one.
func newClient(t testing.TB, server *script, changes ...func(*Config)) *Client {
	t.Helper()
	config := testConfig("https://fonestorm.test" + simulator.BasePath)
	config.Transport = server
	if !server.hasLogin {
		config.Token = "given-token"
	}
	for _, change := range changes {
		change(&config)
	}
	client, err := New(config)
	wantSuccess(t, err)
	return client
}

// responder returns the response to a request.
type responder func(*http.Request) (*http.Response, error)

// script takes the place of the network: it sends its responses one after the other and records the requests.
type script struct {
	responses []responder   // The last one is repeated.
	hasLogin  bool          // If the script is in words.
	latency   time.Duration // Before each response.

	mu      sync.Mutex
	calls   []string // See callOf.
	bodies  []string
	tokens  []string
	arrived []time.Time
}

func newScript(responses ...responder) *script { return &script{responses: responses} }

// scripted returns a script in words; see respondTo.
func scripted(words string) *script {
	s := &script{hasLogin: strings.Contains(words, "login")}
	for word := range strings.FieldsSeq(words) {
		s.responses = append(s.responses, respondTo(word))
	}
	return s
}

// respondTo returns the responder that a word stands for: an object contains message options, an array is the account's list, and a
// number the status of a rejection.
func respondTo(word string) responder {
	switch word[0] {
	case '{':
		return respondWith(http.StatusOK, showing(word))
	case '[':
		return respondWith(http.StatusOK, `{"fonenumbers":`+word+`}`)
	}
	if status, err := strconv.Atoi(word); err == nil {
		return rejectWith(status, "words of "+word, "")
	}
	return map[string]responder{
		"login": respondWith(http.StatusCreated, `{"auth":{"token":"any"}}`),
		"ok":    respondTo(`{"receive":{"type":"None"}}`),
		"limit": rejectWith(http.StatusBadRequest, "Rate Limit Exceeded", ""),
		"later": rejectWith(http.StatusBadRequest, "Rate Limit Exceeded", "3600"),
		"lost":  func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"never": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
		"cut":     respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+anyNumber),
		"html":    respondWith(http.StatusOK, "<html><title>One moment please</title></html>"),
		"empty":   respondWith(http.StatusOK, " \n"),
		"success": respondWith(http.StatusOK, `{"status_code":200,"result":"SUCCESS"}`), // As in version 2.1.
		"another": respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"3215559999"}}`),
		"error":   respondWith(http.StatusOK, `{"error":"Gone Fishing"}`),
	}[word]
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	body, _ := io.ReadAll(r.Body) // It is in memory.
	s.mu.Lock()
	s.arrived = append(s.arrived, time.Now())
	s.calls, s.bodies = append(s.calls, callOf(r)), append(s.bodies, string(body))
	s.tokens = append(s.tokens, tokenOf(r))
	respond := s.responses[min(len(s.arrived), len(s.responses))-1]
	s.mu.Unlock()
	time.Sleep(s.latency)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return respond(r)
}

// wantCalls checks which requests were sent, as in "login json, set form, get".
func (s *script) wantCalls(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(s.calls, ", "); got != want {
		t.Errorf("the requests were %s; want %s", got, want)
	}
}

// wantCount checks how many requests were sent.
func (s *script) wantCount(t testing.TB, want int) {
	t.Helper()
	if len(s.calls) != want {
		t.Errorf("there were %d requests, want %d: %s", len(s.calls), want, s.calls[:min(len(s.calls), 20)])
	}
}

// kindOf returns the simulator's name for a call, such as "set".
func kindOf(r *http.Request) string {
	return simulator.Request{Path: strings.TrimPrefix(r.URL.RequestURI(), simulator.BasePath)}.Kind()
}

// callOf returns what a request is, as in "login json", "set form", or "get".
func callOf(r *http.Request) string {
	return kindOf(r) + map[string]string{"application/json": " json", "application/x-www-form-urlencoded": " form"}[r.Header.Get("Content-Type")]
}

// tokenOf returns the token in a request.
func tokenOf(r *http.Request) string {
	return strings.Join(r.Header["token"], " ") //nolint:staticcheck // FracTEL documents the header in lower case.
}

// respondWith sends the same response to every request, with a header.
func respondWith(status int, body string, header ...string) responder {
	return func(*http.Request) (*http.Response, error) {
		response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
		response.Header.Set("Content-Type", "text/html") // Proxies and old servers get it wrong, so the client must ignore it.
		for field := range slices.Chunk(header, 2) {
			response.Header.Set(field[0], field[1])
		}
		return response, nil
	}
}

// rejectWith sends FoneStorm's error envelope, with Retry-After.
func rejectWith(status int, message, retryAfter string) responder {
	return respondWith(status, envelopeOf(status, message), "Retry-After", retryAfter)
}

// envelopeOf returns the body of an error as FoneStorm sends it.
func envelopeOf(status int, message string) string {
	return fmt.Sprintf(`{"error":%q,"message":%q,"status_code":%d}`, http.StatusText(status), message, status)
}

// showing returns the body of a response about anyNumber with these message options.
func showing(options string) string {
	return fmt.Sprintf(`{"fonenumber":{"fonenumber":%q,"is_active":"yes","sms_options":%s}}`, anyNumber, options)
}

// bubble runs a test on a fake clock.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Parallel()
	synctest.Test(t, test)
}

// inBubble runs a subtest on a fake clock.
func inBubble(t *testing.T, name string, test func(*testing.T)) {
	t.Run(name, func(t *testing.T) { bubble(t, test) })
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

// cancelLater returns a context that is canceled after a while, and the cause.
func cancelLater(t testing.TB, after time.Duration) (context.Context, error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Terraform was interrupted")
	time.AfterFunc(after, func() { cancel(why) })
	return ctx, why
}

// fetch reads anyNumber even if it is known.
func fetch(ctx context.Context, client *Client) error {
	_, err := client.ReadFoneNumber(ctx, anyNumber)
	return err
}

// read reads a FoneNumber unless it is known.
func read(ctx context.Context, client *Client, number string) error {
	_, err := client.GetFoneNumber(ctx, number)
	return err
}

// get reads anyNumber unless it is known.
func get(t testing.TB, client *Client) FoneNumber {
	t.Helper()
	f, err := client.GetFoneNumber(t.Context(), anyNumber)
	wantSuccess(t, err)
	return f
}

// set sets the delivery of anyNumber.
func set(ctx context.Context, client *Client, d Delivery) error {
	_, err := client.Set(ctx, anyNumber, Setting{Delivery: d})
	return err
}

func wantSuccess(t testing.TB, failures ...error) {
	t.Helper()
	if err := errors.Join(failures...); err != nil {
		t.Fatalf("got error %v", err)
	}
}

// wantWords checks that an error contains all of the words.
func wantWords(t testing.TB, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(fmt.Sprint(err), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
}

// wantKind checks the kind of an error and that it contains all of the words, and returns the error.
func wantKind(t testing.TB, err error, want Kind, words ...string) *Error {
	t.Helper()
	failure := asError(err)
	if failure == nil || failure.Kind != want {
		t.Fatalf("the error is %T of kind %d, want %d: %v", err, KindOf(err), want, err)
	}
	wantWords(t, err, words...)
	return failure
}
