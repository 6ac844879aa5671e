package main

import (
	"context"
	"errors"
	"fmt"
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

// commands contains the CLI's command for each operation, and the revision of the values that FoneStorm has afterward; 0 for none.
var commands = map[operation]struct {
	args     []string
	revision int
}{
	create:  {[]string{"apply", "-auto-approve"}, 1},
	plan:    {[]string{"plan", "-detailed-exitcode"}, 1},
	change:  {[]string{"apply", "-auto-approve"}, 2},
	destroy: {[]string{"destroy", "-auto-approve"}, 0},
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
	latency         time.Duration
}

// measureSize measures each operation with one number of resources, without and with the rate limit.
func (b *bench) measureSize(ctx context.Context, size int) (results []result, err error) {
	for _, limited := range []bool{false, true} {
		operations := []operation{create, plan, change, destroy}
		if size > largestApplied {
			operations = []operation{plan}
			if limited {
				continue
			}
		}
		account, ours, floors, stop, err := b.scenario(size, limited)
		if err != nil {
			return nil, err
		}
		for _, o := range operations {
			r := result{operation: o, size: size, limited: limited, latency: b.latency}
			if err := b.measure(ctx, account, floors, ours, &r); err != nil {
				stop()
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "%s %s of %d: %.2f s, floor %.2f s\n", time.Now().Format(time.TimeOnly), o, size, r.wall.Seconds(), r.floor.Seconds())
			results = append(results, r)
		}
		stop()
	}
	return results, nil
}

// scenario returns an account, and a workspace for each of the two providers. If there are too many resources to apply, the
// account and the states already have them.
func (b *bench) scenario(size int, limited bool) (account *simulator.Simulator, ours, floors *terraformcli.Workspace, stop func(), err error) {
	options := simulator.Options{FoneNumbers: size, Latency: b.latency}
	env := []string{"FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password"}
	if limited {
		options.RateLimit = requestLimit // Which is also the provider's default.
	} else {
		env = append(env, "FRACTEL_REQUESTS_PER_SECOND=100000")
	}
	if account, err = simulator.New(options); err != nil {
		return nil, nil, nil, nil, err
	}
	server := httptest.NewServer(account)
	env = append(env, "FRACTEL_ENDPOINT="+server.URL+simulator.BasePath)
	var workspaces []*terraformcli.Workspace
	for _, provider := range []string{b.provider, b.floor} {
		dir, dirErr := os.MkdirTemp(b.dir, "workspace-")
		w, newErr := terraformcli.New(b.cli, dir, provider, env...)
		if err = errors.Join(dirErr, newErr); err == nil && size > largestApplied {
			err = errors.Join(w.Write("main.tf", configuration(size, 1)), w.Write("terraform.tfstate", state(size)))
		}
		if err != nil {
			server.Close()
			return nil, nil, nil, nil, err
		}
		workspaces = append(workspaces, w)
	}
	for i := 0; size > largestApplied && i < size; i++ {
		f, _ := account.Get(number(i))
		f.Receive = f.Receive.Delivering("Email", value(i, 1))
		account.Put(f)
	}
	return account, workspaces[0], workspaces[1], server.Close, nil
}

// measure measures an operation right after its floor, so that both run under the same load: plans three times, of which the
// fastest counts, because other load on the machine can only slow them down.
func (b *bench) measure(ctx context.Context, account *simulator.Simulator, floors, ours *terraformcli.Workspace, r *result) error {
	times := map[operation]int{plan: 3}[r.operation]
	for i := range max(1, times) {
		floor, err := perform(ctx, floors, r)
		if err != nil {
			return err
		}
		account.Forget()
		stop := watchMemory(filepath.Join(b.provider, "terraform-provider-fractel"))
		wall, err := perform(ctx, ours, r)
		r.peak = stop()
		if err != nil {
			return err
		}
		if i == 0 || wall < r.wall {
			r.wall = wall
		}
		if i == 0 || floor < r.floor {
			r.floor = floor
		}
	}
	return r.count(account)
}

// count counts the requests of an operation and checks its result.
func (r *result) count(account *simulator.Simulator) error {
	r.requests = make(map[string]int)
	for _, request := range account.Requests() {
		r.requests[request.Kind()]++
		if strings.Contains(request.Reason, "Rate Limit") {
			r.rejected++
		}
	}
	for i := range r.size {
		f, _ := account.Get(number(i))
		if got, want := f.Receive.Value(), value(i, commands[r.operation].revision); got != want {
			return fmt.Errorf("%s: FoneNumber %s delivers to %q instead of %q", r.operation, f.Number, got, want)
		}
	}
	return nil
}

// perform runs the CLI and returns how long it took.
func perform(ctx context.Context, w *terraformcli.Workspace, r *result) (time.Duration, error) {
	if r.operation == create || r.operation == change {
		if err := w.Write("main.tf", configuration(r.size, commands[r.operation].revision)); err != nil {
			return 0, err
		}
	}
	begun := time.Now()
	output, exitCode, err := w.Run(ctx, append(commands[r.operation].args, "-input=false", "-no-color")...)
	wall := time.Since(begun)
	if err == nil && exitCode != 0 {
		err = fmt.Errorf("%s of %d: exit code %d:\n%s", r.operation, r.size, exitCode, output[max(0, len(output)-2000):])
	}
	return wall, err
}

// watchMemory samples the memory of a program's processes until the returned function is called, which returns the highest peak
// of a process in bytes. The kernel records the peaks, so little is lost between samples.
func watchMemory(program string) (stop func() int64) {
	var peak int64
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-time.After(50 * time.Millisecond):
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

// peakMemory returns the highest peak of the program's running processes in bytes; 0 if there is no /proc.
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
