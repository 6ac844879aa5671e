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

	do func(t *testing.T, a *account, r *run, before instance, wanted attributes) (instance, []*tfprotov6.Diagnostic)
}

var (
	toEmail    = destinations[1].attributes(testNumber)
	toCallback = destinations[2].attributes(testNumber)
)

var operations = map[string]operation{
	"create": {kind: "set", found: "old@example.com", wanted: toCallback, do: changed},
	"read":   {kind: "get", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
	"update": {kind: "set", managed: toEmail, wanted: toCallback, do: changed},
	"delete": {kind: "set", managed: toCallback, do: changed},
	"import": {kind: "get", found: "ops@example.com", wanted: toEmail, do: imported},
	"list":   {kind: "list", managed: toCallback, wanted: toCallback, do: listing},
	"log in": {kind: "login", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
}

func changed(t *testing.T, a *account, r *run, before instance, wanted attributes) (instance, []*tfprotov6.Diagnostic) {
	c, diags := r.plan(before, wanted)
	if problem := failure(diags); problem != nil {
		t.Fatalf("planning: %s: %s", problem.Summary, problem.Detail)
	}
	after, diags := r.apply(c)
	if failure(diags) == nil {
		want := delivery{wanted.text("type"), wanted.text("value"), wanted.text("url_username"), wanted.text("url_password")}
		a.mustDeliver(t, testNumber, map[bool]delivery{true: {kind: "None"}, false: want}[wanted == nil])
	}
	return after, diags
}

func refreshed(_ *testing.T, _ *account, r *run, before instance, _ attributes) (instance, []*tfprotov6.Diagnostic) {
	return r.refresh(before)
}

// imported returns no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(_ *testing.T, _ *account, r *run, _ instance, _ attributes) (after instance, diags []*tfprotov6.Diagnostic) {
	if after, diags = r.importState(testNumber); failure(diags) != nil {
		return instance{}, diags
	}
	return after, diags
}

func listing(t *testing.T, a *account, r *run, before instance, _ attributes) (instance, []*tfprotov6.Diagnostic) {
	found, diags := r.list(attributes{}, 1000)
	want := map[bool]int{true: 2}[failure(diags) == nil]
	if len(found) != want {
		t.Errorf("there are %d FoneNumbers, want %d", len(found), want)
	}
	for _, one := range found {
		f, _ := a.Get(one.number)
		if kind := one.resource.text("type"); kind != "" && (kind != f.Receive.Type || one.resource.text("value") != f.Receive.Value()) {
			t.Errorf("the list has %v, but FoneStorm has %+v", one, f.Receive)
		}
	}
	return before, diags
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

// begin returns the instance before the operation, and prepares the account.
func (o operation) begin(t *testing.T, a *account) (before instance) {
	t.Helper()
	a.Put(simulator.FoneNumber{Number: otherNumber})
	a.byHand(testNumber, "None", "")
	if o.found != "" {
		a.byHand(testNumber, "Email", o.found)
	}
	if o.managed != nil {
		before, _ = changed(t, a, a.start(t.Context(), t, nil), instance{}, o.managed)
	}
	if o.byHand {
		a.byHand(testNumber, "Forward", "3215559999")
	}
	return before
}

// meets runs the operation while FoneStorm has the fault, and checks the result. Afterward, Terraform must plan exactly what
// is left to do, and be able to apply it.
func (o operation) meets(t *testing.T, a *account, fault simulator.Fault, once bool, want outcome) {
	t.Helper()
	before := o.begin(t, a)
	a.Forget()
	var met atomic.Int32
	a.Inject(func(r *http.Request) simulator.Fault {
		if kindOf(r) != o.kind || once && met.Load() > 0 {
			return ""
		}
		met.Add(1)
		return fault
	})
	during := a.start(t.Context(), t, attributes{"max_retries": retries, "request_timeout": "10s"})
	after, diags := o.do(t, a, during, before, o.wanted)
	if met.Load() == 0 {
		t.Fatal("the fault occurred on no request")
	}
	a.Inject(nil)

	problem := failure(diags)
	if want.summary != "" {
		wantError(t, diags, want.summary)
		if problem != nil && problem.Detail == "" || before.exists() && !agrees(after, before) {
			t.Errorf("the operation failed with %v, and the state is %s", problem, after.state)
		}
	} else if problem != nil {
		t.Errorf("the operation failed: %s: %s", problem.Summary, problem.Detail)
	}
	most := want.requests
	if slices.Contains(broken[:3], fault) && (o.kind == "get" || o.kind == "list") {
		most++ // On a reused connection, which the server may have closed, net/http itself repeats a read.
	}
	if n := a.count(o.kind); n > most || n < min(2, want.requests) {
		t.Errorf("there were %d requests, want %d", n, want.requests)
	}
	o.finish(t, a, after, problem != nil && !before.exists())
}

// finish refreshes and plans in a new run without faults. The plan must be the difference between FoneStorm and the
// configuration, and be empty once it is applied.
func (o operation) finish(t *testing.T, a *account, i instance, tainted bool) {
	t.Helper()
	r := a.start(t.Context(), t, nil)
	if i.exists() {
		var diags []*tfprotov6.Diagnostic
		if i, diags = r.refresh(i); len(diags) > 0 {
			t.Fatalf("reading again: %+v", diags[0])
		}
		f, _ := a.Get(testNumber)
		state, removed := attributesOf(i.state), tainted && !i.exists() // A failed create may have had no effect.
		if !removed && (state.text("type") != f.Receive.Type || state.text("value") != f.Receive.Value()) {
			t.Errorf("the state has %v, but FoneStorm has %+v", state, f.Receive)
		}
	}
	if tainted {
		i = instance{} // Terraform plans a new instance.
	}
	if o.wanted == nil && !i.exists() {
		return // Terraform would do nothing.
	}
	if c, diags := r.plan(i, o.wanted); failure(diags) == nil && i.exists() && o.wanted != nil {
		if got, want := c.differs(), o.difference(i); !slices.Equal(got, want) {
			t.Errorf("the plan changes %q, want %q", got, want)
		}
	}
	i, diags := changed(t, a, a.start(t.Context(), t, nil), i, o.wanted)
	if problem := failure(diags); problem != nil {
		t.Fatalf("applying again: %s: %s", problem.Summary, problem.Detail)
	}
	if o.wanted != nil {
		if c, _ := a.start(t.Context(), t, nil).plan(i, o.wanted); !c.isEmpty() {
			t.Errorf("after the second apply, the plan still changes %q", c.differs())
		}
	}
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
