// Package provider implements the Terraform provider: schemas, models, plans, and the errors and warnings that users see.
//
// It uses Terraform and the Go types of the FoneStorm client, but no HTTP, and neither the JSON nor the form fields of FoneStorm. Data flows in one
// direction, from configuration to model to fonestorm.Delivery to request, and the response flows back the same way.
package provider

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
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
	RequestsPerSecond *int64       `tfsdk:"requests_per_second"`
	MaxRetries        *int64       `tfsdk:"max_retries"`
	RequestTimeout    types.String `tfsdk:"request_timeout"`
	CheckOnPlan       types.Bool   `tfsdk:"check_on_plan"`
}

func (p *fractelProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "fractel"
	resp.Version = p.version
}

func (p *fractelProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages where messages (SMS and MMS) received at the FoneNumbers of a FracTEL account are delivered, and who is notified of them, through the FoneStorm API.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "Base URL of the FoneStorm API. Must begin with `https://`; `http://` is allowed only for a loopback host. " +
					"Defaults to `" + fonestorm.DefaultEndpoint + "`. Can also be set with the environment variable `FRACTEL_ENDPOINT`.",
				Optional:   true,
				Validators: []validator.String{endpointRule},
			},
			"username": schema.StringAttribute{
				MarkdownDescription: "Username of the FoneStorm user. Can also be set with the environment variable `FRACTEL_USERNAME`. Conflicts with `token`.",
				Optional:            true,
				Validators:          []validator.String{usernameRule, stringvalidator.ConflictsWith(path.MatchRoot("token"))},
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "Password of the FoneStorm user. Can also be set with the environment variable `FRACTEL_PASSWORD`, " +
					"which keeps it out of the configuration. Conflicts with `token`.",
				Optional:   true,
				Sensitive:  true,
				Validators: []validator.String{passwordRule, stringvalidator.ConflictsWith(path.MatchRoot("token"))},
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "FoneStorm token (JWT) to use instead of a username and password. The provider cannot renew it when it expires. " +
					"Can also be set with the environment variable `FRACTEL_TOKEN`. Conflicts with `username`, `password`, and `subaccount`.",
				Optional:   true,
				Sensitive:  true,
				Validators: []validator.String{tokenRule},
			},
			"subaccount": schema.StringAttribute{
				MarkdownDescription: "Ten-digit code of the subaccount to manage. Defaults to the user's own account. " +
					"Can also be set with the environment variable `FRACTEL_SUBACCOUNT`. Requires `username` and `password`. Conflicts with `token`.",
				Optional:   true,
				Validators: []validator.String{subaccountRule, stringvalidator.ConflictsWith(path.MatchRoot("token"))},
			},
			"requests_per_second": schema.NumberAttribute{
				MarkdownDescription: "Maximum number of requests per second of this provider configuration. " +
					"Set a lower number if something else uses the account at the same time. Defaults to 10, the limit of a standard account. " +
					"Can also be set with the environment variable `FRACTEL_REQUESTS_PER_SECOND`.",
				Optional:   true,
				Validators: []validator.Number{rateRule},
			},
			"max_retries": schema.NumberAttribute{
				MarkdownDescription: "Maximum number of retries for a request that fails with a transient error: no connection, a timeout, " +
					"or a server error (408 or 5xx). Requests over the rate limit are always retried, for up to five minutes. Defaults to 4. 0 disables retries.",
				Optional:   true,
				Validators: []validator.Number{retriesRule},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout of a single request, as a number with a unit, such as `\"2m\"`. Does not include the time that a request waits for the rate limit. " +
					"Listing all FoneNumbers or devices has a timeout of at least two minutes. Defaults to `\"30s\"`.",
				Optional:   true,
				Validators: []validator.String{timeoutRule},
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
	data := &providerData{checkOnPlan: true}
	if req.Config.Raw.IsFullyKnown() { // While planning, an attribute can be unknown.
		var model providerModel
		resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
		if resp.Diagnostics.HasError() {
			return
		}
		config, diags := model.clientConfig()
		resp.Diagnostics.Append(diags...)
		if resp.Diagnostics.HasError() {
			return
		}
		config.UserAgent = userAgent(p.version, req.TerraformVersion)
		client, err := p.newClient(config)
		if err != nil {
			resp.Diagnostics.AddError("Invalid Provider Configuration", err.Error())
			return
		}
		data.client = client
		data.checkOnPlan = model.CheckOnPlan.IsNull() || model.CheckOnPlan.ValueBool()
	}
	resp.ResourceData, resp.DataSourceData, resp.ListResourceData = data, data, data
}

func (p *fractelProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newDeliveryResource, newNotificationResource}
}

func (p *fractelProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newFoneNumberDataSource, newFoneNumbersDataSource, newDeviceDataSource, newDevicesDataSource}
}

func (p *fractelProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newDeliveryList, newNotificationList}
}

func (p *fractelProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newNormalizeFoneNumberFunction}
}

// clientConfig combines a known provider block with the environment and the defaults. Validators have checked the block; the
// environment is checked here. It completes a username or password in the block. Only if the block contains neither these nor
// a token does the environment choose between them. A token in the block already belongs to one account.
func (m providerModel) clientConfig() (config fonestorm.Config, diags diag.Diagnostics) {
	config = fonestorm.Config{
		Endpoint:          cmp.Or(environment("endpoint", m.Endpoint, endpointRule, &diags), fonestorm.DefaultEndpoint),
		RequestsPerSecond: fonestorm.DefaultRequestsPerSecond,
		MaxRetries:        fonestorm.DefaultMaxRetries,
		RequestTimeout:    fonestorm.DefaultRequestTimeout,
	}
	if m.RequestsPerSecond != nil {
		config.RequestsPerSecond = int(*m.RequestsPerSecond)
	} else if text := environment("requests_per_second", types.StringNull(), rateRule, &diags); text != "" {
		config.RequestsPerSecond, _ = strconv.Atoi(text)
	}
	if m.MaxRetries != nil {
		config.MaxRetries = int(*m.MaxRetries)
	}
	if !m.RequestTimeout.IsNull() {
		config.RequestTimeout, _ = time.ParseDuration(m.RequestTimeout.ValueString())
	}
	if m.Token.IsNull() {
		config.Username = environment("username", m.Username, usernameRule, &diags)
		config.Password = environment("password", m.Password, passwordRule, &diags)
		config.Subaccount = environment("subaccount", m.Subaccount, subaccountRule, &diags)
	}
	if m.Username.IsNull() && m.Password.IsNull() {
		config.Token = environment("token", m.Token, tokenRule, &diags)
	}
	diags.Append(credentialDiagnostics(config)...)
	return config, diags
}

// environment returns the value of an attribute or, if that is null, of its environment variable, which it checks.
func environment(attribute string, configured types.String, r rule, diags *diag.Diagnostics) string {
	variable := "FRACTEL_" + strings.ToUpper(attribute)
	value := os.Getenv(variable)
	if !configured.IsNull() || value == "" {
		return configured.ValueString()
	}
	if err := r.check(value); err != nil {
		diags.AddAttributeError(path.Root(attribute), r.summary, err.Error()+" It comes from the environment variable "+variable+".")
	}
	return value
}

// credentialDiagnostics returns an error unless there is either a token, or a username and a password.
func credentialDiagnostics(c fonestorm.Config) (diags diag.Diagnostics) {
	switch token, username, password := c.Token != "", c.Username != "", c.Password != ""; {
	case token && (username || password):
		diags.AddError("Conflicting FoneStorm Credentials",
			"The environment contains both a token (FRACTEL_TOKEN) and a username or password (FRACTEL_USERNAME, FRACTEL_PASSWORD). "+
				"Unset one of them, or set the one to use in the provider block.")
	case token && c.Subaccount != "":
		diags.AddAttributeError(path.Root("subaccount"), "Subaccount Conflicts With Token",
			"Both a subaccount and a token (FRACTEL_TOKEN) are set, but a token already belongs to one account. "+
				"Set username and password instead of the token, or remove the subaccount.")
	case token || username && password:
	case username:
		diags.AddAttributeError(path.Root("password"), "Missing FoneStorm Password",
			"A username is set but no password. Set password, or preferably the environment variable FRACTEL_PASSWORD.")
	case password:
		diags.AddAttributeError(path.Root("username"), "Missing FoneStorm Username",
			"A password is set but no username. Set username or the environment variable FRACTEL_USERNAME.")
	default:
		diags.AddError("Missing FoneStorm Credentials",
			"Neither the provider block nor the environment contains credentials. Set username and password in the provider block, "+
				"or the environment variables FRACTEL_USERNAME and FRACTEL_PASSWORD, or a token (FRACTEL_TOKEN).")
	}
	return diags
}

// userAgent returns the User-Agent of every request. It names both Terraform and OpenTofu, because the CLI sends its version
// but not its name. It ends with the text that Terraform and OpenTofu also append to theirs, in which white space and control
// characters become single spaces: a header with control characters would make every request fail.
func userAgent(version, cliVersion string) string {
	agent := fmt.Sprintf("terraform-provider-fractel/%s (Terraform or OpenTofu %s)", version, cliVersion)
	appended := strings.FieldsFunc(os.Getenv("TF_APPEND_USER_AGENT"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return strings.Join(append([]string{agent}, appended...), " ")
}
