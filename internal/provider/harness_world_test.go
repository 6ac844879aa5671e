package provider

import (
	"context"
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

	interference

	state    map[string]instance // Objects by the name of the resource. Those that are deposed have names of their own.
	deposals int                 // Number of objects that were deposed so far.
	diags    []*tfprotov6.Diagnostic
	shows    map[string][]string // What the last plan or apply shows, by the name of the resource.
}

// newWorld returns a world without resources, in an account with these FoneNumbers, whose delivery was never set.
func newWorld(t *testing.T, numbers ...string) *world {
	t.Helper()
	return newAccount(t, simulator.Options{}, numbers...).world(t)
}

func (a *account) world(t testOrRapid) *world {
	w := &world{
		t: t, account: a, config: map[string]attributes{}, state: map[string]instance{},
		reads:   func(r *run, _ string, before instance) (instance, []*tfprotov6.Diagnostic) { return r.refresh(before) },
		applies: func(r *run, _ string, c change) (instance, []*tfprotov6.Diagnostic) { return r.apply(c) },
	}
	w.start = func() *run {
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		w.met, w.cancel = nil, cancel
		return a.start(ctx, t, w.settings)
	}
	return w
}

// inOrder chooses one of many random orders.
func (w *world) inOrder(order uint64, createFirst bool) {
	w.order, w.legacy, w.createFirst = rand.New(rand.NewPCG(order, 1)), order%2 == 1, createFirst
}

// interruption is a way in which an apply ends early: all further requests meet a fault. The zero value is none.
type interruption struct {
	name    string
	fault   simulator.Fault
	cancels bool // Whether the calls are canceled, as by Ctrl-C, at any request, also of the plan.
	kills   bool // Whether Terraform and the provider are killed.
}

var interruptions = []interruption{
	{name: "rejected", fault: simulator.TokenRejected}, // Certainly has no effect.
	{name: "lost", fault: simulator.ResponseLost},      // Takes effect.
	{name: "killed before", fault: simulator.ConnectionClosed, kills: true},
	{name: "killed after effect", fault: simulator.ResponseLost, kills: true},
}

// interference is what happens to requests.
type interference struct {
	faults     []simulator.Fault // Faults of the next requests.
	how        interruption      // Of the apply.
	at, sent   int               // Number of the request that is interrupted, and of requests of the apply so far.
	isApplying bool
	met        []string // Kind and fault of the requests of the current process of the provider.
	cancel     func()   // Cancels the calls of that process.
}

// interfere makes the next requests meet these faults, and interrupts the next applies at one of their requests, not counting logins.
func (w *world) interfere(how interruption, at int, faults ...simulator.Fault) {
	w.how, w.at, w.sent, w.faults = how, at, 0, slices.Clone(faults)
	w.Intercept(w.next)
}

// next returns the fault of a request.
func (i *interference) next(r simulator.Request) (fault simulator.Fault) {
	if len(i.faults) > 0 {
		fault, i.faults = i.faults[0], i.faults[1:]
	}
	kind := r.Kind()
	if i.how.cancels || i.isApplying && kind != "login" {
		i.sent++
	}
	switch {
	case i.how.cancels && i.sent == i.at:
		i.cancel()
	case !i.how.cancels && i.isApplying && i.isInterrupted():
		fault = i.how.fault
	}
	i.met = append(i.met, kind+": "+string(fault))
	return fault
}

// isInterrupted reports whether the apply reached the request.
func (i *interference) isInterrupted() bool { return i.how.name != "" && i.sent >= i.at }

// isKilled reports whether Terraform and the provider have been killed.
func (w *world) isKilled() bool { return w.how.kills && w.isInterrupted() }

// is returns what FoneStorm has for the setting with this ID.
func (w *world) is(id string) delivery {
	f, _ := w.Get(id[:10])
	return settingOf(id).is(f)
}

// put stores an object, or forgets it if it does not exist.
func (w *world) put(name string, i instance) {
	if w.state[name] = i; !i.exists() {
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

// mustApply applies, which must succeed. Afterward, FoneStorm matches the configuration, and the next plan is empty.
func (w *world) mustApply(configs ...attributes) []*tfprotov6.Diagnostic {
	w.t.Helper()
	diags := w.apply(configs...)
	if problem := failure(diags); problem != nil {
		w.t.Fatalf("%v: %s: %s", w.config, problem.Summary, problem.Detail)
	}
	for name, config := range w.config {
		if now := w.is(config.id()); !sameDestination(now, config) {
			w.t.Fatalf("%s should be as in %v, but FoneStorm has %+v", name, config, now)
		}
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
	imported, diags := w.start().importState(id, false)
	if failure(diags) != nil {
		w.t.Fatal(failure(diags).Detail)
	}
	w.state["0"] = imported
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

// differs returns the steps of the plan, and the attributes that they modify.
func (p *plan) differs() (steps []any) {
	for name, s := range p.steps {
		steps = append(steps, name, s.change.differs())
	}
	return steps
}

// plan refreshes and plans everything. Only the apply is interrupted.
func (w *world) plan(configs ...attributes) *plan {
	w.configure(configs...)
	names := slices.AppendSeq(slices.Collect(maps.Keys(w.config)), maps.Keys(w.state)) // Also of deposed objects.
	slices.Sort(names)
	return w.planIn(w.ordered(slices.Repeat(slices.Compact(names), 2)))
}

// ordered puts names in an order in which Terraform could work on them.
func (w *world) ordered(names []string) []string {
	if slices.Sort(names); w.order != nil {
		w.order.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	return names
}

// planIn plans in this order, which contains each name twice: Terraform first refreshes and then plans it, often long after.
func (w *world) planIn(order []string) *plan {
	p := &plan{run: w.start(), config: maps.Clone(w.config), steps: map[string]applyStep{}}
	w.diags, w.shows = nil, map[string][]string{}
	visited, failed := map[string]bool{}, map[string]bool{}
	for _, name := range order {
		before, config := w.state[name], w.config[name]
		isLate := w.legacy && config == nil && !before.deposed
		switch isFirst := !visited[name]; {
		case failed[name]:
		case isFirst != isLate:
			failed[name] = w.refreshFails(p, name)
		case config != nil:
			w.planResource(p, name, config)
		case before.exists():
			if c, diags := p.plan(before, nil); !w.fails(name, diags) {
				p.steps["delete "+name] = applyStep{change: c, do: w.destroys(name, c.private)}
			}
		}
		visited[name] = true
	}
	p.diags = w.diags
	return p
}

func (w *world) refreshFails(p *plan, name string) bool {
	before := w.state[name]
	if !before.exists() || w.noRefresh {
		return false
	}
	after, diags := w.reads(p.run, name, before)
	if w.fails(name, diags) {
		return true
	}
	w.put(name, after)
	return false
}

func (w *world) planResource(p *plan, name string, config attributes) {
	object := w.state[name]
	prior := object
	if object.tainted {
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
	case !object.exists():
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

func (w *world) carryOut(p *plan) []*tfprotov6.Diagnostic {
	r := w.start()
	w.config, w.diags, w.shows = p.config, nil, map[string][]string{}
	w.isApplying = true
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

// planAgain plans an object during an apply. The plan has shown the warnings: once the process has applied a change, it reads nothing for
// them, and shows none.
func (w *world) planAgain(r *run, name string, config attributes) (c change, failed bool) {
	requests := len(w.Requests())
	c, diags := r.plan(w.state[name], config)
	problems := errorsOf(diags)
	if sent := len(w.Requests()) - requests; r.applies.Load() && (sent > 0 || len(diags) > len(problems)) {
		w.t.Fatalf("planning %s again sends %d requests, and shows %v", name, sent, diags)
	}
	return c, w.fails(name, problems)
}

// sets creates or updates the current object of a resource after planning it again.
func (w *world) sets(name string) func(*run) bool {
	return func(r *run) bool {
		c, failed := w.planAgain(r, name, w.config[name])
		if failed {
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was planned to change, but is unchanged when it is planned again", name)
		}
		after, ok := w.applyChange(r, name, c)
		w.put(name, after)
		return ok
	}
}

// setsBeside creates a new object while the old one is deposed.
func (w *world) setsBeside(deposed, name string) func(*run) bool {
	return func(r *run) bool {
		old := w.state[name]
		old.deposed = true
		w.put(deposed, old)
		w.put(name, instance{})
		ok := w.sets(name)(r)
		if !w.state[name].exists() {
			old.deposed = false
			w.put(deposed, instance{})
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
			c, failed := w.planAgain(r, name, nil)
			if failed {
				return false
			}
			private = c.private
		}
		if ok = !before.exists(); !ok {
			before, ok = w.applyChange(r, name, destruction(before, private))
		}
		if ok {
			before = instance{}
		}
		w.put(name, before)
		return ok
	}
}

// imported returns an object that keeps what it has set when it is destroyed, or turns it off.
func (a *account) imported(t *testing.T, id string, keeps bool) instance {
	t.Helper()
	w := a.world(t)
	w.mustImport(id)
	if config := attributesOf(w.state["0"].state); config["on_destroy"] != nil && !keeps {
		w.mustApply(with(config, "on_destroy", onDestroyDisable))
	}
	return w.state["0"]
}
