package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// version is set by the linker for a release and by `make build`. If it is empty, the version comes from Go's build
// information.
var version string

// versionOf returns the version of a build without a "v": the one that the linker set, or that of the module, which `go
// install` takes from the tag and `go build` from the repository. Without either, as in tests, it returns "dev".
func versionOf(linked string, info *debug.BuildInfo) string {
	module := strings.TrimPrefix(info.Main.Version, "v")
	if module == "(devel)" {
		module = ""
	}
	return cmp.Or(linked, module, "dev")
}

// describeBuild returns the line that -version prints.
func describeBuild(linked string, info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	commit := cmp.Or(settings["vcs.revision"], "unknown") // `go install` of a version records no commit.
	if settings["vcs.modified"] == "true" {
		commit += "-dirty"
	}
	return fmt.Sprintf("terraform-provider-fractel %s (commit %s, %s, %s/%s)",
		versionOf(linked, info), commit, info.GoVersion, settings["GOOS"], settings["GOARCH"])
}
