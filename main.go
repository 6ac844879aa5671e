// Command terraform-provider-fractel is the Terraform provider for FracTEL's FoneStorm API.
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

func main() {
	debug := flag.Bool("debug", false, "run with support for debuggers, and print a value for TF_REATTACH_PROVIDERS")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(describeBuild(version, buildInfo()))
		return
	}
	collectLess()
	var options []tf6server.ServeOpt
	if *debug {
		options = append(options, tf6server.WithManagedDebug())
	} else {
		go exitWithTerraform()
		disableUnusedLogs()
	}
	err := tf6server.Serve("registry.terraform.io/fractel/fractel",
		func() tfprotov6.ProviderServer { return provider.NewServer(versionOf(version, buildInfo())) }, options...)
	if err != nil {
		log.Fatal(err)
	}
}
