package terraformcli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is an environment without any CLI: an empty PATH and an empty cache.
type machine struct {
	t     *testing.T
	path  string
	cache string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	home := t.TempDir()
	m := machine{t: t, path: t.TempDir()}
	t.Setenv("PATH", m.path)
	t.Setenv("TERRAFORM", "")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	var err error
	if m.cache, err = CacheDir(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.cache, home) {
		t.Fatalf("the cache is %s, outside of %s", m.cache, home)
	}
	return m
}

// install creates a CLI in a folder that prints this version.
func (m machine) install(dir, name, printed string) string {
	m.t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		m.t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1 $CHECKPOINT_DISABLE\" = 'version 1' ] && echo '%s'\n", printed)
	if err := os.WriteFile(file, []byte(script), 0o700); err != nil {
		m.t.Fatal(err)
	}
	return file
}

// Each way to find a CLI takes precedence over the next.
func TestFindOrder(t *testing.T) {
	m := newMachine(t)
	builtTofu := m.install(m.cache, "tofu", "OpenTofu v1.12.6")
	downloaded := m.install(m.cache, "terraform", "Terraform v1.15.9")
	tofu := m.install(m.path, "tofu", "OpenTofu v1.12.5")
	terraform := m.install(m.path, "terraform", "Terraform v1.11.4")
	named := m.install(t.TempDir(), "named", "OpenTofu v1.7.0")
	t.Setenv("TERRAFORM", named)
	for _, step := range []struct {
		path, product, name string
		remove              func()
	}{
		{named, "OpenTofu 1.7.0", "tofu", func() { t.Setenv("TERRAFORM", "") }},
		{terraform, "Terraform 1.11.4", "terraform", func() { os.Remove(terraform) }},
		{downloaded, "Terraform 1.15.9", "terraform", func() { os.Remove(downloaded) }},
		{tofu, "OpenTofu 1.12.5", "tofu", func() { os.Remove(tofu) }},
		{builtTofu, "OpenTofu 1.12.6", "tofu", func() {}},
	} {
		cli, err := Find(t.Context(), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if cli.Path != step.path || cli.Product() != step.product || cli.Name != step.name {
			t.Fatalf("found %+v, want %s at %s", cli, step.product, step.path)
		}
		step.remove()
	}
}

// A name is looked up on the PATH. If it is not there, that is an error even if another CLI is.
func TestFindNamed(t *testing.T) {
	m := newMachine(t)
	m.install(m.path, "terraform", "Terraform v1.11.4")
	tofu := m.install(m.path, "tofu", "OpenTofu v1.12.6")
	t.Setenv("TERRAFORM", "tofu")
	if cli, err := Find(t.Context(), io.Discard); err != nil || cli.Path != tofu {
		t.Errorf("found %+v, %v", cli, err)
	}
	t.Setenv("TERRAFORM", "terraform-1.8")
	if _, err := Find(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "TERRAFORM=terraform-1.8") {
		t.Errorf("the error is %v", err)
	}
}

func TestFindVersions(t *testing.T) {
	for _, c := range []struct {
		printed, product, err string
		exit                  int
	}{
		{printed: "Terraform v1.8.0", product: "Terraform 1.8.0"},
		{printed: "Warning: something\n\nTerraform v1.15.0-beta2\non linux_amd64", product: "Terraform 1.15.0-beta2"},
		{printed: "OpenTofu v1.7.0-rc1", product: "OpenTofu 1.7.0-rc1"},
		{printed: "Terraform v1.7.5", err: "is Terraform 1.7.5: install Terraform 1.8.0 or later"},
		{printed: "OpenTofu v1.6.3", err: "is OpenTofu 1.6.3: install OpenTofu 1.7.0 or later"},
		{printed: "No version is set", err: "does not contain a version"},
		{printed: "Terraform v1.11.4", exit: 1, err: "exit status 1\nTerraform v1.11.4"}, // Like a version manager that reports an error.
		{printed: "Terraform vsomething", err: "malformed version: something"},
	} {
		t.Run(c.printed, func(t *testing.T) {
			m := newMachine(t)
			m.install(m.path, "terraform", fmt.Sprintf("%s' >&2; exit %d; echo '", c.printed, c.exit))
			m.install(m.path, "tofu", "OpenTofu v1.12.6") // Must not hide the error of the first one.
			cli, err := Find(t.Context(), io.Discard)
			if err == nil && cli.Product() != c.product || err != nil && (c.err == "" || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("found %+v, %v; want %q, %q", cli, err, c.product, c.err)
			}
		})
	}
}
