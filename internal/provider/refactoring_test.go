package provider

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

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
			resources[fmt.Sprintf("%s[%d]", name, i)] = from + i
		}
		return resources
	}
	return []refactoring{
		{name: "swap", numbers: 2, before: map[string]int{"a": 0, "b": 1}, after: map[string]int{"a": 1, "b": 0}},
		{name: "shift", numbers: n, before: count(0, n, "a"), after: count(1, n-1, "a")},
		{name: "rename", numbers: n, before: count(0, n, "a"), after: count(0, n, "b")},
		{name: "rename of imports", numbers: n, before: count(0, n, "a"), after: count(0, n, "b"), imported: true},
		{name: "replace", numbers: 2, before: count(0, 2, "a"), after: count(0, 2, "a"), replaced: []string{"a[0]", "a[1]"}},
	}
}

// Every refactoring is interrupted at every request, in every way, and in many of the orders in which Terraform may plan and
// apply. Another apply must then set every FoneNumber as configured, and a destroy must turn off all.
func TestInterruptedRefactoring(t *testing.T) {
	t.Parallel()
	for _, refactoring := range refactorings(size(3, 3, 2)) {
		for _, createFirst := range []bool{false, true} {
			for _, sameDestination := range []bool{true, false}[:size(2, 2, 1)] {
				for _, how := range []interruption{rejected, lost, killedBefore, killedAfter} {
					name := fmt.Sprintf("%s/create first %t/same destinations %t/%s", refactoring.name, createFirst, sameDestination, how)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						a := newAccountInMemory(t, simulator.Options{}) // Created once, because reading its contract takes most of the time.
						for order := range uint64(size(2, 1, 1)) {
							for k := 1; interrupted(t, a, refactoring, createFirst, sameDestination, how, k, order); k++ {
							}
						}
					})
				}
			}
		}
	}
}

// interrupted interrupts an apply at request k, and reports whether there was such a request.
func interrupted(t *testing.T, a *account, refactoring refactoring, createFirst, sameDestination bool, how interruption, k int, order uint64) (met bool) {
	t.Helper()
	for _, ends := range []bool{false, true} {
		w := newFakeTerraform(t, a, refactoring, createFirst, order)
		w.configure(refactoring.before, 0)
		w.mustApply("the first apply", nil)
		round := 1
		if sameDestination {
			round = 0
		}
		w.configure(refactoring.after, round)
		w.transport.interrupt(how, k)
		failed := w.apply(refactoring.replaced)
		met = w.transport.isInterrupted()
		w.killed = w.transport.isKilled()
		if failed != met && how != lost {
			t.Fatalf("the apply failed: %t, was interrupted: %t", failed, met)
		}
		w.transport.interrupt("", 0)
		what := fmt.Sprintf("order %d, request %d: ", order, k)
		if ends {
			w.mustDestroy(what + "the destroy")
		} else {
			w.mustApply(what+"the next apply", nil)
			w.settled(what)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	return met
}

// interruption is a way in which an apply ends early.
type interruption string

const (
	rejected     interruption = "rejected"            // All further requests fail, and certainly take no effect.
	lost         interruption = "lost"                // All further requests take effect, but their responses are lost.
	killedBefore interruption = "killed before"       // Terraform and the provider are killed before a request takes effect.
	killedAfter  interruption = "killed after effect" // The same, after it.
)

// interruptibleTransport is the connection of a fakeTerraform to FoneStorm, which sends one request at a time.
type interruptibleTransport struct {
	http.RoundTripper

	how      interruption
	at, sent int // Number of the request that is interrupted, and of requests so far.
}

func (l *interruptibleTransport) interrupt(how interruption, at int) {
	l.how, l.at, l.sent = how, at, 0
}

// pause lets everything through until it is resumed.
func (l *interruptibleTransport) pause() (resume func()) {
	how, at := l.how, l.at
	l.interrupt("", 0)
	return func() { l.interrupt(how, at) }
}

// isInterrupted reports whether the apply reached the request.
func (l *interruptibleTransport) isInterrupted() bool { return l.how != "" && l.sent >= l.at }

// isKilled reports whether Terraform and the provider have been killed.
func (l *interruptibleTransport) isKilled() bool {
	return l.isInterrupted() && (l.how == killedBefore || l.how == killedAfter)
}

var errInterrupted = errors.New("the connection is interrupted")

func (l *interruptibleTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if kindOf(request) != "login" {
		l.sent++
	}
	interrupted := l.isInterrupted()
	switch {
	case interrupted && l.how == rejected:
		recorder := httptest.NewRecorder()
		respond(recorder, http.StatusForbidden, "No.")
		return recorder.Result(), nil
	case interrupted && l.how == killedBefore:
		return nil, errInterrupted
	}
	response, err := l.RoundTripper.RoundTrip(request)
	if err != nil || !interrupted {
		return response, err
	}
	response.Body.Close()
	return nil, errInterrupted
}

// fakeObject is one object in the state of a resource.
type fakeObject struct {
	instance
	tainted bool
}

// fakeTerraform plans and applies resources as Terraform does, in any order that Terraform could choose.
type fakeTerraform struct {
	t           *testing.T
	account     *account
	transport   *interruptibleTransport
	order       *rand.Rand
	createFirst bool
	legacy      bool // Whether orphans are planned before they are refreshed.
	numbers     int
	replaced    bool   // Whether FoneNumbers leave the state temporarily without being turned off.
	imported    bool   // Whether FoneNumbers leave the state without being turned off, because they were imported.
	killed      bool   // Whether an apply was killed, so that the state may not know of its last request.
	destroying  bool   // Whether everything is destroyed, which is planned without a refresh.
	problem     string // The last error.

	config  map[string]attributes
	current map[string]fakeObject
	deposed map[string][]instance
}

func newFakeTerraform(t *testing.T, a *account, refactoring refactoring, createFirst bool, order uint64) *fakeTerraform {
	t.Helper()
	a.Forget()
	transport := &interruptibleTransport{RoundTripper: a.network.transport()}
	w := &fakeTerraform{
		t: t, transport: transport, createFirst: createFirst, legacy: order%2 == 1, numbers: refactoring.numbers,
		account: &account{Simulator: a.Simulator, endpoint: a.endpoint, transport: func() http.RoundTripper { return transport }},
		order:   rand.New(rand.NewPCG(order, 1)),
		current: map[string]fakeObject{}, deposed: map[string][]instance{},
	}
	w.replaced, w.imported = len(refactoring.replaced) > 0, refactoring.imported
	for i := range w.numbers {
		a.Put(simulator.FoneNumber{Number: w.number(i)})
	}
	if refactoring.imported {
		r := w.start()
		for name, i := range refactoring.before {
			a.byHand(w.number(i), "Email", valueIn(i, 0))
			imported, diags := r.importState(w.number(i))
			if w.fails(diags) {
				t.Fatal(w.problem)
			}
			w.current[name] = fakeObject{instance: imported}
		}
	}
	return w
}

// valueIn returns the destination of a FoneNumber, which is different in each round.
func valueIn(number, round int) string { return fmt.Sprintf("ops-%d-%d@example.com", number, round) }

func (w *fakeTerraform) number(i int) string { return fmt.Sprint(3215550000 + i) }

// configure configures a FoneNumber for every resource.
func (w *fakeTerraform) configure(resources map[string]int, round int) {
	w.config = map[string]attributes{}
	for name, i := range resources {
		w.config[name] = attributes{"fonenumber": w.number(i), "type": "Email", "value": valueIn(i, round)}
	}
}

func (w *fakeTerraform) start() *run {
	return w.account.start(w.t.Context(), w.t, attributes{"max_retries": 0, "requests_per_second": 100_000})
}

// shuffled returns the keys of a map in random order.
func shuffled[V any](w *fakeTerraform, m map[string]V) []string {
	names := slices.Sorted(maps.Keys(m))
	w.order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// applyStep is a step of an apply, which runs after the steps that it depends on have succeeded.
type applyStep struct {
	waitsFor string
	do       func(*run) (ok bool)
}

// mustApply applies without interruption.
func (w *fakeTerraform) mustApply(what string, replaced []string) {
	w.t.Helper()
	if w.apply(replaced) {
		w.t.Fatalf("%s fails: %s", what, w.problem)
	}
}

func (w *fakeTerraform) fails(diags []*tfprotov6.Diagnostic) bool {
	d := failure(diags)
	if d != nil {
		w.problem = d.Summary + ": " + d.Detail
	}
	return d != nil
}

// refresh reads one object. Afterward, an object that is gone does not exist.
func (w *fakeTerraform) refresh(r *run, i instance) (_ instance, ok bool) {
	if w.destroying {
		return i, true
	}
	after, diags := r.refresh(i)
	return after, !w.fails(diags)
}

// nodes returns what a plan visits: resources, and deposed objects by name.
func (w *fakeTerraform) nodes() map[string]bool {
	nodes := map[string]bool{}
	for name := range w.config {
		nodes[name] = false
	}
	for name := range w.current {
		nodes[name] = false
	}
	for name, deposed := range w.deposed {
		if len(deposed) > 0 {
			nodes["deposed "+name] = true
		}
	}
	return nodes
}

// apply plans in one process and applies in another. It reports whether anything failed.
func (w *fakeTerraform) apply(replaced []string) (failed bool) {
	steps, ok := w.plan(replaced)
	return !ok || !w.carryOut(steps)
}

// plan refreshes and plans everything.
func (w *fakeTerraform) plan(replaced []string) (steps map[string]applyStep, ok bool) {
	defer w.transport.pause()() // Only the apply is interrupted.
	r := w.start()
	steps = map[string]applyStep{}
	for _, name := range shuffled(w, w.nodes()) {
		deposedOf, isDeposed := strings.CutPrefix(name, "deposed ")
		config, isConfigured := w.config[name]
		switch {
		case isDeposed:
			ok = w.planDeposed(r, deposedOf, steps)
		case isConfigured:
			ok = w.planResource(r, name, config, slices.Contains(replaced, name), steps)
		default:
			ok = w.planOrphan(r, name, steps)
		}
		if !ok {
			return nil, false
		}
	}
	return steps, true
}

func (w *fakeTerraform) planDeposed(r *run, name string, steps map[string]applyStep) (ok bool) {
	var kept []instance
	for _, deposed := range w.deposed[name] {
		if deposed, ok = w.refresh(r, deposed); !ok {
			return false
		}
		if !deposed.exists() {
			continue
		}
		if _, diags := r.plan(deposed, nil); w.fails(diags) {
			return false
		}
		kept = append(kept, deposed)
	}
	if w.deposed[name] = kept; len(kept) > 0 {
		steps["deposed "+name] = applyStep{do: w.destroysDeposed(name)}
	}
	return true
}

func (w *fakeTerraform) planOrphan(r *run, name string, steps map[string]applyStep) (ok bool) {
	before := w.current[name]
	if !w.legacy {
		if before.instance, ok = w.refresh(r, before.instance); !ok {
			return false
		}
		w.current[name] = before
	}
	if !before.exists() {
		delete(w.current, name)
		return true
	}
	c, diags := r.plan(before.instance, nil)
	if w.fails(diags) {
		return false
	}
	if w.legacy {
		if before.instance, ok = w.refresh(r, before.instance); !ok {
			return false
		}
		w.current[name] = before
	}
	steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
	return true
}

func (w *fakeTerraform) planResource(r *run, name string, config attributes, replaced bool, steps map[string]applyStep) (ok bool) {
	before, exists := w.current[name]
	if exists {
		if before.instance, ok = w.refresh(r, before.instance); !ok {
			return false
		}
		w.current[name] = before
		if !before.exists() {
			delete(w.current, name)
			before, exists = fakeObject{}, false
		}
	}
	prior := instance{}
	if exists && !before.tainted {
		prior = before.instance
	}
	c, diags := r.plan(prior, config)
	if w.fails(diags) {
		return false
	}
	if prior.exists() && !c.replaces && !replaced {
		if !c.isEmpty() {
			steps["set "+name] = applyStep{do: w.sets(name, config)}
		}
		return true
	}
	if prior.exists() {
		if c, diags = r.plan(instance{private: c.private}, config); w.fails(diags) {
			return false
		}
	}
	switch {
	case !exists:
		steps["set "+name] = applyStep{do: w.sets(name, config)}
	case w.createFirst:
		steps["set "+name] = applyStep{do: w.setsBesideDeposed(name, config)}
		steps["new deposed "+name] = applyStep{waitsFor: "set " + name, do: w.destroysDeposed(name)}
	default:
		steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
		steps["set "+name] = applyStep{waitsFor: "delete " + name, do: w.sets(name, config)}
	}
	return true
}

// carryOut runs the steps in random order.
func (w *fakeTerraform) carryOut(steps map[string]applyStep) (ok bool) {
	r := w.start()
	ok = true
	done := map[string]bool{}
	for len(steps) > 0 {
		var ready []string
		for name, step := range steps {
			if ended, isDone := done[step.waitsFor]; step.waitsFor == "" || isDone && ended {
				ready = append(ready, name)
			}
		}
		if len(ready) == 0 {
			return false // What they depend on has failed.
		}
		slices.Sort(ready)
		name := ready[w.order.IntN(len(ready))]
		done[name] = steps[name].do(r)
		delete(steps, name)
		ok = ok && done[name]
		if w.transport.isKilled() {
			return false
		}
	}
	return ok
}

// sets creates or updates the current object of a resource after planning it again.
func (w *fakeTerraform) sets(name string, config attributes) func(*run) bool {
	return func(r *run) bool {
		before := w.current[name]
		c, diags := r.plan(before.instance, config)
		if w.fails(diags) {
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was planned to change, but is unchanged when it is planned again", name)
		}
		after, diags := r.apply(c)
		if w.transport.isKilled() {
			return false
		}
		failed := w.fails(diags)
		if after.exists() {
			w.current[name] = fakeObject{after, failed && !before.exists()}
		}
		return !failed
	}
}

// setsBesideDeposed creates a new object while the old one is deposed.
func (w *fakeTerraform) setsBesideDeposed(name string, config attributes) func(*run) bool {
	return func(r *run) bool {
		old := w.current[name]
		delete(w.current, name)
		w.deposed[name] = append(w.deposed[name], old.instance)
		ok := w.sets(name, config)(r)
		if _, created := w.current[name]; !created {
			w.deposed[name] = w.deposed[name][:len(w.deposed[name])-1]
			w.current[name] = old
		}
		return ok
	}
}

func (w *fakeTerraform) destroys(name string, private []byte) func(*run) bool {
	return func(r *run) bool {
		before := w.current[name]
		if !before.exists() {
			delete(w.current, name)
			return true
		}
		after, ok := w.destroy(r, before.instance, private)
		if w.current[name] = (fakeObject{after, before.tainted}); ok {
			delete(w.current, name)
		}
		return ok
	}
}

// destroysDeposed destroys a deposed object after planning it again.
func (w *fakeTerraform) destroysDeposed(name string) func(*run) bool {
	return func(r *run) bool {
		var left []instance
		for _, before := range w.deposed[name] {
			if w.transport.isKilled() || !before.exists() {
				left = append(left, before)
				continue
			}
			c, diags := r.plan(before, nil)
			if w.fails(diags) {
				left = append(left, before)
				continue
			}
			if after, ok := w.destroy(r, before, c.private); !ok {
				left = append(left, after)
			}
		}
		w.deposed[name] = left
		return len(left) == 0
	}
}

func (w *fakeTerraform) destroy(r *run, before instance, private []byte) (_ instance, ok bool) {
	after, diags := r.apply(destruction(before, private))
	if w.transport.isKilled() {
		return before, false
	}
	return after, !w.fails(diags)
}

// settled checks that every FoneNumber is as configured, that no other FoneNumber delivers, and that the next plan is empty.
func (w *fakeTerraform) settled(what string) {
	w.t.Helper()
	for i := range w.numbers {
		want := ""
		for _, config := range w.config {
			if config.text("fonenumber") == w.number(i) {
				want = config.text("value")
			}
		}
		w.delivers(what, i, want)
	}
	steps, ok := w.plan(nil)
	if !ok || len(steps) > 0 {
		w.t.Errorf("%sthe plan has %v", what, slices.Sorted(maps.Keys(steps)))
	}
	for name, deposed := range w.deposed {
		if len(deposed) > 0 {
			w.t.Errorf("%sdeposed objects of %s remain", what, name)
		}
	}
}

// delivers checks that a FoneNumber has one of these destinations.
func (w *fakeTerraform) delivers(what string, number int, allowed ...string) {
	w.t.Helper()
	f, _ := w.account.Get(w.number(number))
	if got := f.Receive.Value(); !slices.Contains(allowed, got) {
		w.t.Errorf("%s%s delivers to %q, want %q", what, f.Number, got, allowed)
	}
}

// mustDestroy plans, plans the destroy in another process, and destroys in a third, as Terraform does.
func (w *fakeTerraform) mustDestroy(what string) {
	w.t.Helper()
	allowed := make([][]string, w.numbers)
	untracked := 0
	for i := range w.numbers {
		f, _ := w.account.Get(w.number(i))
		tracked, kept := w.inState(f.Number, f.Receive.Value())
		switch {
		case !tracked && (w.killed || w.imported): // It stays unchanged, like a delivery that something else set.
			allowed[i] = []string{f.Receive.Value()}
			untracked++
		case kept: // It is turned off only if its new resource is also in the state.
			allowed[i] = []string{"", f.Receive.Value()}
		default:
			allowed[i] = []string{""}
		}
	}
	if untracked > 1 && !w.replaced && !w.imported {
		w.t.Errorf("%s: the state lacks %d deliveries, want only that of the request in progress", what, untracked)
	}
	if _, ok := w.plan(nil); !ok {
		w.t.Fatalf("%s cannot be planned: %s", what, w.problem)
	}
	w.config, w.destroying = nil, true
	steps, ok := w.plan(nil)
	if !ok {
		w.t.Fatalf("%s cannot be planned: %s", what, w.problem)
	}
	if !w.carryOut(steps) {
		w.t.Fatalf("%s fails: %s", what, w.problem)
	}
	for i := range w.numbers {
		w.delivers(what+": ", i, allowed[i]...)
	}
	if len(w.current) > 0 {
		w.t.Errorf("%s leaves %v", what, slices.Sorted(maps.Keys(w.current)))
	}
}

// inState reports whether an object in the state delivers a FoneNumber to this value, and whether one would be destroyed without
// turning it off.
func (w *fakeTerraform) inState(number, value string) (tracked, kept bool) {
	objects := slices.Concat(slices.Collect(maps.Values(w.deposed))...)
	for _, object := range w.current {
		objects = append(objects, object.instance)
	}
	tracked = value == ""
	for _, object := range objects {
		if state := attributesOf(object.known()); state.text("fonenumber") == number {
			tracked = tracked || state.text("value") == value
			kept = kept || state.text("on_destroy") == onDestroyKeep
		}
	}
	return tracked, kept
}
