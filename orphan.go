package main

import (
	"os"
	"time"
)

// exitWithTerraform ends the provider when the process that started it is gone. Terraform stops its providers itself, but one
// that is killed cannot: measured with kill -9, the provider then ran on for good, with credentials in memory. On Windows, where a
// process keeps the ID of a parent that is gone, this has no effect.
func exitWithTerraform() {
	terraform := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != terraform {
			os.Exit(1)
		}
	}
}
