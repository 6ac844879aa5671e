package terraformcli

import (
	"fmt"
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

// TERRAFORM takes precedence over the PATH, and Terraform over OpenTofu. CLIs that are too old or do not work are skipped.
func TestFind(t *testing.T) {
	path := t.TempDir()
	t.Setenv("PATH", path)
	tofu := newCLI(t, path, "tofu", "\nWarning: Unable to open CLI configuration file\nOpenTofu v1.8.0\non linux_amd64")
	terraform := newCLI(t, path, "terraform", "Terraform v1.8.0\non linux_amd64")
	named := newCLI(t, t.TempDir(), "named", "OpenTofu v1.6.3")
	for _, step := range []struct {
		terraform string // TERRAFORM.
		printed   string // By the terraform on the PATH.
		want      string // Or what the error says.
	}{
		{named, "Terraform v1.8.0", named + " OpenTofu 1.6.3"},
		{"tofu", "Terraform v1.8.0", tofu + " OpenTofu 1.8.0"},
		{"", "Terraform v1.8.0", terraform + " Terraform 1.8.0"},
		{"", "Terraform v1.7.5", tofu + " OpenTofu 1.8.0"},
		{"", "No version is set", tofu + " OpenTofu 1.8.0"},
		{"terraform", "No version is set", "is not Terraform or OpenTofu"},
		{"terraform-1.8", "Terraform v1.8.0", "terraform-1.8"}, // Another CLI does not replace it.
	} {
		t.Setenv("TERRAFORM", step.terraform)
		newCLI(t, path, "terraform", step.printed)
		cli, err := Find(t.Context())
		got := fmt.Sprint(err)
		if err == nil {
			got = cli.Path + " " + cli.String()
		}
		if !strings.Contains(got, step.want) {
			t.Errorf("%+v: found %s", step, got)
		}
	}
	t.Setenv("TERRAFORM", "")
	newCLI(t, path, "terraform", "Terraform v1.7.5")
	newCLI(t, path, "tofu", "OpenTofu v1.7.9")
	if _, err := Find(t.Context()); err == nil || !strings.Contains(err.Error(), "make cli") {
		t.Errorf("the error is %v", err)
	}
}
