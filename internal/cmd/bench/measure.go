package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	requestLimit   = 10   // Requests per second of a standard account.
	largestApplied = 1000 // With more resources, Terraform itself takes too long: it writes the whole state after each one.
)

// operation is what a command does to all resources of a configuration.
type operation string

const (
	create  operation = "create all"
	plan    operation = "no-change plan"
	change  operation = "change all"
	destroy operation = "destroy all"
)

// commands contains the CLI arguments of each operation, and the revision of the values that FoneStorm has afterward; 0 for
// none.
var commands = map[operation]struct {
	args     []string
	revision int
}{
	create:  {[]string{"apply", "-auto-approve", "-input=false", "-no-color"}, 1},
	plan:    {[]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, 1},
	change:  {[]string{"apply", "-auto-approve", "-input=false", "-no-color"}, 2},
	destroy: {[]string{"destroy", "-auto-approve", "-input=false", "-no-color"}, 0},
}

// result is the measurement of one operation.
type result struct {
	operation operation
	size      int // Number of resources.
	limited   bool
	latency   time.Duration
	wall      time.Duration
	floor     time.Duration  // The same operation of the provider that does nothing.
	requests  map[string]int // By kind, including rejected ones.
	rejected  int
	peak      int64 // Maximum memory of a provider process in bytes; 0 if the system does not report it.
}

// bench is what all measurements share.
type bench struct {
	cli             string
	dir             string // Contains everything that bench writes.
	provider, floor string // Directories of the two providers.
}

func (b *bench) measureAll(ctx context.Context, o options) (results []result, err error) {
	for _, size := range o.sizes {
		for _, limited := range o.limits {
			if size > largestApplied && limited && len(o.limits) > 1 {
				continue
			}
			measured, err := b.measureSize(ctx, result{size: size, limited: limited, latency: o.latency})
			if err != nil {
				return nil, err
			}
			results = append(results, measured...)
		}
	}
	return results, nil
}

// measureSize measures each operation with one number of resources.
func (b *bench) measureSize(ctx context.Context, scenario result) (results []result, err error) {
	options := simulator.Options{FoneNumbers: scenario.size, Latency: scenario.latency}
	env := []string{"FRACTEL_REQUESTS_PER_SECOND=100000"}
	if scenario.limited {
		options.RateLimit = requestLimit
		env = nil // The provider's default equals the limit.
	}
	account, err := simulator.New(options)
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(account)
	defer server.Close()
	env = append(env, "FRACTEL_ENDPOINT="+server.URL+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	ours, err := b.newWorkspace(b.provider, scenario.size, env...)
	if err != nil {
		return nil, err
	}
	floors, err := b.newWorkspace(b.floor, scenario.size)
	if err != nil {
		return nil, err
	}
	operations := []operation{create, plan, change, destroy}
	if scenario.size > largestApplied {
		operations = []operation{plan}
		deliver(account, scenario.size)
	}
	for _, o := range operations {
		scenario.operation = o
		best, err := measure(ctx, account, floors, ours, scenario)
		for i := 1; i < repetitions(o, scenario.size) && err == nil; i++ {
			var again result
			again, err = measure(ctx, account, floors, ours, scenario)
			again.wall, again.floor = min(again.wall, best.wall), min(again.floor, best.floor)
			best = again
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "%s %s of %d: %.2f s, floor %.2f s\n", time.Now().Format(time.TimeOnly), o, best.size, best.wall.Seconds(), best.floor.Seconds())
		results = append(results, best)
	}
	return results, nil
}

// repetitions returns how many times to measure an operation. The fastest one counts, because other load on the machine can
// only slow it down.
func repetitions(o operation, size int) int {
	switch {
	case o == plan && size <= largestApplied:
		return 3
	case o == plan:
		return 2
	}
	return 1
}

// measure measures an operation once, right after its floor, so that both run under the same load.
func measure(ctx context.Context, account *simulator.Simulator, floors, ours workspace, r result) (_ result, err error) {
	if r.floor, err = floors.perform(ctx, r.operation); err != nil {
		return r, err
	}
	account.Forget()
	stop := watchMemory(ours.binary)
	r.wall, err = ours.perform(ctx, r.operation)
	r.peak = stop()
	if err != nil {
		return r, err
	}
	return r, r.count(account)
}

// count counts the requests of an operation and checks its result.
func (r *result) count(account *simulator.Simulator) error {
	r.requests = make(map[string]int)
	for _, request := range account.Requests() {
		r.requests[request.Kind()]++
		if request.Status == http.StatusTooManyRequests {
			r.rejected++
		}
	}
	if violations := account.Violations(); len(violations) > 0 {
		return fmt.Errorf("%s: FoneStorm would have rejected a request: %q", r.operation, violations[0])
	}
	for i := range r.size {
		f, _ := account.Get(number(i))
		if got, want := f.Receive.Value(), value(i, commands[r.operation].revision); got != want {
			return fmt.Errorf("%s: FoneNumber %s delivers to %q instead of %q", r.operation, f.Number, got, want)
		}
	}
	return nil
}
