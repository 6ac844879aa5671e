package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	testNumber  = "3215551212"
	testAddress = "fractel_fonenumber_delivery.test"
)

// destination is a delivery as a user writes it.
type destination struct {
	kind, value        string
	username, password string
}

// Two destinations of each type, so that each can change within its type and to any other.
var (
	destinations = []destination{
		{kind: "Device", value: "987123543678"},
		{kind: "Email", value: "ops@example.com"},
		{kind: "URL", value: "https://hooks.example.com/sms?msg={{msg}}", username: "hook", password: "correct-horse"},
		{kind: "Forward", value: "3215551111"},
		{kind: "None"},
	}
	otherDestinations = []destination{
		{kind: "Device", value: "21915233078"},
		{kind: "Email", value: "support@example.com"},
		{kind: "URL", value: "http://hooks.example.com/{{to}}/in?from={{from}}&id={{uid}}"},
		{kind: "Forward", value: "3215552222"},
		{kind: "None", value: "None"},
	}
)

// config returns the resource block of a delivery.
func (d destination) config(number string) string {
	lines := []string{fmt.Sprintf("type = %q", d.kind)}
	for name, value := range map[string]string{"value": d.value, "url_username": d.username, "url_password": d.password} {
		if value != "" {
			lines = append(lines, fmt.Sprintf("%s = %q", name, value))
		}
	}
	return fmt.Sprintf("resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = %q\n  %s\n}\n", number, strings.Join(lines, "\n  "))
}

// inState checks every attribute of the state.
func (d destination) inState(number string) []statecheck.StateCheck {
	text := func(value string) knownvalue.Check {
		if value == "" {
			return knownvalue.Null()
		}
		return knownvalue.StringExact(value)
	}
	var checks []statecheck.StateCheck
	for name, want := range map[string]knownvalue.Check{
		"fonenumber": knownvalue.StringExact(number), "type": text(d.kind), "value": text(d.value),
		"url_method": text(map[bool]string{true: "POST"}[d.kind == "URL"]), "url_username": text(d.username), "url_password": text(d.password),
	} {
		checks = append(checks, statecheck.ExpectKnownValue(testAddress, tfjsonpath.New(name), want))
	}
	return checks
}

// delivers checks where FoneStorm delivers now, with which credentials.
func (a *account) delivers(number string, want destination) resource.TestCheckFunc {
	return func(*terraform.State) error {
		f, _ := a.Get(number)
		got := destination{f.Receive.Type, f.Receive.Value(), f.Receive.URLUsername, f.Receive.URLPassword}
		if want.kind == "None" {
			want.value = ""
		}
		if got != want {
			return fmt.Errorf("FoneNumber %s delivers to %+v, want %+v", number, got, want)
		}
		return nil
	}
}

func planned(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(testAddress, action)}}
}

// Each type from creation to destruction. plugin-testing itself checks that the plan after each step is empty.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	for i, first := range destinations {
		t.Run(first.kind, func(t *testing.T) {
			t.Parallel()
			second := otherDestinations[i]
			a := newAccount(t, simulator.Options{})
			a.Put(simulator.FoneNumber{Number: testNumber})
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: inProcess(),
				CheckDestroy:             a.delivers(testNumber, destination{kind: "None"}),
				Steps: []resource.TestStep{
					{
						Config:            a.provider() + first.config(testNumber),
						ConfigPlanChecks:  planned(plancheck.ResourceActionCreate),
						ConfigStateChecks: first.inState(testNumber),
						Check:             a.delivers(testNumber, first),
					},
					{
						Config:            a.provider() + second.config(testNumber),
						ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
						ConfigStateChecks: second.inState(testNumber),
						Check:             a.delivers(testNumber, second),
					},
					{
						PreConfig: func() {
							if second.kind == "Email" {
								a.byHand(testNumber, "Forward", "3215559999")
							} else {
								a.byHand(testNumber, "Email", "somebody@example.com")
							}
						},
						Config:            a.provider() + second.config(testNumber),
						ConfigPlanChecks:  planned(plancheck.ResourceActionUpdate),
						ConfigStateChecks: second.inState(testNumber),
						Check:             a.delivers(testNumber, second),
					},
					{
						ResourceName:                         testAddress,
						ImportState:                          true,
						ImportStateId:                        testNumber,
						ImportStateVerify:                    true,
						ImportStateVerifyIdentifierAttribute: "fonenumber",
						ImportStateVerifyIgnore:              append([]string{"on_destroy"}, map[bool][]string{true: {"value"}}[second.kind == "None"]...),
					},
				},
			})
		})
	}
}

// Every type to every other in place, on one FoneNumber. Credentials go when the type does.
func TestSwitchType(t *testing.T) {
	t.Parallel()
	var tour []destination
	for i, from := range destinations {
		tour = append(tour, from)
		for _, to := range destinations[i+1:] {
			tour = append(tour, to, from)
		}
	}
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	var steps []resource.TestStep
	for i, d := range tour {
		step := resource.TestStep{
			Config:            a.provider() + d.config(testNumber),
			ConfigStateChecks: d.inState(testNumber),
			Check:             a.delivers(testNumber, d),
		}
		if i > 0 {
			step.ConfigPlanChecks = planned(plancheck.ResourceActionUpdate)
		}
		steps = append(steps, step)
	}
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: inProcess(), Steps: steps})
}

func TestChangedFoneNumberReplaces(t *testing.T) {
	t.Parallel()
	const other = "3215553434"
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	a.Put(simulator.FoneNumber{Number: other})
	d := destination{kind: "Email", value: "ops@example.com"}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		Steps: []resource.TestStep{
			{Config: a.provider() + d.config(testNumber)},
			{
				Config:           a.provider() + d.config(other),
				ConfigPlanChecks: planned(plancheck.ResourceActionReplace),
				Check: resource.ComposeTestCheckFunc(
					a.delivers(other, d),
					a.delivers(testNumber, destination{kind: "None"}),
				),
			},
		},
	})
}

// What somebody else set, imported by an import block, plans empty at once for every type.
func TestImportBlockPlansOnlyTheImport(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	var config strings.Builder
	for i, d := range destinations {
		number := fmt.Sprint(3215550000 + i)
		a.byHand(number, d.kind, d.value)
		d.username, d.password = "", "" // FoneStorm does not tell.
		block := strings.Replace(d.config(number), `"test"`, fmt.Sprintf("%q", d.kind), 1)
		fmt.Fprintf(&config, "%s\nimport {\n  to = fractel_fonenumber_delivery.%s\n  id = %q\n}\n", block, d.kind, number)
	}
	w := a.newWorkspace(t, config.String())
	if output := w.plan(2); !strings.Contains(output, "Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.") {
		t.Errorf("the plan is not only imports:\n%s", output)
	}
	w.apply()
	w.plan(0)
	if n := a.count("set"); n > 0 {
		t.Errorf("importing sent %d settings", n)
	}
}

func TestImportRefusals(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	w := a.newWorkspace(t, destinations[1].config(testNumber))
	for id, want := range map[string]string{
		"+1 (321) 555-1212": `but "+1 (321) 555-1212" was given. Use "3215551212".`,
		"support":           `written as exactly ten digits, such as "3215551212", but "support" was given.`,
		"3215559999":        "FoneNumber Not Found in Account",
	} {
		if output := w.run(1, "import", "-no-color", "-input=false", testAddress, id); !strings.Contains(output, want) {
			t.Errorf("import of %q does not say %q:\n%s", id, want, output)
		}
	}
}

// A FoneNumber that has left the account leaves the state, with a warning; one on its way out warns.
func TestLeavingFoneNumbers(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, destinations[1].config(testNumber))
	w.apply()

	leaving, _ := a.Get(testNumber)
	for active, want := range map[string]string{
		"no":     "The cancellation of FoneNumber 3215551212 is pending.",
		"cancel": "FoneNumber 3215551212 is cancelled. It can be restored for 30 days.",
	} {
		leaving.Active = active
		a.Put(leaving)
		if output := w.plan(0); !strings.Contains(output, want) {
			t.Errorf("is_active %q does not say %q:\n%s", active, want, output)
		}
	}

	a.Remove(testNumber)
	output := w.apply("-refresh-only")
	if want := "FoneNumber 3215551212 is no longer in the FoneStorm account."; !strings.Contains(output, want) {
		t.Errorf("the refresh does not say %q:\n%s", want, output)
	}
	if output := w.run(0, "state", "list"); output != "" {
		t.Errorf("still in the state: %s", output)
	}
}

// Another method than POST, set by other means, is drift only if POST is configured.
func TestURLMethodDrift(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, otherDestinations[2].config(testNumber))
	w.apply()
	f, _ := a.Get(testNumber)
	f.Receive.URLMethod = "GET"
	a.Put(f)
	w.plan(0) // What is not configured is accepted.
	w.configure(strings.Replace(otherDestinations[2].config(testNumber), "type =", "url_method = \"POST\"\n  type =", 1))
	output := w.plan(2)
	says(t, output, `url_method = "GET" -> "POST"`)
	warns(t, output, "Callback Method Changes to POST")
	w.apply()
	if f, _ := a.Get(testNumber); f.Receive.URLMethod != "POST" {
		t.Errorf("the method is still %s", f.Receive.URLMethod)
	}
}
