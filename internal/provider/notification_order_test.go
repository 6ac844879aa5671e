package provider

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	summaryTwice   = "Messages Will Arrive Twice"
	summaryNothing = "Notification Without Delivery"
)

// interleavings are the orders in which Terraform can refresh and plan a delivery (0) and a notification (1).
var interleavings = [][]int{{0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 1, 0}, {1, 0, 0, 1}, {1, 0, 1, 0}, {1, 1, 0, 0}}

// A delivery and a notification that do not fit together after the apply have exactly one warning, with the same text, in whatever
// order Terraform refreshes and plans them. If the apply removes one of them, there is none: except that a resource that is
// planned before the other one was even refreshed can only know what FoneStorm shows. Its warning says so.
func TestDeliveryAndNotificationInEveryOrder(t *testing.T) {
	t.Parallel()
	url, other, mail := delivery{kind: "URL", value: hookURL}, delivery{kind: "URL", value: hookURL + "/other"}, delivery{kind: "Email", value: "ops@example.com"}
	none, unmanaged, destroyed := delivery{kind: "None"}, delivery{kind: "unmanaged"}, delivery{kind: "destroyed"}
	for name, test := range map[string]struct {
		delivery, notification [2]delivery // What FoneStorm shows first, and what is configured.
		created                bool        // Whether the resources are created over it. Otherwise, they were imported.
		want                   string      // Summary of the only warning of the two; empty for none.
		unless                 bool        // Whether a resource that is planned first cannot know what the other one does.
	}{
		"both created":                         {[2]delivery{none, url}, [2]delivery{none, url}, true, summaryTwice, true},
		"both changed":                         {[2]delivery{mail, url}, [2]delivery{mail, url}, false, summaryTwice, false},
		"delivery changed":                     {[2]delivery{mail, url}, [2]delivery{url, url}, false, summaryTwice, false},
		"notification changed":                 {[2]delivery{url, url}, [2]delivery{mail, url}, false, summaryTwice, false},
		"delivery changed, rest unmanaged":     {[2]delivery{mail, url}, [2]delivery{url, unmanaged}, false, summaryTwice, false},
		"notification changed, rest unmanaged": {[2]delivery{url, unmanaged}, [2]delivery{mail, url}, false, summaryTwice, false},
		"nothing changed":                      {[2]delivery{url, url}, [2]delivery{url, url}, false, "", false},
		"swapped":                              {[2]delivery{url, other}, [2]delivery{other, url}, false, "", true},
		"delivery leaves":                      {[2]delivery{url, other}, [2]delivery{mail, url}, false, "", true},
		"notification leaves":                  {[2]delivery{mail, url}, [2]delivery{url, mail}, false, "", true},
		"notification is turned off":           {[2]delivery{mail, url}, [2]delivery{url, none}, false, "", true},
		"notification is destroyed":            {[2]delivery{mail, url}, [2]delivery{url, destroyed}, false, "", true},
		"different":                            {[2]delivery{none, url}, [2]delivery{none, other}, true, "", true},
		"no delivery":                          {[2]delivery{none, none}, [2]delivery{none, url}, true, summaryNothing, false},
		"no delivery, unmanaged":               {[2]delivery{none, unmanaged}, [2]delivery{mail, url}, false, summaryNothing, false},
		"delivery turned off":                  {[2]delivery{mail, none}, [2]delivery{mail, url}, false, summaryNothing, false},
		"delivery destroyed":                   {[2]delivery{mail, destroyed}, [2]delivery{mail, url}, false, summaryNothing, false},
		"delivery set at the same time":        {[2]delivery{none, mail}, [2]delivery{none, url}, true, "", true},
		"neither":                              {[2]delivery{mail, none}, [2]delivery{url, none}, false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccountInMemory(t, simulator.Options{})
			a.Put(simulator.FoneNumber{Number: testNumber})
			sides := [2][2]delivery{test.delivery, test.notification}
			texts := map[string]bool{}
			for _, order := range interleavings {
				for i, side := range sides {
					settings[i].set(a, testNumber, side[0])
				}
				var before [2]instance
				for i, side := range sides {
					if before[i] = (instance{}); !test.created && side[1] != unmanaged {
						before[i] = a.imported(t, settings[i].id(testNumber))
					}
				}
				got, detail, knew := planBoth(t, a, order, before, sides)
				texts[detail] = true
				want := map[bool][]string{true: {test.want}}[test.want != ""]
				if test.unless && !knew && len(got) == len(want)+1 {
					got = got[1:] // The resource that was planned first could only know what FoneStorm shows.
				}
				if !slices.Equal(got, want) {
					t.Errorf("in order %v, the warnings are %q, want %q", order, got, want)
				}
			}
			if delete(texts, ""); len(texts) > 1 {
				t.Errorf("the texts differ: %v", texts)
			}
			for text := range texts {
				says(t, text, "unless another resource in the configuration")
			}
		})
	}
}

// imported returns an object that keeps nothing when it is destroyed.
func (a *account) imported(t *testing.T, id string) instance {
	t.Helper()
	r := a.start(t.Context(), t, nil)
	i, diags := r.importState(id)
	if failure(diags) != nil {
		t.Fatal(failure(diags).Detail)
	}
	config := attributesOf(i.state)
	if config["on_destroy"] != nil {
		config["on_destroy"] = "disable"
		c, _ := r.plan(i, config)
		i, _ = a.start(t.Context(), t, nil).apply(c)
	}
	return i
}

// planBoth refreshes and plans in this order, and returns the warnings that concern both. knew is whether the resource that was
// planned last had been refreshed before the other one was planned.
func planBoth(t *testing.T, a *account, order []int, before [2]instance, sides [2][2]delivery) (summaries []string, detail string, knew bool) {
	t.Helper()
	r := a.start(t.Context(), t, nil)
	var refreshed [2]bool
	planned := 0
	for _, i := range order {
		to := sides[i][1]
		if to.kind == "unmanaged" {
			continue
		}
		if !refreshed[i] {
			if refreshed[i] = true; before[i].exists() {
				before[i], _ = r.refresh(before[i])
			}
			continue
		}
		if planned++; planned == 1 {
			knew = refreshed[1-i] && before[1-i].exists()
		}
		config := settings[i].config(to.attributes(testNumber))
		if to.kind == "destroyed" {
			config = nil
		}
		_, diags := r.plan(before[i], config)
		for _, d := range diags {
			if d.Severity == tfprotov6.DiagnosticSeverityError {
				t.Fatal(fmt.Sprint(d))
			}
			if d.Summary == summaryTwice || d.Summary == summaryNothing {
				summaries, detail = append(summaries, d.Summary), d.Detail
			}
		}
	}
	return summaries, detail, knew
}
