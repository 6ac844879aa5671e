package provider

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
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
	settled bool       // Whether a read shows if a failed setting took effect, which it does not for credentials.

	do func(t *testing.T, a *account, r *run, before instance) (instance, *tfprotov6.Diagnostic)
}

var (
	toEmail    = attributes{"fonenumber": testNumber, "type": "Email", "value": "ops@example.com"}
	toCallback = attributes{
		"fonenumber": testNumber, "type": "URL", "value": "https://hooks.example.com/sms?msg={{msg}}",
		"url_username": "hook", "url_password": "correct-horse",
	}
)

var operations = map[string]operation{
	"create": {kind: "set", found: "old@example.com", wanted: toCallback, settled: true, do: changeTo(toCallback)},
	"read":   {kind: "get", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
	"update": {kind: "set", managed: toEmail, wanted: toCallback, settled: true, do: changeTo(toCallback)},
	"delete": {kind: "set", managed: toCallback, settled: true, do: changeTo(nil)},
	"import": {kind: "get", found: "ops@example.com", wanted: toEmail, do: imported},
	"list":   {kind: "list", managed: toCallback, wanted: toCallback, do: listing},
	"log in": {kind: "login", managed: toEmail, byHand: true, wanted: toEmail, do: refreshed},
}

// changeTo returns an operation that plans and applies a configuration.
func changeTo(config attributes) func(*testing.T, *account, *run, instance) (instance, *tfprotov6.Diagnostic) {
	return func(t *testing.T, a *account, r *run, before instance) (instance, *tfprotov6.Diagnostic) {
		c, diags := r.plan(before, config)
		if problem := failure(diags); problem != nil {
			t.Fatalf("planning: %s: %s", problem.Summary, problem.Detail)
		}
		after, diags := r.apply(c)
		if problem := failure(diags); problem != nil {
			return after, problem
		}
		password := cmp.Or(config.text("url_password_wo"), config.text("url_password"))
		want := delivery{config.text("type"), config.text("value"), config.text("url_username"), password}
		if config == nil {
			want = delivery{kind: "None"}
		}
		a.mustDeliver(t, testNumber, want)
		return after, nil
	}
}

func refreshed(_ *testing.T, _ *account, r *run, before instance) (instance, *tfprotov6.Diagnostic) {
	after, diags := r.refresh(before)
	return after, failure(diags)
}

// imported returns no instance if the import fails, whatever the provider returns, as Terraform does.
func imported(_ *testing.T, _ *account, r *run, _ instance) (instance, *tfprotov6.Diagnostic) {
	after, diags := r.importState(testNumber)
	if problem := failure(diags); problem != nil {
		return instance{}, problem
	}
	return after, nil
}

func listing(t *testing.T, a *account, r *run, before instance) (instance, *tfprotov6.Diagnostic) {
	found, diags := r.list(attributes{}, 1000)
	if problem := failure(diags); problem != nil {
		if len(found) > 0 {
			t.Errorf("the list failed, but returned %v", found)
		}
		return before, problem
	}
	if len(found) != 2 {
		t.Errorf("there are %d FoneNumbers, want 2", len(found))
	}
	for _, one := range found {
		f, _ := a.Get(one.number)
		if kind := one.resource.text("type"); kind != "" && (kind != f.Receive.Type || one.resource.text("value") != f.Receive.Value()) {
			t.Errorf("the list has %v, but FoneStorm has %+v", one, f.Receive)
		}
	}
	return before, nil
}

// outcome is the result of an operation with a fault.
type outcome struct {
	summary  string // Summary of the error; empty for success.
	requests int    // Number of requests of the kind on which the fault occurs.
}

const retries = 2

// outcomes returns the results if a fault occurs on the first request of this kind, and if it occurs on all of them.
//
//nolint:cyclop // A table.
func (o operation) outcomes(fault simulator.Fault) (once, always outcome) {
	const (
		unreachable   = "Unable to Reach FoneStorm"
		unexpected    = "Unexpected FoneStorm Response"
		wrongEndpoint = "Endpoint Is Not FoneStorm"
		refused       = "FoneStorm Authentication Failed"
	)
	sets, logsIn, lists := o.kind == "set", o.kind == "login", o.kind == "list"
	switch fault {
	case simulator.NoResponse:
		if lists { // A list has its own long timeout.
			return outcome{unreachable, 1}, outcome{unreachable, 1}
		}
		return outcome{"", 2}, outcome{unreachable, 1 + retries}
	case simulator.ConnectionReset, simulator.ConnectionClosed:
		return outcome{"", 2}, outcome{unreachable, 1 + retries}
	case simulator.ResponseLost:
		if o.settled { // It took effect.
			return outcome{"", 2}, outcome{"", 1 + retries}
		}
		return outcome{"", 2}, outcome{unreachable, 1 + retries}
	case simulator.RateLimited, simulator.RateLimitedSeconds, simulator.RateLimited400:
		return outcome{"", 2}, outcome{"FoneStorm Rate Limit Exceeded", 301} // For five minutes, and at most once a second.
	case simulator.ServerError, simulator.BadGateway:
		return outcome{"", 2}, outcome{"FoneStorm Server Error", 1 + retries}
	case simulator.HTMLPage:
		return outcome{"", 2}, outcome{unexpected, 1 + retries}
	case simulator.CutOff:
		if o.settled {
			return outcome{"", 2}, outcome{"", 1 + retries}
		}
		return outcome{"", 2}, outcome{unexpected, 1 + retries}
	case simulator.EmptyResponse:
		if sets { // Which reports success.
			return outcome{"", 1}, outcome{"", 1}
		}
		return outcome{"", 2}, outcome{unexpected, 1 + retries}
	case simulator.WrongTypes:
		if o.settled {
			return outcome{"", 1}, outcome{"", 1}
		}
		return outcome{unexpected, 1}, outcome{unexpected, 1}
	case simulator.TokenRejected:
		if logsIn { // A rejected password is never sent again.
			return outcome{refused, 1}, outcome{refused, 1}
		}
		return outcome{"", 2}, outcome{refused, 1 + retries + 1} // The first new token is not a retry.
	case simulator.NotFound:
		switch {
		case logsIn:
			return outcome{wrongEndpoint, 1}, outcome{wrongEndpoint, 1}
		case lists: // The client requests the other form of the list.
			return outcome{"", 2}, outcome{"Request Rejected by FoneStorm", 2}
		default: // The list or another read contradicts it.
			return outcome{unexpected, 1}, outcome{unexpected, 1}
		}
	case simulator.NotFoundPage:
		if lists {
			return outcome{"", 2}, outcome{wrongEndpoint, 2}
		}
		return outcome{wrongEndpoint, 1}, outcome{wrongEndpoint, 1}
	case simulator.AnotherFoneNumber:
		if sets && !o.settled || o.kind == "get" {
			return outcome{unexpected, 1}, outcome{unexpected, 1}
		}
	case simulator.WrongContentType, simulator.UnknownMembers, simulator.ReceiveMissing, simulator.BareSuccess: // Harmless.
	}
	return outcome{"", 1}, outcome{"", 1}
}

// Every fault occurs in every operation, on its first request and on all of them.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range simulator.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for name, o := range operations {
				once, always := o.outcomes(fault)
				for extent, want := range map[string]outcome{"once": once, "always": always} {
					t.Run(name+" "+extent, func(t *testing.T) {
						t.Parallel()
						synctest.Test(t, func(t *testing.T) {
							a := newAccountInMemory(t, simulator.Options{})
							o.meets(t, a, fault, extent == "once", want)
						})
					})
				}
			}
		})
	}
}

// Broken connections behave differently on sockets.
func TestFaultsOverSockets(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{simulator.ConnectionReset, simulator.ConnectionClosed, simulator.ResponseLost, simulator.CutOff} {
		for _, name := range []string{"create", "read"} {
			for _, once := range []bool{true, false} {
				t.Run(string(fault)+" "+name+" "+map[bool]string{true: "once", false: "always"}[once], func(t *testing.T) {
					t.Parallel()
					o := operations[name]
					want, always := o.outcomes(fault)
					if !once {
						want = always
					}
					o.meets(t, newAccount(t, simulator.Options{}), fault, once, want)
				})
			}
		}
	}
}

// begin returns the instance before the operation, and prepares the account.
func (o operation) begin(t *testing.T, a *account) instance {
	t.Helper()
	a.Put(simulator.FoneNumber{Number: "3215553434"})
	a.byHand(testNumber, "None", "")
	if o.found != "" {
		a.byHand(testNumber, "Email", o.found)
	}
	if o.managed == nil {
		return instance{}
	}
	before, problem := changeTo(o.managed)(t, a, a.start(t.Context(), t, nil), instance{})
	if problem != nil {
		t.Fatalf("before: %s: %s", problem.Summary, problem.Detail)
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
	after, problem := o.do(t, a, during, before)
	if met.Load() == 0 {
		t.Fatal("the fault occurred on no request")
	}
	a.Inject(nil)

	summary := ""
	if problem != nil {
		summary = problem.Summary
		if !agrees(after, before) && before.exists() {
			t.Errorf("the operation failed, but the state changed to %s", after.known())
		}
		if problem.Detail == "" {
			t.Error("the error has no detail")
		}
	}
	if summary != want.summary {
		t.Errorf("the operation ends with %q, want %q: %+v", summary, want.summary, problem)
	}
	if n := a.count(o.kind); n > want.requests+repeatedByHTTP(fault, o.kind) || n < min(2, want.requests) {
		t.Errorf("there were %d requests, want %d", n, want.requests)
	}
	o.finish(t, a, after, problem != nil && !before.exists())
}

// repeatedByHTTP returns how many requests net/http itself repeats: a read on a reused connection, which the server may have
// closed.
func repeatedByHTTP(fault simulator.Fault, kind string) int {
	if kind == "set" || kind == "login" || !slices.Contains([]simulator.Fault{
		simulator.ConnectionReset, simulator.ConnectionClosed, simulator.ResponseLost,
	}, fault) {
		return 0
	}
	return 1
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
		if state := attributesOf(i.known()); !i.exists() && tainted {
			t.Log("the failed create took no effect, so the refresh removed it")
		} else if state.text("type") != f.Receive.Type || state.text("value") != f.Receive.Value() {
			t.Errorf("the state has %v, but FoneStorm has %+v", state, f.Receive)
		}
	}
	if tainted {
		i = instance{} // Terraform plans a new instance.
	}
	if o.wanted == nil && !i.exists() {
		return // Terraform would do nothing.
	}
	c, diags := r.plan(i, o.wanted)
	if problem := failure(diags); problem != nil {
		t.Fatalf("planning again: %s: %s", problem.Summary, problem.Detail)
	}
	if i.exists() && o.wanted != nil {
		if got, want := c.differs(), o.difference(i); !slices.Equal(got, want) {
			t.Errorf("the plan changes %q, want %q", got, want)
		}
	}
	i, problem := changeTo(o.wanted)(t, a, a.start(t.Context(), t, nil), i)
	if problem != nil {
		t.Fatalf("applying again: %s: %s", problem.Summary, problem.Detail)
	}
	if o.wanted == nil {
		return
	}
	if c, _ := a.start(t.Context(), t, nil).plan(i, o.wanted); !c.isEmpty() {
		t.Errorf("after the second apply, the plan still changes %q", c.differs())
	}
}

// difference returns the attributes in which a state that agrees with FoneStorm differs from the configuration.
func (o operation) difference(i instance) []string {
	var names []string
	state, wanted := attributesOf(i.known()), o.wanted
	for _, name := range []string{"type", "url_password", "url_username", "value"} { // In the order of Terraform.
		if state.text(name) != wanted.text(name) {
			names = append(names, name)
		}
	}
	return names
}

// Dialing fails with "connection refused", for the first connections or for all of them.
func TestRefusedConnections(t *testing.T) {
	t.Parallel()
	for name, o := range operations {
		t.Run(name+" once", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAccountInMemory(t, simulator.Options{})
				before := o.begin(t, a)
				a.network.refusals.Store(2)
				after, problem := o.do(t, a, a.start(t.Context(), t, attributes{"max_retries": retries}), before)
				if problem != nil {
					t.Fatalf("%s: %s", problem.Summary, problem.Detail)
				}
				o.finish(t, a, after, false)
			})
		})
		t.Run(name+" always", func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			before := o.begin(t, a)
			found, _ := a.Get(testNumber)
			closed := httptest.NewServer(http.NotFoundHandler())
			closed.Close()
			a.endpoint = closed.URL + simulator.BasePath
			after, problem := o.do(t, a, a.start(t.Context(), t, attributes{"max_retries": 1, "check_on_plan": false}), before)
			if problem == nil || problem.Summary != "Unable to Reach FoneStorm" || !strings.Contains(problem.Detail, "connection refused (attempt 2") {
				t.Errorf("the operation ends with %+v", problem)
			}
			if f, _ := a.Get(testNumber); f != found || !agrees(after, before) {
				t.Errorf("FoneStorm has %+v and the state %s", f, after.known())
			}
		})
	}
}
