// Command bench measures the provider with the real CLI and a simulated account that has latency and FoneStorm's rate limit. It
// compares each operation with the same operation of a provider that does nothing (the floor).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
	sizes := flag.String("n", "10,100,1000,10000", "`numbers` of resources; more than 1000 are only planned")
	limit := flag.Int("limit", 10, "`requests` that the account accepts in any second; 0 for no limit")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *sizes, *limit); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

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
	if err := errors.Join(terraformcli.BuildProvider(ctx, ".", b.provider),
		terraformcli.BuildProvider(ctx, filepath.Join("internal", "cmd", "bench", "nothing"), b.floor)); err != nil {
		return err
	}
	begun := time.Now()
	fmt.Printf("# Benchmark of %s\n\n", begun.UTC().Format(time.DateOnly))
	fmt.Printf("- Machine: %s/%s, %d cores\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Printf("- CLI: %s; provider built with %s\n", cli, runtime.Version())
	fmt.Printf("- Account: simulated, each response takes %s, limit of %d requests per second (0: none)\n", latency, limit)
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

// chart returns a chart of an operation in the language of Mermaid, which GitHub draws.
func (b *bench) chart(operation string) string {
	var sizes, walls, minimums []string
	for _, m := range b.measured {
		if m.operation == operation {
			sizes = append(sizes, fmt.Sprint(m.size))
			walls = append(walls, fmt.Sprintf("%.2f", m.wall))
			minimums = append(minimums, fmt.Sprintf("%.2f", m.minimum))
		}
	}
	return fmt.Sprintf("```mermaid\n"+`%%%%{init: {"xyChart": {"height": 300}, "themeVariables": {"xyChart": {"plotColorPalette": "#0969da, #bc4c00"}}}}%%%%
xychart-beta
  title %q
  x-axis "FoneNumbers" [%s]
  y-axis "seconds"
  bar "this provider" [%s]
  line "minimum" [%s]
`+"```\n", operation, strings.Join(sizes, ", "), strings.Join(walls, ", "), strings.Join(minimums, ", "))
}
