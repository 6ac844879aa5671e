package provider

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// apiDiagnostic turns a failure of the client into what the user reads: what happened, to which FoneNumber ("" for the
// account as a whole), why, and what to do next.
func apiDiagnostic(err error, foneNumber string) diag.Diagnostic {
	advice := adviceFor(fonestorm.KindOf(err))
	detail := sentence(err.Error())
	if foneNumber != "" && !strings.Contains(detail, foneNumber) {
		detail += " This was needed for FoneNumber " + foneNumber + "."
	}
	if fonestorm.MayHaveTakenEffect(err) {
		detail += "\n\nThe change may have taken effect although it failed. Running Terraform again is safe: setting the same delivery twice changes nothing."
	}
	detail += "\n\n" + advice.remedy
	if advice.attribute == "" || foneNumber == "" {
		return diag.NewErrorDiagnostic(advice.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(advice.attribute), advice.summary, detail)
}

// sentence turns an error's text into a whole sentence. FoneStorm's own sentences may end with a full stop.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return fmt.Sprintf("%c%s.", unicode.ToUpper(first), strings.TrimRight(text[size:], ". "))
}

// advice is what a user is told about a kind of failure.
type advice struct {
	attribute string // The attribute that it is about; empty for the whole resource.
	summary   string
	remedy    string
}

// adviceFor is the one table from failures to what the user reads.
func adviceFor(kind fonestorm.Kind) advice {
	switch kind {
	case fonestorm.RateLimited:
		return advice{
			"", "FoneStorm Rate Limit Exceeded",
			"The account's request limit was exceeded even though requests were throttled. If something else uses the same account, " +
				"lower requests_per_second or raise max_retries in the provider configuration, then run Terraform again.",
		}
	case fonestorm.AuthenticationFailed:
		return advice{
			"", "FoneStorm Authentication Failed",
			"Check username and password, or token, in the provider configuration or in FRACTEL_USERNAME, FRACTEL_PASSWORD and FRACTEL_TOKEN. " +
				"A token expires and cannot be renewed; with a username and password the provider gets a new one.",
		}
	case fonestorm.SubaccountRejected:
		return advice{
			"", "Subaccount Not Accessible",
			"Check subaccount in the provider configuration or in FRACTEL_SUBACCOUNT: it is the ten-digit code of a subaccount of the billing account that the user belongs to.",
		}
	case fonestorm.PaymentRequired:
		return advice{"", "FoneStorm Payment Required", "Settle the account with FracTEL, then run Terraform again."}
	case fonestorm.PermissionDenied:
		return advice{"", "Permission Denied by FoneStorm", "Use a user that has this permission, or ask the account's administrator to grant it."}
	case fonestorm.NotFound:
		return advice{
			"fonenumber", "FoneNumber Not Found in Account",
			"Check the FoneNumber, and that the credentials belong to the account that owns it. A deleted FoneNumber can be restored for 30 days.",
		}
	case fonestorm.WrongEndpoint:
		return advice{
			"", "Endpoint Is Not FoneStorm",
			"Check endpoint in the provider configuration or in FRACTEL_ENDPOINT. FracTEL's is " + fonestorm.DefaultEndpoint + ": it ends in /v2. " +
				"The state was not changed.",
		}
	case fonestorm.DestinationRejected:
		return advice{
			"value", "Destination Rejected by FoneStorm",
			"Check that type and value belong together and that the destination exists: a device must be configured and registered.",
		}
	case fonestorm.OtherDestination:
		return advice{
			"value", "FoneStorm Shows Another Destination",
			"Check the FoneNumber in FoneStorm: something else may have set it at the same time. Then run Terraform again.",
		}
	case fonestorm.ServerError:
		return advice{"", "FoneStorm Server Error", "The failure is on FoneStorm's side. Run Terraform again later: everything that was done is in the state."}
	case fonestorm.UnexpectedResponse:
		return advice{
			"", "Unexpected FoneStorm Response",
			"If the endpoint is not FracTEL's own, check that it serves the FoneStorm API. Otherwise run Terraform again later.",
		}
	case fonestorm.Unreachable:
		return advice{
			"", "Unable to Reach FoneStorm",
			"Check the network, the proxy settings (HTTPS_PROXY), and endpoint in the provider configuration or FRACTEL_ENDPOINT, then run Terraform again.",
		}
	case fonestorm.Canceled:
		return advice{"", "Operation Canceled", "Terraform was told to stop. Run it again to finish."}
	case fonestorm.Refused:
		fallthrough
	default:
		return advice{"", "Request Rejected by FoneStorm", "The reason above is FoneStorm's own. Check the FoneNumber and the configuration of the resource."}
	}
}
