// Command bench measures what the provider costs: the real CLI, the provider built from this tree, and a simulated
// account with latency and FoneStorm's limit. It compares every operation with the same one on as many terraform_data
// resources, which cost the CLI's own work only, and ends with an error when a target is missed. See report.go for the
// targets.
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
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are what the command line asks for.
type options struct {
	sizes   []int
	limits  []bool // Whether the account has FoneStorm's limit; one or both.
	latency time.Duration
	output  string
	command string // How to measure the same again.
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	sizes := flags.String("n", "10,100,1000,10000", "`numbers` of resources; more than 1000 are only planned")
	limit := flags.String("limit", "both", fmt.Sprintf("limit of %d requests a second: `on, off or both`", requestLimit))
	flags.DurationVar(&o.latency, "latency", 50*time.Millisecond, "how `long` every answer of the account takes")
	flags.StringVar(&o.output, "o", "", "`file` that gets the results too, as Markdown")
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
	switch *limit {
	case "on":
		o.limits = []bool{true}
	case "off":
		o.limits = []bool{false}
	case "both":
		o.limits = []bool{false, true}
	default:
		return o, fmt.Errorf("-limit: %q is none of on, off and both", *limit)
	}
	o.command = fmt.Sprintf("go run ./internal/cmd/bench -n %s -limit %s -latency %s", *sizes, *limit, o.latency)
	return o, nil
}

// run measures and reports. It expects to be started in the root of the repository.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	cli, err := terraformcli.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // As the kernel names what is in it.
		return err
	}
	progress("building the provider")
	if err := terraformcli.BuildProvider(ctx, ".", dir); err != nil {
		return err
	}
	binary, err := os.Stat(filepath.Join(dir, "terraform-provider-fractel"))
	if err != nil {
		return err
	}
	begun := time.Now()
	b := &bench{cli: cli, dir: dir, binary: filepath.Join(dir, binary.Name())}
	results, err := b.measureAll(ctx, o)
	if err != nil {
		return err
	}
	judged := verdicts(results, binary.Size())
	text := header(ctx, o, cli, begun) + table(results) + "\n" + list(judged)
	fmt.Fprint(stdout, text)
	if o.output != "" {
		if err := os.WriteFile(o.output, []byte(text), 0o600); err != nil {
			return err
		}
	}
	if missed := countMissed(judged); missed > 0 {
		return fmt.Errorf("%d of %d targets missed", missed, len(judged))
	}
	return nil
}

// header says what was measured, where and when.
func header(ctx context.Context, o options, cli string, begun time.Time) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Benchmark of %s\n\n", begun.UTC().Format(time.DateOnly))
	fmt.Fprintf(&text, "- Machine: %s, %d cores, %s\n", processor(), runtime.NumCPU(), runtime.GOOS)
	fmt.Fprintf(&text, "- CLI: %s; provider built with %s\n", version(ctx, cli), runtime.Version())
	fmt.Fprintf(&text, "- Account: simulated, every answer takes %s\n", o.latency)
	fmt.Fprintf(&text, "- Command: `%s`, which took %s\n\n", o.command, time.Since(begun).Round(time.Second))
	return text.String()
}

// processor names the model of the machine's processor as far as the system tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, model, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH
}

// version returns what the CLI calls itself.
func version(ctx context.Context, cli string) string {
	command := exec.CommandContext(ctx, cli, "version")
	command.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	output, err := command.Output()
	if err != nil {
		return "unknown version"
	}
	first, _, _ := strings.Cut(string(output), "\n")
	return first
}

func progress(format string, values ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", values...)
}
