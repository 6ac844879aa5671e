package main

import (
	"strings"
	"testing"
	"time"
)

// measured returns a result with every figure well within the targets.
func measured(o operation, size int, limited bool) result {
	r := result{
		scenario:  scenario{size: size, limited: limited, latency: 50 * time.Millisecond},
		operation: o,
		requests:  map[string]int{"login": 1, "get": 5, "list": 1, "set": size},
		wall:      2 * time.Second,
		floor:     2 * time.Second,
		planFloor: time.Second,
		peak:      50 * mib,
	}
	if o == plan {
		r.requests["set"] = 0
	}
	return r
}

func TestVerdicts(t *testing.T) {
	tests := []struct {
		name   string
		result result
		spoil  func(*result)
		binary int64
		missed string // Beginning of the only target that is missed; "" for none.
	}{
		{name: "plan", result: measured(plan, 1000, true)},
		{name: "plan, too many requests", result: measured(plan, 10, false), spoil: func(r *result) { r.requests["get"]++ }, missed: "no-change plan: requests"},
		{name: "plan, just in time", result: measured(plan, 1000, false), spoil: func(r *result) { r.wall = 4600 * time.Millisecond }},
		{name: "plan, slow", result: measured(plan, 1000, false), spoil: func(r *result) { r.wall = 4601 * time.Millisecond }, missed: "no-change plan of 1000"},
		{name: "plan of another size, slow", result: measured(plan, 100, false), spoil: func(r *result) { r.wall = time.Minute }},
		{name: "plan, large", result: measured(plan, 10000, false), spoil: func(r *result) { r.peak = 129 * mib }, missed: "peak memory"},
		{name: "plan of another size, large", result: measured(plan, 1000, false), spoil: func(r *result) { r.peak = 129 * mib }},
		{name: "plan, memory unknown", result: measured(plan, 10000, false), spoil: func(r *result) { r.peak = 0 }},
		{name: "create", result: measured(create, 1000, true)},
		{name: "create, set twice", result: measured(create, 10, false), spoil: func(r *result) { r.requests["set"]++ }, missed: "create, change, destroy: set requests"},
		{name: "create, not all set", result: measured(create, 10, false), spoil: func(r *result) { r.requests["set"]-- }, missed: "create, change, destroy: set requests"},
		{name: "create, too many reads", result: measured(create, 10, false), spoil: func(r *result) { r.requests["list"]++ }, missed: "create, change, destroy: other requests"},
		{name: "create, a list more in 30 s", result: measured(create, 10, false), spoil: func(r *result) { r.requests["list"]++; r.wall = 30 * time.Second }},
		{name: "change, rejected", result: measured(change, 10, true), spoil: func(r *result) { r.rejected = 1 }, missed: "rejected"},
		{name: "destroy at the limit, just in time", result: measured(destroy, 1000, true), spoil: func(r *result) { r.wall = 106735 * time.Millisecond }},
		{name: "destroy at the limit, slow", result: measured(destroy, 1000, true), spoil: func(r *result) { r.wall = 106736 * time.Millisecond }, missed: "create, change, destroy of 1000 at the limit"},
		{name: "change without limit, just in time", result: measured(change, 1000, false), spoil: func(r *result) { r.wall = 8 * time.Second }},
		{name: "change without limit, slow", result: measured(change, 1000, false), spoil: func(r *result) { r.wall = 8001 * time.Millisecond }, missed: "create, change, destroy of 1000 without limit"},
		{name: "binary, large", result: measured(plan, 10, false), binary: 25*mib + 1, missed: "size of the stripped binary"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.spoil != nil {
				test.spoil(&test.result)
			}
			var missed []string
			for _, v := range verdicts([]result{test.result}, test.binary) {
				if v.missed {
					missed = append(missed, v.target)
				}
			}
			switch {
			case test.missed == "" && len(missed) > 0:
				t.Errorf("missed %q where nothing should be", missed)
			case test.missed != "" && (len(missed) != 1 || !strings.HasPrefix(missed[0], test.missed)):
				t.Errorf("missed %q where only %q should be", missed, test.missed)
			}
		})
	}
}

func TestVerdictDetail(t *testing.T) {
	few, many, more := measured(plan, 10, false), measured(plan, 100, false), measured(plan, 1000, true)
	few.requests = map[string]int{"login": 1, "get": 5}
	many.requests["get"], more.requests["get"] = 6, 7
	tests := []struct {
		name    string
		results []result
		want    string
	}{
		{"the closest", []result{few, measured(plan, 1000, true)}, "7, allowed 7 (no-change plan, N = 1000, limit 10/s)"},
		{"every miss", []result{few, many, more}, "8, allowed 7 (no-change plan, N = 100, limit none); 9, allowed 7 (no-change plan, N = 1000, limit 10/s)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(verdicts(test.results, 0)[0].detail, "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
