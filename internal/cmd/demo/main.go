// Command demo shows what the provider does: the real CLI installs the provider that is built from this source tree and manages a
// simulated account. The demo stops with an error if a command does not end as expected, and leaves no files behind.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo contains the CLI, the account, and the output.
type demo struct {
	cli       terraformcli.CLI
	account   *simulator.Simulator
	workspace *terraformcli.Workspace
	out       io.Writer
	err       error // The first error. Nothing is run after it.
}

// run runs the demo. It must run in the root of the repository.
func run(ctx context.Context, out io.Writer) error {
	cli, err := terraformcli.Find(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	registry := map[string]string{"Terraform": "registry.terraform.io", "OpenTofu": "registry.opentofu.org"}[cli.Product]
	folder := filepath.Join(dir, "terraform.d", "plugins", registry, "fractel", "fractel", "0.1.0", runtime.GOOS+"_"+runtime.GOARCH)
	if err := terraformcli.BuildProvider(ctx, ".", folder); err != nil {
		return err
	}
	account := simulator.New(simulator.Options{})
	server := httptest.NewServer(account)
	defer server.Close()
	workspace, err := terraformcli.New(cli.Path, dir, folder, "TF_CLI_CONFIG_FILE="+os.DevNull, // So that init installs the provider.
		"TF_CLI_ARGS_plan=-detailed-exitcode", "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve",
		"FRACTEL_ENDPOINT="+server.URL+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	d := &demo{cli, account, workspace, out, err}
	d.story(ctx)
	return d.err
}

// story goes from an account whose deliveries are set by hand to terraform destroy.
func (d *demo) story(ctx context.Context) {
	d.account.PutDevice(simulator.Device{ID: "987123543678", Name: "Front desk"})
	d.byHand("3215551201", "None", "")
	d.byHand("3215551203", "Forward", "3215551111")
	d.byHand("3215551204", "None", "")
	d.byHand("3215551212", "Email", "someone.who.left@example.com")
	d.configure("main.tf")
	d.terraform(ctx, 0, "init")
	fmt.Fprintf(d.out, "%s and this provider manage a simulated account whose deliveries were set by hand:\n\n", d.cli)
	d.showAccount()
	d.step(ctx, 2, "plan", "what main.tf changes, and a warning about what it overwrites")
	d.configure("others.tf")
	d.step(ctx, 0, "apply", "main.tf, and others.tf, which imports 3215551203 without changing it")
	d.step(ctx, 0, "plan", "again")
	d.byHand("3215551203", "Forward", "3215559999")
	d.step(ctx, 2, "plan", "after 3215551203 was changed by hand")
	d.step(ctx, 0, "apply", "restore the configured delivery")
	d.byHand("3215551204", "Forward", "3215550000")
	d.step(ctx, 0, "destroy", "after 3215551204 was changed by hand")
}

// byHand sets a delivery outside Terraform, and adds the FoneNumber if the account does not have it.
func (d *demo) byHand(number, kind, value string) {
	d.account.Put(simulator.FoneNumber{Number: number, Receive: simulator.Receive{}.Delivering(kind, value)})
}

func (d *demo) showAccount() {
	for _, f := range d.account.Numbers() {
		fmt.Fprintf(d.out, "%s delivers to %s\n", f.Number, f.Receive)
	}
}

// configure copies an example to the workspace.
func (d *demo) configure(name string) {
	content, err := os.ReadFile(filepath.Join("examples", "demo", name)) //nolint:gosec // A file of the repository.
	if d.err = cmp.Or(d.err, err); d.err == nil {
		d.err = d.workspace.Write(name, string(content))
	}
}

var (
	aroundActions = regexp.MustCompile(`(?s)^.*following actions:[^\n]*\n|\n\x1b\[0m\n*$`)
	important     = regexp.MustCompile(`(?m)^.*(Warning: |complete!|No changes\.).*\n`)
)

// step runs a command. It prints the actions and warnings of a plan with changes; otherwise only the summary, the titles of the warnings,
// and, after a change, the account.
func (d *demo) step(ctx context.Context, exitCode int, command, comment string) {
	output := d.terraform(ctx, exitCode, command)
	if d.err != nil {
		return
	}
	fmt.Fprintf(d.out, "\n$ %s %s  # %s\n", filepath.Base(d.cli.Path), command, comment)
	if exitCode == 2 {
		fmt.Fprintln(d.out, strings.Trim(aroundActions.ReplaceAllString(output, ""), "\n"))
		return
	}
	fmt.Fprint(d.out, strings.Join(important.FindAllString(output, -1), ""))
	if command != "plan" {
		d.showAccount()
	}
}

// terraform runs the CLI, returns what it prints, and checks its exit code.
func (d *demo) terraform(ctx context.Context, want int, command string) (output string) {
	if d.err == nil {
		output, d.err = d.workspace.Run(ctx, want, command, "-input=false")
	}
	return output
}
