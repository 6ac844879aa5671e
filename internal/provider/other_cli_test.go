package provider

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// A state of one CLI, including its private state, works with another CLI. FRACTEL_TEST_OTHER_CLI=tofu names the other CLI. One
// creates, the other changes, both then plan nothing, and the other destroys.
func TestAccStateOfAnotherCLI(t *testing.T) {
	t.Parallel()
	other := os.Getenv("FRACTEL_TEST_OTHER_CLI")
	if other == "" {
		t.Skip("requires two CLIs: set FRACTEL_TEST_OTHER_CLI to a CLI other than the one that runs the tests")
	}
	path, err := exec.LookPath(other)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	this := os.Getenv("TF_ACC_TERRAFORM_PATH")
	for _, clis := range [][2]string{{this, path}, {path, this}} {
		t.Run(filepath.Base(clis[0])+" first", func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{FoneNumbers: 3})
			kept, imported := delivery{kind: "Email", value: "ops@example.com"}, delivery{kind: "Email", value: "imported@example.com"}
			a.byHand("3215550002", imported.kind, imported.value)
			as := settings[0]
			w := a.newWorkspace(t, as.block("password", "3215550000", destinations[2])+as.block("imported", "3215550002", imported)+
				as.block("kept", "3215550001", kept, `on_destroy = "keep"`)+
				"import {\n  to = fractel_fonenumber_delivery.imported\n  id = \"3215550002\"\n}\n").with(clis[0])
			says(t, w.apply(0), "1 imported, 2 added, 0 changed, 0 destroyed")

			w = w.with(clis[1])
			w.plan(0)
			a.byHand("3215550000", "None", "")
			a.byHand("3215550002", "None", "")
			says(t, w.apply(0), "0 added, 2 changed, 0 destroyed")
			w = w.with(clis[0])
			w.plan(0)

			w = w.with(clis[1])
			says(t, w.apply(0, "-destroy"), "3 destroyed")
			a.mustDeliver(t, "3215550000", delivery{kind: "None"})
			a.mustDeliver(t, "3215550001", kept)
			a.mustDeliver(t, "3215550002", imported)
		})
	}
}

// with returns the same working directory for another CLI.
func (w *workspace) with(cli string) *workspace {
	w.t.Helper()
	other, err := terraformcli.New(cli, w.Dir, providerDir, w.Env...)
	if err != nil {
		w.t.Fatal(err)
	}
	result := &workspace{other, w.t}
	// OpenTofu can use a state of Terraform unchanged. Terraform needs `state replace-provider`, see the guide on moving.
	state, _ := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
	if !isTofu(inspected(cli)) && strings.Contains(string(state), "registry.opentofu.org/") {
		says(w.t, result.run(0, "state", "replace-provider", "-auto-approve", "registry.opentofu.org/fractel/fractel", "fractel/fractel"),
			"Successfully replaced provider for 3 resources.")
	}
	return result
}
