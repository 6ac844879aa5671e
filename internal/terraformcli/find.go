package terraformcli

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/go-version"
	install "github.com/hashicorp/hc-install"
	"github.com/hashicorp/hc-install/fs"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/hashicorp/hc-install/src"
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

// Inspect returns the CLI at an absolute path.
func Inspect(ctx context.Context, path string) (CLI, error) {
	printed, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return CLI{}, fmt.Errorf("%s version: %w", path, err)
	}
	found := printedVersion.FindStringSubmatch(string(printed))
	if found == nil {
		return CLI{}, fmt.Errorf("%s is not Terraform or OpenTofu: its version is %q", path, printed)
	}
	v, err := version.NewVersion(found[2])
	return CLI{path, found[1], v}, err
}

// tofu is OpenTofu, which hc-install does not know.
var tofu = product.Product{
	Name:       "tofu",
	BinaryName: func() string { return strings.Replace(product.Terraform.BinaryName(), "terraform", "tofu", 1) }, // With .exe on Windows.
	GetVersion: func(ctx context.Context, path string) (*version.Version, error) {
		cli, err := Inspect(ctx, path)
		return cli.Version, err
	},
}

// Find returns the CLI that TERRAFORM names, by name or path. If it is not set, it is the first of terraform and tofu on the PATH or
// in the cache folder with provider functions, which the tests need, or else the latest Terraform, which Find downloads to the cache
// folder while it reports to progress.
func Find(ctx context.Context, progress io.Writer) (CLI, error) {
	_ = os.Setenv("CHECKPOINT_DISABLE", "1") // The CLI must not look for a new version of itself.
	if name := os.Getenv("TERRAFORM"); name != "" {
		path, err := exec.LookPath(name)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return CLI{}, fmt.Errorf("TERRAFORM=%s: %w", name, err)
		}
		return Inspect(ctx, path)
	}
	cache, err := CacheDir()
	if err != nil {
		return CLI{}, err
	}
	installed := func(p product.Product, versions string) src.Source {
		return &fs.Version{Product: p, Constraints: version.MustConstraints(version.NewConstraint(versions)), ExtraPaths: []string{cache}}
	}
	installer := install.NewInstaller()
	installer.SetLogger(log.New(progress, "", 0))
	path, err := installer.Ensure(ctx, []src.Source{
		installed(product.Terraform, ">= 1.8.0"),
		installed(tofu, ">= 1.7.0"),
		&releases.LatestVersion{Product: product.Terraform, InstallDir: cache, Timeout: 10 * time.Minute},
	})
	if err != nil {
		return CLI{}, fmt.Errorf("%w: install Terraform 1.8.0 or OpenTofu 1.7.0 or later, name one with TERRAFORM=/path/to/terraform, "+
			"or build OpenTofu from the Go module proxy with make tofu", err)
	}
	return Inspect(ctx, path)
}

// CacheDir returns the folder for CLIs that are downloaded or built for this project, and creates it.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "terraform-provider-fractel")
	return dir, os.MkdirAll(dir, 0o700)
}
