package provider

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// testedProfiles are the profiles that come with the simulator and, when FRACTEL_TEST_PROFILE names a file, the one in it,
// such as a report of fonestorm-check.
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

// Every profile, with every way to spell its responses, gives the same whole life of a few deliveries.
func TestWholeLife(t *testing.T) {
	t.Parallel()
	for name, profile := range testedProfiles(t) {
		respellings := simulator.Respellings()
		for _, respelling := range append([]string{"as it is"}, respellings[:size(len(respellings), len(respellings), 0)]...) {
			spelled := profile
			if respelling != "as it is" {
				spelled.Respellings = append(slices.Clone(profile.Respellings), respelling)
			}
			t.Run(name+" "+respelling, func(t *testing.T) { liveIn(t, spelled) })
		}
	}
}

// So does every other value of every setting of the live profile, one at a time.
func TestWholeLifeInEverySetting(t *testing.T) {
	t.Parallel()
	for _, setting := range simulator.Settings() {
		if setting.Name == "respellings" {
			continue // TestWholeLife has them.
		}
		for _, value := range setting.Values {
			profile := simulator.Profiles()["live"]
			if err := profile.Set(setting.Name, value); err != nil {
				t.Fatal(err)
			}
			t.Run(setting.Name+" "+value, func(t *testing.T) { liveIn(t, profile) })
		}
	}
}

func liveIn(t *testing.T, profile simulator.Profile) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAccountInMemory(t, simulator.Options{Profile: profile})
		l := &life{T: t, a: a, kept: map[string]instance{}}
		for i := range lived {
			a.Put(simulator.FoneNumber{Number: lifeNumber(i), Label: "Support", Group: "7"})
		}
		l.lead()
	})
}

// The real CLI leads the same life with the live profile and the one that FRACTEL_TEST_PROFILE names.
func TestAccWholeLife(t *testing.T) {
	t.Parallel()
	for name, profile := range testedProfiles(t) {
		if name != "live" && name != os.Getenv("FRACTEL_TEST_PROFILE") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{Profile: profile})
			for i := range lived {
				a.Put(simulator.FoneNumber{Number: lifeNumber(i)})
			}
			w := a.newWorkspace(t, lifeConfig(0))
			w.apply()
			w.plan(0)
			for turn := 1; turn < len(lived); turn++ {
				w.configure(lifeConfig(turn))
				w.apply()
				w.plan(0)
			}
			a.byHand(lifeNumber(0), "Email", "somebody@example.org")
			w.plan(2)
			w.apply()
			for i := range lived {
				address := fmt.Sprintf("fractel_fonenumber_delivery.number[%d]", i)
				w.run(0, "state", "rm", address)
				w.importID(address, lifeNumber(i))
			}
			w.plan(0)
			w.run(0, "destroy", "-no-color", "-input=false", "-auto-approve")
			for i := range lived {
				want := lived[(i+len(lived)-1)%len(lived)].text("type")
				if f, _ := a.Get(lifeNumber(i)); f.Receive.Type != want {
					t.Errorf("FoneNumber %d was imported with type %s and has %s after its destroy", i, want, f.Receive.Type)
				}
			}
		})
	}
}

// lifeConfig is the configuration of all FoneNumbers after so many turns.
func lifeConfig(turn int) string {
	var types, values []string
	for i := range lived {
		d := lived[(i+turn)%len(lived)]
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
`, strings.Join(types, ", "), strings.Join(values, ", "), len(lived), lifeNumber(0))
}

// lived are the destinations through which the FoneNumbers of a life go. They can be spelled in many ways.
var lived = []attributes{
	{"type": "Device", "value": "987123543678"},
	{"type": "Email", "value": "Ops.Team@Example.com"},
	{"type": "URL", "value": "https://Hooks.Example.com?msg={{msg}}&from={{from}}&team=~ops"},
	{"type": "Forward", "value": "3215551111"},
	{"type": "None"},
}

func lifeNumber(i int) string { return fmt.Sprint(3215550000 + i) }

// life is what Terraform does with a few FoneNumbers, each step in a process of its own.
type life struct {
	*testing.T
	a    *account
	kept map[string]instance // By FoneNumber, as in a state.
	ends bool                // Whether the configuration says what a destroy does.
}

// lead creates every type, changes every one, heals what is changed by hand, imports, and destroys.
func (l *life) lead() {
	l.applyAll("create", 0)
	l.planIsEmpty("after the creates", 0)
	for turn := 1; turn < len(lived); turn++ {
		l.applyAll(fmt.Sprint("change ", turn), turn)
		l.planIsEmpty(fmt.Sprint("after change ", turn), turn)
	}

	const last = 4
	l.a.byHand(lifeNumber(0), "Email", "somebody@example.org")
	l.refreshAll("after a change by hand")
	if c := l.plan("after a change by hand", 0, last); c.isEmpty() {
		l.Fatal("a change by hand is not noticed")
	}
	l.applyAll("heal", last)
	l.planIsEmpty("after healing", last)

	l.kept = map[string]instance{}
	r := l.start()
	for i := range lived {
		imported, diags := r.importState(lifeNumber(i))
		l.succeeds("import", i, diags)
		l.kept[lifeNumber(i)] = imported
	}
	before := l.a.count("set")
	l.planIsEmpty("after the imports", last)
	if after := l.a.count("set"); after != before {
		l.Fatalf("%d settings were sent for imports", after-before)
	}
	l.ends = true
	l.applyAll("change what was imported", 0)
	l.planIsEmpty("after a change of what was imported", 0)
	l.destroyAll()
}

func (l *life) start() *run { return l.a.start(l.Context(), l.T, nil) }

// config is what the configuration says of a FoneNumber after so many turns.
func (l *life) config(i, turn int) attributes {
	config := attributes{"fonenumber": lifeNumber(i)}
	if l.ends {
		config["on_destroy"] = "disable"
	}
	maps.Copy(config, lived[(i+turn)%len(lived)])
	return config
}

func (l *life) succeeds(step string, i int, diags []*tfprotov6.Diagnostic) {
	l.Helper()
	if problem := failure(diags); problem != nil {
		l.Fatalf("%s, FoneNumber %d: %s: %s", step, i, problem.Summary, problem.Detail)
	}
}

func (l *life) refreshAll(step string) {
	l.Helper()
	r := l.start()
	for i := range lived {
		refreshed, diags := r.refresh(l.kept[lifeNumber(i)])
		l.succeeds(step+": refresh", i, diags)
		if !refreshed.exists() {
			l.Fatalf("%s: FoneNumber %d was removed from the state", step, i)
		}
		l.kept[lifeNumber(i)] = refreshed
	}
}

func (l *life) plan(step string, i, turn int) change {
	l.Helper()
	c, diags := l.start().plan(l.kept[lifeNumber(i)], l.config(i, turn))
	l.succeeds(step+": plan", i, diags)
	return c
}

func (l *life) applyAll(step string, turn int) {
	l.Helper()
	var changes []change
	for i := range lived {
		changes = append(changes, l.plan(step, i, turn))
	}
	r := l.start()
	for i, c := range changes {
		after, diags := r.apply(c)
		l.succeeds(step+": apply", i, diags)
		l.kept[lifeNumber(i)] = after
		want := l.config(i, turn)
		if f, _ := l.a.Get(lifeNumber(i)); f.Receive.Type != want.text("type") || f.Receive.Value() != want.text("value") {
			l.Fatalf("%s: FoneNumber %d delivers to %s %q, want %s", step, i, f.Receive.Type, f.Receive.Value(), want)
		}
	}
}

// planIsEmpty also checks that a plan which refreshes costs no more requests than it may.
func (l *life) planIsEmpty(step string, turn int) {
	l.Helper()
	l.a.Forget()
	l.refreshAll(step)
	if n, most := len(l.a.Requests()), len(lived)+3; n > most {
		l.Fatalf("%s: reading %d FoneNumbers cost %d requests, more than %d", step, len(lived), n, most)
	}
	for i := range lived {
		if c := l.plan(step, i, turn); !c.isEmpty() {
			l.Fatalf("%s: the plan of FoneNumber %d is not empty: %s", step, i, c.differs())
		}
	}
}

func (l *life) destroyAll() {
	l.Helper()
	r := l.start()
	for i := range lived {
		c, diags := l.start().plan(l.kept[lifeNumber(i)], nil)
		l.succeeds("plan to destroy", i, diags)
		_, diags = r.apply(c)
		l.succeeds("destroy", i, diags)
		if f, _ := l.a.Get(lifeNumber(i)); f.Receive.Type != "None" {
			l.Fatalf("FoneNumber %d still delivers to %s after its destroy", i, f.Receive.Type)
		}
	}
}
