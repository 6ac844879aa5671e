package main

import (
	"strings"
	"testing"
	"time"
)

// Each target is met by a typical result, and missed by one that is just worse.
func TestMissed(t *testing.T) {
	t.Parallel()
	typical := func(o operation, limited bool) result {
		r := result{operation: o, size: 1000, limited: limited, latency: 50 * time.Millisecond, wall: 2 * time.Second, floor: 2 * time.Second, peak: 50 << 20}
		r.requests = map[string]int{"login": 1, "get": 5, "list": 1, "set": 1000}
		if o == plan {
			r.requests["set"] = 0
		}
		return r
	}
	for words, test := range map[string]struct {
		result result
		spoil  func(*result)
	}{
		"7 requests for a plan":        {typical(plan, false), func(r *result) { r.requests["get"]++ }},
		"for each process":             {typical(change, false), func(r *result) { r.requests["list"]++ }},
		"a setting for each":           {typical(create, false), func(r *result) { r.requests["set"]-- }},
		"no rejected requests":         {typical(create, true), func(r *result) { r.rejected++ }},
		"1.3 × floor":                  {typical(plan, false), func(r *result) { r.wall = 2700 * time.Millisecond }},
		"1.06 × requests/limit + 3 s":  {typical(destroy, true), func(r *result) { r.wall = 110 * time.Second }},
		"128 MiB of memory":            {typical(plan, true), func(r *result) { r.peak = 129 << 20 }},
		"1.3 × floor, and the latency": {typical(change, false), func(r *result) { r.wall = 8 * time.Second }},
	} {
		if err := missed([]result{test.result}); err != nil {
			t.Errorf("%s: a typical result misses: %v", words, err)
		}
		test.spoil(&test.result)
		if err := missed([]result{test.result}); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: the error is %v", words, err)
		}
	}
}
