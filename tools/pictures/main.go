// Command pictures draws the chart of BENCHMARKS.md from the table in that file. `make pictures` runs it. It has its own module, so
// that its dependencies do not change those of the linters.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pictures BENCHMARKS.md FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// run draws the chart for light and dark pages.
func run(benchmarks, folder string) error {
	report, err := os.ReadFile(benchmarks) //nolint:gosec // The developer chooses the file.
	if err != nil {
		return err
	}
	results, err := readTable(string(report))
	if err != nil {
		return fmt.Errorf("%s: %w", benchmarks, err)
	}
	chart, err := drawChart(results)
	if err != nil {
		return err
	}
	write := func(name, chart string) error {
		return os.WriteFile(filepath.Join(folder, name), []byte(chart), 0o644) //nolint:gosec // Pictures are public.
	}
	return errors.Join(write("benchmark-light.svg", chart), write("benchmark-dark.svg", darken.Replace(chart)))
}
