// Command terraform-provider-fractel is the Terraform provider for FracTEL's FoneStorm API.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

// logWanted reports whether any of Terraform's settings for logs is in the environment.
func logWanted(environment []string) bool {
	return slices.ContainsFunc(environment, func(setting string) bool { return strings.HasPrefix(setting, "TF_LOG") })
}

// endWithTerraform ends the provider when the process that started it is gone. Terraform ends its providers itself,
// unless it is killed: they would then wait for it for ever, with credentials in memory.
func endWithTerraform() {
	terraform := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != terraform { // Which Windows never tells; there this does nothing.
			os.Exit(1)
		}
	}
}

// collectSeldom makes the garbage collector run seldom, unless somebody has set it: the provider needs little memory and
// lives for a short time. The limit keeps ten thousand resources below 128 MiB.
func collectSeldom() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(96 << 20)
	}
}

func main() {
	attached := flag.Bool("debug", false, "run until interrupted and wait for a debugger, see TF_REATTACH_PROVIDERS")
	versionWanted := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *versionWanted {
		fmt.Println(describeBuild(version, buildInfo()))
		return
	}
	collectSeldom()

	var options []tf6server.ServeOpt
	if *attached {
		options = append(options, tf6server.WithManagedDebug())
	} else {
		go endWithTerraform()
	}
	if !*attached && !logWanted(os.Environ()) {
		// The loggers write everything to Terraform unless they are told not to, and Terraform throws it away. For many
		// resources that takes as long as all the rest.
		_ = os.Setenv("TF_LOG_SDK", "OFF")
		_ = os.Setenv("TF_LOG_PROVIDER", "OFF")
	}
	err := tf6server.Serve("registry.terraform.io/fractel/fractel",
		func() tfprotov6.ProviderServer { return provider.NewServer(versionOf(version, buildInfo())) }, options...)
	if err != nil {
		log.Fatal(err)
	}
}
