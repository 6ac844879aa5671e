package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// callback returns a URL delivery with these further lines.
func callback(lines string) string {
	return fmt.Sprintf(`
resource "fractel_fonenumber_delivery" "test" {
  fonenumber = %q
  type       = "URL"
  value      = "https://hooks.example.com/sms"
  %s
}
`, testNumber, lines)
}

// bestPassword returns the lines of a callback's password as the documentation recommends it, as far as the CLI can.
func bestPassword(password string, version int) string {
	if theCLI().has(writeOnly) {
		return fmt.Sprintf("url_password_wo = %q\n  url_password_wo_version = %d", password, version)
	}
	return fmt.Sprintf("url_password = %q", password)
}

// The credentials of one callback through all their changes: what is sent, step by step, and what is left.
func TestCredentials(t *testing.T) {
	t.Parallel()
	steps := []struct {
		about, config      string
		sent               bool // Whether the step changes anything.
		username, password string
	}{
		{"none", callback(""), true, "", ""},
		{"a user name", callback(`url_username = "hook"`), true, "hook", ""},
		{"a password in the state", callback("url_username = \"hook\"\n  url_password = \"first\""), true, "hook", "first"},
		{"unchanged", callback("url_username = \"hook\"\n  url_password = \"first\""), false, "hook", "first"},
		{"another password", callback("url_username = \"hook\"\n  url_password = \"second\""), true, "hook", "second"},
		{"write-only instead", callback("url_username = \"hook\"\n  url_password_wo = \"third\"\n  url_password_wo_version = 1"), true, "hook", "third"},
		{"changed without a version", callback("url_username = \"hook\"\n  url_password_wo = \"fourth\"\n  url_password_wo_version = 1"), false, "hook", "third"},
		{"changed with its version", callback("url_username = \"hook\"\n  url_password_wo = \"fourth\"\n  url_password_wo_version = 2"), true, "hook", "fourth"},
		{"sent along with another change", callback("url_username = \"other\"\n  url_password_wo = \"fifth\"\n  url_password_wo_version = 2"), true, "other", "fifth"},
		{"the password removed", callback(`url_username = "other"`), true, "other", ""},
		{"both again", callback("url_username = \"hook\"\n  url_password_wo = \"sixth\"\n  url_password_wo_version = 3"), true, "hook", "sixth"},
		{"both removed", callback(""), true, "", ""},
	}
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, "")
	for _, step := range steps {
		if strings.Contains(step.config, "url_password_wo") && lacks(t, writeOnly, step.about) {
			continue // The step after it does without.
		}
		before := a.count("set")
		w.configure(step.config)
		w.apply()
		w.plan(0)
		if sent := a.count("set") > before; sent != step.sent {
			t.Errorf("%s: sent is %t, want %t", step.about, sent, step.sent)
		}
		if f, _ := a.Get(testNumber); f.Receive.URLUsername != step.username || f.Receive.URLPassword != step.password {
			t.Errorf("%s: FoneStorm has %q and %q, want %q and %q",
				step.about, f.Receive.URLUsername, f.Receive.URLPassword, step.username, step.password)
		}
	}
}

// Credentials that were set for a callback elsewhere are never sent to another URL. Adding others is a change in place.
func TestCredentialsOfAnImport(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber, Receive: simulator.Receive{
		Type: "URL", URL: "https://old.example.com/", URLMethod: "POST", URLUsername: "theirs", URLPassword: "secret",
	}})
	w := a.newWorkspace(t, callback(""))
	w.run(0, "import", "-no-color", "-input=false", testAddress, testNumber)
	w.apply() // Changes the URL.
	if f, _ := a.Get(testNumber); f.Receive.URLUsername != "" || f.Receive.URLPassword != "" {
		t.Errorf("the new URL gets the credentials of the old one: %+v", f.Receive)
	}
	w.configure(callback("url_username = \"ours\"\n  url_password = \"ours-too\""))
	w.apply()
	if f, _ := a.Get(testNumber); f.Receive.URLUsername != "ours" || f.Receive.URLPassword != "ours-too" {
		t.Errorf("FoneStorm has %q and %q", f.Receive.URLUsername, f.Receive.URLPassword)
	}
}

// Nothing is left of the credentials when the delivery is destroyed.
func TestDestroyRemovesCredentials(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, callback("url_username = \"hook\"\n  "+bestPassword("horse", 1)))
	w.apply()
	w.apply("-destroy")
	f, _ := a.Get(testNumber)
	if f.Receive.Type != "None" || f.Receive.URLUsername != "" || f.Receive.URLPassword != "" {
		t.Errorf("FoneStorm has %+v", f.Receive)
	}
}
