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
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// A refactoring moves FoneNumbers between resources.
type refactoring struct {
	name          string
	numbers       int
	before, after map[string]int // By resource: the FoneNumber that it sets.
	replaced      []string       // Resources that are replaced without a change.
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
		{name: "replace", numbers: 2, before: count(0, 2, "a"), after: count(0, 2, "a"), replaced: []string{"a[0]", "a[1]"}},
	}
}

// Every refactoring is broken off at every request, in every way, and in many of the orders in which Terraform may plan and
// apply. One apply must then end with every FoneNumber as configured, and a destroy must turn off all.
func TestRefactoringIsBrokenOff(t *testing.T) {
	t.Parallel()
	for _, refactoring := range refactorings(size(4, 4, 2)) {
		for _, createFirst := range []bool{false, true} {
			for _, sameDestination := range []bool{true, false}[:size(2, 2, 1)] {
				for _, how := range []breakOff{refused, lost, killedBefore, killedAfter} {
					name := fmt.Sprintf("%s/create first %t/same destinations %t/%s", refactoring.name, createFirst, sameDestination, how)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						a := newAccountInMemory(t, simulator.Options{}) // Each new one reads its contract, which takes most of the time.
						for order := range uint64(size(2, 1, 1)) {
							for k := 1; brokenOff(t, a, refactoring, createFirst, sameDestination, how, k, order); k++ {
							}
						}
					})
				}
			}
		}
	}
}

// brokenOff breaks an apply off at request k, and reports whether there was such a request.
func brokenOff(t *testing.T, a *account, refactoring refactoring, createFirst, sameDestination bool, how breakOff, k int, order uint64) (met bool) {
	t.Helper()
	for _, ends := range []bool{false, true} {
		w := newWorld(t, a, refactoring, createFirst, order)
		w.configure(refactoring.before, 0)
		w.mustApply("the first apply", nil)
		round := 1
		if sameDestination {
			round = 0
		}
		w.configure(refactoring.after, round)
		w.line.breakOff(how, k)
		failed := w.apply(refactoring.replaced)
		met = w.line.isBroken()
		w.killed = w.line.isKilled()
		if failed != met && how != lost {
			t.Fatalf("the apply failed: %t, was broken off: %t", failed, met)
		}
		w.line.breakOff("", 0)
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

// breakOff is a way in which an apply ends early.
type breakOff string

const (
	refused      breakOff = "refused"             // All further requests fail, which is certain.
	lost         breakOff = "lost"                // All further requests take effect, but their responses are lost.
	killedBefore breakOff = "killed before"       // Terraform and the provider are killed before a request takes effect.
	killedAfter  breakOff = "killed after effect" // The same, after it.
)

// line is the way to FoneStorm of one world.
type line struct {
	http.RoundTripper

	mu       sync.Mutex
	how      breakOff
	at, sent int // The request at which the line breaks, and the number of requests so far.
}

func (l *line) breakOff(how breakOff, at int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.how, l.at, l.sent = how, at, 0
}

// isBroken reports whether the apply came to the request.
func (l *line) isBroken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.how != "" && l.sent >= l.at
}

// isKilled reports whether nothing can happen any longer.
func (l *line) isKilled() bool {
	return l.isBroken() && (l.how == killedBefore || l.how == killedAfter)
}

var errBroken = errors.New("the line is broken")

func (l *line) RoundTrip(request *http.Request) (*http.Response, error) {
	if kindOf(request) != "login" {
		l.mu.Lock()
		l.sent++
		l.mu.Unlock()
	}
	broken := l.isBroken()
	switch {
	case broken && l.how == refused:
		recorder := httptest.NewRecorder()
		respond(recorder, http.StatusForbidden, "No.")
		return recorder.Result(), nil
	case broken && l.how == killedBefore:
		return nil, errBroken
	}
	response, err := l.RoundTripper.RoundTrip(request)
	if err != nil || !broken {
		return response, err
	}
	response.Body.Close()
	return nil, errBroken
}

// worldObject is one object in the state of a resource.
type worldObject struct {
	instance
	tainted bool
}

// world is a Terraform that does what Terraform does with resources, in any order that it could take.
type world struct {
	t           *testing.T
	account     *account
	line        *line
	order       *rand.Rand
	createFirst bool
	legacy      bool // Whether orphans are planned before they are refreshed.
	numbers     int
	replaced    bool   // Whether FoneNumbers are out of the state for a while without being turned off.
	killed      bool   // Whether an apply was killed, so that the state may not know of its last request.
	problem     string // The last error.

	config  map[string]attributes
	current map[string]worldObject
	deposed map[string][]instance
}

func newWorld(t *testing.T, a *account, refactoring refactoring, createFirst bool, order uint64) *world {
	t.Helper()
	a.Forget()
	line := &line{RoundTripper: a.network.transport()}
	w := &world{
		t: t, line: line, createFirst: createFirst, legacy: order%2 == 1, numbers: refactoring.numbers,
		account: &account{Simulator: a.Simulator, endpoint: a.endpoint, transport: func() http.RoundTripper { return line }},
		order:   rand.New(rand.NewPCG(order, 1)),
		current: map[string]worldObject{}, deposed: map[string][]instance{},
	}
	w.replaced = len(refactoring.replaced) > 0
	for i := range w.numbers {
		a.Put(simulator.FoneNumber{Number: w.number(i)})
	}
	return w
}

func (w *world) number(i int) string { return fmt.Sprint(3215550000 + i) }

// configure gives every resource its FoneNumber, each of which has another destination in each round.
func (w *world) configure(resources map[string]int, round int) {
	w.config = map[string]attributes{}
	for name, i := range resources {
		w.config[name] = attributes{"fonenumber": w.number(i), "type": "Email", "value": fmt.Sprintf("ops-%d-%d@example.com", i, round)}
	}
}

func (w *world) start() *run {
	return w.account.start(w.t.Context(), w.t, attributes{"max_retries": 0, "requests_per_second": 100_000})
}

// shuffled returns the names of a map in an order of its own.
func shuffled[V any](w *world, m map[string]V) []string {
	names := slices.Sorted(maps.Keys(m))
	w.order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// step is something that an apply does, when those that it waits for have ended well.
type applyStep struct {
	waitsFor string
	do       func(*run) (ok bool)
}

// mustApply applies without faults.
func (w *world) mustApply(what string, replaced []string) {
	w.t.Helper()
	if w.apply(replaced) {
		w.t.Fatalf("%s fails: %s", what, w.problem)
	}
}

func (w *world) fails(diags []*tfprotov6.Diagnostic) bool {
	d := failure(diags)
	if d != nil {
		w.problem = d.Summary + ": " + d.Detail
	}
	return d != nil
}

// refresh reads one object. One that is gone does not exist afterwards.
func (w *world) refresh(r *run, i instance) (_ instance, ok bool) {
	after, diags := r.refresh(i)
	return after, !w.fails(diags)
}

// nodes are what a plan visits: resources, and deposed objects by their names.
func (w *world) nodes() map[string]bool {
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
func (w *world) apply(replaced []string) (failed bool) {
	steps, ok := w.plan(replaced)
	return !ok || !w.carryOut(steps)
}

// plan refreshes and plans everything.
func (w *world) plan(replaced []string) (steps map[string]applyStep, ok bool) {
	r := w.start()
	steps = map[string]applyStep{}
	broken := w.line.how
	at := w.line.at
	w.line.breakOff("", 0) // Only the apply is broken off.
	defer func() { w.line.breakOff(broken, at) }()
	for _, name := range shuffled(w, w.nodes()) {
		if deposedOf, isDeposed := cutDeposed(name); isDeposed {
			for i, deposed := range w.deposed[deposedOf] {
				if w.deposed[deposedOf][i], ok = w.refresh(r, deposed); !ok {
					return nil, false
				}
				if _, diags := r.plan(w.deposed[deposedOf][i], nil); w.fails(diags) {
					return nil, false
				}
			}
			steps[name] = applyStep{do: w.destroysDeposed(deposedOf)}
			continue
		}
		if config, configured := w.config[name]; configured {
			ok = w.planResource(r, name, config, slices.Contains(replaced, name), steps)
		} else {
			ok = w.planOrphan(r, name, steps)
		}
		if !ok {
			return nil, false
		}
	}
	return steps, true
}

func cutDeposed(name string) (resource string, is bool) { return strings.CutPrefix(name, "deposed ") }

func (w *world) planOrphan(r *run, name string, steps map[string]applyStep) (ok bool) {
	before := w.current[name]
	if w.legacy {
		c, diags := r.plan(before.instance, nil)
		if w.fails(diags) {
			return false
		}
		before.instance, ok = w.refresh(r, before.instance)
		w.current[name] = before
		steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
		return ok
	}
	if before.instance, ok = w.refresh(r, before.instance); !ok {
		return false
	}
	w.current[name] = before
	c, diags := r.plan(before.instance, nil)
	steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
	return !w.fails(diags)
}

func (w *world) planResource(r *run, name string, config attributes, replaced bool, steps map[string]applyStep) (ok bool) {
	before, exists := w.current[name]
	if exists {
		if before.instance, ok = w.refresh(r, before.instance); !ok {
			return false
		}
		w.current[name] = before
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

// carryOut takes the steps in an order of its own.
func (w *world) carryOut(steps map[string]applyStep) (ok bool) {
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
			return false // What they wait for has failed.
		}
		slices.Sort(ready)
		name := ready[w.order.IntN(len(ready))]
		done[name] = steps[name].do(r)
		delete(steps, name)
		ok = ok && done[name]
		if w.line.isKilled() {
			return false
		}
	}
	return ok
}

// sets creates or updates the current object of a resource, which is planned again first.
func (w *world) sets(name string, config attributes) func(*run) bool {
	return func(r *run) bool {
		before := w.current[name]
		c, diags := r.plan(before.instance, config)
		if w.fails(diags) {
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was to be changed, but is not when it is planned again", name)
		}
		after, diags := r.apply(c)
		if w.line.isKilled() {
			return false
		}
		failed := w.fails(diags)
		if after.exists() {
			w.current[name] = worldObject{after, failed && !before.exists()}
		}
		return !failed
	}
}

// setsBesideDeposed creates a new object while the old one is deposed.
func (w *world) setsBesideDeposed(name string, config attributes) func(*run) bool {
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

func (w *world) destroys(name string, private []byte) func(*run) bool {
	return func(r *run) bool {
		before, exists := w.current[name]
		if !exists || !before.exists() {
			delete(w.current, name)
			return true
		}
		after, ok := w.destroy(r, before.instance, private)
		switch {
		case w.line.isKilled():
		case ok:
			delete(w.current, name)
		default:
			w.current[name] = worldObject{after, before.tainted}
		}
		return ok
	}
}

// destroysDeposed destroys what is deposed, which is planned again first.
func (w *world) destroysDeposed(name string) func(*run) bool {
	return func(r *run) bool {
		var left []instance
		for _, before := range w.deposed[name] {
			if w.line.isKilled() || !before.exists() {
				left = append(left, before)
				continue
			}
			c, diags := r.plan(before, nil)
			if w.fails(diags) {
				left = append(left, before)
				continue
			}
			if after, ok := w.destroy(r, before, c.private); !ok {
				if w.line.isKilled() {
					after = before
				}
				left = append(left, after)
			}
		}
		w.deposed[name] = left
		return len(left) == 0
	}
}

func (w *world) destroy(r *run, before instance, private []byte) (_ instance, ok bool) {
	after, diags := r.apply(destruction(before, private))
	return after, !w.fails(diags) && !w.line.isKilled()
}

// settled checks that every FoneNumber is as configured, that no other one delivers, and that the next plan is empty.
func (w *world) settled(what string) {
	w.t.Helper()
	want := map[string]string{}
	for _, config := range w.config {
		want[config.text("fonenumber")] = config.text("value")
	}
	w.delivers(what, want)
	steps, ok := w.plan(nil)
	if !ok || len(steps) > 0 {
		w.t.Errorf("%sthe plan has %v", what, slices.Sorted(maps.Keys(steps)))
	}
	for name, deposed := range w.deposed {
		if len(deposed) > 0 {
			w.t.Errorf("%sdeposed objects of %s are left", what, name)
		}
	}
}

func (w *world) delivers(what string, want map[string]string) {
	w.t.Helper()
	for i := range w.numbers {
		f, _ := w.account.Get(w.number(i))
		if got := f.Receive.Value(); got != want[f.Number] {
			w.t.Errorf("%s%s delivers to %q, want %q", what, f.Number, got, want[f.Number])
		}
	}
}

// mustDestroy plans as usual, then plans to destroy everything in another process, and does so in a third.
func (w *world) mustDestroy(what string) {
	w.t.Helper()
	lostSight := map[string]string{} // What no state knows of. It stays unchanged, like a delivery that was set elsewhere.
	for i := range w.numbers {
		if f, _ := w.account.Get(w.number(i)); w.killed && !w.inState(f.Number, f.Receive.Value()) {
			lostSight[f.Number] = f.Receive.Value()
		}
	}
	if len(lostSight) > 1 && !w.replaced {
		w.t.Errorf("%s: %v was lost sight of, want only what was under way", what, lostSight)
	}
	if _, ok := w.plan(nil); !ok {
		w.t.Fatalf("%s cannot be planned: %s", what, w.problem)
	}
	r := w.start()
	steps := map[string]applyStep{}
	for _, name := range shuffled(w, w.nodes()) {
		resource, isDeposed := cutDeposed(name)
		if isDeposed {
			for _, deposed := range w.deposed[resource] {
				if _, diags := r.plan(deposed, nil); w.fails(diags) {
					w.t.Fatalf("%s cannot be planned: %s", what, w.problem)
				}
			}
			steps[name] = applyStep{do: w.destroysDeposed(resource)}
			continue
		}
		before, exists := w.current[name]
		if !exists || !before.exists() {
			continue
		}
		c, diags := r.plan(before.instance, nil)
		if w.fails(diags) {
			w.t.Fatalf("%s cannot be planned: %s", what, w.problem)
		}
		steps[name] = applyStep{do: w.destroys(name, c.private)}
	}
	if !w.carryOut(steps) {
		w.t.Fatalf("%s fails: %s", what, w.problem)
	}
	w.delivers(what+": ", lostSight)
	if len(w.current) > 0 {
		w.t.Errorf("%s leaves %v", what, slices.Sorted(maps.Keys(w.current)))
	}
}

// inState reports whether an object in the state delivers a FoneNumber to this value.
func (w *world) inState(number, value string) bool {
	var objects []instance
	for _, object := range w.current {
		objects = append(objects, object.instance)
	}
	for _, deposed := range w.deposed {
		objects = append(objects, deposed...)
	}
	return value == "" || slices.ContainsFunc(objects, func(i instance) bool {
		state := attributesOf(i.known())
		return state.text("fonenumber") == number && state.text("value") == value
	})
}
