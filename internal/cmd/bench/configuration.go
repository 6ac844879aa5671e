package main

import (
	"fmt"
	"strings"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// configuration returns a configuration with a resource for each FoneNumber. Terraform is slow to expand for_each.
func configuration(size, revision int) string {
	var text strings.Builder
	text.WriteString(terraformcli.Requirement)
	for i := range size {
		fmt.Fprintf(&text, "resource \"fractel_fonenumber_delivery\" \"n%s\" {\n  fonenumber = %[1]q\n  type = \"Email\"\n  value = %q\n}\n",
			number(i), value(i, revision))
	}
	return text.String()
}

// state returns the state of a configuration with a resource for each FoneNumber, without private state, which the first
// refresh adds.
func state(size int) string {
	resources := make([]string, size)
	for i := range resources {
		resources[i] = fmt.Sprintf(`{"mode": "managed", "type": "fractel_fonenumber_delivery", "name": "n%s",
			"provider": "provider[\"registry.terraform.io/fractel/fractel\"]", "instances": [{"schema_version": 0,
			"attributes": {"fonenumber": %[1]q, "type": "Email", "value": %q, "on_destroy": "disable"}}]}`, number(i), value(i, 1))
	}
	return fmt.Sprintf(`{"version": 4, "serial": 1, "lineage": "bench", "resources": [%s]}`, strings.Join(resources, ",\n"))
}

// number returns a FoneNumber of the simulated account.
func number(i int) string { return fmt.Sprint(3215550000 + i) }

// value returns the destination of that FoneNumber in a revision of the configuration; "" in revision 0.
func value(i, revision int) string {
	if revision == 0 {
		return ""
	}
	return fmt.Sprintf("person-%d@revision-%d.example.com", i, revision)
}
