package provider

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// After any sequence of events in FoneStorm, in the connection, and in the configuration: no operation succeeds without
// doing its work, none fails and changes the state, and an apply without faults makes FoneStorm match the configuration, so
// that the next plan is empty. `-rapid.checks=20000` tries more sequences.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	checkRandomly(t, size(1000, 200, 40), func(t *rapid.T) {
		dialect, steps := dialects.Draw(t, "dialect"), sequences.Draw(t, "steps")
		rapid.SyncTest(t, func(t *rapid.T) { // Waiting takes no time.
			m, end := newModel(t, dialect)
			defer end()
			m.run(append(steps, apply{}))
		})
	})
}

// Sequences that once went wrong.
func TestFixedSequences(t *testing.T) {
	t.Parallel()
	const number = "3215551201"
	to := func(kind, value, onDestroy string) configure {
		return configure{config: attributes{"fonenumber": number, "type": kind, "value": value, "on_destroy": onDestroy}}
	}
	remove, off := configure{}, delivers{number, delivery{kind: "None"}}
	boss, byBoss := delivers{number, delivery{kind: "Email", value: "boss@example.com"}}, byHand{number, "Email", "boss@example.com"}
	// These requests of an apply get through: a login and a read for the plan, and the same before the setting.
	then := func(faults ...simulator.Fault) []simulator.Fault {
		return append(make([]simulator.Fault, 4), faults...)
	}
	const lost, failing = simulator.ResponseLost, simulator.BadGateway
	for name, steps := range map[string][]step{
		"what is set by hand is configured, and so removed with the resource": {
			to("Email", "ops@example.com", onDestroyKeep),
			apply{},
			to("Email", "dev@example.com", onDestroyKeep),
			interrupt{5, then(lost)},
			to("Forward", "3215559991", onDestroyDisable),
			byHand{number, "Forward", "3215559991"},
			apply{},
			remove,
			apply{},
			off,
		},
		"an update whose response and read are lost is turned off": {
			to("Email", "ops@example.com", onDestroyDisable),
			apply{},
			to("Email", "dev@example.com", onDestroyDisable),
			apply{then(lost, lost, lost, failing, failing, failing)},
			delivers{number, delivery{kind: "Email", value: "dev@example.com"}},
			remove,
			apply{},
			off,
		},
		"a create whose response is lost is turned off": {
			byBoss, to("Email", "ops@example.com", onDestroyDisable), apply{then(lost, lost, lost)}, remove, apply{}, off,
		},
		"a create whose response and read are lost is turned off": {
			byBoss, to("Email", "ops@example.com", onDestroyDisable), apply{then(lost, lost, lost, failing, failing, failing)}, remove, apply{}, off,
		},
		"a create that fails is forgotten": {
			byBoss, to("Email", "ops@example.com", onDestroyDisable), apply{then(failing, failing, failing)}, remove, apply{}, boss,
		},
		"a create that fails and cannot be read is forgotten": {
			byBoss, to("Email", "ops@example.com", onDestroyDisable),
			apply{then(failing, failing, failing, failing, failing, failing)},
			remove,
			apply{},
			boss,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, end := newModel(t, "live")
				defer end()
				m.run(steps)
			})
		})
	}
}

// model is the expected behavior, and the provider that is compared with it.
type model struct {
	t       testOrRapid
	account *account

	mu     sync.Mutex        // Requests are served in other goroutines.
	faults []simulator.Fault // Faults of the next requests.
	met    []string          // Kind and fault of the requests of the current operation.
	listed bool              // Whether no list of the current run met a fault.
	cancel func()            // Cancels the calls of the current run, as Ctrl-C does.
	until  int               // Number of requests until then; zero for never.

	configs   [managedNumbers]attributes // Nil for none.
	instances [managedNumbers]instance

	set       [managedNumbers][]attributes // Deliveries that the instance may have set.
	tainted   [managedNumbers]bool         // Whether a create failed that may have taken effect.
	uncertain [managedNumbers]bool         // Whether a failed create, or a destroy that kept the delivery, may have left credentials.
}

// testOrRapid is a *testing.T or a *rapid.T.
type testOrRapid interface {
	rapid.TB
	Context() context.Context
	Cleanup(cleanup func())
}

func newModel(t testOrRapid, dialect string) (m *model, end func()) {
	t.Helper()
	a := serveInMemory(t, simulator.Options{Dialect: simulator.Dialects[dialect]})
	m = &model{t: t, account: a}
	for i, number := range modelNumbers {
		a.Put(simulator.FoneNumber{Number: number, Active: []string{"yes", "yes", "cancel", "yes"}[i]})
	}
	a.Inject(func(r *http.Request) simulator.Fault {
		m.mu.Lock()
		defer m.mu.Unlock()
		fault := simulator.Fault("")
		if len(m.faults) > 0 {
			fault, m.faults = m.faults[0], m.faults[1:]
		}
		kind := kindOf(r)
		m.met = append(m.met, kind+": "+string(fault))
		m.listed = m.listed && (kind != "list" || fault == "")
		if m.until--; m.until == 0 {
			m.cancel()
		}
		return fault
	})
	return m, a.network.stop
}

// run takes the steps.
func (m *model) run(steps []step) {
	for _, s := range steps {
		m.t.Log(s)
		s.do(m)
	}
}

// expect sets the faults of the next requests.
func (m *model) expect(faults []simulator.Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = slices.Clone(faults)
}

// begin starts an operation whose faults hasMet reports.
func (m *model) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.met = nil
}

// hasMet reports whether a request of the operation met a fault, such as "get: 503" or "503".
func (m *model) hasMet(fault string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.met, func(met string) bool { return strings.HasSuffix(met, fault) })
}

// hasRead reports whether the operation read a single FoneNumber.
func (m *model) hasRead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.met, func(met string) bool { return strings.HasPrefix(met, "get: ") })
}

func (s configure) do(m *model) { m.configs[s.resource] = s.config }
func (s byHand) do(m *model)    { m.account.byHand(s.number, s.kind, s.value) }
func (s delivers) do(m *model)  { m.account.mustDeliver(m.t, s.number, s.delivery) }

// do plans in one run of the provider and applies in the next, as Terraform does. Without faults, both must succeed.
func (s apply) do(m *model) {
	m.expect(s.faults)
	if problem := m.apply(); problem != nil && len(s.faults) == 0 {
		m.t.Fatalf("an apply without faults fails: %s: %s", problem.Summary, problem.Detail)
	}
	m.expect(nil)
	if len(s.faults) == 0 {
		m.settled()
	}
}

// apply returns the first error. As in Terraform, an error in the plan changes nothing, and an error during the apply does
// not stop other resources.
func (m *model) apply() (first *tfprotov6.Diagnostic) {
	planned := m.start()
	refreshed := m.instances
	for i, kept := range m.instances {
		if !kept.exists() {
			continue
		}
		var diags []*tfprotov6.Diagnostic
		m.begin()
		refreshed[i], diags = planned.refresh(kept)
		m.checkRefreshed(i, refreshed[i], diags)
		if problem := failure(diags); problem != nil {
			return problem
		}
	}
	for i := range refreshed {
		if m.needed(refreshed[i], i) {
			if _, diags := planned.plan(refreshed[i], m.configs[i]); failure(diags) != nil {
				return failure(diags)
			}
		}
	}
	m.keep(refreshed)
	applied := m.start()
	for i := range m.instances {
		if !m.needed(m.instances[i], i) {
			continue
		}
		problem := m.change(applied, i)
		if first == nil {
			first = problem
		}
	}
	return first
}

// keep stores refreshed instances as the state. If one was removed, it no longer owns what it set.
func (m *model) keep(refreshed [managedNumbers]instance) {
	for i, kept := range m.instances {
		if kept.exists() && !refreshed[i].exists() {
			m.set[i], m.tainted[i], m.uncertain[i] = nil, false, true
		}
	}
	m.instances = refreshed
}

func (m *model) start() *run {
	ctx, cancel := context.WithCancel(m.t.Context())
	m.t.Cleanup(cancel)
	m.mu.Lock()
	m.listed, m.cancel = true, cancel
	m.mu.Unlock()
	return m.account.start(ctx, m.t, attributes{"max_retries": retries, "request_timeout": "10s"})
}

// do applies while requests meet faults, and cancels at one of them. The model must know what was set until then.
func (s interrupt) do(m *model) {
	m.expect(s.faults)
	m.interruptAt(s.at)
	_ = m.apply() // It can finish before the interrupt.
	m.interruptAt(0)
	m.expect(nil)
}

func (m *model) interruptAt(request int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = request
}

// do refreshes with credentials of another account, which contains none of the FoneNumbers. Nothing may be removed from the
// state.
func (s elsewhere) do(m *model) {
	other := serveInMemory(m.t, simulator.Options{Account: "9998887777"})
	defer other.network.stop()
	r := other.start(m.t.Context(), m.t, nil)
	for i, kept := range m.instances {
		if !kept.exists() {
			continue
		}
		left, diags := r.refresh(kept)
		problem := failure(diags)
		if problem == nil || !strings.Contains(problem.Detail, "9998887777") || !left.known().Equal(kept.known()) {
			m.t.Fatalf("reading %s with another account returns %s and %v", modelNumbers[i], left.known(), problem)
		}
	}
}

func (m *model) needed(i instance, resource int) bool {
	return i.exists() || m.configs[resource] != nil
}

// checkRefreshed checks that a refreshed state agrees with FoneStorm, or is unchanged if the refresh failed.
func (m *model) checkRefreshed(i int, got instance, diags []*tfprotov6.Diagnostic) {
	m.noSecrets(diags)
	if failure(diags) != nil {
		if !got.known().Equal(m.instances[i].known()) {
			m.t.Fatalf("reading %s fails, but the state changes to %s", modelNumbers[i], got.known())
		}
		return
	}
	neverSet := m.tainted[i] && !m.isOwn(i, m.receive(i))
	switch {
	case !got.exists() && !neverSet && !m.mayBeGone(i):
		m.t.Fatalf("%s is removed from the state", modelNumbers[i])
	case !got.exists():
		return
	case neverSet:
		m.t.Fatalf("%s stays in the state, although its create had no effect", modelNumbers[i])
	}
	if m.hasMet("get: " + string(simulator.AnotherFoneNumber)) {
		m.t.Fatalf("reading %s succeeds with the response for another FoneNumber", modelNumbers[i])
	}
	state := attributesOf(got.known())
	if receive := m.receive(i); state.text("type") != receive.Type || state.text("value") != receive.Value() {
		m.t.Fatalf("reading %s returns %v, but FoneStorm has %+v", modelNumbers[i], state, receive)
	}
}

// mayBeGone reports whether FoneStorm returned in this operation that a FoneNumber is not in the account, and its list did
// not contradict that.
func (m *model) mayBeGone(i int) bool {
	f, _ := m.account.Get(modelNumbers[i])
	m.mu.Lock()
	unlisted := f.Active != "yes" || !m.listed
	m.mu.Unlock()
	return unlisted && m.hasMet("get: "+string(simulator.NotFound))
}

func (m *model) receive(i int) simulator.Receive {
	f, _ := m.account.Get(modelNumbers[i])
	return f.Receive
}

// change applies the plan of a resource and checks the result.
func (m *model) change(r *run, i int) *tfprotov6.Diagnostic {
	before, config := m.instances[i], m.configs[i]
	if m.tainted[i] && config != nil {
		return m.replace(r, i)
	}
	c, diags := r.plan(before, config)
	m.noSecrets(diags)
	if problem := failure(diags); problem != nil || c.isEmpty() {
		return problem
	}
	found, requests := m.receive(i), m.account.count("set")
	m.begin()
	after, diags := r.apply(c)
	m.noSecrets(diags)
	if n := m.account.count("set") - requests; n > 1+retries+1 { // One more with a new token.
		m.t.Fatalf("setting %s sends %d requests", modelNumbers[i], n)
	}
	if problem := failure(diags); problem != nil {
		m.uncertain[i] = m.uncertain[i] || !before.exists()
		m.tainted[i] = m.tainted[i] || !before.exists() && after.exists()
		if config != nil {
			m.set[i] = append(m.set[i], config)
		}
		if !agrees(after, before) && before.exists() {
			m.t.Fatalf("changing %s fails, but the state changes to %s", modelNumbers[i], after.known())
		}
		m.instances[i] = after
		if now := m.receive(i); now != found && !m.wants(i, config, now, found, before) {
			m.t.Fatalf("changing %s fails and leaves %+v, which is neither the earlier nor the configured delivery", modelNumbers[i], now)
		}
		return problem
	}
	if m.hasMet("set: "+string(simulator.AnotherFoneNumber)) && !m.hasRead() { // A read corrects the result.
		m.t.Fatalf("changing %s succeeds with the response for another FoneNumber", modelNumbers[i])
	}
	m.instances[i] = after
	if now := m.receive(i); !m.wants(i, config, now, found, before) && (config != nil || !m.mayBeGone(i)) {
		m.t.Fatalf("changing %s to %v succeeds, but FoneStorm has %+v", modelNumbers[i], config, now)
	}
	if config == nil && m.receive(i) == found { // Kept, because it is configured or because something else set it.
		m.uncertain[i] = true
	}
	m.set[i], m.tainted[i] = []attributes{config}, false
	if cmp.Or(config.text("url_password_wo"), config.text("url_password")) != "" { // And with it a username.
		m.uncertain[i] = false
	}
	return nil
}

// replace replaces a tainted instance. The plan of the new one has no record of the old one.
func (m *model) replace(r *run, i int) *tfprotov6.Diagnostic {
	planning := m.account.start(m.t.Context(), m.t, attributes{"check_on_plan": false})
	c, diags := planning.plan(instance{}, m.configs[i])
	if problem := failure(diags); problem != nil {
		return problem
	}
	left, diags := r.apply(destruction(m.instances[i], c.private))
	if problem := failure(diags); problem != nil {
		m.instances[i] = left
		return problem
	}
	m.instances[i], m.tainted[i] = instance{}, false
	return m.change(r, i)
}

// isOwn reports whether an instance may have set this delivery.
func (m *model) isOwn(i int, found simulator.Receive) bool {
	return slices.ContainsFunc(m.set[i], func(config attributes) bool {
		return sameDestination(found, config.text("type"), config.text("value"))
	})
}

// wants reports whether a delivery is what a resource should set, if FoneStorm and the state had these before.
func (m *model) wants(i int, config attributes, now, found simulator.Receive, before instance) bool {
	if config == nil {
		switch attributesOf(before.known()).text("on_destroy") {
		case onDestroyKeep:
			return now == found
		default:
			return now.Type == "None" || now == found && !m.isOwn(i, found)
		}
	}
	if !sameDestination(now, config.text("type"), config.text("value")) {
		return false
	}
	username, password := config.text("url_username"), cmp.Or(config.text("url_password_wo"), config.text("url_password"))
	if username == "" && m.uncertain[i] {
		return true // Credentials of an earlier operation are not visible.
	}
	return now.URLUsername == username && (now.URLPassword == password || password == "" && m.uncertain[i])
}

func sameDestination(now simulator.Receive, kind, value string) bool {
	return cmp.Or(now.Type, "None") == kind && now.Value() == value
}

// settled checks that FoneStorm matches the configuration, and that the next plan is empty.
func (m *model) settled() {
	r := m.start()
	for i, config := range m.configs {
		if config != nil {
			if now := m.receive(i); !m.wants(i, config, now, now, instance{}) {
				m.t.Fatalf("%s should be as in %v, but FoneStorm has %+v", modelNumbers[i], config, now)
			}
		}
		if m.instances[i].exists() != (config != nil) {
			m.t.Fatalf("%s is in the state: %v, in the configuration: %v", modelNumbers[i], m.instances[i].exists(), config)
		}
		if config == nil {
			continue
		}
		read, diags := r.refresh(m.instances[i])
		if problem := failure(diags); problem != nil {
			m.t.Fatalf("reading %s: %s: %s", modelNumbers[i], problem.Summary, problem.Detail)
		}
		if c, _ := r.plan(read, config); !c.isEmpty() {
			m.t.Fatalf("after an apply of %s the plan still changes %q", modelNumbers[i], c.differs())
		}
	}
	m.account.checkContract(m.t)
}

func (m *model) noSecrets(diags []*tfprotov6.Diagnostic) {
	for _, d := range diags {
		if strings.Contains(d.Summary+d.Detail, passwordPrefix) {
			m.t.Fatalf("a password is shown: %s: %s", d.Summary, d.Detail)
		}
	}
}
