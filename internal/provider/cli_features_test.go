package provider

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/hashicorp/go-version"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// feature is a feature that the provider supports and that not every CLI has.
type feature struct {
	name            string
	terraform, tofu string // First version that has the feature; empty for none.
}

// templates/index.md.tmpl documents the same versions.
var (
	importForEach       = feature{"import blocks with for_each", "1.7", "1.7"}
	forgetting          = feature{"removed blocks with destroy = false", "1.7", "1.10"}
	mockedProviders     = feature{"tests with mocked providers", "1.7", "1.8"}
	providerFunctions   = feature{"functions of providers", "1.8", "1.7"}
	writeOnly           = feature{"write-only attributes", "1.11", "1.11"}
	importByIdentity    = feature{"import by identity", "1.12", "1.12"}
	queries             = feature{"terraform query", "1.14", ""}
	forgettingResources = feature{"resources with destroy = false", "1.16", "1.12"}
)

// theCLI returns the CLI that runs the tests. It runs the CLI only once.
var theCLI = sync.OnceValue(func() terraformcli.CLI { return inspected(os.Getenv("TF_ACC_TERRAFORM_PATH")) })

func inspected(path string) terraformcli.CLI {
	cli, err := terraformcli.Inspect(context.Background(), path)
	if err != nil {
		panic(err)
	}
	return cli
}

func isTofu(cli terraformcli.CLI) bool { return cli.Name == "tofu" }

// in reports whether a CLI has the feature. OpenTofu has its own version numbers.
func (f feature) in(cli terraformcli.CLI) bool {
	first := f.terraform
	if isTofu(cli) {
		first = f.tofu
	}
	// Betas and release candidates of a version have its features.
	return first != "" && cli.Version.Core().GreaterThanOrEqual(version.Must(version.NewVersion(first)))
}

// needs skips a test if the CLI that runs the tests does not have a feature.
func needs(t *testing.T, f feature) {
	t.Helper()
	if lacks(t, f, "the test") {
		t.SkipNow()
	}
}

// lacks reports, and logs, that the CLI cannot run a part of a test.
func lacks(t *testing.T, f feature, part string) bool {
	t.Helper()
	throughCLI(t)
	c := theCLI()
	if f.in(c) {
		return false
	}
	t.Logf("skipped: %s requires %s (Terraform %s, OpenTofu %q), which %s does not have", part, f.name, f.terraform, f.tofu, c.Product())
	return true
}
