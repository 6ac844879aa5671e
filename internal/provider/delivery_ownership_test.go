package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Conflicts between resources with the same FoneNumber are found before anything is changed. refactoring_test.go tests how
// FoneNumbers move between resources.

const severalResources = "Multiple Resources for One FoneNumber"

func TestTwoResourcesForOneFoneNumber(t *testing.T) {
	t.Parallel()
	first, second := toEmail, destinations[3].attributes(testNumber)
	a := newAccount(t, simulator.Options{}, testNumber)
	for _, configs := range [][]attributes{{first, second}, {first, first}} {
		wantError(t, a.world(t).plan(configs...).diags, severalResources, "Remove all but one of them.")
	}
	receive, send := settings[1].config(first), settings[2].config(first)
	wantError(t, a.world(t).plan(first, receive, send, send).diags, severalResources, "set the send notification of FoneNumber 3215551212")
	unknown := with(first, "fonenumber", tftypes.UnknownValue)
	if d := failure(a.world(t).plan(unknown, unknown, first).diags); d != nil {
		t.Errorf("FoneNumbers that are not known yet have the error %+v", d)
	}
	w := a.world(t)
	w.mustApply(first)
	wantError(t, w.plan(first, second).diags, severalResources, "Remove all but one of them.")
	imported := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.importState(testNumber); return diags }
	refreshed := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.refresh(w.state["0"]); return diags }
	for _, calls := range [][2]func(*run) []*tfprotov6.Diagnostic{{imported, refreshed}, {refreshed, imported}} {
		r := w.start()
		wantWarnings(t, calls[0](r), nil)
		wantError(t, calls[1](r), severalResources, "replace the import block with a moved block")
	}
	r := w.start() // The FoneNumbers of both are known only after apply.
	created, _ := r.plan(instance{}, first)
	_, diags := r.apply(created)
	wantWarnings(t, diags, nil)
	_, diags = r.plan(instance{}, second)
	wantError(t, diags, severalResources)

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
				w.reject(http.MethodPost, "/messages/receive", http.StatusForbidden, "No.")
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
	w.Intercept(nil)
	w.mustApply()
}

// Even if the destroy of a renamed resource turns the FoneNumber off first, the credentials of its URL do not reach another one, also if
// FoneStorm rejects empty ones. If the URL stays the same, credentials that were set outside of Terraform stay, too.
func TestCredentialsOfARenamedResource(t *testing.T) {
	t.Parallel()
	hook := delivery{"URL", hookURL, "hook", "horse"}
	w := newWorld(t, testNumber)
	w.rejectEmpty("url_password")
	p := w.renamed(destroyFirst, hook.attributes(testNumber), with(toURL("", "", 0), "value", "https://other.example.com/"))
	wantError(t, w.carryOut(p), "Destination Rejected by FoneStorm", "must not reach the new URL")
	w.mustDeliver(t, testNumber, delivery{"None", "", "hook", "horse"})

	w = newWorld(t, testNumber)
	settings[0].set(w.account, testNumber, hook)
	w.state["old"] = w.imported(t, testNumber, false)
	p = w.renamed(destroyFirst, with(toURL("", "", 0), "on_destroy", onDestroyDisable), toURL("", "", 0))
	wantWarnings(t, w.carryOut(p), nil)
	w.mustDeliver(t, testNumber, hook)
}
