package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

const (
	requestLimit   = 10   // A second, of a standard account.
	largestApplied = 1000 // More resources than this are only planned: applying them takes too long.
)

// scenario is under which conditions operations are measured.
type scenario struct {
	size    int  // How many resources.
	limited bool // Whether the account has FoneStorm's limit, and the provider keeps to it.
	latency time.Duration
}

func (s scenario) limit() string {
	if s.limited {
		return fmt.Sprintf("%d/s", requestLimit)
	}
	return "none"
}

// result is what one operation cost.
type result struct {
	scenario
	operation operation
	wall      time.Duration
	requests  map[string]int // By kind, rejected ones included.
	rejected  int
	peak      int64 // Bytes of memory that the provider used at most; 0 when the system does not tell.

	floor     time.Duration // The same operation on terraform_data.
	planFloor time.Duration // The plan of the same operation on terraform_data, without applying it.
}

// bench is what all measurements share.
type bench struct {
	cli    string
	dir    string // Everything is below it.
	binary string // The provider.
}

// measureAll measures every size with and without limit, as asked for.
func (b *bench) measureAll(ctx context.Context, o options) ([]result, error) {
	var results []result
	for _, size := range o.sizes {
		for _, limited := range o.limits {
			measured, err := b.measureScenario(ctx, scenario{size: size, limited: limited, latency: o.latency})
			if err != nil {
				return nil, err
			}
			results = append(results, measured...)
		}
	}
	return results, nil
}

// measureScenario measures the operations on deliveries one after the other, each right after the same on terraform_data,
// so that the machine is as busy with other things for both.
func (b *bench) measureScenario(ctx context.Context, s scenario) ([]result, error) {
	options := simulator.Options{FoneNumbers: s.size, Latency: s.latency}
	env := []string{"FRACTEL_REQUESTS_PER_SECOND=100000"} // As much as the provider takes.
	if s.limited {
		options.RateLimit, options.RateWindow = requestLimit, simulator.SlidingWindow
		env = nil // The provider's own default is the limit.
	}
	account, err := simulator.New(options)
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(account)
	defer server.Close()
	workspace, err := b.workspace(server.URL, env...)
	if err != nil {
		return nil, err
	}
	floors, err := b.workspace("")
	if err != nil {
		return nil, err
	}
	if _, err := begin(ctx, floors, nothing, s.size); err != nil {
		return nil, err
	}
	operations, err := begin(ctx, workspace, delivery, s.size)
	if err != nil {
		return nil, err
	}
	if operations[0] != create {
		deliver(account, s.size)
	}
	var results []result
	for _, o := range operations {
		planFloor, floor, err := o.floors(ctx, floors, s.size)
		if err != nil {
			return nil, err
		}
		r, err := b.fastest(ctx, workspace, account, s, o)
		if err != nil {
			return nil, err
		}
		r.floor, r.planFloor = floor, planFloor
		progress("%s of %d, limit %s: %s, %d requests", o, s.size, s.limit(), seconds(r.wall.Seconds()), r.total())
		results = append(results, r)
	}
	return results, nil
}

// fastest measures an operation on deliveries and returns its fastest repetition: what else the machine does can only
// make it slower.
func (b *bench) fastest(ctx context.Context, workspace *terraformcli.Workspace, account *simulator.Simulator, s scenario, o operation) (result, error) {
	var fastest result
	for i := range o.repetitions(s.size) {
		r, err := b.measure(ctx, workspace, account, s, o)
		if err != nil {
			return r, err
		}
		if i == 0 || r.wall < fastest.wall {
			fastest = r
		}
	}
	return fastest, nil
}

// deliver sets what creating everything would have set.
func deliver(account *simulator.Simulator, size int) {
	for i := range size {
		f, _ := account.Get(number(i))
		f.Receive = f.Receive.Delivering("Email", value(i, 1))
		account.Put(f)
	}
}

// measure measures one operation, and checks that it did what it should.
func (b *bench) measure(ctx context.Context, workspace *terraformcli.Workspace, account *simulator.Simulator, s scenario, o operation) (result, error) {
	account.Forget()
	peak := watchMemory(b.binary)
	wall, err := o.perform(ctx, workspace, delivery, s.size)
	r := result{scenario: s, operation: o, wall: wall, peak: peak(), requests: make(map[string]int)}
	if err != nil {
		return r, err
	}
	for _, request := range account.Requests() {
		r.requests[request.Kind()]++
		if request.Status == http.StatusTooManyRequests {
			r.rejected++
		}
	}
	if violations := account.Violations(); len(violations) > 0 {
		return r, fmt.Errorf("%s: FoneStorm would have refused: %q", o, violations[0])
	}
	for i := range s.size {
		f, _ := account.Get(number(i))
		if got, want := f.Receive.Value(), value(i, o.revision()); got != want {
			return r, fmt.Errorf("%s: FoneNumber %s delivers to %q where %q was expected", o, f.Number, got, want)
		}
	}
	return r, nil
}

// workspace returns a new working directory that uses the account served at the URL.
func (b *bench) workspace(url string, env ...string) (*terraformcli.Workspace, error) {
	dir, err := os.MkdirTemp(b.dir, "workspace-")
	if err != nil {
		return nil, err
	}
	env = append(env, "FRACTEL_ENDPOINT="+url+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	return terraformcli.New(b.cli, dir, filepath.Dir(b.binary), env...)
}

// watchMemory samples how much memory processes of a program use, until the function it returns is called, which
// returns the most that one of them has used. The kernel keeps that mark, so that little is lost between samples.
func watchMemory(program string) (stop func() int64) {
	var peak int64
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				peak = max(peak, peakMemory(program))
			case <-done:
				return
			}
		}
	})
	return func() int64 {
		close(done)
		watching.Wait()
		return peak
	}
}

// peakMemory returns the most that a running process of the program has used, in bytes; 0 where there is no /proc.
func peakMemory(program string) (peak int64) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if running, _ := os.Readlink(link); running != program {
			continue
		}
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
		for line := range strings.Lines(string(status)) {
			var kib int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
				peak = max(peak, kib<<10)
			}
		}
	}
	return peak
}
