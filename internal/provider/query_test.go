package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/querycheck"
	"github.com/hashicorp/terraform-plugin-testing/querycheck/queryfilter"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// listBlock returns a list block with these lines in it and these in its config.
func listBlock(name, lines, config string) string {
	return fmt.Sprintf("list \"fractel_fonenumber_delivery\" %q {\n  provider = fractel\n  %s\n  config {\n    %s\n  }\n}\n", name, lines, config)
}

func identityOf(number string) map[string]knownvalue.Check {
	return map[string]knownvalue.Check{"fonenumber": knownvalue.StringExact(number)}
}

// What `terraform query` finds of an account, and how it shows it.
func TestQuery(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a := newVariedAccount(t)
	a.Put(simulator.FoneNumber{Number: "5615550000"}) // Without a label.
	names := map[string]string{
		"3215550000": "Number Device", "3215550001": "Number Email", "3215550002": "Number URL", "3215550003": "Number Forward",
		"3215550004": "Number None", "5615550000": "5615550000",
	}
	selections := map[string]struct {
		lines, config string
		want          []string
	}{
		"all":   {"", "", []string{"3215550000", "3215550001", "3215550002", "3215550003", "3215550004", "5615550000"}},
		"first": {"limit = 2", "", []string{"3215550000", "3215550001"}},
		"type":  {"", `type = "URL"`, []string{"3215550002"}},
		"label": {"", `label = "Number Forward"`, []string{"3215550003"}},
		"group": {"", `group = "odd"`, []string{"3215550001", "3215550003"}},
		"area":  {"", `area_code = "561"`, []string{"5615550000"}},
		"none":  {"", `area_code = "407"`, nil}, // It is cancelled.
	}
	var config strings.Builder
	var checks []querycheck.QueryResultCheck
	for name, selection := range selections {
		config.WriteString(listBlock(name, selection.lines, selection.config))
		address := "fractel_fonenumber_delivery." + name
		checks = append(checks, querycheck.ExpectLength(address, len(selection.want)))
		for _, number := range selection.want {
			checks = append(checks, querycheck.ExpectIdentity(address, identityOf(number)))
		}
	}
	for number, name := range names {
		checks = append(checks, querycheck.ExpectResourceDisplayName("fractel_fonenumber_delivery.all",
			queryfilter.ByResourceIdentity(identityOf(number)), knownvalue.StringExact(name)))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		Steps: []resource.TestStep{
			{Config: a.provider()},
			{Query: true, Config: config.String(), QueryResultChecks: checks},
			{Query: true, Config: listBlock("refused", "", `type = "email"`), ExpectError: regexp.MustCompile(`Invalid Delivery Type`)},
		},
	})
}

// With include_resource, `terraform query` shows what an import would give.
func TestQueryIncludesResources(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a := newVariedAccount(t)
	var checks []querycheck.QueryResultCheck
	for i, d := range destinations {
		value := knownvalue.StringExact(d.value)
		want := map[string]knownvalue.Check{
			"fonenumber": knownvalue.StringExact(fmt.Sprint(3215550000 + i)), "type": knownvalue.StringExact(d.kind), "value": value,
			"url_method": knownvalue.Null(), "on_destroy": knownvalue.StringExact("keep"),
			"url_username": knownvalue.Null(), "url_password": knownvalue.Null(),
		}
		switch d.kind {
		case "None":
			want["value"] = knownvalue.Null()
		case "URL":
			want["url_method"] = knownvalue.StringExact("POST")
		}
		var values []querycheck.KnownValueCheck
		for name, check := range want {
			values = append(values, querycheck.KnownValueCheck{Path: tfjsonpath.New(name), KnownValue: check})
		}
		checks = append(checks, querycheck.ExpectResourceKnownValues("fractel_fonenumber_delivery.all",
			queryfilter.ByDisplayName(knownvalue.StringExact("Number "+d.kind)), values))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		Steps: []resource.TestStep{
			{Config: a.provider()},
			{Query: true, Config: listBlock("all", "include_resource = true", ""), QueryResultChecks: checks},
		},
	})
}

// What the guide says of the limit and the requests.
func TestQueryOfManyFoneNumbers(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a := newAccount(t, simulator.Options{FoneNumbers: 120})
	for lines, want := range map[string]int{"": 100, "limit = 10000": 120} {
		a.Forget()
		w := a.newWorkspace(t, "provider \"fractel\" {\n}\n")
		w.write("all.tfquery.hcl", listBlock("all", lines, ""))
		if got := strings.Count(w.run(0, "query", "-no-color"), "list.fractel_fonenumber_delivery.all"); got != want {
			t.Errorf("%q: %d FoneNumbers, want %d", lines, got, want)
		}
		if n := len(a.Requests()); n != 2 || a.count("list") != 1 {
			t.Errorf("%q: %d requests, want a login and a list", lines, n)
		}
	}
}

// What `terraform query -generate-config-out` writes for every type plans only imports, and invents no credentials.
func TestQueryGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a := newVariedAccount(t)
	w := a.newWorkspace(t, "provider \"fractel\" {\n}\n")
	w.write("all.tfquery.hcl", listBlock("all", "include_resource = true", ""))
	w.run(0, "query", "-no-color", "-generate-config-out=adopted.tf")
	w.inventsNothing("adopted.tf")
	says(t, w.plan(2), "Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	if n := a.count("set"); n > 0 {
		t.Errorf("adopting sent %d settings", n)
	}
}
