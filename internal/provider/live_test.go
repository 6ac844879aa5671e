package provider

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

// The lifecycle against a real account, for `make testacc-live`. What the FoneNumber delivered to is put back at the
// end, except for credentials.
func TestLive(t *testing.T) {
	number := os.Getenv("FRACTEL_TEST_FONENUMBER")
	if number == "" || os.Getenv(resource.EnvTfAcc) == "" {
		t.Skip("changes a FoneNumber of a real account: run it by `make testacc-live` with FRACTEL_TEST_FONENUMBER set")
	}
	fmt.Printf("The delivery of FoneNumber %s is set to an e-mail address and callback URLs at example.com, to None, and back.\n"+
		"Messages received meanwhile are lost, and so are credentials of a callback URL that is there now.\n", number)

	restoring := func(d destination) string {
		return strings.Replace(d.config(number), "type =", "on_destroy = \"disable\"\n  type =", 1)
	}
	tour := []destination{
		{kind: "Email", value: "terraform-provider-fractel@example.com"},
		{kind: "URL", value: "https://example.com/?from={{from}}&msg={{msg}}", username: "hook", password: "terraform"},
		{kind: "URL", value: "https://example.com/?id={{uid}}"},
		{kind: "None"},
	}
	var steps []resource.TestStep
	for i, d := range tour {
		step := resource.TestStep{Config: restoring(d), ConfigStateChecks: d.inState(number)}
		if i > 0 {
			step.ConfigPlanChecks = planned(plancheck.ResourceActionUpdate)
		}
		steps = append(steps, step)
	}
	steps = append(steps, resource.TestStep{
		ResourceName: testAddress, ImportState: true, ImportStateId: number,
		ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "fonenumber",
		ImportStateVerifyIgnore: []string{"on_destroy"}, // An import has the default.
	})
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: inProcess(), Steps: steps})
}
