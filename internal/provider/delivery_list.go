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

var _ list.ListResourceWithConfigure = (*deliveryList)(nil)

// deliveryList lists the deliveries of the account for `terraform query`. It shares the resource's name and
// provider data.
type deliveryList struct {
	deliveryResource
}

func newDeliveryList() list.ListResource {
	return &deliveryList{deliveryResource{configuredResource{unconfigured()}}}
}

func (l *deliveryList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	attributes := map[string]schema.Attribute{}
	for name, attribute := range filterAttributes() { // The attributes of a data source fit.
		attributes[name] = attribute
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the deliveries of the active FoneNumbers of the account, optionally filtered. Sends one request.",
		Attributes:          attributes,
	}
}

func (l *deliveryList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var filter foneNumberFilter
	diags := req.Config.Get(ctx, &filter)
	diags.Append(l.requireClient()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	all, err := l.client.ListFoneNumbers(ctx)
	if err != nil {
		stream.Results = list.ListResultsStreamDiagnostics(diag.Diagnostics{apiDiagnostic(err, "")})
		return
	}
	stream.Results = func(push func(list.ListResult) bool) {
		sent := int64(0)
		for _, f := range all {
			if !filter.selects(f) {
				continue
			}
			result := listResult(ctx, req, f)
			if sent == req.Limit || ctx.Err() != nil || !push(result) {
				return
			}
			if result.Identity != nil {
				sent++
			}
		}
	}
}

// listResult returns the identity of a FoneNumber and, if requested, the resource that an import would create. For a
// delivery that cannot be configured, it returns only a warning, which does not count toward the limit.
func listResult(ctx context.Context, req list.ListRequest, f fonestorm.FoneNumber) list.ListResult {
	if omitted := listDiagnostics(f); len(omitted) > 0 {
		return list.ListResult{Diagnostics: omitted}
	}
	model := deliveryModel{OnDestroy: types.StringValue(onDestroyKeep)}
	model.FromAPI(f, record{})
	result := req.NewListResult(ctx)
	result.DisplayName = cmp.Or(f.Label, f.Number)
	result.Diagnostics.Append(result.Identity.Set(ctx, model.identity())...)
	if req.IncludeResource {
		result.Diagnostics.Append(result.Resource.Set(ctx, model)...)
	}
	return result
}
