package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	alreadyDelivers = "FoneNumber Already Delivers Elsewhere"
	missingDevice   = "Device Not Found in Account"
	twice           = "Messages Will Arrive Twice"
	nothing         = "Notification Without Delivery"
)

func TestPlanWarnings(t *testing.T) {
	t.Parallel()
	const deleted, overwrites = "Messages Will Be Deleted", "FoneNumber Already Has a Notification"
	has := func(email string) simulator.FoneNumber {
		return simulator.FoneNumber{Receive: simulator.Receive{Type: "Email", Email: email}}
	}
	calls := func(url string) simulator.FoneNumber {
		return simulator.FoneNumber{ReceiveNotify: simulator.Notify{Type: "Callback", URL: url, Method: "JSON"}}
	}
	mailsAndCalls := func(url string) simulator.FoneNumber {
		return simulator.FoneNumber{Receive: has("ops@example.com").Receive, ReceiveNotify: calls(url).ReceiveNotify}
	}
	to := func(i int) attributes { return destinations[i].attributes(testNumber) }
	unlisted := otherDestinations[0].attributes(testNumber)
	tests := map[string]struct {
		found    simulator.FoneNumber // Before anything is applied.
		before   attributes           // Configuration that was applied before; nil for none.
		byHand   string               // E-mail address that was set since then.
		settings attributes           // Provider settings.
		rejected string               // End of the path of requests that FoneStorm rejects.
		config   attributes           // Nil for a destroy.
		warning  string
		texts    []string
		removes  bool // Whether the plan says that it removes credentials.
	}{
		"delivers elsewhere": {
			found: has("old@example.com"), config: to(0), warning: alreadyDelivers,
			texts: []string{
				`FoneNumber 3215551212 delivers to Email "old@example.com" now`, `replaces it with the configured delivery of type "Device"`,
				"import {\n  to = <address of this resource>\n  id = \"3215551212\"\n}",
			},
		},
		"delivers elsewhere and will be None": {
			found: has("old@example.com"), config: to(4), warning: deleted, texts: []string{`replaces it with type "None"`},
		},
		"method of another type": {
			found:  simulator.FoneNumber{Receive: simulator.Receive{Type: "URL", URL: hookURL, URLMethod: "GET"}},
			config: to(1), warning: alreadyDelivers,
		},
		"unknown value": {
			found: has("old@example.com"), config: with(to(1), "value", tftypes.UnknownValue),
			warning: alreadyDelivers, texts: []string{`replaces it with the configured delivery of type "Email"`},
		},
		"the same": {
			found: has("ops@example.com"), config: to(1),
			warning: "FoneNumber Already Has This Delivery", texts: []string{"import it", `on_destroy = "keep"`, "moved block"},
		},
		"the same, kept": {found: has("ops@example.com"), config: with(to(1), "on_destroy", "keep")},
		"no delivery":    {config: to(1)},
		"not known yet": {
			config: with(to(1), "fonenumber", tftypes.UnknownValue), warning: "FoneNumber Not Checked",
			texts: []string{"does not show which delivery it has"},
		},
		"method of the same URL": {
			found:  simulator.FoneNumber{Receive: simulator.Receive{Type: "URL", URL: hookURL, URLMethod: "GET"}},
			config: with(toHook, "on_destroy", "keep"), warning: "Callback Method Changes to POST",
		},
		"cancelled": {
			found: simulator.FoneNumber{Active: "cancel"}, config: to(1), warning: "FoneNumber Is Not Active",
			texts: []string{"FoneNumber 3215551212 is cancelled", `AttributeName("fonenumber")`},
		},
		"no messaging": {
			found: simulator.FoneNumber{MessagingDisabled: true}, config: to(1), warning: "Messaging Is Not Enabled",
			texts: []string{`AttributeName("fonenumber")`},
		},
		"called twice": {
			found: calls("HTTPS://Hooks.example.com:443/sms?msg=%7B%7Bmsg%7D%7D"), config: to(2), warning: twice,
			texts: []string{"The receive notification of FoneNumber 3215551212 calls the same URL as its delivery"},
		},
		"called with credentials": {found: calls("https://hook:horse@hooks.example.com/sms?msg={{msg}}"), config: to(2)},
		"checks turned off": {
			found:    simulator.FoneNumber{Active: "cancel", MessagingDisabled: true, Receive: has("old@example.com").Receive},
			settings: attributes{"check_on_plan": false}, config: unlisted,
		},
		"unlisted device": {
			config: unlisted, warning: missingDevice,
			texts: []string{"FoneNumber 3215551212 will deliver to a device that the account does not list"},
		},
		"devices cannot be listed": {config: unlisted, rejected: "/devices"},

		"another notification": {
			found: mailsAndCalls("https://user:secret@old.example.com/secret"), config: notify("Callback", hookURL, "JSON"),
			warning: overwrites, texts: []string{"The receive notification of FoneNumber 3215551212 is ", `id = "3215551212/receive"`},
			removes: true,
		},
		"another method":         {found: mailsAndCalls(hookURL), config: notify("Callback", hookURL, "GET"), warning: overwrites},
		"the same notification":  {found: mailsAndCalls(hookURL), config: notify("Callback", hookURL, "JSON")},
		"no notification":        {found: has("ops@example.com"), config: notify("Callback", hookURL, "JSON")},
		"turns off notification": {found: mailsAndCalls(hookURL), config: notify("None", "", ""), warning: overwrites},

		"destroy by default": {
			before: to(1), warning: deleted, texts: []string{`turns FoneNumber 3215551212 off: messages received at it are deleted`},
		},
		"destroy type None":   {before: to(4)},
		"destroy keep":        {before: with(to(1), "on_destroy", "keep")},
		"destroy after drift": {before: to(1), byHand: "boss@example.com", warning: summaryLeftUnchanged},
		"destroy after drift, checks turned off": {
			before: to(1), byHand: "boss@example.com", settings: attributes{"check_on_plan": false}, warning: summaryLeftUnchanged,
		},
		"replace disable": {before: to(1), config: with(to(1), "fonenumber", otherNumber), warning: deleted},
		"replace keep, delivers elsewhere": {
			found: has("old@example.com"), before: with(with(to(1), "on_destroy", "keep"), "fonenumber", otherNumber),
			config: with(to(1), "on_destroy", "keep"), warning: alreadyDelivers,
		},
		"replace keep by default": {
			before: with(to(1), "on_destroy", "keep"), config: with(to(1), "fonenumber", otherNumber),
			warning: "Replacement Does Not Keep on_destroy",
		},
		"replace keep on purpose": {
			before: with(to(1), "on_destroy", "keep"), config: with(with(to(1), "on_destroy", "disable"), "fonenumber", otherNumber),
		},
		"change to None": {
			before: to(1), config: to(4), warning: deleted,
			texts: []string{`With type "None", messages received at it are deleted upon receipt`, `AttributeName("type")`},
		},
		"change to something else":     {before: to(1), config: to(0)},
		"change to an unlisted device": {before: to(0), config: unlisted, warning: missingDevice},
		"change of on_destroy only":    {before: to(4), config: with(to(4), "on_destroy", "keep")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, otherNumber)
			test.found.Number = testNumber
			w.Put(test.found)
			w.PutDevice(simulator.Device{ID: destinations[0].value})
			if test.before != nil {
				w.mustApply(test.before)
			}
			if test.byHand != "" {
				w.byHand(testNumber, "Email", test.byHand)
			}
			w.Forget()
			if w.settings = test.settings; test.rejected != "" {
				w.reject(test.rejected, "403 No.")
			}
			diags := w.plan(test.config).diags
			wantWarnings(t, diags, []string{test.warning}, test.texts...)
			for _, d := range diags {
				if strings.Contains(d.Detail, "secret") || strings.Contains(d.Detail, "removes callback credentials") != test.removes {
					t.Errorf("the plan shows a secret, or what happens to credentials: %s", d.Detail)
				}
			}
			if n := len(w.Requests()); n > 0 && test.before == nil && test.settings != nil {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// A plan that cannot read FoneNumbers fails. Rejected credentials and an unreachable FoneStorm are an error only once, also if the
// FoneNumbers are in the state.
func TestPlanFailsIfItCannotRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings attributes
		fault    simulator.Fault // Of reads, and of logins if FoneStorm cannot be reached.
		failure  string
		says     string
		once     bool // Whether there is one diagnostic for all FoneNumbers.
	}{
		"not in the account": {failure: "FoneNumber Not Found in Account", says: "terraform destroy -refresh=false"},
		"wrong credentials":  {settings: attributes{"password": "wrong"}, failure: "FoneStorm Authentication Failed", once: true},
		"rejected token": {
			settings: attributes{"username": nil, "password": nil, "token": "expired"}, failure: "FoneStorm Token Rejected", once: true,
			says: "the provider cannot renew a configured token",
		},
		"wrong subaccount": {
			settings: attributes{"subaccount": "2999999999"}, failure: "Subaccount Not Accessible", once: true,
			says: "Could not get a token for subaccount 2999999999:",
		},
		"forbidden": {fault: "403 No.", failure: "Permission Denied by FoneStorm"},
		"unreachable": {
			settings: attributes{"max_retries": 0}, fault: simulator.ConnectionClosed,
			failure: "Unable to Reach FoneStorm", says: "no response from http://localhost/v2", once: true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, loadNumber(0), loadNumber(1))
			configs := []attributes{destinations[1].attributes(loadNumber(0)), destinations[1].attributes(loadNumber(1))}
			w.mustApply(configs...)
			w.Remove(loadNumber(0))
			w.Remove(loadNumber(1))
			w.Forget()
			w.Intercept(func(r simulator.Request) simulator.Fault {
				if r.Method == http.MethodGet || test.fault == simulator.ConnectionClosed {
					return test.fault
				}
				return ""
			})
			for i := range 5 { // They are new.
				configs = append(configs, destinations[1].attributes(loadNumber(2+i)))
			}
			w.settings = test.settings
			diags := w.plan(configs...).diags
			wantError(t, diags, test.failure, test.says)
			if tried := w.count("login") + w.count("subaccount"); test.once && (len(diags) != 1 || tried > 3) {
				t.Errorf("%d diagnostics and %d attempts to get a token", len(diags), tried)
			}
		})
	}
}

// ignore_changes can keep half of a destination. A plan that would send it is an error that names both attributes. Before that, a
// scheduled `plan -refresh-only -detailed-exitcode` finds nothing.
func TestAccIgnoreChanges(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{}, testNumber)
	config := func(kind, value string) string {
		const lifecycle = "  lifecycle {\n    ignore_changes = [value]\n  }"
		return settings[0].block("test", testNumber, delivery{kind: kind, value: value}, lifecycle)
	}
	w := a.newWorkspace(t, config("Email", "ops@example.com"))
	w.apply(0)
	w.plan(0, "-refresh-only")
	a.byHand(testNumber, "Email", "else@example.com") // Ignored.
	w.plan(0)
	w.configure(config("Forward", "3215551111"))
	says(t, w.plan(1), "Error: Invalid Destination", `with type "Forward" combines arguments that do not belong together`, "ignore_changes", "-refresh=false")
	w.configure(config("Email", "new@example.com"))
	a.byHand(testNumber, "URL", hookURL)
	says(t, w.plan(1), "Error: Invalid Destination", `with type "Email" combines arguments`)
	says(t, w.apply(1, "-destroy"), "-refresh=false")
	a.byHand(testNumber, "Email", "ops@example.com")
	w.apply(0, "-destroy")
	a.mustDeliver(t, testNumber, delivery{kind: "None"})
}

// A delivery (d) and a notification (n) that do not fit together after the apply have exactly one warning, with the same text, in
// whatever order Terraform refreshes and plans them. If the apply removes one of them, there is none: except that a resource that is
// planned before the other one was even refreshed can only know what FoneStorm shows. Its warning says so.
func TestDeliveryAndNotificationInEveryOrder(t *testing.T) {
	t.Parallel()
	url, other := delivery{kind: "URL", value: hookURL}, delivery{kind: "URL", value: hookURL + "/other"}
	mail := delivery{kind: "Email", value: "ops@example.com"}
	none, unmanaged := delivery{kind: "None"}, delivery{kind: "unmanaged"}
	destroyed, kept := delivery{kind: "destroyed"}, delivery{kind: "destroyed", value: "kept"}
	for name, test := range map[string]struct {
		delivery, notification [2]delivery // What FoneStorm shows first, and what is configured.
		created                bool        // Whether the resources are created over it. Otherwise, they were imported.
		want                   string      // Summary of the only warning of the two; empty for none.
		unless                 bool        // Whether a resource that is planned first cannot know what the other one does.
	}{
		"both created":                         {[2]delivery{none, url}, [2]delivery{none, url}, true, twice, true},
		"both changed":                         {[2]delivery{mail, url}, [2]delivery{mail, url}, false, twice, false},
		"delivery changed":                     {[2]delivery{mail, url}, [2]delivery{url, url}, false, twice, false},
		"notification changed":                 {[2]delivery{url, url}, [2]delivery{mail, url}, false, twice, false},
		"delivery changed, rest unmanaged":     {[2]delivery{mail, url}, [2]delivery{url, unmanaged}, false, twice, false},
		"notification changed, rest unmanaged": {[2]delivery{url, unmanaged}, [2]delivery{mail, url}, false, twice, false},
		"nothing changed":                      {[2]delivery{url, url}, [2]delivery{url, url}, false, "", false},
		"swapped":                              {[2]delivery{url, other}, [2]delivery{other, url}, false, "", true},
		"delivery leaves":                      {[2]delivery{url, other}, [2]delivery{mail, url}, false, "", true},
		"notification leaves":                  {[2]delivery{mail, url}, [2]delivery{url, mail}, false, "", true},
		"notification is turned off":           {[2]delivery{mail, url}, [2]delivery{url, none}, false, "", true},
		"notification is destroyed":            {[2]delivery{mail, url}, [2]delivery{url, destroyed}, false, "", true},
		"different":                            {[2]delivery{none, url}, [2]delivery{none, other}, true, "", true},
		"no delivery":                          {[2]delivery{none, none}, [2]delivery{none, url}, true, nothing, false},
		"no delivery, unmanaged":               {[2]delivery{none, unmanaged}, [2]delivery{mail, url}, false, nothing, false},
		"delivery turned off":                  {[2]delivery{mail, none}, [2]delivery{mail, url}, false, nothing, false},
		"delivery destroyed":                   {[2]delivery{mail, destroyed}, [2]delivery{mail, url}, false, nothing, false},
		"delivery destroyed but kept":          {[2]delivery{url, kept}, [2]delivery{mail, url}, false, twice, false},
		"delivery set at the same time":        {[2]delivery{none, mail}, [2]delivery{none, url}, true, "", true},
		"neither":                              {[2]delivery{mail, none}, [2]delivery{url, none}, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			sides := map[string][2]delivery{"d": test.delivery, "n": test.notification}
			for i, name := range []string{"d", "n"} {
				as, found, wanted := settings[i], sides[name][0], sides[name][1]
				as.set(w.account, testNumber, found)
				if !test.created && wanted != unmanaged {
					w.state[name] = w.imported(t, as.id(testNumber), wanted == kept)
				}
				if wanted != unmanaged && wanted.kind != "destroyed" {
					w.config[name] = as.config(wanted.attributes(testNumber))
				}
			}
			texts := map[string]bool{}
			for order, first := range map[string]string{"ddnn": "d", "dndn": "d", "dnnd": "n", "nddn": "d", "ndnd": "n", "nndd": "n"} {
				var got []string
				w.planIn(strings.Split(order, ""))
				for name, shown := range w.shows {
					other := map[string]string{"d": "n", "n": "d"}[name]
					knew := order[0] != order[1] && w.state[other].exists()
					got = append(got, slices.DeleteFunc(shown, func(text string) bool {
						ofBoth := strings.HasPrefix(text, twice) || strings.HasPrefix(text, nothing)
						return !ofBoth || name == first && test.unless && !knew && (test.want == "" || !strings.Contains(text, test.want))
					})...)
				}
				if len(got) > 1 || (len(got) == 0) != (test.want == "") {
					t.Errorf("in order %s, the warnings are %q, want %q", order, got, test.want)
				}
				for _, text := range got {
					texts[text] = true
					says(t, text, test.want)
				}
			}
			if len(texts) > 1 {
				t.Errorf("the texts differ: %v", texts)
			}
		})
	}
}

// The destroy of a delivery that another resource sets does not matter, whichever is planned first.
func TestNotificationOfRenamedDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	settings[0].set(w.account, testNumber, destinations[1])
	w.state["old"] = w.imported(t, testNumber, false)
	w.config["notification"] = notify("Callback", hookURL, "JSON")
	for _, test := range []struct {
		to   attributes
		want string
	}{{toEmail, ""}, {toHook, twice}} {
		for _, order := range []string{"old old new new", "old new new old", "new new old old"} {
			w.config["new"] = test.to
			w.planIn(strings.Fields(order + " notification notification"))
			if got := strings.Join(w.shows["notification"], ""); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("in order %s, the plan shows %q, want %q", order, got, test.want)
			}
		}
	}
}
