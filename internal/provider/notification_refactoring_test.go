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
					for order := range uint64(size(3, 1, 1)) {
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
