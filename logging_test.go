package main

import "testing"

// Each of Terraform's log settings enables logs.
func TestLogsEnabled(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]bool{
		"TF_LOG=DEBUG": true, "TF_LOG_PROVIDER=TRACE": true, "TF_LOG_SDK_PROTO=INFO": true, "TF_LOG_PATH=/tmp/log": true,
		"TF_CLI_CONFIG_FILE=x": false, "NOT_TF_LOG=TRACE": false,
	} {
		if got := logsEnabled([]string{"HOME=/root", setting}); got != want {
			t.Errorf("%s: %t, want %t", setting, got, want)
		}
	}
}
