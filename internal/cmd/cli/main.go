// Command cli prints the path of the Terraform CLI or OpenTofu that the tests, the demo, and the documentation use. If there is
// none, it downloads Terraform.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	cache := flag.Bool("cache", false, "print the folder for downloaded and built CLIs instead")
	flag.Parse()
	path, err := terraformcli.CacheDir()
	if !*cache && err == nil {
		var cli terraformcli.CLI
		cli, err = terraformcli.Find(context.Background(), os.Stderr)
		path = cli.Path
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(path)
}
