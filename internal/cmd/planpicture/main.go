// Command planpicture prints, in color, the plan that README shows as a picture: the real CLI and the provider built from
// this tree plan to set a FoneNumber of a simulated account that already delivers elsewhere. `make pictures` runs it.
package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"strings"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// configuration is the first example of README, and what makes it complete.
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
	fmt.Printf("$ terraform plan\n\n%s", output) // Without a line feed at the end, which would be an empty line of the picture.
}

// plan returns what `terraform plan` prints. It expects to be started in the root of the repository.
func plan(ctx context.Context) (string, error) {
	cli, err := terraformcli.Executable()
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
	if err := terraformcli.BuildProvider(ctx, ".", dir); err != nil {
		return "", err
	}
	workspace, err := terraformcli.New(cli, dir, dir,
		"FRACTEL_ENDPOINT="+server.URL+simulator.BasePath, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password")
	if err != nil {
		return "", err
	}
	if err := workspace.Write("main.tf", configuration); err != nil {
		return "", err
	}
	output, code, err := workspace.Run(ctx, "plan", "-input=false")
	if err != nil {
		return "", err
	}
	if code != 0 {
		return "", fmt.Errorf("terraform plan ended with exit code %d:\n%s", code, output)
	}
	// What comes first is a warning about the way in which this program installs the provider.
	const beginning = "Terraform used the selected providers"
	_, rest, found := strings.Cut(output, beginning)
	if !found {
		return "", fmt.Errorf("this is not a plan of Terraform:\n%s", output)
	}
	return beginning + strings.TrimRight(rest, "\n"), nil
}
