package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Conflicts between resources with the same FoneNumber are found before anything is changed. refactoring_test.go tests how
// FoneNumbers move between resources.

func TestTwoResourcesForOneFoneNumber(t *testing.T) {
	t.Parallel()
	first, second := toEmail, destinations[3].attributes(testNumber)
	a := newAccount(t, simulator.Options{}, testNumber)
	for _, configs := range [][]attributes{{first, second}, {first, first}} {
		wantError(t, a.world(t).plan(configs...).diags, summaryMultiple, "Remove all but one of them.")
	}
	receive, send := settings[1].config(first), settings[2].config(first)
	wantError(t, a.world(t).plan(first, receive, send, send).diags, summaryMultiple, "set the send notification of FoneNumber 3215551212")
	unknown := with(first, "fonenumber", tftypes.UnknownValue)
	if d := failure(a.world(t).plan(unknown, unknown, first).diags); d != nil {
		t.Errorf("FoneNumbers that are not known yet have the error %+v", d)
	}
	w := a.world(t)
	w.mustApply(first)
	wantError(t, w.plan(first, second).diags, summaryMultiple, "Remove all but one of them.")
	imported := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.importState(testNumber, false); return diags }
	refreshed := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.refresh(w.state["0"]); return diags }
	for _, calls := range [][2]func(*run) []*tfprotov6.Diagnostic{{imported, refreshed}, {refreshed, imported}} {
		r := w.start()
		wantWarnings(t, calls[0](r), nil)
		wantError(t, calls[1](r), summaryMultiple, "replace the import block with a moved block")
	}
	r := w.start() // The FoneNumbers of both are known only after apply.
	created, _ := r.plan(instance{}, first)
	_, diags := r.apply(created)
	wantWarnings(t, diags, nil)
	_, diags = r.plan(instance{}, second)
	wantError(t, diags, summaryMultiple)

	// If the state has both, the refresh removes one, and the other one does not change.
	w.state["1"] = a.imported(t, testNumber, true)
	w.configure(first)
	p := w.planIn([]string{"0", "1", "1", "0"})
	wantWarnings(t, p.diags, []string{"Duplicate Resource Removed From State"})
	if !p.isEmpty() || len(w.state) != 1 || !w.state["0"].exists() {
		t.Errorf("the state has %v, and the plan changes %q", w.state, p.differs())
	}
}

// With -refresh=false, a state can still have two objects. The destroy of one does not turn off what the configuration contains, even
// if the apply sends nothing for the other one.
func TestTwoObjectsWithoutRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toEmail)
	w.state["1"], w.noRefresh = w.imported(t, testNumber, false), true
	r := w.start()
	update, _ := r.plan(w.state["0"], with(toEmail, "on_destroy", onDestroyKeep))
	destroy, _ := r.plan(w.state["1"], nil)
	for _, c := range []change{update, destroy} {
		_, diags := r.apply(c)
		wantWarnings(t, diags, nil)
	}
	w.mustDeliver(t, testNumber, destinations[1])
}

// Terraform destroys a tainted object without its record. If its FoneNumber changes too, or is known only after apply, the refreshed
// state may be a delivery that was set outside of Terraform, so it stays.
func TestTaintedObjectOfAnotherFoneNumber(t *testing.T) {
	t.Parallel()
	for _, number := range []any{otherNumber, tftypes.UnknownValue} {
		w := newWorld(t, testNumber, otherNumber)
		w.mustApply(toEmail)
		w.byHand(testNumber, "Forward", "3215558888")
		planning := w.start()
		drifted, _ := planning.refresh(w.state["0"])
		created, _ := planning.plan(instance{}, with(toEmail, "fonenumber", number))
		_, diags := w.start().apply(destruction(drifted, created.private))
		wantWarnings(t, diags, []string{summaryLeftUnchanged}, "may not have been set by")
		w.mustDeliver(t, testNumber, delivery{kind: "Forward", value: "3215558888"})
	}
}

// renamed applies a configuration, and plans the same FoneNumber in a resource with another name, in this order.
func (w *world) renamed(order string, from, to attributes) *plan {
	w.t.Helper()
	w.config = map[string]attributes{"old": from}
	w.mustApply()
	w.config = map[string]attributes{"new": to}
	return w.planIn(strings.Fields(order))
}

const destroyFirst = "old old new new"

// If a resource is renamed without a moved block, and the plan meets its new name first, the FoneNumber is never off: whichever runs
// first in the apply, and even if the create fails.
func TestRenamedResourceStaysOn(t *testing.T) {
	t.Parallel()
	for order := range uint64(16) {
		for _, fails := range []bool{false, true} {
			w := newWorld(t, testNumber)
			w.inOrder(order, false)
			p, want := w.renamed("new new old old", toEmail, toCallback), toCallback
			if fails {
				want = toEmail
				w.reject("/messages/receive", "403 No.")
			}
			failed := failure(w.carryOut(p)) != nil
			w.Intercept(nil)
			if !sameDestination(w.is(testNumber), want) || failed != fails || len(w.state) == 0 || w.count("set") != 2 {
				t.Errorf("order %d: failed: %t; %d settings were sent, and the state has %d objects", order, failed, w.count("set"), len(w.state))
			}
			w.mustApply()
		}
	}
}

// If the destroy was planned first, it turns the FoneNumber off until the create has set it. If that fails, the apply says so.
func TestRenamedResourceThatIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	p := w.renamed(destroyFirst, toEmail, toCallback)
	w.Intercept(func(r simulator.Request) simulator.Fault {
		return map[string]simulator.Fault{"URL": "403 No."}[r.Form.Get("type")]
	})
	diags := w.carryOut(p)
	wantError(t, diags, "Permission Denied by FoneStorm")
	wantWarnings(t, diags, []string{summaryDeleted}, "FoneNumber 3215551212 was off before this request: messages received at it are deleted")
	w.mustDeliver(t, testNumber, delivery{kind: "None"})

	// One that was never on, or that Terraform turned off, is no surprise.
	for _, before := range []attributes{nil, delivery{kind: "None"}.attributes(testNumber)} {
		w := newWorld(t, testNumber)
		w.mustApply(before)
		w.reject("/messages/receive", "403 No.")
		wantWarnings(t, w.apply(toEmail), nil)
	}
	w.Intercept(nil)
	w.mustApply()
}

// If the create that replaces a tainted object fails, what that object applied is not forgotten, and what something else has set
// since is not owned.
func TestTaintedObjectWhoseReplacementFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		since, left           delivery
		replacing, destroying string // Summaries of the warnings.
	}{
		{destinations[1], delivery{kind: "None"}, "FoneNumber Already Has This Delivery", summaryDeleted},
		{destinations[3], destinations[3], alreadyDelivers, ""}, // Nothing is in the state then.
	} {
		w := newWorld(t, testNumber)
		w.mustApply(toEmail)
		w.byHand(testNumber, test.since.kind, test.since.value)
		object := w.state["0"]
		object.tainted = true
		w.put("0", object)
		w.reject("/messages/receive", "403 No.")
		diags := w.apply(toEmail)
		wantError(t, diags, "Permission Denied by FoneStorm")
		wantWarnings(t, diags, []string{test.replacing})
		w.Intercept(nil)
		wantWarnings(t, w.plan(nil).diags, []string{test.destroying})
		w.apply(nil)
		w.mustDeliver(t, testNumber, test.left)
	}
}

// A FoneNumber that another resource could not set in an apply is not turned off after that, whether FoneStorm rejects the setting,
// its plan fails when Terraform plans again, or a value that was not known turns out to be invalid. The next apply finishes.
func TestDestroyAfterAFailedCreate(t *testing.T) {
	t.Parallel()
	to := toCallback
	for name, fail := range map[string]func(w *world, r *run) []*tfprotov6.Diagnostic{
		"rejected": func(w *world, r *run) []*tfprotov6.Diagnostic {
			c, _ := r.plan(instance{}, to)
			w.reject("/messages/receive", "403 No.")
			_, diags := r.apply(c)
			return diags
		},
		"not planned again": func(w *world, r *run) []*tfprotov6.Diagnostic {
			w.reject("/fonenumbers/"+testNumber, "403 No.")
			_, diags := r.plan(instance{}, to)
			return diags
		},
		"invalid": func(_ *world, r *run) []*tfprotov6.Diagnostic {
			return r.validate(delivery{kind: "Email", value: "nobody"}.attributes(testNumber))
		},
	} {
		w := newWorld(t, testNumber)
		w.mustApply(toEmail)
		old, r := w.state["0"], w.start()
		if diags := fail(w, r); failure(diags) == nil {
			t.Errorf("%s: the create succeeds", name)
		}
		w.Intercept(nil)
		_, diags := r.apply(destruction(old, old.private))
		wantError(t, diags, "FoneNumber Not Turned Off After Failure")
		w.mustDeliver(t, testNumber, destinations[1])
		w.mustApply(nil, to)
	}
}

// A destroy that fails leaves in private state that another resource continues. A later replacement by another FoneNumber must not
// believe that.
func TestReplacementAfterAFailedDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber, otherNumber)
	w.mustApply(toEmail)
	r := w.start()
	_, _ = r.plan(instance{}, toCallback)
	destroy, _ := r.plan(w.state["0"], nil)
	left := w.state["0"]
	left.private = destroy.private
	w.state["0"] = left
	w.mustApply(with(toEmail, "fonenumber", otherNumber))
	w.mustDeliver(t, testNumber, delivery{kind: "None"})
}

// A state that was edited can lack the private state. Its objects can be replaced, and what FoneStorm keeps for them is not known.
func TestStateWithoutPrivateState(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(w *world) attributes{
		"another FoneNumber": func(*world) attributes { return with(toEmail, "fonenumber", otherNumber) },
		"-replace": func(w *world) attributes {
			w.replaced = []string{"0"}
			return toEmail
		},
	} {
		for _, createFirst := range []bool{false, true} {
			w := newWorld(t, testNumber, otherNumber)
			w.createFirst = createFirst
			w.mustApply(toEmail)
			w.losePrivate()
			if problem := failure(w.apply(change(w))); problem != nil {
				t.Errorf("%s: %s: %s", name, problem.Summary, problem.Detail)
			}
		}
	}
	w := newWorld(t, testNumber)
	w.mustApply(toEmail)
	f, _ := w.Get(testNumber)
	f.Receive.URLUsername, f.Receive.URLPassword = "hook", "horse" // Of an earlier callback URL.
	w.Put(f)
	w.losePrivate()
	w.rejectEmpty("url_password")
	wantError(t, w.apply(toURL("", "", 0)), "Destination Rejected by FoneStorm", "must not reach the new URL")
}

func (w *world) losePrivate() {
	for name, i := range w.state {
		i.private = nil
		w.state[name] = i
	}
}

// A tainted object is destroyed with the record of its replacement, here that of another FoneNumber. It says nothing about the object,
// also if the destroy fails and the object stays.
func TestTaintedObjectHasNoRecord(t *testing.T) {
	t.Parallel()
	for _, fault := range []simulator.Fault{"", "503 Down."} {
		w := newWorld(t, testNumber, otherNumber)
		w.settings = attributes{"max_retries": 0}
		other := with(toEmail, "fonenumber", otherNumber)
		w.config = map[string]attributes{"other": other}
		w.mustApply()
		w.config["tainted"] = toEmail
		w.Intercept(func(r simulator.Request) simulator.Fault {
			return map[string]simulator.Fault{"set": simulator.ResponseLost}[r.Kind()]
		})
		w.apply()
		w.Intercept(nil)
		w.config = map[string]attributes{"tainted": other}
		p := w.planIn(strings.Fields("other other tainted tainted"))
		w.reject("", fault)
		w.carryOut(p)
		w.Intercept(nil)
		w.config = map[string]attributes{}
		want := map[simulator.Fault][]string{"": {summaryDeleted}, "503 Down.": {summaryDeleted, summaryLeftUnchanged, summaryLeftUnchanged}}
		wantWarnings(t, w.mustApply(), want[fault])
		w.mustDeliver(t, otherNumber, delivery{kind: "None"})
		w.mustDeliver(t, testNumber, destinations[1])
	}
}

// Of two destroyed objects, the create continues with the one that turned the FoneNumber off: FoneStorm keeps its credentials.
func TestCredentialsOfTwoDestroyedObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.config = map[string]attributes{"second": toEmail}
	w.mustApply()
	second := w.state["second"]
	delete(w.state, "second")
	hook := delivery{"URL", hookURL, "hook", "horse"}
	w.config = map[string]attributes{"first": hook.attributes(testNumber)}
	w.mustApply()
	w.state["second"], w.noRefresh = second, true
	w.rejectEmpty("url_password")
	w.config = map[string]attributes{"new": with(toURL("", "", 0), "value", "https://other.example.com/")}
	p := w.planIn(strings.Fields("first first second second new new"))
	r := w.start()
	destroy := func(name string) {
		_, diags := r.apply(destruction(w.state[name], p.steps["delete "+name].change.private))
		if failure(diags) != nil {
			t.Fatal(failure(diags).Detail)
		}
	}
	destroy("first")
	c, _ := r.plan(instance{}, w.config["new"])
	destroy("second")
	_, diags := r.apply(c)
	wantError(t, diags, "Destination Rejected by FoneStorm", "must not reach the new URL")
}

// A delivery that is only planned because of ignore_changes does not belong to the resource.
func TestIgnoredDeliveryIsNotOwned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(with(toEmail, "on_destroy", onDestroyKeep))
	w.byHand(testNumber, "Forward", "3215558888")
	r := w.start()
	drifted, _ := r.refresh(w.state["0"])
	c, _ := r.plan(drifted, delivery{kind: "Forward", value: "3215558888"}.attributes(testNumber))
	c.planned = attributes{"fonenumber": testNumber, "type": "Forward", "value": "3215558888", "on_destroy": onDestroyDisable}.value(c.types.resource)
	c.config = toEmail.value(c.types.resource)
	after, diags := r.apply(c)
	wantWarnings(t, diags, nil)
	_, diags = w.start().plan(after, nil)
	wantWarnings(t, diags, []string{summaryLeftUnchanged})
}
