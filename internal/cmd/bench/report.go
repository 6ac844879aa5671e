package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"text/tabwriter"
)

// missed returns an error for each result that misses a target; nil if none does.
func missed(results []result) error {
	var problems []error
	for _, r := range results {
		sets, other := r.requests["set"], r.total()-r.requests["set"]
		waiting := float64(r.total()) * r.latency.Seconds() / 10 // Terraform works on ten resources at once.
		limited := 1.06*float64(r.total())/requestLimit + 3      // The client uses 95 % of the limit.
		for name, ok := range map[string]bool{
			"7 requests for a plan, or for each process of an apply": other <= 7*max(1, r.requests["login"]) && (r.operation != plan || r.total() <= 7),
			"a setting for each FoneNumber":                          r.operation == plan && sets == 0 || r.operation != plan && sets == r.size,
			"no rejected requests":                                   r.rejected == 0,
			"1.3 × floor, and the latency":                           r.limited || r.size < 1000 || r.wall.Seconds() <= 1.3*r.floor.Seconds()+waiting,
			"1.06 × requests/limit + 3 s":                            !r.limited || r.size < 1000 || r.operation == plan || r.wall.Seconds() <= limited,
			"128 MiB of memory":                                      r.size > 10_000 || r.peak <= 128<<20,
		} {
			if !ok {
				problems = append(problems, fmt.Errorf("%s of %d with limit %s misses the target: %s", r.operation, r.size, r.limit(), name))
			}
		}
	}
	return errors.Join(problems...)
}

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

// table returns the results as a Markdown table.
func table(results []result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| operation\t| N\t| limit\t| wall\t| floor\t| wall/floor\t| login\t| get\t| list\t| set\t| rejected\t| memory\t|")
	fmt.Fprintln(w, "| ---"+strings.Repeat("\t| --:", 11)+"\t|")
	for _, r := range results {
		fmt.Fprintf(w, "| %s\t| %d\t| %s\t| %.2f s\t| %.2f s\t| %.2f\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d MiB\t|\n", r.operation, r.size, r.limit(), r.wall.Seconds(), r.floor.Seconds(),
			r.wall.Seconds()/r.floor.Seconds(), r.requests["login"], r.requests["get"], r.requests["list"], r.requests["set"], r.rejected, r.peak>>20)
	}
	_ = w.Flush()
	return text.String()
}
