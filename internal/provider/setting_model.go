package provider

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// settingModel is a setting of a FoneNumber in a configuration, a plan, or the state: its delivery or one of its notifications.
// FromAPI and ToAPI convert between it and the client.
type settingModel struct {
	commonModel
	Event     types.String // Of a notification; null for a delivery.
	OnDestroy types.String // Of a delivery; null for a notification, which can always be turned off.
}

// commonModel contains the attributes that deliveries and notifications have in common.
type commonModel struct {
	FoneNumber           types.String `tfsdk:"fonenumber"`
	Type                 types.String `tfsdk:"type"`
	Value                types.String `tfsdk:"value"`
	URLMethod            types.String `tfsdk:"url_method"`
	URLUsername          types.String `tfsdk:"url_username"`
	URLPassword          types.String `tfsdk:"url_password"`
	URLPasswordWO        types.String `tfsdk:"url_password_wo"` // Null in plans and states; see loadPlan.
	URLPasswordWOVersion types.Int64  `tfsdk:"url_password_wo_version"`
}

// The values of on_destroy.
const (
	onDestroyDisable = "disable"
	onDestroyKeep    = "keep"
)

// The values of event.
const (
	eventReceive = "receive"
	eventSend    = "send"
)

// optionOf contains the message option of each event, and that of a delivery, which has no event.
var optionOf = map[string]fonestorm.MessageOption{
	"":           fonestorm.Receive,
	eventReceive: fonestorm.ReceiveNotify,
	eventSend:    fonestorm.SendNotify,
}

func (m settingModel) option() fonestorm.MessageOption { return optionOf[m.Event.ValueString()] }

// isDelivery reports whether the model is a delivery and not a notification.
func (m settingModel) isDelivery() bool { return m.Event.IsNull() }

// id identifies the setting in the account: "3215551212" is a delivery, and "3215551212/receive" a notification.
func (m settingModel) id() string {
	if m.isDelivery() {
		return m.FoneNumber.ValueString()
	}
	return m.FoneNumber.ValueString() + "/" + m.Event.ValueString()
}

// settingWithID returns a model of the setting with this ID, without its other attributes.
func settingWithID(id string) settingModel {
	number, event, _ := strings.Cut(id, "/")
	return settingModel{commonModel: commonModel{FoneNumber: types.StringValue(number)}, Event: stringOrNull(event)}
}

// hasID reports whether the ID is known before the apply.
func (m settingModel) hasID() bool { return !m.FoneNumber.IsUnknown() && !m.Event.IsUnknown() }

// destinationErrors returns errors unless type, value, and url_method belong together, as far as they are known.
func destinationErrors(m settingModel) (diags diag.Diagnostics) {
	kind := m.kind()
	if kind == fonestorm.Callback && !m.isDelivery() && m.URLMethod.IsNull() {
		diags.AddAttributeError(path.Root("url_method"), "Missing URL Method",
			"Type \"Callback\" requires url_method, the method with which FoneStorm calls the URL: \"GET\", \"POST\", or \"JSON\".")
	}
	switch {
	case m.Value.IsUnknown():
	case m.Value.IsNull() && kind != fonestorm.None:
		diags.AddAttributeError(path.Root("value"), "Missing Destination",
			"Type "+m.Type.String()+" requires value, the destination of the messages. Only type \"None\" has no destination.")
	case !m.Value.IsNull():
		if err := checkDestination(kind, m.Value.ValueString(), m.FoneNumber.ValueString()); err != nil {
			diags.AddAttributeError(path.Root("value"), "Invalid Destination", err.Error())
		}
	}
	return diags
}

// FromAPI updates the model with what FoneStorm shows. A destination that this resource applied keeps the spelling in which it
// was set. Credentials stay as they are, because FoneStorm never returns them.
func (m *settingModel) FromAPI(f fonestorm.FoneNumber, rec record) {
	m.FoneNumber = types.StringValue(f.Number)
	now := f.Options[m.option()]
	asSet, _ := rec.find(now)
	if asSet.Type != fonestorm.None || m.Type.ValueString() != string(fonestorm.None) { // None can be configured with the value "None".
		m.Value = stringOrNull(fonestorm.WithoutCredentials(asSet.Value)) // A URL that is configured has none.
	}
	m.Type = types.StringValue(string(asSet.Type))
	m.URLMethod = m.method(now, rec)
}

// method returns the method to store. FoneStorm may show none, or another one than was set. A FoneNumber can have a
// method that cannot be configured for a delivery, so that of a delivery stays null if it is.
func (m settingModel) method(now fonestorm.Delivery, rec record) types.String {
	set, asShown := rec.last()
	if m.isDelivery() {
		set.URLMethod = fonestorm.URLMethodPOST
	}
	switch {
	case m.isDelivery() && m.URLMethod.IsNull(), !m.isDelivery() && !now.Type.IsCallback():
		return m.URLMethod
	case set.Type.IsCallback() && (now.URLMethod == "" || asShown.URLMethod == "" || now.URLMethod == asShown.URLMethod):
		return types.StringValue(set.URLMethod)
	case now.URLMethod == "":
		return m.URLMethod
	default:
		return types.StringValue(now.URLMethod)
	}
}

// ToAPI returns the setting to send. now is what FoneStorm shows before the setting, the zero value if unknown. before is the object that is
// updated or replaced; the zero value if there is none.
//
// FoneStorm never returns credentials, keeps the ones that a request omits, and would send them to the next callback URL. So if none are
// configured, the request removes them if this resource set any, or if it sets another callback URL. Otherwise, it omits them.
func (m settingModel) ToAPI(now fonestorm.Delivery, before prior) fonestorm.Setting {
	s := fonestorm.Setting{Option: m.option(), Delivery: m.destination()}
	s.Last, s.LastShown = before.rec.last()

	isURL := s.Type.IsCallback()
	// The plan was made for what the state has. FoneStorm keeps the credentials of a destination that was turned off, and lists and
	// reads may show one in spellings that the record does not know.
	isUnknownOrOff := now.Type == "" || now.Type == fonestorm.None
	if inState := before.state.destination(); isUnknownOrOff || inState.Type.IsCallback() && fonestorm.MaySpell(now, inState) {
		now = inState
	}
	sameURL := fonestorm.SameDestination(now.Normalized(), s.Delivery)
	had := !before.state.URLUsername.IsNull() // Also after a failure that may have set some.
	s.MustRemoveCredentials = isURL && !sameURL && (had || before.rec.Unseen || now.Type.IsCallback())
	switch {
	case isURL && !m.URLUsername.IsNull():
		password := cmp.Or(m.URLPasswordWO.ValueString(), m.URLPassword.ValueString())
		s.Credentials = &fonestorm.Credentials{Username: m.URLUsername.ValueString(), Password: password}
	case had, isURL && !sameURL:
		s.Credentials = &fonestorm.Credentials{}
	}
	return s
}

// destination returns the destination, without credentials. A notification has a method, and a delivery is always set with POST.
func (m settingModel) destination() fonestorm.Delivery {
	d := fonestorm.Delivery{Type: fonestorm.DeliveryType(m.Type.ValueString()), Value: m.Value.ValueString()}
	if d.Type == fonestorm.None {
		d.Value = ""
	}
	if d.Type == fonestorm.Callback {
		d.URLMethod = m.URLMethod.ValueString()
	}
	return d
}

// planned returns the destination; the zero value if it is known only after apply.
func (m settingModel) planned() fonestorm.Delivery {
	if !m.isKnown() {
		return fonestorm.Delivery{}
	}
	return m.destination()
}

// afterFailure returns the state after a setting failed. FoneStorm never returns credentials. So if it may have accepted new
// ones, the state gets empty ones, which no configuration has, and the next plan sets the configured ones again.
func (m settingModel) afterFailure(s fonestorm.Setting, err error) settingModel {
	if s.Credentials == nil || s.Credentials.Username == "" || !fonestorm.MayHaveTakenEffect(err) {
		return m
	}
	m.URLUsername, m.URLPassword = types.StringValue(""), types.StringValue("")
	m.URLPasswordWOVersion = types.Int64Null()
	return m
}

// isKnown reports whether the destination is known before the apply.
func (m settingModel) isKnown() bool { return !m.Type.IsUnknown() && !m.Value.IsUnknown() }

// sends reports whether an update from a state to m sends a request. Terraform cannot compare url_password_wo, only its version.
func (m settingModel) sends(state settingModel) bool {
	newMethod := m.kind().IsCallback() && !m.URLMethod.IsNull() && !m.URLMethod.Equal(state.URLMethod)
	sameCredentials := m.URLUsername.Equal(state.URLUsername) && m.URLPassword.Equal(state.URLPassword) &&
		m.URLPasswordWOVersion.Equal(state.URLPasswordWOVersion)
	return newMethod || !sameCredentials || !m.isKnown() || m.destination() != state.destination()
}

// complete completes the framework's plan. The prior state is nil for a create. A plan depends on nothing else: Terraform plans
// again before it applies, and the result must be the same.
func (m *settingModel) complete(before *settingModel, rec record) {
	if m.isDelivery() && m.OnDestroy.IsNull() {
		m.OnDestroy = types.StringValue(onDestroyDisable)
		if before != nil {
			m.OnDestroy = before.OnDestroy
		}
	}
	if before == nil || rec.Shown != nil || !m.isKnown() || m.Value.IsNull() || before.Value.IsNull() {
		return
	}
	// This resource is not known to have set anything. If only the spelling differs from the imported one, there is nothing to change.
	adopted := *m
	adopted.Value = before.Value
	if !adopted.sends(*before) && fonestorm.SameDestination(m.destination().Normalized(), before.destination().Normalized()) {
		*m = adopted
	}
}

// describe describes the setting by its type. The destination itself can come from a sensitive variable.
func (m settingModel) describe() string {
	switch {
	case m.Type.IsUnknown():
		return fmt.Sprintf("a %s whose type is known only after apply", m.option())
	case m.kind() == fonestorm.None && m.isDelivery():
		return "type \"None\", which deletes messages upon receipt"
	default:
		return fmt.Sprintf("the configured %s of type %q", m.option(), m.Type.ValueString())
	}
}

func (m settingModel) kind() fonestorm.DeliveryType {
	return fonestorm.DeliveryType(m.Type.ValueString())
}

func stringOrNull(text string) types.String {
	if text == "" {
		return types.StringNull()
	}
	return types.StringValue(text)
}
