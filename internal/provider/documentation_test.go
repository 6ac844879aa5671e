package provider

import (
	"go/ast"
	"go/constant"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// root is the root of the repository.
var root = filepath.Join("..", "..")

// pages returns the documentation by path below the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join(root, "examples", "README.md"))
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(file string, _ fs.DirEntry, err error) error {
		if filepath.Ext(file) == ".md" {
			files = append(files, file)
		}
		return err
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	found := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, file)
		found[filepath.ToSlash(name)] = string(content)
	}
	return found
}

// summaries returns the summaries of all errors and warnings in the provider's code.
func summaries(t *testing.T) (failures, warnings []string) {
	t.Helper()
	set := gotoken.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Error: func(error) {}} // Errors of missing imports do not matter for constants of this package.
	_, _ = config.Check("provider", set, files, info)
	add := func(to *[]string, summary ast.Expr) {
		if value := info.Types[summary].Value; value != nil && value.Kind() == constant.String {
			*to = append(*to, constant.StringVal(value))
		}
	}
	for _, advice := range adviceFor {
		failures = append(failures, advice.summary)
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if maker, ok := n.Fun.(*ast.Ident); ok && maker.Name == "credentialRule" {
					add(&failures, n.Args[0])
				}
				if method, ok := n.Fun.(*ast.SelectorExpr); ok {
					switch method.Sel.Name {
					case "AddError", "NewErrorDiagnostic":
						add(&failures, n.Args[0])
					case "AddAttributeError", "NewAttributeErrorDiagnostic":
						add(&failures, n.Args[1])
					case "AddWarning":
						add(&warnings, n.Args[0])
					case "AddAttributeWarning":
						add(&warnings, n.Args[1])
					}
				}
			case *ast.CompositeLit:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "rule" && len(n.Elts) > 0 {
					add(&failures, n.Elts[0].(*ast.KeyValueExpr).Value)
				}
			}
			return true
		})
	}
	return failures, warnings
}

// The troubleshooting guide explains every error and warning, and none that does not exist.
func TestErrorsAndWarningsAreExplained(t *testing.T) {
	t.Parallel()
	failures, warnings := summaries(t)
	if len(failures) < 30 || len(warnings) < 14 {
		t.Fatalf("found only %d errors and %d warnings", len(failures), len(warnings))
	}
	guide := pages(t)["docs/guides/troubleshooting.md"]
	known := slices.AppendSeq(failures, maps.Keys(errorsOfTheCLI))
	explained := regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(guide, -1)
	wantSame(t, "the troubleshooting guide", known, explained)

	table := regexp.MustCompile(`(?s)\| Warning \| .*?\n\n`).FindString(guide)
	rows := regexp.MustCompile(`(?m)^\| ([A-Z].+?) \| .+ \|$`).FindAllStringSubmatch(table, -1)
	wantSame(t, "the table of warnings", append(warnings,
		"Warning", // Header of the table.
		"Available Write-Only Attribute Alternative",
		"FoneNumber Not Found in Account", // Has the summary of the error.
	), rows)
}

// errorsOfTheCLI are the errors of the CLI and of libraries that the guide explains, and a configuration that causes each.
var errorsOfTheCLI = map[string]string{
	"Inconsistent dependency lock file": "data \"fractel_devices\" \"all\" {} # Without required_providers.",
	"Invalid Attribute Combination":     "provider \"fractel\" {\n  token    = \"a\"\n  username = \"b\"\n}\ndata \"fractel_devices\" \"all\" {}",
	"Invalid Attribute Value Match":     "data \"fractel_fonenumbers\" \"local\" {\n  area_code = \"32\"\n}",
	"Invalid function argument":         "output \"number\" {\n  value = provider::fractel::normalize_fonenumber(\"1-800-FLOWERS\")\n}",
	"Invalid provider configuration":    "data \"fractel_devices\" \"all\" {}",
	"Invalid use of ephemeral value": "variable \"number\" {\n  default   = \"3215551202\"\n  ephemeral = true\n}\n" +
		"resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = var.number\n  type       = \"None\"\n}",
	"Missing Attribute Configuration":              "data \"fractel_device\" \"test\" {}",
	"Missing Configuration for Required Attribute": "resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = null\n  type       = \"None\"\n}",
	"WriteOnly Attribute Not Allowed": "resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = \"3215551202\"\n  type = \"URL\"\n  value = \"https://example.com\"\n" +
		"  url_username = \"hook\"\n  url_password_wo = \"horse\"\n  url_password_wo_version = 1\n}",
}

// The CLI calls these errors as the guide does.
func TestAccErrorsOfTheCLI(t *testing.T) {
	t.Parallel()
	for summary, config := range errorsOfTheCLI {
		t.Run(summary, func(t *testing.T) {
			t.Parallel()
			throughCLI(t)
			switch hasWriteOnly := writeOnly.in(theCLI()); {
			case summary == "WriteOnly Attribute Not Allowed" && hasWriteOnly,
				summary == "Invalid use of ephemeral value" && (!hasWriteOnly || isTofu(theCLI())):
				t.Skipf("%s has another error", theCLI().Product())
			}
			credentials := "demo"
			if summary == "Invalid provider configuration" {
				credentials = ""
			}
			w := newAccount(t, simulator.Options{}).newWorkspace(t, config, "FRACTEL_USERNAME="+credentials)
			says(t, w.plan(1), "Error: "+summary)
		})
	}
}

func wantSame(t *testing.T, where string, want []string, got [][]string) {
	t.Helper()
	missing := map[string]bool{}
	for _, summary := range want {
		missing[summary] = true
	}
	for _, match := range got {
		if !slices.Contains(want, match[1]) {
			t.Errorf("%s explains %q, which does not exist", where, match[1])
		}
		delete(missing, match[1])
	}
	if len(missing) > 0 {
		t.Errorf("%s lacks %q", where, slices.Sorted(maps.Keys(missing)))
	}
}

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```(\\w*)\\n(.*?)^ *```$") // Blocks in lists are indented.
	inlineCode = regexp.MustCompile("`[^`\\n]*`")
)

// Code blocks use only languages that the Registry can render, and configurations that require the provider constrain its
// version.
func TestCodeInTheDocumentation(t *testing.T) {
	t.Parallel()
	for page, content := range pages(t) {
		for _, block := range codeBlock.FindAllStringSubmatch(content, -1) {
			if language := block[1]; !slices.Contains([]string{"terraform", "hcl", "shell", "csv", "yaml", "text", ""}, language) {
				t.Errorf("%s has a block of %s", page, language)
			}
			if strings.Contains(block[2], `"fractel/fractel"`) && strings.Contains(block[2], "required_providers") && !strings.Contains(block[2], `version = "~> `) {
				t.Errorf("%s has required_providers without a version:\n%s", page, block[2])
			}
		}
	}
}

// A page has the same title in the navigation and as its heading.
func TestTitlesInTheDocumentation(t *testing.T) {
	t.Parallel()
	title := regexp.MustCompile(`(?m)^page_title: "(.+)"\n(?s:.*?)^# (.+)$`)
	for page, content := range pages(t) {
		found := title.FindStringSubmatch(content)
		switch {
		case !strings.HasPrefix(page, "docs/"):
		case found == nil:
			t.Errorf("%s has no title", page)
		case strings.HasPrefix(page, "docs/guides/") || page == "docs/index.md":
			if found[1] != found[2] {
				t.Errorf("%s has the titles %q and %q", page, found[1], found[2])
			}
		case !strings.HasSuffix(found[1], " - FracTEL"): // tfplugindocs adds this suffix.
			t.Errorf("%s has the title %q", page, found[1])
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)">`)
	noWord  = regexp.MustCompile(`[^\w\- ]`)
)

// anchors returns the anchors of a page.
func anchors(content string) []string {
	var found []string
	for _, match := range anchor.FindAllStringSubmatch(content, -1) {
		found = append(found, match[1])
	}
	for _, match := range heading.FindAllStringSubmatch(content, -1) {
		found = append(found, strings.ReplaceAll(noWord.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return found
}

// registry is the address of the overview, docs/index.md, in the Terraform Registry. It does not end with a slash.
const registry = "https://registry.terraform.io/providers/fractel/fractel/latest/docs"

// address returns the address of a page of docs in the Registry.
func address(page string) string {
	return strings.TrimSuffix(registry+strings.TrimSuffix(strings.TrimPrefix(page, "docs"), ".md"), "/index")
}

// Links within the documentation lead to a page and a heading, in the Registry, which resolves them against the address of the page,
// and on GitHub, which resolves them against the file. Links to other sites are not checked.
func TestLinksInTheDocumentation(t *testing.T) {
	t.Parallel()
	all := pages(t)
	published := map[string]string{}
	for page := range all {
		if strings.HasPrefix(page, "docs/") {
			published[address(page)] = page
		}
	}
	links := 0
	for page, content := range all {
		for _, match := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(content, ""), -1) {
			links++
			target, fragment, _ := strings.Cut(match[1], "#")
			to := page // Of a link that is only a fragment.
			switch {
			case strings.HasPrefix(target, registry):
				to = published[target]
			case strings.HasPrefix(target, "https://"):
				continue
			case target != "" && published[address(page)] == page:
				t.Errorf("%s links to %s, which leads nowhere in the Registry or on GitHub: use an address that begins with %s", page, match[1], registry)
				continue
			case target != "":
				to = path.Join(path.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); to == "" || err != nil {
				t.Errorf("%s links to %s, which does not exist", page, match[1])
			} else if fragment != "" && !slices.Contains(anchors(all[to]), fragment) {
				t.Errorf("%s links to %s, but there are only %q", page, match[1], anchors(all[to]))
			}
		}
	}
	if links < 20 {
		t.Errorf("found only %d links", links)
	}
}

// Names have one spelling. The linter finds other misspellings.
func TestNamesInTheDocumentation(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`(?i)\b(?:fone ?numbers?|fone ?storm|fractel|open ?tofu)\b`)
	right := []string{"FoneNumber", "FoneNumbers", "FoneStorm", "FracTEL", "OpenTofu"}
	for page, content := range pages(t) {
		prose := inlineCode.ReplaceAllString(codeBlock.ReplaceAllString(content, ""), "")
		prose = regexp.MustCompile(`\]\([^)]*\)|https?://\S+|<a id.*|(?m)^page_title:.*$|^#+ .*Schema for.*$|^# .*$`).ReplaceAllString(prose, "]")
		for _, found := range name.FindAllString(prose, -1) {
			if !slices.Contains(right, found) {
				t.Errorf("%s has %q", page, found)
			}
		}
	}
}

// Files and tests that GNUmakefile and the pages for contributors name exist.
func TestFilesInTheDocumentation(t *testing.T) {
	t.Parallel()
	var files, tests strings.Builder
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		files.WriteString(filepath.ToSlash(file) + "\n")
		if err == nil && strings.HasSuffix(file, "_test.go") {
			content, failed := os.ReadFile(file)
			tests.Write(content)
			err = failed
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w./-]+\\.(?:go|yaml|csv|tmpl)|Test\\w+)`")
	for page, content := range pages(t) {
		for _, found := range named.FindAllStringSubmatch(codeBlock.ReplaceAllString(content, ""), -1) {
			exists := strings.Contains(files.String(), "/"+found[1]+"\n") || strings.Contains(tests.String(), "func "+found[1]+"(")
			if !exists && !strings.HasPrefix(page, "docs/") {
				t.Errorf("%s names %s, which does not exist", page, found[1])
			}
		}
	}
	commands, err := os.ReadFile(filepath.Join(root, "GNUmakefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`-run '?\^?(Test\w+)`).FindAllStringSubmatch(string(commands)+pages(t)["CONTRIBUTING.md"], -1) {
		if !strings.Contains(tests.String(), "func "+found[1]) {
			t.Errorf("GNUmakefile or CONTRIBUTING.md runs %s, which does not exist", found[1])
		}
	}
}
