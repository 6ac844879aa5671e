package terraformcli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/hashicorp/go-version"
)

// CLI is a Terraform or OpenTofu executable.
type CLI struct {
	Path    string // Absolute path.
	Product string // "Terraform" or "OpenTofu", whatever the name of the file.
	Version *version.Version
}

// String returns the product and version of the CLI, as in "OpenTofu 1.12.6".
func (c CLI) String() string { return c.Product + " " + c.Version.String() }

// printedVersion matches the version that a CLI prints, which can follow a warning about its configuration.
var printedVersion = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`)

// Inspect returns the CLI with this name or path.
func Inspect(ctx context.Context, name string) (CLI, error) {
	found, errFound := exec.LookPath(name)
	path, errPath := filepath.Abs(found)
	if err := errors.Join(errFound, errPath); err != nil {
		return CLI{}, err
	}
	printed, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return CLI{}, fmt.Errorf("%s version: %w", path, err)
	}
	words := printedVersion.FindStringSubmatch(string(printed))
	if words == nil {
		return CLI{}, fmt.Errorf("%s is not Terraform or OpenTofu: its version is %q", path, printed)
	}
	v, err := version.NewVersion(words[2])
	return CLI{path, words[1], v}, err
}

// oldest is the first version in which both products have provider functions, which the tests need.
var oldest = version.Must(version.NewVersion("1.8"))

// Find returns the CLI that TERRAFORM names, by name or path. If it is not set, it is the first of terraform and tofu on the PATH that
// is not too old.
func Find(ctx context.Context) (CLI, error) {
	_ = os.Setenv("CHECKPOINT_DISABLE", "1") // The CLI must not look for a new version of itself.
	if name := os.Getenv("TERRAFORM"); name != "" {
		return Inspect(ctx, name)
	}
	for _, name := range []string{"terraform", "tofu"} {
		if cli, err := Inspect(ctx, name); err == nil && cli.Version.GreaterThanOrEqual(oldest) {
			return cli, nil
		}
	}
	return CLI{}, errors.New("neither Terraform nor OpenTofu 1.8 or later is on the PATH: install one, name one with " +
		"TERRAFORM=/path/to/terraform, download Terraform with make cli, or build OpenTofu from the Go module proxy with make tofu")
}
