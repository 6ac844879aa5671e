package provider

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// Tests through the CLI are named TestAcc and run with TF_ACC=1, which `make test` sets.

// TestMain finds the CLI if TF_ACC is set. Without a CLI, the tests fail.
func TestMain(m *testing.M) {
	if os.Getenv(resource.EnvTfAcc) == "" {
		fmt.Fprintln(os.Stderr, "Skipped: tests through the CLI (TestAcc…) and most random cases. `make test` runs them all.")
	} else if err := findCLI(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	debug.SetGCPercent(400) // As in main.
	code := m.Run()
	os.RemoveAll(providerDir)
	os.Exit(code)
}

func findCLI() error {
	cli, err := terraformcli.Find(context.Background())
	if err != nil {
		return err
	}
	os.Setenv("TF_ACC_TERRAFORM_PATH", cli.Path)
	os.Setenv("CHECKPOINT_DISABLE", "1")
	os.Unsetenv("TF_CLI_CONFIG_FILE") // It may select another build of the provider, or not exist.
	if isTofu(theCLI()) {
		os.Setenv("TF_ACC_PROVIDER_HOST", "registry.opentofu.org") // OpenTofu rejects the names that plugin-testing uses with the default host.
	}
	return nil
}

// throughCLI skips a test that requires the CLI unless TF_ACC is set.
func throughCLI(t *testing.T) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), "TestAcc") {
		t.Fatal("a test through the CLI must be named TestAcc…")
	}
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("requires the CLI: set %s=1, as `make test` does", resource.EnvTfAcc)
	}
}

var providerDir string // Folder of the built provider; empty until it is built.

// buildProvider builds the provider once for all tests that run it as users do.
var buildProvider = sync.OnceValue(func() (err error) {
	if providerDir, err = os.MkdirTemp("", "fractel-test-"); err != nil {
		return err
	}
	return terraformcli.BuildProvider(context.Background(), root, providerDir)
})

// workspace is a working directory of the real CLI.
type workspace struct {
	*terraformcli.Workspace
	t *testing.T
}

// newWorkspace returns a working directory with this configuration, in which the CLI uses the built provider. The
// environment configures the provider.
func (a *account) newWorkspace(t *testing.T, config string, env ...string) *workspace {
	t.Helper()
	throughCLI(t)
	if err := buildProvider(); err != nil {
		t.Fatal(err)
	}
	env = append([]string{
		"FRACTEL_ENDPOINT=" + a.endpoint(), "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password", "FRACTEL_REQUESTS_PER_SECOND=1000",
	}, env...)
	installed, err := terraformcli.New(os.Getenv("TF_ACC_TERRAFORM_PATH"), t.TempDir(), providerDir, env...)
	if err != nil {
		t.Fatal(err)
	}
	w := &workspace{installed, t}
	w.configure(config)
	return w
}

func (w *workspace) configure(config string) {
	w.t.Helper()
	if !strings.Contains(config, "required_providers") {
		config = terraformcli.Requirement + config
	}
	w.write("main.tf", config)
}

func (w *workspace) write(name, content string) {
	w.t.Helper()
	if err := w.Write(name, content); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workspace) run(exitCode int, args ...string) string {
	w.t.Helper()
	output, err := w.Run(w.t.Context(), exitCode, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return unframed(output)
}

func (w *workspace) plan(exitCode int, args ...string) string {
	w.t.Helper()
	return w.run(exitCode, append([]string{"plan", "-no-color", "-input=false", "-detailed-exitcode"}, args...)...)
}

func (w *workspace) apply(exitCode int, args ...string) string {
	w.t.Helper()
	return w.run(exitCode, append([]string{"apply", "-no-color", "-input=false", "-auto-approve"}, args...)...)
}

// unframed removes the frames around diagnostics and their line breaks from an output, so that tests can search for
// sentences.
func unframed(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}

func says(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(output, text) {
			t.Errorf("the output does not contain %q:\n%s", text, output)
		}
	}
}

// feature is a feature that the provider supports and that not every CLI has.
type feature struct {
	name            string
	terraform, tofu string // First version that has the feature; empty for none.
}

// templates/index.md.tmpl documents the same versions.
var (
	forgetting       = feature{"removed blocks with destroy = false", "1.7", "1.10"}
	mockedProviders  = feature{"tests with mocked providers", "1.7", "1.8"}
	writeOnly        = feature{"write-only attributes", "1.11", "1.11"}
	importByIdentity = feature{"import by identity", "1.12", "1.12"}
	queries          = feature{"terraform query", "1.14", ""}
)

// theCLI returns the CLI that runs the tests. It runs the CLI only once.
var theCLI = sync.OnceValue(func() terraformcli.CLI { return inspected(os.Getenv("TF_ACC_TERRAFORM_PATH")) })

func inspected(path string) terraformcli.CLI {
	cli, err := terraformcli.Inspect(context.Background(), path)
	if err != nil {
		panic(err)
	}
	return cli
}

func isTofu(cli terraformcli.CLI) bool { return cli.Product == "OpenTofu" }

// in reports whether a CLI has the feature. OpenTofu has its own version numbers.
func (f feature) in(cli terraformcli.CLI) bool {
	first := f.terraform
	if isTofu(cli) {
		first = f.tofu
	}
	// Betas and release candidates of a version have its features.
	return first != "" && cli.Version.Core().GreaterThanOrEqual(version.Must(version.NewVersion(first)))
}

// lacks reports, and logs, that the CLI cannot run a part of a test.
func lacks(t *testing.T, f feature, part string) bool {
	t.Helper()
	throughCLI(t)
	c := theCLI()
	if f.in(c) {
		return false
	}
	t.Logf("skipped: %s requires %s (Terraform %s, OpenTofu %q), which %s does not have", part, f.name, f.terraform, f.tofu, c)
	return true
}
