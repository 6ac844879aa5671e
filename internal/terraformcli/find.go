package terraformcli

import (
	"context"
	"errors"
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

// The tests and the demo need provider functions.
var (
	minTerraform = version.Must(version.NewVersion("1.8.0"))
	minOpenTofu  = version.Must(version.NewVersion("1.7.0"))
)

// CLI is a Terraform or OpenTofu executable.
type CLI struct {
	Path    string // Absolute path.
	Name    string // "terraform" or "tofu", whatever the name of the file.
	Version *version.Version
}

// Product returns the product and version of the CLI, as in "OpenTofu 1.12.6".
func (c CLI) Product() string {
	return map[string]string{"terraform": "Terraform ", "tofu": "OpenTofu "}[c.Name] + c.Version.String()
}

// Find returns the CLI that TERRAFORM names, by name or path. If it is not set, it is the first of terraform and tofu on the PATH or
// in the cache folder, or else the latest Terraform, which Find downloads to the cache folder while it reports to progress. A CLI
// that is too old is an error. Find does not skip it, because users expect it to be used.
func Find(ctx context.Context, progress io.Writer) (CLI, error) {
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
	if err == nil {
		err = os.MkdirAll(cache, 0o700)
	}
	if err != nil {
		return CLI{}, err
	}
	tofu := product.Product{Name: "tofu", BinaryName: func() string {
		return strings.Replace(product.Terraform.BinaryName(), "terraform", "tofu", 1) // With .exe on Windows.
	}}
	installer := install.NewInstaller()
	installer.SetLogger(log.New(progress, "", 0))
	path, err := installer.Ensure(ctx, []src.Source{
		&fs.AnyVersion{Product: &product.Terraform, ExtraPaths: []string{cache}},
		&fs.AnyVersion{Product: &tofu, ExtraPaths: []string{cache}},
		&releases.LatestVersion{Product: product.Terraform, InstallDir: cache, Timeout: 10 * time.Minute},
	})
	if err != nil {
		return CLI{}, fmt.Errorf("%w: install Terraform %s or OpenTofu %s or later, name one with TERRAFORM=/path/to/terraform, "+
			"or build OpenTofu from the Go module proxy with make tofu", err, minTerraform, minOpenTofu)
	}
	return Inspect(ctx, path)
}

// CacheDir returns the folder for CLIs that are downloaded or built for this project. It may not exist yet.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "terraform-provider-fractel"), err
}

// versionLine is the first line of `terraform version`, except for warnings.
var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`)

// Inspect runs an executable to get its version, and returns an error if it is too old.
func Inspect(ctx context.Context, path string) (CLI, error) {
	command := exec.CommandContext(ctx, path, "version")
	command.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1")
	printed, err := command.CombinedOutput()
	found := versionLine.FindStringSubmatch(string(printed))
	if err == nil && found == nil {
		err = errors.New("the output does not contain a version of Terraform or OpenTofu")
	}
	if err != nil {
		return CLI{}, fmt.Errorf("%s version: %w\n%s", path, err, printed)
	}
	cli, oldest := CLI{Path: path, Name: "terraform"}, minTerraform
	if found[1] == "OpenTofu" {
		cli.Name, oldest = "tofu", minOpenTofu
	}
	if cli.Version, err = version.NewVersion(found[2]); err != nil {
		return CLI{}, fmt.Errorf("%s version: %w", path, err)
	}
	if cli.Version.Core().LessThan(oldest) {
		return CLI{}, fmt.Errorf("%s is %s: install %s %s or later, or name another CLI (TERRAFORM=/path/to/terraform)",
			path, cli.Product(), found[1], oldest)
	}
	return cli, nil
}
