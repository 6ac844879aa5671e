package provider

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// providerData is what the provider hands to resources and data sources when it is configured. It lives as long as the
// provider process: Terraform plans in one process and applies in another.
type providerData struct {
	client      *fonestorm.Client // Nil while the provider configuration contains unknown values.
	checkOnPlan bool
	loginFailed atomic.Bool // Whether the user knows that FoneStorm does not accept the credentials.
	*ownership
}

func newProviderData(client *fonestorm.Client, checkOnPlan bool) *providerData {
	return &providerData{client: client, checkOnPlan: checkOnPlan, ownership: newOwnership()}
}

// configured is the part that resources and data sources share. Its data is never nil; its client can be.
type configured struct{ *providerData }

func unconfigured() configured { return configured{newProviderData(nil, false)} }

// accept takes over what the provider's Configure returned, which is nil while Terraform only validates.
func (c *configured) accept(data any) (diags diag.Diagnostics) {
	switch data := data.(type) {
	case nil:
	case *providerData:
		c.providerData = data
	default:
		diags.AddError("Unexpected Provider Data",
			fmt.Sprintf("The provider handed out a %T instead of its own data. Report this to the provider's developers.", data))
	}
	return diags
}

// requireClient returns an error when the provider cannot send requests.
func (c *configured) requireClient() (diags diag.Diagnostics) {
	if c.client == nil {
		diags.AddError("Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply, so FoneStorm cannot be reached yet. "+
				"Apply what they depend on first (-target), or set the credentials in another way.")
	}
	return diags
}

// readFailure returns the error for a FoneNumber that could not be read. That the credentials are not accepted is reported
// once: Terraform stops at that, and with a thousand FoneNumbers the same error would follow a thousand times.
func (c *configured) readFailure(err error, number string) diag.Diagnostics {
	if kind := fonestorm.KindOf(err); kind == fonestorm.AuthenticationFailed || kind == fonestorm.SubaccountRejected {
		if c.loginFailed.Swap(true) {
			return nil
		}
		number = ""
	}
	return diag.Diagnostics{apiDiagnostic(err, number)}
}

// configuredResource is embedded in resources and list resources.
type configuredResource struct{ configured }

// Configure is called by the framework before any other call, except for those that need no provider configuration.
func (c *configuredResource) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	resp.Diagnostics.Append(c.accept(req.ProviderData)...)
}

// configuredDataSource is embedded in data sources.
type configuredDataSource struct{ configured }

// Configure is called by the framework before any other call, except for those that need no provider configuration.
func (c *configuredDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	resp.Diagnostics.Append(c.accept(req.ProviderData)...)
}
