package provider

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// refactoring moves FoneNumbers between resources.
type refactoring struct {
	name          string
	numbers       int
	before, after map[string]int // FoneNumbers by the resources that set them.
	replaced      []string       // Resources that are replaced without a change.
	imported      bool           // Whether the resources were imported before, and so keep their deliveries when they are destroyed.
}

func refactorings(n int) []refactoring {
	count := func(from, numbers int, name string) map[string]int {
		resources := map[string]int{}
		for i := range numbers {
			resources[fmt.Sprint(name, i)] = from + i
		}
		return resources
	}
	return []refactoring{
		{name: "swap", numbers: 2, before: map[string]int{"a": 0, "b": 1}, after: map[string]int{"a": 1, "b": 0}},
		{name: "shift", numbers: n, before: count(0, n, "a"), after: count(1, n-1, "a")},
		{name: "rename", numbers: n, before: count(0, n, "a"), after: count(0, n, "b")},
		{name: "rename of imports", numbers: n, before: count(0, n, "a"), after: count(0, n, "b"), imported: true},
		{name: "replace", numbers: 2, before: count(0, 2, "a"), after: count(0, 2, "a"), replaced: []string{"a0", "a1"}},
	}
}

// begins returns a world in which nothing was applied yet, except for imports.
func (f refactoring) begins(t *testing.T, createFirst bool, order uint64) *world {
	t.Helper()
	w := newAccount(t, simulator.Options{FoneNumbers: f.numbers}).world(t)
	w.inOrder(order, createFirst)
	w.settings = attributes{"max_retries": 0}
	if f.imported {
		for name, i := range f.before {
			w.byHand(loadNumber(i), "Email", valueIn(i, 0))
			w.state[name] = w.imported(t, loadNumber(i), true)
		}
	}
	return w
}

// valueIn returns the destination of a FoneNumber, which is different in each round.
func valueIn(i, round int) string { return fmt.Sprintf("ops-%d-%d@example.com", i, round) }

// assign configures a FoneNumber for every resource and, if wanted, its receive notification in another resource.
func (w *world) assign(resources map[string]int, round int, notified bool) {
	w.config = map[string]attributes{}
	for name, i := range resources {
		w.config[name] = attributes{"fonenumber": loadNumber(i), "type": "Email", "value": valueIn(i, round)}
		if notified {
			w.config["notification of "+name] = settings[1].config(w.config[name])
		}
	}
}

// Every refactoring of deliveries, alone and together with notifications, is interrupted at every request, in every way, and in many
// of the orders in which Terraform may plan and apply. Another apply must then set every FoneNumber as configured, and a destroy
// must turn off all.
func TestInterruptedRefactoring(t *testing.T) {
	t.Parallel()
	for _, refactoring := range refactorings(size(3, 2)) {
		for _, createFirst := range []bool{false, true} {
			for variant, orders := range map[string]int{
				"same destinations": size(2, 1), "other destinations": size(2, 0), "with notifications": 1,
			} {
				for _, how := range interruptions {
					t.Run(fmt.Sprintf("%s/create first %t/%s/%s", refactoring.name, createFirst, variant, how.name), func(t *testing.T) {
						t.Parallel()
						for order := range uint64(orders) {
							for k := 1; refactoring.isInterrupted(t, createFirst, variant, how, k, order); k++ {
							}
						}
					})
				}
			}
		}
	}
}

// isInterrupted interrupts an apply at request k, and reports whether there was such a request.
func (f refactoring) isInterrupted(t *testing.T, createFirst bool, variant string, how interruption, k int, order uint64) (met bool) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("order %d, interrupted at request %d", order, k)
		}
	}()
	notified, replaced := variant == "with notifications", slices.Clone(f.replaced)
	for _, name := range f.replaced {
		replaced = append(replaced, "notification of "+name)
	}
	for _, ends := range []bool{false, true} {
		if ends && notified && (k%3 > 0 || how.kills) {
			continue // There are many more requests.
		}
		w := f.begins(t, createFirst, order)
		w.assign(f.before, 0, notified)
		w.mustApply()
		w.assign(f.after, map[bool]int{false: 1}[variant == "same destinations"], notified)
		w.interfere(how, k)
		w.replaced = replaced
		problem := failure(w.apply())
		met = w.isInterrupted()
		killed := w.isKilled()
		if (problem != nil || killed) != met && how.name != "lost" {
			t.Fatalf("the apply was interrupted: %t, and has the error %v", met, problem)
		}
		w.interfere(interruption{}, 0)
		w.replaced = nil
		if n := w.count("set"); !met && len(replaced) > 0 && n != 2*f.numbers {
			t.Errorf("%d settings were sent, want two of each delivery: one that is turned off first would delete messages", n)
		}
		if ends {
			w.mustDestroy(f)
		} else {
			w.mustApply()
			for _, id := range f.ids() { // Nothing else is set.
				w.hasOneOf(id, w.configOf(id).text("value"))
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	return met
}

// mustDestroy plans, plans the destroy in another process, and destroys in a third, as Terraform does.
func (w *world) mustDestroy(f refactoring) {
	w.t.Helper()
	allowed := map[string][]string{}
	for _, id := range f.ids() {
		found := w.is(id).value
		tracked, kept := w.inState(id, found)
		switch {
		case !tracked && w.configOf(id) != nil: // Its old resource left it to the new one, which may not have been created.
			allowed[id] = []string{"", found}
		case !tracked && f.imported: // It stays unchanged, like a delivery that something else set.
			allowed[id] = []string{found}
		case kept: // It is turned off only if its new resource is also in the state.
			allowed[id] = []string{"", found}
		default:
			allowed[id] = []string{""}
		}
	}
	if problem := failure(w.plan().diags); problem != nil {
		w.t.Fatalf("planning the destroy fails: %v", problem)
	}
	w.noRefresh = true
	w.mustApply(nil)
	for id, values := range allowed {
		w.hasOneOf(id, values...)
	}
}

func (f refactoring) ids() (ids []string) {
	for i := range f.numbers {
		for _, as := range settings[:2] {
			ids = append(ids, as.id(loadNumber(i)))
		}
	}
	return ids
}

// configOf returns the configuration of the setting with an ID; nil if there is none.
func (w *world) configOf(id string) attributes {
	for _, config := range w.config {
		if config.id() == id {
			return config
		}
	}
	return nil
}

// hasOneOf checks that the setting with an ID has one of these destinations.
func (w *world) hasOneOf(id string, allowed ...string) {
	w.t.Helper()
	if got := w.is(id).value; !slices.Contains(allowed, got) {
		w.t.Errorf("%s is %q, want %q", id, got, allowed)
	}
}

// inState reports whether an object in the state has set this destination of a setting, and whether one would be destroyed without
// turning it off.
func (w *world) inState(id, value string) (tracked, kept bool) {
	tracked = value == ""
	for _, object := range w.state {
		if state := attributesOf(object.state); state.id() == id {
			tracked = tracked || state.text("value") == value
			kept = kept || state.text("on_destroy") == onDestroyKeep
		}
	}
	return tracked, kept
}

func TestSamePlanInEveryOrder(t *testing.T) {
	t.Parallel()
	const n = 12 // More than are read singly.
	for _, moves := range refactorings(n) {
		t.Run(moves.name, func(t *testing.T) {
			t.Parallel()
			w := moves.begins(t, false, 0)
			w.assign(moves.before, 0, false)
			w.mustApply()
			w.assign(moves.after, 0, false)
			w.replaced = moves.replaced
			w.plan()
			first := w.shows
			for range 19 {
				if w.plan(); !maps.EqualFunc(w.shows, first, slices.Equal) {
					t.Fatalf("in one order, the plan shows\n%v\nand in another\n%v", first, w.shows)
				}
			}
			if quiet := len(moves.replaced) > 0; (len(first) == 0) != quiet {
				t.Errorf("the plan shows %v", first)
			}
		})
	}
}

// TestInterruptedRefactoring through the real CLI, which chooses its own order, with more FoneNumbers and real signals: each resource gets
// the FoneNumber of the next one. Another apply finishes, and a destroy after it turns off everything. If Terraform is killed, the
// provider ends too.
func TestAccInterrupted(t *testing.T) {
	t.Parallel()
	for _, createFirst := range []bool{false, true} {
		for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
			t.Run(fmt.Sprintf("create first %t, %s", createFirst, signal), func(t *testing.T) {
				t.Parallel()
				checkInterrupted(t, createFirst, signal)
			})
		}
	}
}

func checkInterrupted(t *testing.T, createFirst bool, signal os.Signal) {
	t.Helper()
	const n = 12
	a := newAccount(t, simulator.Options{FoneNumbers: n})
	w := a.newWorkspace(t, numbered(n, 0, "first", createFirst))
	w.apply(0, "-compact-warnings")
	w.configure(numbered(n-1, 1, "second", createFirst))
	w.interrupt(a, signal)
	w.waitUntilGone()
	w.apply(0, "-compact-warnings")
	for i := 1; i < n; i++ {
		a.mustDeliver(t, loadNumber(i), delivery{kind: "Email", value: fmt.Sprintf("second-%s@example.com", loadNumber(i))})
	}
	w.plan(0)
	w.apply(0, "-destroy", "-compact-warnings")
	for i := range n {
		if i > 0 || signal == os.Interrupt { // If Terraform is killed while it writes the state, it can forget all resources.
			a.mustDeliver(t, loadNumber(i), delivery{kind: "None"})
		}
	}
}

// interrupt applies, and sends the signal during the second setting, before that takes effect.
func (w *workspace) interrupt(a *account, signal os.Signal) {
	w.t.Helper()
	terraform := make(chan *os.Process, 1)
	var settings atomic.Int64
	a.Intercept(func(r simulator.Request) simulator.Fault {
		if r.Kind() != "set" || settings.Add(1) != 2 {
			return ""
		}
		_ = (<-terraform).Signal(signal)
		if signal == os.Interrupt {
			return "" // The setting completes.
		}
		return simulator.NoResponse
	})
	defer a.Intercept(nil)
	var output bytes.Buffer
	apply := w.Command(w.t.Context(), "apply", "-no-color", "-input=false", "-auto-approve", "-compact-warnings")
	apply.Stdout, apply.Stderr = &output, &output
	if err := apply.Start(); err != nil {
		w.t.Fatal(err)
	}
	terraform <- apply.Process
	_ = apply.Wait()
	if settings.Load() < 2 {
		w.t.Fatalf("the apply ended before its second setting:\n%s", unframed(output.String()))
	}
}

// waitUntilGone waits for all processes of the provider to exit, and kills them if they do not. Without /proc, it does not wait.
func (w *workspace) waitUntilGone() {
	w.t.Helper()
	deadline := time.After(15 * time.Second)
	for len(w.providers()) > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			for _, process := range w.providers() {
				_ = process.Kill()
			}
			w.t.Fatal("the provider still runs without Terraform")
		}
	}
}

func (w *workspace) providers() (found []*os.Process) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		program, _ := os.Readlink(filepath.Join(dir, "exe")) // Nothing, if the process has just exited.
		environment, _ := os.ReadFile(filepath.Join(dir, "environ"))
		if filepath.Dir(program) != providerDir || !bytes.Contains(environment, []byte(w.Dir)) {
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(dir))
		if process, err := os.FindProcess(id); err == nil {
			found = append(found, process)
		}
	}
	return found
}
