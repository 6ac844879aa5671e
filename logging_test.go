package main

import "testing"

// Whoever asks for logs, in whichever way, gets them.
func TestLogWanted(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]bool{
		"TF_LOG=DEBUG": true, "TF_LOG_PROVIDER=TRACE": true, "TF_LOG_SDK_PROTO=INFO": true, "TF_LOG_PATH=/tmp/log": true,
		"TF_CLI_CONFIG_FILE=x": false, "NOT_TF_LOG=TRACE": false,
	} {
		if got := logWanted([]string{"HOME=/root", setting}); got != want {
			t.Errorf("%s: %t, want %t", setting, got, want)
		}
	}
}
