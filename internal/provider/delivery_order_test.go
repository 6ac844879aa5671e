package provider

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The same plan has the same diagnostics in whatever order Terraform refreshes and plans resources.
func TestSamePlanInEveryOrder(t *testing.T) {
	t.Parallel()
	const n = 12 // More than are read singly.
	for _, moves := range refactorings(n) {
		t.Run(moves.name, func(t *testing.T) {
			t.Parallel()
			a := newAccountInMemory(t, simulator.Options{})
			w := newFakeTerraform(t, a, moves, false, 0)
			w.configure(moves.before, 0)
			w.mustApply("the first apply", nil)
			w.configure(moves.after, 0)

			var first map[string]string
			for range 20 {
				got := w.diagnosticsOf(w.start(), moves.replaced)
				if first == nil {
					first = got
				}
				if !maps.Equal(got, first) {
					t.Fatalf("in one order, the plan shows\n%v\nand in another\n%v", first, got)
				}
			}
			if quiet := len(moves.replaced) > 0; (len(first) == 0) != quiet {
				t.Errorf("the plan shows %v", first)
			}
		})
	}
}

// diagnosticsOf refreshes and plans all resources in random order, and returns what the plan shows, by the name of the resource.
// Some are refreshed long before they are planned.
func (w *fakeTerraform) diagnosticsOf(r *run, replaced []string) map[string]string {
	type step struct {
		name  string
		plans bool
	}
	var steps []step
	for _, name := range shuffled(w, w.nodes()) {
		steps = append(steps, step{name, false}, step{name, true})
	}
	rank := map[step]float64{}
	for i := 0; i < len(steps); i += 2 {
		rank[steps[i]], rank[steps[i+1]] = w.order.Float64(), w.order.Float64()
		if rank[steps[i]] > rank[steps[i+1]] {
			rank[steps[i]], rank[steps[i+1]] = rank[steps[i+1]], rank[steps[i]]
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Compare(rank[a], rank[b]) })

	refreshed, shows := map[string]instance{}, map[string]string{}
	for _, s := range steps {
		before := w.current[s.name].instance
		if !s.plans {
			if before.exists() {
				refreshed[s.name], _ = r.refresh(before)
			}
			continue
		}
		config := w.config[s.name]
		c, diags := r.plan(refreshed[s.name], config)
		if slices.Contains(replaced, s.name) {
			r.plan(instance{private: c.private}, config) // Terraform drops its warnings.
		}
		var texts []string
		for _, d := range diags {
			texts = append(texts, d.Summary+": "+d.Detail)
		}
		if len(texts) > 0 {
			slices.Sort(texts)
			shows[s.name] = strings.Join(texts, "\n")
		}
	}
	return shows
}
