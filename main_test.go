package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ linked, module, want string }{
		"release":                     {"0.1.0", "v0.1.0", "0.1.0"},
		"go install of a tag":         {"", "v0.1.0", "0.1.0"},
		"go build of a changed clone": {"", "v0.1.0+dirty", "0.1.0+dirty"},
		"go build without repository": {"", "(devel)", "devel"},
	} {
		if got := versionOf(test.linked, test.module); got != test.want {
			t.Errorf("%s: the version is %q, want %q", name, got, test.want)
		}
	}
}

// The built binary prints its version without Terraform.
func TestVersionFlag(t *testing.T) {
	t.Parallel()
	output, err := exec.Command("go", "run", "-ldflags=-X main.version=1.2.3", ".", "-version").CombinedOutput()
	want := fmt.Sprintf("terraform-provider-fractel 1.2.3 (%s, %s/%s)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if err != nil || string(output) != want {
		t.Errorf("-version prints %q, want %q: %v", output, want, err)
	}
}
