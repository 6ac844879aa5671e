package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// newModule returns a working directory that contains the example module and its tests.
func newModule(t *testing.T, a *account) *workspace {
	t.Helper()
	w := a.newWorkspace(t, "")
	if err := os.Remove(filepath.Join(w.Dir, "main.tf")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join(root, "examples", "module-fonenumbers"))); err != nil {
		t.Fatal(err)
	}
	return w
}

// The module's own tests pass without an account, and fail if the module is wrong.
func TestAccModuleExample(t *testing.T) {
	t.Parallel()
	needs(t, mockedProviders)
	a := newAccount(t, simulator.Options{})
	w := newModule(t, a)
	says(t, w.run(0, "test", "-no-color"), "Success! 4 passed, 0 failed.")
	if n := len(a.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
	main, err := os.ReadFile(filepath.Join(w.Dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("main.tf", strings.Replace(string(main), `"Forward"`, `"Device"`, 1))
	says(t, w.run(1, "test", "-no-color"), "A type does not follow from its destination.")
}

// The module works with a real provider.
func TestAccModuleExampleApplies(t *testing.T) {
	t.Parallel()
	needs(t, mockedProviders)
	a := newAccount(t, simulator.Options{FoneNumbers: 2})
	w := newModule(t, a)
	w.write("terraform.tfvars", "fonenumbers = {\n  \"3215550000\" = \"ops@example.com\"\n  \"3215550001\" = null\n}\n")
	w.apply()
	w.plan(0)
	a.mustDeliver(t, "3215550000", delivery{kind: "Email", value: "ops@example.com"})
	if got := asJSON(t, w.outputs()["deleting"]); got != `["3215550001"]` {
		t.Errorf("deleting %s", got)
	}
}
