// Command cli prints the path of the Terraform CLI or OpenTofu that the tests, the demo, and the documentation use. If there is
// none, it downloads Terraform.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

func main() {
	cache := flag.Bool("cache", false, "print the folder for downloaded and built CLIs instead")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	path, err := find(ctx, *cache)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(path)
}

func find(ctx context.Context, cache bool) (string, error) {
	if cache {
		return terraformcli.CacheDir()
	}
	cli, err := terraformcli.Find(ctx, os.Stderr)
	return cli.Path, err
}
