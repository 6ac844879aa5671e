package provider

import (
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Terraform ends the sentence that an error of a function is in.
func TestAccNormalizeFoneNumberError(t *testing.T) {
	t.Parallel()
	needs(t, providerFunctions)
	w := newAccount(t, simulator.Options{}).newWorkspace(t, "output \"bad\" {\n  value = provider::fractel::normalize_fonenumber(\"the front desk\")\n}\n")
	output := w.plan(1)
	if says(t, output, `"the front desk" is not a telephone number.`); strings.Contains(output, "..") {
		t.Errorf("ends with two full stops:\n%s", output)
	}
}
