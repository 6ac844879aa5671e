// Package provider is the Terraform side: schemas, models, plans, and the errors and warnings that users see.
//
// What belongs here is Terraform and the Go types of the FoneStorm client; what does not is HTTP, JSON or form fields.
// Data flows one way: configuration to model to fonestorm.Delivery to request, and the answer back the same way.
package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ provider.ProviderWithListResources = (*fractelProvider)(nil)
	_ provider.ProviderWithFunctions     = (*fractelProvider)(nil)
)

type fractelProvider struct {
	version   string
	newClient func(fonestorm.Config) (*fonestorm.Client, error) // Tests replace the network here.
}

// New returns a function that makes the provider, which calls itself by this version.
func New(version string) func() provider.Provider {
	return func() provider.Provider { return &fractelProvider{version: version, newClient: fonestorm.New} }
}

// providerModel is the provider block.
type providerModel struct {
	Endpoint          types.String `tfsdk:"endpoint"`
	Username          types.String `tfsdk:"username"`
	Password          types.String `tfsdk:"password"`
	Token             types.String `tfsdk:"token"`
	Subaccount        types.String `tfsdk:"subaccount"`
	RequestsPerSecond types.Int64  `tfsdk:"requests_per_second"`
	MaxRetries        types.Int64  `tfsdk:"max_retries"`
	RequestTimeout    types.String `tfsdk:"request_timeout"`
	CheckOnPlan       types.Bool   `tfsdk:"check_on_plan"`
}

func (p *fractelProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fractel"
	resp.Version = p.version
}

func (p *fractelProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages where the FoneNumbers of a FracTEL account deliver their messages (SMS and MMS), through the FoneStorm API.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the FoneStorm API. It must begin with `https://`; plain `http://` is accepted only for a loopback host. " +
					"Defaults to the environment variable `FRACTEL_ENDPOINT`, or `" + fonestorm.DefaultEndpoint + "`.",
				Optional:   true,
				Validators: []validator.String{endpointRule()},
			},
			"username": schema.StringAttribute{
				MarkdownDescription: "Name of the FoneStorm user. Defaults to the environment variable `FRACTEL_USERNAME`. Conflicts with `token`.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "Password of the FoneStorm user. Defaults to the environment variable `FRACTEL_PASSWORD`, which keeps it out of " +
					"configuration. Conflicts with `token`.",
				Optional:  true,
				Sensitive: true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "A FoneStorm token (JWT) to use instead of logging in. It cannot be renewed when it expires. " +
					"Defaults to the environment variable `FRACTEL_TOKEN`. Conflicts with `username` and `password`.",
				Optional:  true,
				Sensitive: true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
				},
			},
			"subaccount": schema.StringAttribute{
				MarkdownDescription: "Ten-digit code of the subaccount to act on: its FoneNumbers and devices take the place of those of the user's own account. " +
					"Needs `username` and `password`. Defaults to the environment variable `FRACTEL_SUBACCOUNT`, or the user's own account. Conflicts with `token`.",
				Optional: true,
				Validators: []validator.String{
					subaccountRule(),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"requests_per_second": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of requests per second, across the whole provider. " +
					"Defaults to the environment variable `FRACTEL_REQUESTS_PER_SECOND`, or 10, the limit of a standard account. " +
					"Set it lower when something else uses the account at the same time.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, 100_000)},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of retries for a request that fails with a transient error: no connection, a timeout, the rate limit, " +
					"or a server error (408, 429, 500, 502, 503, 504). Defaults to 4; 0 disables retries.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, 100)},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Time limit for one request, as a number with a unit, such as " +
					"`\"30s\"` (the default) or `\"2m\"`. Waiting for the rate limit does not count. A list of all FoneNumbers has at least two minutes.",
				Optional:   true,
				Validators: []validator.String{timeoutRule()},
			},
			"check_on_plan": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan reads the FoneNumbers that are to be managed, to make sure that they are in the account and to show what " +
					"would be overwritten. Defaults to `true`. It costs a handful of requests, however many FoneNumbers there are.",
				Optional: true,
			},
		},
	}
}

func (p *fractelProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var client *fonestorm.Client
	if model.known() {
		config, diags := model.clientConfig()
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		config.UserAgent = userAgent(p.version, req.TerraformVersion)
		var err error
		if client, err = p.newClient(config); err != nil {
			resp.Diagnostics.AddError("Invalid Provider Configuration", err.Error())
			return
		}
	}
	data := newProviderData(client, model.CheckOnPlan.IsNull() || model.CheckOnPlan.ValueBool())
	resp.ResourceData = data
	resp.DataSourceData = data
	resp.ListResourceData = data
}

func (p *fractelProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newFoneNumberDeliveryResource}
}

func (p *fractelProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newFoneNumberDataSource, newFoneNumbersDataSource, newDeviceDataSource, newDevicesDataSource}
}

func (p *fractelProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newFoneNumberDeliveryList}
}

func (p *fractelProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newNormalizeFoneNumberFunction}
}

// known reports whether the whole provider block is known, which it need not be while planning.
func (m providerModel) known() bool {
	return !m.Endpoint.IsUnknown() && !m.Username.IsUnknown() && !m.Password.IsUnknown() && !m.Token.IsUnknown() && !m.Subaccount.IsUnknown() &&
		!m.RequestsPerSecond.IsUnknown() && !m.MaxRetries.IsUnknown() && !m.RequestTimeout.IsUnknown() &&
		!m.CheckOnPlan.IsUnknown()
}
