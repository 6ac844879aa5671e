package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// IdentitySchema returns the attributes that identify a setting: those of its ID.
func (r *settingResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema.Attributes = map[string]identityschema.Attribute{
		"fonenumber": identityschema.StringAttribute{Description: "FoneNumber, exactly ten digits.", RequiredForImport: true},
	}
	if r.hasEvent {
		resp.IdentitySchema.Attributes["event"] = identityschema.StringAttribute{Description: "\"receive\" or \"send\".", RequiredForImport: true}
	}
}

func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, m settingModel) diag.Diagnostics {
	diags := identity.SetAttribute(ctx, path.Root("fonenumber"), m.FoneNumber)
	if !m.isDelivery() {
		diags.Append(identity.SetAttribute(ctx, path.Root("event"), m.Event)...)
	}
	return diags
}

// ImportState stores the attributes that identify the setting, from its ID or, since Terraform 1.12, from its identity.
func (r *settingResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var m settingModel
	switch {
	case req.ID == "":
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("fonenumber"), &m.FoneNumber)...)
		if r.hasEvent {
			resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("event"), &m.Event)...)
		}
	case r.hasEvent:
		m = settingWithID(req.ID)
	default:
		m.FoneNumber = types.StringValue(req.ID)
	}
	if err := checkTenDigits("The FoneNumber to import", m.FoneNumber.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), "Invalid FoneNumber", err.Error())
	}
	if event := m.Event.ValueString(); r.hasEvent && event != eventReceive && event != eventSend {
		resp.Diagnostics.AddAttributeError(path.Root("event"), "Invalid Event",
			fmt.Sprintf("The event must be \"receive\" or \"send\", but %q was given. The ID of a notification is the FoneNumber, a slash, and the event, "+
				"such as \"3215551212/receive\".", event))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, r.attributes(m))...)
}

// settingList lists the deliveries or the notifications of the account for `terraform query`. It shares the resource's name and
// provider data.
type settingList struct {
	settingResource
	about   string
	filters map[string]datasource.Attribute // Those of notifications include an event.
}

var _ list.ListResourceWithConfigure = (*settingList)(nil)

func newDeliveryList() list.ListResource {
	return &settingList{
		deliverySettings,
		"Lists the deliveries of the active FoneNumbers of the account, optionally filtered. Sends one request, " +
			"and one for each FoneNumber that FoneStorm lists without its delivery.",
		filterAttributes(aboutTypeFilter, deliveryTypeRule),
	}
}

func newNotificationList() list.ListResource {
	filters := filterAttributes(
		"Return only notifications of this type: `Callback`, `Email`, or `None`. If omitted, notifications of type `None` are not returned.", notificationTypeRule)
	filters["event"] = optional("Return only notifications about this event: `receive` or `send`.", eventRule)
	return &settingList{
		notificationSettings,
		"Lists the notifications of the active FoneNumbers of the account, optionally filtered. Sends one request, " +
			"and one for each FoneNumber that FoneStorm lists without its notifications.",
		filters,
	}
}

func (l *settingList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: l.about, Attributes: map[string]schema.Attribute{}}
	for name, filter := range l.filters {
		resp.Schema.Attributes[name] = filter
	}
}

// List lists the settings that the filter selects: for each FoneNumber its delivery, or a notification for each event.
func (l *settingList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filter struct {
		foneNumberFilter
		Event types.String `tfsdk:"event"`
	}
	diags := l.requireClient()
	events, options := []string{""}, []fonestorm.MessageOption(nil) // A delivery has no event.
	if l.hasEvent {
		diags.Append(req.Config.Get(ctx, &filter)...)
		events, options = []string{eventReceive, eventSend}, []fonestorm.MessageOption{fonestorm.ReceiveNotify, fonestorm.SendNotify}
	} else {
		diags.Append(req.Config.Get(ctx, &filter.foneNumberFilter)...)
	}
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	all, err := l.client.ListFoneNumbers(ctx, options...)
	if err != nil {
		stream.Results = list.ListResultsStreamDiagnostics(diag.Diagnostics{apiDiagnostic(err)})
		return
	}
	var results []list.ListResult
	sent := int64(0)
	for _, f := range all {
		for _, event := range events {
			if sent == req.Limit || !matches(filter.Event, event) || !filter.selects(f, event) {
				continue
			}
			result := l.result(ctx, req, f, event)
			results = append(results, result)
			if result.Identity != nil {
				sent++
			}
		}
	}
	stream.Results = slices.Values(results)
}

// result returns the identity of a setting and, if requested, the resource that an import would create. For a
// destination that cannot be configured, it returns only a warning, which does not count toward the limit.
func (l *settingList) result(ctx context.Context, req list.ListRequest, f fonestorm.FoneNumber, event string) list.ListResult {
	m := settingModel{Event: stringOrNull(event), OnDestroy: types.StringValue(onDestroyKeep)}
	if why := notConfigurable(f, m.option(), "is omitted", ""); why != "" {
		var omitted diag.Diagnostics
		omitted.AddWarning(summaryNotConfigurable, why)
		return list.ListResult{Diagnostics: omitted}
	}
	m.FromAPI(f, record{})
	result := req.NewListResult(ctx)
	result.DisplayName = cmp.Or(f.Label, f.Number)
	if !m.isDelivery() {
		result.DisplayName += " (" + m.Event.ValueString() + ")"
	}
	result.Diagnostics.Append(setIdentity(ctx, result.Identity, m)...)
	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, l.attributes(m))...)
	}
	return result
}
