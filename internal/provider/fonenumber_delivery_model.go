package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// deliveryModel is a fractel_fonenumber_delivery in a configuration, a plan, or the state.
//
// Its fields have no tags for the framework's reflection, which compiles a regular expression for each field of each struct that
// it reads or writes. That took a tenth of the provider's time.
type deliveryModel struct {
	FoneNumber           types.String
	Type                 types.String
	Value                types.String
	URLMethod            types.String
	URLUsername          types.String
	URLPassword          types.String
	URLPasswordWO        types.String // Null except in the configuration.
	URLPasswordWOVersion types.Number
	OnDestroy            types.String // Null in a state that a refresh marked, see ownership.
}

// strings returns the fields that are strings, by the name of the attribute.
func (m *deliveryModel) strings() map[string]*types.String {
	return map[string]*types.String{
		"fonenumber": &m.FoneNumber, "type": &m.Type, "value": &m.Value, "url_method": &m.URLMethod, "url_username": &m.URLUsername,
		"url_password": &m.URLPassword, "url_password_wo": &m.URLPasswordWO, "on_destroy": &m.OnDestroy,
	}
}

const attributeWOVersion = "url_password_wo_version"

// readable is a configuration, plan or state.
type readable interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// read sets the model to a configuration, a plan, or the state.
func (m *deliveryModel) read(ctx context.Context, from readable) diag.Diagnostics {
	var object types.Object
	diags := from.Get(ctx, &object)
	attributes := object.Attributes()
	for name, field := range m.strings() {
		*field, _ = attributes[name].(types.String)
	}
	m.URLPasswordWOVersion, _ = attributes[attributeWOVersion].(types.Number)
	return diags
}

// writable is a plan or state.
type writable interface {
	Set(ctx context.Context, value any) diag.Diagnostics
}

// write sets a plan or the state to the model.
func (m deliveryModel) write(ctx context.Context, to writable) diag.Diagnostics {
	fields := m.strings()
	attributes := make(map[string]attr.Value, len(fields)+1)
	attributeTypes := make(map[string]attr.Type, len(fields)+1)
	for name, field := range fields {
		attributes[name], attributeTypes[name] = *field, types.StringType
	}
	attributes[attributeWOVersion], attributeTypes[attributeWOVersion] = m.URLPasswordWOVersion, types.NumberType
	object, diags := types.ObjectValue(attributeTypes, attributes)
	diags.Append(to.Set(ctx, object)...)
	return diags
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

func (m deliveryModel) identity() deliveryIdentity {
	return deliveryIdentity{FoneNumber: m.FoneNumber}
}

// destination returns the destination, without credentials.
func (m deliveryModel) destination() fonestorm.Delivery {
	d := fonestorm.Delivery{Type: fonestorm.DeliveryType(m.Type.ValueString()), Value: m.Value.ValueString()}
	if d.Type == fonestorm.None {
		d.Value = ""
	}
	return d
}

// delivery returns the delivery to send. The prior state is nil for a create.
//
// FoneStorm never returns credentials, keeps the ones that a request omits, and would send them to the next callback URL. So
// credentials that are not configured are sent as empty ones wherever FoneStorm may have earlier ones. That is the case if
// the state has credentials, and for every callback URL unless FoneStorm returned no callback URL for the FoneNumber, not
// even a stale one.
func (m deliveryModel) delivery(before *deliveryModel, noCallback bool) fonestorm.Delivery {
	if before == nil {
		before = &deliveryModel{}
	}
	d := m.destination()
	d.URLUsername, d.URLPassword = m.URLUsername.ValueStringPointer(), m.password()
	empty, unknown := "", d.Type == fonestorm.URL && !noCallback
	if d.URLUsername == nil && (unknown || !before.URLUsername.IsNull()) {
		d.URLUsername = &empty
	}
	if d.URLPassword == nil && (unknown || before.hasPassword()) {
		d.URLPassword = &empty
	}
	return d
}

// off returns the delivery that a destroy sets: type None, which also removes the credentials in the state.
func (m deliveryModel) off() fonestorm.Delivery {
	none := deliveryModel{Type: types.StringValue(string(fonestorm.None))}
	return none.delivery(&m, true)
}

// afterFailure returns the state after setting d failed. FoneStorm never returns credentials. So if it may have accepted new
// ones, the state gets empty ones, which no configuration has, and the next plan sets the configured ones again.
func (m deliveryModel) afterFailure(d fonestorm.Delivery, err error) deliveryModel {
	if d.URLUsername == nil && d.URLPassword == nil || !fonestorm.MayHaveTakenEffect(err) {
		return m
	}
	m.URLUsername, m.URLPassword = types.StringValue(""), types.StringValue("")
	m.URLPasswordWOVersion = types.NumberNull()
	return m
}

// hasUnknown reports whether the destination is known only after apply.
func (m deliveryModel) hasUnknown() bool { return m.Type.IsUnknown() || m.Value.IsUnknown() }

// sameDestination reports whether two models have the same destination, in any spelling. Unknown destinations are never the
// same.
func (m deliveryModel) sameDestination(other deliveryModel) bool {
	return !m.hasUnknown() && !other.hasUnknown() && !other.Type.IsNull() &&
		fonestorm.SameDestination(m.destination(), other.destination())
}

// sameCredentials reports whether two models have the same callback credentials, as far as Terraform can compare them.
func (m deliveryModel) sameCredentials(other deliveryModel) bool {
	return m.URLUsername.Equal(other.URLUsername) && m.URLPassword.Equal(other.URLPassword) &&
		m.URLPasswordWOVersion.Equal(other.URLPasswordWOVersion)
}

// contradicts reports whether two configurations of one FoneNumber differ. It does not compare unknown values.
func (m deliveryModel) contradicts(other deliveryModel) bool {
	differ := func(a, b types.String) bool { return !a.IsUnknown() && !b.IsUnknown() && !a.Equal(b) }
	return !m.hasUnknown() && !other.hasUnknown() && !m.sameDestination(other) ||
		differ(m.URLUsername, other.URLUsername) || differ(m.URLPassword, other.URLPassword) || differ(m.OnDestroy, other.OnDestroy)
}

// sends reports whether an update from a state to m sends a request. If a refresh has removed on_destroy from the state, the
// delivery must be set again.
func (m deliveryModel) sends(state deliveryModel) bool {
	newMethod := m.Type.ValueString() == string(fonestorm.URL) && !m.URLMethod.Equal(state.URLMethod)
	return state.OnDestroy.IsNull() || newMethod || !m.sameDestination(state) || !m.sameCredentials(state)
}

// plan completes the framework's plan: only values that depend on unknown values stay unknown. The prior state is nil for a
// create.
func (m *deliveryModel) plan(config deliveryModel, before *deliveryModel, rec record) {
	if config.OnDestroy.IsNull() {
		m.OnDestroy = types.StringValue(rec.defaultOnDestroy())
	}
	if before != nil {
		if m.sameDestination(*before) && !m.Value.IsNull() && !before.Value.IsNull() {
			m.Value = before.Value // Only the spelling differs.
		}
		if config.URLMethod.IsNull() {
			m.URLMethod = before.URLMethod
		}
		if !m.sends(*before) {
			return
		}
	}
	switch {
	case !config.URLMethod.IsNull():
	case m.Type.IsUnknown():
		m.URLMethod = types.StringUnknown()
	case m.Type.ValueString() == string(fonestorm.URL):
		m.URLMethod = types.StringValue(fonestorm.URLMethodPOST)
	default:
		m.URLMethod = types.StringNull()
	}
}

// withPassword returns a plan with the write-only password, which only the configuration contains.
func (m deliveryModel) withPassword(config deliveryModel) deliveryModel {
	m.URLPasswordWO = config.URLPasswordWO
	return m
}

func (m deliveryModel) deletesMessages() bool {
	return m.Type.ValueString() == string(fonestorm.None)
}

// describe describes the delivery by its type. The destination itself can come from a sensitive variable.
func (m deliveryModel) describe() string {
	switch {
	case m.Type.IsUnknown():
		return "a delivery whose type is known only after apply"
	case m.deletesMessages():
		return "type \"None\", which deletes messages upon receipt"
	default:
		return fmt.Sprintf("the configured delivery of type %q", m.Type.ValueString())
	}
}

func (m deliveryModel) password() *string {
	if !m.URLPasswordWO.IsNull() {
		return m.URLPasswordWO.ValueStringPointer()
	}
	return m.URLPassword.ValueStringPointer()
}

// hasPassword reports whether a state has a password, stored or write-only.
func (m deliveryModel) hasPassword() bool {
	return !m.URLPassword.IsNull() || !m.URLPasswordWOVersion.IsNull()
}

// refresh updates the model with what FoneStorm returned. The same destination keeps its spelling. Credentials stay as they
// are, because FoneStorm never returns them.
func (m *deliveryModel) refresh(f fonestorm.FoneNumber, rec *record) {
	m.FoneNumber = types.StringValue(f.Number)
	rec.NoCallback = f.CallbackURL == ""
	if f.Delivery == nil {
		return
	}
	same := !m.Type.IsNull() && fonestorm.SameDestination(m.destination(), *f.Delivery)
	if !same {
		found := f.Delivery.Normalized()
		m.Type, m.Value = types.StringValue(string(found.Type)), stringOrNull(found.Value)
	}
	m.URLMethod = refreshedMethod(m.URLMethod, *f.Delivery, same, rec)
}

// refreshedMethod returns the method for the state. The provider sets only POST, but FoneStorm may return another method
// afterward. As long as it returns that method, the state keeps POST, so that the next plan is empty.
func refreshedMethod(state types.String, found fonestorm.Delivery, same bool, rec *record) types.String {
	switch {
	case found.Type != fonestorm.URL && same:
		return state
	case found.Type != fonestorm.URL:
		return types.StringNull()
	case !same || state.IsNull() || len(rec.Set) == 0:
		return stringOrNull(found.URLMethod)
	case rec.URLMethod == "": // FoneStorm's method was not known yet.
		rec.URLMethod = found.URLMethod
	case found.URLMethod != "" && found.URLMethod != rec.URLMethod:
		return types.StringValue(found.URLMethod)
	}
	return state
}

func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
