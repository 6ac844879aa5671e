package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// measured returns a result that meets every target.
func measured(o operation, size int, limited bool) result {
	r := result{
		operation: o, size: size, limited: limited, latency: 50 * time.Millisecond, wall: 2 * time.Second, floor: 2 * time.Second, peak: 50 * mib,
		requests: map[string]int{"login": 1, "get": 5, "list": 1, "set": size},
	}
	if o == plan {
		r.requests["set"] = 0
	}
	return r
}

func TestEvaluate(t *testing.T) {
	tests := map[string]struct {
		result result
		spoil  func(*result)
		missed string // Beginning of the only target that is missed; "" for none.
	}{
		"plan":                               {measured(plan, 1000, true), nil, ""},
		"plan with 8 requests":               {measured(plan, 10, false), func(r *result) { r.requests["get"]++ }, "no-change plan: requests"},
		"plan at 1.3 × floor":                {measured(plan, 1000, false), func(r *result) { r.wall = 2600 * time.Millisecond }, ""},
		"plan slower than that":              {measured(plan, 30000, false), func(r *result) { r.wall = 2601 * time.Millisecond }, "no-change plan of 1000"},
		"slow plan of few":                   {measured(plan, 100, false), func(r *result) { r.wall = time.Minute }, ""},
		"plan that needs memory":             {measured(plan, 10000, false), func(r *result) { r.peak = 129 * mib }, "memory"},
		"plan of few that needs memory":      {measured(plan, 1000, false), func(r *result) { r.peak = 129 * mib }, ""},
		"create":                             {measured(create, 1000, true), nil, ""},
		"create that sets twice":             {measured(create, 10, false), func(r *result) { r.requests["set"]++ }, "create, change, destroy: settings"},
		"create that leaves one out":         {measured(create, 10, false), func(r *result) { r.requests["set"]-- }, "create, change, destroy: settings"},
		"create that reads too often":        {measured(create, 10, false), func(r *result) { r.requests["list"]++ }, "create, change, destroy: other requests"},
		"change with a rejected request":     {measured(change, 10, true), func(r *result) { r.rejected = 1 }, "requests rejected"},
		"destroy at the limit, in time":      {measured(destroy, 1000, true), func(r *result) { r.wall = 108735 * time.Millisecond }, ""},
		"destroy at the limit, too slow":     {measured(destroy, 1000, true), func(r *result) { r.wall = 108736 * time.Millisecond }, "create, change, destroy of 1000 at the limit"},
		"change without a limit, in time":    {measured(change, 1000, false), func(r *result) { r.wall = 7600 * time.Millisecond }, ""},
		"change without a limit, too slow":   {measured(change, 1000, false), func(r *result) { r.wall = 7601 * time.Millisecond }, "create, change, destroy of 1000 without limit"},
		"slow change of few without a limit": {measured(change, 100, false), func(r *result) { r.wall = time.Minute }, ""},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			test := tests[name]
			if test.spoil != nil {
				test.spoil(&test.result)
			}
			report, missed := evaluate([]result{measured(test.result.operation, test.result.size, test.result.limited), test.result}, 20*mib)
			switch {
			case test.missed == "" && (missed != 0 || strings.Contains(report, "MISS")):
				t.Errorf("%d targets missed where none should be:\n%s", missed, report)
			case test.missed != "" && (missed != 1 || !strings.Contains(report, "- MISS "+test.missed)):
				t.Errorf("%d targets missed where only %q should be:\n%s", missed, test.missed, report)
			}
		})
	}
	if report, missed := evaluate(nil, 25*mib+1); missed != 1 || !strings.HasPrefix(report, "- MISS size of the stripped binary") {
		t.Errorf("a large binary: %d targets missed:\n%s", missed, report)
	}
}
