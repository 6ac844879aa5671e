package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// deliveryOf returns the configuration of one delivery, named after its FoneNumber.
func deliveryOf(number, kind, value string) string {
	return fmt.Sprintf("resource \"fractel_fonenumber_delivery\" \"n%s\" {\n  fonenumber = %[1]q\n  type       = %q\n  value      = %q\n}\n", number, kind, value)
}

// A plan warns of each new or changed callback URL that the receive notification calls as well, and of no other delivery.
func TestMessagesThatArriveTwice(t *testing.T) {
	t.Parallel()
	const warning, hook = "Warning: Messages Will Arrive Twice", "https://hooks.example.com/sms?msg={{msg}}"
	a := newAccount(t, simulator.Options{})
	notifications := map[string]simulator.Notify{
		"3215550000": {Type: "Callback", URL: "HTTPS://Hooks.example.com:443/sms?msg=%7B%7Bmsg%7D%7D", Method: "JSON"},
		"3215550001": {Type: "Callback", URL: "https://hooks.example.com/other"},
		"3215550002": {Type: "None", URL: hook}, // Left from earlier.
		"3215550003": {Type: "Callback", URL: hook},
		"3215550004": {Type: "Callback", URL: "https://hook:horse@hooks.example.com/sms?msg={{msg}}"},
	}
	for number, n := range notifications {
		a.Put(simulator.FoneNumber{Number: number, ReceiveNotify: n})
	}
	others := deliveryOf("3215550001", "URL", hook) + deliveryOf("3215550002", "URL", hook) +
		deliveryOf("3215550003", "Email", "ops@example.com") + deliveryOf("3215550004", "URL", hook)
	w := a.newWorkspace(t, others+deliveryOf("3215550000", "URL", hook))
	output := w.apply()
	if n := strings.Count(output, warning); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, output)
	}
	says(t, output, "The receive notification of FoneNumber 3215550000 calls the same URL as this delivery", "with fractel_fonenumber_delivery.n3215550000")
	if strings.Contains(output, "horse") {
		t.Errorf("shows a password:\n%s", output)
	}
	if output = w.plan(0); strings.Contains(output, warning) {
		t.Errorf("warns of a delivery that does not change:\n%s", output)
	}
	w.configure(others + deliveryOf("3215550000", "URL", "https://hooks.example.com/other"))
	if output = w.apply(); strings.Contains(output, warning) {
		t.Errorf("warns of another URL:\n%s", output)
	}
	w.configure(others + deliveryOf("3215550000", "URL", hook))
	says(t, w.plan(2), warning)
}

// A plan warns of each new or changed device that the account does not list, and asks for the list once, and only if a
// device is planned.
func TestDeviceThatTheAccountDoesNotList(t *testing.T) {
	t.Parallel()
	const warning, known, unknown = "Warning: Device Not Found in Account", "987123543678", "21915233078"
	tests := map[string]struct {
		profile  simulator.Profile
		settings string // Of the provider.
		config   string
		says     string // "" for no warning.
		requests int    // For the list of devices.
	}{
		"listed": {config: deliveryOf("3215550000", "Device", known), requests: 1},
		"not listed": {
			config: deliveryOf("3215550000", "Device", unknown) + deliveryOf("3215550001", "Device", "1") + deliveryOf("3215550002", "Device", known),
			says:   "(and one more similar warning elsewhere)", requests: 1,
		},
		"no device": {config: deliveryOf("3215550000", "Email", "ops@example.com")},
		"list refused": {
			profile: simulator.Profile{Devices: "refused"},
			config:  deliveryOf("3215550000", "Device", unknown) + deliveryOf("3215550001", "Device", unknown), requests: 1,
		},
		"no checks": {settings: "check_on_plan = false", config: deliveryOf("3215550000", "Device", unknown)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{FoneNumbers: 3, Profile: test.profile})
			a.PutDevice(simulator.Device{ID: known, Name: "Front desk"})
			w := a.newWorkspace(t, a.provider(test.settings)+test.config)
			output := w.plan(2)
			says(t, output, test.says)
			if warned := strings.Contains(output, warning); warned != (test.says != "") {
				t.Errorf("a warning is %t:\n%s", warned, output)
			}
			if n := a.count("devices"); n != test.requests {
				t.Errorf("%d requests for devices, want %d", n, test.requests)
			}
		})
	}
}

// A device that is set already is not asked about, and a list that fails is no reason to warn.
func TestDeviceThatIsSet(t *testing.T) {
	t.Parallel()
	const warning = "Warning: Device Not Found in Account"
	a := newAccount(t, simulator.Options{FoneNumbers: 1})
	a.PutDevice(simulator.Device{ID: "987123543678"})
	w := a.newWorkspace(t, deliveryOf("3215550000", "Device", "987123543678"))
	w.apply()
	a.Forget()
	w.plan(0)
	if n := a.count("devices"); n > 0 {
		t.Errorf("%d requests for devices, want none", n)
	}
	a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/devices") {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	w.configure(deliveryOf("3215550000", "Device", "21915233078"))
	if output := w.plan(2); strings.Contains(output, warning) {
		t.Errorf("warns without a list:\n%s", output)
	}
	a.Intercept(nil)
	says(t, w.plan(2), warning, "FoneNumber 3215550000 will deliver to a device that the account does not list")
}
