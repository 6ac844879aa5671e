package provider

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Deliveries of each type, and both notifications of the first FoneNumber, from create to destroy. plugin-testing checks that the plan
// after each step is empty.
func TestAccLifecycle(t *testing.T) {
	a := newAccount(t, simulator.Options{FoneNumbers: len(destinations)})
	setEnvironment(t, attributes{
		"FRACTEL_ENDPOINT": a.endpoint(), "FRACTEL_REQUESTS_PER_SECOND": "1000",
		"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "demo-password",
	})
	// of returns the setting and the FoneNumber of a resource.
	of := func(i int) (setting, string) {
		if i < len(destinations) {
			return settings[0], loadNumber(i)
		}
		return settings[i-len(destinations)+1], loadNumber(0)
	}
	are := func(wanted []delivery) resource.TestCheckFunc {
		return func(*terraform.State) error {
			for i, d := range wanted {
				as, number := of(i)
				as.mustBe(t, a, number, d)
			}
			return nil
		}
	}
	step := func(wanted []delivery, action plancheck.ResourceActionType, before func()) resource.TestStep {
		s := resource.TestStep{PreConfig: before, Check: are(wanted)}
		for i, d := range wanted {
			as, number := of(i)
			name := fmt.Sprint("test", i)
			s.Config += as.block(name, number, d)
			check := plancheck.ExpectResourceAction(typesOf(as.event != "").name+"."+name, action)
			s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, check)
		}
		return s
	}
	drift := func() {
		for i := range len(destinations) + len(settings[1:]) {
			as, number := of(i)
			as.set(a, number, delivery{kind: "Email", value: "somebody@example.com"})
		}
	}
	called, mailed := delivery{"URL", hookURL, "hook", "horse"}, delivery{kind: "Email", value: "archive@example.com"}
	first, second := append(slices.Clip(destinations), called, mailed), append(slices.Clip(otherDestinations), mailed, called)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"fractel": func() (tfprotov6.ProviderServer, error) { return NewServer("test"), nil },
		},
		Steps: []resource.TestStep{
			step(first, plancheck.ResourceActionCreate, nil),
			step(second, plancheck.ResourceActionUpdate, nil),
			step(second, plancheck.ResourceActionUpdate, drift),
		},
		CheckDestroy: are(slices.Repeat([]delivery{{kind: "None"}}, len(second))),
	})
	sent := regexp.MustCompile(`^terraform-provider-fractel/test \(Terraform or OpenTofu \d+\.`)
	for _, r := range a.Requests() {
		if agent := r.Header.Get("User-Agent"); !sent.MatchString(agent) {
			t.Errorf("%s %s by %q", r.Method, r.Path, agent)
		}
	}
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
			// While the type was Email or None, a callback was set by hand, perhaps with credentials.
			unseen := map[int][]string{6: {"Callback Credentials Will Be Removed"}}[i]
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

// What the account's list shows, or omits, is drift only if a single read shows it, too. It does not keep a destroy from turning a
// setting off, nor the plan of the destroy from saying so, with or without a refresh. If the single read fails, a destroy decides nothing.
func TestListDoesNotDecideOnDrift(t *testing.T) {
	t.Parallel()
	const n = 8 // More than are read singly.
	delivers := func(kind, value string) func(f *simulator.FoneNumber) {
		return func(f *simulator.FoneNumber) { f.Receive = simulator.Receive{}.Delivering(kind, value) }
	}
	omits := func(f *simulator.FoneNumber) { f.Unnotified = true }
	for _, test := range []struct {
		as      setting
		list    func(f *simulator.FoneNumber)
		warning string // Of the destroy of each setting.
	}{
		{settings[0], delivers("None", ""), summaryDeleted},
		{settings[0], delivers("Email", "old@example.com"), summaryDeleted},
		{settings[0], delivers("Email", "Ops <ops@example.com>"), summaryDeleted},
		{settings[1], omits, ""},
		{settings[2], omits, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newAccount(t, simulator.Options{FoneNumbers: n}).world(t)
			w.ShowAs(func(request string, f simulator.FoneNumber) simulator.FoneNumber {
				if request == "list" {
					test.list(&f)
				}
				return f
			})
			var configs []attributes
			for i := range n {
				test.as.set(w.account, loadNumber(i), delivery{kind: "Email", value: "boss@example.com"})
				configs = append(configs, test.as.config(destinations[1].attributes(loadNumber(i))))
			}
			w.mustApply(configs...)
			if test.as.event != "" {
				found, diags := w.start().list(protocol().notification, attributes{"event": test.as.event}, 10)
				if wantWarnings(t, diags, nil); len(found) != n {
					t.Errorf("%s: listed %v", test.as.name, found)
				}
			}
			w.noRefresh = true
			wantWarnings(t, w.plan(nil).diags, slices.Repeat([]string{test.warning}, n))
			w.noRefresh = false
			p := w.plan(nil)
			w.reject("/fonenumbers/"+loadNumber(n-1), "503 Later.")
			wantError(t, w.carryOut(p), serverError)
			w.Intercept(nil)
			wantWarnings(t, w.apply(nil), []string{test.warning})
			for i := range n {
				test.as.mustBe(t, w.account, loadNumber(i), delivery{kind: "None"})
			}
		})
	}
}

// An imported FoneNumber with method JSON plans empty until its delivery changes. A method other than POST that was set
// elsewhere is drift only if POST is configured.
func TestMethodOfACallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byHand := func(method string) {
		f, _ := w.Get(testNumber)
		f.Receive.URLMethod = method
		w.Put(f)
	}
	w.byHand(testNumber, "URL", hookURL)
	byHand("JSON")
	w.mustImport(testNumber)
	w.mustPlanNothing(toHook)
	other := with(toHook, "value", "https://hooks.example.com/other")
	wantWarnings(t, w.mustApply(other), []string{"Callback Method Changes to POST", "Callback Credentials Will Be Removed"})
	if got := attributesOf(w.state["0"].state).text("url_method"); got != "" {
		t.Errorf("the state has method %q, which is not configured", got)
	}
	posted := with(other, "url_method", "POST")
	w.mustApply(posted)

	byHand("GET")
	wantWarnings(t, w.mustApply(posted), []string{"Callback Method Changes to POST"})
	if f, _ := w.Get(testNumber); f.Receive.URLMethod != "POST" {
		t.Errorf("the method is still %s", f.Receive.URLMethod)
	}
	w.Forget()
	w.mustApply(other) // Without a configured method, the provider ignores it.
	byHand("GET")
	w.mustPlanNothing(other)
	w.sendsOnly(t, 0)
	w.mustApply(with(toEmail, "url_method", "POST")) // It is ignored for another type.
}

// A setting that FoneStorm ignores is an error, although the previous URL, which FoneStorm shows in full, begins like the new one.
func TestIgnoredURL(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"https://hooks.example.com/sms":      "https://hooks.example.com/sms?msg={{msg}}",
		"http://hooks.example.com/sms":       "https://hooks.example.com/sms",
		"https://hooks.example.com:8443/sms": "https://hooks.example.com:9443/sms",
		"https://hooks.example.com/team/Ab":  "https://hooks.example.com/team/aB",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, testNumber)
			w.mustApply(delivery{kind: "URL", value: before}.attributes(testNumber))
			ignored, _ := w.Get(testNumber)
			w.ShowAs(func(string, simulator.FoneNumber) simulator.FoneNumber { return ignored })
			wantError(t, w.apply(delivery{kind: "URL", value: after}.attributes(testNumber)), "FoneStorm Returned Another Destination")
			if w.plan().isEmpty() {
				t.Error("the next plan does not try again")
			}
		})
	}
}

// The result of on_destroy for a delivery that was created, or imported and changed. A delivery that something else has turned off is
// neither turned off again nor reported.
func TestOnDestroy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		onDestroy     any
		imported, off bool // Whether it was imported, and whether something else has turned it off.
		left          delivery
	}{
		{onDestroy: nil, imported: true, left: destinations[1]},
		{onDestroy: onDestroyDisable, imported: true, left: delivery{kind: "None"}},
		{onDestroy: onDestroyKeep, left: destinations[1]},
		{onDestroy: nil, left: delivery{kind: "None"}},
		{onDestroy: nil, off: true, left: delivery{kind: "None"}},
	} {
		w := newWorld(t)
		w.byHand(testNumber, "Email", "old@example.com")
		if test.imported {
			w.mustImport(testNumber)
		}
		w.mustApply(with(toEmail, "on_destroy", test.onDestroy))
		if test.off {
			w.byHand(testNumber, "None", "")
		}
		w.Forget()
		if diags := w.mustApply(nil); len(diags) != w.count("set") || test.off && len(diags) > 0 {
			t.Errorf("%+v: %d settings were sent, and the diagnostics are %v", test, w.count("set"), diags)
		}
		w.mustDeliver(t, testNumber, test.left)
	}
}

// A FoneNumber that has left the account is removed from the state with a warning, and can be destroyed without a refresh. A
// pending cancellation is a warning.
func TestFoneNumberThatLeavesTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toEmail)
	leaving, _ := w.Get(testNumber)
	for active, want := range map[string]string{
		"no": "The cancellation of FoneNumber 3215551212 is pending.", "cancel": "FoneNumber 3215551212 is cancelled. It can be restored for 30 days.",
	} {
		leaving.Active = active
		w.Put(leaving)
		wantWarnings(t, w.plan(toEmail).diags, []string{"FoneNumber Is Not Active"}, want)
	}

	known, p := w.state["0"], w.plan(nil)
	w.Remove(testNumber)
	wantWarnings(t, w.carryOut(p), []string{"FoneNumber No Longer in Account"}, "so nothing was changed there")
	if len(w.state) > 0 {
		t.Errorf("the destroy leaves %v", w.state)
	}
	w.state["0"] = known
	wantWarnings(t, w.plan(nil).diags, []string{"FoneNumber No Longer in Account"},
		"FoneNumber 3215551212 is no longer in the FoneStorm account, so the resource is removed from the state.")
	if len(w.state) > 0 {
		t.Errorf("the refresh leaves %v", w.state)
	}
	w.sendsOnly(t, 1)
}

// numbered returns the deliveries of n FoneNumbers from this one on, each at its own address.
func numbered(n, from int, mailbox string, createFirst bool) string {
	return fmt.Sprintf(`
resource "fractel_fonenumber_delivery" "test" {
  for_each   = { for i in range(%d) : i => tostring(%s + i) }
  fonenumber = each.value
  type       = "Email"
  value      = "%s-${each.value}@example.com"
  lifecycle {
    create_before_destroy = %t
  }
}
`, n, loadNumber(from), mailbox, createFirst)
}

func TestAccDestroyWhenAFoneNumberIsGone(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 3})
	w := a.newWorkspace(t, numbered(3, 0, "ops", false))
	w.apply(0)
	a.Remove("3215550001")
	says(t, w.plan(2), "FoneNumber 3215550001 is no longer in the account, so it cannot be set again")
	says(t, w.apply(0, "-destroy"), "2 destroyed")

	// A FoneNumber that was never in the account is an error of the plan, which gives the next step.
	a.Put(simulator.FoneNumber{Number: "3215550001"})
	w.apply(0)
	w.configure(numbered(4, 0, "ops", false))
	says(t, w.apply(1, "-destroy"), "terraform destroy -refresh=false")
	says(t, w.apply(0, "-destroy", "-refresh=false"), "3 destroyed")
}

// An update that fails because the credentials belong to another account does not make that account the one of the resource. A
// FoneNumber that has moved to another account, and was then deleted there, is deleted, and not in another account.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toEmail)
	w.account = newAccount(t, simulator.Options{Account: "9998887777"})
	w.start = func() *run { return w.account.start(t.Context(), t, nil) }
	r := w.start()
	c, _ := r.plan(w.state["0"], toCallback)
	after, diags := r.apply(c)
	wantError(t, diags, rejected, "The FoneNumber was not found")
	_, diags = w.start().refresh(after)
	wantError(t, diags, "FoneNumber in Another Account")

	w.byHand(testNumber, "Email", destinations[1].value)
	w.mustPlanNothing()
	w.Remove(testNumber)
	wantWarnings(t, refreshed(w), []string{summaryGone})
}
