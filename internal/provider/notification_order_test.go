package provider

import (
	"slices"
	"strings"
	"testing"
)

const (
	twice   = "Messages Will Arrive Twice"
	nothing = "Notification Without Delivery"
)

// A delivery (d) and a notification (n) that do not fit together after the apply have exactly one warning, with the same text, in
// whatever order Terraform refreshes and plans them. If the apply removes one of them, there is none: except that a resource that is
// planned before the other one was even refreshed can only know what FoneStorm shows. Its warning says so.
func TestDeliveryAndNotificationInEveryOrder(t *testing.T) {
	t.Parallel()
	url, other := delivery{kind: "URL", value: hookURL}, delivery{kind: "URL", value: hookURL + "/other"}
	mail := delivery{kind: "Email", value: "ops@example.com"}
	none, unmanaged := delivery{kind: "None"}, delivery{kind: "unmanaged"}
	destroyed, kept := delivery{kind: "destroyed"}, delivery{kind: "destroyed", value: "kept"}
	for name, test := range map[string]struct {
		delivery, notification [2]delivery // What FoneStorm shows first, and what is configured.
		created                bool        // Whether the resources are created over it. Otherwise, they were imported.
		want                   string      // Summary of the only warning of the two; empty for none.
		unless                 bool        // Whether a resource that is planned first cannot know what the other one does.
	}{
		"both created":                         {[2]delivery{none, url}, [2]delivery{none, url}, true, twice, true},
		"both changed":                         {[2]delivery{mail, url}, [2]delivery{mail, url}, false, twice, false},
		"delivery changed":                     {[2]delivery{mail, url}, [2]delivery{url, url}, false, twice, false},
		"notification changed":                 {[2]delivery{url, url}, [2]delivery{mail, url}, false, twice, false},
		"delivery changed, rest unmanaged":     {[2]delivery{mail, url}, [2]delivery{url, unmanaged}, false, twice, false},
		"notification changed, rest unmanaged": {[2]delivery{url, unmanaged}, [2]delivery{mail, url}, false, twice, false},
		"nothing changed":                      {[2]delivery{url, url}, [2]delivery{url, url}, false, "", false},
		"swapped":                              {[2]delivery{url, other}, [2]delivery{other, url}, false, "", true},
		"delivery leaves":                      {[2]delivery{url, other}, [2]delivery{mail, url}, false, "", true},
		"notification leaves":                  {[2]delivery{mail, url}, [2]delivery{url, mail}, false, "", true},
		"notification is turned off":           {[2]delivery{mail, url}, [2]delivery{url, none}, false, "", true},
		"notification is destroyed":            {[2]delivery{mail, url}, [2]delivery{url, destroyed}, false, "", true},
		"different":                            {[2]delivery{none, url}, [2]delivery{none, other}, true, "", true},
		"no delivery":                          {[2]delivery{none, none}, [2]delivery{none, url}, true, nothing, false},
		"no delivery, unmanaged":               {[2]delivery{none, unmanaged}, [2]delivery{mail, url}, false, nothing, false},
		"delivery turned off":                  {[2]delivery{mail, none}, [2]delivery{mail, url}, false, nothing, false},
		"delivery destroyed":                   {[2]delivery{mail, destroyed}, [2]delivery{mail, url}, false, nothing, false},
		"delivery destroyed but kept":          {[2]delivery{url, kept}, [2]delivery{mail, url}, false, twice, false},
		"delivery set at the same time":        {[2]delivery{none, mail}, [2]delivery{none, url}, true, "", true},
		"neither":                              {[2]delivery{mail, none}, [2]delivery{url, none}, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testNumber)
			sides := map[string][2]delivery{"d": test.delivery, "n": test.notification}
			for i, name := range []string{"d", "n"} {
				as, found, wanted := settings[i], sides[name][0], sides[name][1]
				as.set(w.account, testNumber, found)
				if !test.created && wanted != unmanaged {
					w.state[name] = w.imported(t, as.id(testNumber), wanted == kept)
				}
				if wanted != unmanaged && wanted.kind != "destroyed" {
					w.config[name] = as.config(wanted.attributes(testNumber))
				}
			}
			texts := map[string]bool{}
			for order, first := range map[string]string{"ddnn": "d", "dndn": "d", "dnnd": "n", "nddn": "d", "ndnd": "n", "nndd": "n"} {
				var got []string
				w.planIn(strings.Split(order, ""))
				for name, shown := range w.shows {
					other := map[string]string{"d": "n", "n": "d"}[name]
					knew := order[0] != order[1] && w.state[other].exists()
					got = append(got, slices.DeleteFunc(shown, func(text string) bool {
						ofBoth := strings.HasPrefix(text, twice) || strings.HasPrefix(text, nothing)
						return !ofBoth || name == first && test.unless && !knew && (test.want == "" || !strings.Contains(text, test.want))
					})...)
				}
				if len(got) > 1 || (len(got) == 0) != (test.want == "") {
					t.Errorf("in order %s, the warnings are %q, want %q", order, got, test.want)
				}
				for _, text := range got {
					texts[text] = true
					says(t, text, test.want)
				}
			}
			if len(texts) > 1 {
				t.Errorf("the texts differ: %v", texts)
			}
		})
	}
}

// The destroy of a delivery that another resource sets does not matter, whichever is planned first.
func TestNotificationOfRenamedDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	settings[0].set(w.account, testNumber, destinations[1])
	w.state["old"] = w.imported(t, testNumber, false)
	w.config["notification"] = notify("Callback", hookURL, "JSON")
	for _, test := range []struct {
		to   attributes
		want string
	}{{toEmail, ""}, {toURL("", "", 0), twice}} {
		for _, order := range []string{"old old new new", "old new new old", "new new old old"} {
			w.config["new"] = test.to
			w.planIn(strings.Fields(order + " notification notification"))
			if got := strings.Join(w.shows["notification"], ""); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("in order %s, the plan shows %q, want %q", order, got, test.want)
			}
		}
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
