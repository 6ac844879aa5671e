package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Without a client, because the provider configuration is unknown, a plan warns once, even if there is nothing to refresh, and keeps
// the state. Every call that requires a client returns an error. No call panics or sends a request.
func TestUnknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	configs := []attributes{toURL("", "", 0), destinations[1].attributes(otherNumber)}
	known := newWorld(t, testNumber, otherNumber)
	none := known.world(t)
	create := none.plan(configs...)
	known.mustApply(configs...)
	before := known.state["0"].state
	update, remove := known.plan(destinations[1].attributes(testNumber), configs[1]), known.plan(nil)
	known.Forget()
	for _, unknown := range []string{"endpoint", "password"} {
		for _, w := range []*world{known, none} {
			w.settings = attributes{unknown: tftypes.UnknownValue}
			p := w.plan(configs...)
			wantWarnings(t, p.diags, []string{"Refresh Skipped: Provider Configuration Unknown"})
			if len(p.steps)+len(w.state) != len(configs) {
				t.Errorf("the plan changes %q", p.differs())
			}
		}
	}
	wantUnknown := func(diags []*tfprotov6.Diagnostic) {
		t.Helper()
		wantError(t, diags, "Provider Configuration Unknown")
	}
	wantUnknown(none.carryOut(create))
	wantUnknown(known.carryOut(update))
	wantUnknown(known.carryOut(remove))
	if after := known.state["0"].state; !after.Equal(before) || len(none.state) > 0 {
		t.Errorf("the state is %s and %v", after, none.state)
	}
	r := known.start()
	_, diags := r.importState(testNumber)
	wantUnknown(diags)
	_, diags = r.list(protocol().delivery, attributes{}, 100)
	wantUnknown(diags)
	for source, config := range map[string]attributes{
		"fractel_fonenumber": {"fonenumber": testNumber}, "fractel_fonenumbers": {}, "fractel_device": {"id": "1"}, "fractel_devices": {},
	} {
		_, diags := r.readDataSource(source, config)
		wantUnknown(diags)
	}
	if n := len(known.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}
