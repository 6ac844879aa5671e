package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Every example of the resource is applied, plans empty, and is destroyed.
func TestExamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "examples")
	provider, err := os.ReadFile(filepath.Join(dir, "provider", "provider.tf"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "resources", "fractel_fonenumber_delivery", "*.tf"))
	if err != nil || len(files) < 7 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	types := map[string]bool{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range destinations {
			types[d.kind] = types[d.kind] || strings.Contains(string(content), `type       = "`+d.kind+`"`)
		}
		if strings.HasPrefix(filepath.Base(file), "import") { // TestImportBlockPlansOnlyTheImport does that.
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			for _, number := range []string{
				"3215551212", "3215551201", "3215551202", "3215551203", "3215551204", "3215551205", "3215551206", "3215551207",
			} {
				a.Put(simulator.FoneNumber{Number: number})
			}
			w := a.newWorkspace(t, string(provider)+string(content), "TF_VAR_hook_password=horse")
			w.apply()
			w.plan(0)
			if n := a.count("set"); n == 0 {
				t.Error("nothing was set")
			}
			w.apply("-destroy")
		})
	}
	for _, d := range destinations {
		if !types[d.kind] {
			t.Errorf("there is no example of type %s", d.kind)
		}
	}
}
