// Command bench measures the provider with the real CLI and a simulated account that has latency and FoneStorm's rate limit. It
// compares each operation with the same operation of a provider that does nothing (the floor).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

const (
	latency        = 50 * time.Millisecond // Of each response.
	largestApplied = 1000                  // With more resources, Terraform itself takes too long: it writes the whole state after each one.
)

func main() {
	sizes := flag.String("n", "10,100,1000,10000", "`numbers` of resources; more than 1000 are only planned")
	limit := flag.Int("limit", 10, "`requests` that the account accepts in any second")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *sizes, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// titles are above the rows that measureSize prints.
const titles = `
| operation      |     N |     wall |    floor | wall/floor | login | get | list |  set | rejected |  memory |
| -------------- | ----: | -------: | -------: | ---------: | ----: | --: | ---: | ---: | -------: | ------: |
`

// run measures, and prints a report in Markdown. It must run in the root of the repository.
func run(ctx context.Context, sizes string, limit int) error {
	cli, err := terraformcli.Find(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	b := &bench{cli: cli.Path, limit: limit, dir: dir, provider: filepath.Join(dir, "provider"), floor: filepath.Join(dir, "floor")}
	b.charts = make(map[string]chart)
	if err := errors.Join(terraformcli.BuildProvider(ctx, ".", b.provider),
		terraformcli.BuildProvider(ctx, filepath.Join("internal", "cmd", "bench", "nothing"), b.floor)); err != nil {
		return err
	}
	begun := time.Now()
	fmt.Printf("# Benchmark of %s\n\n", begun.UTC().Format(time.DateOnly))
	fmt.Printf("- Machine: %s/%s, %d cores\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Printf("- CLI: %s; provider built with %s\n", cli, runtime.Version())
	fmt.Printf("- Account: simulated, each response takes %s, limit of %d requests per second\n", latency, limit)
	fmt.Printf("- Command: `go run ./internal/cmd/bench %s`\n%s", strings.Join(os.Args[1:], " "), titles)
	for text := range strings.SplitSeq(sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return fmt.Errorf("-n: %q is not a number of resources", text)
		}
		if err := b.measureSize(ctx, size); err != nil {
			return err
		}
	}
	fmt.Printf("\nThis took %s.\n\n%s\n%s", time.Since(begun).Round(time.Second), b.chart("create all"), b.chart(plan.name))
	return nil
}

// operation is what a command does to all resources of a configuration.
type operation struct {
	name     string
	args     []string
	revision int // Of the configuration.
}

var (
	plan       = operation{"no-change plan", []string{"plan", "-detailed-exitcode"}, 1}
	operations = []operation{
		{"create all", []string{"apply", "-auto-approve"}, 1},
		plan,
		{"change all", []string{"apply", "-auto-approve"}, 2},
		{"destroy all", []string{"destroy", "-auto-approve"}, 2},
	}
)

// bench is what all measurements share.
type bench struct {
	cli             string
	limit           int              // Requests per second that the account accepts.
	dir             string           // Contains everything that bench writes.
	provider, floor string           // Directories of the two providers.
	charts          map[string]chart // By operation.
}

// chart contains what the chart of an operation shows for each number of resources.
type chart struct{ sizes, walls, minimums []string }

// measureSize measures each operation with one number of resources, right after its floor, so that both run under the same load. It
// prints a row of the table for each.
func (b *bench) measureSize(ctx context.Context, size int) error {
	account := simulator.New(simulator.Options{FoneNumbers: size, Latency: latency, RateLimit: b.limit})
	server := httptest.NewServer(account)
	defer server.Close()
	ours, errOurs := b.workspace(b.provider, server.URL)
	theirs, errTheirs := b.workspace(b.floor, server.URL)
	if err := errors.Join(errOurs, errTheirs); err != nil {
		return err
	}
	chosen := operations
	if size > largestApplied {
		chosen = []operation{plan}
		for i := range size {
			account.Put(simulator.FoneNumber{Number: number(i), Receive: simulator.Receive{Type: "Email", Email: value(i, plan.revision)}})
		}
		if err := errors.Join(ours.Write("terraform.tfstate", state(size)), theirs.Write("terraform.tfstate", state(size))); err != nil {
			return err
		}
	}
	for _, o := range chosen {
		floor, _, err := perform(ctx, theirs, o, size)
		if err != nil {
			return err
		}
		account.Forget()
		wall, peak, err := perform(ctx, ours, o, size)
		if err != nil {
			return err
		}
		requests := make(map[string]int)
		for _, request := range account.Requests() {
			requests[request.Kind()]++
			if request.Rejected {
				requests["rejected"]++
			}
		}
		limited := float64(len(account.Requests())) / float64(b.limit)
		c := b.charts[o.name]
		c.sizes = append(c.sizes, fmt.Sprint(size))
		c.walls = append(c.walls, fmt.Sprintf("%.2f", wall))
		c.minimums = append(c.minimums, fmt.Sprintf("%.2f", max(floor, limited)))
		b.charts[o.name] = c
		fmt.Printf("| %-14s | %5d | %6.2f s | %6.2f s | %10.2f | %5d | %3d | %4d | %4d | %8d | %3d MiB |\n", o.name, size, wall, floor, wall/floor,
			requests["login"], requests["get"], requests["list"], requests["set"], requests["rejected"], peak>>20)
	}
	return nil
}

// workspace returns a workspace for one of the two providers.
func (b *bench) workspace(provider, url string) (*terraformcli.Workspace, error) {
	dir, err := os.MkdirTemp(b.dir, "workspace-")
	if err != nil {
		return nil, err
	}
	return terraformcli.New(b.cli, dir, provider, "FRACTEL_ENDPOINT="+url+simulator.BasePath, "FRACTEL_USERNAME=demo",
		"FRACTEL_PASSWORD=demo-password", fmt.Sprint("FRACTEL_REQUESTS_PER_SECOND=", b.limit))
}

// perform runs the CLI. It returns how many seconds it took, and the maximum memory of a provider process in bytes.
func perform(ctx context.Context, w *terraformcli.Workspace, o operation, size int) (seconds float64, peak int64, err error) {
	if err := w.Write("main.tf", configuration(size, o.revision)); err != nil {
		return 0, 0, err
	}
	measuring, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { peak = watchMemory(measuring) })
	begun := time.Now()
	_, err = w.Run(ctx, 0, append(o.args, "-input=false", "-no-color")...)
	seconds = time.Since(begun).Seconds()
	stop()
	watching.Wait()
	return seconds, peak, err
}

// watchMemory samples the memory of provider processes until the context ends, and returns the highest peak of a process in bytes;
// 0 if there is no /proc. The kernel records the peaks, so little is lost between samples.
func watchMemory(ctx context.Context) (peak int64) {
	for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		links, _ := filepath.Glob("/proc/[0-9]*/exe")
		for _, link := range links {
			if program, _ := os.Readlink(link); filepath.Base(program) != "terraform-provider-fractel" {
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

// configuration returns a configuration with a resource for each FoneNumber. Terraform is slow to expand for_each.
func configuration(size, revision int) string {
	var text strings.Builder
	text.WriteString(terraformcli.Requirement)
	for i := range size {
		fmt.Fprintf(&text, "resource \"fractel_fonenumber_delivery\" \"n%s\" {\n  fonenumber = %[1]q\n  type = \"Email\"\n  value = %q\n}\n",
			number(i), value(i, revision))
	}
	return text.String()
}

// state returns the state of a configuration with a resource for each FoneNumber, without private state, which the first
// refresh adds.
func state(size int) string {
	resources := make([]string, size)
	for i := range resources {
		resources[i] = fmt.Sprintf(`{"mode": "managed", "type": "fractel_fonenumber_delivery", "name": "n%s",
			"provider": "provider[\"registry.terraform.io/fractel/fractel\"]", "instances": [{"schema_version": 0,
			"attributes": {"fonenumber": %[1]q, "type": "Email", "value": %q, "on_destroy": "disable"}}]}`, number(i), value(i, plan.revision))
	}
	return fmt.Sprintf(`{"version": 4, "serial": 1, "lineage": "bench", "resources": [%s]}`, strings.Join(resources, ",\n"))
}

// number returns a FoneNumber of the simulated account.
func number(i int) string { return fmt.Sprint(3215550000 + i) }

// value returns the destination of that FoneNumber in a revision of the configuration.
func value(i, revision int) string {
	return fmt.Sprintf("person-%d@revision-%d.example.com", i, revision)
}

// chart returns a chart of an operation in the language of Mermaid, which GitHub draws. The minimum is what the account's limit or
// Terraform itself requires, whichever is longer.
func (b *bench) chart(operation string) string {
	c := b.charts[operation]
	return fmt.Sprintf("```mermaid\n"+`%%%%{init: {"xyChart": {"height": 300}, "themeVariables": {"xyChart": {"plotColorPalette": "#0969da, #bc4c00"}}}}%%%%
xychart-beta
  title %q
  x-axis "FoneNumbers" [%s]
  y-axis "seconds"
  bar "this provider" [%s]
  line "minimum" [%s]
`+"```\n", operation, strings.Join(c.sizes, ", "), strings.Join(c.walls, ", "), strings.Join(c.minimums, ", "))
}
