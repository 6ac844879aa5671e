package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// apiDiagnostic converts an error of the client to a diagnostic that says what happened, why, and what to do next.
func apiDiagnostic(err error) diag.Diagnostic {
	advice := adviceFor[fonestorm.KindOf(err)]
	text := err.Error()
	detail := strings.ToUpper(text[:1]) + strings.TrimRight(text[1:], ". ") + "." // FoneStorm's own messages may end with a period.
	if fonestorm.MayHaveTakenEffect(err) {
		detail += "\n\nThe change may have taken effect despite this error. It is safe to run Terraform again: setting a delivery twice has the same result."
	}
	detail += "\n\n" + advice.remedy
	if advice.attribute == "" {
		return diag.NewErrorDiagnostic(advice.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(advice.attribute), advice.summary, detail)
}

// advice is the text of a diagnostic for one kind of error.
type advice struct {
	attribute string // Attribute that the error is about; empty for the whole resource.
	summary   string
	remedy    string
}

// adviceFor is the text for each kind of error of the client.
var adviceFor = map[fonestorm.Kind]advice{
	fonestorm.RateLimited: {
		"", "FoneStorm Rate Limit Exceeded",
		"The account's rate limit was exceeded even though requests were throttled. If something else uses the same account, " +
			"wait until it has finished, or lower requests_per_second in the provider configuration. Then run Terraform again.",
	},
	fonestorm.AuthenticationFailed: {
		"", "FoneStorm Authentication Failed",
		"Check username and password in the provider configuration or in FRACTEL_USERNAME and FRACTEL_PASSWORD.",
	},
	fonestorm.TokenRejected: {
		"", "FoneStorm Token Rejected",
		"Get a new token and set it in the provider configuration or in FRACTEL_TOKEN: the provider cannot renew a configured token when it expires. " +
			"With username and password instead, the provider requests tokens itself.",
	},
	fonestorm.SubaccountRejected: {
		"", "Subaccount Not Accessible",
		"Check subaccount in the provider configuration or in FRACTEL_SUBACCOUNT. It must be the ten-digit code of a subaccount, " +
			"and the user must belong to its billing account.",
	},
	fonestorm.PaymentRequired: {
		"", "FoneStorm Payment Required",
		"Settle the account with FracTEL. Then run Terraform again.",
	},
	fonestorm.PermissionDenied: {
		"", "Permission Denied by FoneStorm",
		"Use the credentials of a user who has this permission, or ask the account's administrator to grant it.",
	},
	fonestorm.NotFound: {
		"fonenumber", "FoneNumber Not Found in Account",
		"Check the FoneNumber, and that the credentials belong to the account that owns it. If there are several provider configurations, " +
			"select that of the account with provider. A deleted FoneNumber can be restored for 30 days.",
	},
	fonestorm.WrongEndpoint: {
		"", "Endpoint Is Not FoneStorm",
		"Check endpoint in the provider configuration or in FRACTEL_ENDPOINT. FracTEL's endpoint is \"" + fonestorm.DefaultEndpoint + "\", including /v2.",
	},
	fonestorm.DestinationRejected: {
		"value", "Destination Rejected by FoneStorm",
		"Check that value matches type and that the destination exists: a device must be configured and registered.",
	},
	fonestorm.OtherDestination: {
		"value", "FoneStorm Returned Another Destination",
		"Check the FoneNumber in FoneStorm: something else may have set it at the same time. Then run Terraform again.",
	},
	fonestorm.ServerError: {
		"", "FoneStorm Server Error",
		"The error is on FoneStorm's side. Run Terraform again later. The state contains everything that was applied.",
	},
	fonestorm.UnexpectedResponse: {
		"", "Unexpected FoneStorm Response",
		"If the endpoint is not FracTEL's own, check that it serves the FoneStorm API. Otherwise, run Terraform again later.",
	},
	fonestorm.Unreachable: {
		"", "Unable to Reach FoneStorm",
		"Check the network, the proxy settings (HTTPS_PROXY), and endpoint in the provider configuration or FRACTEL_ENDPOINT. Then run Terraform again.",
	},
	fonestorm.Canceled: {
		"", "Operation Canceled",
		"Terraform was interrupted. Run it again to finish.",
	},
	fonestorm.Rejected: {
		"", "Request Rejected by FoneStorm",
		"The reason above comes from FoneStorm, or from a proxy in front of it. Check the FoneNumber and the configuration of the resource.",
	},
}

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
			fmt.Sprintf("FoneStorm rejected empty callback credentials for FoneNumber %s, so its %s was set without empty ones. If it had "+
				"credentials before, FoneStorm may still send them to its callback URL. Set url_username and a password, or ask FracTEL to remove them.", number, set.Option))
	}
	if result.Respelled {
		diags.AddWarning("FoneStorm Shows the Destination Differently",
			fmt.Sprintf("FoneStorm accepted the %s of FoneNumber %s, but shows its destination of type %q in another spelling, or with another method. "+
				"The provider treats this as the configured destination from now on. Check it in FoneStorm, and that messages arrive.",
				set.Option, number, set.Type))
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
