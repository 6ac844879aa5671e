package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Every example of the documentation is applied, plans empty, and is destroyed. Import blocks are in
// TestImportBlockPlansOnlyTheImport, the examples that are whole configurations in tests of their own.
func TestAccExamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "examples")
	provider, err := os.ReadFile(filepath.Join(dir, "provider", "provider.tf"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.tf"))
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	all := ""
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all += string(content)
		if strings.HasPrefix(filepath.Base(file), "import") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			if strings.Contains(string(content), "url_password_wo") {
				needs(t, writeOnly)
			}
			if strings.Contains(string(content), "provider::") {
				needs(t, providerFunctions)
			}
			a := newAccount(t, simulator.Options{})
			for _, number := range []string{
				"3215551212", "3215551201", "3215551202", "3215551203", "3215551204", "3215551205", "3215551206", "3215551207",
			} {
				a.Put(simulator.FoneNumber{Number: number, Group: "Branches"})
			}
			a.PutDevice(simulator.Device{ID: "987123543678", Name: "Front desk", Type: "App"})
			w := a.newWorkspace(t, string(provider)+string(content), "TF_VAR_hook_password=horse")
			w.apply()
			w.plan(0)
			if n := a.count("set"); n == 0 && strings.Contains(string(content), "resource ") {
				t.Error("nothing was set")
			}
			w.apply("-destroy")
		})
	}
	for _, d := range destinations {
		if !strings.Contains(all, `type       = "`+d.kind+`"`) {
			t.Errorf("there is no example of type %s", d.kind)
		}
	}
}

// guided returns the configuration in a guide that has this text in it.
func guided(t *testing.T, guide, text string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", guide))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(content), "```terraform\n")[1:] {
		if block, _, _ = strings.Cut(block, "```"); strings.Contains(block, text) {
			return block
		}
	}
	t.Fatalf("%s has no configuration with %q", guide, text)
	return ""
}

// The guide on moving: deliveries leave another provider's state and come into this one's without a request that
// changes anything.
func TestAccGuideOnMoving(t *testing.T) {
	t.Parallel()
	needs(t, forgetting)
	needs(t, importForEach)
	a := newAccount(t, simulator.Options{})
	a.byHand("3215551206", "Email", "north@example.com")
	a.byHand("3215551207", "Email", "south@example.com")
	w := a.newWorkspace(t, "resource \"terraform_data\" \"delivery\" {\n}\n")
	w.apply()
	w.configure(strings.Replace(guided(t, "moving.md", "removed {"), "restapi_object", "terraform_data", 1))
	says(t, w.apply(), "2 imported, 0 added, 0 changed, 0 destroyed")
	if left := w.run(0, "state", "list"); strings.Contains(left, "terraform_data") || strings.Count(left, "fractel_") != 2 {
		t.Errorf("the state has %s", left)
	}
	if n := a.count("set"); n > 0 {
		t.Errorf("moving sent %d settings", n)
	}
}

// The guide on adopting: the data source feeds the import block, which needs what it reads before anything is planned.
func TestAccGuideOnAdopting(t *testing.T) {
	t.Parallel()
	needs(t, importForEach)
	a, _ := newOddAccount(t, len(oddDeliveries), "yes")
	w := a.newWorkspace(t, guided(t, "adopt-an-existing-account.md", "for_each = data."))
	says(t, w.apply(), fmt.Sprint(len(oddDeliveries))+" imported, 0 added, 0 changed, 0 destroyed")
	w.plan(0)
	if n := a.count("set"); n > 0 {
		t.Errorf("adopting sent %d settings", n)
	}
}
