package provider

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"

	"github.com/hashicorp/go-version"
)

// feature is something that the provider works with and that not every CLI has.
type feature struct {
	name            string
	terraform, tofu string // The first version that has it; empty for none.
}

// What index.md.tmpl promises of CLIs is the same.
var (
	importForEach     = feature{"import blocks with for_each", "1.7", "1.7"}
	forgetting        = feature{"removed blocks with destroy = false", "1.7", "1.10"}
	providerFunctions = feature{"functions of providers", "1.8", "1.7"}
	writeOnly         = feature{"write-only attributes", "1.11", "1.11"}
	importByIdentity  = feature{"import by identity", "1.12", "1.12"}
	queries           = feature{"terraform query", "1.14", ""}
)

// cliVersion is what the CLI that runs the tests calls itself. OpenTofu counts its versions in its own way.
type cliVersion struct {
	isTofu  bool
	version *version.Version
	text    string
}

var versionLine = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`) // There may be warnings before it.

// theCLI is the one that runs the tests. It is asked once.
var theCLI = sync.OnceValue(func() cliVersion { return versionOf(os.Getenv("TF_ACC_TERRAFORM_PATH")) })

func versionOf(cli string) cliVersion {
	printed, err := exec.Command(cli, "version").Output()
	found := versionLine.FindStringSubmatch(string(printed))
	if err != nil || found == nil {
		panic(fmt.Sprintf("the CLI does not tell its version: %v\n%s", err, printed))
	}
	return cliVersion{found[1] == "OpenTofu", version.Must(version.NewVersion(found[2])), found[0]}
}

func (c cliVersion) has(f feature) bool {
	first := f.terraform
	if c.isTofu {
		first = f.tofu
	}
	// Betas and candidates of a version have what it has.
	return first != "" && c.version.Core().GreaterThanOrEqual(version.Must(version.NewVersion(first)))
}

// needs skips a test that is about something which the CLI that runs the tests does not have.
func needs(t *testing.T, f feature) {
	t.Helper()
	if c := theCLI(); !c.has(f) {
		t.Skipf("needs %s (%s), which %s does not have", f.name, f.since(), c.text)
	}
}

// lacks reports, and logs, that the CLI cannot do a part of a test, which the rest does not depend on.
func lacks(t *testing.T, f feature, part string) bool {
	t.Helper()
	c := theCLI()
	if c.has(f) {
		return false
	}
	t.Logf("left out: %q needs %s (%s), which %s does not have", part, f.name, f.since(), c.text)
	return true
}

// since tells which versions have the feature.
func (f feature) since() string {
	if f.tofu == "" {
		return "Terraform " + f.terraform
	}
	return fmt.Sprintf("Terraform %s, OpenTofu %s", f.terraform, f.tofu)
}

// What is skipped is what the CLI does not have, and nothing else.
func TestFeaturesOfCLIs(t *testing.T) {
	t.Parallel()
	all := []feature{importForEach, forgetting, providerFunctions, writeOnly, importByIdentity, queries}
	for text, want := range map[string]int{ // How many of them it has.
		"Terraform v1.6.6": 0, "Terraform v1.7.0": 2, "Terraform v1.8.5": 3, "Terraform v1.11.4": 4, "Terraform v1.12.0-rc1": 5, "Terraform v1.15.9": 6,
		"OpenTofu v1.6.3": 0, "OpenTofu v1.9.1": 2, "OpenTofu v1.10.0": 3, "OpenTofu v1.12.6": 5, "OpenTofu v1.15.0": 5,
	} {
		found := versionLine.FindStringSubmatch(text)
		c := cliVersion{found[1] == "OpenTofu", version.Must(version.NewVersion(found[2])), text}
		got := 0
		for _, f := range all {
			if c.has(f) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s has %d of the features, want %d", text, got, want)
		}
	}
}
