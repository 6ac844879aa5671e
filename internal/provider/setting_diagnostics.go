package provider

import (
	"errors"
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
				"destination from now on. Check that messages arrive.", set.Option, number, result.Options[set.Option]))
	}
	return diags
}

// statusDiagnostics warns about a FoneNumber that is cancelled or whose cancellation is pending.
func statusDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	if what := map[fonestorm.Status]string{
		fonestorm.CancellationPending: "The cancellation of FoneNumber %s is pending. Remove the resource if you no longer need the FoneNumber.",
		fonestorm.Cancelled:           "FoneNumber %s is cancelled. It can be restored for 30 days. Otherwise, remove the resource.",
	}[f.Status]; what != "" {
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active", fmt.Sprintf(what, f.Number))
	}
	return diags
}

// notConfigurable returns why no configuration can describe a setting of a FoneNumber, and therefore what happens to it; "" if one
// can. FoneStorm can contain destinations that it does not accept in a request, or that this provider rejects because they contain
// a secret.
func notConfigurable(f fonestorm.FoneNumber, option fonestorm.MessageOption, consequence, remedy string) string {
	found, types := f.Options[option].Normalized(), fonestorm.DeliveryTypes()
	if option != fonestorm.Receive {
		types = fonestorm.NotificationTypes()
	}
	err := checkDestination(found.Type, found.Value, f.Number)
	switch {
	case !slices.Contains(types, found.Type):
		err = fmt.Errorf("The type must be one of %q.", types)
	case found.Type == fonestorm.None, err == nil:
		return ""
	case found.Value == "":
		err = errors.New("FoneStorm shows no destination for it.")
	case errors.Is(err, errURLCredentials):
		err = errors.New("Its callback URL contains a username or password. In FoneStorm, remove them from the URL and set them as the username " +
			"and password of the callback.")
	}
	return fmt.Sprintf("FoneNumber %s %s, because no configuration can describe its %[3]s of type %[4]q. %[5]s\n\n"+
		"%[6]sTo replace its %[3]s, add a resource with the destination that you want. The plan shows what it overwrites.",
		f.Number, consequence, option, f.Options[option].Type, err, remedy)
}
