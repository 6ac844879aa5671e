package provider

import "testing"

// All changes to the credentials of one callback: what each step sends, and what FoneStorm then has. No plan warns about credentials
// that something else has set.
func TestChangesOfCredentials(t *testing.T) {
	t.Parallel()
	for _, as := range settings {
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
			{"none", toHook, true, "", ""},
			{"another URL", toOtherHook, true, "", ""},
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
			{"both removed", with(toHook, "on_destroy", "disable"), true, "", ""},
			{"both for the destroy", toURL("hook", "seventh", 4), true, "hook", "seventh"},
		} {
			before := w.count(as.request)
			wantWarnings(t, w.mustApply(as.config(step.config)), nil)
			if sent := w.count(as.request) > before; sent != step.sent {
				t.Errorf("%s, %s: a setting was sent: %t, want %t", as.name, step.about, sent, step.sent)
			}
			as.mustBe(t, w.account, testNumber, delivery{"URL", step.config.text("value"), step.username, step.password})
		}
		w.mustApply(nil)
		as.mustBe(t, w.account, testNumber, delivery{kind: "None"}) // Also checks that there are no credentials.
	}
}

// theirs is a callback with credentials that were set outside of Terraform.
var theirs = delivery{"URL", hookURL, "theirs", "their-horse"}

// Callback credentials that Terraform has not seen stay with their URL, and never reach another one. A plan that removes them
// says so. If the FoneNumber cannot be read before an update, what the plan was made for decides. Each case ends with these credentials.
func TestUnseenCredentials(t *testing.T) {
	t.Parallel()
	const removed = "Callback Credentials Will Be Removed"
	for name, test := range map[string]struct {
		imported bool // Otherwise, it is created over them.
		unread   bool // Whether the FoneNumber cannot be read in the apply.
		then     attributes
		want     delivery
		warnings []string
	}{
		"imported":                   {true, false, toHook, theirs, nil},
		"imported, with a method":    {true, false, with(toHook, "url_method", "POST"), theirs, nil},
		"imported, and not read":     {true, true, with(toHook, "url_method", "POST"), theirs, nil},
		"imported, to another URL":   {true, false, toOtherHook, delivery{kind: "URL", value: "https://other.example.com/"}, []string{removed}},
		"imported, with credentials": {true, false, toURL("ours", "our-horse", 0), delivery{"URL", hookURL, "ours", "our-horse"}, nil},
		"created over the same URL":  {false, false, toHook, theirs, []string{"FoneNumber Already Has This Delivery"}},
		"created over another URL": {
			false, false, toOtherHook, delivery{kind: "URL", value: "https://other.example.com/"}, []string{alreadyDelivers},
		},
		"created over it, credentials": {
			false, false, with(toOtherHook, "url_username", "ours"),
			delivery{"URL", "https://other.example.com/", "ours", ""},
			[]string{alreadyDelivers},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			settings[0].set(w.account, testNumber, theirs)
			if test.imported {
				w.mustImport(testNumber)
			}
			p := w.plan(test.then)
			if test.unread {
				w.reject("/fonenumbers/"+testNumber, "403 No.")
			}
			wantWarnings(t, append(p.diags, w.carryOut(p)...), test.warnings)
			w.Intercept(nil)
			w.mustPlanNothing()
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
			wantWarnings(t, w.mustApply(toOtherHook), []string{removed})
			w.mustDeliver(t, testNumber, delivery{kind: "URL", value: "https://other.example.com/"})
		})
	}
}

// Credentials that FoneStorm does not remove must not reach another URL: not by a detour through another type, nor by a create before
// the destroy of the object that it replaces, which knows nothing of it. They can also have been set by hand.
func TestCredentialsThatCannotBeRemoved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rejected                    string // Parameter that FoneStorm rejects if it is empty.
		to                          attributes
		detour, createFirst, byHand bool
	}{
		"both, by a detour":        {rejected: "url_username", to: toOtherHook, detour: true},
		"those set by hand":        {rejected: "url_username", to: toOtherHook, detour: true, byHand: true},
		"the password":             {rejected: "url_password", to: with(toOtherHook, "url_username", "other")},
		"the password of a create": {rejected: "url_password", to: toOtherHook, createFirst: true},
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
			w.mustApply(with(with(toOtherHook, "url_username", "new"), "url_password", "horse-2"))
			wantWarnings(t, w.apply(nil), []string{"Messages Will Be Deleted", "Callback Credentials May Remain"})
			if f, _ := w.Get(testNumber); f.Receive.Type != "None" {
				t.Errorf("FoneStorm has %+v", f.Receive)
			}
		})
	}
}

// Credentials that a replacement removes are not forgotten if it fails, because FoneStorm keeps the ones that a request omits.
func TestCredentialsOfAFailedReplacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toURL("hook", "horse", 0))
	w.reject("/messages/receive", "403 No.")
	w.replaced = []string{"0"}
	wantError(t, w.apply(toHook), "Permission Denied by FoneStorm")
	w.Intercept(nil)
	w.replaced = nil
	w.mustApply(toHook)
	w.mustDeliver(t, testNumber, delivery{kind: "URL", value: hookURL})
}

// Even if the destroy of a renamed resource turns the FoneNumber off first, the credentials of its URL do not reach another one, also if
// FoneStorm rejects empty ones. If the URL stays the same, credentials that were set outside of Terraform stay, too.
func TestCredentialsOfARenamedResource(t *testing.T) {
	t.Parallel()
	hook := delivery{"URL", hookURL, "hook", "horse"}
	w := newWorld(t, testNumber)
	w.rejectEmpty("url_password")
	p := w.renamed(destroyFirst, hook.attributes(testNumber), toOtherHook)
	wantError(t, w.carryOut(p), "Destination Rejected by FoneStorm", "must not reach the new URL")
	w.mustDeliver(t, testNumber, delivery{"None", "", "hook", "horse"})

	w = newWorld(t, testNumber)
	settings[0].set(w.account, testNumber, hook)
	w.state["old"] = w.imported(t, testNumber, false)
	p = w.renamed(destroyFirst, with(toHook, "on_destroy", onDestroyDisable), toHook)
	wantWarnings(t, w.carryOut(p), nil)
	w.mustDeliver(t, testNumber, hook)
}

// A service that rejects empty credentials blocks no FoneNumber that never had any, also if a response to them is lost.
func TestFoneNumberWithoutCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.settings = attributes{"max_retries": 0}
	w.rejectEmpty("url_username")
	for _, config := range []attributes{toEmail, toHook, toEmail, toOtherHook} {
		w.mustApply(config)
	}
	w.mustApply(toEmail)
	w.reject("/messages/receive", "503 Later.")
	wantError(t, w.apply(toOtherHook), "FoneStorm Server Error")
	w.rejectEmpty("url_username")
	w.mustApply(toOtherHook)

	w = newWorld(t, testNumber)
	w.byHand(testNumber, "Email", "ops@example.com")
	w.mustImport(testNumber)
	w.rejectEmpty("url_username")
	w.mustApply(toOtherHook)
}
