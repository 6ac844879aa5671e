// Command terraform-provider-fractel is the Terraform provider for FracTEL's FoneStorm API.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

// version is set by the linker for a release.
var version = "dev"

func main() {
	var debug bool
	flag.BoolVar(&debug, "debug", false, "run until interrupted and wait for a debugger, see TF_REATTACH_PROVIDERS")
	flag.Parse()

	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/fractel/fractel",
		Debug:   debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
