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
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
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
	path, err := exec.LookPath(name)
	if err != nil {
		return CLI{}, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return CLI{}, err
	}
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

// oldest contains the first version of each product with provider functions, which the tests need.
var oldest = map[string]*version.Version{
	"Terraform": version.Must(version.NewVersion("1.8")),
	"OpenTofu":  version.Must(version.NewVersion("1.7")),
}

// Find returns the CLI that TERRAFORM names, by name or path. If it is not set, it is the first of terraform and tofu on the PATH or
// in the cache folder that is not too old, or else the latest Terraform, which Find downloads to the cache folder while it reports to
// progress.
func Find(ctx context.Context, progress io.Writer) (CLI, error) {
	_ = os.Setenv("CHECKPOINT_DISABLE", "1") // The CLI must not look for a new version of itself.
	if name := os.Getenv("TERRAFORM"); name != "" {
		return Inspect(ctx, name)
	}
	cache, err := CacheDir()
	if err != nil {
		return CLI{}, err
	}
	for _, name := range []string{"terraform", filepath.Join(cache, "terraform"), "tofu", filepath.Join(cache, "tofu")} {
		if cli, err := Inspect(ctx, name); err == nil && cli.Version.GreaterThanOrEqual(oldest[cli.Product]) {
			return cli, nil
		}
	}
	latest := &releases.LatestVersion{Product: product.Terraform, InstallDir: cache, Timeout: 10 * time.Minute}
	latest.SetLogger(log.New(progress, "", 0))
	path, err := latest.Install(ctx)
	if err != nil {
		return CLI{}, fmt.Errorf("%w: install Terraform 1.8 or OpenTofu 1.7 or later, name one with TERRAFORM=/path/to/terraform, "+
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
