package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func decodeYAML(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// What contributors build is what is released.
func TestReleaseIsBuiltAsByMake(t *testing.T) {
	t.Parallel()
	var release struct {
		ProjectName string `yaml:"project_name"`
		Builds      []struct {
			Env, Flags, Ldflags []string
		}
	}
	decodeYAML(t, ".goreleaser.yml", &release)
	if len(release.Builds) != 1 {
		t.Fatalf("there are %d builds", len(release.Builds))
	}
	build := release.Builds[0]
	ldflags := strings.ReplaceAll(strings.Join(build.Ldflags, " "), "{{ .Version }}", "$(VERSION)")
	want := strings.Join(build.Env, " ") + " go build " + strings.Join(build.Flags, " ") + " -ldflags '" + ldflags + "' -o bin/" + release.ProjectName + " ."
	if !strings.Contains(read(t, "GNUmakefile"), "\t"+want+"\n") {
		t.Errorf("GNUmakefile does not build by %q", want)
	}
}

// The Registry refuses sums of files that it does not fetch, such as SBOMs.
func TestChecksumsAreOfArchives(t *testing.T) {
	t.Parallel()
	var release struct {
		Archives []struct{ ID string }
		Checksum struct{ IDs []string }
	}
	decodeYAML(t, ".goreleaser.yml", &release)
	if len(release.Archives) != 1 || release.Archives[0].ID == "" || !slices.Equal(release.Checksum.IDs, []string{release.Archives[0].ID}) {
		t.Errorf("there are sums of %q, and the archives are %+v", release.Checksum.IDs, release.Archives)
	}
}

// The Registry tells the CLI which protocol the provider speaks.
func TestManifestNamesTheProtocol(t *testing.T) {
	t.Parallel()
	var manifest struct {
		Version  int
		Metadata struct {
			Protocols []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal([]byte(read(t, "terraform-registry-manifest.json")), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Version != 1 || !slices.Equal(manifest.Metadata.Protocols, []string{"6.0"}) {
		t.Errorf("the manifest is %+v", manifest)
	}
}

// Workflows and forms are at least what GitHub can read, and use actions in one version that nobody can move.
func TestGitHubFiles(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"*.yml", "*/*.yml"} {
		found, err := filepath.Glob(filepath.Join(".github", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 6 {
		t.Fatalf("there are only %q", files)
	}
	pinned := regexp.MustCompile(`^[\w-]+/[\w./-]+@[0-9a-f]{40}$`)
	for _, file := range files {
		var content struct {
			Permissions map[string]string
			Jobs        map[string]struct {
				Steps []struct{ Uses, Run string }
			}
		}
		decodeYAML(t, file, &content)
		if filepath.Base(filepath.Dir(file)) != "workflows" {
			continue
		}
		if len(content.Permissions) != 1 || content.Permissions["contents"] != "read" {
			t.Errorf("%s has the permissions %v where reading is enough", file, content.Permissions)
		}
		for name, job := range content.Jobs {
			for _, step := range job.Steps {
				if step.Run == "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s uses %q in %s", file, step.Uses, name)
				}
			}
		}
	}
}

// A release says what CHANGELOG.md says about its version, and there is no release about which it says nothing.
func TestReleaseNotes(t *testing.T) {
	t.Parallel()
	const changelog = "# Changelog\n\n## 0.3.0 (Unreleased)\n\n* Third\n\n## 0.2.0-rc.1 (2026-12-01)\n\n" +
		"## 0.1.0 (2026-11-25)\n\nNOTES:\n\n* First\n\n## 0.0.1 (2026-11-24)\n* Nothing\n"
	for version, want := range map[string]struct{ notes, failure string }{
		"v0.1.0":      {notes: "NOTES:\n\n* First\n\n"},
		"0.0.1":       {notes: "* Nothing\n"},
		"v0.3.0":      {failure: `put the date of 0.3.0 in place of "Unreleased"`},
		"v0.2.0-rc.1": {failure: "there are no notes about 0.2.0-rc.1"},
		"v0.1":        {failure: "there are no notes about 0.1"},
		"v0x1x0":      {failure: "there are no notes about 0x1x0"},
	} {
		var notes, failure strings.Builder
		command := exec.Command(filepath.Join(".ci", "release-notes"), version)
		command.Stdin, command.Stdout, command.Stderr = strings.NewReader(changelog), &notes, &failure
		err := command.Run()
		if notes.String() != want.notes || (err != nil) != (want.failure != "") || !strings.Contains(failure.String(), want.failure) {
			t.Errorf("%s: %v, notes %q, failure %q, want %+v", version, err, notes.String(), failure.String(), want)
		}
	}
}

// Pictures are shown, also after BENCHMARKS.md was written again, with a text for those who do not see them, and load fast.
func TestPicturesAreShown(t *testing.T) {
	t.Parallel()
	pages := read(t, "README.md") + read(t, "BENCHMARKS.md")
	pictures, err := filepath.Glob(".github/pictures/*")
	if err != nil || len(pictures) != 3 {
		t.Fatalf("the pictures are %q, %v", pictures, err)
	}
	for _, picture := range pictures {
		if !strings.Contains(pages, filepath.ToSlash(picture)) {
			t.Errorf("neither README.md nor BENCHMARKS.md shows %s", picture)
		}
		if size := len(read(t, picture)); size > 200<<10 {
			t.Errorf("%s has %d bytes", picture, size)
		}
	}
	if !regexp.MustCompile(`!\[[^\]]{50,}\]\(\.github/pictures/plan\.svg\)`).MatchString(pages) || !regexp.MustCompile(`<img [^>]*alt="[^"]{50,}"`).MatchString(pages) {
		t.Error("a picture has no text")
	}
}

// What is said to be made can be made.
func TestMakeTargetsExist(t *testing.T) {
	t.Parallel()
	makefile := read(t, "GNUmakefile")
	mentioned := regexp.MustCompile("(?m)(?:^|`|run: |entry: |step )make ([a-z-]+)")
	mentions := 0
	for _, file := range []string{
		"README.md", "CONTRIBUTING.md", "RELEASING.md", ".pre-commit-config.yaml", ".ci/run", ".github/workflows/test.yml", ".github/pull_request_template.md",
	} {
		for _, match := range mentioned.FindAllStringSubmatch(read(t, file), -1) {
			mentions++
			if !strings.Contains(makefile, "\n"+match[1]+":") {
				t.Errorf("%s mentions make %s", file, match[1])
			}
		}
	}
	if mentions < 20 {
		t.Errorf("found only %d mentions", mentions)
	}
}
