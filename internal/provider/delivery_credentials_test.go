package provider

import "testing"

const hookURL = "https://hooks.example.com/sms"

// toURL returns the configuration of a callback with these credentials. A password with a version is write-only.
func toURL(username, password string, version int) attributes {
	config := delivery{"URL", hookURL, username, password}.attributes(testNumber)
	if version > 0 {
		delete(config, "url_password")
		config["url_password_wo"], config["url_password_wo_version"] = password, version
	}
	return config
}

// All changes to the credentials of one callback: what each step sends, and what FoneStorm then has. No plan warns about credentials
// that something else has set.
func TestChangesOfCredentials(t *testing.T) {
	t.Parallel()
	for _, as := range settings {
		t.Run(as.name, func(t *testing.T) {
			t.Parallel()
			checkCredentials(t, as)
		})
	}
}

func checkCredentials(t *testing.T, as setting) {
	t.Helper()
	w := newWorld(t, testNumber)
	if as.event != "" {
		w.byHand(testNumber, "Email", "ops@example.com")
	}
	for _, step := range []struct {
		about              string
		config             attributes
		sent               bool
		username, password string
	}{
		{"none", toURL("", "", 0), true, "", ""},
		{"another URL", with(toURL("", "", 0), "value", "https://other.example.com/"), true, "", ""},
		{"a username", toURL("hook", "", 0), true, "hook", ""},
		{"a password in the state", toURL("hook", "first", 0), true, "hook", "first"},
		{"unchanged", toURL("hook", "first", 0), false, "hook", "first"},
		{"another password", toURL("hook", "second", 0), true, "hook", "second"},
		{"write-only instead", toURL("hook", "third", 1), true, "hook", "third"},
		{"changed without a version", toURL("hook", "fourth", 1), false, "hook", "third"},
		{"changed with its version", toURL("hook", "fourth", 2), true, "hook", "fourth"},
		{"sent along with another change", toURL("other", "fifth", 2), true, "other", "fifth"},
		{"on_destroy alone", with(toURL("other", "fifth", 2), "on_destroy", "keep"), false, "other", "fifth"},
		{"the password removed", toURL("other", "", 0), true, "other", ""},
		{"both again", toURL("hook", "sixth", 3), true, "hook", "sixth"},
		{"both removed", with(toURL("", "", 0), "on_destroy", "disable"), true, "", ""},
		{"both for the destroy", toURL("hook", "seventh", 4), true, "hook", "seventh"},
	} {
		before := w.count(as.request)
		wantWarnings(t, w.mustApply(as.config(step.config)), nil)
		if sent := w.count(as.request) > before; sent != step.sent {
			t.Errorf("%s: a setting was sent: %t, want %t", step.about, sent, step.sent)
		}
		as.mustBe(t, w.account, testNumber, delivery{"URL", step.config.text("value"), step.username, step.password})
	}
	w.mustApply(nil)
	as.mustBe(t, w.account, testNumber, delivery{kind: "None"}) // Also checks that there are no credentials.
}
