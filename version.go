package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"strings"
)

// version is set by the linker for a release and by `make build`. Other builds know their version from Go.
var version string

// buildInfo returns what Go has recorded in this binary: its module's version, its commit and the toolchain. It is empty for
// a binary that was built without modules.
func buildInfo() debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return debug.BuildInfo{}
	}
	return *info
}

// versionOf returns the version of a build, without a "v": the linker's, or that of the module, which `go install` takes from
// the tag and `go build` from the repository. It is "dev" when there is neither, as in tests.
func versionOf(linked string, info debug.BuildInfo) string {
	module := strings.TrimPrefix(info.Main.Version, "v")
	if module == "(devel)" {
		module = ""
	}
	return cmp.Or(linked, module, "dev")
}

// describeBuild returns the line that -version prints.
func describeBuild(linked string, info debug.BuildInfo) string {
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	commit := cmp.Or(settings["vcs.revision"], "unknown") // Which `go install` of a version does not record.
	if settings["vcs.modified"] == "true" {
		commit += "-dirty"
	}
	return fmt.Sprintf("terraform-provider-fractel %s (commit %s, %s, %s/%s)",
		versionOf(linked, info), commit, info.GoVersion, settings["GOOS"], settings["GOARCH"])
}
