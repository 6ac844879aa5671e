// Command demo shows what the provider does: the real CLI installs the provider that is built from this source tree and manages a
// simulated account. The demo stops with an error as soon as a result is not as expected, and leaves no files behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	picture := flag.Bool("picture", false, "print only the plan that the README shows as a picture, in color")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := demo{out: os.Stdout}
	show := d.steps
	if *picture {
		show = d.picture
	}
	if err := d.run(ctx, ".", show); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// demo contains the CLI, the account, and the output.
type demo struct {
	cli       terraformcli.CLI
	account   *simulator.Simulator
	workspace *terraformcli.Workspace
	examples  string // Folder of the configurations.
	out       io.Writer
}

// run calls show with an account whose deliveries were set by hand, and with a workspace in which init can install the provider.
// root is the folder of the repository.
func (d *demo) run(ctx context.Context, root string, show func(context.Context) error) (err error) {
	if d.cli, err = terraformcli.Find(ctx, os.Stderr); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d.account = simulator.New(simulator.Options{})
	for number, destination := range initial {
		kind, value, _ := strings.Cut(destination, " ")
		d.account.Put(simulator.FoneNumber{Number: number, Receive: simulator.Receive{}.Delivering(kind, value)})
	}
	d.account.PutDevice(simulator.Device{ID: "987123543678", Name: "Front desk"})
	server := httptest.NewServer(d.account)
	defer server.Close()
	mirror := filepath.Join(dir, "mirror")
	if err := terraformcli.BuildMirror(ctx, d.cli, root, mirror, "0.1.0"); err != nil {
		return err
	}
	d.examples = filepath.Join(root, "examples", "demo")
	d.workspace, err = terraformcli.NewMirrored(d.cli.Path, dir, mirror,
		"FRACTEL_ENDPOINT="+server.URL+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	if err != nil {
		return err
	}
	return show(ctx)
}

// configure copies an example to the workspace.
func (d *demo) configure(name string) error {
	content, err := os.ReadFile(filepath.Join(d.examples, name)) //nolint:gosec // A file of the repository.
	if err != nil {
		return err
	}
	return d.workspace.Write(name, string(content))
}

// picture prints the plan of the first example of the README, which sets a FoneNumber that already delivers elsewhere.
func (d *demo) picture(ctx context.Context) error {
	d.account.Put(simulator.FoneNumber{Number: "3215551212", Receive: simulator.Receive{Type: "Email", Email: "someone.who.left@example.com"}})
	err := d.workspace.Write("main.tf", `resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = "https://hooks.example.com/sms?msg={{msg}}"
}

`+terraformcli.Requirement)
	if err != nil {
		return err
	}
	if _, err := d.terraform(ctx, 0, "init"); err != nil {
		return err
	}
	plan, err := d.terraform(ctx, 0, "plan")
	if err != nil {
		return err
	}
	const blank = "\x1b[0m\n" // The plan begins with empty lines without color, and ends with one, which would be lines in the picture.
	fmt.Fprintf(d.out, "$ %s plan\n\n%s", d.cli.Name, strings.TrimRight(strings.TrimLeft(plan, blank), "\n"))
	return nil
}

// terraform runs the CLI, returns what it prints, and checks its exit code.
func (d *demo) terraform(ctx context.Context, want int, command string, args ...string) (string, error) {
	output, code, err := d.workspace.Run(ctx, append([]string{command, "-input=false"}, args...)...)
	if err == nil && code != want {
		err = fmt.Errorf("exit code %d instead of %d", code, want)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", d.cli.Name, command, err, output)
	}
	return output, nil
}
