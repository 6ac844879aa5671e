package provider

import (
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
	after, diags := w.start().refresh(w.state["0"])
	w.put("0", after)
	return diags
}

// imported keeps no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(w *world, _ ...attributes) []*tfprotov6.Diagnostic {
	after, diags := w.start().importState(testNumber)
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
		f, _ := w.Get(one.resource.id())
		if kind := one.resource.text("type"); kind != "" && (kind != f.Receive.Type || one.resource.text("value") != f.Receive.Value()) {
			w.t.Errorf("the list has %v, but FoneStorm has %+v", one, f.Receive)
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
	diags := o.do(w, o.wanted)
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
		o.hasTakenEffect(w)
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
	w.mustDeliver(w.t, testNumber, want)
}

// finish refreshes without faults, after which the state agrees with FoneStorm, and applies.
func (o operation) finish(w *world) {
	w.t.Helper()
	if w.state["0"].exists() {
		if diags := refreshed(w); len(diags) > 0 {
			w.t.Fatalf("reading again: %+v", diags[0])
		}
	}
	if now := w.state["0"]; now.exists() { // A failed create may have had no effect.
		f, _ := w.Get(testNumber)
		if state := attributesOf(now.state); state.text("type") != f.Receive.Type || state.text("value") != f.Receive.Value() {
			w.t.Errorf("the state has %v, but FoneStorm has %+v", state, f.Receive)
		}
	}
	w.mustApply(o.wanted)
	o.hasTakenEffect(w)
}

// Each rejection by FoneStorm has its own summary and advice, and is on the right attribute. TestFaults covers the rate limit.
func TestRejectionsByFoneStorm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status         int
		summary, says  string
		onValue        bool
		requestsPerSet int
	}{
		{400, "Destination Rejected by FoneStorm", "Check that value matches type", true, 2},
		{401, "FoneStorm Authentication Failed", "Check username and password in the provider configuration", false, 2},
		{402, "FoneStorm Payment Required", "Settle the account with FracTEL", false, 1},
		{403, "Permission Denied by FoneStorm", "Use the credentials of a user who has this permission", false, 1},
		{404, "Request Rejected by FoneStorm", "The reason above comes from FoneStorm.", false, 1},
		{415, "Request Rejected by FoneStorm", "The reason above comes from FoneStorm.", false, 2},
		{422, "Destination Rejected by FoneStorm", "a device must be configured and registered", true, 2},
		{500, "FoneStorm Server Error", "Run Terraform again later", false, 1},
		{503, "FoneStorm Server Error", "Run Terraform again later", false, 1},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			w.reject("", "/messages/receive", test.status, "Not registered.")
			w.settings = attributes{"max_retries": 0}
			diags := w.apply(destinations[1].attributes(testNumber))
			wantError(t, diags, test.summary, test.says, "FoneNumber "+testNumber, fmt.Sprintf("FoneStorm returned %d", test.status), "Not registered.")
			if got := strings.Contains(shown(failure(diags)), `AttributeName("value")`); got != test.onValue {
				t.Errorf("the error is on value: %t, want %t", got, test.onValue)
			}
			w.sendsOnly(t, test.requestsPerSet)
			detail, isUncertain := failure(diags).Detail, test.status >= 500
			if w.state["0"].exists() != isUncertain || strings.Contains(detail, "may have taken effect") != isUncertain || strings.Contains(detail, "..") {
				t.Errorf("the state has %s, and the error is %s", w.state["0"].state, detail)
			}
		})
	}
}
