package provider

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// world is an account, the resources that a user has configured in it, and their state. It plans and applies them as Terraform does,
// in any order that Terraform could choose. Most tests have one resource or several that are alike. Those are named "0", "1", and
// so on: mustApply(config) applies the configuration of one resource, and mustApply(nil) destroys it.
type world struct {
	*account
	t        testOrRapid
	settings attributes            // Provider settings.
	config   map[string]attributes // Configurations by the name of the resource.

	order       *rand.Rand // Draws the order in which Terraform works on resources; nil for the order of their names.
	createFirst bool       // Whether replacements are created before the old object is destroyed.
	legacy      bool       // Whether orphans are planned before they are refreshed, as before Terraform 1.12.
	noRefresh   bool       // Whether plans do not refresh.
	replaced    []string   // Names of resources that are replaced without a change.

	// Start a process of the provider, and refresh and apply an object. A test may want to check that.
	start   func() *run
	reads   func(r *run, name string, before instance) (instance, []*tfprotov6.Diagnostic)
	applies func(r *run, name string, c change) (instance, []*tfprotov6.Diagnostic)

	how        interruption
	at, sent   int // Number of the request that is interrupted, and of requests of the apply so far.
	isApplying bool

	state    map[string]object // Objects by the name of the resource. Those that are deposed have names of their own.
	deposals int               // Number of objects that were deposed so far.
	diags    []*tfprotov6.Diagnostic
	shows    map[string][]string // What the last plan or apply shows, by the name of the resource.
}

// object is an object in the state.
type object struct {
	instance
	tainted bool
	deposed bool // Whether another object has replaced it, which was created before the destroy of this one.
}

// newWorld returns a world without resources, in an account with these FoneNumbers, whose delivery was never set.
func newWorld(t *testing.T, numbers ...string) *world {
	t.Helper()
	a := newAccountInMemory(t, simulator.Options{})
	for _, number := range numbers {
		a.Put(simulator.FoneNumber{Number: number})
	}
	return a.world(t)
}

// world returns a world without resources.
func (a *account) world(t testOrRapid) *world {
	w := &world{
		t: t, account: a, config: map[string]attributes{}, state: map[string]object{},
		reads:   func(r *run, _ string, before instance) (instance, []*tfprotov6.Diagnostic) { return r.refresh(before) },
		applies: func(r *run, _ string, c change) (instance, []*tfprotov6.Diagnostic) { return r.apply(c) },
	}
	w.start = func() *run { return a.start(t.Context(), t, w.settings) }
	return w
}

// inOrder chooses one of many random orders.
func (w *world) inOrder(order uint64, createFirst bool) {
	w.order, w.legacy, w.createFirst = rand.New(rand.NewPCG(order, 1)), order%2 == 1, createFirst
}

// interruption is a way in which an apply ends early: all further requests meet a fault. The zero value is none.
type interruption struct {
	name  string
	fault simulator.Fault
	kills bool // Whether Terraform and the provider are killed.
}

var interruptions = []interruption{
	{"rejected", simulator.TokenRejected, false}, // Certainly has no effect.
	{"lost", simulator.ResponseLost, false},      // Takes effect.
	{"killed before", simulator.ConnectionClosed, true},
	{"killed after effect", simulator.ResponseLost, true},
}

// interrupt interrupts the next applies at one of their requests, not counting logins.
func (w *world) interrupt(how interruption, at int) {
	w.how, w.at, w.sent = how, at, 0
	w.Intercept(func(r simulator.Request) simulator.Fault { // The connection sends one request at a time.
		if w.isApplying && r.Kind() != "login" {
			w.sent++
		}
		if w.isApplying && w.isInterrupted() {
			return w.how.fault
		}
		return ""
	})
}

// isInterrupted reports whether the apply reached the request.
func (w *world) isInterrupted() bool { return w.how.name != "" && w.sent >= w.at }

// isKilled reports whether Terraform and the provider have been killed.
func (w *world) isKilled() bool { return w.isInterrupted() && w.how.kills }

// put stores an object, or forgets it if it does not exist.
func (w *world) put(name string, o object) {
	if w.state[name] = o; !o.exists() {
		delete(w.state, name)
	}
}

// fails shows diagnostics, and reports whether one of them is an error. None may contain a password.
func (w *world) fails(name string, diags []*tfprotov6.Diagnostic) bool {
	w.diags = append(w.diags, diags...)
	for _, d := range diags {
		w.shows[name] = append(w.shows[name], d.Summary+": "+d.Detail)
		if strings.Contains(d.Summary+d.Detail, passwordPrefix) {
			w.t.Fatalf("a password is shown: %s: %s", d.Summary, d.Detail)
		}
	}
	return failure(diags) != nil
}

// configure replaces the configuration, if one is given. Resources with a nil configuration are not configured.
func (w *world) configure(configs ...attributes) {
	if len(configs) > 0 {
		w.config = map[string]attributes{}
	}
	for i, config := range configs {
		if config != nil {
			w.config[fmt.Sprint(i)] = config
		}
	}
}

// mustApply applies, which must succeed. Afterward, the next plan is empty.
func (w *world) mustApply(configs ...attributes) []*tfprotov6.Diagnostic {
	w.t.Helper()
	diags := w.apply(configs...)
	if problem := failure(diags); problem != nil {
		w.t.Fatalf("%v: %s: %s", w.config, problem.Summary, problem.Detail)
	}
	w.mustPlanNothing()
	return diags
}

// mustPlanNothing checks that nothing is left to do.
func (w *world) mustPlanNothing(configs ...attributes) {
	w.t.Helper()
	p := w.plan(configs...)
	if problem := failure(p.diags); problem != nil || !p.isEmpty() {
		w.t.Fatalf("the plan of %v is not empty: it changes %q, and its error is %v", w.config, p.differs(), problem)
	}
}

// mustImport imports a setting as the first resource.
func (w *world) mustImport(id string) {
	w.t.Helper()
	imported, diags := w.start().importState(id)
	if failure(diags) != nil {
		w.t.Fatal(failure(diags).Detail)
	}
	w.state["0"] = object{instance: imported}
}

// apply plans in one process and applies in another. An error in the plan changes nothing.
func (w *world) apply(configs ...attributes) []*tfprotov6.Diagnostic {
	p := w.plan(configs...)
	if failure(p.diags) != nil {
		return p.diags
	}
	return append(p.diags, w.carryOut(p)...)
}

// plan is a planned apply, and what the plan shows.
type plan struct {
	*run
	config map[string]attributes // As it was planned.
	steps  map[string]applyStep
	diags  []*tfprotov6.Diagnostic
}

// applyStep is a step of an apply, which runs after the step that it depends on has succeeded.
type applyStep struct {
	change   change
	waitsFor string
	do       func(*run) (ok bool)
}

func (p *plan) isEmpty() bool { return len(p.steps) == 0 }

// differs returns the names of the attributes that the plan modifies.
func (p *plan) differs() (names []string) {
	for _, s := range p.steps {
		names = append(names, s.change.differs()...)
	}
	return names
}

// plan refreshes and plans everything. Only the apply is interrupted.
func (w *world) plan(configs ...attributes) *plan {
	w.configure(configs...)
	names := slices.Collect(maps.Keys(w.nodes()))
	return w.planIn(w.ordered(append(names, names...)))
}

// ordered puts names in an order in which Terraform could work on them.
func (w *world) ordered(names []string) []string {
	if slices.Sort(names); w.order != nil {
		w.order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	return names
}

// node is what a plan visits twice: a resource in the configuration or the state, or a deposed object.
type node struct {
	name            string
	before          object
	visited, failed bool
}

func (w *world) nodes() map[string]*node {
	nodes := map[string]*node{}
	for name := range w.config {
		nodes[name] = &node{name: name}
	}
	for name, object := range w.state {
		nodes[name] = &node{name: name, before: object}
	}
	return nodes
}

// planIn plans in this order, which contains each name twice: Terraform first refreshes and then plans it, often long after. Names
// of nothing are ignored.
func (w *world) planIn(order []string) *plan {
	p, nodes := &plan{run: w.start(), config: maps.Clone(w.config), steps: map[string]applyStep{}}, w.nodes()
	w.diags, w.shows = nil, map[string][]string{}
	for _, name := range order {
		if n := nodes[name]; n != nil {
			w.visit(p, n)
		}
	}
	p.diags = w.diags
	return p
}

// visit refreshes or plans an object.
func (w *world) visit(p *plan, n *node) {
	config := w.config[n.name]
	isLate := w.legacy && config == nil && !n.before.deposed
	switch isFirst := !n.visited; {
	case n.failed:
	case isFirst != isLate:
		w.refresh(p, n)
	case config != nil:
		w.planResource(p, n, config)
	case n.before.exists():
		if c, diags := p.plan(n.before.instance, nil); !w.fails(n.name, diags) {
			p.steps["delete "+n.name] = applyStep{change: c, do: w.destroys(n.name, c.private)}
		}
	}
	n.visited = true
}

// refresh refreshes the object of a resource, if there is one, and forgets it if it is gone.
func (w *world) refresh(p *plan, n *node) {
	if !n.before.exists() || w.noRefresh {
		return
	}
	after, diags := w.reads(p.run, n.name, n.before.instance)
	if n.failed = w.fails(n.name, diags); !n.failed {
		n.before.instance = after
		w.put(n.name, n.before)
	}
}

func (w *world) planResource(p *plan, n *node, config attributes) {
	name, prior := n.name, n.before.instance
	if n.before.tainted {
		prior = instance{}
	}
	c, diags := p.plan(prior, config)
	if w.fails(name, diags) {
		return
	}
	if prior.exists() && !c.replaces && !slices.Contains(w.replaced, name) {
		if !c.isEmpty() {
			p.steps["set "+name] = applyStep{change: c, do: w.sets(name)}
		}
		return
	}
	if prior.exists() {
		if c, diags = p.plan(instance{private: c.private}, config); w.fails(name, errorsOf(diags)) { // Terraform drops its warnings.
			return
		}
	}
	switch {
	case !n.before.exists():
		p.steps["set "+name] = applyStep{change: c, do: w.sets(name)}
	case w.createFirst:
		w.deposals++
		deposed := fmt.Sprintf("deposed %d of %s", w.deposals, name)
		p.steps["set "+name] = applyStep{change: c, do: w.setsBeside(deposed, name)}
		p.steps["delete "+deposed] = applyStep{waitsFor: "set " + name, do: w.destroys(deposed, nil)}
	default:
		p.steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
		p.steps["set "+name] = applyStep{change: c, waitsFor: "delete " + name, do: w.sets(name)}
	}
}

// carryOut applies a plan.
func (w *world) carryOut(p *plan) []*tfprotov6.Diagnostic {
	r := w.start()
	w.config, w.diags, w.shows, w.isApplying = p.config, nil, map[string][]string{}, true
	defer func() { w.isApplying = false }()
	done, left := map[string]bool{"": true}, maps.Clone(p.steps)
	for !w.isKilled() {
		var ready []string
		for name, s := range left {
			if done[s.waitsFor] {
				ready = append(ready, name)
			}
		}
		if len(ready) == 0 { // Nothing is left, except for what depends on something that has failed.
			break
		}
		name := w.ordered(ready)[0]
		done[name] = left[name].do(r)
		delete(left, name)
	}
	return w.diags
}

// applyChange applies a change, unless Terraform is killed meanwhile, so that it does not save the result.
func (w *world) applyChange(r *run, name string, c change) (after instance, ok bool) {
	after, diags := w.applies(r, name, c)
	if w.isKilled() {
		return c.before, false
	}
	return after, !w.fails(name, diags)
}

// sets creates or updates the current object of a resource after planning it again.
func (w *world) sets(name string) func(*run) bool {
	return func(r *run) bool {
		before := w.state[name].instance
		c, diags := r.plan(before, w.config[name])
		if w.fails(name, errorsOf(diags)) { // The plan has shown the warnings.
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was planned to change, but is unchanged when it is planned again", name)
		}
		after, ok := w.applyChange(r, name, c)
		if after.exists() {
			w.put(name, object{instance: after, tainted: !ok && !before.exists()})
		}
		return ok
	}
}

// setsBeside creates a new object while the old one is deposed.
func (w *world) setsBeside(deposed, name string) func(*run) bool {
	return func(r *run) bool {
		old := w.state[name]
		w.put(name, object{})
		w.put(deposed, object{instance: old.instance, deposed: true})
		ok := w.sets(name)(r)
		if !w.state[name].exists() {
			w.put(deposed, object{})
			w.put(name, old)
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
			if private = c.private; w.fails(name, errorsOf(diags)) {
				return false
			}
		}
		ok = true
		if before.exists() {
			before.instance, ok = w.applyChange(r, name, destruction(before.instance, private))
		}
		if ok {
			before = object{}
		}
		w.put(name, before)
		return ok
	}
}

// taint taints the object of the first resource.
func (w *world) taint() { w.state["0"] = object{instance: w.state["0"].instance, tainted: true} }
