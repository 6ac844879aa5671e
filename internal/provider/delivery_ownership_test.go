package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Conflicts between resources with the same FoneNumber are found before anything is changed. refactoring_test.go tests how
// FoneNumbers move between resources.

const severalResources = "Multiple Resources for One FoneNumber"

func TestTwoResourcesForOneFoneNumber(t *testing.T) {
	t.Parallel()
	first, second := destinations[1].attributes(testNumber), destinations[3].attributes(testNumber)
	a := newAccountWith(t, testNumber)
	w := a.world(t)
	w.mustApply(first)
	imported := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.importState(testNumber); return diags }
	refreshed := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.refresh(w.state["0"].instance); return diags }
	unchanged := func(r *run) []*tfprotov6.Diagnostic { _, diags := r.plan(w.state["0"].instance, first); return diags }
	creates := func(config attributes) func(r *run) []*tfprotov6.Diagnostic {
		return func(r *run) []*tfprotov6.Diagnostic { _, diags := r.plan(instance{}, config); return diags }
	}
	created := func(r *run) []*tfprotov6.Diagnostic {
		unknown := creates(with(first, "fonenumber", tftypes.UnknownValue))
		diags := append(unknown(r), unknown(r)...)
		c, _ := r.plan(instance{}, first)
		_, applied := r.apply(c)
		return append(diags, applied...)
	}
	createsAll := func(r *run) (diags []*tfprotov6.Diagnostic) {
		for _, as := range settings {
			diags = append(diags, creates(as.config(first))(r)...)
		}
		return diags
	}
	for name, test := range map[string]struct {
		begin, then func(r *run) []*tfprotov6.Diagnostic
		text        string
	}{
		"both new":               {creates(first), creates(second), "Remove all but one of them."},
		"both new and the same":  {creates(first), creates(first), "Remove all but one of them."},
		"one new":                {unchanged, creates(second), "Remove all but one of them."},
		"both unknown until now": {created, creates(second), "Remove all but one of them."},
		"the same notification":  {createsAll, creates(settings[2].config(first)), "set the send notification of FoneNumber 3215551212"},
		"imported, then known":   {imported, refreshed, "replace the import block with a moved block"},
		"known, then imported":   {refreshed, imported, "replace the import block with a moved block"},
	} {
		r := w.start()
		if d := failure(test.begin(r)); d != nil {
			t.Errorf("%s: the first has the error %+v", name, d)
		}
		wantError(t, test.then(r), severalResources, test.text)
	}

	// If the state has both, the refresh removes one, and the other one does not change.
	w.state["1"] = object{instance: a.imported(t, testNumber, true)}
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
	a := newAccountWith(t, testNumber)
	w := a.world(t)
	w.mustApply(config)
	w.state["1"], w.noRefresh = object{instance: a.imported(t, testNumber, false)}, true
	r := w.start()
	update, _ := r.plan(w.state["0"].instance, with(config, "on_destroy", onDestroyKeep))
	destroy, _ := r.plan(w.state["1"].instance, nil)
	for _, c := range []change{update, destroy} {
		_, diags := r.apply(c)
		wantWarnings(t, diags, nil)
	}
	a.mustDeliver(t, testNumber, destinations[1])
}

// Terraform destroys a tainted object without its record. If its FoneNumber changes too, or is known only after apply, the refreshed
// state may be a delivery that was set outside of Terraform, so it stays.
func TestTaintedObjectOfAnotherFoneNumber(t *testing.T) {
	t.Parallel()
	for _, number := range []any{otherNumber, tftypes.UnknownValue} {
		a := newAccountWith(t, testNumber, otherNumber)
		w := a.world(t)
		w.mustApply(destinations[1].attributes(testNumber))
		a.byHand(testNumber, "Forward", "3215558888")
		planning := w.start()
		drifted, _ := planning.refresh(w.state["0"].instance)
		created, _ := planning.plan(instance{}, with(destinations[1].attributes(testNumber), "fonenumber", number))
		_, diags := w.start().apply(destruction(drifted, created.private))
		wantWarnings(t, diags, []string{summaryLeftUnchanged}, "was tainted")
		a.mustDeliver(t, testNumber, delivery{kind: "Forward", value: "3215558888"})
	}
}
