// Command terraform-provider-fractel is the Terraform provider for FracTEL's FoneStorm API.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

// version is set by the linker for a release and by `make build`.
var version = "dev"

func main() {
	debugging := flag.Bool("debug", false, "run with support for debuggers, and print a value for TF_REATTACH_PROVIDERS")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Printf("terraform-provider-fractel %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return
	}
	var options []tf6server.ServeOpt
	if *debugging {
		options = append(options, tf6server.WithManagedDebug())
	} else {
		go exitWithTerraform()
		disableUnusedLogs()
	}
	err := tf6server.Serve("registry.terraform.io/fractel/fractel",
		func() tfprotov6.ProviderServer { return provider.NewServer(version) }, options...)
	if err != nil {
		log.Fatal(err)
	}
}

// exitWithTerraform exits when the parent process is gone. Terraform stops its providers, but not if it is killed: after
// kill -9, the provider kept running, with credentials in memory. On Windows, where a process keeps the ID of a parent that
// has exited, this has no effect.
func exitWithTerraform() {
	terraform := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != terraform {
			os.Exit(1)
		}
	}
}

// disableUnusedLogs turns logging off unless one of Terraform's environment variables enables it. Otherwise, the loggers send
// everything to Terraform, which discards it: with 10,000 resources, this took half of the provider's time.
func disableUnusedLogs() {
	if !slices.ContainsFunc(os.Environ(), func(setting string) bool { return strings.HasPrefix(setting, "TF_LOG") }) {
		_ = os.Setenv("TF_LOG_SDK", "OFF")
		_ = os.Setenv("TF_LOG_PROVIDER", "OFF")
	}
}
