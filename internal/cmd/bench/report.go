package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func (r result) total() (n int) {
	for count := range maps.Values(r.requests) {
		n += count
	}
	return n
}

// others are the requests that change nothing.
func (r result) others() int { return r.total() - r.requests["set"] }

// paced is how long the limit makes the requests take.
func (r result) paced() time.Duration {
	if !r.limited {
		return 0
	}
	return time.Duration(r.total()) * time.Second / requestLimit
}

// bound is what the operation cannot be faster than.
func (r result) bound() time.Duration { return max(r.floor, r.paced()) }

func (r result) applies() bool { return r.operation != plan }

// target is something that results must not exceed.
type target struct {
	name string
	unit func(float64) string
	// judge returns what was measured and what is allowed, and whether the target is about such a result at all.
	judge func(r result) (measured, allowed float64, about bool)
}

const mib = 1 << 20

var targets = []target{
	{"no-change plan: requests, for any N", count, func(r result) (float64, float64, bool) {
		return float64(r.total()), 7, r.operation == plan
	}},
	{"create, change, destroy: set requests more or less than N", count, func(r result) (float64, float64, bool) {
		sets := r.requests["set"]
		return float64(max(sets-r.size, r.size-sets)), 0, r.applies()
	}},
	// An apply is two runs of the provider, one that plans and one that applies. Each logs in.
	{"create, change, destroy: other requests, 7 for each run of the provider and one for each 30 s", count, func(r result) (float64, float64, bool) {
		return float64(r.others()), float64(7*r.requests["login"]) + float64(r.wall/(30*time.Second)), r.applies()
	}},
	{"rejected requests at the limit", count, func(r result) (float64, float64, bool) {
		return float64(r.rejected), 0, r.limited
	}},
	{"create, change, destroy of 1000 at the limit: 1.05 × requests/limit + floor of its plan", seconds, func(r result) (float64, float64, bool) {
		return r.wall.Seconds(), 1.05*r.paced().Seconds() + r.planFloor.Seconds(), r.applies() && r.size == 1000 && r.limited
	}},
	{"create, change, destroy of 1000 without limit: 1.5 × floor + N × latency/10", seconds, func(r result) (float64, float64, bool) {
		waiting := time.Duration(r.size) * r.latency / 10 // The CLI works on ten resources at once.
		return r.wall.Seconds(), 1.5*r.floor.Seconds() + waiting.Seconds(), r.applies() && r.size == 1000 && !r.limited
	}},
	{"no-change plan of 1000: 1.3 × floor + 2 s", seconds, func(r result) (float64, float64, bool) {
		return r.wall.Seconds(), 1.3*r.floor.Seconds() + 2, r.operation == plan && r.size == 1000
	}},
	{"peak memory of the provider at N = 10000", bytes, func(r result) (float64, float64, bool) {
		return float64(r.peak), 128 * mib, r.size == 10000 && r.peak > 0
	}},
}

// verdict says whether a target was met.
type verdict struct {
	target string
	missed bool
	detail []string // What was measured and what is allowed, where.
}

// verdicts judges the results, and the size of the provider's binary in bytes. Targets that are about none of the
// results get no verdict.
func verdicts(results []result, binary int64) []verdict {
	var judged []verdict
	for _, t := range targets {
		if v, about := t.verdict(results); about {
			judged = append(judged, v)
		}
	}
	const allowed = 25 * mib
	return append(judged, verdict{
		target: "size of the stripped binary",
		missed: binary > allowed,
		detail: []string{fmt.Sprintf("%s, allowed %s", bytes(float64(binary)), bytes(allowed))},
	})
}

// verdict names the results that miss the target, or else the one that comes closest to it.
func (t target) verdict(results []result) (v verdict, about bool) {
	v.target = t.name
	var missing []string
	least := 0.0
	for _, r := range results {
		measured, allowed, applies := t.judge(r)
		if !applies {
			continue
		}
		detail := fmt.Sprintf("%s, allowed %s (%s, N = %d, limit %s)", t.unit(measured), t.unit(allowed), r.operation, r.size, r.limit())
		if measured > allowed {
			missing = append(missing, detail)
		}
		if room := allowed - measured; !about || room < least {
			least, v.detail = room, []string{detail}
		}
		about = true
	}
	if len(missing) > 0 {
		v.missed, v.detail = true, missing
	}
	return v, about
}

func countMissed(judged []verdict) (n int) {
	for _, v := range judged {
		if v.missed {
			n++
		}
	}
	return n
}

// list shows the verdicts as a Markdown list.
func list(judged []verdict) string {
	var text strings.Builder
	for _, v := range judged {
		word := "PASS"
		if v.missed {
			word = "MISS"
		}
		fmt.Fprintf(&text, "- %s %s\n  - %s\n", word, v.target, strings.Join(v.detail, "\n  - "))
	}
	return text.String()
}

// table shows the results as a Markdown table that can be read as text, too.
func table(results []result) string {
	rows := [][]string{
		{"operation", "N", "limit", "wall", "login", "get", "list", "set", "rejected", "memory", "floor", "bound", "wall/bound"},
	}
	for _, r := range results {
		memory := "n/a"
		if r.peak > 0 {
			memory = bytes(float64(r.peak))
		}
		rows = append(rows, []string{
			string(r.operation), fmt.Sprint(r.size), r.limit(), seconds(r.wall.Seconds()),
			fmt.Sprint(r.requests["login"]), fmt.Sprint(r.requests["get"]), fmt.Sprint(r.requests["list"]), fmt.Sprint(r.requests["set"]),
			fmt.Sprint(r.rejected), memory,
			seconds(r.floor.Seconds()), seconds(r.bound().Seconds()), fmt.Sprintf("%.2f", r.wall.Seconds()/r.bound().Seconds()),
		})
	}
	return markdown(rows)
}

// markdown aligns rows, the first of which is the heading.
func markdown(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width-1) + ":" // To the right, as numbers are.
	}
	rule[0] = strings.Repeat("-", widths[0])
	var text strings.Builder
	for _, row := range slices.Insert(rows, 1, rule) {
		for i, cell := range row {
			if i == 0 {
				fmt.Fprintf(&text, "| %-*s |", widths[i], cell)
			} else {
				fmt.Fprintf(&text, " %*s |", widths[i], cell)
			}
		}
		text.WriteString("\n")
	}
	return text.String()
}

func count(n float64) string   { return fmt.Sprintf("%.0f", n) }
func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }
func bytes(n float64) string   { return fmt.Sprintf("%.1f MiB", n/mib) }
