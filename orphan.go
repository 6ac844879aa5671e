package main

import (
	"os"
	"time"
)

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
