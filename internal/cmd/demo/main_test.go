package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The demo fits on two screens, shows the complete warning in color, as the picture of README does, and leaves no files behind.
func TestAccDemo(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("needs the CLI: set TF_ACC=1 to run it")
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Chdir(filepath.Join("..", "..", ".."))
	var printed strings.Builder
	if err := run(t.Context(), &printed); err != nil {
		t.Fatalf("%v\n%s", err, printed.String())
	}
	out := regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(printed.String(), "")
	if len(out) == printed.Len() {
		t.Error("the demo prints no colors")
	}
	if lines := strings.Count(out, "\n"); lines > 80 {
		t.Errorf("the demo prints %d lines", lines)
	}
	for _, want := range []string{
		"Warning: FoneNumber Already Delivers Elsewhere",
		`id = "3215551212"`, // The end of that warning.
		"Resources: 1 imported, 3 added",
		`"3215559999" -> "3215551111"`,
		"FoneNumber Left Unchanged on Destroy",
		"3215551201 delivers to None\n3215551203 delivers to Forward 3215551111\n" +
			"3215551204 delivers to Forward 3215550000\n3215551212 delivers to None\n", // Destroyed. What was imported is kept.
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not print %q", want)
		}
	}
	const applied = "3215551201 delivers to Device 987123543678\n3215551203 delivers to Forward 3215551111\n" +
		"3215551204 delivers to Email ops@example.com\n3215551212 delivers to URL https://hooks.example.com/sms?msg={{msg}}\n"
	if n := strings.Count(out, applied); n != 2 {
		t.Errorf("%d of two applies have the expected result:\n%s", n, out)
	}
	if left, _ := filepath.Glob(filepath.Join(temporary, "fractel-demo-*")); len(left) > 0 {
		t.Errorf("the demo leaves %q behind", left)
	}
}
