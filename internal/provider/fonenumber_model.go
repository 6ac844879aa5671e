package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// foneNumberModel is a FoneNumber in a data source.
type foneNumberModel struct {
	FoneNumber       types.String `tfsdk:"fonenumber"`
	Label            types.String `tfsdk:"label"`
	Group            types.String `tfsdk:"group"`
	Active           types.Bool   `tfsdk:"active"`
	MessagingEnabled types.Bool   `tfsdk:"messaging_enabled"`
	Type             types.String `tfsdk:"type"`
	Value            types.String `tfsdk:"value"`
	URLMethod        types.String `tfsdk:"url_method"`
	ReceiveNotify    *notifyModel `tfsdk:"receive_notify"`
	SendNotify       *notifyModel `tfsdk:"send_notify"`
}

// notifyModel is a notification in a data source.
type notifyModel struct {
	Type   types.String `tfsdk:"type"`
	URL    types.String `tfsdk:"url"`
	Email  types.String `tfsdk:"email"`
	Method types.String `tfsdk:"method"`
}

// newFoneNumberModel spells the destination as it can be configured.
func newFoneNumberModel(f fonestorm.FoneNumber) foneNumberModel {
	found := fonestorm.Delivery{}
	if f.Delivery != nil {
		found = f.Delivery.Normalized()
	}
	if found.Type == fonestorm.URL {
		found.Value = fonestorm.WithoutCredentials(found.Value)
	}
	return foneNumberModel{
		FoneNumber:       types.StringValue(f.Number),
		Label:            stringOrNull(f.Label),
		Group:            stringOrNull(f.Group),
		Active:           activeValue(f.Status),
		MessagingEnabled: types.BoolValue(!f.MessagingDisabled),
		Type:             stringOrNull(string(found.Type)),
		Value:            stringOrNull(found.Value),
		URLMethod:        stringOrNull(found.URLMethod),
		ReceiveNotify:    newNotifyModel(f.ReceiveNotify),
		SendNotify:       newNotifyModel(f.SendNotify),
	}
}

// newNotifyModel returns a model without any attribute if FoneStorm did not return the notification.
func newNotifyModel(n *fonestorm.Delivery) *notifyModel {
	if n == nil {
		return &notifyModel{}
	}
	m := &notifyModel{Type: stringOrNull(string(n.Type)), Method: stringOrNull(n.URLMethod)}
	value := stringOrNull(fonestorm.WithoutCredentials(n.Normalized().Value))
	if n.Type == fonestorm.Email {
		m.Email = value
	} else {
		m.URL = value
	}
	return m
}

// activeValue returns null for a status that is not documented.
func activeValue(status fonestorm.Status) types.Bool {
	if status == fonestorm.StatusUnknown {
		return types.BoolNull()
	}
	return types.BoolValue(status.MayBeActive())
}

// Descriptions of the attributes of a FoneNumber.
const (
	aboutLabel            = "Label of the FoneNumber. Null if it has none."
	aboutGroup            = "Group of the FoneNumber. Null if it has none."
	aboutActive           = "Whether the FoneNumber is active, that is, its cancellation is neither pending nor completed. Null if FoneStorm returns an undocumented status."
	aboutMessagingEnabled = "Whether messaging is enabled for the FoneNumber."
	aboutType             = "Type of the destination: `Device`, `Email`, `URL`, `Forward`, or `None`."
	aboutValue            = "Destination of the messages. Does not include credentials in a URL. Null if `type` is `None`."
	aboutURLMethod        = "HTTP method with which FoneStorm calls the callback URL. Null unless `type` is `URL`."
	aboutReceiveNotify    = "Notification about each received message, in addition to the delivery. It does not deliver the message: if the delivery has type `None`, messages are deleted even if a notification is set."
	aboutSendNotify       = "Notification about each sent message."
	aboutNotifyType       = "Type of the notification: `None`, `Callback`, or `Email`. Null if FoneStorm does not return it."
	aboutNotifyURL        = "URL that FoneStorm calls. Does not include credentials. Null unless `type` is `Callback`."
	aboutNotifyEmail      = "E-mail address that FoneStorm notifies. Null unless `type` is `Email`."
	aboutNotifyMethod     = "HTTP method with which FoneStorm calls the URL. Null unless `type` is `Callback`."
)

// foneNumberFilter selects FoneNumbers of an account. A null attribute selects all.
type foneNumberFilter struct {
	Type     types.String `tfsdk:"type"`
	Label    types.String `tfsdk:"label"`
	Group    types.String `tfsdk:"group"`
	AreaCode types.String `tfsdk:"area_code"`
}

// Descriptions of the attributes of a filter.
const (
	aboutTypeFilter     = "Return only FoneNumbers with this type of delivery: `Device`, `Email`, `URL`, `Forward`, or `None`."
	aboutLabelFilter    = "Return only FoneNumbers with exactly this label."
	aboutGroupFilter    = "Return only FoneNumbers in exactly this group."
	aboutAreaCodeFilter = "Return only FoneNumbers with this area code, three digits."
)

// selects reports whether the filter selects a notification of a FoneNumber, by its event, or its delivery without one.
// Notifications that are not set are selected only by their type.
func (s foneNumberFilter) selects(f fonestorm.FoneNumber, event string) bool {
	kind := f.Option(optionOf[event]).Type
	isUnset := event != "" && kind == fonestorm.None && s.Type.IsNull()
	return !isUnset && matches(s.Type, string(kind)) && matches(s.Label, f.Label) && matches(s.Group, f.Group) &&
		matches(s.AreaCode, f.Number[:min(len(f.Number), 3)])
}
