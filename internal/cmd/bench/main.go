// Command bench measures the provider with the real CLI and a simulated account that has latency and FoneStorm's rate limit. It
// compares each operation with the same operation of a provider that does nothing (the floor).
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
	"text/tabwriter"
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
	sizes := flags.String("n", "10,100,1000,10000", "`numbers` of resources; more than 1000 are only planned")
	limit := flags.Int("limit", 10, "`requests` that the account accepts in any second; 0 for no limit")
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
	b := &bench{cli: cli.Path, dir: dir, limit: *limit, provider: filepath.Join(dir, "provider"), floor: filepath.Join(dir, "floor")}
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
	fmt.Fprintf(stdout, "# Benchmark of %s\n\n- Machine: %s/%s, %d cores\n- CLI: %s; provider built with %s\n- Account: simulated, each response takes %s, limit of %d requests per second (0: none)\n"+
		"- Command: `go run ./internal/cmd/bench %s`, which took %s\n\n%s\n", begun.UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		cli.Product(), runtime.Version(), latency, *limit, strings.Join(args, " "), time.Since(begun).Round(time.Second), table(results))
	return nil
}

// table returns the results as a Markdown table.
func table(results []result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| operation\t| N\t| wall\t| floor\t| wall/floor\t| login\t| get\t| list\t| set\t| rejected\t| memory\t|")
	fmt.Fprintln(w, "| ---"+strings.Repeat("\t| --:", 10)+"\t|")
	for _, r := range results {
		fmt.Fprintf(w, "| %s\t| %d\t| %.2f s\t| %.2f s\t| %.2f\t| %d\t| %d\t| %d\t| %d\t| %d\t| %d MiB\t|\n", r.operation.name, r.size, r.wall.Seconds(), r.floor.Seconds(),
			r.wall.Seconds()/r.floor.Seconds(), r.requests["login"], r.requests["get"], r.requests["list"], r.requests["set"], r.rejected, r.peak>>20)
	}
	_ = w.Flush()
	return text.String()
}
