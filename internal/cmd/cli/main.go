// Command cli prints the path of the Terraform CLI or OpenTofu that the tests, the demo, and the documentation use. If there is
// none, it downloads Terraform to bin, which make adds to the PATH. It must run in the root of the repository.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	log.SetFlags(0)
	cli, err := terraformcli.Find(context.Background())
	if err != nil && os.Getenv("TERRAFORM") == "" {
		log.Print(err)
		_ = os.MkdirAll("bin", 0o750) // The installation says why it cannot write there.
		latest := &releases.LatestVersion{Product: product.Terraform, InstallDir: "bin", Timeout: 10 * time.Minute}
		latest.SetLogger(log.Default())
		cli.Path, err = latest.Install(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(cli.Path)
}
