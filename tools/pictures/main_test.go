package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const report = `# Benchmark

| operation      |     N |     wall | login | get | list | set | floor  |
| -------------- | ----: | -------: | ----: | --: | ---: | --: | -----: |
| create all     |    10 |   2.63 s |     2 |  10 |    2 |  10 | 0.07 s |
| no-change plan | 10000 |  28.26 s |     1 |   5 |    1 |   0 | 9.59 s |

Another table:

| operation      |     N |     wall | login | get | list | set | floor  |
| -------------- | ----: | -------: | ----: | --: | ---: | --: | -----: |
| create all     |    10 |   0.53 s |     2 |  10 |    2 |  10 | 0.06 s |
`

func TestReadTable(t *testing.T) {
	t.Parallel()
	got, err := readTable(report)
	want := []result{
		{operation: "create all", size: 10, time: 2.63, floor: 0.07, paced: 2.4},
		{operation: "no-change plan", size: 10000, time: 28.26, floor: 9.59, paced: 0.7},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("read %+v, %v\nwant %+v", got, err, want)
	}
}

// If the format of the table has changed, the result is an error, not a wrong chart.
func TestReadTableOfAnotherForm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, want string }{
		"no table":         {"|", " ", "there is no table"},
		"title":            {"wall", "time", `the column "wall" has no number`},
		"title of a count": {"login", "logins", `the column "login" has no number`},
		"unit":             {"9.59 s", "9590 ms", `the column "floor" has no number`},
		"cells":            {"0.07 s |", "0.07 s | |", "wrong number of fields"},
	} {
		if _, err := readTable(strings.ReplaceAll(report, test.old, test.new)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: the error is %v, want %q", name, err, test.want)
		}
	}
}

// The same report gives the same pictures, so that `make pictures` makes no unnecessary changes.
func TestPicturesAreReproducible(t *testing.T) {
	t.Parallel()
	first, second := t.TempDir(), t.TempDir()
	for _, folder := range []string{first, second} {
		if err := run(filepath.Join("..", "..", "BENCHMARKS.md"), folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"benchmark-light.svg", "benchmark-dark.svg"} {
		one, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(second, name))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs, %v", name, err)
		}
		if name == "benchmark-dark.svg" && regexp.MustCompile(`#(FFFFFF|1F2328|D8DEE4|0969DA|BC4C00|6E7781)`).Match(one) {
			t.Errorf("%s has a color for a light page", name)
		}
		if !bytes.Contains(one, []byte("font-family:Arial")) || len(one) > 200<<10 {
			t.Errorf("%s has %d bytes, or a font that readers do not have", name, len(one))
		}
	}
}
