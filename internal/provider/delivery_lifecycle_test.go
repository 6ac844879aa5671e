package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

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
	provider := fmt.Sprintf(`
provider "fractel" {
  endpoint            = %q
  username            = "demo"
  password            = "demo-password"
  requests_per_second = 1000
}
`, a.endpoint())
	inProcess := map[string]func() (tfprotov6.ProviderServer, error){
		"fractel": func() (tfprotov6.ProviderServer, error) { return NewServer("test"), nil },
	}
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
		s := resource.TestStep{PreConfig: before, Config: provider, Check: are(wanted)}
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
	resource.ParallelTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess,
		Steps: []resource.TestStep{
			step(first, plancheck.ResourceActionCreate, nil),
			step(second, plancheck.ResourceActionUpdate, nil),
			step(second, plancheck.ResourceActionUpdate, drift),
		},
		CheckDestroy: are(slices.Repeat([]delivery{{kind: "None"}}, len(second))),
	})
	for _, r := range a.Requests() {
		if agent := r.Header.Get("User-Agent"); !regexp.MustCompile(`^terraform-provider-fractel/test \(Terraform or OpenTofu \d+\.`).MatchString(agent) {
			t.Errorf("%s %s by %q", r.Method, r.Path, agent)
		}
	}
}

// with returns a copy of a configuration with one more attribute.
func with(config attributes, name string, value any) attributes {
	config = maps.Clone(config)
	config[name] = value
	return config
}

// The result of each on_destroy for a delivery that was created, or imported, and changed. A delivery that something else has turned off
// is neither turned off again nor reported.
func TestOnDestroy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		onDestroy       string
		imported, keeps bool
		off             bool // Whether something else has turned it off.
	}{
		{"disable", false, false, false},
		{"", false, false, false},
		{"keep", false, true, false},
		{"disable", true, false, false},
		{"", true, true, false},
		{"keep", true, true, false},
		{"disable", false, false, true},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.byHand(testNumber, "Email", "old@example.com")
			if test.imported {
				w.mustImport(testNumber)
			}
			for _, d := range []delivery{destinations[2], otherDestinations[2]} {
				config := d.attributes(testNumber)
				if test.onDestroy != "" {
					config["on_destroy"] = test.onDestroy
				}
				w.mustApply(config)
			}
			if test.off {
				w.byHand(testNumber, "None", "")
			}
			w.Forget()
			if diags := w.mustApply(nil); len(diags) != w.count("set") || test.off && len(diags) > 0 {
				t.Errorf("%d settings were sent, and the diagnostics are %v", w.count("set"), diags)
			}
			w.mustDeliver(t, testNumber, map[bool]delivery{true: otherDestinations[2], false: {kind: "None"}}[test.keeps])
		})
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

// A FoneNumber that has left the account does not block the destroy of the others.
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
	w.mustPlanNothing(toURL("", "", 0))
	other := with(toURL("", "", 0), "value", "https://hooks.example.com/other")
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
