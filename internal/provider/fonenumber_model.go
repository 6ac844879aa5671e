package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// foneNumberModel is a FoneNumber as data sources show it.
type foneNumberModel struct {
	FoneNumber       types.String `tfsdk:"fonenumber"`
	Label            types.String `tfsdk:"label"`
	Group            types.String `tfsdk:"group"`
	Active           types.Bool   `tfsdk:"active"`
	MessagingEnabled types.Bool   `tfsdk:"messaging_enabled"`
	Type             types.String `tfsdk:"type"`
	Value            types.String `tfsdk:"value"`
	URLMethod        types.String `tfsdk:"url_method"`
}

func newFoneNumberModel(f fonestorm.FoneNumber) foneNumberModel {
	found := fonestorm.Delivery{}
	if f.Delivery != nil {
		found = *f.Delivery
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
	}
}

// activeValue is null where FoneStorm says something that is not documented.
func activeValue(status fonestorm.Status) types.Bool {
	if status == fonestorm.StatusUnknown {
		return types.BoolNull()
	}
	return types.BoolValue(status.MayBeActive())
}

// What the attributes of a FoneNumber mean.
const (
	aboutLabel            = "Label of the FoneNumber. Null when it has none."
	aboutGroup            = "Group of the FoneNumber. Null when it is in none."
	aboutActive           = "Whether the FoneNumber is active: no cancellation is pending or completed. Null when FoneStorm shows a status that is not documented."
	aboutMessagingEnabled = "Whether messaging is enabled for the FoneNumber."
	aboutType             = "Where messages go: `Device`, `Email`, `URL`, `Forward` or `None`."
	aboutValue            = "Destination of that type. Null for `None`."
	aboutURLMethod        = "HTTP method with which FoneStorm calls the callback URL. Null for other types."
)

// foneNumberFilter selects among the FoneNumbers of an account. What is null selects all.
type foneNumberFilter struct {
	Type     types.String `tfsdk:"type"`
	Label    types.String `tfsdk:"label"`
	Group    types.String `tfsdk:"group"`
	AreaCode types.String `tfsdk:"area_code"`
}

// What the attributes of a filter mean.
const (
	aboutTypeFilter     = "Only FoneNumbers that deliver in this way: `Device`, `Email`, `URL`, `Forward` or `None`."
	aboutLabelFilter    = "Only FoneNumbers with exactly this label."
	aboutGroupFilter    = "Only FoneNumbers in exactly this group."
	aboutAreaCodeFilter = "Only FoneNumbers with this area code, three digits."
)

func (s foneNumberFilter) selects(f fonestorm.FoneNumber) bool {
	kind := fonestorm.DeliveryType("")
	if f.Delivery != nil {
		kind = f.Delivery.Type
	}
	return matches(s.Type, string(kind)) && matches(s.Label, f.Label) && matches(s.Group, f.Group) &&
		matches(s.AreaCode, f.Number[:min(len(f.Number), 3)])
}
