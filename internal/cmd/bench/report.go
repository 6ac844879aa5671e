package main

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"text/tabwriter"
	"time"
)

const mib = 1 << 20

// total returns the number of requests.
func (r result) total() (n int) {
	for count := range maps.Values(r.requests) {
		n += count
	}
	return n
}

func (r result) limit() string {
	if r.limited {
		return fmt.Sprintf("%d/s", requestLimit)
	}
	return "none"
}

// target is a limit for results.
type target struct {
	name, unit string
	// compare returns the measured and the allowed value, and whether the target applies to the result.
	compare func(r result) (measured, allowed float64, applies bool)
}

var targets = []target{
	{"no-change plan: requests, for any N", "", func(r result) (float64, float64, bool) {
		return float64(r.total()), 7, r.operation == plan
	}},
	{"create, change, destroy: settings more or less than N", "", func(r result) (float64, float64, bool) {
		return math.Abs(float64(r.requests["set"] - r.size)), 0, r.applies()
	}},
	// An apply runs two provider processes, one to plan and one to apply. Each logs in.
	{"create, change, destroy: other requests, 7 for each provider process", "", func(r result) (float64, float64, bool) {
		return float64(r.total() - r.requests["set"]), float64(7 * r.requests["login"]), r.applies()
	}},
	{"requests rejected at the limit", "", func(r result) (float64, float64, bool) {
		return float64(r.rejected), 0, r.limited
	}},
	{"create, change, destroy of 1000 at the limit: 1.05 × requests/limit + 3 s", " s", func(r result) (float64, float64, bool) {
		return r.wall.Seconds(), 1.05*float64(r.total())/requestLimit + 3, r.applies() && r.size == 1000 && r.limited
	}},
	{"create, change, destroy of 1000 without limit: 1.3 × floor + N × latency/10", " s", func(r result) (float64, float64, bool) {
		waiting := time.Duration(r.size) * r.latency / 10 // Terraform works on ten resources at once.
		return r.wall.Seconds(), 1.3*r.floor.Seconds() + waiting.Seconds(), r.applies() && r.size == 1000 && !r.limited
	}},
	{"no-change plan of 1000 and more: 1.3 × floor", " s", func(r result) (float64, float64, bool) {
		return r.wall.Seconds(), 1.3 * r.floor.Seconds(), r.operation == plan && r.size >= 1000 && !r.limited
	}},
	{"memory of the provider at N = 10000", " MiB", func(r result) (float64, float64, bool) {
		return r.memory(), 128, r.size == 10000 && r.peak > 0
	}},
}

func (r result) applies() bool   { return r.operation != plan }
func (r result) memory() float64 { return float64(r.peak) / mib }

// evaluate returns a Markdown list of the targets, and the number of missed ones. For a missed target, the list contains the
// results that missed it; for others, the result that came closest. Targets that apply to no result are omitted.
func evaluate(results []result, binary int64) (report string, missed int) {
	var text strings.Builder
	for _, t := range targets {
		line, misses, applies := t.evaluate(results)
		if applies {
			text.WriteString(line)
			missed += misses
		}
	}
	const allowed = 25 * mib
	word := "PASS"
	if binary > allowed {
		word = "MISS"
		missed++
	}
	fmt.Fprintf(&text, "- %s size of the stripped binary\n  - %.1f MiB, allowed %d MiB\n", word, float64(binary)/mib, allowed/mib)
	return text.String(), missed
}

func (t target) evaluate(results []result) (line string, missed int, applies bool) {
	var missing []string
	var closest string
	least := 0.0
	for _, r := range results {
		measured, allowed, ok := t.compare(r)
		if !ok {
			continue
		}
		detail := fmt.Sprintf("\n  - %.4g%s, allowed %.4g%s (%s, N = %d, limit %s)", measured, t.unit, allowed, t.unit, r.operation, r.size, r.limit())
		if measured > allowed {
			missing = append(missing, detail)
		}
		if room := allowed - measured; !applies || room < least {
			least, closest = room, detail
		}
		applies = true
	}
	if len(missing) > 0 {
		return fmt.Sprintf("- MISS %s%s\n", t.name, strings.Join(missing, "")), 1, applies
	}
	return fmt.Sprintf("- PASS %s%s\n", t.name, closest), 0, applies
}

// table returns the results as a Markdown table.
func table(results []result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| operation\t| N\t| limit\t| wall\t| floor\t| wall/floor\t| login\t| get\t| list\t| set\t| rejected\t| memory\t|")
	fmt.Fprintln(w, "| ---"+strings.Repeat("\t| --:", 11)+"\t|")
	for _, r := range results {
		fmt.Fprintf(w, "| %s\t| %d\t| %s\t| %.2f s\t| %.2f s\t| %.2f\t| %d\t| %d\t| %d\t| %d\t| %d\t| %.0f MiB\t|\n", r.operation, r.size, r.limit(), r.wall.Seconds(), r.floor.Seconds(),
			r.wall.Seconds()/r.floor.Seconds(), r.requests["login"], r.requests["get"], r.requests["list"], r.requests["set"], r.rejected, r.memory())
	}
	_ = w.Flush()
	return text.String()
}
