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

	do func(w *world, wanted ...attributes) []*tfprotov6.Diagnostic
}

var (
	toEmail    = destinations[1].attributes(testNumber)
	toCallback = destinations[2].attributes(testNumber)
)

var operations = map[string]operation{
	"create": {kind: "set", found: "old@example.com", wanted: toCallback, do: (*world).apply},
	"read":   {kind: "get", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
	"update": {kind: "set", managed: toEmail, wanted: toCallback, do: (*world).apply},
	"delete": {kind: "set", managed: toCallback, do: (*world).apply},
	"import": {kind: "get", found: "ops@example.com", wanted: toEmail, do: imported},
	"list":   {kind: "list", managed: toCallback, wanted: toCallback, do: listing},
	"log in": {kind: "login", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
}

func refreshed(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	before := w.state["0"]
	after, diags := w.start().refresh(before.instance)
	w.put("0", object{instance: after, tainted: before.tainted})
	return diags
}

// imported keeps no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	after, diags := w.start().importState(testNumber)
	if failure(diags) == nil {
		w.put("0", object{instance: after})
	}
	return diags
}

func listing(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	found, diags := w.start().list(protocol().delivery, attributes{}, 1000)
	want := map[bool]int{true: 2}[failure(diags) == nil]
	if len(found) != want {
		w.t.Errorf("there are %d FoneNumbers, want %d", len(found), want)
	}
	for _, one := range found {
		f, _ := w.account.Get(one.number)
		if kind := one.resource.text("type"); kind != "" && (kind != f.Receive.Type || one.resource.text("value") != f.Receive.Value()) {
			w.t.Errorf("the list has %v, but FoneStorm has %+v", one, f.Receive)
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
	simulator.ConnectionClosed: {"": {{"", 2}, {unreachable, 3}}},
	// A read shows that a setting took effect.
	simulator.ResponseLost: {"": {{"", 2}, {unreachable, 3}}, "set": {{"", 2}, {"", 3}}},
	simulator.CutOff:       {"": {{"", 2}, {unexpected, 3}}, "set": {{"", 2}, {"", 3}}},
	simulator.WrongTypes:   {"": {{unexpected, 1}, {unexpected, 1}}, "set": {{"", 1}, {"", 1}}},
	// For five minutes, and at most once a second.
	simulator.RateLimited: {"": {{"", 2}, {rateLimited, 301}}},
	simulator.ServerError: {"": {{"", 2}, {serverError, 3}}},
	simulator.BadGateway:  {"": {{"", 2}, {serverError, 3}}},
	simulator.HTMLPage:    {"": {{"", 2}, {unexpected, 3}}},
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

// broken are the faults of connections, which are different on sockets. FoneStorm does not begin to respond in the first two.
var broken = []simulator.Fault{simulator.ConnectionClosed, simulator.ResponseLost, simulator.CutOff}

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
func (o operation) begin(t *testing.T, a *account) *world {
	t.Helper()
	a.Put(simulator.FoneNumber{Number: otherNumber})
	a.byHand(testNumber, "None", "")
	if o.found != "" {
		a.byHand(testNumber, "Email", o.found)
	}
	w := a.world(t)
	if o.managed != nil {
		w.mustApply(o.managed)
	}
	if o.byHand {
		a.byHand(testNumber, "Forward", "3215559999")
	}
	return w
}

// meets runs the operation while FoneStorm has the fault, and checks the result. Afterward, Terraform must plan exactly what
// is left to do, and be able to apply it.
func (o operation) meets(t *testing.T, a *account, fault simulator.Fault, once bool, want outcome) {
	t.Helper()
	w := o.begin(t, a)
	before := w.state["0"].instance
	a.Forget()
	var met atomic.Int32
	a.Inject(func(r *http.Request) simulator.Fault {
		if kindOf(r) != o.kind || once && met.Load() > 0 {
			return ""
		}
		met.Add(1)
		return fault
	})
	w.settings = attributes{"max_retries": retries, "request_timeout": "10s"}
	diags := o.do(w, o.wanted)
	if met.Load() == 0 {
		t.Fatal("the fault occurred on no request")
	}
	a.Intercept(nil)
	w.settings = nil

	problem := failure(diags)
	if want.summary != "" {
		wantError(t, diags, want.summary)
		if problem != nil && problem.Detail == "" || before.exists() && !agrees(w.state["0"].instance, before) {
			t.Errorf("the operation failed with %v, and the state is %s", problem, w.state["0"].state)
		}
	} else if problem != nil {
		t.Errorf("the operation failed: %s: %s", problem.Summary, problem.Detail)
	} else if o.kind == "set" {
		o.hasTakenEffect(w)
	}
	most := want.requests
	if slices.Contains(broken[:2], fault) && (o.kind == "get" || o.kind == "list") {
		most++ // On a reused connection, which the server may have closed, net/http itself repeats a read.
	}
	if n := a.count(o.kind); n > most || n < min(2, want.requests) {
		t.Errorf("there were %d requests, want %d", n, want.requests)
	}
	o.finish(w)
}

// hasTakenEffect checks that FoneStorm is as configured.
func (o operation) hasTakenEffect(w *world) {
	w.t.Helper()
	want := delivery{o.wanted.text("type"), o.wanted.text("value"), o.wanted.text("url_username"), o.wanted.text("url_password")}
	if o.wanted == nil {
		want = delivery{kind: "None"}
	}
	w.account.mustDeliver(w.t, testNumber, want)
}

// finish refreshes and plans without faults. The plan must be the difference between FoneStorm and the configuration, and be empty
// once it is applied.
func (o operation) finish(w *world) {
	w.t.Helper()
	if w.state["0"].exists() {
		if diags := refreshed(w); len(diags) > 0 {
			w.t.Fatalf("reading again: %+v", diags[0])
		}
	}
	if now := w.state["0"]; now.exists() { // A failed create may have had no effect.
		f, _ := w.account.Get(testNumber)
		if state := attributesOf(now.state); state.text("type") != f.Receive.Type || state.text("value") != f.Receive.Value() {
			w.t.Errorf("the state has %v, but FoneStorm has %+v", state, f.Receive)
		}
		if got, want := w.plan(o.wanted).differs(), o.difference(now.instance); !now.tainted && o.wanted != nil && !slices.Equal(got, want) {
			w.t.Errorf("the plan changes %q, want %q", got, want)
		}
	}
	w.mustApply(o.wanted)
	o.hasTakenEffect(w)
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
