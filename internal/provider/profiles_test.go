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
		for _, value := range setting.Values[size(0, 0, max(0, len(setting.Values)-1)):] {
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
		l := &life{T: t, a: a, kept: make([]instance, len(lived))}
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
	kept []instance // The state, by FoneNumber.
	ends bool       // Whether the configuration says what a destroy does.
}

// lead creates every type, changes every one, reverts what is changed by hand, imports, and destroys.
func (l *life) lead() {
	for turn := range lived {
		l.apply(fmt.Sprint("turn ", turn), turn)
	}
	const last = 4
	l.a.byHand(lifeNumber(0), "Email", "somebody@example.org")
	l.refresh("after a change by hand")
	if l.plan("after a change by hand", last)[0].isEmpty() {
		l.Fatal("a change by hand is not noticed")
	}
	l.apply("revert", last)

	l.a.Forget()
	l.each("import", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		l.kept[i], diags = r.importState(lifeNumber(i))
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
	for i := range lived {
		l.a.mustDeliver(l, lifeNumber(i), destination{kind: "None"})
	}
}

// each does something for every FoneNumber, in one process, which must succeed.
func (l *life) each(step string, do func(r *run, i int) []*tfprotov6.Diagnostic) {
	l.Helper()
	r := l.a.start(l.Context(), l.T, nil)
	for i := range lived {
		if problem := failure(do(r, i)); problem != nil {
			l.Fatalf("%s, FoneNumber %d: %s: %s", step, i, problem.Summary, problem.Detail)
		}
	}
}

// config is what the configuration says of a FoneNumber after so many turns.
func (l *life) config(i, turn int) attributes {
	config := with(lived[(i+turn)%len(lived)], "fonenumber", lifeNumber(i))
	if l.ends {
		config["on_destroy"] = "disable"
	}
	return config
}

func (l *life) refresh(step string) {
	l.Helper()
	l.each(step+": refresh", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		if l.kept[i], diags = r.refresh(l.kept[i]); !l.kept[i].exists() {
			l.Fatalf("%s: FoneNumber %d was removed from the state", step, i)
		}
		return diags
	})
}

// plan plans the configuration of a turn, or to destroy everything if the turn is negative.
func (l *life) plan(step string, turn int) (changes []change) {
	l.Helper()
	l.each(step+": plan", func(r *run, i int) []*tfprotov6.Diagnostic {
		var config attributes
		if turn >= 0 {
			config = l.config(i, turn)
		}
		c, diags := r.plan(l.kept[i], config)
		changes = append(changes, c)
		return diags
	})
	return changes
}

func (l *life) apply(step string, turn int) {
	l.Helper()
	changes := l.plan(step, turn)
	l.each(step+": apply", func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
		l.kept[i], diags = r.apply(changes[i])
		want := l.config(i, turn)
		if f, _ := l.a.Get(lifeNumber(i)); f.Receive.Type != want.text("type") || f.Receive.Value() != want.text("value") {
			l.Fatalf("%s: FoneNumber %d delivers to %s %q, want %s", step, i, f.Receive.Type, f.Receive.Value(), want)
		}
		return diags
	})
	l.planIsEmpty("after "+step, turn)
}

// planIsEmpty also checks that a plan which refreshes costs no more requests than it may.
func (l *life) planIsEmpty(step string, turn int) {
	l.Helper()
	before := len(l.a.Requests())
	l.refresh(step)
	if n, most := len(l.a.Requests())-before, len(lived)+3; n > most {
		l.Fatalf("%s: reading %d FoneNumbers cost %d requests, more than %d", step, len(lived), n, most)
	}
	for i, c := range l.plan(step, turn) {
		if !c.isEmpty() {
			l.Fatalf("%s: the plan of FoneNumber %d is not empty: %s", step, i, c.differs())
		}
	}
}
