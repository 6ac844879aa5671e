package provider

import (
	"cmp"
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ list.ListResourceWithConfigure = (*deliveryList)(nil)
	_ list.ListResourceWithConfigure = (*notificationList)(nil)
)

// deliveryList lists the deliveries of the account for `terraform query`. It shares the resource's name and
// provider data.
type deliveryList struct{ settingResource }

func newDeliveryList() list.ListResource {
	return &deliveryList{newSettingResource("_fonenumber_delivery", deliveryAttributes{})}
}

func (l *deliveryList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the deliveries of the active FoneNumbers of the account, optionally filtered. Sends one request.",
		Attributes:          listAttributes(filterAttributes(aboutTypeFilter, deliveryTypeRule)),
	}
}

func (l *deliveryList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filter foneNumberFilter
	diags := req.Config.Get(ctx, &filter)
	l.list(ctx, req, stream, filter, diags, "")
}

// notificationList lists the notifications of the account for `terraform query`.
type notificationList struct{ settingResource }

func newNotificationList() list.ListResource {
	return &notificationList{newSettingResource("_fonenumber_notification", notificationAttributes{})}
}

func (l *notificationList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	attributes := filterAttributes(
		"Return only notifications of this type: `Callback`, `Email`, or `None`. If omitted, notifications of type `None` are not returned.", notificationTypeRule)
	attributes["event"] = optional("Return only notifications about this event: `receive` or `send`.", eventRule)
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the notifications of the active FoneNumbers of the account, optionally filtered. Sends one request.",
		Attributes:          listAttributes(attributes),
	}
}

func (l *notificationList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filter struct {
		foneNumberFilter
		Event types.String `tfsdk:"event"`
	}
	diags := req.Config.Get(ctx, &filter)
	events := []string{eventReceive, eventSend}
	if !filter.Event.IsNull() {
		events = []string{filter.Event.ValueString()}
	}
	l.list(ctx, req, stream, filter.foneNumberFilter, diags, events...)
}

// listAttributes returns the attributes of a data source for a list resource.
func listAttributes[A schema.Attribute](of map[string]A) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for name, attribute := range of {
		attributes[name] = attribute
	}
	return attributes
}

// list lists the settings that the filter selects: for each FoneNumber, one for each event, or the delivery for the event "".
func (r *settingResource) list(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream, filter foneNumberFilter, diags diag.Diagnostics, events ...string) {
	diags.Append(r.requireClient()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	options := make([]fonestorm.MessageOption, len(events))
	for i, event := range events {
		options[i] = optionOf[event]
	}
	all, err := r.client.ListFoneNumbers(ctx, options...)
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
			result := r.listResult(ctx, req, f, event)
			if !push(result) {
				return
			}
			if result.Identity != nil {
				sent++
			}
		}
	}
}

// listResult returns the identity of a setting and, if requested, the resource that an import would create. For a
// destination that cannot be configured, it returns only a warning, which does not count toward the limit.
func (r *settingResource) listResult(ctx context.Context, req list.ListRequest, f fonestorm.FoneNumber, event string) list.ListResult {
	m := settingModel{Event: stringOrNull(event), OnDestroy: types.StringValue(onDestroyKeep)}
	if omitted := listDiagnostics(f, m.option()); len(omitted) > 0 {
		return list.ListResult{Diagnostics: omitted}
	}
	m.FromAPI(f, record{})
	result := req.NewListResult(ctx)
	result.DisplayName = cmp.Or(f.Label, f.Number)
	if !m.isDelivery() {
		result.DisplayName += " (" + m.Event.ValueString() + ")"
	}
	result.Diagnostics.Append(result.Identity.Set(ctx, r.identity(m))...)
	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, r.attributes(m))...)
	}
	return result
}
