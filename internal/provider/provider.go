// Package provider implements the Terraform provider: schemas, models, plans, and the errors and warnings that users see.
//
// It uses Terraform and the Go types of the FoneStorm client, but neither HTTP nor FoneStorm's JSON. A configuration becomes a model, which becomes
// a fonestorm.Setting, which becomes a request. A response becomes a fonestorm.FoneNumber, and that becomes a model.
package provider

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
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
			"requests_per_second": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of requests per second of this provider configuration. " +
					"Set a lower number if something else uses the account at the same time. Defaults to 10, the limit of a standard account. " +
					"Can also be set with the environment variable `FRACTEL_REQUESTS_PER_SECOND`.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "Maximum number of retries for a request that fails with a transient error: no connection, a timeout, a damaged response, " +
					"or a server error (408 or 5xx). Requests over the rate limit are always retried, for up to five minutes. Defaults to 4. 0 disables retries.",
				Optional:   true,
				Validators: []validator.Int64{int64validator.Between(0, 100)},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "Timeout of a single request, as a number with a unit, such as `\"2m\"`. Does not include the time that a request waits for the rate limit. " +
					"Listing all FoneNumbers or devices has a timeout of at least two minutes. Defaults to `\"30s\"`.",
				Optional:   true,
				Validators: []validator.String{timeoutRule},
			},
			"check_on_plan": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan checks that new FoneNumbers and devices are in the account, and shows the deliveries that it will overwrite. " +
					"For many FoneNumbers, this requires a few requests, and one for each FoneNumber that FoneStorm lists incompletely. Defaults to `true`.",
				Optional: true,
			},
		},
	}
}

func (p *fractelProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	data := &providerData{}
	if req.Config.Raw.IsFullyKnown() { // While planning, an attribute can be unknown.
		var model providerModel
		resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
		config := model.clientConfig(&resp.Diagnostics)
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
// environment is checked here. The environment completes a username, password, or subaccount in the block. It chooses between them
// and a token only if the block contains none of username, password, and token. Without either a token, or a username and a password,
// there is an error.
func (m providerModel) clientConfig(diags *diag.Diagnostics) fonestorm.Config {
	config := fonestorm.Config{
		Endpoint:          cmp.Or(environment("endpoint", m.Endpoint, endpointRule, diags), fonestorm.DefaultEndpoint),
		RequestsPerSecond: fonestorm.DefaultRequestsPerSecond,
		MaxRetries:        fonestorm.DefaultMaxRetries,
		RequestTimeout:    fonestorm.DefaultRequestTimeout,
	}
	if m.RequestsPerSecond != nil {
		config.RequestsPerSecond = int(*m.RequestsPerSecond)
	} else if text := environment("requests_per_second", types.StringNull(), rateRule, diags); text != "" {
		config.RequestsPerSecond, _ = strconv.Atoi(text)
	}
	if m.MaxRetries != nil {
		config.MaxRetries = int(*m.MaxRetries)
	}
	if !m.RequestTimeout.IsNull() {
		config.RequestTimeout, _ = time.ParseDuration(m.RequestTimeout.ValueString())
	}
	if m.Token.IsNull() {
		config.Username = environment("username", m.Username, usernameRule, diags)
		config.Password = environment("password", m.Password, passwordRule, diags)
		config.Subaccount = environment("subaccount", m.Subaccount, subaccountRule, diags)
	}
	if m.Username.IsNull() && m.Password.IsNull() {
		config.Token = environment("token", m.Token, tokenRule, diags)
	}
	switch {
	case config.Token != "" && config.Username+config.Password+config.Subaccount != "":
		diags.AddError("Conflicting FoneStorm Credentials",
			"FRACTEL_TOKEN contains a token, which already belongs to one account, but a username, password, or subaccount is set, too. "+
				"Unset FRACTEL_TOKEN, or remove the others (FRACTEL_USERNAME, FRACTEL_PASSWORD, FRACTEL_SUBACCOUNT, or arguments of the provider block).")
	case config.Token == "" && (config.Username == "" || config.Password == ""):
		missing := "username"
		if config.Username != "" {
			missing = "password"
		}
		diags.AddAttributeError(path.Root(missing), "Missing FoneStorm Credentials",
			fmt.Sprintf("Neither the provider block nor the environment contains a %s. Set username and password in the provider block, "+
				"or the environment variables FRACTEL_USERNAME and FRACTEL_PASSWORD, or instead a token (FRACTEL_TOKEN).", missing))
	}
	return config
}

// environment returns the value of an attribute or, if that is null, of its environment variable, which it checks.
func environment(attribute string, configured types.String, r rule, diags *diag.Diagnostics) string {
	variable := "FRACTEL_" + strings.ToUpper(attribute)
	value := os.Getenv(variable)
	if !configured.IsNull() || value == "" {
		return configured.ValueString()
	}
	if err := r.check(r.what, value); err != nil {
		diags.AddAttributeError(path.Root(attribute), r.summary, err.Error()+" It comes from the environment variable "+variable+".")
	}
	return value
}

// userAgent returns the User-Agent of every request. It names both Terraform and OpenTofu, because the CLI sends its version
// but not its name. It ends with the text that Terraform and OpenTofu also append to theirs.
func userAgent(version, cliVersion string) string {
	own := fmt.Sprintf("terraform-provider-fractel/%s (Terraform or OpenTofu %s) ", version, cliVersion)
	return strings.Join(strings.Fields(own+os.Getenv("TF_APPEND_USER_AGENT")), " ")
}

// providerData is what the provider passes to resources, data sources, and lists, which embed it. It lives as long as the provider
// process: Terraform plans in one process and applies in another.
type providerData struct {
	client      *fonestorm.Client // Nil while the provider configuration is unknown.
	checkOnPlan bool
	ownership

	applying atomic.Bool // Whether this process applies. Terraform does not announce this: only a change shows it.
	reported sync.Map    // What was reported once and concerns many resources.
}

// configuredWith returns the data that the provider passed; data without a client while Terraform only validates.
func configuredWith(passed any) *providerData {
	if data, ok := passed.(*providerData); ok {
		return data
	}
	return &providerData{}
}

// isFirst reports whether this is the first time that something is reported.
func (p *providerData) isFirst(what any) bool {
	_, again := p.reported.LoadOrStore(what, true)
	return !again
}

// checks reports whether plans read from FoneStorm. Those that Terraform makes again during an apply do not, after the first change.
func (p *providerData) checks() bool { return p.checkOnPlan && p.client != nil && !p.applying.Load() }

// requireClient returns an error if the provider cannot send requests.
func (p *providerData) requireClient() (diags diag.Diagnostics) {
	if p.client == nil {
		diags.AddError("Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply, so the provider cannot send requests yet. "+
				"First apply the resources that these values come from (-target), or set the credentials in the environment.")
	}
	return diags
}

// readFailure returns the error for a FoneNumber that could not be read. It reports an error that concerns the whole account, such
// as rejected credentials, only once, because the same error would follow for each of a thousand FoneNumbers.
func (p *providerData) readFailure(err error) diag.Diagnostics {
	wholeAccount := []fonestorm.Kind{
		fonestorm.AuthenticationFailed, fonestorm.TokenRejected, fonestorm.SubaccountRejected, fonestorm.PaymentRequired,
		fonestorm.WrongEndpoint, fonestorm.Unreachable,
	}
	if kind := fonestorm.KindOf(err); slices.Contains(wholeAccount, kind) && !p.isFirst(kind) {
		return nil
	}
	return diag.Diagnostics{apiDiagnostic(err)}
}

// unknownConfiguration warns, once, that this plan does not read from FoneStorm because the provider configuration is unknown.
func (p *providerData) unknownConfiguration() (diags diag.Diagnostics) {
	if p.client == nil && p.isFirst("unknown configuration") {
		diags.AddWarning("Refresh Skipped: Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply. Deliveries are planned without reading them from FoneStorm, "+
				"so the plan does not show what has changed there, or what an apply overwrites. Plan again when these values are known.")
	}
	return diags
}
