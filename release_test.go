package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The Registry announces this protocol version to the CLI.
func TestManifest(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile("terraform-registry-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"version":1,"metadata":{"protocol_versions":["6.0"]}}`; strings.Join(strings.Fields(string(manifest)), "") != want {
		t.Errorf("the manifest is %s, want %s", manifest, want)
	}
}

// The notes of a release are its section of CHANGELOG.md. A version without a section cannot be released.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	const changelog = "# Changelog\n\n## 0.3.0 (Unreleased)\n\n* Third\n\n## 0.2.0-rc.1 (2026-12-01)\n\n" +
		"## 0.1.0 (2026-11-25)\n\nNOTES:\n\n* First\n\n## 0.0.1 (2026-11-24)\n* Nothing\n"
	for version, want := range map[string]struct{ notes, failure string }{
		"v0.1.0":      {notes: "NOTES:\n\n* First\n\n"},
		"0.0.1":       {notes: "* Nothing\n"},
		"v0.3.0":      {failure: `put the date of 0.3.0 in place of "Unreleased"`},
		"v0.2.0-rc.1": {failure: "there are no notes about 0.2.0-rc.1"},
		"v0.1":        {failure: "there are no notes about 0.1"},
		"v0x1x0":      {failure: "there are no notes about 0x1x0"},
	} {
		var notes, failure strings.Builder
		command := exec.Command(filepath.Join(".ci", "release-notes"), version)
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(changelog), &notes, &failure
		err := command.Run()
		if notes.String() != want.notes || (err != nil) != (want.failure != "") || !strings.Contains(failure.String(), want.failure) {
			t.Errorf("%s: %v, notes %q, failure %q, want %+v", version, err, notes.String(), failure.String(), want)
		}
	}
}

// The linker sets the version, which the binary prints without Terraform.
func TestVersionFlag(t *testing.T) {
	t.Parallel()
	output, err := exec.Command("go", "run", "-ldflags=-X main.version=1.2.3", ".", "-version").CombinedOutput()
	want := fmt.Sprintf("terraform-provider-fractel 1.2.3 (%s, %s/%s)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if err != nil || string(output) != want {
		t.Errorf("-version prints %q, want %q: %v", output, want, err)
	}
}
