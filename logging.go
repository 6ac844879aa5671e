package main

import (
	"os"
	"slices"
	"strings"
)

// disableUnusedLogs turns logging off unless an environment variable enables it. Otherwise, the loggers send everything to
// Terraform, which discards it: with 10,000 resources, this took half of the provider's time.
func disableUnusedLogs() {
	if logsEnabled(os.Environ()) {
		return
	}
	_ = os.Setenv("TF_LOG_SDK", "OFF")
	_ = os.Setenv("TF_LOG_PROVIDER", "OFF")
}

// logsEnabled reports whether the environment contains any of Terraform's log settings.
func logsEnabled(environment []string) bool {
	return slices.ContainsFunc(environment, func(setting string) bool { return strings.HasPrefix(setting, "TF_LOG") })
}
