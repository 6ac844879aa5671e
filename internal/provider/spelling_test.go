package provider

import (
	"bytes"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/idna"
	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Every correction of a text is sent, however small, and once: even one that means the same destination, which is not drift. A token that
// is percent-encoded by hand is drift, because FoneStorm may not replace it.
func TestCorrectionsAreSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind, wrong, right string
		isDrift            bool
	}{
		{"URL", "https://hooks.example.com/?m=%7B%7Bmsg%7D%7D", "https://hooks.example.com/?m={{msg}}", true},
		{"URL", "https://hooks.example.com/?a=1&amp;b=2", "https://hooks.example.com/?a=1&b=2", true},
		{"URL", "https://hooks.example.com/a%2fb", "https://hooks.example.com/a%2Fb", true},
		{"URL", "https://hooks.example.com", "https://hooks.example.com/", false},
		{"Email", "Ops@example.com", "ops@example.com", false},
	} {
		w := newWorld(t, testNumber)
		w.mustApply(delivery{kind: test.kind, value: test.wrong}.attributes(testNumber))
		right := delivery{kind: test.kind, value: test.right}
		w.mustApply(right.attributes(testNumber))
		w.sendsOnly(t, 2)
		w.mustDeliver(t, testNumber, right)
		w.byHand(testNumber, test.kind, test.wrong)
		if p := w.plan(right.attributes(testNumber)); p.isEmpty() == test.isDrift {
			t.Errorf("after %q was set by hand, the plan changes %q", test.wrong, p.differs())
		}
	}
}

// A spelling that was never learned, because FoneStorm showed it before this resource set anything, does not block the apply. Credentials
// that something else sets for a URL in a learned spelling stay.
func TestSpellingThatWasThereBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const url = "https://hooks.example.com/SMS?Key=1"
		w := newWorld(t)
		w.byHand(testNumber, "URL", url)
		w.ShowAs(func(_ string, f simulator.FoneNumber) simulator.FoneNumber {
			f.Receive.URL = strings.ToLower(f.Receive.URL) + "/"
			return f
		})
		w.mustImport(testNumber)
		config := with(toHook, "value", url)
		wantWarnings(t, w.mustApply(config), []string{"Callback Credentials Will Be Removed", "FoneStorm Shows the Destination Differently"})
		theirs := delivery{"URL", url, "theirs", "their-horse"}
		settings[0].set(w.account, testNumber, theirs)
		w.mustApply(with(config, "url_method", "POST"))
		w.mustDeliver(t, testNumber, theirs)
	})
}

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
		"encoded tokens": replaced("{", "%7B", "}", "%7D"), "encoded": url.QueryEscape, "punycode": punycode,
		"port": replaced(".example.com", ".example.com:443"),
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

// shownBy makes FoneStorm show the destinations of a setting as these functions rewrite them, by the kind of request.
func (a *account) shownBy(as setting, by map[string]func(string) string) {
	a.ShowAs(func(request string, f simulator.FoneNumber) simulator.FoneNumber {
		rewrite := by[request]
		switch {
		case rewrite == nil:
		case as.event != "":
			n := as.notification(&f)
			n.URL, n.Email = rewrite(n.URL), rewrite(n.Email)
			n.Method = map[string]string{"JSON": "json", "GET": ""}[n.Method]
		case f.Receive.Type != "None" && f.Receive.Value() != "":
			f.Receive = f.Receive.Delivering(f.Receive.Type, rewrite(f.Receive.Value()))
		}
		return f
	})
}

// However FoneStorm rewrites destinations of deliveries and notifications, in settings, reads, and lists alike or differently, as
// long as their core remains: applies succeed, plans become empty, drift is seen and corrected, and a destroy turns the setting
// off.
func TestAnySpelling(t *testing.T) {
	t.Parallel()
	checkRandomly(t, size(100, 10), func(t *rapid.T) {
		as := rapid.SampledFrom(settings).Draw(t, "of")
		kind := kinds[as.request].Filter(func(kind string) bool { return kind != "None" }).Draw(t, "type")
		names := append(slices.Sorted(maps.Keys(rewritings[kind])), "")
		slices.Sort(names)
		draw := func(label string) string { return rapid.SampledFrom(names).Draw(t, label) }
		setting, single, list := draw("setting"), draw("single read"), draw("list")
		count := rapid.SampledFrom([]int{1, 7}).Draw(t, "resources") // Seven are listed.
		rapid.SyncTest(t, func(t *rapid.T) { survivesSpelling(t, as, kind, setting, single, list, count) })
	})
}

// survivesSpelling runs several resources through their life together, with the names of the rewritings.
func survivesSpelling(t testOrRapid, as setting, kind, setting, single, list string, count int) {
	t.Helper()
	a := newAccount(t, simulator.Options{FoneNumbers: count})
	a.shownBy(as, map[string]func(string) string{
		as.request: rewritings[kind][setting],
		"get":      rewritings[kind][single],
		"list":     rewritings[kind][list],
	})
	w := a.world(t)
	// settle applies one of the destinations until nothing changes. Only if FoneStorm shows it differently in settings than in reads,
	// there is a second change. Afterward, a refresh changes nothing, not even private state.
	settle := func(to delivery, method string) {
		t.Helper()
		var configs []attributes
		for i := range count {
			config := as.config(to.attributes(loadNumber(i)))
			if config["url_method"] != nil {
				config["url_method"] = method
			}
			configs = append(configs, config)
		}
		for n := 0; n == 0 || !w.plan().isEmpty(); n++ {
			if problem := failure(w.apply(configs...)); problem != nil || n == 1 && setting == single || n == 2 {
				t.Fatalf("resources change again, or fail: %v", problem)
			}
		}
		before := maps.Clone(w.state)
		w.mustPlanNothing()
		for name, was := range before {
			if is := w.state[name]; !is.state.Equal(was.state) || !bytes.Equal(is.private, was.private) {
				t.Fatalf("a refresh changes %s and %s to %s and %s", was.state, was.private, is.state, is.private)
			}
		}
		for i := range count {
			as.mustBe(t, a, loadNumber(i), to)
		}
	}
	settle(delivery{kind: kind, value: spelled[kind][0]}, "JSON")
	for i := range count {
		as.set(a, loadNumber(i), delivery{kind: "Email", value: "stranger@example.net"})
	}
	settle(delivery{kind: kind, value: spelled[kind][0]}, "JSON")
	settle(delivery{kind: kind, value: spelled[kind][1]}, "GET")
	w.mustApply(nil)
	for i := range count {
		as.mustBe(t, a, loadNumber(i), delivery{kind: "None"})
	}
}
