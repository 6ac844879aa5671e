package terraformcli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newCLI creates a CLI that prints a version, as OpenTofu does without -json, and returns its path.
func newCLI(t *testing.T, dir, name, printed string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1$2 $CHECKPOINT_DISABLE\" = 'version 1' ] && echo '%s'\n", printed)
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// Each way to find a CLI takes precedence over the next. CLIs that are too old or do not work are skipped.
func TestFind(t *testing.T) {
	home, path := t.TempDir(), t.TempDir()
	t.Setenv("PATH", path)
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	cache, err := CacheDir()
	if err != nil || !strings.HasPrefix(cache, home) {
		t.Fatalf("the cache is %s, %v", cache, err)
	}
	newCLI(t, cache, "tofu", "\nWarning: Unable to open CLI configuration file\nOpenTofu v1.7.0\non linux_amd64")
	tofu := newCLI(t, path, "tofu", "OpenTofu v1.12.6")
	newCLI(t, cache, "terraform", "Terraform v1.8.0\non linux_amd64")
	terraform := newCLI(t, path, "terraform", "Terraform v1.11.4")
	named := newCLI(t, t.TempDir(), "named", "OpenTofu v1.6.3")
	for _, step := range []struct {
		terraform string // TERRAFORM.
		change    func()
		want      string
	}{
		{named, nil, named + " OpenTofu 1.6.3"},
		{"tofu", nil, tofu + " OpenTofu 1.12.6"},
		{"", nil, terraform + " Terraform 1.11.4"},
		{"", func() { newCLI(t, path, "terraform", "Terraform v1.7.5") }, filepath.Join(cache, "terraform") + " Terraform 1.8.0"},
		{"", func() { newCLI(t, cache, "terraform", "No version is set") }, tofu + " OpenTofu 1.12.6"},
		{"", func() { newCLI(t, path, "tofu", "OpenTofu v1.6.3") }, filepath.Join(cache, "tofu") + " OpenTofu 1.7.0"},
	} {
		t.Setenv("TERRAFORM", step.terraform)
		if step.change != nil {
			step.change()
		}
		cli, err := Find(t.Context(), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got := cli.Path + " " + cli.String(); got != step.want {
			t.Errorf("found %s, want %s", got, step.want)
		}
	}
	t.Setenv("TERRAFORM", "terraform-1.8") // Another CLI does not replace it.
	if _, err := Find(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "terraform-1.8") {
		t.Errorf("the error is %v", err)
	}
}
