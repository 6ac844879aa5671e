package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

var _ datasource.DataSourceWithConfigure = (*foneNumberDataSource)(nil)

// foneNumberDataSource reads one FoneNumber.
type foneNumberDataSource struct{ configuredDataSource }

func newFoneNumberDataSource() datasource.DataSource {
	return &foneNumberDataSource{configuredDataSource{unconfigured()}}
}

func (d *foneNumberDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumber"
}

func (d *foneNumberDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := foneNumberAttributes()
	attributes["fonenumber"] = schema.StringAttribute{
		MarkdownDescription: "FoneNumber to read, exactly ten digits. The account must contain it.",
		Required:            true,
		Validators:          []validator.String{foneNumberRule()},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Reads one FoneNumber of the account, its delivery, and its notifications.",
		Attributes:          attributes,
	}
}

// foneNumberAttributes returns the attributes of a FoneNumber, all computed.
func foneNumberAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"fonenumber":        schema.StringAttribute{Computed: true, MarkdownDescription: "FoneNumber, ten digits."},
		"label":             schema.StringAttribute{Computed: true, MarkdownDescription: aboutLabel},
		"group":             schema.StringAttribute{Computed: true, MarkdownDescription: aboutGroup},
		"active":            schema.BoolAttribute{Computed: true, MarkdownDescription: aboutActive},
		"messaging_enabled": schema.BoolAttribute{Computed: true, MarkdownDescription: aboutMessagingEnabled},
		"type":              schema.StringAttribute{Computed: true, MarkdownDescription: aboutType},
		"value":             schema.StringAttribute{Computed: true, MarkdownDescription: aboutValue},
		"url_method":        schema.StringAttribute{Computed: true, MarkdownDescription: aboutURLMethod},
		"receive_notify":    notifyAttribute(aboutReceiveNotify),
		"send_notify":       notifyAttribute(aboutSendNotify),
	}
}

func notifyAttribute(about string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Computed: true, MarkdownDescription: about,
		Attributes: map[string]schema.Attribute{
			"type":   schema.StringAttribute{Computed: true, MarkdownDescription: aboutNotifyType},
			"url":    schema.StringAttribute{Computed: true, MarkdownDescription: aboutNotifyURL},
			"email":  schema.StringAttribute{Computed: true, MarkdownDescription: aboutNotifyEmail},
			"method": schema.StringAttribute{Computed: true, MarkdownDescription: aboutNotifyMethod},
		},
	}
}

func (d *foneNumberDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config foneNumberModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(d.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	f, err := d.client.GetFoneNumber(ctx, config.FoneNumber.ValueString())
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, config.FoneNumber.ValueString()))
		return
	}

	resp.Diagnostics.Append(resp.State.Set(ctx, newFoneNumberModel(f))...)
}
