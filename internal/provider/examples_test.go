package provider

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// example is a configuration in README or docs, which include those in examples/.
type example struct{ page, config string }

// documentedExamples returns each configuration in README and docs once.
func documentedExamples(t *testing.T) []example {
	t.Helper()
	all := pages(t)
	var examples []example
	seen := map[string]bool{}
	for _, page := range slices.Sorted(maps.Keys(all)) {
		for _, found := range codeBlock.FindAllStringSubmatch(all[page], -1) {
			if language, config := found[1], found[2]; (language == "terraform" || language == "hcl") && !seen[config] {
				seen[config] = true
				examples = append(examples, example{page, config})
			}
		}
	}
	if len(examples) < 25 {
		t.Fatalf("found only %d configurations", len(examples))
	}
	return examples
}

// partial reports whether an example depends on something that the text around it describes. Other tests cover these
// examples.
func (e example) partial() bool {
	switch {
	case strings.HasPrefix(e.config, "list "): // TestAccDocumentedQueries.
	case strings.HasPrefix(e.config, "import {") && !strings.Contains(e.config, "resource \""): // TestAccDocumentedImports.
	case strings.Contains(e.config, "restapi_object"): // Resources of another provider: TestAccGuideOnMoving and TestMove….
	case strings.Contains(e.config, "mock_provider"), strings.Contains(e.config, "var.on_destroy"), strings.Contains(e.config, `variable "fonenumbers"`): // TestAccModuleExample.
	default:
		return false
	}
	return true
}

// canRun reports whether the CLI has the features that the example uses.
func (e example) canRun(t *testing.T) bool {
	t.Helper()
	for text, f := range map[string]feature{
		"identity = {": importByIdentity, "provider::": providerFunctions, "url_password_wo": writeOnly,
	} {
		if strings.Contains(e.config, text) && lacks(t, f, e.page) {
			return false
		}
	}
	return !e.imports() || !strings.Contains(e.config, "for_each") || !lacks(t, importForEach, e.page)
}

var (
	blockHeader = regexp.MustCompile(`(?m)^(\w[^={]*)\{`)
	anyTenDigit = regexp.MustCompile(`\b[0-9]{10}\b`)
)

// imports reports whether the example imports deliveries.
func (e example) imports() bool { return strings.Contains(e.config, "import {") }

// claims returns the block names and FoneNumbers that no other example in the same configuration can contain. An example
// that imports, or manages every FoneNumber of the account, claims all.
func (e example) claims() (claims []string, all bool) {
	for _, header := range blockHeader.FindAllStringSubmatch(e.config, -1) {
		claims = append(claims, header[1])
	}
	return append(claims, anyTenDigit.FindAllString(e.config, -1)...), e.imports() || strings.Contains(e.config, "= data.fractel_fonenumbers.")
}

// together puts examples that do not conflict into few groups.
func together(examples []example) (groups [][]example) {
	var claimed []map[string]bool
	for _, e := range examples {
		claims, all := e.claims()
		isFree := func(group map[string]bool) bool {
			return group != nil && !all && !slices.ContainsFunc(claims, func(claim string) bool { return group[claim] })
		}
		i := slices.IndexFunc(claimed, isFree)
		if i < 0 {
			i, groups, claimed = len(groups), append(groups, nil), append(claimed, map[string]bool{})
		}
		groups[i] = append(groups[i], e)
		for _, claim := range claims {
			claimed[i][claim] = true
		}
		if all {
			claimed[i] = nil
		}
	}
	return groups
}

// newExampleWorkspace returns a working directory with these unchanged examples and the files that they name. The account is
// the one that `make simulator` serves.
func newExampleWorkspace(t *testing.T, examples ...example) (*account, *workspace) {
	t.Helper()
	a := newAccount(t, simulator.Options{Documented: true})
	w := a.newWorkspace(t, "", simulator.DocumentedVariables()...)
	for i, e := range examples {
		w.write(fmt.Sprintf("example%d.tf", i), e.config)
		if strings.Contains(e.config, "required_providers") {
			w.write("main.tf", "") // Which has them for those that do not.
		}
		if strings.Contains(e.config, "fonenumbers.csv") {
			table, err := os.ReadFile(filepath.Join(root, "examples", "adopt-account", "fonenumbers.csv"))
			if err != nil {
				t.Fatal(err)
			}
			w.write("fonenumbers.csv", string(table))
		}
		if strings.Contains(e.config, "./module-fonenumbers") {
			if err := os.CopyFS(filepath.Join(w.Dir, "module-fonenumbers"), os.DirFS(filepath.Join(root, "examples", "module-fonenumbers"))); err != nil {
				t.Fatal(err)
			}
			w.run(0, "get", "-no-color")
		}
	}
	return a, w
}

// Every complete configuration in README and docs works unchanged with the account that `make simulator` serves: it applies,
// and the next plan is empty.
func TestAccDocumentedExamples(t *testing.T) {
	t.Parallel()
	var complete []example
	all := ""
	for _, e := range documentedExamples(t) {
		all += e.config
		if !e.partial() && e.canRun(t) {
			complete = append(complete, e)
		}
	}
	for i, group := range together(complete) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for _, e := range group {
				t.Logf("%s:\n%s", e.page, e.config)
			}
			a, w := newExampleWorkspace(t, group...)
			w.apply()
			w.plan(0)
			if n := a.count("set"); group[0].imports() && n > 0 {
				t.Errorf("importing sent %d settings", n)
			}
		})
	}
	for _, d := range destinations {
		if !strings.Contains(all, `type       = "`+d.kind+`"`) {
			t.Errorf("there is no example of type %s", d.kind)
		}
	}
}

// Every separate import block imports a delivery for which Terraform can generate the configuration.
func TestAccDocumentedImports(t *testing.T) {
	t.Parallel()
	imports := 0
	for _, e := range documentedExamples(t) {
		if !strings.HasPrefix(e.config, "import {") || !e.partial() || !e.canRun(t) {
			continue
		}
		imports++
		t.Run(fmt.Sprint(imports), func(t *testing.T) {
			t.Parallel()
			t.Logf("%s:\n%s", e.page, e.config)
			_, w := newExampleWorkspace(t, e)
			says(t, w.plan(2, "-generate-config-out=generated.tf"), "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.")
		})
	}
	if imports < 2 {
		t.Errorf("found only %d import blocks", imports)
	}
}

// Every list block finds FoneNumbers in the account that `make simulator` serves.
func TestAccDocumentedQueries(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	blocks := 0
	for _, e := range documentedExamples(t) {
		if !strings.HasPrefix(e.config, "list ") {
			continue
		}
		blocks++
		_, w := newExampleWorkspace(t)
		w.write("provider.tf", "provider \"fractel\" {}\n")
		w.write("example.tfquery.hcl", e.config)
		says(t, w.run(0, "query", "-no-color"), "Support hooks")
	}
	if blocks < 2 {
		t.Errorf("found only %d list blocks", blocks)
	}
}

// The configurations in the documentation are formatted.
func TestAccDocumentedExamplesAreFormatted(t *testing.T) {
	t.Parallel()
	_, w := newExampleWorkspace(t)
	for i, e := range documentedExamples(t) {
		w.write(fmt.Sprintf("example%d.tf", i), e.config)
	}
	w.run(0, "fmt", "-check", "-diff", "-no-color")
}

// guided returns the configuration in a guide that contains this text.
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

// The guide on moving: deliveries move from another provider's state to this one's without changes in FoneStorm.
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

// The guide on adoption: the data source supplies the import block, which needs its result before the plan.
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
