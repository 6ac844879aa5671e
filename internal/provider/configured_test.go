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
	m := a.manage(t)
	config := toURL("", "", 0)
	m.mustApply(config)
	update, _ := m.plan(with(config, "value", "https://hooks.example.com/other"))
	create, _ := a.manage(t).plan(config)
	remove, _ := m.plan(nil)
	r := a.start(t.Context(), t, attributes{"endpoint": tftypes.UnknownValue})
	for what, c := range map[string]change{"create": create, "update": update, "delete": remove} {
		left, diags := r.apply(c)
		wantError(t, diags, "Provider Configuration Unknown")
		if !left.state.Equal(c.before.state) {
			t.Errorf("%s: the state changes to %s", what, left.state)
		}
	}
	if read, diags := r.refresh(m.instance); failure(diags) != nil || !read.state.Equal(m.state) {
		t.Errorf("the refresh returns %s, %v", read.state, diags)
	}
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
