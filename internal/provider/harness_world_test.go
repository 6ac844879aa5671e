package provider

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// interruption is a way in which an apply ends early: all further requests meet a fault. The zero value is none.
type interruption struct {
	name  string
	fault simulator.Fault
	kills bool // Whether Terraform and the provider are killed.
}

var interruptions = []interruption{
	{"rejected", simulator.TokenRejected, false}, // Certainly has no effect.
	{"lost", simulator.ResponseLost, false},      // Takes effect.
	{"killed before", simulator.ConnectionReset, true},
	{"killed after effect", simulator.ResponseLost, true},
}

// object is an object in the state.
type object struct {
	instance
	tainted bool
	deposed bool // Whether another object has replaced it, which was created before the destroy of this one.
}

// world is an account, the resources that a user has configured in it, and their state. It plans and applies them as Terraform
// does, in any order that Terraform could choose.
type world struct {
	t           testOrRapid
	account     *account
	order       *rand.Rand
	createFirst bool
	legacy      bool                  // Whether orphans are planned before they are refreshed.
	destroying  bool                  // Whether everything is destroyed, which is planned without a refresh.
	problem     *tfprotov6.Diagnostic // The last error.
	start       func() *run           // Starts a process of the provider.

	// Refresh and apply an object. A test may want to check that.
	reads   func(r *run, name string, before instance) (instance, []*tfprotov6.Diagnostic)
	applies func(r *run, name string, c change) (instance, []*tfprotov6.Diagnostic)

	how        interruption
	at, sent   int // Number of the request that is interrupted, and of requests of the apply so far.
	isApplying bool

	config   map[string]attributes // Configurations by the name of the resource.
	state    map[string]object     // Objects by the name of the resource. Those that are deposed have names of their own.
	deposals int                   // Number of objects that were deposed so far.
}

func newWorld(t testOrRapid, a *account, createFirst bool, order uint64) *world {
	t.Helper()
	w := &world{
		t: t, account: a, createFirst: createFirst, order: rand.New(rand.NewPCG(order, 1)), legacy: order%2 == 1,
		start: func() *run {
			return a.start(t.Context(), t, attributes{"max_retries": 0, "requests_per_second": 100_000})
		},
		reads:   func(r *run, _ string, before instance) (instance, []*tfprotov6.Diagnostic) { return r.refresh(before) },
		applies: func(r *run, _ string, c change) (instance, []*tfprotov6.Diagnostic) { return r.apply(c) },
		config:  map[string]attributes{}, state: map[string]object{},
	}
	a.Inject(w.next)
	return w
}

// interrupt interrupts the next apply at one of its requests, not counting logins.
func (w *world) interrupt(how interruption, at int) { w.how, w.at, w.sent = how, at, 0 }

// isInterrupted reports whether the apply reached the request.
func (w *world) isInterrupted() bool { return w.how.name != "" && w.sent >= w.at }

// isKilled reports whether Terraform and the provider have been killed.
func (w *world) isKilled() bool { return w.isInterrupted() && w.how.kills }

// next returns the fault of a request. The connection sends one request at a time.
func (w *world) next(r *http.Request) simulator.Fault {
	if w.isApplying && kindOf(r) != "login" {
		w.sent++
	}
	if w.isApplying && w.isInterrupted() {
		return w.how.fault
	}
	return ""
}

// shuffled returns the keys of a map in random order.
func shuffled[V any](w *world, m map[string]V) []string {
	names := slices.Sorted(maps.Keys(m))
	w.order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// fails reports whether there is an error. No diagnostic may contain a password.
func (w *world) fails(diags []*tfprotov6.Diagnostic) bool {
	for _, d := range diags {
		if strings.Contains(d.Summary+d.Detail, passwordPrefix) {
			w.t.Fatalf("a password is shown: %s: %s", d.Summary, d.Detail)
		}
	}
	d := failure(diags)
	w.problem = cmp.Or(d, w.problem)
	return d != nil
}

// mustApply applies without interruption.
func (w *world) mustApply(what string, replaced ...string) {
	w.t.Helper()
	if w.interrupt(interruption{}, 0); w.apply(replaced...) {
		w.t.Fatalf("%s fails: %s: %s", what, w.problem.Summary, w.problem.Detail)
	}
}

// apply plans in one process and applies in another. It reports whether anything failed. Some resources are replaced without a
// change.
func (w *world) apply(replaced ...string) (failed bool) {
	steps, ok := w.plan(replaced...)
	return !ok || !w.carryOut(steps)
}

// applyStep is a step of an apply, which runs after the step that it depends on has succeeded.
type applyStep struct {
	waitsFor string
	do       func(*run) (ok bool)
}

// plan refreshes and plans everything. Only the apply is interrupted.
func (w *world) plan(replaced ...string) (steps map[string]applyStep, ok bool) {
	r := w.start()
	steps = map[string]applyStep{}
	for _, name := range shuffled(w, w.nodes()) {
		if w.config[name] != nil {
			ok = w.planResource(r, name, slices.Contains(replaced, name), steps)
		} else {
			ok = w.planOrphan(r, name, steps)
		}
		if !ok {
			return nil, false
		}
	}
	return steps, true
}

// nodes returns the names of what a plan visits.
func (w *world) nodes() map[string]bool {
	nodes := map[string]bool{}
	for name := range w.config {
		nodes[name] = true
	}
	for name := range w.state {
		nodes[name] = true
	}
	return nodes
}

// refresh refreshes the object of a resource, if there is one, and forgets it if it is gone.
func (w *world) refresh(r *run, name string) (after object, ok bool) {
	before, exists := w.state[name]
	if !exists || w.destroying {
		return before, true
	}
	var diags []*tfprotov6.Diagnostic
	if before.instance, diags = w.reads(r, name, before.instance); w.fails(diags) {
		return before, false
	}
	if w.state[name] = before; !before.exists() {
		delete(w.state, name)
		return object{}, true
	}
	return before, true
}

// planOrphan plans the destroy of an object that is not configured, or is deposed.
func (w *world) planOrphan(r *run, name string, steps map[string]applyStep) (ok bool) {
	before, late := w.state[name], w.legacy && !w.state[name].deposed
	if !late {
		if before, ok = w.refresh(r, name); !ok || !before.exists() {
			return ok
		}
	}
	c, diags := r.plan(before.instance, nil)
	if w.fails(diags) {
		return false
	}
	if late {
		if _, ok = w.refresh(r, name); !ok {
			return false
		}
	}
	steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
	return true
}

func (w *world) planResource(r *run, name string, replaced bool, steps map[string]applyStep) (ok bool) {
	before, ok := w.refresh(r, name)
	if !ok {
		return false
	}
	prior := before.instance
	if before.tainted {
		prior = instance{}
	}
	config := w.config[name]
	c, diags := r.plan(prior, config)
	if w.fails(diags) {
		return false
	}
	if prior.exists() && !c.replaces && !replaced {
		if !c.isEmpty() {
			steps["set "+name] = applyStep{do: w.sets(name)}
		}
		return true
	}
	if prior.exists() {
		if c, diags = r.plan(instance{private: c.private}, config); w.fails(diags) {
			return false
		}
	}
	switch {
	case !before.exists():
		steps["set "+name] = applyStep{do: w.sets(name)}
	case w.createFirst:
		w.deposals++
		deposed := fmt.Sprintf("deposed %d of %s", w.deposals, name)
		steps["set "+name] = applyStep{do: w.setsBeside(deposed, name)}
		steps["delete "+deposed] = applyStep{waitsFor: "set " + name, do: w.destroys(deposed, nil)}
	default:
		steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
		steps["set "+name] = applyStep{waitsFor: "delete " + name, do: w.sets(name)}
	}
	return true
}

// carryOut runs the steps in random order.
func (w *world) carryOut(steps map[string]applyStep) (ok bool) {
	r := w.start()
	w.isApplying, ok = true, true
	defer func() { w.isApplying = false }()
	done := map[string]bool{"": true}
	for len(steps) > 0 {
		ready := maps.Clone(steps)
		maps.DeleteFunc(ready, func(_ string, s applyStep) bool { return !done[s.waitsFor] })
		if len(ready) == 0 {
			return false // What they depend on has failed.
		}
		name := shuffled(w, ready)[0]
		done[name] = steps[name].do(r)
		delete(steps, name)
		ok = ok && done[name]
		if w.isKilled() {
			return false
		}
	}
	return ok
}

// applyChange applies a change, unless Terraform is killed meanwhile, so that it does not save the result.
func (w *world) applyChange(r *run, name string, c change) (after instance, ok bool) {
	after, diags := w.applies(r, name, c)
	if w.isKilled() {
		return c.before, false
	}
	return after, !w.fails(diags)
}

// sets creates or updates the current object of a resource after planning it again.
func (w *world) sets(name string) func(*run) bool {
	return func(r *run) bool {
		before := w.state[name].instance
		c, diags := r.plan(before, w.config[name])
		if w.fails(diags) {
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was planned to change, but is unchanged when it is planned again", name)
		}
		after, ok := w.applyChange(r, name, c)
		if after.exists() {
			w.state[name] = object{instance: after, tainted: !ok && !before.exists()}
		}
		return ok
	}
}

// setsBeside creates a new object while the old one is deposed.
func (w *world) setsBeside(deposed, name string) func(*run) bool {
	return func(r *run) bool {
		old := w.state[name]
		delete(w.state, name)
		w.state[deposed] = object{instance: old.instance, deposed: true}
		ok := w.sets(name)(r)
		if _, created := w.state[name]; !created {
			delete(w.state, deposed)
			w.state[name] = old
		}
		return ok
	}
}

// destroys destroys an object. One that is deposed is planned again.
func (w *world) destroys(name string, private []byte) func(*run) bool {
	return func(r *run) (ok bool) {
		before := w.state[name]
		if before.deposed {
			c, diags := r.plan(before.instance, nil)
			if private = c.private; w.fails(diags) {
				return false
			}
		}
		ok = true
		if before.exists() {
			before.instance, ok = w.applyChange(r, name, destruction(before.instance, private))
		}
		if w.state[name] = before; ok {
			delete(w.state, name)
		}
		return ok
	}
}

// settled checks that every FoneNumber is as configured, that nothing else is set, and that the next plan is empty.
func (w *world) settled(what string, numbers int) {
	w.t.Helper()
	for i := range numbers {
		for _, as := range settings[:2] {
			want := ""
			for _, config := range w.config {
				if config.text("fonenumber") == loadNumber(i) && config.text("event") == as.event {
					want = config.text("value")
				}
			}
			w.hasOneOf(what, as, i, want)
		}
	}
	w.plansNothing(what)
}

// plansNothing checks that nothing is left to do.
func (w *world) plansNothing(what string) {
	w.t.Helper()
	if steps, ok := w.plan(); !ok || len(steps) > 0 {
		w.t.Fatalf("%sthe plan has %v and the error %v", what, slices.Sorted(maps.Keys(steps)), w.problem)
	}
}

// hasOneOf checks that a setting of a FoneNumber has one of these destinations.
func (w *world) hasOneOf(what string, as setting, i int, allowed ...string) {
	w.t.Helper()
	if got := w.found(as, i); !slices.Contains(allowed, got) {
		w.t.Errorf("%sthe %s of %s is %q, want %q", what, as.name, loadNumber(i), got, allowed)
	}
}

// found returns the destination that FoneStorm has.
func (w *world) found(as setting, i int) string {
	f, _ := w.account.Get(loadNumber(i))
	return as.is(f).value
}
