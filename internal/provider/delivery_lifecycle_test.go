package provider

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// inState checks every attribute of the state.
func (d delivery) inState(address, number string) []statecheck.StateCheck {
	text := func(value string) knownvalue.Check {
		if value == "" {
			return knownvalue.Null()
		}
		return knownvalue.StringExact(value)
	}
	var checks []statecheck.StateCheck
	for name, want := range map[string]knownvalue.Check{
		"fonenumber": knownvalue.StringExact(number), "type": text(d.kind), "value": text(d.value),
		"url_method": knownvalue.Null(), "url_username": text(d.username), "url_password": text(d.password),
	} {
		checks = append(checks, statecheck.ExpectKnownValue(address, tfjsonpath.New(name), want))
	}
	return checks
}

// A delivery of each type from create to destroy. plugin-testing checks that the plan after each step is empty.
func TestAccLifecycle(t *testing.T) {
	a := newAccount(t, simulator.Options{FoneNumbers: len(destinations) + 1})
	addressOf := func(i int) string { return "fractel_fonenumber_delivery." + destinations[i].kind }
	step := func(want []delivery, action plancheck.ResourceActionType) (s resource.TestStep) {
		s.Config = a.provider()
		var checks []resource.TestCheckFunc
		for i, d := range want {
			s.Config += strings.Replace(d.config(loadNumber(i)), `"test"`, fmt.Sprintf("%q", destinations[i].kind), 1)
			s.ConfigStateChecks = append(s.ConfigStateChecks, d.inState(addressOf(i), loadNumber(i))...)
			s.ConfigPlanChecks.PreApply = append(s.ConfigPlanChecks.PreApply, plancheck.ExpectResourceAction(addressOf(i), action))
			checks = append(checks, a.delivers(loadNumber(i), d))
		}
		s.Check = resource.ComposeTestCheckFunc(checks...)
		return s
	}
	drifted := step(otherDestinations, plancheck.ResourceActionUpdate)
	drifted.PreConfig = func() {
		for _, f := range a.Numbers() {
			a.byHand(f.Number, "Email", "somebody@example.com")
		}
	}
	steps := []resource.TestStep{
		step(destinations, plancheck.ResourceActionCreate), step(otherDestinations, plancheck.ResourceActionUpdate), drifted,
	}
	for i, d := range otherDestinations {
		ignored := []string{"on_destroy"} // An import has another default.
		if d.kind == "None" {
			ignored = append(ignored, "value")
		}
		steps = append(steps, resource.TestStep{
			ResourceName: addressOf(i), ImportState: true, ImportStateId: loadNumber(i),
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "fonenumber", ImportStateVerifyIgnore: ignored,
		})
	}
	moved := loadNumber(len(destinations))
	steps = append(steps, resource.TestStep{
		Config: a.provider() + strings.Replace(destinations[1].config(moved), `"test"`, `"Email"`, 1),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction(addressOf(0), plancheck.ResourceActionDestroy),
			plancheck.ExpectResourceAction(addressOf(1), plancheck.ResourceActionReplace),
		}},
		Check: resource.ComposeTestCheckFunc(
			a.delivers(loadNumber(0), delivery{kind: "None"}), a.delivers(loadNumber(1), delivery{kind: "None"}), a.delivers(moved, destinations[1]),
		),
	})
	resource.ParallelTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		CheckDestroy:             a.delivers(moved, delivery{kind: "None"}),
		Steps:                    steps,
	})
}

// Deliveries that were set elsewhere are imported by a block, and the plan does nothing else.
func TestAccImport(t *testing.T) {
	throughCLI(t)
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "URL", destinations[2].value)
	config := a.provider() + delivery{kind: "URL", value: destinations[2].value}.config(testNumber)
	kinds := []resource.ImportStateKind{resource.ImportBlockWithID}
	if importByIdentity.in(theCLI()) {
		kinds = append(kinds, resource.ImportBlockWithResourceIdentity)
	}
	steps := []resource.TestStep{{Config: config}}
	for _, kind := range kinds {
		steps = append(steps, resource.TestStep{
			Config: config, ResourceName: testAddress, ImportState: true, ImportStateKind: kind, ImportStateId: testNumber,
			ImportPlanChecks: resource.ImportPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(testAddress, plancheck.ResourceActionNoop),
			}},
		})
	}
	resource.ParallelTest(t, resource.TestCase{ProtoV6ProviderFactories: inProcess(), Steps: steps})
}

// Every type changes to every other in place. Credentials are removed with the type.
func TestSwitchType(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	m := a.manage(t)
	for _, from := range destinations {
		for _, to := range destinations {
			for _, d := range []delivery{from, to} {
				m.mustApply(d.attributes(testNumber))
				a.mustDeliver(t, testNumber, d)
			}
		}
	}
}

// with returns a copy of a configuration with one more attribute.
func with(config attributes, name string, value any) attributes {
	config = maps.Clone(config)
	config[name] = value
	return config
}

// The result of each on_destroy for a created, a changed, and an imported delivery.
func TestOnDestroy(t *testing.T) {
	t.Parallel()
	last := delivery{"URL", "https://second.example.com/", "hook", "horse"}
	for name, test := range map[string]struct {
		onDestroy string
		imported  bool
		want      delivery
	}{
		"disable":           {"disable", false, delivery{kind: "None"}},
		"default":           {"", false, delivery{kind: "None"}},
		"keep":              {"keep", false, last},
		"imported, disable": {"disable", true, delivery{kind: "None"}},
		"imported, default": {"", true, destinations[1]},
		"imported, keep":    {"keep", true, destinations[1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			a.byHand(testNumber, "Email", destinations[1].value)
			m := a.manage(t)
			configs := []attributes{destinations[2].attributes(testNumber), last.attributes(testNumber)}
			if test.imported {
				m.mustImport(testNumber)
				configs = []attributes{destinations[1].attributes(testNumber)}
			}
			for _, config := range configs {
				if test.onDestroy != "" {
					config["on_destroy"] = test.onDestroy
				}
				m.mustApply(config)
			}
			m.mustApply(nil)
			a.mustDeliver(t, testNumber, test.want)
			if m.exists() {
				t.Errorf("the state has %s", m.state)
			}
		})
	}
}

// A FoneNumber that has left the account is removed from the state with a warning, and can be destroyed without a refresh. A
// pending cancellation is a warning.
func TestFoneNumberThatLeavesTheAccount(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	m := a.manage(t)
	config := destinations[1].attributes(testNumber)
	m.mustApply(config)
	leaving, _ := a.Get(testNumber)
	for active, want := range map[string]string{
		"no": "The cancellation of FoneNumber 3215551212 is pending.", "cancel": "FoneNumber 3215551212 is cancelled. It can be restored for 30 days.",
	} {
		leaving.Active = active
		a.Put(leaving)
		_, diags := m.start().refresh(m.instance)
		wantWarnings(t, diags, []string{"FoneNumber Is Not Active"}, want)
	}

	c, _ := m.plan(nil)
	a.Remove(testNumber)
	after, diags := m.start().apply(c)
	wantWarnings(t, diags, []string{"FoneNumber No Longer in Account"}, "so nothing was changed there")
	if after.exists() || failure(diags) != nil {
		t.Errorf("the destroy leaves %s: %v", after.known(), diags)
	}
	gone, diags := m.start().refresh(m.instance)
	wantWarnings(t, diags, []string{"FoneNumber No Longer in Account"}, "FoneNumber 3215551212 is no longer in the FoneStorm account, so the resource is removed from the state.")
	if gone.exists() {
		t.Errorf("the state still has %s", gone.state)
	}
	a.sendsOnly(t, 1)
}

// A FoneNumber that has left the account does not block the destroy of the others.
func TestAccDestroyWhenAFoneNumberIsGone(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 3})
	w := a.newWorkspace(t, numbered(3, "ops@example.com"))
	w.apply()
	a.Remove("3215550001")
	says(t, w.plan(2), "FoneNumber 3215550001 is no longer in the account, so it cannot be set again")
	says(t, w.apply("-destroy"), "2 destroyed")

	// A FoneNumber that was never in the account is an error of the plan, which gives the next step.
	a.Put(simulator.FoneNumber{Number: "3215550001"})
	w.apply()
	w.configure(numbered(4, "ops@example.com"))
	says(t, w.rejects("-destroy"), "terraform destroy -refresh=false")
	says(t, w.apply("-destroy", "-refresh=false"), "3 destroyed")
}

// A create that did not take effect is tainted. If the configuration then contains another FoneNumber, the destroy of the
// tainted object has no record of the object, and must not turn off a delivery that something else set.
func TestLostCreateThenAnotherFoneNumber(t *testing.T) {
	t.Parallel()
	boss := delivery{kind: "Email", value: "boss@example.com"}
	a := newAccountWith(t, otherNumber)
	a.byHand(testNumber, boss.kind, boss.value)
	m := a.manage(t)
	m.settings = attributes{"max_retries": 0}
	a.injectInto("set", simulator.BadGateway)
	wantError(t, m.apply(destinations[1].attributes(testNumber)), "FoneStorm Server Error")
	a.Inject(nil)

	created, _ := m.start().plan(instance{}, destinations[1].attributes(otherNumber))
	r := m.start()
	for _, c := range []change{destruction(m.instance, created.private), created} {
		if _, diags := r.apply(c); failure(diags) != nil {
			t.Fatal(failure(diags).Detail)
		}
	}
	a.mustDeliver(t, testNumber, boss)
	a.mustDeliver(t, otherNumber, destinations[1])
}

// byHandMethod changes the callback method outside of Terraform.
func (a *account) byHandMethod(method string) {
	f, _ := a.Get(testNumber)
	f.Receive.URLMethod = method
	a.Put(f)
}

// An imported FoneNumber with method JSON plans empty until its delivery changes. A method other than POST that was set
// elsewhere is drift only if POST is configured.
func TestURLMethod(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "URL", hookURL)
	a.byHandMethod("JSON")
	m := a.manage(t)
	m.mustImport(testNumber)
	m.mustPlanNothing(toURL("", "", 0))
	other := with(toURL("", "", 0), "value", "https://hooks.example.com/other")
	wantWarnings(t, m.mustApply(other), []string{"Callback Method Changes to POST", "Callback Credentials Will Be Removed"})
	if got := attributesOf(m.state).text("url_method"); got != "" {
		t.Errorf("the state has method %q, which is not configured", got)
	}
	posted := with(other, "url_method", "POST")
	m.mustApply(posted)

	a.byHandMethod("GET")
	_, diags := m.plan(posted)
	wantWarnings(t, diags, []string{"Callback Method Changes to POST"})
	m.mustApply(posted)
	if f, _ := a.Get(testNumber); f.Receive.URLMethod != "POST" {
		t.Errorf("the method is still %s", f.Receive.URLMethod)
	}
	a.Forget()
	m.mustApply(other) // Without a configured method, the provider ignores it.
	a.byHandMethod("GET")
	m.mustPlanNothing(other)
	a.sendsOnly(t, 0)
}
