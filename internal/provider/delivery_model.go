package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// deliveryModel is a fractel_fonenumber_delivery in a configuration, a plan, or the state. FromAPI and ToAPI are the only
// conversions between it and the client.
type deliveryModel struct {
	FoneNumber           types.String `tfsdk:"fonenumber"`
	Type                 types.String `tfsdk:"type"`
	Value                types.String `tfsdk:"value"`
	URLMethod            types.String `tfsdk:"url_method"`
	URLUsername          types.String `tfsdk:"url_username"`
	URLPassword          types.String `tfsdk:"url_password"`
	URLPasswordWO        types.String `tfsdk:"url_password_wo"` // Null except in the configuration.
	URLPasswordWOVersion types.Number `tfsdk:"url_password_wo_version"`
	OnDestroy            types.String `tfsdk:"on_destroy"`
}

// The values of on_destroy.
const (
	onDestroyDisable = "disable"
	onDestroyKeep    = "keep"
)

// deliveryIdentity is the identity of a fractel_fonenumber_delivery.
type deliveryIdentity struct {
	FoneNumber types.String `tfsdk:"fonenumber"`
}

func (m deliveryModel) identity() deliveryIdentity { return deliveryIdentity{FoneNumber: m.FoneNumber} }

// FromAPI updates the model with what FoneStorm shows. A destination that this resource applied keeps the spelling in which it
// was set. Credentials stay as they are, because FoneStorm never returns them. So does a method that is null: FoneNumbers can use
// methods that cannot be configured.
func (m *deliveryModel) FromAPI(f fonestorm.FoneNumber, rec record) {
	m.FoneNumber = types.StringValue(f.Number)
	shown, _ := rec.find(*f.Delivery)
	if shown.Type != fonestorm.None || m.Type.ValueString() != string(fonestorm.None) { // None can be configured with a value.
		m.Value = stringOrNull(shown.Value)
	}
	m.Type = types.StringValue(string(shown.Type))
	if m.URLMethod.IsNull() {
		return
	}
	m.URLMethod = types.StringValue(fonestorm.URLMethodPOST)
	_, last := rec.last()
	if method := f.Delivery.URLMethod; method != "" && last.URLMethod != "" && method != last.URLMethod {
		m.URLMethod = types.StringValue(method)
	}
}

// ToAPI returns the setting to send. now is the FoneNumber as FoneStorm shows it before the setting, nil if unknown. before is
// the object that is updated or replaced; the zero value if there is none.
//
// FoneStorm never returns credentials, keeps the ones that a request omits, and would send them to the next callback URL. So
// credentials that are not configured are omitted only if the callback URL stays the same and this resource did not set any.
func (m deliveryModel) ToAPI(now *fonestorm.FoneNumber, before handedOver) fonestorm.Setting {
	s := fonestorm.Setting{Delivery: m.destination()}
	s.Last, s.LastShown = before.rec.last()
	s.ReadBack = s.Last == s.Delivery && !before.state.Type.IsNull() && before.state.destination() != s.Last

	empty := ""
	isURL := s.Type == fonestorm.URL
	sameURL := now != nil && fonestorm.SameDestination(now.Delivery.Normalized(), s.Delivery)
	switch {
	case isURL && !m.URLUsername.IsNull():
		s.URLUsername, s.URLPassword = m.URLUsername.ValueStringPointer(), m.password()
		if s.URLPassword == nil {
			s.URLPassword = &empty
		}
	case before.state.hasCredentials():
		s.URLUsername, s.URLPassword = &empty, &empty
		s.MustRemoveCredentials = isURL && !sameURL
	case isURL && !sameURL:
		s.URLUsername, s.URLPassword = &empty, &empty
	}
	return s
}

// destination returns the destination, without credentials.
func (m deliveryModel) destination() fonestorm.Delivery {
	d := fonestorm.Delivery{Type: fonestorm.DeliveryType(m.Type.ValueString()), Value: m.Value.ValueString()}
	if d.Type == fonestorm.None {
		d.Value = ""
	}
	return d
}

// off returns the model that a destroy sets.
func (m deliveryModel) off() deliveryModel {
	return deliveryModel{FoneNumber: m.FoneNumber, Type: types.StringValue(string(fonestorm.None))}
}

// afterFailure returns the state after a setting failed. FoneStorm never returns credentials. So if it may have accepted new
// ones, the state gets empty ones, which no configuration has, and the next plan sets the configured ones again.
func (m deliveryModel) afterFailure(s fonestorm.Setting, err error) deliveryModel {
	if s.URLUsername == nil || !fonestorm.MayHaveTakenEffect(err) {
		return m
	}
	m.URLUsername, m.URLPassword = types.StringValue(""), types.StringValue("")
	m.URLPasswordWOVersion = types.NumberNull()
	return m
}

// isKnown reports whether the destination is known before the apply.
func (m deliveryModel) isKnown() bool { return !m.Type.IsUnknown() && !m.Value.IsUnknown() }

// sends reports whether an update from a state to m sends a request.
func (m deliveryModel) sends(state deliveryModel) bool {
	newMethod := m.Type.ValueString() == string(fonestorm.URL) && !m.URLMethod.IsNull() && !m.URLMethod.Equal(state.URLMethod)
	return newMethod || !m.isKnown() || m.destination() != state.destination() || !m.sameCredentials(state)
}

// sameCredentials reports whether two models have the same callback credentials, as far as Terraform can compare them.
func (m deliveryModel) sameCredentials(other deliveryModel) bool {
	return m.URLUsername.Equal(other.URLUsername) && m.URLPassword.Equal(other.URLPassword) &&
		m.URLPasswordWOVersion.Equal(other.URLPasswordWOVersion)
}

// hasCredentials reports whether a state has callback credentials, or may have some after a failure.
func (m deliveryModel) hasCredentials() bool { return !m.URLUsername.IsNull() }

// complete completes the framework's plan. The prior state is nil for a create. A plan depends on nothing else: Terraform plans
// again before it applies, and the result must be the same.
func (m *deliveryModel) complete(before *deliveryModel, rec record) {
	if m.OnDestroy.IsUnknown() {
		m.OnDestroy = types.StringValue(onDestroyDisable)
		if before != nil {
			m.OnDestroy = before.OnDestroy
		}
	}
	if before == nil || rec.Shown != nil || !m.isKnown() || m.Value.IsNull() || before.Value.IsNull() {
		return
	}
	// This resource has set nothing. If only the spelling differs from the imported one, there is nothing to change.
	adopted := *m
	adopted.Value = before.Value
	if !adopted.sends(*before) && fonestorm.SameDestination(m.destination().Normalized(), before.destination().Normalized()) {
		*m = adopted
	}
}

// describe describes the delivery by its type. The destination itself can come from a sensitive variable.
func (m deliveryModel) describe() string {
	switch {
	case m.Type.IsUnknown():
		return "a delivery whose type is known only after apply"
	case m.isOff():
		return "type \"None\", which deletes messages upon receipt"
	default:
		return fmt.Sprintf("the configured delivery of type %q", m.Type.ValueString())
	}
}

// isOff reports whether messages are deleted.
func (m deliveryModel) isOff() bool { return m.Type.ValueString() == string(fonestorm.None) }

func (m deliveryModel) password() *string {
	if !m.URLPasswordWO.IsNull() {
		return m.URLPasswordWO.ValueStringPointer()
	}
	return m.URLPassword.ValueStringPointer()
}

func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
