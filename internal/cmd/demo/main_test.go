package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-version"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// The demo fits on one or two screens, shows the complete warning, and leaves no files behind.
func TestAccDemo(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("needs the CLI: set TF_ACC=1 to run it")
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var out strings.Builder
	d := demo{out: &out}
	if err := d.run(t.Context(), filepath.Join("..", "..", ".."), d.steps); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if lines := strings.Count(out.String(), "\n"); lines > 70 {
		t.Errorf("the demo prints %d lines", lines)
	}
	for _, want := range []string{
		"Warning: FoneNumber Already Delivers Elsewhere",
		`id = "3215551202"`, // The end of that warning.
		"Resources: 1 imported, 3 added",
		`"3215559999" -> "3215551111"`,
		"FoneNumber Left Unchanged on Destroy",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not print %q", want)
		}
	}
	for _, unwanted := range []string{"\x1b", hookPassword, "overrides"} {
		if strings.Contains(out.String(), unwanted) {
			t.Errorf("the demo prints %q", unwanted)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(temporary, "fractel-demo-*")); len(left) > 0 {
		t.Errorf("the demo leaves %q behind", left)
	}
}

// The picture of the README shows the warning about what the plan overwrites.
func TestAccPicture(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("needs the CLI: set TF_ACC=1 to run it")
	}
	var out strings.Builder
	d := demo{out: &out, colored: true}
	if err := d.run(t.Context(), filepath.Join("..", "..", ".."), d.picture); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{" plan\n\n", "\x1b[", "FoneNumber Already Delivers Elsewhere", "someone.who.left@example.com"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

// A CLI without write-only arguments gets the password in url_password.
func TestPasswordForOlderCLI(t *testing.T) {
	t.Parallel()
	for cli, want := range map[string]string{"1.10.5": "url_password = var.hook_password", "1.11.0": "url_password_wo = var.hook_password"} {
		workspace, err := terraformcli.New("terraform", t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		d := &demo{
			cli: terraformcli.CLI{Version: version.Must(version.NewVersion(cli))}, workspace: workspace,
			examples: os.DirFS(filepath.Join("..", "..", "..", "examples", "demo")),
		}
		if err := d.configure("main.tf"); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(workspace.Dir, "main.tf"))
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(string(config)), " ")
		if !strings.Contains(words, want) || strings.Contains(words, "url_password_wo_version") != strings.Contains(want, "_wo") {
			t.Errorf("%s gets %s", cli, config)
		}
	}
}
