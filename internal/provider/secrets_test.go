package provider

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The CLI must not print, log, or write a secret, except url_password in the state, as documented. The configuration reads
// the passwords from the environment.
func TestAccSecretsStayOut(t *testing.T) {
	t.Parallel()
	const (
		login = "secret-of-the-user"
		hook  = "secret-of-the-hook"
	)
	configs := map[string]string{
		"url_password":    "url_password = var.hook",
		"url_password_wo": "url_password_wo = var.hook\n  url_password_wo_version = 1",
	}
	for name, password := range configs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ephemeral := ""
			if name == "url_password_wo" {
				needs(t, writeOnly)
				ephemeral = "ephemeral = true"
			}
			a := newAccount(t, simulator.Options{Password: login})
			a.Put(simulator.FoneNumber{Number: testNumber})
			w := a.newWorkspace(t, `
variable "hook" {
  type      = string
  sensitive = true
  `+ephemeral+`
}
resource "fractel_fonenumber_delivery" "test" {
  fonenumber   = "3215551212"
  type         = "URL"
  value        = "https://hooks.example.com/sms"
  url_username = "hook"
  `+password+`
}
`, "FRACTEL_PASSWORD="+login, "TF_VAR_hook="+hook)
			trace := filepath.Join(w.Dir, "trace.log")
			w.setEnv("TF_LOG=TRACE", "TF_LOG_PATH="+trace)

			outputs := w.plan(2, "-out=saved.tfplan")
			outputs += w.run(0, "show", "-no-color", "saved.tfplan")
			if name == "url_password_wo" { // The JSON output includes sensitive values.
				outputs += w.run(0, "show", "-json", "saved.tfplan")
			}
			outputs += w.run(0, "apply", "-no-color", "saved.tfplan")
			if f, _ := a.Get(testNumber); f.Receive.URLPassword != hook {
				t.Fatalf("FoneStorm has the password %q", f.Receive.URLPassword)
			}
			token := a.Requests()[len(a.Requests())-1].Header.Get("token")

			// Every kind of error with a text from FoneStorm, which contains all secrets that FoneStorm could know.
			a.byHand(testNumber, "Email", "ops@example.com")
			a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != simulator.BasePath+"/messages/receive" {
					return false
				}
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"error":"Forbidden %s","message":"%s %s %s","status_code":403}`, hook, login, hook, r.Header.Get("token"))
				return true
			})
			outputs += w.rejects()

			outputs += w.run(0, "show", "-no-color")
			absent := map[string]string{"user's password": login, "token": token, "callback password": hook}
			searchFor(t, "the CLI's output", []byte(outputs), absent)
			searchIn(t, w.Dir, absent, name == "url_password")
		})
	}
}

// searchIn searches every file that a run wrote.
func searchIn(t *testing.T, dir string, absent map[string]string, passwordInState bool) {
	t.Helper()
	searched := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		present := maps.Clone(absent)
		switch filepath.Base(path) {
		case "terraform.tfstate", "terraform.tfstate.backup":
			if passwordInState {
				delete(present, "callback password")
			}
		case "saved.tfplan":
			content = unzipped(t, path)
			if passwordInState {
				delete(present, "callback password")
			}
		}
		searchFor(t, entry.Name(), content, present)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if searched < 4 { // Configuration, plan, state, log.
		t.Errorf("only %d files were searched", searched)
	}
}

func searchFor(t *testing.T, where string, content []byte, absent map[string]string) {
	t.Helper()
	for what, secret := range absent {
		if at := bytes.Index(content, []byte(secret)); at >= 0 {
			t.Errorf("%s contains the %s: …%s…", where, what, content[max(0, at-200):min(len(content), at+100)])
		}
	}
}

// Nothing shows the rest of a URL after its host, which may come from a sensitive variable, of whatever resource it is.
func TestAccOwnValuesAreNotShown(t *testing.T) {
	t.Parallel()
	config := func(name, value string) string {
		return fmt.Sprintf(`
variable "destination" {
  type      = string
  sensitive = true
  default   = %q
}
resource "fractel_fonenumber_delivery" %q {
  fonenumber = %q
  type       = "URL"
  value      = "https://hooks.example.com/${var.destination}"
}
`, value, name, testNumber)
	}
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "boss@example.com")
	w := a.newWorkspace(t, config("test", "secret-1"))
	output := w.apply()
	says(t, output, `Email "boss@example.com"`) // A destination that something else set is shown.
	w.run(0, "taint", testAddress)
	w.configure(config("test", "secret-2"))
	tainted := w.plan(2)
	says(t, tainted, `delivers to URL "https://hooks.example.com/…" now`)
	output += tainted + w.apply()
	w.configure(strings.Replace(config("test", "secret-3"), `"URL"`, `"Device"`, 1))
	output += w.run(1, "plan", "-no-color", "-input=false")
	w.configure("")
	output += w.plan(2) + w.apply()
	if strings.Contains(strings.ReplaceAll(output, "(sensitive value)", ""), "secret-") {
		t.Errorf("a sensitive value is shown:\n%s", output)
	}
}
