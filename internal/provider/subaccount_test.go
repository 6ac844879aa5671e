package provider

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const testSubaccount = "2000000001"

// newSubaccount returns an account in which 3215550000 and the following FoneNumbers belong to a subaccount.
func newSubaccount(t *testing.T, count int) *account {
	t.Helper()
	a := newAccount(t, simulator.Options{})
	for i := range count {
		a.Put(simulator.FoneNumber{Number: fmt.Sprint(3215550000 + i), Subaccount: testSubaccount})
	}
	a.Put(simulator.FoneNumber{Number: "4075550000"})
	return a
}

// onlyActsOn checks that all requests except logins were sent with a token of this account.
func (a *account) onlyActsOn(t *testing.T, code string) {
	t.Helper()
	for _, r := range a.Requests() {
		if kind := r.Kind(); kind != "login" && kind != "subaccount" && r.Account != code && r.Status != http.StatusUnauthorized {
			t.Errorf("%s %s was sent with a token of account %q", r.Method, r.Path, r.Account)
		}
	}
}

// Tokens that expire during an apply are renewed once: the subaccount's with the user's.
func TestAccSubaccountTokenExpiresDuringApply(t *testing.T) {
	t.Parallel()
	for name, expire := range map[string]func(a *account, w http.ResponseWriter) (responded bool){
		"both": func(a *account, _ http.ResponseWriter) bool {
			a.ExpireTokens()
			return false
		},
		"subaccount": func(_ *account, w http.ResponseWriter) bool {
			respond(w, http.StatusUnauthorized, "Token expired.")
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newSubaccount(t, 20)
			w := a.newWorkspace(t, numbered(20, "ops@example.com"), "FRACTEL_SUBACCOUNT="+testSubaccount)
			w.plan(2, "-out=saved.tfplan")
			a.onlyActsOn(t, testSubaccount)
			a.Forget()
			var mu sync.Mutex
			sets := 0
			a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if strings.HasSuffix(r.URL.Path, "/messages/receive") {
					if sets++; sets == 10 {
						return expire(a, w)
					}
				}
				return false
			})
			w.run(0, "apply", "-no-color", "saved.tfplan")
			if logins, subaccounts := a.count("login"), a.count("subaccount"); logins != 2 || subaccounts != 2 {
				t.Errorf("%d logins and %d subaccount tokens, want 2 of each", logins, subaccounts)
			}
			a.onlyActsOn(t, testSubaccount)
			for _, f := range a.Numbers() {
				if want := map[bool]string{true: "ops@example.com"}[f.Subaccount != ""]; f.Receive.Email != want {
					t.Errorf("FoneNumber %s delivers to %+v", f.Number, f.Receive)
				}
			}
		})
	}
}

// The token of a rejected subaccount is requested once, and there is one clear error.
func TestAccWrongSubaccountIsTriedOnce(t *testing.T) {
	t.Parallel()
	a := newSubaccount(t, 20)
	w := a.newWorkspace(t, numbered(20, "ops@example.com"), "FRACTEL_SUBACCOUNT=2999999999")
	output := w.plan(1)
	says(t, output, "Error: Subaccount Not Accessible", "Could not get a token for subaccount 2999999999:", "Check subaccount in the provider configuration or in FRACTEL_SUBACCOUNT")
	if n := strings.Count(output, "Error: "); n != 1 {
		t.Errorf("%d errors, want 1:\n%s", n, output)
	}
	if n := a.count("subaccount"); n != 1 {
		t.Errorf("%d requests for a subaccount, want 1", n)
	}
	a.byHand("3215550000", "Email", "ops@example.com")
	w.setEnv("FRACTEL_SUBACCOUNT=" + testSubaccount)
	w.apply()
	w.setEnv("FRACTEL_SUBACCOUNT=2999999999")
	a.Forget()
	if output = w.plan(1); strings.Count(output, "Error: ") != 1 {
		t.Errorf("want one error for all FoneNumbers in the state:\n%s", output)
	}
	if got := a.count("get") + a.count("list") + a.count("set"); got > 0 {
		t.Errorf("%d requests were sent without the subaccount's token", got)
	}
}

// Data sources and lists return only the subaccount's FoneNumbers.
func TestAccSubaccountReads(t *testing.T) {
	t.Parallel()
	a := newSubaccount(t, 2)
	a.PutDevice(simulator.Device{ID: "1", Subaccount: testSubaccount})
	a.PutDevice(simulator.Device{ID: "2"})
	w := a.newWorkspace(t, `
data "fractel_fonenumbers" "all" {
}
data "fractel_devices" "all" {
}
output "all" {
  value = [keys(data.fractel_fonenumbers.all.fonenumbers), keys(data.fractel_devices.all.devices)]
}
`, "FRACTEL_SUBACCOUNT="+testSubaccount)
	w.apply()
	if got := asJSON(t, w.outputs()["all"]); got != `[["3215550000","3215550001"],["1"]]` {
		t.Errorf("read %s", got)
	}
	a.onlyActsOn(t, testSubaccount)
}

// The example of several accounts: each FoneNumber is set with the token of its own account.
func TestAccSubaccountsExample(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(filepath.Join(root, "examples", "subaccounts", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	a := newAccount(t, simulator.Options{Account: "1000000001"})
	accounts := map[string]string{"3215550100": "", "3215550200": "2000000001", "3215550201": "2000000001", "3215550300": "2000000002"}
	for number, code := range accounts {
		a.Put(simulator.FoneNumber{Number: number, Subaccount: code})
	}
	w := a.newWorkspace(t, string(config))
	w.apply()
	w.plan(0)
	sets := 0
	for _, r := range a.Requests() {
		if number := r.Form.Get("fonenumber"); number != "" {
			sets++
			if want := accounts[number]; r.Account != want && (want != "" || r.Account != "1000000001") {
				t.Errorf("FoneNumber %s was set with a token of account %q, want %q", number, r.Account, want)
			}
		}
	}
	if sets != len(accounts) {
		t.Errorf("%d settings, want %d", sets, len(accounts))
	}
}
