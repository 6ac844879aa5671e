// Command bench measures the provider with the real CLI and a simulated account that has latency and FoneStorm's rate limit.
// It compares each operation with the same operation of a provider that does nothing (the floor), and fails if a target in
// report.go is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	stop()
	os.Exit(1)
}

// options are the command-line options.
type options struct {
	sizes   []int
	limits  []bool // Whether the account has a rate limit.
	latency time.Duration
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("n", "10,100,1000,10000,30000", "`numbers` of resources; more than 1000 are only planned, without a rate limit")
	limit := flags.String("limit", "both", "rate limit of the account, 10 requests per second: `on, off, or both`")
	flags.DurationVar(&o.latency, "latency", 50*time.Millisecond, "`duration` that the account takes for each response")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return o, fmt.Errorf("-n: %q is not a number of resources", text)
		}
		o.sizes = append(o.sizes, size)
	}
	limits, ok := map[string][]bool{"on": {true}, "off": {false}, "both": {false, true}}[*limit]
	if !ok {
		return o, fmt.Errorf("-limit: %q is not one of on, off, and both", *limit)
	}
	o.limits = limits
	return o, nil
}

// run measures, and prints a report in Markdown. It must run in the root of the repository.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	cli, err := terraformcli.Find(ctx, os.Stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // The kernel shows the provider's processes with resolved paths.
		return err
	}
	b := &bench{cli: cli.Path, dir: dir, provider: filepath.Join(dir, "provider"), floor: filepath.Join(dir, "floor")}
	binary, err := b.build(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	results, err := b.measureAll(ctx, o)
	if err != nil {
		return err
	}
	report, missed := evaluate(results, binary)
	fmt.Fprintf(stdout, "# Benchmark of %s\n\n- Machine: %s/%s, %d cores\n- CLI: %s; provider built with %s\n- Account: simulated, each response takes %s\n"+
		"- Command: `go run ./internal/cmd/bench %s`, which took %s\n\n%s\n%s", begun.UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), version(ctx, cli.Path),
		runtime.Version(), o.latency, strings.Join(args, " "), time.Since(begun).Round(time.Second), table(results), report)
	if missed > 0 {
		return fmt.Errorf("%d targets missed", missed)
	}
	return nil
}

// build compiles both providers and returns the size of ours in bytes.
func (b *bench) build(ctx context.Context) (int64, error) {
	if err := terraformcli.BuildProvider(ctx, ".", b.provider); err != nil {
		return 0, err
	}
	if err := terraformcli.BuildProvider(ctx, filepath.Join("internal", "cmd", "bench", "nothing"), b.floor); err != nil {
		return 0, err
	}
	binary, err := os.Stat(filepath.Join(b.provider, "terraform-provider-fractel"))
	if err != nil {
		return 0, err
	}
	return binary.Size(), nil
}

// version returns the first line of the output of the CLI's version command.
func version(ctx context.Context, cli string) string {
	command := exec.CommandContext(ctx, cli, "version")
	command.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	output, _ := command.Output()
	first, _, _ := strings.Cut(string(output), "\n")
	return first
}
