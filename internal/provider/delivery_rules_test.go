package provider

import (
	"fmt"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Every correction of a text is sent, however small, and once: even one that means the same destination, which is not drift. A token that
// is percent-encoded by hand is drift, because FoneStorm may not replace it.
func TestCorrectionsAreSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, wrong, right string
		isDrift            bool
	}{
		{"URL", "https://hooks.example.com/?m=%7B%7Bmsg%7D%7D", "https://hooks.example.com/?m={{msg}}", true},
		{"URL", "https://hooks.example.com/?a=1&amp;b=2", "https://hooks.example.com/?a=1&b=2", true},
		{"URL", "https://hooks.example.com/a%2fb", "https://hooks.example.com/a%2Fb", true},
		{"URL", "https://hooks.example.com", "https://hooks.example.com/", false},
		{"Email", "Ops@example.com", "ops@example.com", false},
	} {
		w := newWorld(t, testNumber)
		w.mustApply(delivery{kind: test.kind, value: test.wrong}.attributes(testNumber))
		right := delivery{kind: test.kind, value: test.right}
		w.mustApply(right.attributes(testNumber))
		w.sendsOnly(t, 2)
		w.mustDeliver(t, testNumber, right)
		w.byHand(testNumber, test.kind, test.wrong)
		if p := w.plan(right.attributes(testNumber)); p.isEmpty() == test.isDrift {
			t.Errorf("after %q was set by hand, the plan changes %q", test.wrong, p.differs())
		}
	}
}

// theirHook is a callback with credentials that were set outside of Terraform.
var theirHook = simulator.Receive{Type: "URL", URL: hookURL, URLMethod: "POST", URLUsername: "theirs", URLPassword: "their-horse"}

// Callback credentials that Terraform has not seen stay with their URL, and never reach another one. A plan that removes them
// says so. Each case ends with these credentials.
func TestUnseenCredentials(t *testing.T) {
	t.Parallel()
	const removed = "Callback Credentials Will Be Removed"
	theirs := delivery{"URL", hookURL, "theirs", "their-horse"}
	elsewhere := with(toURL("", "", 0), "value", "https://other.example.com/")
	for name, test := range map[string]struct {
		imported bool
		then     attributes
		want     delivery
		warnings []string
		says     string
	}{
		"imported":                   {true, toURL("", "", 0), theirs, nil, ""},
		"imported, with a method":    {true, with(toURL("", "", 0), "url_method", "POST"), theirs, nil, ""},
		"imported, to another URL":   {true, elsewhere, delivery{kind: "URL", value: "https://other.example.com/"}, []string{removed}, ""},
		"imported, with credentials": {true, toURL("ours", "our-horse", 0), delivery{"URL", hookURL, "ours", "our-horse"}, nil, ""},
		"created over the same URL":  {false, toURL("", "", 0), theirs, []string{"FoneNumber Already Has This Delivery"}, ""},
		"created over another URL": {
			false, elsewhere, delivery{kind: "URL", value: "https://other.example.com/"}, []string{alreadyDelivers}, "removes callback credentials",
		},
		"created over it, credentials": {
			false, with(elsewhere, "url_username", "ours"), delivery{"URL", "https://other.example.com/", "ours", ""}, []string{alreadyDelivers}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Put(simulator.FoneNumber{Number: testNumber, Receive: theirHook})
			if test.imported {
				w.mustImport(testNumber)
			}
			wantWarnings(t, w.mustApply(test.then), test.warnings, test.says)
			w.mustDeliver(t, testNumber, test.want)
			if test.want != theirs {
				return
			}
			// A replacement keeps them, as does another setting of the same URL.
			w.replaced = []string{"0"}
			w.apply()
			w.replaced = nil
			f, _ := w.Get(testNumber)
			f.Receive.URLMethod = "GET"
			w.Put(f)
			w.mustApply(with(test.then, "url_method", "POST"))
			w.mustDeliver(t, testNumber, theirs)
			wantWarnings(t, w.mustApply(elsewhere), []string{removed})
			w.mustDeliver(t, testNumber, delivery{kind: "URL", value: "https://other.example.com/"})
		})
	}
}

// Credentials that FoneStorm does not remove must not reach another URL: not by a detour through another type, nor by a create before
// the destroy of the object that it replaces, which knows nothing of it. They can also have been set by hand.
func TestCredentialsThatCannotBeRemoved(t *testing.T) {
	t.Parallel()
	elsewhere := with(toURL("", "", 0), "value", "https://other.example.com/")
	for name, test := range map[string]struct {
		rejected                    string // Parameter that FoneStorm rejects if it is empty.
		to                          attributes
		detour, createFirst, byHand bool
	}{
		"both":                     {rejected: "url_username", to: elsewhere},
		"both, by a detour":        {rejected: "url_username", to: elsewhere, detour: true},
		"those set by hand":        {rejected: "url_username", to: elsewhere, detour: true, byHand: true},
		"the password":             {rejected: "url_password", to: with(elsewhere, "url_username", "other")},
		"the password of a create": {rejected: "url_password", to: elsewhere, createFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			w.mustApply(toURL("hook", "horse", 0))
			w.rejectEmpty(test.rejected)
			switch {
			case test.byHand:
				w.state = map[string]instance{}
				wantWarnings(t, w.mustApply(toEmail), []string{"FoneNumber Already Delivers Elsewhere"})
			case test.detour:
				wantWarnings(t, w.mustApply(toEmail), []string{"Callback Credentials May Remain"})
			}
			before, _ := w.Get(testNumber)
			if test.createFirst {
				w.createFirst, w.replaced = true, []string{"0"}
			}
			wantError(t, w.apply(test.to), "Destination Rejected by FoneStorm", "must not reach the new URL", "set url_username")
			if after, _ := w.Get(testNumber); after != before {
				t.Errorf("FoneStorm has %+v, want %+v", after, before)
			}
			w.replaced = nil
			w.mustApply(with(with(elsewhere, "url_username", "new"), "url_password", "horse-2"))
			wantWarnings(t, w.apply(nil), []string{"Messages Will Be Deleted", "Callback Credentials May Remain"})
			if f, _ := w.Get(testNumber); f.Receive.Type != "None" {
				t.Errorf("FoneStorm has %+v", f.Receive)
			}
		})
	}
}

// A service that rejects empty credentials blocks no FoneNumber that never had any, also if a response to them is lost.
func TestFoneNumberWithoutCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.settings = attributes{"max_retries": 0}
	w.rejectEmpty("url_username")
	toOther := with(toURL("", "", 0), "value", "https://other.example.com/")
	for _, config := range []attributes{toEmail, toURL("", "", 0), toEmail, toOther} {
		w.mustApply(config)
	}
	w.mustApply(toEmail)
	w.reject("/messages/receive", "503 Later.")
	wantError(t, w.apply(toOther), "FoneStorm Server Error")
	w.rejectEmpty("url_username")
	w.mustApply(toOther)

	w = newWorld(t, testNumber)
	w.byHand(testNumber, "Email", "ops@example.com")
	w.mustImport(testNumber)
	w.rejectEmpty("url_username")
	w.mustApply(toOther)
}

// ignore_changes can keep half of a destination. A plan that would send it is an error that names both attributes. Before that, a
// scheduled `plan -refresh-only -detailed-exitcode` finds nothing.
func TestAccIgnoreChanges(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{}, testNumber)
	config := func(kind, value, ignored string) string {
		return delivery{kind: kind, value: value}.block("test", testNumber, fmt.Sprintf("lifecycle {\n  ignore_changes = [%s]\n}", ignored))
	}
	w := a.newWorkspace(t, config("Email", "ops@example.com", "value"))
	w.apply(0)
	w.plan(0, "-refresh-only")
	a.byHand(testNumber, "Email", "else@example.com") // Ignored.
	w.plan(0)
	w.configure(config("Forward", "3215551111", "value"))
	says(t, w.plan(1), "Error: Invalid Destination", `combines a value with type "Forward"`, "ignore_changes", "-refresh=false")
	w.configure(config("Email", "new@example.com", "value"))
	a.byHand(testNumber, "URL", hookURL)
	says(t, w.plan(1), "Error: Invalid Destination", `combines a value with type "Email"`)
	says(t, w.apply(1, "-destroy"), "-refresh=false")
	a.byHand(testNumber, "Email", "ops@example.com")
	w.apply(0, "-destroy")
	a.mustDeliver(t, testNumber, delivery{kind: "None"})
}
