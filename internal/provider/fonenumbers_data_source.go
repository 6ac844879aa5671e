package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var _ datasource.DataSourceWithConfigure = (*foneNumbersDataSource)(nil)

// foneNumbersDataSource reads the active FoneNumbers of the account, optionally filtered.
type foneNumbersDataSource struct{ configuredDataSource }

func newFoneNumbersDataSource() datasource.DataSource {
	return &foneNumbersDataSource{configuredDataSource{unconfigured()}}
}

// foneNumbersModel is the model of fractel_fonenumbers.
type foneNumbersModel struct {
	foneNumberFilter
	FoneNumbers map[string]foneNumberModel `tfsdk:"fonenumbers"`
}

func (d *foneNumbersDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumbers"
}

func (d *foneNumbersDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads the active FoneNumbers of the account, optionally filtered, with their deliveries and receive notifications. Sends one request.",
		Attributes: map[string]schema.Attribute{
			"type":  schema.StringAttribute{Optional: true, MarkdownDescription: aboutTypeFilter, Validators: []validator.String{deliveryTypeRule()}},
			"label": schema.StringAttribute{Optional: true, MarkdownDescription: aboutLabelFilter},
			"group": schema.StringAttribute{Optional: true, MarkdownDescription: aboutGroupFilter},
			"area_code": schema.StringAttribute{
				Optional: true, MarkdownDescription: aboutAreaCodeFilter, Validators: []validator.String{areaCodeRule()},
			},
			"fonenumbers": schema.MapNestedAttribute{
				MarkdownDescription: "Map of the FoneNumbers by their ten digits.",
				Computed:            true,
				NestedObject:        schema.NestedAttributeObject{Attributes: foneNumberAttributes()},
			},
		},
	}
}

func (d *foneNumbersDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var state foneNumbersModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &state)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	list, err := d.client.ListFoneNumbers(ctx)
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, ""))
		return
	}

	state.FoneNumbers = map[string]foneNumberModel{}
	for _, f := range list {
		if state.selects(f, "") {
			state.FoneNumbers[f.Number] = newFoneNumberModel(f)
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}
