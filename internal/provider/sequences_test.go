package provider

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// After any sequence of events in FoneStorm, in the connection, and in the configuration, an apply without faults makes FoneStorm
// match the configuration, so that the next plan is empty. If no FoneNumber moves between resources, no operation succeeds
// without doing its work either, and none fails and changes the state. `-rapid.checks=20000` tries more sequences.
func TestRandomSequences(t *testing.T) {
	t.Parallel()
	checkRandomly(t, size(1000, 40), func(t *rapid.T) {
		dialect, order := dialects.Draw(t, "dialect"), rapid.Uint64Range(0, 9).Draw(t, "order")
		moves := rapid.IntRange(0, 3).Draw(t, "moves") == 0
		steps := sequences[moves].Draw(t, "steps")
		rapid.SyncTest(t, func(t *rapid.T) { runSteps(t, dialect, order, moves, append(steps, apply())...) }) // Waiting takes no time.
	})
}

// Sequences that once went wrong.
func TestFixedSequences(t *testing.T) {
	t.Parallel()
	number := modelNumbers[0]
	to := func(kind, value, onDestroy string) step {
		return configure(settings[0], number, attributes{"fonenumber": number, "type": kind, "value": value, "on_destroy": onDestroy})
	}
	remove, off := configure(settings[0], number, nil), delivers(number, "None", "")
	boss, byBoss := delivers(number, "Email", "boss@example.com"), byHand(settings[0], number, "Email", "boss@example.com")
	// These requests of an apply get through: a login and a read for the plan, and the same before the setting.
	then := func(faults ...simulator.Fault) []simulator.Fault {
		return append(make([]simulator.Fault, 4), faults...)
	}
	const lost, failing = simulator.ResponseLost, simulator.BadGateway
	created := to("Email", "ops@example.com", onDestroyDisable)
	// FoneStorm never returns credentials. If setting new ones fails, it may have them or not.
	calls := func(username, password string, version int) step {
		return configure(settings[0], number, with(toURL(username, password, version), "fonenumber", number))
	}
	changed, notKnown := calls("other", "new-horse", 0), apply(then(lost, lost, lost)...)
	has := func(username, password string) step {
		return step{"check credentials", func(m *model) {
			settings[0].mustBe(m.t, m.account, number, delivery{"URL", hookURL, username, password})
		}}
	}
	untaint := step{"untaint", func(m *model) {
		object := m.state[number]
		object.tainted = false
		m.put(number, object)
	}}
	inState, writeOnly, none := calls("hook", "horse", 0), calls("hook", "horse", 1), calls("", "", 0)
	for name, steps := range map[string][]step{
		"an earlier password is set again":            {inState, apply(), changed, notKnown, fails, inState, apply(), has("hook", "horse")},
		"an earlier write-only password is set again": {writeOnly, apply(), changed, notKnown, fails, writeOnly, apply(), has("hook", "horse")},
		"new credentials are removed":                 {none, apply(), changed, notKnown, fails, none, apply(), has("", "")},
		"credentials of a create are set again": {
			byHand(settings[0], number, "URL", hookURL), changed, apply(then(failing, failing, failing, failing, failing, failing)...), fails,
			untaint, apply(), has("other", "new-horse"),
		},
		"what is set by hand is configured, and so removed with the resource": {
			to("Email", "ops@example.com", onDestroyKeep), apply(),
			to("Email", "dev@example.com", onDestroyKeep), apply(then(lost)...),
			to("Forward", "3215559991", onDestroyDisable), byHand(settings[0], number, "Forward", "3215559991"), apply(),
			remove, apply(), off,
		},
		"an update whose response and read are lost is turned off": {
			created, apply(),
			to("Email", "dev@example.com", onDestroyDisable), apply(then(lost, lost, lost, failing, failing, failing)...),
			delivers(number, "Email", "dev@example.com"),
			remove, apply(), off,
		},
		"an update that fails and cannot be read is turned off": {
			created, apply(),
			to("Email", "dev@example.com", onDestroyDisable), apply(then(failing, failing, failing, failing, failing, failing)...),
			delivers(number, "Email", "ops@example.com"),
			remove, apply(), off,
		},
		"a create whose response and read are lost is turned off": {
			byBoss, created, apply(then(lost, lost, lost, failing, failing, failing)...), remove, apply(), off,
		},
		"a create that fails turns nothing off": {byBoss, created, apply(then(failing, failing, failing)...), remove, apply(), boss},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { runSteps(t, "live", 0, false, steps...) })
		})
	}
}

// modelNumbers are the FoneNumbers of a model. The last one is not managed.
var modelNumbers = []string{"3215551201", "3215551202", "3215551203", "3215551204"}

// step is a step of a sequence. The whole sequence is drawn before it runs, so that rapid can omit steps to find the shortest one
// that fails.
type step struct {
	about string
	do    func(m *model)
}

func (s step) String() string { return s.about }

// configure configures a setting, or removes it from the configuration if there are no attributes.
func configure(as setting, number string, config attributes) step {
	config = as.config(config)
	return step{fmt.Sprintf("configure %s as %v", as.id(number), map[string]any(config)), func(m *model) {
		if m.wanted[as.id(number)] = config; config == nil {
			delete(m.wanted, as.id(number))
		}
	}}
}

// move gives each FoneNumber to the resource with this index.
func move(to []int) step {
	return step{fmt.Sprintf("move FoneNumbers to resources %v", to), func(m *model) { m.movedTo = to }}
}

// byHand changes a setting outside of Terraform, except for its credentials.
func byHand(as setting, number, kind, value string) step {
	return step{fmt.Sprintf("set %s by hand to %s %q", as.id(number), kind, value), func(m *model) {
		now := m.is(as.id(number))
		as.set(m.account, number, delivery{kind, value, now.username, now.password})
	}}
}

// delivers checks a delivery.
func delivers(number, kind, value string) step {
	return step{fmt.Sprintf("%s delivers to %s %q", number, kind, value), func(m *model) {
		m.mustDeliver(m.t, number, delivery{kind: kind, value: value})
	}}
}

// fails checks that an operation has failed.
var fails = step{"fails", func(m *model) {
	if m.problem == nil {
		m.t.Fatal("nothing has failed")
	}
}}

// apply is a `terraform apply` whose requests meet these faults, one after the other; "" for none. Without faults, it must succeed.
func apply(faults ...simulator.Fault) step { return applyUntil(interruption{}, 0, faults...) }

// applyUntil is an apply that is interrupted at a request, unless it finishes before.
func applyUntil(how interruption, at int, faults ...simulator.Fault) step {
	return step{fmt.Sprintf("apply, %s at request %d, while requests meet %q", how.name, at, faults), func(m *model) {
		clear(m.config)
		for id, config := range m.wanted {
			m.config[m.name(id)] = config
		}
		m.interfere(how, at, faults...)
		m.problem = failure(m.apply())
		m.interfere(interruption{}, 0)
		if how.name != "" || len(faults) > 0 {
			return
		}
		if m.problem != nil {
			m.t.Fatalf("an apply without faults fails: %s: %s", m.problem.Summary, m.problem.Detail)
		}
		m.settled()
	}}
}

// elsewhere is a refresh and a destroy with the credentials of another account, which contains none of the FoneNumbers. Neither
// changes the state. Both errors name the accounts.
var elsewhere = step{"refresh and destroy with another account", func(m *model) {
	r := newAccount(m.t, simulator.Options{Account: "9998887777"}).start(m.t.Context(), m.t, nil)
	for name, kept := range m.state {
		check := func(left instance, diags []*tfprotov6.Diagnostic) {
			problem := failure(diags)
			if problem == nil || problem.Summary != "FoneNumber in Another Account" || !left.state.Equal(kept.state) ||
				!strings.Contains(problem.Detail, `not in account "9998887777"`) ||
				!strings.Contains(problem.Detail, "This resource was applied with account") {
				m.t.Fatalf("with another account, %s becomes %s: %v", name, left.state, problem)
			}
		}
		check(r.refresh(kept))
		if attributesOf(kept.state).text("on_destroy") != onDestroyKeep {
			check(r.apply(destruction(kept, kept.private)))
		}
	}
}}

var (
	managed = rapid.SampledFrom(settings[:2])
	kinds   = map[string]*rapid.Generator[string]{
		"set":    rapid.SampledFrom([]string{"Email", "URL", "Forward", "Device", "None"}),
		"notify": rapid.SampledFrom([]string{"Email", "URL", "None"}),
	}
	values = map[string][]string{
		"Email":   {"ops@example.com", "dev@example.com"},
		"URL":     {"https://hooks.example.com/sms?msg={{msg}}", "https://hooks.example.org/"},
		"Forward": {"3215559991", "3215559992"},
		"Device":  {"987123543678", "11"},
	}
)

func valueOf(t *rapid.T, kind string) string {
	if kind == "None" {
		return ""
	}
	return rapid.SampledFrom(values[kind]).Draw(t, "value")
}

// passwordPrefix is the prefix of all passwords of a model, to search for them.
const passwordPrefix = "correct-horse-"

var configs = rapid.Custom(func(t *rapid.T) step {
	number, as := modelNumbers[rapid.IntRange(0, 2).Draw(t, "resource")], managed.Draw(t, "setting")
	if rapid.IntRange(0, 3).Draw(t, "removed") == 0 {
		return configure(as, number, nil)
	}
	kind := kinds[as.request].Draw(t, "type")
	config := attributes{"fonenumber": number, "type": kind}
	if value := valueOf(t, kind); value != "" {
		config["value"] = value
	}
	if left := rapid.SampledFrom([]string{"", onDestroyDisable, onDestroyKeep}).Draw(t, "on_destroy"); left != "" {
		config["on_destroy"] = left
	}
	if kind == "URL" {
		version := rapid.IntRange(1, 3).Draw(t, "version")
		switch rapid.SampledFrom([]string{"none", "user name", "state", "write-only"}).Draw(t, "credentials") {
		case "user name":
			config["url_username"] = fmt.Sprintf("hook-%d", version)
		case "state":
			config["url_username"] = "hook"
			config["url_password"] = fmt.Sprint(passwordPrefix, version)
		case "write-only":
			config["url_username"] = "hook"
			config["url_password_wo"] = fmt.Sprint(passwordPrefix, "wo-", version)
			config["url_password_wo_version"] = version
		}
	}
	return configure(as, number, config)
})

var handiwork = rapid.Custom(func(t *rapid.T) step {
	as := managed.Draw(t, "setting")
	kind := kinds[as.request].Draw(t, "type")
	return byHand(as, rapid.SampledFrom(modelNumbers).Draw(t, "number"), kind, valueOf(t, kind))
})

// fault is the fault of a request. Many meet none, so that faults also occur late.
var fault = rapid.OneOf(rapid.Just(simulator.Fault("")), rapid.SampledFrom(simulator.Faults()))

var applies = rapid.Custom(func(t *rapid.T) step {
	if rapid.Bool().Draw(t, "faultless") {
		return apply()
	}
	return apply(rapid.SliceOfN(fault, 1, 25).Draw(t, "faults")...)
})

// interrupts are applies that are interrupted in one of these ways. After a kill, the model would not know what was set.
func interrupts(ways ...interruption) *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return applyUntil(rapid.SampledFrom(ways).Draw(t, "how"), rapid.IntRange(1, 12).Draw(t, "request"),
			rapid.SliceOfN(fault, 0, 12).Draw(t, "faults")...)
	})
}

var canceled = interruption{name: "canceled", cancels: true}

// sequences are random sequences that contain enough applies. In some, FoneNumbers also move between resources.
var sequences = map[bool]*rapid.Generator[[]step]{
	false: rapid.SliceOfN(rapid.OneOf(configs, configs, handiwork, applies, applies, interrupts(canceled), rapid.Just(elsewhere)), 1, 14),
	true: rapid.SliceOfN(rapid.OneOf(configs, configs, handiwork, applies, interrupts(append(interruptions, canceled)...),
		rapid.Map(rapid.Permutation([]int{0, 1, 2}), move)), 1, 20),
}

var dialects = rapid.SampledFrom([]string{"live", "2.12"})

// model is the expected behavior, with which it compares every call of its world. A resource has the ID of its setting as its name,
// unless FoneNumbers move between resources.
type model struct {
	*world
	wanted  map[string]attributes // Configurations by the ID of the setting.
	moves   bool                  // Whether FoneNumbers move. Then only the result of a whole apply is known.
	movedTo []int                 // Index of the resource that manages each FoneNumber.
	problem *tfprotov6.Diagnostic // The error of the last apply.
	earlier int                   // Number of requests before the current operation.

	set       map[string][]attributes // Deliveries that a resource may have set.
	uncertain map[string]bool         // Whether a failed create, or a destroy that kept the delivery, may have left credentials.
}

func runSteps(t testOrRapid, dialect string, order uint64, moves bool, steps ...step) {
	t.Helper()
	a := newAccount(t, simulator.Options{Dialect: simulator.Dialects[dialect]})
	m := &model{
		world: a.world(t), wanted: map[string]attributes{}, moves: moves, movedTo: []int{0, 1, 2},
		set: map[string][]attributes{}, uncertain: map[string]bool{},
	}
	m.inOrder(order, moves && order%4 < 2)
	m.settings = attributes{"max_retries": retries, "request_timeout": "10s"}
	if !moves {
		m.reads, m.applies = m.refreshes, m.changes
	}
	for i, number := range modelNumbers {
		a.Put(simulator.FoneNumber{Number: number, Active: []string{"yes", "yes", "cancel", "yes"}[i]})
	}
	for _, s := range steps {
		t.Log(s)
		s.do(m)
	}
}

// name returns the name of the resource that manages a setting.
func (m *model) name(id string) string {
	number, event, _ := strings.Cut(id, "/")
	return setting{event: event}.id(modelNumbers[m.movedTo[slices.Index(modelNumbers, number)]])
}

// refreshes checks that a refreshed state agrees with FoneStorm, or is unchanged if the refresh failed.
func (m *model) refreshes(r *run, name string, before instance) (instance, []*tfprotov6.Diagnostic) {
	m.earlier = len(m.met)
	got, diags := r.refresh(before)
	if failure(diags) != nil {
		if !got.state.Equal(before.state) {
			m.t.Fatalf("reading %s fails, but the state changes to %s", name, got.state)
		}
		return got, diags
	}
	if failure(m.diags) != nil && got.state.Equal(before.state) {
		return got, diags // An error that concerns all resources is shown only for the first.
	}
	found := m.is(name)
	if !got.exists() {
		if !m.mayBeGone(name) {
			m.t.Fatalf("%s is removed from the state", name)
		}
		m.set[name], m.uncertain[name] = nil, true // It no longer owns what it set.
		return got, diags
	}
	if m.hasMet("get", simulator.AnotherFoneNumber) {
		m.t.Fatalf("reading %s succeeds with the response for another FoneNumber", name)
	}
	if state := attributesOf(got.state); !sameDestination(found, state) {
		m.t.Fatalf("reading %s returns %v, but FoneStorm has %+v", name, state, found)
	}
	return got, diags
}

// hasMet reports whether the operation sent a request of this kind, with this fault if it is not empty.
func (m *model) hasMet(kind string, fault simulator.Fault) bool {
	return slices.ContainsFunc(m.met[m.earlier:], func(met string) bool {
		return met == kind+": "+string(fault) || fault == "" && strings.HasPrefix(met, kind)
	})
}

// mayBeGone reports whether FoneStorm returned that a FoneNumber is not in the account, and its list did not contradict that. All
// settings of a FoneNumber share its read.
func (m *model) mayBeGone(name string) bool {
	f, _ := m.Get(name[:10])
	unlisted := f.Active != "yes" || slices.ContainsFunc(m.met, func(met string) bool {
		return strings.HasPrefix(met, "list: ") && met != "list: "
	})
	return unlisted && slices.Contains(m.met, "get: "+string(simulator.NotFound))
}

func (m *model) changes(r *run, name string, c change) (instance, []*tfprotov6.Diagnostic) {
	kind := settingOf(name).request
	found, requests := m.is(name), m.count(kind)
	m.earlier = len(m.met)
	after, diags := r.apply(c)
	if n := m.count(kind) - requests; n > 1+retries+1 { // One more with a new token.
		m.t.Fatalf("setting %s sends %d requests", name, n)
	}
	now, problem := m.is(name), failure(diags)
	if problem != nil && c.before.exists() && !agrees(after, c.before) {
		m.t.Fatalf("changing %s fails, but the state changes to %s", name, after.state)
	}
	var config attributes
	switch isDestroy := c.planned.IsNull(); {
	case !isDestroy:
		config = m.config[name]
	case m.config[name] != nil: // Of a tainted object, which is replaced.
		if now != found {
			m.t.Fatalf("replacing %s changes %+v to %+v before it is created again", name, found, now)
		}
		return after, diags
	}
	if problem != nil {
		m.uncertain[name] = m.uncertain[name] || !c.before.exists()
		if config != nil {
			m.set[name] = append(m.set[name], config)
		}
		if now != found && !m.wants(config, now, found, c.before, name) {
			m.t.Fatalf("changing %s fails and leaves %+v, which is neither the earlier nor the configured delivery", name, now)
		}
		return after, diags
	}
	if m.hasMet(kind, simulator.AnotherFoneNumber) && !m.hasMet("get", "") { // A read corrects the result.
		m.t.Fatalf("changing %s succeeds with the response for another FoneNumber", name)
	}
	if !m.wants(config, now, found, c.before, name) && (config != nil || !m.mayBeGone(name)) {
		m.t.Fatalf("changing %s to %v succeeds, but FoneStorm has %+v", name, config, now)
	}
	if config == nil && now == found { // Kept, because it is configured or because something else set it.
		m.uncertain[name] = true
	}
	m.set[name] = []attributes{config}
	if cmp.Or(config.text("url_password_wo"), config.text("url_password")) != "" { // And with it a username.
		m.uncertain[name] = false
	}
	return after, diags
}

// isOwn reports whether a resource may have set this delivery.
func (m *model) isOwn(name string, found delivery) bool {
	return slices.ContainsFunc(m.set[name], func(config attributes) bool { return sameDestination(found, config) })
}

// wants reports whether a delivery is what a resource should set, if FoneStorm and the state had these before.
func (m *model) wants(config attributes, now, found delivery, before instance, name string) bool {
	if config == nil {
		if attributesOf(before.state).text("on_destroy") == onDestroyKeep {
			return now == found
		}
		return now.kind == "None" || now == found && !m.isOwn(name, found)
	}
	if !sameDestination(now, config) {
		return false
	}
	username, password := config.text("url_username"), cmp.Or(config.text("url_password_wo"), config.text("url_password"))
	if username == "" && m.uncertain[name] {
		return true // Credentials of an earlier operation are not visible.
	}
	return now.username == username && (now.password == password || password == "" && m.uncertain[name])
}

// settled checks that FoneStorm matches the configuration, and that the next plan is empty. If FoneNumbers have moved, earlier
// credentials are not known.
func (m *model) settled() {
	for id, config := range m.wanted {
		now := m.is(id)
		if m.moves && !sameDestination(now, config) || !m.moves && !m.wants(config, now, now, instance{}, id) {
			m.t.Fatalf("%s should be as in %v, but FoneStorm has %+v", id, config, now)
		}
	}
	if !maps.EqualFunc(m.state, m.config, func(instance, attributes) bool { return true }) {
		m.t.Fatalf("the state has %v, but the configuration %v", m.state, m.config)
	}
	m.mustPlanNothing()
	m.checkContract(m.t)
}
