package provider

import (
	"cmp"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// interruption is a way in which an apply ends early.
type interruption string

const (
	rejected     interruption = "rejected"            // All further requests fail, and certainly take no effect.
	lost         interruption = "lost"                // All further requests take effect, but their responses are lost.
	killedBefore interruption = "killed before"       // Terraform and the provider are killed before a request takes effect.
	killedAfter  interruption = "killed after effect" // The same, after it.
)

var interruptions = []interruption{rejected, lost, killedBefore, killedAfter}

// interruptibleTransport is the connection of a world to FoneStorm, which sends one request at a time.
type interruptibleTransport struct {
	http.RoundTripper

	how      interruption
	at, sent int // Number of the request that is interrupted, and of requests so far.
}

func (l *interruptibleTransport) interrupt(how interruption, at int) {
	l.how, l.at, l.sent = how, at, 0
}

// isInterrupted reports whether the apply reached the request.
func (l *interruptibleTransport) isInterrupted() bool { return l.how != "" && l.sent >= l.at }

// isKilled reports whether Terraform and the provider have been killed.
func (l *interruptibleTransport) isKilled() bool {
	return l.isInterrupted() && (l.how == killedBefore || l.how == killedAfter)
}

var errInterrupted = errors.New("the connection is interrupted")

func (l *interruptibleTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if l.how == "" {
		return l.RoundTripper.RoundTrip(request)
	}
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

// object is the current object of a resource in the state.
type object struct {
	instance
	tainted bool
}

// world is an account, the resources that a user has configured in it, and their state. It plans and applies them as Terraform
// does, in any order that Terraform could choose.
type world struct {
	t           testOrRapid
	account     *account
	transport   *interruptibleTransport
	order       *rand.Rand
	createFirst bool
	legacy      bool                  // Whether orphans are planned before they are refreshed.
	destroying  bool                  // Whether everything is destroyed, which is planned without a refresh.
	problem     *tfprotov6.Diagnostic // The last error.
	start       func() *run           // Starts a process of the provider.
	watch       watcher               // Nil for none.
	config      map[string]attributes // Configurations by the name of the resource.
	current     map[string]object     // Objects in the state by the name of the resource.
	deposed     map[string][]instance // The same, for objects that a create_before_destroy has not destroyed yet.
}

// watcher checks the calls of a world.
type watcher interface {
	refresh(r *run, name string, before instance) (instance, []*tfprotov6.Diagnostic)
	apply(r *run, name string, c change) (instance, []*tfprotov6.Diagnostic)
}

func newWorld(t testOrRapid, a *account, createFirst bool, order uint64) *world {
	t.Helper()
	transport := &interruptibleTransport{RoundTripper: a.network.transport()}
	reached := *a
	reached.transport = func() http.RoundTripper { return transport }
	return &world{
		t: t, account: a, transport: transport, createFirst: createFirst, legacy: order%2 == 1, order: rand.New(rand.NewPCG(order, 1)),
		start: func() *run {
			return reached.start(t.Context(), t, attributes{"max_retries": 0, "requests_per_second": 100_000})
		},
		config: map[string]attributes{}, current: map[string]object{}, deposed: map[string][]instance{},
	}
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
	if w.transport.interrupt("", 0); w.apply(replaced...) {
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
	how, at := w.transport.how, w.transport.at
	w.transport.interrupt("", 0)
	defer w.transport.interrupt(how, at)
	r := w.start()
	steps = map[string]applyStep{}
	for _, name := range shuffled(w, w.nodes()) {
		deposedOf, isDeposed := strings.CutPrefix(name, "deposed ")
		switch {
		case isDeposed:
			ok = w.planDeposed(r, deposedOf, steps)
		case w.config[name] != nil:
			ok = w.planResource(r, name, slices.Contains(replaced, name), steps)
		default:
			ok = w.planOrphan(r, name, steps)
		}
		if !ok {
			return nil, false
		}
	}
	return steps, true
}

// nodes returns what a plan visits: resources, and deposed objects by name.
func (w *world) nodes() map[string]bool {
	nodes := map[string]bool{}
	for name := range w.config {
		nodes[name] = true
	}
	for name := range w.current {
		nodes[name] = true
	}
	for name := range w.deposed {
		nodes["deposed "+name] = true
	}
	return nodes
}

// refresh reads one object. Afterward, an object that is gone does not exist.
func (w *world) refresh(r *run, name string, before instance) (after instance, ok bool) {
	if w.destroying {
		return before, true
	}
	refresh := func(r *run, _ string, before instance) (instance, []*tfprotov6.Diagnostic) { return r.refresh(before) }
	if w.watch != nil {
		refresh = w.watch.refresh
	}
	after, diags := refresh(r, name, before)
	return after, !w.fails(diags)
}

// refreshCurrent refreshes the current object of a resource, and forgets it if it is gone.
func (w *world) refreshCurrent(r *run, name string) (after object, ok bool) {
	before, exists := w.current[name]
	if !exists {
		return before, true
	}
	if before.instance, ok = w.refresh(r, name, before.instance); !ok {
		return before, false
	}
	if w.current[name] = before; !before.exists() {
		delete(w.current, name)
		return object{}, true
	}
	return before, true
}

func (w *world) planDeposed(r *run, name string, steps map[string]applyStep) (ok bool) {
	var kept []instance
	for _, deposed := range w.deposed[name] {
		if deposed, ok = w.refresh(r, name, deposed); !ok {
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
	delete(w.deposed, name)
	if len(kept) > 0 {
		w.deposed[name] = kept
		steps["deposed "+name] = applyStep{do: w.destroysDeposed(name)}
	}
	return true
}

func (w *world) planOrphan(r *run, name string, steps map[string]applyStep) (ok bool) {
	before := w.current[name]
	if !w.legacy {
		if before, ok = w.refreshCurrent(r, name); !ok || !before.exists() {
			return ok
		}
	}
	c, diags := r.plan(before.instance, nil)
	if w.fails(diags) {
		return false
	}
	if w.legacy {
		if before.instance, ok = w.refresh(r, name, before.instance); !ok {
			return false
		}
		w.current[name] = before
	}
	steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
	return true
}

func (w *world) planResource(r *run, name string, replaced bool, steps map[string]applyStep) (ok bool) {
	before, ok := w.refreshCurrent(r, name)
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
		steps["set "+name] = applyStep{do: w.setsBesideDeposed(name)}
		steps["new deposed "+name] = applyStep{waitsFor: "set " + name, do: w.destroysDeposed(name)}
	default:
		steps["delete "+name] = applyStep{do: w.destroys(name, c.private)}
		steps["set "+name] = applyStep{waitsFor: "delete " + name, do: w.sets(name)}
	}
	return true
}

// carryOut runs the steps in random order.
func (w *world) carryOut(steps map[string]applyStep) (ok bool) {
	r := w.start()
	ok = true
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
		if w.transport.isKilled() {
			return false
		}
	}
	return ok
}

// applyChange applies a change, unless Terraform is killed meanwhile, so that it does not save the result.
func (w *world) applyChange(r *run, name string, c change) (after instance, ok bool) {
	apply := func(r *run, _ string, c change) (instance, []*tfprotov6.Diagnostic) { return r.apply(c) }
	if w.watch != nil {
		apply = w.watch.apply
	}
	after, diags := apply(r, name, c)
	if w.transport.isKilled() {
		return c.before, false
	}
	return after, !w.fails(diags)
}

// sets creates or updates the current object of a resource after planning it again.
func (w *world) sets(name string) func(*run) bool {
	return func(r *run) bool {
		before := w.current[name].instance
		c, diags := r.plan(before, w.config[name])
		if w.fails(diags) {
			return false
		}
		if c.isEmpty() {
			w.t.Fatalf("%s was planned to change, but is unchanged when it is planned again", name)
		}
		after, ok := w.applyChange(r, name, c)
		if after.exists() {
			w.current[name] = object{after, !ok && !before.exists()}
		}
		return ok
	}
}

// setsBesideDeposed creates a new object while the old one is deposed.
func (w *world) setsBesideDeposed(name string) func(*run) bool {
	return func(r *run) bool {
		old := w.current[name]
		delete(w.current, name)
		w.deposed[name] = append(w.deposed[name], old.instance)
		ok := w.sets(name)(r)
		if _, created := w.current[name]; !created {
			w.deposed[name] = w.deposed[name][:len(w.deposed[name])-1]
			w.current[name] = old
		}
		return ok
	}
}

func (w *world) destroys(name string, private []byte) func(*run) bool {
	return func(r *run) (ok bool) {
		before := w.current[name]
		ok = true
		if before.exists() {
			before.instance, ok = w.applyChange(r, name, destruction(before.instance, private))
		}
		if w.current[name] = before; ok {
			delete(w.current, name)
		}
		return ok
	}
}

// destroysDeposed destroys the deposed objects of a resource after planning each again.
func (w *world) destroysDeposed(name string) func(*run) bool {
	return func(r *run) bool {
		var left []instance
		for _, before := range w.deposed[name] {
			c, diags := r.plan(before, nil)
			if w.transport.isKilled() || w.fails(diags) {
				left = append(left, before)
				continue
			}
			if after, ok := w.applyChange(r, name, destruction(before, c.private)); !ok {
				left = append(left, after)
			}
		}
		if w.deposed[name] = left; len(left) == 0 {
			delete(w.deposed, name)
		}
		return len(left) == 0
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
	if steps, ok := w.plan(); !ok || len(steps)+len(w.deposed) > 0 {
		w.t.Fatalf("%sthe plan has %v, the error %v, and deposed objects of %v", what, slices.Sorted(maps.Keys(steps)), w.problem, w.deposed)
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
