package provider

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// withNotifications adds a resource for the receive notification to each resource for a delivery, with the same destination.
func (w *fakeTerraform) withNotifications() {
	for name, config := range maps.Clone(w.config) {
		w.config["notification of "+name] = settings[1].config(config)
	}
}

// notifies checks that every notification is as configured, and that no other FoneNumber has one.
func (w *fakeTerraform) notifies(what string) {
	w.t.Helper()
	want := map[string]string{}
	for _, config := range w.config {
		if config["event"] != nil {
			want[config.text("fonenumber")] = config.text("value")
		}
	}
	for i := range w.numbers {
		f, _ := w.account.Get(w.number(i))
		if got := settings[1].is(f).value; got != want[f.Number] {
			w.t.Errorf("%sthe notification of %s is %q, want %q", what, f.Number, got, want[f.Number])
		}
	}
}

// Deliveries and notifications move together, are interrupted at every request, and end up as configured after another apply.
func TestInterruptedRefactoringOfBoth(t *testing.T) {
	t.Parallel()
	for _, refactoring := range refactorings(size(3, 3, 2)) {
		for _, createFirst := range []bool{false, true} {
			for _, how := range []interruption{rejected, lost, killedBefore, killedAfter} {
				t.Run(fmt.Sprintf("%s/create first %t/%s", refactoring.name, createFirst, how), func(t *testing.T) {
					t.Parallel()
					a := newAccountInMemory(t, simulator.Options{})
					for order := range uint64(1) {
						for k := 1; interruptedBoth(t, a, refactoring, createFirst, how, k, order); k++ {
						}
					}
				})
			}
		}
	}
}

func interruptedBoth(t *testing.T, a *account, refactoring refactoring, createFirst bool, how interruption, k int, order uint64) (met bool) {
	t.Helper()
	w := newFakeTerraform(t, a, refactoring, createFirst, order)
	for i := range w.numbers {
		a.Put(simulator.FoneNumber{Number: w.number(i)})
	}
	w.configure(refactoring.before, 0)
	w.withNotifications()
	w.mustApply("the first apply", nil)
	w.notifies("the first apply: ")
	w.configure(refactoring.after, 1)
	w.withNotifications()
	replaced := slices.Clone(refactoring.replaced)
	for _, name := range refactoring.replaced {
		replaced = append(replaced, "notification of "+name)
	}
	w.transport.interrupt(how, k)
	failed := w.apply(replaced)
	met = w.transport.isInterrupted()
	w.killed = w.transport.isKilled()
	if failed != met && how != lost {
		t.Fatalf("the apply failed: %t, was interrupted: %t", failed, met)
	}
	w.transport.interrupt("", 0)
	what := fmt.Sprintf("order %d, request %d: ", order, k)
	w.mustApply(what+"the next apply", nil)
	w.settled(what)
	w.notifies(what)
	if k%3 == 0 && !w.killed { // The state does not know what a killed apply has set last.
		w.mustDestroy(what + "the destroy")
		w.config = nil
		w.notifies(what + "the destroy: ")
	}
	if t.Failed() {
		t.FailNow()
	}
	return met
}

// After any sequence of configurations, changes by hand, and interrupted applies, another apply sets every delivery and notification
// as configured, and the next plan is empty.
func TestRandomSequencesOfBoth(t *testing.T) {
	t.Parallel()
	for seed := range uint64(size(150, 40, 12)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newFakeTerraform(t, newAccountInMemory(t, simulator.Options{}), refactoring{numbers: 3}, seed%4 < 2, seed)
			for round := range 5 {
				resources := map[string]int{}
				for i, number := range w.order.Perm(w.numbers) {
					resources[[]string{"a", "b", "c"}[i]] = number
				}
				w.configure(resources, round/2)
				w.withNotifications()
				maps.DeleteFunc(w.config, func(string, attributes) bool { return w.order.IntN(4) == 0 })
				if w.order.IntN(2) == 0 {
					settings[w.order.IntN(2)].set(w.account, w.number(w.order.IntN(w.numbers)), delivery{kind: "Email", value: "boss@example.com"})
				}
				w.transport.interrupt([]interruption{rejected, lost, killedBefore, killedAfter}[w.order.IntN(4)], 1+w.order.IntN(12))
				w.apply(nil)
				w.transport.interrupt("", 0)
				maps.DeleteFunc(w.current, func(_ string, o fakeObject) bool { return !o.exists() }) // Terraform does not save them.
			}
			w.mustApply("the last apply", nil)
			for name, config := range w.config {
				as := settings[0]
				if config["event"] != nil {
					as = settings[1]
				}
				if f, _ := w.account.Get(config.text("fonenumber")); as.is(f).value != config.text("value") {
					t.Errorf("%s has set %+v, want %v", name, as.is(f), config)
				}
			}
			if steps, ok := w.plan(nil); !ok || len(steps) > 0 {
				t.Errorf("the next plan has %v", slices.Sorted(maps.Keys(steps)))
			}
		})
	}
}
