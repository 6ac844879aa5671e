// Package terraformcli finds or downloads the Terraform CLI or OpenTofu (find.go, download.go) and runs it with the provider
// that is built from this tree, as users would: as a process with a working directory, and with the provider either
// installed by init or named by dev_overrides. Tests, the demo and the benchmark share it. The provider never links it.
package terraformcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// BuildProvider compiles the provider in the module at root into the directory dir, as it is released but for the version
// and for flags of go build.
func BuildProvider(ctx context.Context, root, dir string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "terraform-provider-fractel")}, flags...)
	build := exec.CommandContext(ctx, "go", append(args, ".")...)
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // As it is released.
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the provider: %w\n%s", err, output)
	}
	return nil
}

// BuildMirror compiles the provider in the module at root into the directory dir, a filesystem mirror from which this CLI
// installs it as the given version.
func BuildMirror(ctx context.Context, cli CLI, root, dir, version string) error {
	host := "registry.terraform.io"
	if cli.Name == "tofu" {
		host = "registry.opentofu.org"
	}
	return BuildProvider(ctx, root, filepath.Join(dir, host, "fractel", "fractel", version, runtime.GOOS+"_"+runtime.GOARCH))
}

// Workspace is a working directory of the CLI.
type Workspace struct {
	Dir string // Absolute. Configuration and state are in it.

	cli string
	Env []string // Of the CLI and so of the provider.
}

// New returns a workspace in an existing directory that uses the provider binary in providerDir, without init. Settings of
// the caller's environment for Terraform or this provider are not passed on; env, as in "NAME=value", is.
func New(cli, dir, providerDir string, env ...string) (*Workspace, error) {
	return newWorkspace(cli, dir, fmt.Sprintf("dev_overrides {\n    \"fractel/fractel\" = %q\n  }\n  direct {}", providerDir), env)
}

// NewMirrored returns a workspace as New does, in which init installs the provider from what BuildMirror has built.
func NewMirrored(cli, dir, mirror string, env ...string) (*Workspace, error) {
	return newWorkspace(cli, dir, fmt.Sprintf("filesystem_mirror {\n    path = %q\n  }", mirror), env)
}

func newWorkspace(cli, dir, installation string, env []string) (*Workspace, error) {
	config := filepath.Join(dir, "cli.tfrc")
	if err := os.WriteFile(config, []byte("provider_installation {\n  "+installation+"\n}\n"), 0o600); err != nil {
		return nil, err
	}
	w := &Workspace{Dir: dir, cli: cli}
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "TF_") && !strings.HasPrefix(setting, "FRACTEL_") {
			w.Env = append(w.Env, setting)
		}
	}
	w.Env = append(w.Env, "TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	w.Env = append(w.Env, env...)
	return w, nil
}

// Write puts a file into the working directory.
func (w *Workspace) Write(name, content string) error {
	return os.WriteFile(filepath.Join(w.Dir, name), []byte(content), 0o600)
}

// Command returns the CLI with these arguments, to be started. When the context ends it is interrupted, as by
// Ctrl-C, and killed only if it does not end then.
func (w *Workspace) Command(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, w.cli, args...)
	command.Dir = w.Dir
	command.Env = w.Env
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = 30 * time.Second
	return command
}

// Run runs the CLI and returns all it printed, and its exit code. The error is for a CLI that could not be run at
// all.
func (w *Workspace) Run(ctx context.Context, args ...string) (output string, exitCode int, err error) {
	printed, err := w.Command(ctx, args...).CombinedOutput()
	var exited *exec.ExitError
	if errors.As(err, &exited) && ctx.Err() == nil {
		return string(printed), exited.ExitCode(), nil
	}
	return string(printed), 0, err
}
