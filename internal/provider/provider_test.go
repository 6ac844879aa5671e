package provider

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// TestMain makes sure that the tests meet the real CLI: without one they fail, they are not skipped.
func TestMain(m *testing.M) {
	cli, err := terraformcli.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("TF_ACC_TERRAFORM_PATH", cli)
	os.Setenv("CHECKPOINT_DISABLE", "1")
	os.Unsetenv("TF_CLI_CONFIG_FILE") // Which may name another build of the provider, or a file that is not there.
	if theCLI().isTofu {
		os.Setenv("TF_ACC_PROVIDER_HOST", "registry.opentofu.org") // At the other one it does not take all that plugin-testing names.
	}
	code := m.Run()
	if builtProvider.dir != "" {
		os.RemoveAll(builtProvider.dir)
	}
	os.Exit(code)
}

// account is a simulated FoneStorm account and where it is served.
type account struct {
	*simulator.Simulator
	endpoint string
}

// newAccount returns an account for one test. The test fails if any request or answer breaks FoneStorm's contract.
func newAccount(t *testing.T, options simulator.Options) *account {
	t.Helper()
	sim, err := simulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		for _, violation := range sim.Violations() {
			t.Error("FoneStorm would have refused:", violation)
		}
	})
	return &account{Simulator: sim, endpoint: server.URL + simulator.BasePath}
}

// settingOf returns the FoneNumber that a request sets; "" when it sets none. It reads the body.
func settingOf(r *http.Request) string {
	var setting struct {
		FoneNumber string `json:"fonenumber"`
	}
	if json.NewDecoder(r.Body).Decode(&setting) != nil {
		return ""
	}
	return setting.FoneNumber
}

// provider returns a provider block for the account, with further settings.
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

// count returns how many requests of a kind there have been.
func (a *account) count(kind string) int {
	n := 0
	for _, r := range a.Requests() {
		if r.Kind() == kind {
			n++
		}
	}
	return n
}

// byHand changes where a FoneNumber delivers behind Terraform's back.
func (a *account) byHand(number, kind, value string) {
	f, _ := a.Get(number)
	f.Number = number
	f.Receive = f.Receive.Delivering(kind, value)
	a.Put(f)
}

// inProcess serves the provider to plugin-testing.
func inProcess() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"fractel": func() (tfprotov6.ProviderServer, error) { return NewServer("test"), nil },
	}
}

// coverage is the folder for what the provider covers when the CLI runs it; "" when nobody asks, see `make cover`.
var coverage = os.Getenv("FRACTEL_TEST_COVERAGE")

// builtProvider is the provider as a program, built once for all tests that run it as users do.
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

// newWorkspace returns a working directory of the CLI that uses the built provider and this configuration. The
// provider block is filled from the environment.
func (a *account) newWorkspace(t *testing.T, config string, env ...string) *workspace {
	t.Helper()
	builtProvider.once.Do(func() {
		if builtProvider.dir, builtProvider.err = os.MkdirTemp("", "fractel-test-"); builtProvider.err == nil { //nolint:usetesting // It outlives the test that makes it.
			var flags []string
			if coverage != "" { // A program that is not covered itself would write nothing.
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

// write puts another file beside the configuration.
func (w *workspace) write(name, content string) {
	w.t.Helper()
	if err := w.Write(name, content); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the CLI, checks its exit code and returns what it printed, without colors and frames.
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

// unframed takes the frames that the CLI draws around diagnostics, and its line breaks, out of an output, so that
// sentences can be searched for.
func unframed(output string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(output)), " ")
}

// setEnv adds settings to the environment of the CLI.
func (w *workspace) setEnv(env ...string) { w.Env = append(w.Env, env...) }

// unzipped returns all that is in an archive, such as a saved plan.
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
