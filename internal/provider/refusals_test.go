package provider

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// numbered returns the deliveries of the first n FoneNumbers, as separate addresses.
func numbered(n int, value string) string {
	return fmt.Sprintf(`
locals {
  numbers = { for i in range(%d) : tostring(3215550000 + i) => "%s" }
}
resource "fractel_fonenumber_delivery" "test" {
  for_each   = local.numbers
  fonenumber = each.key
  type       = "Email"
  value      = each.value
}
`, n, value)
}

// A token that expires in the middle of an apply is renewed once, however many requests meet it.
func TestTokenExpiresDuringApply(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 20})
	w := a.newWorkspace(t, numbered(20, "ops@example.com"))
	w.plan(2, "-out=saved.tfplan")
	a.Forget()
	var mu sync.Mutex
	sets := 0
	a.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/messages/receive") {
			if sets++; sets == 10 {
				a.ExpireTokens()
			}
		}
		return false
	})
	w.run(0, "apply", "-no-color", "saved.tfplan")
	if n := a.count("login"); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
	for _, f := range a.Numbers() {
		if f.Receive.Email != "ops@example.com" {
			t.Errorf("FoneNumber %s delivers to %+v", f.Number, f.Receive)
		}
	}
}

// Nothing is asked of FoneStorm, not even a login, where there is nothing to ask.
func TestNoNeedlessCalls(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1})
	w := a.newWorkspace(t, numbered(1, "ops@example.com"))
	w.run(0, "validate")
	w.configure(`
provider "fractel" {
}
output "nothing" {
  value = "to read"
}
`)
	w.plan(2)
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("FoneStorm was asked: %+v", requests)
	}
}

// What each refusal by FoneStorm tells the user to do, and where.
func TestRefusalsByFoneStorm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status         int
		message        string
		summary, says  string
		onValue        bool
		requestsPerSet int
	}{
		{status: 400, message: "Bad value.", summary: "Destination Rejected by FoneStorm", says: "Check that type and value belong together", onValue: true, requestsPerSet: 2},
		{status: 401, message: "Expired.", summary: "FoneStorm Authentication Failed", says: "Check username and password", requestsPerSet: 2},
		{status: 402, message: "Pay.", summary: "FoneStorm Payment Required", says: "Settle the account with FracTEL", requestsPerSet: 1},
		{status: 403, message: "No.", summary: "Permission Denied by FoneStorm", says: "Use a user that has this permission", requestsPerSet: 1},
		{status: 404, message: "Where?", summary: "Unexpected FoneStorm Response", says: "Reading the FoneNumber does not confirm that.", requestsPerSet: 1},
		{status: 410, message: "Rate Limit Exceeded", summary: "FoneStorm Rate Limit Exceeded", says: "lower requests_per_second", requestsPerSet: 1},
		{status: 415, message: "No JSON.", summary: "Request Rejected by FoneStorm", says: "The reason above is FoneStorm's own.", requestsPerSet: 2},
		{status: 422, message: "Not registered.", summary: "Destination Rejected by FoneStorm", says: "a device must be configured and registered", onValue: true, requestsPerSet: 2},
		{status: 429, message: "Slow down.", summary: "FoneStorm Rate Limit Exceeded", says: "lower requests_per_second", requestsPerSet: 1},
		{status: 500, message: "Oops.", summary: "FoneStorm Server Error", says: "Run Terraform again later", requestsPerSet: 1},
		{status: 503, message: "Later.", summary: "FoneStorm Server Error", says: "Run Terraform again later", requestsPerSet: 1},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			a.Put(simulator.FoneNumber{Number: testNumber})
			a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/messages/receive") {
					return false
				}
				w.WriteHeader(test.status)
				fmt.Fprintf(w, `{"error":%q,"message":%q,"status_code":%d}`, http.StatusText(test.status), test.message, test.status)
				return true
			})
			w := a.newWorkspace(t, a.provider("max_retries = 0")+destinations[1].config(testNumber))
			output := w.run(1, "apply", "-no-color", "-auto-approve", "-input=false")
			for _, want := range []string{
				"Error: " + test.summary, test.says, "FoneNumber " + testNumber, fmt.Sprintf("FoneStorm returned %d", test.status), test.message,
			} {
				if !strings.Contains(output, want) {
					t.Errorf("does not say %q:\n%s", want, output)
				}
			}
			if got := strings.Contains(output, `: value = "`); got != test.onValue {
				t.Errorf("on value is %t:\n%s", got, output)
			}
			if n := a.count("set"); n != test.requestsPerSet {
				t.Errorf("%d requests, want %d", n, test.requestsPerSet)
			}
			if output := w.run(0, "state", "list"); (output != "") != (test.status >= 500) { // Which may have taken effect.
				t.Errorf("the state has %q", output)
			}
		})
	}
}

// A password that is refused is tried once, not once for each resource: that could lock the account.
func TestWrongPasswordIsTriedOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 20, Password: "another"})
	w := a.newWorkspace(t, a.provider()+numbered(20, "ops@example.com"))
	output := w.run(1, "apply", "-no-color", "-auto-approve", "-input=false")
	if want := "FoneStorm Authentication Failed"; !strings.Contains(output, want) {
		t.Errorf("does not say %q:\n%s", want, output)
	}
	if n := a.count("login"); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}
