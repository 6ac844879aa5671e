package provider

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// notify returns the configuration of a notification about received messages. A type other than a URL has no method.
func notify(kind, value, method string) attributes {
	config := attributes{"fonenumber": testNumber, "event": "receive", "type": kind, "value": value, "url_method": method}
	for name, text := range config {
		if text == "" {
			delete(config, name)
		}
	}
	return config
}

// A notification is set, changed, corrected after drift, and turned off, unless it was changed. Nothing else of the FoneNumber changes.
func TestLifeOfNotification(t *testing.T) {
	t.Parallel()
	for _, as := range settings[1:] {
		w := newWorld(t, testNumber)
		w.byHand(testNumber, "Email", "ops@example.com")
		others := settings[3-slices.Index(settings, as)]
		others.set(w.account, testNumber, delivery{kind: "Email", value: "others@example.com"})
		for i, step := range []attributes{
			notify("Callback", hookURL, "JSON"), notify("Callback", hookURL, "GET"), notify("Callback", hookURL+"?m={{msg}}", "POST"),
			notify("Email", "ops@example.com", ""), notify("Email", "dev@example.com", "JSON"), notify("None", "", ""),
			notify("Callback", hookURL, "POST"),
		} {
			config := as.config(step)
			var unseen []string
			if i == 6 { // While the type was Email or None, a callback was set by hand, perhaps with credentials.
				unseen = []string{"Callback Credentials Will Be Removed"}
			}
			wantWarnings(t, w.mustApply(config), unseen)
			f, _ := w.Get(testNumber)
			if n := as.notification(&f); n.Type != step["type"] || n.Type == "Callback" && n.Method != step["url_method"] {
				t.Errorf("%v has set %+v", config, n)
			}
			*as.notification(&f) = simulator.Notify{Type: "Callback", URL: hookURL, Method: "GET"} // By hand.
			w.Put(f)
			if p := w.plan(config); failure(p.diags) != nil || p.isEmpty() != (i == 1) {
				t.Errorf("after a change by hand, the plan of %v has changes %q and %v", config, p.differs(), p.diags)
			}
			w.mustApply(config)
		}
		wantWarnings(t, w.mustApply(nil), nil)
		as.mustBe(t, w.account, testNumber, delivery{kind: "None"})
		settings[0].mustBe(t, w.account, testNumber, delivery{kind: "Email", value: "ops@example.com"})
		others.mustBe(t, w.account, testNumber, delivery{kind: "Email", value: "others@example.com"})
		w.sendsOnly(t, 0)

		w.mustApply(as.config(notify("Callback", hookURL, "POST")))
		as.set(w.account, testNumber, delivery{kind: "Email", value: "boss@example.com"})
		wantWarnings(t, w.mustApply(nil), []string{summaryLeftUnchanged, summaryLeftUnchanged}, as.name+" of FoneNumber 3215551212 is Email")
		as.mustBe(t, w.account, testNumber, delivery{kind: "Email", value: "boss@example.com"})
	}
}

// A notification that the account's list does not show is read singly: it is neither drift nor turned off already.
func TestNotificationThatListsOmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 8 // More than are read singly.
		a := newAccount(t, simulator.Options{FoneNumbers: n})
		a.ShowAs(func(request string, f simulator.FoneNumber) simulator.FoneNumber {
			f.Unnotified = request == "list"
			return f
		})
		w := a.world(t)
		for _, as := range settings[1:] {
			var configs []attributes
			for i := range n {
				as.set(a, loadNumber(i), delivery{kind: "Email", value: "boss@example.com"})
				configs = append(configs, as.config(destinations[1].attributes(loadNumber(i))))
			}
			w.mustApply(configs...)
			found, diags := w.start().list(protocol().notification, attributes{"event": as.event}, 10)
			if wantWarnings(t, diags, nil); len(found) != n {
				t.Errorf("%s: listed %v", as.name, found)
			}
			w.mustApply(nil)
			for i := range n {
				as.mustBe(t, a, loadNumber(i), delivery{kind: "None"})
			}
		}
	})
}

// Mistakes of notifications that deliveries do not have.
func TestMistakesInNotifications(t *testing.T) {
	t.Parallel()
	r := newWorld(t).start()
	for _, test := range []struct {
		config        attributes
		summary, text string
	}{
		{notify("URL", hookURL, "JSON"), "Invalid Attribute Value Match", `must be one of: ["Callback" "Email" "None"], got: "URL"`},
		{notify("Callback", hookURL, ""), "Missing URL Method", `"GET", "POST", or "JSON"`},
		{notify("Callback", hookURL, "json"), "Invalid Attribute Value Match", `got: "json"`},
		{notify("Callback", "hooks.example.com", "JSON"), "Invalid Destination", "must begin with https:// or http://"},
		{with(notify("None", "", ""), "event", "call"), "Invalid Attribute Value Match", `["receive" "send"]`},
	} {
		wantError(t, r.validate(test.config), test.summary, test.text)
	}
	if diags := r.validate(notify("Email", "ops@example.com", "JSON")); len(diags) > 0 {
		t.Errorf("a method without a URL is %+v, want it ignored", diags[0])
	}
}
