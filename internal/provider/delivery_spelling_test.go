package provider

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/net/idna"
	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// rewritings are ways in which FoneStorm could show a destination without losing its core. Each is applied to whatever was set.
var rewritings = map[string]map[string]func(string) string{
	"Email": {
		"upper case": strings.ToUpper, "mailto": prefixed("mailto:"), "padded": func(v string) string { return " " + v + " " },
		"brackets": func(v string) string { return "<" + v + ">" }, "encoded": url.QueryEscape, "punycode": punycode,
	},
	"Forward": {
		"+1": prefixed("+1"), "tel": prefixed("tel:+1"), "sip": func(v string) string { return "sip:" + v + "@pbx" },
		"punctuation": func(v string) string { return "(" + v[:3] + ") " + v[3:6] + "-" + v[6:] },
	},
	"Device": {"padded": prefixed(" "), "SIP": prefixed("SIP/")},
	"URL": {
		"slash": func(v string) string { return v + "/" }, "no fragment": func(v string) string { return strings.Split(v, "#")[0] },
		"lower case": strings.ToLower, "masked": func(v string) string { return strings.Split(v, "?")[0] + "?***" },
		"cut off": func(v string) string { return v[:min(len(v), 36)] }, "plus": replaced("%20", "+"), "entities": replaced("&", "&amp;"),
		"encoded tokens": replaced("{", "%7B", "}", "%7D"), "encoded": url.QueryEscape, "punycode": punycode, "port": replaced(".example.com", ".example.com:443"),
		"HTTP": replaced("https://", "http://"), "no scheme": replaced("https://", ""),
	},
}

func prefixed(prefix string) func(string) string { return func(v string) string { return prefix + v } }

func replaced(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

func punycode(v string) string {
	if ascii, err := idna.ToASCII("hööks.example.com"); err == nil {
		return strings.ReplaceAll(v, "hööks.example.com", ascii)
	}
	return v
}

// spelled are two destinations of each type, which have the same core if they can.
var spelled = map[string][2]string{
	"Email":   {"ops@hööks.example.com", "dev@hööks.example.com"},
	"Forward": {"3215551111", "3215552222"},
	"Device":  {"987123543678", "21915233078"},
	"URL":     {"https://hööks.example.com/In?m={{msg}}&t=a%20b#top", "https://hööks.example.com/Out?m={{msg}}&t=a%20b#top"},
}

// shownBy makes FoneStorm show destinations as these functions rewrite them, by the kind of response.
func (a *account) shownBy(by map[simulator.Source]func(string) string) {
	a.ShowAs(func(v simulator.View) simulator.FoneNumber {
		if rewrite := by[v.Source]; rewrite != nil && v.Receive.Type != "None" && v.Receive.Value() != "" {
			v.Receive = v.Receive.Delivering(v.Receive.Type, rewrite(v.Receive.Value()))
		}
		return v.FoneNumber
	})
}

// lives are resources of one account that go through each step of their life together.
type lives struct {
	t         rapid.TB
	account   *account
	instances []instance
}

func (l *lives) run() *run {
	return l.account.start(context.Background(), l.t, attributes{"requests_per_second": 10_000})
}

func (l *lives) number(i int) string { return fmt.Sprint(3215550000 + i) }

// apply refreshes, plans, and applies. It returns how many resources changed, and fails on errors.
func (l *lives) apply(config func(number string) attributes) (changed int) {
	l.t.Helper()
	planning, applying := l.run(), l.run()
	for i, before := range l.instances {
		if before.exists() {
			refreshed, diags := planning.refresh(before)
			l.noError(diags)
			before = refreshed
		}
		c, diags := planning.plan(before, config(l.number(i)))
		l.noError(diags)
		if l.instances[i] = before; !c.isEmpty() {
			changed++
			after, diags := applying.apply(c)
			l.noError(diags)
			l.instances[i] = after
		}
	}
	return changed
}

func (l *lives) noError(diags []*tfprotov6.Diagnostic) {
	l.t.Helper()
	if d := failure(diags); d != nil {
		l.t.Fatalf("%s: %s", d.Summary, d.Detail)
	}
}

// settle applies a configuration until nothing changes. Only if FoneStorm shows a destination differently in settings than in
// reads, there is a second change. Afterward, a refresh changes nothing, not even private state.
func (l *lives) settle(config func(string) attributes, alike bool) {
	l.t.Helper()
	l.apply(config)
	again := l.apply(config)
	if again > 0 && alike {
		l.t.Fatalf("%d resources change again", again)
	}
	if again > 0 && l.apply(config) > 0 {
		l.t.Fatal("the resources change a third time")
	}
	r := l.run()
	for i, before := range l.instances {
		after, diags := r.refresh(before)
		l.noError(diags)
		if !after.known().Equal(before.known()) || !bytes.Equal(after.private, before.private) {
			l.t.Fatalf("a refresh changes %s and %s to %s and %s", before.known(), before.private, after.known(), after.private)
		}
		f, _ := l.account.Get(l.number(i))
		if want := config(l.number(i)); f.Receive.Value() != want.text("value") {
			l.t.Fatalf("FoneStorm has %+v, want %v", f.Receive, want)
		}
	}
}

// However FoneStorm rewrites destinations, in settings, reads, and lists alike or differently, as long as their core remains:
// applies succeed, plans become empty, drift is seen and corrected, and a destroy turns the FoneNumber off.
func TestAnySpelling(t *testing.T) {
	t.Parallel()
	checkRandomly(t, size(100, 20, 10), func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{"Email", "Forward", "Device", "URL"}).Draw(t, "type")
		names := []string{""}
		for name := range rewritings[kind] {
			names = append(names, name)
		}
		slices.Sort(names)
		draw := func(label string) string { return rapid.SampledFrom(names).Draw(t, label) }
		setting, single, list := draw("setting"), draw("single read"), draw("list")
		count := rapid.SampledFrom([]int{1, 7}).Draw(t, "resources") // Seven are listed.
		rapid.SyncTest(t, func(t *rapid.T) {
			a := serveInMemory(t, simulator.Options{FoneNumbers: count})
			defer a.network.stop()
			a.shownBy(map[simulator.Source]func(string) string{
				simulator.FromSetting: rewritings[kind][setting], simulator.FromRead: rewritings[kind][single], simulator.FromList: rewritings[kind][list],
			})
			l := &lives{t: t, account: a, instances: make([]instance, count)}
			config := func(value string) func(string) attributes {
				return func(number string) attributes { return delivery{kind: kind, value: value}.attributes(number) }
			}
			l.settle(config(spelled[kind][0]), setting == single)
			for i := range l.instances {
				a.byHand(l.number(i), "Email", "stranger@example.net")
			}
			l.settle(config(spelled[kind][0]), setting == single)
			l.settle(config(spelled[kind][1]), setting == single)
			l.apply(func(string) attributes { return nil })
			for i := range l.instances {
				a.mustDeliver(t, l.number(i), delivery{kind: "None"})
			}
		})
	})
}

// A setting that FoneStorm ignores, or that something else overwrites at once, is an error after several reads, and is never
// taken for a spelling of what was set.
func TestIgnoredSetting(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]func(before, after simulator.FoneNumber) simulator.FoneNumber{
		"ignored": func(before, _ simulator.FoneNumber) simulator.FoneNumber { return before },
		"overwritten": func(_, after simulator.FoneNumber) simulator.FoneNumber {
			after.Receive = after.Receive.Delivering("URL", "https://stranger.example.net/?hooks.example.com")
			return after
		},
	} {
		for _, found := range []string{"https://hooks.example.com/old", "https://elsewhere.example.com/"} {
			inMemory(t, name+" over "+found, func(t *testing.T) {
				a := newAccountInMemory(t, simulator.Options{})
				a.byHand(testNumber, "URL", found)
				m := a.manage(t)
				a.StoreAs(stored)
				config := toURL("", "", 0)
				for range 2 {
					wantError(t, m.apply(config), "FoneStorm Returned Another Destination")
				}
				a.StoreAs(nil)
				m.mustApply(config)
				m.mustApply(nil)
				a.mustDeliver(t, testNumber, delivery{kind: "None"})
			})
		}
	}
}

// Reads that lag behind a setting for a few seconds do not fail the apply.
func TestLaggingRead(t *testing.T) {
	t.Parallel()
	inMemory(t, "lag", func(t *testing.T) {
		a := newAccountInMemory(t, simulator.Options{})
		a.byHand(testNumber, "None", "")
		m := a.manage(t)
		a.ShowAs(func(v simulator.View) simulator.FoneNumber {
			if v.Shown < 3 {
				return v.Before
			}
			return v.FoneNumber
		})
		for _, d := range []delivery{destinations[1], destinations[2], otherDestinations[2], destinations[4]} {
			wantWarnings(t, m.mustApply(d.attributes(testNumber)), warningsOf(d))
		}
	})
}

// warningsOf returns the warnings of a change to a delivery that is not about its spelling.
func warningsOf(d delivery) []string {
	if d.kind == "None" {
		return []string{"Messages Will Be Deleted"}
	}
	return nil
}

// inMemory runs a subtest in a bubble, where waiting takes no time.
func inMemory(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, test)
	})
}
