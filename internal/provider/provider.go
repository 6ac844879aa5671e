// Package provider implements the Terraform provider: schemas, models, plans, and the errors and warnings that users see.
//
// It uses Terraform and the Go types of the FoneStorm client, but no HTTP, JSON, or form fields. Data flows in one
// direction, from configuration to model to fonestorm.Delivery to request, and the response flows back the same way.
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

// New returns a function that returns a provider with this version.
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
		MarkdownDescription: "Manages where messages (SMS and MMS) received at the FoneNumbers of a FracTEL account are delivered, through the FoneStorm API.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the FoneStorm API. Must begin with `https://`; `http://` is allowed only for a loopback host. " +
					"Defaults to `" + fonestorm.DefaultEndpoint + "`. Can also be set with the environment variable `FRACTEL_ENDPOINT`.",
				Optional:   true,
				Validators: []validator.String{endpointRule()},
			},
			"username": schema.StringAttribute{
				MarkdownDescription: "Username of the FoneStorm user. Can also be set with the environment variable `FRACTEL_USERNAME`. Conflicts with `token`.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "Password of the FoneStorm user. Can also be set with the environment variable `FRACTEL_PASSWORD`, " +
					"which keeps it out of the configuration. Conflicts with `token`.",
				Optional:  true,
				Sensitive: true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "FoneStorm token (JWT) to use instead of a username and password. The provider cannot renew it when it expires. " +
					"Can also be set with the environment variable `FRACTEL_TOKEN`. Conflicts with `username`, `password`, and `subaccount`.",
				Optional:  true,
				Sensitive: true,
				Validators: []validator.String{
					stringvalidator.LengthAtLeast(1),
				},
			},
			"subaccount": schema.StringAttribute{
				MarkdownDescription: "Ten-digit code of the subaccount to manage. Defaults to the user's own account. " +
					"Can also be set with the environment variable `FRACTEL_SUBACCOUNT`. Requires `username` and `password`. Conflicts with `token`.",
				Optional: true,
				Validators: []validator.String{
					subaccountRule(),
					stringvalidator.ConflictsWith(path.MatchRoot("token")),
				},
			},
			"requests_per_second": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of requests per second, across the whole provider. " +
					"Set a lower number if something else uses the account at the same time. Defaults to 10, the limit of a standard account. " +
					"Can also be set with the environment variable `FRACTEL_REQUESTS_PER_SECOND`.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(1, 100_000)},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of retries for a request that fails with a transient error: no connection, a timeout, the rate limit, " +
					"or a server error (408, 429, 500, 502, 503, or 504). Defaults to 4. 0 disables retries.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, 100)},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout of a single request, as a number with a unit, such as `\"2m\"`. Does not include the time that a request waits for the rate limit. " +
					"Listing all FoneNumbers has a timeout of at least two minutes. Defaults to `\"30s\"`.",
				Optional:   true,
				Validators: []validator.String{timeoutRule()},
			},
			"check_on_plan": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan checks that new FoneNumbers and devices are in the account, and shows the deliveries that it will overwrite. " +
					"The number of requests for this does not depend on the number of FoneNumbers. Defaults to `true`.",
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
	return []func() resource.Resource{newDeliveryResource}
}

func (p *fractelProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newFoneNumberDataSource, newFoneNumbersDataSource, newDeviceDataSource, newDevicesDataSource}
}

func (p *fractelProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newDeliveryList}
}

func (p *fractelProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newNormalizeFoneNumberFunction}
}

// known reports whether no attribute of the provider block is unknown, as some can be while planning.
func (m providerModel) known() bool {
	return !m.Endpoint.IsUnknown() && !m.Username.IsUnknown() && !m.Password.IsUnknown() && !m.Token.IsUnknown() && !m.Subaccount.IsUnknown() &&
		!m.RequestsPerSecond.IsUnknown() && !m.MaxRetries.IsUnknown() && !m.RequestTimeout.IsUnknown() &&
		!m.CheckOnPlan.IsUnknown()
}
