package provider

import (
	"cmp"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// operation is an operation of Terraform that a fault can interfere with.
type operation struct {
	kind    string   // Kind of request on which the fault occurs.
	found   string   // Initial e-mail address of the FoneNumber.
	managed delivery // What was applied before; the zero value for nothing.
	byHand  bool     // Whether the delivery was changed by hand since.
	wanted  delivery // What is configured now; the zero value for nothing.

	do func(w *world, wanted ...attributes) []*tfprotov6.Diagnostic
}

var operations = map[string]operation{
	"create": {kind: "set", found: "old@example.com", wanted: destinations[2], do: (*world).apply},
	"read":   {kind: "get", managed: destinations[1], byHand: true, wanted: destinations[1], do: refreshed},
	"update": {kind: "set", managed: destinations[1], wanted: destinations[2], do: (*world).apply},
	"delete": {kind: "set", managed: destinations[2], do: (*world).apply},
	"import": {kind: "get", found: "ops@example.com", wanted: destinations[1], do: imported},
	"list":   {kind: "list", managed: destinations[2], wanted: destinations[2], do: listing},
	"log in": {kind: "login", managed: destinations[1], byHand: true, wanted: destinations[1], do: refreshed},
}

func refreshed(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	after, diags := w.start().refresh(w.state["0"])
	w.put("0", after)
	return diags
}

// imported keeps no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	after, diags := w.start().importState(testNumber, false)
	if failure(diags) == nil {
		w.put("0", after)
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
		if now := w.is(one.resource.id()); one.resource["type"] != nil && !sameDestination(now, one.resource) {
			w.t.Errorf("the list has %v, but FoneStorm has %+v", one, now)
		}
	}
	return diags
}

const (
	retries = 2

	unreachable   = "Unable to Reach FoneStorm"
	unexpected    = "Unexpected FoneStorm Response"
	wrongEndpoint = "Endpoint Is Not FoneStorm"
	serverError   = "FoneStorm Server Error"
	rateLimited   = "FoneStorm Rate Limit Exceeded"
	rejected      = "Request Rejected by FoneStorm"
	logInFailed   = "FoneStorm Authentication Failed"
)

// outcomes are the summaries of the errors if a fault occurs on the first request of a kind, and if it occurs on all of them; empty
// for success. The entry for "" is for all other kinds. Faults that are not here are harmless. The client's tests count the requests.
var outcomes = map[simulator.Fault]map[string][2]string{
	simulator.NoResponse:       {"": {"", unreachable}, "list": {unreachable, unreachable}}, // A list has its own long timeout.
	simulator.ConnectionClosed: {"": {"", unreachable}},
	simulator.ResponseLost:     {"": {"", unreachable}},
	simulator.WrongTypes:       {"": {unexpected, unexpected}, "set": {"", ""}}, // A read shows what a setting has set.
	simulator.RateLimited:      {"": {"", rateLimited}},
	simulator.ServerError:      {"": {"", serverError}},
	simulator.BadGateway:       {"": {"", serverError}},
	simulator.HTMLPage:         {"": {"", unexpected}},
	simulator.TokenRejected:    {"": {"", logInFailed}, "login": {logInFailed, logInFailed}}, // A rejected password is never sent again.
	// The list contradicts it. A list is requested in the other form.
	simulator.NotFound: {
		"": {unexpected, unexpected}, "login": {wrongEndpoint, wrongEndpoint}, "list": {"", rejected}, "set": {rejected, rejected},
	},
	simulator.NotFoundPage:      {"": {wrongEndpoint, wrongEndpoint}, "list": {"", wrongEndpoint}},
	simulator.AnotherFoneNumber: {"get": {unexpected, unexpected}},
}

// Every fault occurs in every operation, on its first request and on all of them.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range simulator.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for name, o := range operations {
				errors, found := outcomes[fault][o.kind]
				if !found {
					errors = outcomes[fault][""]
				}
				for i, extent := range []string{"once", "always"} {
					t.Run(name+" "+extent, func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) { o.meets(t, fault, extent == "once", errors[i]) })
					})
				}
			}
		})
	}
}

func (o operation) begin(t *testing.T, a *account) *world {
	t.Helper()
	a.Put(simulator.FoneNumber{Number: otherNumber})
	a.byHand(testNumber, "None", "")
	if o.found != "" {
		a.byHand(testNumber, "Email", o.found)
	}
	w := a.world(t)
	if o.managed != (delivery{}) {
		w.mustApply(o.managed.attributes(testNumber))
	}
	if o.byHand {
		a.byHand(testNumber, "Forward", "3215559999")
	}
	return w
}

// meets runs the operation while FoneStorm has the fault, and checks the summary of the error and the state. Afterward, Terraform
// must be able to apply what is left to do.
func (o operation) meets(t *testing.T, fault simulator.Fault, once bool, want string) {
	t.Helper()
	a := newAccount(t, simulator.Options{})
	w := o.begin(t, a)
	before := w.state["0"]
	a.Forget()
	var met atomic.Int32
	a.Intercept(func(r simulator.Request) simulator.Fault {
		if r.Kind() != o.kind || once && met.Load() > 0 {
			return ""
		}
		met.Add(1)
		return fault
	})
	w.settings = attributes{"max_retries": retries, "request_timeout": "10s"}
	diags := o.do(w, o.wanted.attributes(testNumber))
	if met.Load() == 0 {
		t.Fatal("the fault occurred on no request")
	}
	a.Intercept(nil)
	w.settings = nil

	problem := failure(diags)
	if want != "" {
		wantError(t, diags, want)
		if problem != nil && problem.Detail == "" || before.exists() && !agrees(w.state["0"], before) {
			t.Errorf("the operation failed with %v, and the state is %s", problem, w.state["0"].state)
		}
	} else if problem != nil {
		t.Errorf("the operation failed: %s: %s", problem.Summary, problem.Detail)
	} else if o.kind == "set" {
		w.mustDeliver(t, testNumber, cmp.Or(o.wanted, delivery{kind: "None"}))
	}
	o.finish(w)
}

func (o operation) finish(w *world) {
	w.t.Helper()
	if w.state["0"].exists() {
		if diags := refreshed(w); len(diags) > 0 {
			w.t.Fatalf("reading again: %+v", diags[0])
		}
	}
	now, state := w.is(testNumber), attributesOf(w.state["0"].state)
	if state != nil && !sameDestination(now, state) { // A failed create may have had no effect.
		w.t.Errorf("the state has %v, but FoneStorm has %+v", state, now)
	}
	w.mustApply(o.wanted.attributes(testNumber))
	w.mustDeliver(w.t, testNumber, cmp.Or(o.wanted, delivery{kind: "None"}))
}

// Each rejection by FoneStorm has its own summary and advice, and is on the right attribute. TestFaults covers the rate limit.
func TestRejectionsByFoneStorm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status        int
		summary, says string
		onValue       bool
	}{
		{401, logInFailed, "Check username and password in the provider configuration", false},
		{402, "FoneStorm Payment Required", "Settle the account with FracTEL", false},
		{403, "Permission Denied by FoneStorm", "Use the credentials of a user who has this permission", false},
		{404, rejected, "The reason above comes from FoneStorm, or from a proxy in front of it.", false},
		{422, "Destination Rejected by FoneStorm", "a device must be configured and registered", true},
		{500, serverError, "Run Terraform again later", false},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			w.reject("/messages/receive", simulator.Fault(fmt.Sprint(test.status, " Not registered.")))
			w.settings = attributes{"max_retries": 0}
			diags := w.apply(toEmail)
			wantError(t, diags, test.summary, test.says, "FoneNumber "+testNumber,
				fmt.Sprintf("FoneStorm returned %d", test.status), "Not registered.")
			problem, isUncertain := shown(failure(diags)), test.status >= 500
			if onValue := strings.Contains(problem, `AttributeName("value")`); onValue != test.onValue {
				t.Errorf("the error is on value: %t, want %t", onValue, test.onValue)
			}
			if w.state["0"].exists() != isUncertain || strings.Contains(problem, "may have taken effect") != isUncertain ||
				strings.Contains(problem, "..") {
				t.Errorf("the state has %s, and the error is %s", w.state["0"].state, problem)
			}
		})
	}
}
