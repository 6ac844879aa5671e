package provider

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// testedProfiles returns the built-in profiles of the simulator and, if FRACTEL_TEST_PROFILE names a file, such as a report
// of fonestorm-check, the one in it.
func testedProfiles(t *testing.T) map[string]simulator.Profile {
	t.Helper()
	profiles := simulator.Profiles()
	if name := os.Getenv("FRACTEL_TEST_PROFILE"); name != "" {
		profile, err := simulator.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		profiles[name] = profile
	}
	return profiles
}

// The lifecycle of a few deliveries is the same with every profile and every respelling.
func TestLifecycleInEveryProfile(t *testing.T) {
	t.Parallel()
	for name, profile := range testedProfiles(t) {
		respellings := simulator.Respellings()
		for _, respelling := range append([]string{"as it is"}, respellings[:size(len(respellings), len(respellings), 0)]...) {
			spelled := profile
			if respelling != "as it is" {
				spelled.Respellings = append(slices.Clone(profile.Respellings), respelling)
			}
			t.Run(name+" "+respelling, func(t *testing.T) { testLifecycle(t, spelled) })
		}
	}
}

// The lifecycle is the same with every other value of every setting of the live profile, one at a time.
func TestLifecycleInEverySetting(t *testing.T) {
	t.Parallel()
	for _, setting := range simulator.Settings() {
		if setting.Name == "respellings" {
			continue // TestLifecycleInEveryProfile covers them.
		}
		for _, value := range setting.Values[size(0, 0, max(0, len(setting.Values)-1)):] {
			profile := simulator.Profiles()["live"]
			if err := profile.Set(setting.Name, value); err != nil {
				t.Fatal(err)
			}
			t.Run(setting.Name+" "+value, func(t *testing.T) { testLifecycle(t, profile) })
		}
	}
}

func testLifecycle(t *testing.T, profile simulator.Profile) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccountInMemory(t, simulator.Options{Profile: profile})
		l := &lifecycle{T: t, a: a, instances: make([]instance, len(lifecycleDestinations))}
		for i := range lifecycleDestinations {
			a.Put(simulator.FoneNumber{Number: lifecycleNumber(i), Label: "Support", Group: "7"})
		}
		l.run()
	})
}

// The lifecycle through the real CLI, with the live profile and the one that FRACTEL_TEST_PROFILE names.
func TestAccLifecycleInEveryProfile(t *testing.T) {
	t.Parallel()
	for name, profile := range testedProfiles(t) {
		if name != "live" && name != os.Getenv("FRACTEL_TEST_PROFILE") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{Profile: profile})
			for i := range lifecycleDestinations {
				a.Put(simulator.FoneNumber{Number: lifecycleNumber(i)})
			}
			w := a.newWorkspace(t, lifecycleConfig(0))
			w.apply()
			w.plan(0)
			for round := 1; round < len(lifecycleDestinations); round++ {
				w.configure(lifecycleConfig(round))
				w.apply()
				w.plan(0)
			}
			a.byHand(lifecycleNumber(0), "Email", "somebody@example.org")
			w.plan(2)
			w.apply()
			for i := range lifecycleDestinations {
				address := fmt.Sprintf("fractel_fonenumber_delivery.number[%d]", i)
				w.run(0, "state", "rm", address)
				w.importID(address, lifecycleNumber(i))
			}
			w.plan(0)
			w.run(0, "destroy", "-no-color", "-input=false", "-auto-approve")
			for i := range lifecycleDestinations {
				want := lifecycleDestinations[(i+len(lifecycleDestinations)-1)%len(lifecycleDestinations)].text("type")
				if f, _ := a.Get(lifecycleNumber(i)); f.Receive.Type != want {
					t.Errorf("FoneNumber %d was imported with type %s and has %s after the destroy", i, want, f.Receive.Type)
				}
			}
		})
	}
}

// lifecycleConfig returns the configuration of all FoneNumbers in a round.
func lifecycleConfig(round int) string {
	var types, values []string
	for i := range lifecycleDestinations {
		d := lifecycleDestinations[(i+round)%len(lifecycleDestinations)]
		types, values = append(types, fmt.Sprintf("%q", d.text("type"))), append(values, fmt.Sprintf("%q", d.text("value")))
	}
	return fmt.Sprintf(`
locals {
  types  = [%s]
  values = [%s]
}

resource "fractel_fonenumber_delivery" "number" {
  count      = %d
  fonenumber = tostring(%s + count.index)
  type       = local.types[count.index]
  value      = local.values[count.index] == "" ? null : local.values[count.index]
}
`, strings.Join(types, ", "), strings.Join(values, ", "), len(lifecycleDestinations), lifecycleNumber(0))
}

// lifecycleDestinations are the destinations that each FoneNumber has, one in each round. They can be spelled in many ways.
var lifecycleDestinations = []attributes{
	{"type": "Device", "value": "987123543678"},
	{"type": "Email", "value": "Ops.Team@Example.com"},
	{"type": "URL", "value": "https://Hooks.Example.com?msg={{msg}}&from={{from}}&team=~ops"},
	{"type": "Forward", "value": "3215551111"},
	{"type": "None"},
}

func lifecycleNumber(i int) string { return fmt.Sprint(3215550000 + i) }

// lifecycle is what Terraform does with a few FoneNumbers, each step in a process of its own.
type lifecycle struct {
	*testing.T
	a         *account
	instances []instance // The state, by FoneNumber.
	ends      bool       // Whether the configuration sets on_destroy.
}

// run creates every type, changes every one, reverts changes made by hand, imports, and destroys.
func (l *lifecycle) run() {
	for round := range lifecycleDestinations {
		l.apply(fmt.Sprint("round ", round), round)
	}
	const last = 4
	l.a.byHand(lifecycleNumber(0), "Email", "somebody@example.org")
	l.refresh("after a change by hand")
	if l.plan("after a change by hand", last)[0].isEmpty() {
		l.Fatal("the plan does not show a change made by hand")
	}
	l.apply("revert", last)

	l.a.Forget()
	l.each("import", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		l.instances[i], diags = r.importState(lifecycleNumber(i))
		return diags
	})
	l.planIsEmpty("after the imports", last)
	l.a.sendsOnly(l.T, 0)
	l.ends = true
	l.apply("change what was imported", 0)

	changes := l.plan("destroy", -1)
	l.each("destroy", func(r *run, i int) []*tfprotov6.Diagnostic {
		_, diags := r.apply(changes[i])
		return diags
	})
	for i := range lifecycleDestinations {
		l.a.mustDeliver(l, lifecycleNumber(i), destination{kind: "None"})
	}
}

// each runs a step for every FoneNumber in one process. The step must succeed.
func (l *lifecycle) each(step string, do func(r *run, i int) []*tfprotov6.Diagnostic) {
	l.Helper()
	r := l.a.start(l.Context(), l.T, nil)
	for i := range lifecycleDestinations {
		if problem := failure(do(r, i)); problem != nil {
			l.Fatalf("%s, FoneNumber %d: %s: %s", step, i, problem.Summary, problem.Detail)
		}
	}
}

// config returns the configuration of a FoneNumber in a round.
func (l *lifecycle) config(i, round int) attributes {
	config := with(lifecycleDestinations[(i+round)%len(lifecycleDestinations)], "fonenumber", lifecycleNumber(i))
	if l.ends {
		config["on_destroy"] = "disable"
	}
	return config
}

func (l *lifecycle) refresh(step string) {
	l.Helper()
	l.each(step+": refresh", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		if l.instances[i], diags = r.refresh(l.instances[i]); !l.instances[i].exists() {
			l.Fatalf("%s: FoneNumber %d was removed from the state", step, i)
		}
		return diags
	})
}

// plan plans the configuration of a round, or the destroy of everything if the round is negative.
func (l *lifecycle) plan(step string, round int) (changes []change) {
	l.Helper()
	l.each(step+": plan", func(r *run, i int) []*tfprotov6.Diagnostic {
		var config attributes
		if round >= 0 {
			config = l.config(i, round)
		}
		c, diags := r.plan(l.instances[i], config)
		changes = append(changes, c)
		return diags
	})
	return changes
}

func (l *lifecycle) apply(step string, round int) {
	l.Helper()
	changes := l.plan(step, round)
	l.each(step+": apply", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		l.instances[i], diags = r.apply(changes[i])
		want := l.config(i, round)
		if f, _ := l.a.Get(lifecycleNumber(i)); f.Receive.Type != want.text("type") || f.Receive.Value() != want.text("value") {
			l.Fatalf("%s: FoneNumber %d delivers to %s %q, want %s", step, i, f.Receive.Type, f.Receive.Value(), want)
		}
		return diags
	})
	l.planIsEmpty("after "+step, round)
}

// planIsEmpty also checks that a plan with a refresh sends only a few requests.
func (l *lifecycle) planIsEmpty(step string, round int) {
	l.Helper()
	before := len(l.a.Requests())
	l.refresh(step)
	if n, most := len(l.a.Requests())-before, len(lifecycleDestinations)+3; n > most {
		l.Fatalf("%s: reading %d FoneNumbers took %d requests, want at most %d", step, len(lifecycleDestinations), n, most)
	}
	for i, c := range l.plan(step, round) {
		if !c.isEmpty() {
			l.Fatalf("%s: the plan of FoneNumber %d is not empty: %s", step, i, c.differs())
		}
	}
}
