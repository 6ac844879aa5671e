package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Each rejection by FoneStorm has its own summary and advice, and is on the right attribute. TestFaults covers the rate limit.
func TestRejectionsByFoneStorm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status         int
		message        string
		summary, says  string
		onValue        bool
		requestsPerSet int
	}{
		{status: 400, message: "Bad value.", summary: "Destination Rejected by FoneStorm", says: "Check that value matches type", onValue: true, requestsPerSet: 2},
		{status: 401, message: "Expired.", summary: "FoneStorm Authentication Failed", says: "Check username and password", requestsPerSet: 2},
		{status: 402, message: "Pay.", summary: "FoneStorm Payment Required", says: "Settle the account with FracTEL", requestsPerSet: 1},
		{status: 403, message: "No.", summary: "Permission Denied by FoneStorm", says: "Use the credentials of a user who has this permission", requestsPerSet: 1},
		{status: 404, message: "Where?", summary: "Unexpected FoneStorm Response", says: "Reading the FoneNumber does not confirm that.", requestsPerSet: 1},
		{status: 415, message: "No JSON.", summary: "Request Rejected by FoneStorm", says: "The reason above comes from FoneStorm.", requestsPerSet: 2},
		{status: 422, message: "Not registered.", summary: "Destination Rejected by FoneStorm", says: "a device must be configured and registered", onValue: true, requestsPerSet: 2},
		{status: 500, message: "Oops.", summary: "FoneStorm Server Error", says: "Run Terraform again later", requestsPerSet: 1},
		{status: 503, message: "Later.", summary: "FoneStorm Server Error", says: "Run Terraform again later", requestsPerSet: 1},
	} {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			a := newAccountWith(t, testNumber)
			a.reject("", "/messages/receive", test.status, test.message)
			m := a.manage(t)
			m.settings = attributes{"max_retries": 0}
			diags := m.apply(destinations[1].attributes(testNumber))
			wantError(t, diags, test.summary, test.says, "FoneNumber "+testNumber, fmt.Sprintf("FoneStorm returned %d", test.status), test.message)
			if got := strings.Contains(shown(failure(diags)), `AttributeName("value")`); got != test.onValue {
				t.Errorf("the error is on value: %t, want %t", got, test.onValue)
			}
			a.sendsOnly(t, test.requestsPerSet)
			if m.exists() != (test.status >= 500) { // The request may have taken effect.
				t.Errorf("the state has %s", m.known())
			}
		})
	}
}

// A rejected password and a rejected token have their own texts.
func TestRejectedCredentials(t *testing.T) {
	t.Parallel()
	password, token := adviceFor[fonestorm.AuthenticationFailed], adviceFor[fonestorm.TokenRejected]
	if strings.Contains(strings.ToLower(password.remedy), "token") || !strings.Contains(token.remedy, "cannot renew") || password.summary == token.summary {
		t.Errorf("the texts are %+v and %+v", password, token)
	}
}

// The CLI shows the error on the line of the attribute.
func TestAccRejectionByFoneStorm(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	a.reject("", "/messages/receive", http.StatusUnprocessableEntity, "Not registered.")
	w := a.newWorkspace(t, destinations[1].config(testNumber))
	says(t, w.rejects(), "Error: Destination Rejected by FoneStorm", "Not registered.", `: value = "ops@example.com"`)
}

// A rejected password is sent once, not once for each resource: more attempts could lock the account.
func TestAccWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 20, Password: "another"})
	w := a.newWorkspace(t, numbered(20, "ops@example.com"))
	says(t, w.rejects(), "FoneStorm Authentication Failed")
	if n := a.count("login"); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

// A configuration without resources sends no requests, not even a login.
func TestAccNoNeedlessCalls(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1})
	w := a.newWorkspace(t, numbered(1, "ops@example.com"))
	w.run(0, "validate")
	w.configure("provider \"fractel\" {\n}\noutput \"nothing\" {\n  value = \"to read\"\n}\n")
	w.plan(2)
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("requests were sent: %+v", requests)
	}
}
