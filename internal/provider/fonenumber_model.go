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
		Active:           types.BoolValue(f.Status == fonestorm.Active || f.Status == ""),
		MessagingEnabled: types.BoolValue(!f.MessagingDisabled),
		Type:             stringOrNull(string(found.Type)),
		Value:            stringOrNull(found.Value),
		URLMethod:        stringOrNull(found.URLMethod),
	}
}

// What the attributes of a FoneNumber mean.
const (
	aboutLabel            = "What the account calls it."
	aboutGroup            = "The group it is in."
	aboutActive           = "Whether it is active: no cancellation is pending or done."
	aboutMessagingEnabled = "Whether it receives messages at all."
	aboutType             = "Where its messages go: `Device`, `Email`, `URL`, `Forward` or `None`. Null when none was ever set."
	aboutValue            = "The destination of that type. Null for `None`."
	aboutURLMethod        = "How the callback URL is called. Null for other types."
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
	matches := func(want types.String, got string) bool { return want.IsNull() || want.ValueString() == got }
	kind := fonestorm.DeliveryType("")
	if f.Delivery != nil {
		kind = f.Delivery.Type
	}
	return matches(s.Type, string(kind)) && matches(s.Label, f.Label) && matches(s.Group, f.Group) &&
		matches(s.AreaCode, f.Number[:min(len(f.Number), 3)])
}
