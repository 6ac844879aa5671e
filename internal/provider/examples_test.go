package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Every example of the documentation is applied, plans empty, and is destroyed. Import blocks are in
// TestImportBlockPlansOnlyTheImport, the examples that are whole configurations in tests of their own.
func TestExamples(t *testing.T) {
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
			a := newAccount(t, simulator.Options{})
			for _, number := range []string{
				"3215551212", "3215551201", "3215551202", "3215551203", "3215551204", "3215551205", "3215551206", "3215551207",
			} {
				a.Put(simulator.FoneNumber{Number: number, Group: "Branches"})
			}
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
