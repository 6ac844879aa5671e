package provider

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Simulated accounts for tests through the CLI and at the protocol.

const (
	resourceName     = "fractel_fonenumber_delivery"
	notificationName = "fractel_fonenumber_notification"
	testNumber       = "3215551212"
	otherNumber      = "3215553434"
	testAddress      = "fractel_fonenumber_delivery.test"
)

type account struct {
	*simulator.Simulator
	endpoint func() string // Endpoint for the CLI, which is served from the first call on.
}

// newAccount returns an account with these FoneNumbers, whose delivery was never set, and those of the options. The test fails if any
// request or response violates FoneStorm's contract.
func newAccount(t testOrRapid, options simulator.Options, numbers ...string) *account {
	t.Helper()
	a := &account{Simulator: simulator.New(options)}
	a.endpoint = sync.OnceValue(func() string {
		server := httptest.NewServer(a)
		t.Cleanup(server.Close)
		return server.URL + simulator.BasePath
	})
	t.Cleanup(func() { a.checkContract(t) })
	for _, number := range numbers {
		a.Put(simulator.FoneNumber{Number: number})
	}
	return a
}

func (a *account) checkContract(t rapid.TB) {
	t.Helper()
	for _, violation := range a.Violations() {
		t.Errorf("violates the contract of FoneStorm: %s", violation)
	}
}

// inMemory is a network without sockets, which a provider in this process uses: in a synctest bubble, waiting takes no time.
type inMemory struct{ http.Handler }

func (n inMemory) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		switch problem := recover(); problem {
		case nil:
		case http.ErrAbortHandler:
			response, err = nil, io.ErrUnexpectedEOF
		default:
			panic(problem)
		}
	}()
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	received := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	for name, values := range r.Header {
		received.Header[http.CanonicalHeaderKey(name)] = values
	}
	recorder := httptest.NewRecorder()
	n.ServeHTTP(recorder, received)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response = recorder.Result()
	if response.ContentLength > int64(recorder.Body.Len()) { // It is cut off.
		response.Body = io.NopCloser(io.MultiReader(recorder.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return response, nil
}

// count returns the number of requests of a kind.
func (a *account) count(kind string) int {
	n := 0
	for _, r := range a.Requests() {
		if r.Kind() == kind {
			n++
		}
	}
	return n
}

// sendsOnly fails the test if the number of settings sent is not as expected.
func (a *account) sendsOnly(t *testing.T, want int) {
	t.Helper()
	if n := a.count("set"); n != want {
		t.Errorf("%d settings were sent, want %d", n, want)
	}
}

// byHand changes the delivery of a FoneNumber outside of Terraform. It adds a FoneNumber that is not in the account.
func (a *account) byHand(number, kind, value string) {
	f, _ := a.Get(number)
	f.Number = number
	f.Receive = f.Receive.Delivering(kind, value)
	a.Put(f)
}

// reject makes FoneStorm return an error, such as "403 No.", for requests whose path ends like this.
func (a *account) reject(path string, fault simulator.Fault) {
	a.Intercept(func(r simulator.Request) simulator.Fault {
		if requested, _, _ := strings.Cut(r.Path, "?"); !strings.HasSuffix(requested, path) {
			return ""
		}
		return fault
	})
}

// rejectEmpty makes FoneStorm reject settings in which this parameter is empty.
func (a *account) rejectEmpty(parameter string) {
	a.Intercept(func(r simulator.Request) simulator.Fault {
		if r.Form.Has(parameter) && r.Form.Get(parameter) == "" {
			return simulator.Fault("400 " + parameter + " must not be empty.")
		}
		return ""
	})
}

// newVariedAccount returns an account with one FoneNumber of each type and a cancelled one.
func newVariedAccount(t *testing.T) *account {
	t.Helper()
	a := newAccount(t, simulator.Options{})
	for i, d := range destinations {
		a.Put(simulator.FoneNumber{
			Number: fmt.Sprint(3215550000 + i), Label: "Number " + d.kind, Group: []string{"even", "odd"}[i%2],
			Receive: simulator.Receive{Device: "1", Email: "stale@example.com"}.Delivering(d.kind, d.value),
		})
	}
	a.Put(simulator.FoneNumber{Number: "4075550000", Active: "cancel", MessagingDisabled: true})
	return a
}

// loadNumber returns the FoneNumber with this index.
func loadNumber(i int) string { return strconv.Itoa(3215550000 + i) }
