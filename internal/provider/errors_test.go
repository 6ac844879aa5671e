package provider

import (
	"fmt"
	"strings"
	"testing"
)

// Each rejection by FoneStorm has its own summary and advice, and is on the right attribute. TestFaults covers the rate limit.
func TestRejectionsByFoneStorm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status         int
		summary, says  string
		onValue        bool
		requestsPerSet int
	}{
		{400, "Destination Rejected by FoneStorm", "Check that value matches type", true, 2},
		{401, "FoneStorm Authentication Failed", "Check username and password in the provider configuration", false, 2},
		{402, "FoneStorm Payment Required", "Settle the account with FracTEL", false, 1},
		{403, "Permission Denied by FoneStorm", "Use the credentials of a user who has this permission", false, 1},
		{404, "Request Rejected by FoneStorm", "The reason above comes from FoneStorm.", false, 1},
		{415, "Request Rejected by FoneStorm", "The reason above comes from FoneStorm.", false, 2},
		{422, "Destination Rejected by FoneStorm", "a device must be configured and registered", true, 2},
		{500, "FoneStorm Server Error", "Run Terraform again later", false, 1},
		{503, "FoneStorm Server Error", "Run Terraform again later", false, 1},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			w.reject("", "/messages/receive", test.status, "Not registered.")
			w.settings = attributes{"max_retries": 0}
			diags := w.apply(destinations[1].attributes(testNumber))
			wantError(t, diags, test.summary, test.says, "FoneNumber "+testNumber, fmt.Sprintf("FoneStorm returned %d", test.status), "Not registered.")
			if got := strings.Contains(shown(failure(diags)), `AttributeName("value")`); got != test.onValue {
				t.Errorf("the error is on value: %t, want %t", got, test.onValue)
			}
			w.sendsOnly(t, test.requestsPerSet)
			detail, isUncertain := failure(diags).Detail, test.status >= 500
			if w.state["0"].exists() != isUncertain || strings.Contains(detail, "may have taken effect") != isUncertain || strings.Contains(detail, "..") {
				t.Errorf("the state has %s, and the error is %s", w.state["0"].state, detail)
			}
		})
	}
}
