package provider

import (
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// Summaries that several functions use.
const (
	summaryDeleted         = "Messages Will Be Deleted"
	summaryLeftUnchanged   = "FoneNumber Left Unchanged on Destroy"
	summaryMultiple        = "Multiple Resources for One FoneNumber"
	summaryGone            = "FoneNumber No Longer in Account"
	summaryNotConfigurable = "Unsupported Destination"
)

// settingDiagnostics warns about a setting that succeeded but not exactly as it was sent.
func settingDiagnostics(number string, set fonestorm.Setting, result fonestorm.SetResult) (diags diag.Diagnostics) {
	if result.CredentialsKept {
		diags.AddWarning("Callback Credentials May Remain",
			fmt.Sprintf("FoneStorm rejected empty callback credentials for FoneNumber %s, so its %s was set without any. If it had "+
				"credentials before, FoneStorm may still send them to its callback URL. Set url_username and a password, or ask FracTEL to remove them.", number, set.Option))
	}
	if result.Respelled {
		diags.AddWarning("FoneStorm Shows the Destination Differently",
			fmt.Sprintf("FoneStorm accepted the %s of FoneNumber %s, but shows its destination as %s. The provider treats this as the configured "+
				"destination from now on. Check that messages arrive.", set.Option, number, new(result.Option(set.Option))))
	}
	return diags
}

// statusDiagnostics warns about a FoneNumber that is cancelled or whose cancellation is pending.
func statusDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	switch f.Status {
	case fonestorm.CancellationPending:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("The cancellation of FoneNumber %s is pending. Remove the resource if you no longer need the FoneNumber.", f.Number))
	case fonestorm.Cancelled:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("FoneNumber %s is cancelled. It can be restored for 30 days. Otherwise, remove the resource.", f.Number))
	case fonestorm.Active, fonestorm.StatusUnknown, "":
	}
	return diags
}

// whyNotConfigurable returns an error if no configuration can describe a setting of a FoneNumber. FoneStorm can contain
// destinations that it does not accept in a request, or that this provider rejects because they contain a secret.
func whyNotConfigurable(f fonestorm.FoneNumber, option fonestorm.MessageOption) error {
	found, types := f.Option(option).Normalized(), fonestorm.DeliveryTypes()
	if option != fonestorm.Receive {
		types = fonestorm.NotificationTypes()
	}
	if !slices.Contains(types, found.Type) {
		return fmt.Errorf("The type must be one of %q.", types)
	}
	if found.Type == fonestorm.None {
		return nil
	}
	return checkImported(found.Type, found.Value, f.Number)
}

// importDiagnostics returns an error if no configuration can describe the imported setting of a FoneNumber.
func importDiagnostics(f fonestorm.FoneNumber, option fonestorm.MessageOption) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f, option); err != nil {
		diags.AddAttributeError(path.Root("fonenumber"), summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s cannot be imported, because no configuration can describe its %[2]s of type %[3]q. %[4]s\n\n"+
				"Remove the import of this FoneNumber. To replace its %[2]s, add a resource with the destination that you want. The plan shows what it overwrites.",
				f.Number, option, f.Option(option).Type, err))
	}
	return diags
}

// listDiagnostics returns a warning if a list omits a FoneNumber because no configuration can describe its setting.
func listDiagnostics(f fonestorm.FoneNumber, option fonestorm.MessageOption) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f, option); err != nil {
		diags.AddWarning(summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s is omitted, because no configuration can describe its %[2]s of type %[3]q. %[4]s\n\n"+
				"To replace its %[2]s, add a resource with the destination that you want. The plan shows what it overwrites.",
				f.Number, option, f.Option(option).Type, err))
	}
	return diags
}
