// Package terraformcli finds the Terraform CLI or OpenTofu (find.go), and runs it in a working directory with the provider that is built
// from this source tree. Tests, the demo, and the benchmark use it. The provider never links it.
package terraformcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// BuildProvider compiles the provider in the module at root into the directory dir, as for a release except for the version.
func BuildProvider(ctx context.Context, root, dir string) error {
	binary := filepath.Join(dir, "terraform-provider-fractel")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // As for a release.
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return nil
}

// Requirement is the part of a configuration that names the provider.
const Requirement = `terraform {
  required_providers {
    fractel = {
      source = "fractel/fractel"
    }
  }
}
`

// Workspace is a working directory of the CLI.
type Workspace struct {
	Dir string // Absolute path. Contains the configuration and the state.

	cli string
	Env []string // Environment of the CLI and the provider.
}

// New returns a workspace in an existing directory that uses the provider binary in providerDir without init. Its environment is
// that of the caller without TF_ and FRACTEL_ variables, plus env ("NAME=value").
func New(cli, dir, providerDir string, env ...string) (*Workspace, error) {
	config := filepath.Join(dir, "cli.tfrc")
	overrides := fmt.Sprintf("provider_installation {\ndev_overrides {\n\"fractel/fractel\" = %q\n}\ndirect {}\n}\n", providerDir)
	if err := os.WriteFile(config, []byte(overrides), 0o600); err != nil {
		return nil, err
	}
	inherited := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		return strings.HasPrefix(setting, "TF_") || strings.HasPrefix(setting, "FRACTEL_")
	})
	own := []string{"TF_CLI_CONFIG_FILE=" + config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	return &Workspace{Dir: dir, cli: cli, Env: slices.Concat(inherited, own, env)}, nil
}

// Write writes a file to the working directory.
func (w *Workspace) Write(name, content string) error {
	return os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600)
}

// Command returns a command that runs the CLI with these arguments. When the context ends, the CLI is interrupted, as with Ctrl-C,
// and killed only if it does not exit then.
func (w *Workspace) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, w.cli, args...)
	command.Dir = w.Dir
	command.Env = w.Env
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = 30 * time.Second
	return command
}

// Run runs the CLI and returns its output. Another exit code than the expected one is an error, which contains the output.
func (w *Workspace) Run(ctx context.Context, exitCode int, args ...string) (output string, err error) {
	command := w.Command(ctx, args...)
	printed, err := command.CombinedOutput()
	if code := command.ProcessState.ExitCode(); code != exitCode {
		return "", errors.Join(err, fmt.Errorf("%s: exit code %d instead of %d\n%s", strings.Join(args, " "), code, exitCode, printed))
	}
	return string(printed), nil
}
