package provider

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// newVariedAccount returns an account with a FoneNumber of each type and one that is cancelled.
func newVariedAccount(t *testing.T) *account {
	t.Helper()
	a := newAccount(t, simulator.Options{})
	for i, d := range destinations {
		a.Put(simulator.FoneNumber{
			Number: fmt.Sprint(3215550000 + i), Label: "Number " + d.kind, Group: []string{"even", "odd"}[i%2],
			Receive: simulator.Receive{Device: "1", Email: "stale@example.com"}.Delivering(d.kind, d.value),
		})
	}
	a.Put(simulator.FoneNumber{Number: "4075550000", Active: "cancel", MessagingDisabled: true})
	return a
}

// outputs returns the outputs of the last apply as JSON.
func (w *workspace) outputs() map[string]any {
	w.t.Helper()
	printed, err := w.Command(w.t.Context(), "output", "-json").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal(printed, &outputs); err != nil {
		w.t.Fatal(err)
	}
	values := map[string]any{}
	for name, output := range outputs {
		values[name] = output.Value
	}
	return values
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDataSourceFoneNumber(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	for number, n := range map[string]simulator.Notify{
		"3215550002": {Type: "Email", Email: "ops@example.com", URL: "https://left.example.com/"},
		"3215550004": {Type: "Callback", URL: "https://hook:horse@app.example.com/sms", Method: "JSON"},
	} {
		f, _ := a.Get(number)
		f.ReceiveNotify = n
		a.Put(f)
	}
	w := a.newWorkspace(t, `
data "fractel_fonenumber" "each" {
  for_each   = toset(["3215550001", "3215550002", "3215550004", "4075550000"])
  fonenumber = each.key
}
output "each" {
  value = data.fractel_fonenumber.each
}
`)
	w.apply()
	got := asJSON(t, w.outputs()["each"])
	want := `{` +
		`"3215550001":{"active":true,"fonenumber":"3215550001","group":"odd","label":"Number Email","messaging_enabled":true,"receive_notify":{"email":null,"method":null,"type":"None","url":null},"type":"Email","url_method":null,"value":"ops@example.com"},` +
		`"3215550002":{"active":true,"fonenumber":"3215550002","group":"even","label":"Number URL","messaging_enabled":true,"receive_notify":{"email":"ops@example.com","method":null,"type":"Email","url":null},"type":"URL","url_method":"POST","value":"https://hooks.example.com/sms?msg={{msg}}"},` +
		`"3215550004":{"active":true,"fonenumber":"3215550004","group":"even","label":"Number None","messaging_enabled":true,"receive_notify":{"email":null,"method":"JSON","type":"Callback","url":"https://***@app.example.com/sms"},"type":"None","url_method":null,"value":null},` +
		`"4075550000":{"active":false,"fonenumber":"4075550000","group":null,"label":null,"messaging_enabled":false,"receive_notify":{"email":null,"method":null,"type":"None","url":null},"type":"None","url_method":null,"value":null}}`
	if got != strings.ReplaceAll(want, "&", `\u0026`) {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	w.configure("data \"fractel_fonenumber\" \"gone\" {\n  fonenumber = \"3215559999\"\n}\n")
	says(t, w.plan(1), "Error: FoneNumber Not Found in Account", `: fonenumber = "3215559999"`)
}

func TestDataSourceFoneNumbers(t *testing.T) {
	t.Parallel()
	filters := map[string]struct{ filter, want string }{
		"all":      {"", `["3215550000","3215550001","3215550002","3215550003","3215550004"]`},
		"type":     {`type = "Email"`, `["3215550001"]`},
		"none":     {`type = "None"`, `["3215550004"]`},
		"label":    {`label = "Number URL"`, `["3215550002"]`},
		"group":    {`group = "odd"`, `["3215550001","3215550003"]`},
		"area":     {`area_code = "407"`, `[]`},
		"together": {"group = \"odd\"\n  type = \"Forward\"\n  area_code = \"321\"", `["3215550003"]`},
	}
	a := newVariedAccount(t)
	var config strings.Builder
	for name, test := range filters {
		fmt.Fprintf(&config, "data \"fractel_fonenumbers\" %q {\n  %s\n}\noutput %[1]q {\n  value = keys(data.fractel_fonenumbers.%[1]s.fonenumbers)\n}\n", name, test.filter)
	}
	config.WriteString("output \"one\" {\n  value = data.fractel_fonenumbers.all.fonenumbers[\"3215550001\"].value\n}\n")
	w := a.newWorkspace(t, config.String())
	w.plan(2)
	if n := a.count("list"); n != 1 || len(a.Requests()) != 2 {
		t.Errorf("%d lists and %d requests, want 1 and a login", n, len(a.Requests()))
	}
	w.apply()
	got := w.outputs()
	for name, test := range filters {
		if keys := asJSON(t, got[name]); keys != test.want {
			t.Errorf("%s: %s, want %s", name, keys, test.want)
		}
	}
	if got["one"] != "ops@example.com" {
		t.Errorf("value is %v", got["one"])
	}

	w.configure("data \"fractel_fonenumbers\" \"bad\" {\n  type = \"email\"\n  area_code = \"32\"\n}\n")
	says(t, w.run(1, "validate", "-no-color"), `The type is written "Email"`, `An area code is three digits, such as "321", but "32" was given.`)

	a.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":"Forbidden","message":"No.","status_code":403}`)
		return true
	})
	w.configure("data \"fractel_fonenumbers\" \"all\" {\n}\n")
	says(t, w.plan(1), "Error: FoneStorm Authentication Failed")
}

func TestNormalizeFoneNumber(t *testing.T) {
	t.Parallel()
	good := []string{
		"+1 (321) 555-1212", "1-321-555-1212", "tel:+1-321-555-1212", "tel:321-555-1212;phone-context=+1", "321.555.1212", "3215551212", " 321 555 1212 ", "13215551212",
	}
	bad := map[string]string{
		"support":           "is not a telephone number",
		"":                  "is not a telephone number",
		"555-1212":          "not a North American number of ten digits",
		"+44 20 7946 0958":  "is a number of country code 44",
		"321-555-1212 x5":   "has an extension",
		"0123456789":        "not a North American number of ten digits",
		"321-555-1212-1212": "not a North American number of ten digits",
	}
	for text, want := range bad {
		if got, err := normalizeFoneNumber(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %q, %v, want an error that says %q", text, got, err, want)
		}
	}
	var config strings.Builder
	for i, text := range good {
		fmt.Fprintf(&config, "output \"n%d\" {\n  value = provider::fractel::normalize_fonenumber(%q)\n}\n", i, text)
	}
	needs(t, providerFunctions)
	w := newAccount(t, simulator.Options{}).newWorkspace(t, config.String())
	w.apply()
	for name, value := range w.outputs() {
		if value != "3215551212" {
			t.Errorf("%s: %v", name, value)
		}
	}
	w.configure("output \"bad\" {\n  value = provider::fractel::normalize_fonenumber(\"+44 20 7946 0958\")\n}\n")
	says(t, w.plan(1), `"+44 20 7946 0958" is a number of country code 44, and FoneNumbers are North American`)
}

// inventsNothing checks that a configuration which the CLI has generated has no credentials in it.
func (w *workspace) inventsNothing(name string) {
	w.t.Helper()
	generated, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(generated), "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch strings.TrimSpace(name) {
		case "url_username", "url_password", "url_password_wo", "url_password_wo_version":
			if !strings.HasPrefix(strings.TrimSpace(value), "null") {
				w.t.Errorf("invented: %s", line)
			}
		}
	}
}

// What `terraform plan -generate-config-out` writes for every type validates, plans only the import, and invents no
// credentials.
func TestGeneratedConfiguration(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	var config strings.Builder
	for i, d := range destinations {
		fmt.Fprintf(&config, "import {\n  to = fractel_fonenumber_delivery.%s\n  id = \"%d\"\n}\n", d.kind, 3215550000+i)
	}
	w := a.newWorkspace(t, config.String())
	output := w.plan(2, "-generate-config-out=generated.tf")
	says(t, output, "Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.")
	w.inventsNothing("generated.tf")
	w.run(0, "validate")
	w.apply()
	w.plan(0)
	if n := a.count("set"); n > 0 {
		t.Errorf("adopting sent %d settings", n)
	}
}

// The example for a whole account: FoneNumbers from a list, imported without a single change.
func TestAdoptAccountExample(t *testing.T) {
	t.Parallel()
	needs(t, importForEach)
	needs(t, providerFunctions)
	dir := filepath.Join("..", "..", "examples", "adopt-account")
	config, err := os.ReadFile(filepath.Join(dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile(filepath.Join(dir, "fonenumbers.csv"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	a := newAccount(t, simulator.Options{})
	for _, row := range rows[1:] {
		number, err := normalizeFoneNumber(row[0])
		if err != nil {
			t.Fatal(err)
		}
		a.byHand(number, row[1], row[2])
	}
	a.Put(simulator.FoneNumber{Number: "4075550000"})
	w := a.newWorkspace(t, string(config))
	w.write("fonenumbers.csv", string(table))
	says(t, w.plan(2), "Plan: 8 to import, 0 to add, 0 to change, 0 to destroy.")
	if n := len(a.Requests()); n > 7 {
		t.Errorf("%d requests, want at most 7", n)
	}
	w.apply()
	w.plan(0)
	if got := asJSON(t, w.outputs()["not_managed"]); got != `["4075550000"]` {
		t.Errorf("not managed: %s", got)
	}
	if n := a.count("set"); n > 0 {
		t.Errorf("adopting sent %d settings", n)
	}
}

// listDeliveries asks the provider for its list as `terraform query` does, which the CLI that runs the tests may not have.
func (a *account) listDeliveries(t *testing.T, filter map[string]any, limit int64, include bool) []tfprotov6.ListResourceResult {
	t.Helper()
	server, schema := a.protocolServer(t)
	const name = "fractel_fonenumber_delivery"
	config := object(t, schema.ListResourceSchemas[name].ValueType(), filter)
	validated, err := server.(tfprotov6.ListResourceServer).ValidateListResourceConfig(t.Context(),
		&tfprotov6.ValidateListResourceConfigRequest{TypeName: name, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	var results []tfprotov6.ListResourceResult
	if len(validated.Diagnostics) > 0 {
		return append(results, tfprotov6.ListResourceResult{Diagnostics: validated.Diagnostics})
	}
	stream, err := server.(tfprotov6.ListResourceServer).ListResource(t.Context(),
		&tfprotov6.ListResourceRequest{TypeName: name, Config: config, Limit: limit, IncludeResource: include})
	if err != nil {
		t.Fatal(err)
	}
	for result := range stream.Results {
		results = append(results, result)
	}
	return results
}

func TestListResource(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	tests := map[string]struct {
		filter map[string]any
		limit  int64
		want   string // The display names.
	}{
		"all":   {nil, 100, "Number Device, Number Email, Number URL, Number Forward, Number None"},
		"limit": {nil, 2, "Number Device, Number Email"},
		"type":  {map[string]any{"type": "URL"}, 100, "Number URL"},
		"group": {map[string]any{"group": "odd"}, 1, "Number Email"},
		"area":  {map[string]any{"area_code": "407"}, 100, ""},
	}
	for name, test := range tests {
		var names []string
		for _, result := range a.listDeliveries(t, test.filter, test.limit, false) {
			names = append(names, result.DisplayName)
			if len(result.Diagnostics) > 0 {
				t.Errorf("%s: %+v", name, result.Diagnostics[0])
			}
		}
		if got := strings.Join(names, ", "); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	refused := a.listDeliveries(t, map[string]any{"type": "email"}, 100, false)
	if len(refused) != 1 || refused[0].Diagnostics[0].Summary != "Invalid Delivery Type" {
		t.Errorf("%+v", refused)
	}
}

// A thousand deliveries cost a login and one list, and come with identity and, when asked for, as an import would
// give them.
func TestListResourceOfAThousand(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1000})
	a.byHand("3215550007", "Email", "ops@example.com")
	results := a.listDeliveries(t, nil, 10_000, true)
	if len(results) != 1000 || len(a.Requests()) != 2 || a.count("list") != 1 {
		t.Fatalf("%d results, %d requests", len(results), len(a.Requests()))
	}
	server, schema := a.protocolServer(t)
	identities, err := server.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "fractel_fonenumber_delivery"
	identityType, resourceType := identities.IdentitySchemas[name].ValueType(), schema.ResourceSchemas[name].ValueType()
	equal := func(got *tfprotov6.DynamicValue, kind tftypes.Type, want map[string]any) {
		t.Helper()
		value, err := got.Unmarshal(kind)
		if err != nil {
			t.Fatal(err)
		}
		if expected, _ := object(t, kind, want).Unmarshal(kind); !value.Equal(expected) {
			t.Errorf("got %s, want %s", value, expected)
		}
	}
	seventh := results[7]
	equal(seventh.Identity.IdentityData, identityType, map[string]any{"fonenumber": "3215550007"})
	equal(seventh.Resource, resourceType, map[string]any{
		"fonenumber": "3215550007", "type": "Email", "value": "ops@example.com", "on_destroy": "keep",
	})
}

func TestListResourceFailure(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{Password: "another"})
	results := a.listDeliveries(t, nil, 100, false)
	if len(results) != 1 || len(results[0].Diagnostics) != 1 || results[0].Diagnostics[0].Summary != "FoneStorm Authentication Failed" {
		t.Errorf("%+v", results)
	}
}

// The guide on adopting: the FoneNumbers whose messages arrive twice or nowhere are found.
func TestGuideOnNotifications(t *testing.T) {
	t.Parallel()
	const hook = "https://hooks.example.com/sms?msg={{msg}}"
	a := newAccount(t, simulator.Options{})
	for number, f := range map[string]simulator.FoneNumber{
		"3215550000": {ReceiveNotify: simulator.Notify{Type: "Callback", URL: hook}},
		"3215550001": {ReceiveNotify: simulator.Notify{Type: "Email", Email: "ops@example.com"}},
		"3215550002": {ReceiveNotify: simulator.Notify{Type: "None", URL: hook}},
		"3215550003": {Receive: simulator.Receive{Type: "URL", URL: hook}, ReceiveNotify: simulator.Notify{Type: "Callback", URL: strings.ReplaceAll(hook, "{", "%7B")}},
		"3215550004": {Receive: simulator.Receive{Type: "URL", URL: hook}, ReceiveNotify: simulator.Notify{Type: "Callback", URL: "https://app.example.com/"}},
		"3215550005": {Receive: simulator.Receive{Type: "Email", Email: "ops@example.com"}},
	} {
		f.Number = number
		a.Put(f)
	}
	w := a.newWorkspace(t, guided(t, "adopt-an-existing-account.md", "receive_notify"))
	w.apply()
	got := w.outputs()
	if text := asJSON(t, got["deleted_although_notified"]); text != `["3215550000","3215550001"]` {
		t.Errorf("deleted: %s", text)
	}
	if text := asJSON(t, got["arriving_twice"]); text != `["3215550003"]` {
		t.Errorf("arriving twice: %s", text)
	}
}
