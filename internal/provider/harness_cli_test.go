package provider

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
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
	if builtProvider.dir != "" {
		os.RemoveAll(builtProvider.dir)
	}
	os.Exit(code)
}

func findCLI() error {
	cli, err := terraformcli.Find(context.Background(), os.Stderr)
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

// provider returns a provider block for the account, with more arguments.
func (a *account) provider(settings ...string) string {
	return fmt.Sprintf(`
provider "fractel" {
  endpoint            = %q
  username            = "demo"
  password            = "demo-password"
  requests_per_second = 1000
  %s
}
`, a.endpoint, strings.Join(settings, "\n  "))
}

// inProcess serves the provider to plugin-testing.
func inProcess() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"fractel": func() (tfprotov6.ProviderServer, error) { return NewServer("test"), nil },
	}
}

// coverage is the directory for the coverage of the provider when the CLI runs it; "" if it is not measured, see `make
// cover`.
var coverage = os.Getenv("FRACTEL_TEST_COVERAGE")

// builtProvider is the provider binary, built once for all tests that run it as users do.
var builtProvider struct {
	once sync.Once
	dir  string
	err  error
}

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
	builtProvider.once.Do(func() {
		if builtProvider.dir, builtProvider.err = os.MkdirTemp("", "fractel-test-"); builtProvider.err == nil { //nolint:usetesting // It outlives the test that creates it.
			var flags []string
			if coverage != "" { // Otherwise, the binary writes no coverage.
				flags = []string{"-cover", "-coverpkg=.,./internal/fonestorm,./internal/provider"}
			}
			builtProvider.err = terraformcli.BuildProvider(context.Background(), filepath.Join("..", ".."), builtProvider.dir, flags...)
		}
	})
	if builtProvider.err != nil {
		t.Fatal(builtProvider.err)
	}
	env = append([]string{
		"FRACTEL_ENDPOINT=" + a.endpoint, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password", "FRACTEL_REQUESTS_PER_SECOND=1000",
	}, env...)
	if coverage != "" {
		env = append(env, "GOCOVERDIR="+coverage)
	}
	w, err := terraformcli.New(os.Getenv("TF_ACC_TERRAFORM_PATH"), t.TempDir(), builtProvider.dir, env...)
	if err != nil {
		t.Fatal(err)
	}
	result := &workspace{Workspace: w, t: t}
	result.configure(config)
	return result
}

// configure replaces the configuration.
func (w *workspace) configure(config string) {
	w.t.Helper()
	header := "terraform {\n  required_providers {\n    fractel = {\n      source = \"fractel/fractel\"\n    }\n  }\n}\n"
	if strings.Contains(config, "required_providers") {
		header = ""
	}
	w.write("main.tf", header+config)
}

// write writes another file next to the configuration.
func (w *workspace) write(name, content string) {
	w.t.Helper()
	if err := w.Write(name, content); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the CLI, checks its exit code, and returns its output without colors and frames.
func (w *workspace) run(exitCode int, args ...string) string {
	w.t.Helper()
	output, code, err := w.Run(w.t.Context(), args...)
	if err != nil {
		w.t.Fatal(err)
	}
	if code != exitCode {
		w.t.Fatalf("terraform %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, exitCode, output)
	}
	return unframed(output)
}

func (w *workspace) plan(exitCode int, args ...string) string {
	w.t.Helper()
	return w.run(exitCode, append([]string{"plan", "-no-color", "-input=false", "-detailed-exitcode"}, args...)...)
}

func (w *workspace) apply(args ...string) string {
	w.t.Helper()
	return w.run(0, append([]string{"apply", "-no-color", "-input=false", "-auto-approve"}, args...)...)
}

// unframed removes the frames around diagnostics and their line breaks from an output, so that tests can search for
// sentences.
func unframed(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}

// rejects runs an apply that must end with an error.
func (w *workspace) rejects(args ...string) string {
	w.t.Helper()
	return w.run(1, append([]string{"apply", "-no-color", "-input=false", "-auto-approve"}, args...)...)
}

// outputs returns the outputs of the last apply as JSON.
func (w *workspace) outputs() map[string]any {
	w.t.Helper()
	printed, err := w.Command(w.t.Context(), "output", "-json").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal(printed, &outputs); err != nil {
		w.t.Fatal(err)
	}
	values := map[string]any{}
	for name, output := range outputs {
		values[name] = output.Value
	}
	return values
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// setEnv adds variables to the environment of the CLI.
func (w *workspace) setEnv(env ...string) { w.Env = append(w.Env, env...) }

// unzipped returns the contents of an archive, such as a saved plan.
func unzipped(t *testing.T, path string) []byte {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var content []byte
	for _, file := range archive.File {
		reader, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		content = append(content, part...)
	}
	return content
}

// config returns the resource block of a delivery.
func (d delivery) config(number string) string {
	lines := []string{fmt.Sprintf("type = %q", d.kind)}
	for name, value := range map[string]string{"value": d.value, "url_username": d.username, "url_password": d.password} {
		if value != "" {
			lines = append(lines, fmt.Sprintf("%s = %q", name, value))
		}
	}
	return fmt.Sprintf("resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = %q\n  %s\n}\n", number, strings.Join(lines, "\n  "))
}

// numbered returns the deliveries of the first n FoneNumbers, each at its own address.
func numbered(n int, value string) string {
	return fmt.Sprintf(`
locals {
  numbers = { for i in range(%d) : tostring(3215550000 + i) => "%s" }
}
resource "fractel_fonenumber_delivery" "test" {
  for_each   = local.numbers
  fonenumber = each.key
  type       = "Email"
  value      = each.value
}
`, n, value)
}

func says(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(output, text) {
			t.Errorf("the output does not contain %q:\n%s", text, output)
		}
	}
}
