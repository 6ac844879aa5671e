package provider

import (
	"cmp"
	"context"

	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

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
	diags := l.requireClient()
	filter, events := l.filter(ctx, req.Config, &diags)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	options := make([]fonestorm.MessageOption, len(events))
	for i, event := range events {
		options[i] = optionOf[event]
	}
	all, err := l.client.ListFoneNumbers(ctx, options...)
	if err != nil {
		stream.Results = list.ListResultsStreamDiagnostics(diag.Diagnostics{apiDiagnostic(err, "")})
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		sent := int64(0)
		for i := range len(all) * len(events) {
			f, event := all[i/len(events)], events[i%len(events)]
			if sent == req.Limit || ctx.Err() != nil {
				return
			}
			if !filter.selects(f, event) {
				continue
			}
			result := l.result(ctx, req, f, event)
			if !push(result) {
				return
			}
			if result.Identity != nil {
				sent++
			}
		}
	}
}

// filter returns the filter of a list, and the events of the notifications to list; the event "" stands for the delivery.
func (l *settingList) filter(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (_ foneNumberFilter, events []string) {
	var filter struct {
		foneNumberFilter
		Event types.String `tfsdk:"event"`
	}
	if !l.hasEvent {
		diags.Append(config.Get(ctx, &filter.foneNumberFilter)...)
		return filter.foneNumberFilter, []string{""}
	}
	diags.Append(config.Get(ctx, &filter)...)
	if filter.Event.IsNull() {
		return filter.foneNumberFilter, []string{eventReceive, eventSend}
	}
	return filter.foneNumberFilter, []string{filter.Event.ValueString()}
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
