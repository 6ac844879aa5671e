package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ linked, module, want string }{
		"release":                     {"0.1.0", "v0.1.0", "0.1.0"},
		"snapshot":                    {"0.1.1-dev", "v0.1.1-0.20261125021300-711e9ac8b2f1", "0.1.1-dev"},
		"go install of a tag":         {"", "v0.1.0", "0.1.0"},
		"go install of a commit":      {"", "v0.1.1-0.20261125021300-711e9ac8b2f1", "0.1.1-0.20261125021300-711e9ac8b2f1"},
		"go build of a changed clone": {"", "v0.1.0+dirty", "0.1.0+dirty"},
		"go build without repository": {"", "(devel)", "dev"},
		"without modules":             {"", "", "dev"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := &debug.BuildInfo{Main: debug.Module{Version: test.module}}
			if got := versionOf(test.linked, info); got != test.want {
				t.Errorf("the version is %q, want %q", got, test.want)
			}
		})
	}
}

func TestDescribeBuild(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}}
	check := func(want string) {
		t.Helper()
		if got := describeBuild("0.1.0", info); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	check("terraform-provider-fractel 0.1.0 (commit unknown, go1.26.8, linux/arm64)")
	info.Settings = append(info.Settings, debug.BuildSetting{Key: "vcs.revision", Value: "711e9ac"}, debug.BuildSetting{Key: "vcs.modified", Value: "false"})
	check("terraform-provider-fractel 0.1.0 (commit 711e9ac, go1.26.8, linux/arm64)")
	info.Settings[len(info.Settings)-1].Value = "true"
	check("terraform-provider-fractel 0.1.0 (commit 711e9ac-dirty, go1.26.8, linux/arm64)")
}

// The built binary prints its version without Terraform.
func TestVersionFlag(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "terraform-provider-fractel")
	if output, err := exec.Command("go", "build", "-ldflags=-X main.version=1.2.3", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	output, err := exec.Command(binary, "-version").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	want := regexp.MustCompile(`^terraform-provider-fractel 1\.2\.3 \(commit (unknown|[0-9a-f]{40}(-dirty)?), ` +
		regexp.QuoteMeta(runtime.Version()) + `, ` + runtime.GOOS + `/` + runtime.GOARCH + `\)\n$`)
	if !want.Match(output) {
		t.Errorf("-version prints %q", output)
	}
}
