// Command pictures draws the chart of BENCHMARKS.md from the table in that file. `make pictures` runs it. It has its own module, so
// that its dependencies do not change those of the linters.
package main

import (
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
	for name, theme := range map[string]theme{"benchmark-light.svg": light, "benchmark-dark.svg": dark} {
		picture, err := drawChart(results, theme)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil { //nolint:gosec // Pictures are public.
			return err
		}
	}
	return nil
}
