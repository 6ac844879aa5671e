package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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
	latency        = 50 * time.Millisecond // Of each response.
	largestApplied = 1000                  // With more resources, Terraform itself takes too long: it writes the whole state after each one.
)

// operation is what a command does to all resources of a configuration.
type operation struct {
	name     string
	args     []string
	revision int // Of the configuration, and so of the values that FoneStorm has afterward; 0 for none.
	repeat   int // Number of times it is measured.
}

var (
	plan       = operation{"no-change plan", []string{"plan", "-detailed-exitcode"}, 1, 3}
	operations = []operation{
		{"create all", []string{"apply", "-auto-approve"}, 1, 1},
		plan,
		{"change all", []string{"apply", "-auto-approve"}, 2, 1},
		{"destroy all", []string{"destroy", "-auto-approve"}, 0, 1},
	}
)

// result is the measurement of one operation.
type result struct {
	operation operation
	size      int // Number of resources.
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
	limit           int    // Requests per second that the account accepts; 0 for no limit.
}

// measureSize measures each operation with one number of resources.
func (b *bench) measureSize(ctx context.Context, size int) (results []result, err error) {
	account := simulator.New(simulator.Options{FoneNumbers: size, Latency: latency, RateLimit: b.limit})
	server := httptest.NewServer(account)
	defer server.Close()
	ours, err := b.workspace(b.provider, size, server.URL)
	if err != nil {
		return nil, err
	}
	floor, err := b.workspace(b.floor, size, server.URL)
	if err != nil {
		return nil, err
	}
	chosen := operations
	if size > largestApplied {
		chosen = []operation{plan}
		for i := range size {
			account.Put(simulator.FoneNumber{Number: number(i), Receive: simulator.Receive{Type: "Email", Email: value(i, plan.revision)}})
		}
	}
	for _, o := range chosen {
		r := result{operation: o, size: size, wall: math.MaxInt64, floor: math.MaxInt64}
		if err := b.measure(ctx, account, floor, ours, &r); err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "%s %s of %d: %.2f s, floor %.2f s\n", time.Now().Format(time.TimeOnly), o.name, size, r.wall.Seconds(), r.floor.Seconds())
		results = append(results, r)
	}
	return results, nil
}

// workspace returns a workspace for one of the two providers. If there are too many resources to apply, its state already has them.
func (b *bench) workspace(provider string, size int, url string) (*terraformcli.Workspace, error) {
	dir, err := os.MkdirTemp(b.dir, "workspace-")
	if err != nil {
		return nil, err
	}
	w, err := terraformcli.New(b.cli, dir, provider, "FRACTEL_ENDPOINT="+url+simulator.BasePath, "FRACTEL_USERNAME=demo",
		"FRACTEL_PASSWORD=demo-password", fmt.Sprint("FRACTEL_REQUESTS_PER_SECOND=", cmp.Or(b.limit, 100_000)))
	if err == nil && size > largestApplied {
		err = errors.Join(w.Write("main.tf", configuration(size, plan.revision)), w.Write("terraform.tfstate", state(size)))
	}
	return w, err
}

// measure measures an operation right after its floor, so that both run under the same load. Of several measurements the fastest
// counts, because other load on the machine can only slow them down.
func (b *bench) measure(ctx context.Context, account *simulator.Simulator, floors, ours *terraformcli.Workspace, r *result) error {
	for range r.operation.repeat {
		floor, err := perform(ctx, floors, r)
		if err != nil {
			return err
		}
		account.Forget()
		measuring, stop := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { r.peak = watchMemory(measuring, filepath.Join(b.provider, "terraform-provider-fractel")) })
		wall, err := perform(ctx, ours, r)
		stop()
		watching.Wait()
		if err != nil {
			return err
		}
		r.wall, r.floor = min(r.wall, wall), min(r.floor, floor)
	}
	return r.count(account)
}

// count counts the requests of an operation and checks its result.
func (r *result) count(account *simulator.Simulator) error {
	r.requests = make(map[string]int)
	for _, request := range account.Requests() {
		r.requests[request.Kind()]++
		if request.Rejected {
			r.rejected++
		}
	}
	for i := range r.size {
		f, _ := account.Get(number(i))
		if got, want := f.Receive.Value(), value(i, r.operation.revision); got != want {
			return fmt.Errorf("%s: FoneNumber %s delivers to %q instead of %q", r.operation.name, f.Number, got, want)
		}
	}
	return nil
}

// perform runs the CLI and returns how long it took.
func perform(ctx context.Context, w *terraformcli.Workspace, r *result) (time.Duration, error) {
	if r.operation.revision > 0 {
		if err := w.Write("main.tf", configuration(r.size, r.operation.revision)); err != nil {
			return 0, err
		}
	}
	begun := time.Now()
	output, exitCode, err := w.Run(ctx, append(r.operation.args, "-input=false", "-no-color")...)
	wall := time.Since(begun)
	if err == nil && exitCode != 0 {
		err = fmt.Errorf("%s of %d: exit code %d:\n%s", r.operation.name, r.size, exitCode, output[max(0, len(output)-2000):])
	}
	return wall, err
}

// watchMemory samples the memory of a program's processes until the context ends, and returns the highest peak of a process in bytes;
// 0 if there is no /proc. The kernel records the peaks, so little is lost between samples.
func watchMemory(ctx context.Context, program string) (peak int64) {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, link := range links {
			if running, _ := os.Readlink(link); running != program {
				continue
			}
			status, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "status"))
			var kib int64
			if _, line, found := strings.Cut(string(status), "VmHWM:"); found {
				_, _ = fmt.Sscan(line, &kib)
			}
			peak = max(peak, kib<<10)
		}
	}
	return peak
}
