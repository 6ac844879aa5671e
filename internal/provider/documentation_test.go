package provider

import (
	"cmp"
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
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "examples/README.md", "docs/*.md", "docs/*/*.md"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, file := range files {
			name, _ := filepath.Rel(root, file)
			found[filepath.ToSlash(name)] = read(t, file)
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d pages", len(found))
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// summary matches the summary of an error or a warning in the provider's code: a text or a constant.
var summary = regexp.MustCompile(`(?:Add(?:Attribute)?(Error|Warning)\(|rule\{)` +
	`(?:path\.Root\([^)]*\), )?(?:"(.+?)"|(summary\w+),)`)

// summaries returns the summaries of all errors and warnings in the provider's code.
func summaries(t *testing.T) (failures, warnings []string) {
	t.Helper()
	files, _ := filepath.Glob("*.go")
	code := ""
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			code += read(t, file)
		}
	}
	constants := map[string]string{}
	for _, match := range regexp.MustCompile(`(summary\w+) += "(.+)"`).FindAllStringSubmatch(code, -1) {
		constants[match[1]] = match[2]
	}
	for _, match := range summary.FindAllStringSubmatch(code, -1) {
		if text := match[2] + constants[match[3]]; match[1] == "Warning" {
			warnings = append(warnings, text)
		} else {
			failures = append(failures, text)
		}
	}
	for _, advice := range adviceFor {
		failures = append(failures, advice.summary)
	}
	return failures, warnings
}

func TestErrorsAndWarningsAreExplained(t *testing.T) {
	t.Parallel()
	failures, warnings := summaries(t)
	if len(failures) < 30 || len(warnings) < 14 {
		t.Fatalf("found only %d errors and %d warnings", len(failures), len(warnings))
	}
	guide := pages(t)["docs/guides/troubleshooting.md"]
	known := slices.AppendSeq(failures, maps.Keys(errorsOfTheCLI))
	known = append(known, "Invalid use of ephemeral value", "WriteOnly Attribute Not Allowed") // Only some CLIs have these.
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
	"Configuration Read Error":                     "provider \"fractel\" {\n  max_retries = 1.5\n}\ndata \"fractel_devices\" \"all\" {}",
	"Inconsistent dependency lock file":            "data \"fractel_devices\" \"all\" {} # Without required_providers.",
	"Invalid Attribute Combination":                "provider \"fractel\" {\n  token    = \"a\"\n  username = \"b\"\n}\ndata \"fractel_devices\" \"all\" {}",
	"Invalid Attribute Value Match":                "data \"fractel_fonenumbers\" \"local\" {\n  area_code = \"32\"\n}",
	"Invalid function argument":                    "output \"number\" {\n  value = provider::fractel::normalize_fonenumber(\"1-800-FLOWERS\")\n}",
	"Invalid provider configuration":               "data \"fractel_devices\" \"all\" {}",
	"Missing Configuration for Required Attribute": "resource \"fractel_fonenumber_delivery\" \"test\" {\n  fonenumber = null\n  type       = \"None\"\n}",
}

// The CLI calls these errors as the guide does.
func TestAccErrorsOfTheCLI(t *testing.T) {
	t.Parallel()
	for summary, config := range errorsOfTheCLI {
		t.Run(summary, func(t *testing.T) {
			t.Parallel()
			credentials := "demo"
			if summary == "Invalid provider configuration" {
				credentials = ""
			}
			w := newAccount(t, simulator.Options{}).newWorkspace(t, config, "FRACTEL_USERNAME="+credentials)
			output := w.plan(1)
			if says(t, output, "Error: "+summary); strings.Contains(output, "..") {
				t.Errorf("ends with two periods, of which Terraform added one:\n%s", output)
			}
		})
	}
}

func wantSame(t *testing.T, where string, want []string, found [][]string) {
	t.Helper()
	var got []string
	for _, match := range found {
		got = append(got, match[1])
	}
	for _, summary := range append(want, got...) {
		if explained, exists := slices.Contains(got, summary), slices.Contains(want, summary); explained != exists {
			t.Errorf("%s: %q is explained: %t, and exists: %t", where, summary, explained, exists)
		}
	}
}

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```(\\w*)\\n(.*?)^ *```$") // Blocks in lists are indented.
	title     = regexp.MustCompile(`(?m)^page_title: "(.+)"\n(?s:.*?)^# (.+)$`)
)

// Configurations that require the provider constrain its version, and a page of the Registry has the same title in the navigation and as
// its heading. The linter finds misspelled names.
func TestPagesSuitTheRegistry(t *testing.T) {
	t.Parallel()
	for page, content := range pages(t) {
		for _, block := range codeBlock.FindAllStringSubmatch(content, -1) {
			if strings.Contains(block[2], `"fractel/fractel"`) && strings.Contains(block[2], "required_providers") && !strings.Contains(block[2], `version = "~> `) {
				t.Errorf("%s has required_providers without a version:\n%s", page, block[2])
			}
		}
		if !strings.HasPrefix(page, "docs/") {
			continue
		}
		found := title.FindStringSubmatch(content)
		isReference := found != nil && strings.HasSuffix(found[1], " - FracTEL") // tfplugindocs adds this suffix.
		if found == nil || found[1] != found[2] && !isReference {
			t.Errorf("%s has the titles %q", page, found)
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)">`)
	noWord  = regexp.MustCompile(`[^\w\- ]`)
)

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

// Links within the documentation lead to a page and a heading, in the Registry, which resolves them against the address of the page,
// and on GitHub, which resolves them against the file. Links to other sites are not checked.
func TestLinksInTheDocumentation(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page, content := range all {
		for _, match := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(content, ""), -1) {
			target, fragment, _ := strings.Cut(match[1], "#")
			to := page // Of a link that is only a fragment.
			switch inRegistry, found := strings.CutPrefix(target, registry); {
			case found:
				to = "docs" + cmp.Or(inRegistry, "/index") + ".md"
			case strings.HasPrefix(target, "https://"):
				continue
			case target != "" && strings.HasPrefix(page, "docs/"):
				t.Errorf("%s links to %s, which leads nowhere in the Registry or on GitHub: use an address that begins with %s", page, match[1], registry)
				continue
			case target != "":
				to = path.Join(path.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s links to %s, which does not exist", page, match[1])
			} else if fragment != "" && !slices.Contains(anchors(all[to]), fragment) {
				t.Errorf("%s links to %s, but there are only %q", page, match[1], anchors(all[to]))
			}
		}
	}
}

// Files and tests that GNUmakefile and the pages for contributors name exist.
func TestFilesInTheDocumentation(t *testing.T) {
	t.Parallel()
	var existing strings.Builder
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		existing.WriteString(filepath.ToSlash(file) + "\n")
		if err == nil && strings.HasSuffix(file, "_test.go") {
			for _, test := range regexp.MustCompile(`func (Test\w+)`).FindAllStringSubmatch(read(t, file), -1) {
				existing.WriteString("/" + test[1] + "\n")
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sources := pages(t)
	sources["GNUmakefile"] = read(t, filepath.Join(root, "GNUmakefile"))
	for source, content := range sources {
		if strings.HasPrefix(source, "docs/") { // Names files of the user.
			continue
		}
		for _, name := range regexp.MustCompile("`[\\w./-]+\\.(?:go|yaml|csv|tmpl)`|\\bTest[A-Z]\\w+").FindAllString(content, -1) {
			if !strings.Contains(existing.String(), "/"+strings.Trim(name, "`")) { // The name of a test can be cut off.
				t.Errorf("%s names %s, which does not exist", source, name)
			}
		}
	}
}
