package main

import (
	"fmt"
	"strconv"
	"strings"
)

// configuration returns a configuration with one for_each resource or, with many FoneNumbers, for which Terraform is slow to
// expand for_each, with a resource for each FoneNumber.
func configuration(size, revision int) string {
	var text strings.Builder
	text.WriteString("terraform {\n  required_providers {\n    fractel = {\n      source = \"fractel/fractel\"\n    }\n  }\n}\n")
	block := func(name, forEach, number, value string) {
		fmt.Fprintf(&text, "resource \"fractel_fonenumber_delivery\" %q {\n%s  fonenumber = %s\n  type = \"Email\"\n  value = %s\n}\n", name, forEach, number, value)
	}
	if size > largestApplied {
		for i := range size {
			block("n"+number(i), "", strconv.Quote(number(i)), strconv.Quote(value(i, revision)))
		}
		return text.String()
	}
	text.WriteString("locals {\n  numbers = {\n")
	for i := range size {
		fmt.Fprintf(&text, "    %q = %q\n", number(i), value(i, revision))
	}
	text.WriteString("  }\n}\n")
	block("all", "  for_each = local.numbers\n", "each.key", "each.value")
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
