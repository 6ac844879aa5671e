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

// dataSource is a data source. Its model M is both its configuration and its state.
type dataSource[M any] struct {
	*providerData
	name       string // Without the prefix of the provider.
	about      string
	attributes map[string]schema.Attribute
	validators []datasource.ConfigValidator
	// read completes a model that contains the configuration. The client is never nil.
	read func(ctx context.Context, client *fonestorm.Client, m *M) diag.Diagnostics
}

var _ datasource.DataSourceWithConfigValidators = (*dataSource[any])(nil)

func (d *dataSource[M]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *dataSource[M]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: d.about, Attributes: d.attributes}
}

func (d *dataSource[M]) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return d.validators
}

// Configure is called by the framework before all calls that need the provider configuration.
func (d *dataSource[M]) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.providerData = configuredWith(req.ProviderData)
}

func (d *dataSource[M]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model M
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(d.read(ctx, d.client, &model)...)
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
	}
}

// computed returns an attribute that a data source only returns.
func computed(about string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: about, Computed: true}
}

// optional returns an attribute of a filter.
func optional(about string, rules ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: about, Optional: true, Validators: rules}
}

// matches reports whether a text equals a filter. A null filter matches every text.
func matches(filter types.String, text string) bool {
	return filter.IsNull() || filter.ValueString() == text
}
