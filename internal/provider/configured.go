package provider

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// providerData is what the provider passes to resources and data sources in Configure. It lives as long as the provider
// process: Terraform plans in one process and applies in another.
type providerData struct {
	client      *fonestorm.Client // Nil while the provider configuration contains unknown values.
	checkOnPlan bool
	ownership

	applying    atomic.Bool           // Whether this process applies. Terraform does not announce this: only a change shows it.
	unreachable atomic.Pointer[error] // First error because of which FoneNumbers cannot be checked.
	loginFailed atomic.Bool           // Whether an error about rejected credentials was returned.
	warned      atomic.Bool           // Whether the user was warned that the provider configuration is unknown.
}

func newProviderData(client *fonestorm.Client, checkOnPlan bool) *providerData {
	return &providerData{client: client, checkOnPlan: checkOnPlan}
}

// configured is what resources and data sources share. Its data is never nil, but its client can be.
type configured struct{ *providerData }

func unconfigured() configured { return configured{newProviderData(nil, false)} }

// accept stores what the provider's Configure returned, which is nil while Terraform only validates.
func (c *configured) accept(data any) (diags diag.Diagnostics) {
	switch data := data.(type) {
	case nil:
	case *providerData:
		c.providerData = data
	default:
		diags.AddError("Unexpected Provider Data",
			fmt.Sprintf("The provider data has type %T. This is a bug in the provider. Please report it to its developers.", data))
	}
	return diags
}

// requireClient returns an error if the provider cannot send requests.
func (c *configured) requireClient() (diags diag.Diagnostics) {
	if c.client == nil {
		diags.AddError("Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply, so the provider cannot send requests yet. "+
				"First apply the resources that these values come from (-target), or set the credentials in the environment.")
	}
	return diags
}

// readFailure returns the error for a FoneNumber that could not be read. It reports rejected credentials and a wrong endpoint
// only once, because the same error would follow for each of a thousand FoneNumbers.
func (c *configured) readFailure(err error, number string) diag.Diagnostics {
	once := []fonestorm.Kind{fonestorm.AuthenticationFailed, fonestorm.TokenRejected, fonestorm.SubaccountRejected, fonestorm.WrongEndpoint}
	if slices.Contains(once, fonestorm.KindOf(err)) {
		if c.loginFailed.Swap(true) {
			return nil
		}
		number = ""
	}
	return diag.Diagnostics{apiDiagnostic(err, number)}
}

// unknownConfiguration warns, once, that this plan does not read from FoneStorm.
func (c *configured) unknownConfiguration() (diags diag.Diagnostics) {
	if !c.warned.Swap(true) {
		diags.AddWarning("Refresh Skipped: Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply. Deliveries are planned without reading them from FoneStorm, "+
				"so the plan does not show what has changed there, or what an apply overwrites. Plan again when these values are known.")
	}
	return diags
}
