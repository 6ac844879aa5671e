package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// newFoneNumberDataSource returns the data source of one FoneNumber.
func newFoneNumberDataSource() datasource.DataSource {
	attributes := foneNumberAttributes()
	attributes["fonenumber"] = schema.StringAttribute{
		MarkdownDescription: "FoneNumber to read, exactly ten digits. The account must contain it.",
		Required:            true,
		Validators:          []validator.String{foneNumberRule},
	}
	return &dataSource[foneNumberModel]{
		name:       "fonenumber",
		about:      "Reads one FoneNumber of the account, its delivery, and its notifications.",
		attributes: attributes,
		read: func(ctx context.Context, client *fonestorm.Client, m *foneNumberModel) diag.Diagnostics {
			f, err := client.GetFoneNumber(ctx, m.FoneNumber.ValueString(), fonestorm.ReceiveNotify, fonestorm.SendNotify)
			if err != nil {
				return diag.Diagnostics{apiDiagnostic(err, m.FoneNumber.ValueString())}
			}
			*m = newFoneNumberModel(f)
			return nil
		},
	}
}

// foneNumbersModel is the model of fractel_fonenumbers.
type foneNumbersModel struct {
	foneNumberFilter
	FoneNumbers map[string]foneNumberModel `tfsdk:"fonenumbers"`
}

// newFoneNumbersDataSource returns the data source of the active FoneNumbers of the account, optionally filtered.
func newFoneNumbersDataSource() datasource.DataSource {
	attributes := filterAttributes(aboutTypeFilter, deliveryTypeRule)
	attributes["fonenumbers"] = schema.MapNestedAttribute{
		MarkdownDescription: "Map of the FoneNumbers by their ten digits.",
		Computed:            true,
		NestedObject:        schema.NestedAttributeObject{Attributes: foneNumberAttributes()},
	}
	return &dataSource[foneNumbersModel]{
		name: "fonenumbers",
		about: "Reads the active FoneNumbers of the account, optionally filtered, with their deliveries and notifications. Sends one request, " +
			"and one for each FoneNumber that FoneStorm lists without its delivery.",
		attributes: attributes,
		read: func(ctx context.Context, client *fonestorm.Client, m *foneNumbersModel) diag.Diagnostics {
			list, err := client.ListFoneNumbers(ctx)
			if err != nil {
				return diag.Diagnostics{apiDiagnostic(err, "")}
			}
			m.FoneNumbers = map[string]foneNumberModel{}
			for _, f := range list {
				if m.selects(f, "") {
					m.FoneNumbers[f.Number] = newFoneNumberModel(f)
				}
			}
			return nil
		},
	}
}

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

// foneNumberAttributes returns the attributes of a FoneNumber, all computed.
func foneNumberAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fonenumber": computed("FoneNumber, ten digits."),
		"label":      computed("Label of the FoneNumber. Null if it has none."),
		"group":      computed("Group of the FoneNumber. Null if it has none."),
		"active": schema.BoolAttribute{
			MarkdownDescription: "Whether the FoneNumber is active, that is, its cancellation is neither pending nor completed. " +
				"Null if FoneStorm returns an undocumented status.",
			Computed: true,
		},
		"messaging_enabled": schema.BoolAttribute{
			MarkdownDescription: "Whether messaging is enabled for the FoneNumber.",
			Computed:            true,
		},
		"type":       computed("Type of the destination: `Device`, `Email`, `URL`, `Forward`, or `None`."),
		"value":      computed("Destination of the messages. Does not include credentials in a URL. Null if `type` is `None`."),
		"url_method": computed("HTTP method with which FoneStorm calls the callback URL. Null unless `type` is `URL`."),
		"receive_notify": notifyAttribute("Notification about each received message, in addition to the delivery. It does not deliver the message: " +
			"if the delivery has type `None`, messages are deleted even if a notification is set."),
		"send_notify": notifyAttribute("Notification about each sent message."),
	}
}

func notifyAttribute(about string) schema.Attribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: about,
		Computed:            true,
		Attributes: map[string]schema.Attribute{
			"type":   computed("Type of the notification: `None`, `Callback`, or `Email`. Null if FoneStorm does not return it."),
			"url":    computed("URL that FoneStorm calls. Does not include credentials. Null unless `type` is `Callback`."),
			"email":  computed("E-mail address that FoneStorm notifies. Null unless `type` is `Email`."),
			"method": computed("HTTP method with which FoneStorm calls the URL. Null unless `type` is `Callback`."),
		},
	}
}

// newFoneNumberModel spells the destination as it can be configured, but without credentials.
func newFoneNumberModel(f fonestorm.FoneNumber) foneNumberModel {
	found := f.Options[fonestorm.Receive].Normalized()
	m := foneNumberModel{
		FoneNumber:       types.StringValue(f.Number),
		Label:            stringOrNull(f.Label),
		Group:            stringOrNull(f.Group),
		MessagingEnabled: types.BoolValue(!f.MessagingDisabled),
		Type:             stringOrNull(string(found.Type)),
		Value:            stringOrNull(fonestorm.WithoutCredentials(found.Value)),
		URLMethod:        stringOrNull(found.URLMethod),
		ReceiveNotify:    newNotifyModel(f.Options[fonestorm.ReceiveNotify]),
		SendNotify:       newNotifyModel(f.Options[fonestorm.SendNotify]),
	}
	if f.Status != fonestorm.StatusUnknown {
		m.Active = types.BoolValue(f.Status.MayBeActive())
	}
	return m
}

// newNotifyModel returns a model without any attribute if FoneStorm did not return the notification.
func newNotifyModel(n fonestorm.Delivery) *notifyModel {
	if n.Type == "" {
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

// foneNumberFilter selects FoneNumbers of an account. A null attribute selects all.
type foneNumberFilter struct {
	Type     types.String `tfsdk:"type"`
	Label    types.String `tfsdk:"label"`
	Group    types.String `tfsdk:"group"`
	AreaCode types.String `tfsdk:"area_code"`
}

const aboutTypeFilter = "Return only FoneNumbers with this type of delivery: `Device`, `Email`, `URL`, `Forward`, or `None`."

// filterAttributes returns the attributes of a filter by a type that has this description and rule.
func filterAttributes(aboutType string, typeRule validator.String) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"type":      optional(aboutType, typeRule),
		"label":     optional("Return only FoneNumbers with exactly this label."),
		"group":     optional("Return only FoneNumbers in exactly this group."),
		"area_code": optional("Return only FoneNumbers with this area code, three digits.", areaCodeRule),
	}
}

// selects reports whether the filter selects a notification of a FoneNumber, by its event, or its delivery without one.
// Notifications that are not set are selected only by their type.
func (s foneNumberFilter) selects(f fonestorm.FoneNumber, event string) bool {
	kind := f.Options[optionOf[event]].Type
	isUnset := event != "" && kind == fonestorm.None && s.Type.IsNull()
	return !isUnset && matches(s.Type, string(kind)) && matches(s.Label, f.Label) && matches(s.Group, f.Group) &&
		matches(s.AreaCode, f.Number[:min(len(f.Number), 3)])
}
