// Command pictures draws the chart of BENCHMARKS.md from the table in that file. `make pictures` runs it. It is in a module of
// its own, so that what draws pictures does not decide with which versions of their dependencies the linters are built.
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

// run draws the chart for light and for dark pages.
func run(benchmarks, folder string) error {
	report, err := os.ReadFile(benchmarks) //nolint:gosec // The file that the developer names.
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
		if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil { //nolint:gosec // A picture for everybody.
			return err
		}
	}
	return nil
}
