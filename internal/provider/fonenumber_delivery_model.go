package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// deliveryModel is a fractel_fonenumber_delivery, as configured, planned or in the state.
//
// Its fields have no tags for the framework's reflection, which compiles a regular expression for each field of each struct that it
// reads or writes: that was a tenth of the provider's time.
type deliveryModel struct {
	FoneNumber           types.String
	Type                 types.String
	Value                types.String
	URLMethod            types.String
	URLUsername          types.String
	URLPassword          types.String
	URLPasswordWO        types.String // Null except in the configuration.
	URLPasswordWOVersion types.Int64
	OnDestroy            types.String // Null in a state that a refresh has marked, see ownership.
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

func (m *deliveryModel) read(ctx context.Context, from readable) diag.Diagnostics {
	var object types.Object
	diags := from.Get(ctx, &object)
	attributes := object.Attributes()
	for name, field := range m.strings() {
		*field, _ = attributes[name].(types.String)
	}
	m.URLPasswordWOVersion, _ = attributes[attributeWOVersion].(types.Int64)
	return diags
}

// writable is a plan or state.
type writable interface {
	Set(ctx context.Context, value any) diag.Diagnostics
}

func (m deliveryModel) write(ctx context.Context, to writable) diag.Diagnostics {
	fields := m.strings()
	attributes := make(map[string]attr.Value, len(fields)+1)
	attributeTypes := make(map[string]attr.Type, len(fields)+1)
	for name, field := range fields {
		attributes[name], attributeTypes[name] = *field, types.StringType
	}
	attributes[attributeWOVersion], attributeTypes[attributeWOVersion] = m.URLPasswordWOVersion, types.Int64Type
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

// destination returns where messages go, without credentials.
func (m deliveryModel) destination() fonestorm.Delivery {
	d := fonestorm.Delivery{Type: fonestorm.DeliveryType(m.Type.ValueString()), Value: m.Value.ValueString()}
	if d.Type == fonestorm.None {
		d.Value = ""
	}
	return d
}

// delivery returns what to set. The state before is nil for a create.
//
// FoneStorm never shows credentials, keeps those that a setting does not mention, and would send them to whatever callback
// URL is set next. So credentials that the configuration does not have are set to empty ones where there can be earlier
// ones: always if the state has some, and for every callback URL unless FoneStorm is known to show no callback URL for the
// FoneNumber, not even a stale one.
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

// off returns the delivery that a destroy sets: type None, without the credentials that the state has.
func (m deliveryModel) off() fonestorm.Delivery {
	none := deliveryModel{Type: types.StringValue(string(fonestorm.None))}
	return none.delivery(&m, true)
}

// afterFailure returns the state when setting d has failed. FoneStorm never shows which credentials it has, so where it may
// have accepted new ones, the state gets empty ones, which no configuration has: the next plan sets them again.
func (m deliveryModel) afterFailure(d fonestorm.Delivery, err error) deliveryModel {
	if d.URLUsername == nil && d.URLPassword == nil || !fonestorm.MayHaveTakenEffect(err) {
		return m
	}
	m.URLUsername, m.URLPassword = types.StringValue(""), types.StringValue("")
	m.URLPasswordWOVersion = types.Int64Null()
	return m
}

// hasUnknown reports whether the destination is known only after apply.
func (m deliveryModel) hasUnknown() bool { return m.Type.IsUnknown() || m.Value.IsUnknown() }

// sameDestination reports whether two models deliver to the same destination, however it is spelled. What is not known yet
// is taken for different.
func (m deliveryModel) sameDestination(other deliveryModel) bool {
	return !m.hasUnknown() && !other.hasUnknown() && !other.Type.IsNull() &&
		fonestorm.SameDestination(m.destination(), other.destination())
}

// sameCredentials reports whether two models have the same callback credentials, as far as Terraform can compare them.
func (m deliveryModel) sameCredentials(other deliveryModel) bool {
	return m.URLUsername.Equal(other.URLUsername) && m.URLPassword.Equal(other.URLPassword) &&
		m.URLPasswordWOVersion.Equal(other.URLPasswordWOVersion)
}

// contradicts reports whether two configurations want different things of one FoneNumber. What is not known yet is not
// compared.
func (m deliveryModel) contradicts(other deliveryModel) bool {
	differ := func(a, b types.String) bool { return !a.IsUnknown() && !b.IsUnknown() && !a.Equal(b) }
	return !m.hasUnknown() && !other.hasUnknown() && !m.sameDestination(other) ||
		differ(m.URLUsername, other.URLUsername) || differ(m.URLPassword, other.URLPassword) || differ(m.OnDestroy, other.OnDestroy)
}

// sends reports whether an update from a state to m sends a setting to FoneStorm. A state whose on_destroy a refresh has taken
// out is one that must be set again.
func (m deliveryModel) sends(state deliveryModel) bool {
	newMethod := m.Type.ValueString() == string(fonestorm.URL) && !m.URLMethod.Equal(state.URLMethod)
	return state.OnDestroy.IsNull() || newMethod || !m.sameDestination(state) || !m.sameCredentials(state)
}

// plan completes what the framework has planned: everything is known that does not depend on unknown values. The state
// before is nil for a create.
func (m *deliveryModel) plan(config deliveryModel, before *deliveryModel, rec record) {
	if config.OnDestroy.IsNull() {
		m.OnDestroy = types.StringValue(rec.defaultOnDestroy())
	}
	if before != nil {
		if m.sameDestination(*before) && !m.Value.IsNull() && !before.Value.IsNull() {
			m.Value = before.Value // The same in another spelling.
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

// withPassword returns a plan with the write-only password, which only the configuration has.
func (m deliveryModel) withPassword(config deliveryModel) deliveryModel {
	m.URLPasswordWO = config.URLPasswordWO
	return m
}

func (m deliveryModel) deletesMessages() bool {
	return m.Type.ValueString() == string(fonestorm.None)
}

// describe names the type of the destination. The destination itself may come from a sensitive variable.
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

// hasPassword reports whether a state stands for a password, whether it contains it or not.
func (m deliveryModel) hasPassword() bool {
	return !m.URLPassword.IsNull() || !m.URLPasswordWOVersion.IsNull()
}

// refresh takes over what FoneStorm shows. Destinations keep their spelling. Credentials stay as they are: FoneStorm never
// returns them.
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

// refreshedMethod returns the method for the state. Only POST is ever set, but FoneStorm may show another one afterwards:
// as long as it shows that one, the state keeps POST, so that the next plan is empty.
func refreshedMethod(state types.String, found fonestorm.Delivery, same bool, rec *record) types.String {
	switch {
	case found.Type != fonestorm.URL && same:
		return state
	case found.Type != fonestorm.URL:
		return types.StringNull()
	case !same || state.IsNull() || len(rec.Set) == 0:
		return stringOrNull(found.URLMethod)
	case rec.URLMethod == "": // What it shows was not known yet.
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
