package provider

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// operation is an operation of Terraform that a fault can interfere with.
type operation struct {
	kind    string     // Kind of request on which the fault occurs.
	found   string     // Initial e-mail address of the FoneNumber.
	managed attributes // Configuration that was applied before; nil for none.
	byHand  bool       // Whether the delivery was changed by hand since.
	wanted  attributes // Current configuration; nil for none.

	do func(m *managed, wanted attributes) []*tfprotov6.Diagnostic
}

var (
	toEmail    = destinations[1].attributes(testNumber)
	toCallback = destinations[2].attributes(testNumber)
)

var operations = map[string]operation{
	"create": {kind: "set", found: "old@example.com", wanted: toCallback, do: (*managed).apply},
	"read":   {kind: "get", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
	"update": {kind: "set", managed: toEmail, wanted: toCallback, do: (*managed).apply},
	"delete": {kind: "set", managed: toCallback, do: (*managed).apply},
	"import": {kind: "get", found: "ops@example.com", wanted: toEmail, do: imported},
	"list":   {kind: "list", managed: toCallback, wanted: toCallback, do: listing},
	"log in": {kind: "login", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
}

func refreshed(m *managed, _ attributes) (diags []*tfprotov6.Diagnostic) {
	m.instance, diags = m.start().refresh(m.instance)
	return diags
}

// imported keeps no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(m *managed, _ attributes) []*tfprotov6.Diagnostic {
	after, diags := m.start().importState(testNumber)
	if failure(diags) == nil {
		m.instance = after
	}
	return diags
}

func listing(m *managed, _ attributes) []*tfprotov6.Diagnostic {
	found, diags := m.start().list(protocol().delivery, attributes{}, 1000)
	want := map[bool]int{true: 2}[failure(diags) == nil]
	if len(found) != want {
		m.t.Errorf("there are %d FoneNumbers, want %d", len(found), want)
	}
	for _, one := range found {
		f, _ := m.account.Get(one.number)
		if kind := one.resource.text("type"); kind != "" && (kind != f.Receive.Type || one.resource.text("value") != f.Receive.Value()) {
			m.t.Errorf("the list has %v, but FoneStorm has %+v", one, f.Receive)
		}
	}
	return diags
}

// outcome is the result of an operation with a fault.
type outcome struct {
	summary  string // Summary of the error; empty for success.
	requests int    // Number of requests of the kind on which the fault occurs.
}

const (
	retries = 2

	unreachable   = "Unable to Reach FoneStorm"
	unexpected    = "Unexpected FoneStorm Response"
	wrongEndpoint = "Endpoint Is Not FoneStorm"
	serverError   = "FoneStorm Server Error"
	rateLimited   = "FoneStorm Rate Limit Exceeded"
	logInFailed   = "FoneStorm Authentication Failed"
)

// outcomes are the results if a fault occurs on the first request of a kind, and if it occurs on all of them. The entry for "" is for
// all other kinds; without one, the fault is harmless.
var outcomes = map[simulator.Fault]map[string][2]outcome{
	// A list has its own long timeout.
	simulator.NoResponse:       {"": {{"", 2}, {unreachable, 3}}, "list": {{unreachable, 1}, {unreachable, 1}}},
	simulator.ConnectionReset:  {"": {{"", 2}, {unreachable, 3}}},
	simulator.ConnectionClosed: {"": {{"", 2}, {unreachable, 3}}},
	// A read shows that a setting took effect.
	simulator.ResponseLost: {"": {{"", 2}, {unreachable, 3}}, "set": {{"", 2}, {"", 3}}},
	simulator.CutOff:       {"": {{"", 2}, {unexpected, 3}}, "set": {{"", 2}, {"", 3}}},
	simulator.WrongTypes:   {"": {{unexpected, 1}, {unexpected, 1}}, "set": {{"", 1}, {"", 1}}},
	// For five minutes, and at most once a second.
	simulator.RateLimited:        {"": {{"", 2}, {rateLimited, 301}}},
	simulator.RateLimitedSeconds: {"": {{"", 2}, {rateLimited, 301}}},
	simulator.RateLimited400:     {"": {{"", 2}, {rateLimited, 301}}},
	simulator.ServerError:        {"": {{"", 2}, {serverError, 3}}},
	simulator.BadGateway:         {"": {{"", 2}, {serverError, 3}}},
	simulator.HTMLPage:           {"": {{"", 2}, {unexpected, 3}}},
	// Its status reports success.
	simulator.EmptyResponse: {"": {{"", 2}, {unexpected, 3}}, "set": {{"", 1}, {"", 1}}},
	// The first new token is not a retry. A rejected password is never sent again.
	simulator.TokenRejected: {"": {{"", 2}, {logInFailed, 4}}, "login": {{logInFailed, 1}, {logInFailed, 1}}},
	// The list or another read contradicts it. A list is requested in the other form.
	simulator.NotFound: {
		"":      {{unexpected, 1}, {unexpected, 1}},
		"login": {{wrongEndpoint, 1}, {wrongEndpoint, 1}},
		"list":  {{"", 2}, {"Request Rejected by FoneStorm", 2}},
	},
	simulator.NotFoundPage:      {"": {{wrongEndpoint, 1}, {wrongEndpoint, 1}}, "list": {{"", 2}, {wrongEndpoint, 2}}},
	simulator.AnotherFoneNumber: {"get": {{unexpected, 1}, {unexpected, 1}}},
}

// on returns the result of an operation with a fault.
func (o operation) on(fault simulator.Fault, once bool) outcome {
	for _, kind := range []string{o.kind, ""} {
		if both, found := outcomes[fault][kind]; found && once {
			return both[0]
		} else if found {
			return both[1]
		}
	}
	return outcome{"", 1}
}

// broken are the faults of connections, which are different on sockets. FoneStorm does not begin to respond in the first three.
var broken = []simulator.Fault{simulator.ConnectionReset, simulator.ConnectionClosed, simulator.ResponseLost, simulator.CutOff}

// Every fault occurs in every operation, on its first request and on all of them.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range simulator.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for name, o := range operations {
				for extent, once := range map[string]bool{"once": true, "always": false} {
					inMemory(t, name+" "+extent, func(t *testing.T) {
						o.meets(t, newAccountInMemory(t, simulator.Options{}), fault, once, o.on(fault, once))
					})
					if (name == "create" || name == "read") && slices.Contains(broken, fault) {
						t.Run(name+" "+extent+" over sockets", func(t *testing.T) {
							t.Parallel()
							o.meets(t, newAccount(t, simulator.Options{}), fault, once, o.on(fault, once))
						})
					}
				}
			}
		})
	}
}

// begin prepares the account and the resource.
func (o operation) begin(t *testing.T, a *account) *managed {
	t.Helper()
	a.Put(simulator.FoneNumber{Number: otherNumber})
	a.byHand(testNumber, "None", "")
	if o.found != "" {
		a.byHand(testNumber, "Email", o.found)
	}
	m := a.manage(t)
	if o.managed != nil {
		m.mustApply(o.managed)
	}
	if o.byHand {
		a.byHand(testNumber, "Forward", "3215559999")
	}
	return m
}

// meets runs the operation while FoneStorm has the fault, and checks the result. Afterward, Terraform must plan exactly what
// is left to do, and be able to apply it.
func (o operation) meets(t *testing.T, a *account, fault simulator.Fault, once bool, want outcome) {
	t.Helper()
	m := o.begin(t, a)
	before := m.instance
	a.Forget()
	var met atomic.Int32
	a.Inject(func(r *http.Request) simulator.Fault {
		if kindOf(r) != o.kind || once && met.Load() > 0 {
			return ""
		}
		met.Add(1)
		return fault
	})
	m.settings = attributes{"max_retries": retries, "request_timeout": "10s"}
	diags := o.do(m, o.wanted)
	if met.Load() == 0 {
		t.Fatal("the fault occurred on no request")
	}
	a.Inject(nil)
	m.settings = nil

	problem := failure(diags)
	if want.summary != "" {
		wantError(t, diags, want.summary)
		if problem != nil && problem.Detail == "" || before.exists() && !agrees(m.instance, before) {
			t.Errorf("the operation failed with %v, and the state is %s", problem, m.state)
		}
	} else if problem != nil {
		t.Errorf("the operation failed: %s: %s", problem.Summary, problem.Detail)
	} else if o.kind == "set" {
		o.hasTakenEffect(m)
	}
	most := want.requests
	if slices.Contains(broken[:3], fault) && (o.kind == "get" || o.kind == "list") {
		most++ // On a reused connection, which the server may have closed, net/http itself repeats a read.
	}
	if n := a.count(o.kind); n > most || n < min(2, want.requests) {
		t.Errorf("there were %d requests, want %d", n, want.requests)
	}
	o.finish(m, problem != nil && !before.exists())
}

// hasTakenEffect checks that FoneStorm is as configured.
func (o operation) hasTakenEffect(m *managed) {
	m.t.Helper()
	want := delivery{o.wanted.text("type"), o.wanted.text("value"), o.wanted.text("url_username"), o.wanted.text("url_password")}
	if o.wanted == nil {
		want = delivery{kind: "None"}
	}
	m.account.mustDeliver(m.t, testNumber, want)
}

// finish refreshes and plans without faults. The plan must be the difference between FoneStorm and the configuration, and be empty
// once it is applied.
func (o operation) finish(m *managed, tainted bool) {
	m.t.Helper()
	if m.exists() {
		if diags := refreshed(m, nil); len(diags) > 0 {
			m.t.Fatalf("reading again: %+v", diags[0])
		}
		f, _ := m.account.Get(testNumber)
		state, removed := attributesOf(m.state), tainted && !m.exists() // A failed create may have had no effect.
		if !removed && (state.text("type") != f.Receive.Type || state.text("value") != f.Receive.Value()) {
			m.t.Errorf("the state has %v, but FoneStorm has %+v", state, f.Receive)
		}
	}
	if tainted {
		m.instance = instance{} // Terraform plans a new instance.
	}
	if c, diags := m.plan(o.wanted); failure(diags) == nil && m.exists() && o.wanted != nil {
		if got, want := c.differs(), o.difference(m.instance); !slices.Equal(got, want) {
			m.t.Errorf("the plan changes %q, want %q", got, want)
		}
	}
	m.mustApply(o.wanted)
	o.hasTakenEffect(m)
}

// difference returns the attributes in which a state that agrees with FoneStorm differs from the configuration.
func (o operation) difference(i instance) (names []string) {
	state := attributesOf(i.state)
	for _, name := range []string{"type", "url_password", "url_username", "value"} { // In the order of Terraform.
		if state.text(name) != o.wanted.text(name) {
			names = append(names, name)
		}
	}
	return names
}
