package provider

import (
	"archive/zip"
	"bytes"
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The CLI must not print, log, or write a secret, except url_password in the state, as documented, and the provider itself must
// write nothing. The configuration reads the passwords from the environment, in a variable that is not sensitive.
func TestAccSecretsStayOut(t *testing.T) {
	t.Parallel()
	const login, hook = "secret-of-the-user", "secret-of-the-hook"
	for name, ephemeral := range map[string]bool{"url_password": false, "url_password_wo": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			variable, password := "", "  url_password = var.hook"
			if ephemeral {
				if lacks(t, writeOnly, name) {
					t.SkipNow()
				}
				variable, password = "  ephemeral = true\n", "  url_password_wo = var.hook\n  url_password_wo_version = 1"
			}
			a := newAccount(t, simulator.Options{Password: login})
			a.Put(simulator.FoneNumber{Number: testNumber})
			dirs := []string{t.TempDir(), t.TempDir()}
			config := "variable \"hook\" {\n  type = string\n" + variable + "}\n" +
				settings[0].block("test", testNumber, delivery{kind: "URL", value: hookURL, username: "hook"}, password)
			w := a.newWorkspace(t, config, "FRACTEL_PASSWORD="+login, "TF_VAR_hook="+hook, "HOME="+dirs[0], "TMPDIR="+dirs[1])
			w.Env = append(w.Env, "TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(w.Dir, "trace.log"))

			outputs := w.plan(2, "-out=saved.tfplan")
			outputs += w.run(0, "show", "-no-color", "saved.tfplan")
			if ephemeral { // The JSON output includes sensitive values.
				outputs += w.run(0, "show", "-json", "saved.tfplan")
			}
			outputs += w.run(0, "apply", "-no-color", "saved.tfplan")
			a.mustDeliver(t, testNumber, delivery{"URL", hookURL, "hook", hook})
			token := a.Requests()[len(a.Requests())-1].Header.Get("token")

			// An error with a text from FoneStorm, which contains all secrets that FoneStorm could know.
			a.byHand(testNumber, "Email", "ops@example.com")
			a.reject("/messages/receive", simulator.Fault(strings.Join([]string{"403", login, hook, token}, " ")))
			outputs += w.apply(1) + w.run(0, "show", "-no-color")

			found := map[string]string{"the CLI's output": outputs}
			for _, dir := range append(dirs, w.Dir) {
				readAll(t, os.DirFS(dir), "", found)
			}
			storesValues := []string{"terraform.tfstate", "terraform.tfstate.backup", "saved.tfplan"}
			for where, content := range found {
				for _, secret := range []string{login, token, hook} {
					isDocumented := secret == hook && !ephemeral && slices.Contains(storesValues, where)
					if at := strings.Index(content, secret); at >= 0 && !isDocumented {
						t.Errorf("%s contains %s: …%s…", where, secret, content[max(0, at-200):min(len(content), at+100)])
					}
				}
			}
			for _, file := range append(storesValues, "the CLI's output", "main.tf", "cli.tfrc", "trace.log", "checkpoint_cache", "checkpoint_signature") {
				delete(found, file)
			}
			if len(found) > 0 {
				t.Errorf("the provider has written %q", slices.Collect(maps.Keys(found)))
			}
		})
	}
}

// readAll adds the contents of all files, and of those in saved plans, which are archives, by the name of the file or archive.
func readAll(t *testing.T, files fs.FS, archive string, contents map[string]string) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		contents[cmp.Or(archive, entry.Name())] += string(content)
		if plan, invalid := zip.NewReader(bytes.NewReader(content), int64(len(content))); invalid == nil {
			readAll(t, plan, entry.Name(), contents)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No diagnostic shows the rest of a URL after its host, which can come from a sensitive variable, of whatever resource it is.
func TestURLsAreNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.byHand(testNumber, "URL", "https://hooks.example.com/secret-0")
	config := func(value string) attributes { return delivery{kind: "URL", value: value}.attributes(testNumber) }
	created := w.mustApply(config("https://hooks.example.com/secret-1"))
	wantWarnings(t, created, []string{alreadyDelivers}, `delivers to URL "https://hooks.example.com/…" now`)
	_, replaced := w.start().plan(instance{}, config("https://hooks.example.com/secret-2")) // As for a tainted object.
	destroyed, changed := w.plan(nil).diags, w.plan(attributes{"fonenumber": testNumber, "type": "None"}).diags
	invalid := w.start().validate(with(config("secret-3"), "type", "Device"))
	w.byHand(testNumber, "URL", "https://boss:secret-5@hooks.example.com/secret-1")
	p := w.plan(config("https://hooks.example.com/secret-1"))
	if got := attributesOf(w.state["0"].state).text("value"); p.isEmpty() || got != "https://***@hooks.example.com/secret-1" {
		t.Errorf("the state has %q, and the plan changes %q", got, p.differs())
	}
	w.reject("/messages/receive", "500 Something went wrong.")
	w.settings = attributes{"max_retries": 0}
	failed := w.apply(config("https://hooks.example.com/secret-4"))
	for i, diags := range [][]*tfprotov6.Diagnostic{created, replaced, destroyed, changed, invalid, failed} {
		if len(diags) == 0 {
			t.Errorf("%d: there is no diagnostic", i)
		}
		for _, d := range diags {
			if strings.Contains(shown(d), "secret-") {
				t.Errorf("%s shows a secret: %s", d.Summary, d.Detail)
			}
		}
	}
}
