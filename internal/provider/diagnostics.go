package provider

import (
	"cmp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// apiDiagnostic converts an error of the client to a diagnostic that says what happened, why, and what to do next.
func apiDiagnostic(err error) diag.Diagnostic {
	advice := cmp.Or(adviceFor[fonestorm.KindOf(err)], adviceFor[fonestorm.Rejected])
	text := err.Error()
	detail := strings.ToUpper(text[:1]) + strings.TrimRight(text[1:], ". ") + "." // FoneStorm's own messages may end with a period.
	if fonestorm.MayHaveTakenEffect(err) {
		detail += "\n\nThe change may have taken effect even though the request failed. It is safe to run Terraform again: setting a delivery twice has the same result."
	}
	detail += "\n\n" + advice.remedy
	if advice.attribute == "" {
		return diag.NewErrorDiagnostic(advice.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(advice.attribute), advice.summary, detail)
}

// destroyAnyway ends an error that stops a plan because of one FoneNumber. `terraform destroy` plans the configuration first.
const destroyAnyway = "If you are running terraform destroy: to destroy the other resources anyway, run terraform destroy -refresh=false."

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
		"Check the FoneNumber, and that the credentials belong to the account that owns it. A deleted FoneNumber can be restored for 30 days.",
	},
	fonestorm.WrongEndpoint: {
		"", "Endpoint Is Not FoneStorm",
		"Check endpoint in the provider configuration or in FRACTEL_ENDPOINT. FracTEL's endpoint is \"" + fonestorm.DefaultEndpoint + "\", including /v2. " +
			"The state is unchanged.",
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
		"The reason above comes from FoneStorm. Check the FoneNumber and the configuration of the resource.",
	},
}
