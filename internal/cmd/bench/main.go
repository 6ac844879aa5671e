// Command bench measures the provider with the real CLI and a simulated account that has latency and, for up to 1000 resources,
// FoneStorm's rate limit. It compares each operation with the same operation of a provider that does nothing (the floor), and
// fails if a target in report.go is missed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
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
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run measures, and prints a report in Markdown. It must run in the root of the repository.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("n", "10,100,1000,10000", "`numbers` of resources; more than 1000 are only planned, without a rate limit")
	latency := flags.Duration("latency", 50*time.Millisecond, "`duration` that the account takes for each response")
	if err := flags.Parse(args); err != nil {
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
	b := &bench{cli: cli.Path, dir: dir, latency: *latency, provider: filepath.Join(dir, "provider"), floor: filepath.Join(dir, "floor")}
	if err := errors.Join(terraformcli.BuildProvider(ctx, ".", b.provider),
		terraformcli.BuildProvider(ctx, filepath.Join("internal", "cmd", "bench", "nothing"), b.floor)); err != nil {
		return err
	}
	begun := time.Now()
	var results []result
	for text := range strings.SplitSeq(*sizes, ",") {
		size, err := strconv.Atoi(text)
		if err != nil || size < 1 {
			return fmt.Errorf("-n: %q is not a number of resources", text)
		}
		measured, err := b.measureSize(ctx, size)
		if err != nil {
			return err
		}
		results = append(results, measured...)
	}
	fmt.Fprintf(stdout, "# Benchmark of %s\n\n- Machine: %s/%s, %d cores\n- CLI: %s; provider built with %s\n- Account: simulated, each response takes %s\n"+
		"- Command: `go run ./internal/cmd/bench %s`, which took %s\n\n%s\n", begun.UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		cli.Product(), runtime.Version(), *latency, strings.Join(args, " "), time.Since(begun).Round(time.Second), table(results))
	return missed(results)
}
