package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// apiDiagnostic turns an error of the client into what the user reads: what happened, to which FoneNumber ("" for the
// account as a whole), and what to do about it.
func apiDiagnostic(err error, foneNumber string) diag.Diagnostic {
	advice := adviceFor(err)
	happened := strings.TrimSuffix(err.Error(), ".") // FoneStorm's own sentences may end with one.
	detail := fmt.Sprintf("While %s.\n\n%s", happened, advice.remedy)
	if !strings.Contains(happened, foneNumber) {
		detail = fmt.Sprintf("FoneNumber %s, while %s.\n\n%s", foneNumber, happened, advice.remedy)
	}
	if advice.attribute == "" || foneNumber == "" {
		return diag.NewErrorDiagnostic(advice.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(advice.attribute), advice.summary, detail)
}

// advice is what a user is told about a kind of error.
type advice struct {
	attribute string // That it is about; empty for the whole resource.
	summary   string
	remedy    string
}

func adviceFor(err error) advice {
	var answered *fonestorm.Error
	var unusable *fonestorm.AnswerError
	var unanswered *fonestorm.ConnectionError
	switch {
	case errors.As(err, &answered):
		return adviceForAnswer(answered)
	case errors.As(err, &unusable):
		return advice{
			"", "Unusable answer from FoneStorm",
			"It is not known whether a change took effect. Look at the FoneNumber, then run Terraform again: setting the same twice is harmless. " +
				"If the endpoint is not FracTEL's own, check that it serves the FoneStorm API.",
		}
	case errors.As(err, &unanswered):
		return advice{
			"", "No answer from FoneStorm",
			"Check the network, the proxy settings (HTTPS_PROXY) and the provider's endpoint, then run Terraform again. " +
				"A change may have taken effect although its answer was lost; setting the same twice is harmless.",
		}
	case errors.Is(err, context.Canceled):
		return advice{"", "Cancelled", "Terraform was told to stop. Run it again to finish what is left."}
	default:
		return advice{"", "FoneStorm cannot be called", "Please report this to the provider's developers."}
	}
}

func adviceForAnswer(e *fonestorm.Error) advice {
	switch e.Kind() {
	case fonestorm.RateLimited:
		return advice{
			"", "Rate limit exceeded",
			"The account's limit of requests was exceeded in spite of waiting. Is something else using the same account? " +
				"Lower requests_per_second, or raise max_retries, in the provider block, and run Terraform again.",
		}
	case fonestorm.Unauthorized:
		return advice{
			"", "FoneStorm refused the credentials",
			"Check username and password, or token, in the provider block, or FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN. " +
				"A token expires and cannot be renewed; with a user name and password the provider gets a new one.",
		}
	case fonestorm.PaymentDue:
		return advice{"", "A payment is due", "Settle the account with FracTEL, then run Terraform again."}
	case fonestorm.Forbidden:
		return advice{
			"", "FoneStorm does not allow this",
			"The user has no right to do this. Use another user, or ask the account's administrator for the right.",
		}
	case fonestorm.NotFound:
		return advice{
			"fonenumber", "FoneNumber not in the account",
			"Check the FoneNumber and that the credentials are those of the account which owns it. A deleted number can be restored for 30 days.",
		}
	case fonestorm.Unprocessable:
		return advice{
			"value", "FoneStorm cannot use the destination",
			"Check that type and value go together and that the destination exists: a device must be configured and registered.",
		}
	case fonestorm.Failing:
		return advice{"", "FoneStorm is failing", "This is on FoneStorm's side. Run Terraform again later; what has been done is in the state."}
	case fonestorm.Refused:
		fallthrough
	default:
		return advice{"", "FoneStorm refused the request", "Check the FoneNumber, type and value. The reason above is FoneStorm's own."}
	}
}
