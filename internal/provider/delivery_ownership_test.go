package provider

import (
	"net/http"
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
	first, second := destinations[1].attributes(testNumber), destinations[3].attributes(testNumber)
	a := newAccountWith(t, testNumber)
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
	config := destinations[1].attributes(testNumber)
	w := newWorld(t, testNumber)
	w.mustApply(config)
	w.state["1"], w.noRefresh = w.imported(t, testNumber, false), true
	r := w.start()
	update, _ := r.plan(w.state["0"], with(config, "on_destroy", onDestroyKeep))
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
		w.mustApply(destinations[1].attributes(testNumber))
		w.byHand(testNumber, "Forward", "3215558888")
		planning := w.start()
		drifted, _ := planning.refresh(w.state["0"])
		created, _ := planning.plan(instance{}, with(destinations[1].attributes(testNumber), "fonenumber", number))
		_, diags := w.start().apply(destruction(drifted, created.private))
		wantWarnings(t, diags, []string{summaryLeftUnchanged}, "was tainted")
		w.mustDeliver(t, testNumber, delivery{kind: "Forward", value: "3215558888"})
	}
}

// If a resource is renamed without a moved block, and the plan meets its new name first, the FoneNumber is never off: whichever runs
// first in the apply, and even if the create fails.
func TestRenamedResourceStaysOn(t *testing.T) {
	t.Parallel()
	for order := range uint64(16) {
		for _, status := range []int{0, http.StatusForbidden} {
			a := newAccountWith(t, testNumber)
			w := a.world(t)
			w.inOrder(order, false)
			w.config = map[string]attributes{"old": destinations[1].attributes(testNumber)}
			w.mustApply()
			w.config = map[string]attributes{"new": destinations[2].attributes(testNumber)}
			p := w.planIn([]string{"new", "new", "old", "old"})
			if status != 0 {
				a.reject(http.MethodPost, "/messages/receive", status, "No.")
			}
			failed := failure(w.carryOut(p)) != nil
			if a.Intercept(nil); failed != (status != 0) {
				t.Fatalf("the apply failed: %t", failed)
			}
			want := destinations[2]
			if failed {
				want = destinations[1]
			}
			a.mustDeliver(t, testNumber, want)
			if len(w.state) == 0 || a.count("set") != 2 {
				t.Errorf("order %d, status %d: %d settings were sent, and the state has %d objects", order, status, a.count("set"), len(w.state))
			}
			w.mustApply()
			a.mustDeliver(t, testNumber, destinations[2])
		}
	}
}

// If the destroy was planned first, it turns the FoneNumber off until the create has set it. If that fails, the apply says so.
func TestRenamedResourceThatIsOff(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	w := a.world(t)
	w.config = map[string]attributes{"a": destinations[1].attributes(testNumber)}
	w.mustApply()
	w.config = map[string]attributes{"b": destinations[2].attributes(testNumber)}
	p := w.planIn([]string{"a", "a", "b", "b"})
	a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		isRejected := simulator.Parameters(r).Get("type") == destinations[2].kind
		if isRejected {
			respond(w, http.StatusForbidden, "No.")
		}
		return isRejected
	})
	diags := w.carryOut(p)
	wantError(t, diags, "Permission Denied by FoneStorm")
	wantWarnings(t, diags, []string{summaryDeleted}, "FoneNumber 3215551212 is off, because this apply destroyed its earlier resource first")
	a.mustDeliver(t, testNumber, delivery{kind: "None"})
	a.Intercept(nil)
	w.mustApply()
	a.mustDeliver(t, testNumber, destinations[2])
}

// Even if the destroy of a renamed resource turns the FoneNumber off first, the credentials of its URL do not reach another one, also if
// FoneStorm rejects empty ones. If the URL stays the same, credentials that were set outside of Terraform stay, too.
func TestCredentialsOfARenamedResource(t *testing.T) {
	t.Parallel()
	hook := delivery{"URL", hookURL, "hook", "horse"}
	rename := func(w *world, from, to attributes) []*tfprotov6.Diagnostic {
		w.config = map[string]attributes{"a": from}
		w.mustApply()
		w.config = map[string]attributes{"b": to}
		return w.carryOut(w.planIn([]string{"a", "a", "b", "b"}))
	}
	w := newWorld(t, testNumber)
	w.rejectEmpty("url_password")
	diags := rename(w, hook.attributes(testNumber), delivery{kind: "URL", value: "https://other.example.com/"}.attributes(testNumber))
	wantError(t, diags, "Destination Rejected by FoneStorm", "must not reach the new URL")
	w.mustDeliver(t, testNumber, delivery{"None", "", "hook", "horse"})

	w = newWorld(t, testNumber)
	settings[0].set(w.account, testNumber, hook)
	w.state["a"] = w.imported(t, testNumber, false)
	config := delivery{kind: "URL", value: hookURL}.attributes(testNumber)
	diags = rename(w, with(config, "on_destroy", onDestroyDisable), config)
	wantWarnings(t, diags, nil)
	w.mustDeliver(t, testNumber, hook)
}
