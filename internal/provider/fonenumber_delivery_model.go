package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// deliveryModel is a fractel_fonenumber_delivery, as configured, planned or in the state.
type deliveryModel struct {
	FoneNumber           types.String `tfsdk:"fonenumber"`
	Type                 types.String `tfsdk:"type"`
	Value                types.String `tfsdk:"value"`
	URLMethod            types.String `tfsdk:"url_method"`
	URLUsername          types.String `tfsdk:"url_username"`
	URLPassword          types.String `tfsdk:"url_password"`
	URLPasswordWO        types.String `tfsdk:"url_password_wo"` // Null except in the configuration.
	URLPasswordWOVersion types.Int64  `tfsdk:"url_password_wo_version"`
	OnDestroy            types.String `tfsdk:"on_destroy"`
}

// What on_destroy can be.
const (
	onDestroyNone    = "None"
	onDestroyKeep    = "keep"
	onDestroyRestore = "restore"
)

// deliveryIdentity tells one fractel_fonenumber_delivery from another.
type deliveryIdentity struct {
	FoneNumber types.String `tfsdk:"fonenumber"`
}

func (m deliveryModel) identity() deliveryIdentity {
	return deliveryIdentity{FoneNumber: m.FoneNumber}
}

// delivery returns what to set. Credentials that the state before (nil for none) had and m has not are removed.
func (m deliveryModel) delivery(before *deliveryModel) fonestorm.Delivery {
	if before == nil {
		before = &deliveryModel{}
	}
	d := fonestorm.Delivery{
		Type:        fonestorm.DeliveryType(m.Type.ValueString()),
		Value:       m.Value.ValueString(),
		URLUsername: m.URLUsername.ValueStringPointer(),
		URLPassword: m.password(),
	}
	if d.Type == fonestorm.None {
		d.Value = ""
	}
	removed := ""
	if d.URLUsername == nil && !before.URLUsername.IsNull() {
		d.URLUsername = &removed
	}
	if d.URLPassword == nil && before.hasPassword() {
		d.URLPassword = &removed
	}
	return d
}

// afterDestroy returns where the FoneNumber delivers when this resource is destroyed, and whether that needs to be
// set. The original is what was there before it was created; nil when that is not known.
func (m deliveryModel) afterDestroy(original *fonestorm.Delivery) (left fonestorm.Delivery, changes bool) {
	end := deliveryModel{Type: types.StringValue(string(fonestorm.None))}
	switch m.OnDestroy.ValueString() {
	case onDestroyKeep:
		return fonestorm.Delivery{}, false
	case onDestroyRestore:
		if original == nil {
			return fonestorm.Delivery{}, false
		}
		end = deliveryModel{Type: types.StringValue(string(original.Type)), Value: types.StringValue(original.Value)}
	}
	return end.delivery(&m), true // Which takes out the credentials that this resource has set.
}

// afterFailure returns the state when setting d has failed. FoneStorm never tells which credentials it has, so where it
// may have taken new ones, the state gets empty ones, which no configuration has: the next plan sets them again.
func (m deliveryModel) afterFailure(d fonestorm.Delivery, err error) deliveryModel {
	if d.URLUsername == nil && d.URLPassword == nil || !fonestorm.MayHaveTakenEffect(err) {
		return m
	}
	m.URLUsername, m.URLPassword = types.StringValue(""), types.StringValue("")
	m.URLPasswordWOVersion = types.Int64Null()
	return m
}

// sameDelivery reports whether FoneStorm needs no request to get from a state to m: only on_destroy differs.
func (m deliveryModel) sameDelivery(state deliveryModel) bool {
	m.OnDestroy = state.OnDestroy
	return m == state
}

// withPassword returns a plan with the write-only password, which only the configuration has.
func (m deliveryModel) withPassword(config deliveryModel) deliveryModel {
	m.URLPasswordWO = config.URLPasswordWO
	return m
}

// plansTo reports whether the model delivers to the same destination. What is not known yet is taken for different.
func (m deliveryModel) plansTo(found fonestorm.Delivery) bool {
	return m.Type.ValueString() == string(found.Type) && m.Value.ValueString() == found.Value && !m.Value.IsUnknown()
}

func (m deliveryModel) deletesMessages() bool {
	return m.Type.ValueString() == string(fonestorm.None)
}

// describe tells the destination in words, without credentials.
func (m deliveryModel) describe() string {
	if m.Type.IsUnknown() || m.Value.IsUnknown() {
		return "a destination that is known only after apply"
	}
	d := m.delivery(nil)
	return d.String()
}

func (m deliveryModel) password() *string {
	if !m.URLPasswordWO.IsNull() {
		return m.URLPasswordWO.ValueStringPointer()
	}
	return m.URLPassword.ValueStringPointer()
}

// hasPassword reports whether a state stands for a password, be it kept there or not.
func (m deliveryModel) hasPassword() bool {
	return !m.URLPassword.IsNull() || !m.URLPasswordWOVersion.IsNull()
}

// refresh takes over what FoneStorm says. Credentials stay as they are: FoneStorm never returns them.
func (m *deliveryModel) refresh(f fonestorm.FoneNumber) {
	found := fonestorm.Delivery{}
	if f.Delivery != nil {
		found = *f.Delivery
	}
	m.FoneNumber = types.StringValue(f.Number)
	m.Type = stringOrNull(string(found.Type))
	if found.Type != fonestorm.None || m.Value.ValueString() != string(fonestorm.None) { // Which may be written for it.
		m.Value = stringOrNull(found.Value)
	}
	m.URLMethod = types.StringValue(fonestorm.URLMethodPOST)
	if found.URLMethod != "" {
		m.URLMethod = types.StringValue(found.URLMethod)
	}
	if m.OnDestroy.IsNull() { // After an import, which has no configuration to take the default from.
		m.OnDestroy = types.StringValue(onDestroyNone)
	}
}

func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
