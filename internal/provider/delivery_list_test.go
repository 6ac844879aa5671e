package provider

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Most of the list is tested at the protocol, because `terraform query` requires Terraform 1.14.
func TestList(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	a.Put(simulator.FoneNumber{Number: "5615550000"}) // Without a label.
	tests := map[string]struct {
		filter attributes
		limit  int64
		want   string // The display names.
	}{
		"all":      {nil, 100, "Number Device, Number Email, Number URL, Number Forward, Number None, 5615550000"},
		"limit":    {nil, 2, "Number Device, Number Email"},
		"type":     {attributes{"type": "URL"}, 100, "Number URL"},
		"label":    {attributes{"label": "Number Forward"}, 100, "Number Forward"},
		"group":    {attributes{"group": "odd"}, 1, "Number Email"},
		"area":     {attributes{"area_code": "561"}, 100, "5615550000"},
		"inactive": {attributes{"area_code": "407"}, 100, ""},
	}
	for name, test := range tests {
		if test.filter == nil {
			test.filter = attributes{}
		}
		found, diags := a.start(t.Context(), t, nil).list(test.filter, test.limit)
		var names []string
		for _, one := range found {
			names = append(names, one.name)
		}
		if got := strings.Join(names, ", "); got != test.want || len(diags) > 0 {
			t.Errorf("%s: %s, want %s: %v", name, got, test.want, diags)
		}
	}
	_, diags := a.start(t.Context(), t, nil).list(attributes{"type": "email"}, 100)
	wantError(t, diags, "Invalid Attribute Value Match")
	_, diags = a.start(t.Context(), t, attributes{"password": "wrong"}).list(attributes{}, 100)
	wantError(t, diags, "FoneStorm Authentication Failed")
}

// A list of a thousand deliveries sends a login and one list, and returns the resources that an import would create. What it omits
// does not count toward the limit.
func TestListOfAThousand(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1000})
	a.byHand("3215550000", "Fax", "")
	a.byHand("3215550007", "Email", "ops@example.com")
	found, diags := a.start(t.Context(), t, nil).list(attributes{}, 999)
	wantWarnings(t, diags, []string{"Unsupported Destination"})
	if len(found) != 999 || len(a.Requests()) != 2 || a.count("list") != 1 {
		t.Fatalf("%d results, %d requests", len(found), len(a.Requests()))
	}
	want := attributes{"fonenumber": "3215550007", "type": "Email", "value": "ops@example.com", "on_destroy": "keep"}
	if got := found[6]; got.number != "3215550007" || !maps.Equal(got.resource, want) {
		t.Errorf("got %+v, want %v", got, want)
	}
}

// listBlock returns a list block with these lines and these filters.
func listBlock(name, lines, config string) string {
	return fmt.Sprintf("list \"fractel_fonenumber_delivery\" %q {\n  provider = fractel\n  %s\n  config {\n    %s\n  }\n}\n", name, lines, config)
}

// The output of `terraform query`.
func TestAccQuery(t *testing.T) {
	needs(t, queries)
	a := newVariedAccount(t)
	const all = "fractel_fonenumber_delivery.all"
	checks := []querycheck.QueryResultCheck{
		querycheck.ExpectLength(all, 5), querycheck.ExpectLength("fractel_fonenumber_delivery.odd", 2),
		querycheck.ExpectResourceDisplayName(all,
			queryfilter.ByResourceIdentity(map[string]knownvalue.Check{"fonenumber": knownvalue.StringExact("3215550003")}),
			knownvalue.StringExact("Number Forward")),
	}
	resource.ParallelTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		Steps: []resource.TestStep{
			{Config: a.provider()},
			{Query: true, Config: listBlock("all", "include_resource = true", "") + listBlock("odd", "", `group = "odd"`), QueryResultChecks: checks},
			{Query: true, Config: listBlock("rejected", "", `type = "email"`), ExpectError: regexp.MustCompile(`Invalid Attribute Value Match`)},
		},
	})
}
