package provider

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// block is a code block on a page.
type block struct {
	prose    string // The text since the previous block.
	language string
	code     string // Without the indentation of a list.
}

func blocks(content string) (found []block) {
	end := 0
	for _, at := range codeBlock.FindAllStringSubmatchIndex(content, -1) {
		language, code := content[at[2]:at[3]], content[at[4]:at[5]]
		indent := len(code) - len(strings.TrimLeft(code, " "))
		found = append(found, block{content[end:at[0]], language, regexp.MustCompile(fmt.Sprintf("(?m)^ {%d}", indent)).ReplaceAllString(code, "")})
		end = at[1]
	}
	return found
}

// isConfig reports whether the block is a file that the CLI reads.
func (b block) isConfig() bool { return b.language == "terraform" || b.language == "hcl" }

// canRun reports whether the CLI has the features that the block uses.
func (b block) canRun(t *testing.T, page string) bool {
	t.Helper()
	for text, f := range map[string]feature{
		`identity = \{`: importByIdentity, `url_password_wo`: writeOnly, `mock_provider`: mockedProviders, `terraform query|^list `: queries,
		`removed \{`: forgetting,
	} {
		if regexp.MustCompile(text).MatchString(b.code) && lacks(t, f, page) {
			return false
		}
	}
	return true
}

// Whoever follows a page to the letter gets what it says: files are written under the names above them, commands are run, and
// what they print contains the text below them, in one folder until the page asks for another empty one. The account is the one
// that `make simulator` serves.
func TestAccGuides(t *testing.T) {
	t.Parallel()
	throughCLI(t)
	for page, content := range pages(t) {
		if page == "README.md" {
			_, content, _ = strings.Cut(content, "\n## Use it\n") // Before that, it shows what the provider does.
		} else if page != "docs/index.md" && !strings.HasPrefix(page, "docs/guides/") {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
			t.Parallel()
			f, folder := newFollower(t, page), []block{}
			for i, b := range blocks(content) {
				if i > 0 && strings.Contains(b.prose, "empty folder") {
					f.follow(folder, content)
					folder = nil
				}
				folder = append(folder, b)
			}
			f.follow(folder, content)
		})
	}
}

type follower struct {
	*workspace
	page     string
	provider string // The file that other pages refer to.
}

func newFollower(t *testing.T, page string) *follower {
	t.Helper()
	w := newAccount(t, simulator.Options{Documented: true}).newWorkspace(t, "", simulator.DocumentedVariables()...)
	mirror, bin := t.TempDir(), t.TempDir()
	var failed error
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		version := filepath.Join(mirror, host, "fractel", "fractel", "0.1.0")
		failed = errors.Join(failed, os.MkdirAll(version, 0o700), os.Symlink(providerDir, filepath.Join(version, runtime.GOOS+"_"+runtime.GOARCH)))
	}
	if err := errors.Join(failed, os.Symlink(theCLI().Path, filepath.Join(bin, "terraform"))); err != nil {
		t.Fatal(err)
	}
	w.Env = append(w.Env, "TF_CLI_CONFIG_FILE="+os.DevNull, "TF_CLI_ARGS_init=-plugin-dir="+mirror) // Without the installation of the workspace.
	w.Env = append(w.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"TF_INPUT=0", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve")
	return &follower{w, page, blocks(pages(t)["docs/index.md"])[0].code}
}

var fileName = regexp.MustCompile("`([\\w./-]+\\.[a-z]+)`[^`.]*:\\s*$")

// follow follows the blocks in a new folder, as far as the CLI has the features. If the blocks do not contain the provider, the page
// must say where to find it.
func (f *follower) follow(folder []block, page string) {
	f.t.Helper()
	f.Dir = f.t.TempDir()
	isRoot := func(b block) bool {
		return strings.Contains(b.code, "required_providers") && !strings.Contains(b.prose, "module-")
	}
	if !slices.ContainsFunc(folder, isRoot) {
		if !strings.Contains(page, registry+"#example-usage") && slices.ContainsFunc(folder, block.isConfig) {
			f.t.Errorf("%s does not say that the folder needs the provider", f.page)
		}
		f.write("provider.tf", f.provider)
	}
	output := ""
	for _, b := range folder {
		if !b.canRun(f.t, f.page) {
			break
		}
		switch name := fileName.FindStringSubmatch(b.prose); {
		case b.language == "shell":
			output = f.shell(b.code)
		case b.language == "text":
			says(f.t, output, unframed(b.code))
		case name == nil:
			f.t.Errorf("%s does not say which file contains this:\n%s", f.page, b.code)
		default:
			if err := os.MkdirAll(filepath.Dir(filepath.Join(f.Dir, name[1])), 0o700); err != nil {
				f.t.Fatal(err)
			}
			f.write(name[1], b.code)
		}
	}
	f.run(0, "fmt", "-check", "-diff", "-recursive", "-no-color")
}

// shim replaces what a test cannot do: install the provider for the user, and ask a registry for other platforms. A plan that finds
// changes succeeds.
const shim = `set -eo pipefail
make() { :; }
terraform() {
  if [ "$1 $2" = "providers lock" ]; then return; fi
  local code=0
  command terraform "$@" || code=$?
  if [ $code = 2 ] && [[ "$*" = *-detailed-exitcode* ]]; then return; fi
  return $code
}
`

var failing = regexp.MustCompile(`(?m)^(.+?) +# fails$`)

// shell runs commands and returns what they print. Commands with the placeholder "..." are not run, and those with the comment
// "fails" must fail.
func (f *follower) shell(commands string) string {
	f.t.Helper()
	if strings.Contains(commands, "...") {
		return ""
	}
	command := exec.CommandContext(f.t.Context(), "bash", "-c", shim+failing.ReplaceAllString(commands, "if $1; then exit 1; fi"))
	command.Dir, command.Env = f.Dir, f.Env
	printed, err := command.CombinedOutput()
	output := unframed(regexp.MustCompile(`\x1b\[[0-9;]*m`).ReplaceAllString(string(printed), ""))
	if err != nil {
		f.t.Fatalf("%s: %v\n%s\n%s", f.page, err, commands, output)
	}
	return output
}

// Each configuration on a reference page applies on its own, and the next plan is empty.
func TestAccReferenceExamples(t *testing.T) {
	t.Parallel()
	throughCLI(t)
	all, seen := "", map[string]bool{}
	for page, content := range pages(t) {
		if !strings.HasPrefix(page, "docs/") || page == "docs/index.md" || strings.HasPrefix(page, "docs/guides/") {
			continue
		}
		for _, b := range blocks(content) {
			all += b.code
			if !b.isConfig() || seen[b.code] || !b.canRun(t, page) {
				continue
			}
			seen[b.code] = true
			t.Run(strings.TrimSuffix(filepath.Base(page), ".md"), func(t *testing.T) {
				t.Parallel()
				b.runAlone(t)
			})
		}
	}
	for _, d := range destinations {
		if !strings.Contains(all, `type       = "`+d.kind+`"`) {
			t.Errorf("there is no example of type %s", d.kind)
		}
	}
}

func (b block) runAlone(t *testing.T) {
	t.Helper()
	t.Log(b.code)
	w := newAccount(t, simulator.Options{Documented: true}).newWorkspace(t, "provider \"fractel\" {}\n", simulator.DocumentedVariables()...)
	name := "example.tf"
	switch {
	case strings.HasPrefix(b.code, "list "):
		name = "example.tfquery.hcl"
		w.write(name, b.code)
		listed := map[bool]string{true: "Support hooks", false: "Arriving twice (receive)"}[strings.Contains(b.code, resourceName)]
		says(t, w.run(0, "query", "-no-color"), listed)
	case strings.HasPrefix(b.code, "import "):
		imported := regexp.MustCompile(`fractel_\w+`).FindString(b.code)
		w.write(name, read(t, filepath.Join(root, "examples", "resources", imported, "resource.tf"))+"\n"+b.code)
		// The documented account has no notification like that of the example.
		says(t, w.plan(2), "Plan: 1 to import"+map[bool]string{true: ", 0 to add, 0 to change, 0 to destroy."}[imported == resourceName])
	default:
		w.write(name, b.code)
		w.apply(0)
		w.plan(0)
	}
	w.run(0, "fmt", "-check", "-diff", "-no-color", name)
}
