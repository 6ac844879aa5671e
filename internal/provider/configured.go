package provider

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// providerData is what the provider passes to resources and data sources in Configure, which embed it. It lives as long as the provider process: Terraform plans in one process and applies in another.
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

// checks reports whether plans read from FoneStorm. A plan that is already applied does not.
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
func (p *providerData) readFailure(err error, number string) diag.Diagnostics {
	kind := fonestorm.KindOf(err)
	wholeAccount := []fonestorm.Kind{
		fonestorm.AuthenticationFailed, fonestorm.TokenRejected, fonestorm.SubaccountRejected, fonestorm.WrongEndpoint, fonestorm.Unreachable,
	}
	if slices.Contains(wholeAccount, kind) {
		if !p.isFirst(kind) {
			return nil
		}
		number = ""
	}
	return diag.Diagnostics{apiDiagnostic(err, number)}
}

// unknownConfiguration warns, once, that this plan does not read from FoneStorm.
func (p *providerData) unknownConfiguration() (diags diag.Diagnostics) {
	if p.client == nil && p.isFirst("unknown configuration") {
		diags.AddWarning("Refresh Skipped: Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply. Deliveries are planned without reading them from FoneStorm, "+
				"so the plan does not show what has changed there, or what an apply overwrites. Plan again when these values are known.")
	}
	return diags
}
