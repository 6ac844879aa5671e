// Command planpicture prints, in color, the plan that the README shows as a picture. The real CLI and the provider that is built
// from this source tree plan to set a FoneNumber of a simulated account that already delivers elsewhere. `make pictures` runs it.
package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// configuration is the first example of the README, completed.
const configuration = `resource "fractel_fonenumber_delivery" "support" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = "https://hooks.example.com/sms?msg={{msg}}"
}

terraform {
  required_providers {
    fractel = {
      source = "fractel/fractel"
    }
  }
}
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	output, err := plan(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "planpicture:", err)
		stop()
		os.Exit(1)
	}
	fmt.Print(output) // Without a line feed at the end, which would add an empty line to the picture.
}

// plan returns the command and its output. It must run in the root of the repository.
func plan(ctx context.Context) (string, error) {
	cli, err := terraformcli.Find(ctx, os.Stderr)
	if err != nil {
		return "", err
	}
	account, err := simulator.New(simulator.Options{})
	if err != nil {
		return "", err
	}
	account.Put(simulator.FoneNumber{Number: "3215551212", Receive: simulator.Receive{Type: "Email", Email: "someone.who.left@example.com"}})
	server := httptest.NewServer(account)
	defer server.Close()
	dir, err := os.MkdirTemp("", "fractel-picture-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	mirror := filepath.Join(dir, "mirror")
	if err := terraformcli.BuildMirror(ctx, cli, ".", mirror, "0.1.0"); err != nil {
		return "", err
	}
	workspace, err := terraformcli.NewMirrored(cli.Path, dir, mirror,
		"FRACTEL_ENDPOINT="+server.URL+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	if err != nil {
		return "", err
	}
	if err := workspace.Write("main.tf", configuration); err != nil {
		return "", err
	}
	if _, err := run(ctx, workspace, "init"); err != nil {
		return "", err
	}
	output, err := run(ctx, workspace, "plan")
	if err != nil {
		return "", err
	}
	const blank = "\x1b[0m\n" // The plan begins with empty lines without color, and ends with one.
	return fmt.Sprintf("$ %s plan\n\n%s", cli.Name, strings.TrimRight(strings.TrimLeft(output, blank), "\n")), nil
}

// run returns the output of the CLI, or an error if it fails.
func run(ctx context.Context, workspace *terraformcli.Workspace, command string) (string, error) {
	output, code, err := workspace.Run(ctx, command, "-input=false")
	if err == nil && code != 0 {
		err = fmt.Errorf("%s exited with status %d:\n%s", command, code, output)
	}
	return output, err
}
