package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// A list of a thousand deliveries sends a login and one list, and returns the resources that an import would create.
func TestListOfAThousand(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1000})
	a.byHand("3215550007", "Email", "ops@example.com")
	found, diags := a.start(t.Context(), t, nil).list(attributes{}, 10_000)
	if len(found) != 1000 || len(a.Requests()) != 2 || a.count("list") != 1 || len(diags) > 0 {
		t.Fatalf("%d results, %d requests, %v", len(found), len(a.Requests()), diags)
	}
	want := attributes{"fonenumber": "3215550007", "type": "Email", "value": "ops@example.com", "on_destroy": "keep"}
	if got := found[7]; got.number != "3215550007" || fmt.Sprint(got.resource) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %v", got, want)
	}
}

// Omitted FoneNumbers do not count toward the limit.
func TestListLimitCountsWhatIsShown(t *testing.T) {
	t.Parallel()
	a, _ := newOddAccount(t, 3, "yes")
	a.Put(simulator.FoneNumber{Number: "2015550000", Receive: simulator.Receive{Type: "Fax"}})
	found, diags := a.start(t.Context(), t, nil).list(attributes{}, 2)
	if len(found) != 2 || len(diags) != 1 {
		t.Errorf("%d deliveries and %d diagnostics, want 2 and 1", len(found), len(diags))
	}
}

// listBlock returns a list block with these lines and these filters.
func listBlock(name, lines, config string) string {
	return fmt.Sprintf("list \"fractel_fonenumber_delivery\" %q {\n  provider = fractel\n  %s\n  config {\n    %s\n  }\n}\n", name, lines, config)
}

// The output of `terraform query`.
func TestAccQuery(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a := newVariedAccount(t)
	const all = "fractel_fonenumber_delivery.all"
	checks := []querycheck.QueryResultCheck{
		querycheck.ExpectLength(all, 5), querycheck.ExpectLength("fractel_fonenumber_delivery.odd", 2),
		querycheck.ExpectResourceDisplayName(all,
			queryfilter.ByResourceIdentity(map[string]knownvalue.Check{"fonenumber": knownvalue.StringExact("3215550003")}),
			knownvalue.StringExact("Number Forward")),
	}
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: inProcess(),
		Steps: []resource.TestStep{
			{Config: a.provider()},
			{Query: true, Config: listBlock("all", "include_resource = true", "") + listBlock("odd", "", `group = "odd"`), QueryResultChecks: checks},
			{Query: true, Config: listBlock("rejected", "", `type = "email"`), ExpectError: regexp.MustCompile(`Invalid Delivery Type`)},
		},
	})
}

// The limit and the number of requests that the guide documents.
func TestAccQueryOfManyFoneNumbers(t *testing.T) {
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

// `terraform query` generates a configuration of an account with all odd deliveries, which plans only imports. Warnings name
// the omitted FoneNumbers.
func TestAccQueryGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a, _ := newOddAccount(t, 60, "yes")
	w := a.newWorkspace(t, "provider \"fractel\" {\n}\n")
	a.putUnconfigurable()
	w.write("all.tfquery.hcl", listBlock("all", "include_resource = true", ""))
	says(t, w.run(0, "query", "-no-color", "-generate-config-out=adopted.tf"), "Warning: Unsupported Delivery")
	w.lacksCredentials("adopted.tf")
	generated, err := os.ReadFile(filepath.Join(w.Dir, "adopted.tf"))
	kept := regexp.MustCompile(`on_destroy += "keep"`).FindAllString(string(generated), -1)
	if err != nil || strings.Contains(string(generated), "url_method") || len(kept) != 60 {
		t.Errorf("%v, generated:\n%s", err, generated)
	}
	w.withoutLines("adopted.tf", "= null")
	says(t, w.plan(2), "Plan: 60 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	a.sendsOnly(t, 0)
}

// lacksCredentials checks that a generated configuration contains no credentials.
func (w *workspace) lacksCredentials(name string) {
	w.t.Helper()
	generated, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(generated), "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		credentials := []string{"url_username", "url_password", "url_password_wo", "url_password_wo_version"}
		if slices.Contains(credentials, strings.TrimSpace(name)) && !strings.HasPrefix(strings.TrimSpace(value), "null") {
			w.t.Errorf("unexpected line: %s", line)
		}
	}
}
