package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Without a client, because the provider configuration is unknown, every call that requires one returns an error. No call panics, and
// a refresh keeps the state.
func TestMissingClient(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	w := a.world(t)
	config := toURL("", "", 0)
	create := w.plan(config)
	w.mustApply(config)
	before := w.state["0"].state
	update := w.plan(with(config, "value", "https://hooks.example.com/other"))
	remove := w.plan(nil)
	w.settings = attributes{"endpoint": tftypes.UnknownValue}
	for what, p := range map[string]*plan{"create": create, "update": update, "delete": remove} {
		wantError(t, w.carryOut(p), "Provider Configuration Unknown")
		if !w.state["0"].state.Equal(before) {
			t.Errorf("%s: the state changes to %s", what, w.state["0"].state)
		}
	}
	w.mustPlanNothing(config)
	r := w.start()
	_, diags := r.importState(testNumber)
	wantError(t, diags, "Provider Configuration Unknown")
	_, diags = r.list(protocol().delivery, attributes{}, 100)
	wantError(t, diags, "Provider Configuration Unknown")
	for source, config := range map[string]attributes{
		"fractel_fonenumber": {"fonenumber": testNumber}, "fractel_fonenumbers": {}, "fractel_device": {"id": "1"}, "fractel_devices": {},
	} {
		_, diags := r.readDataSource(source, config)
		wantError(t, diags, "Provider Configuration Unknown")
	}
}
