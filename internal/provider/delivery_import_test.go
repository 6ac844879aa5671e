package provider

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// oddDeliveries are unusual deliveries that FoneStorm can contain and a configuration can describe, as FoneStorm may spell
// them.
var oddDeliveries = []simulator.FoneNumber{
	{},
	{Receive: simulator.Receive{Type: "None", URL: "https://stale.example.com/", URLMethod: "JSON", Device: "1"}},
	{Undeliverable: true},
	{Receive: simulator.Receive{Type: "URL", URL: "https://hooks.example.com/sms?msg={{msg}}", URLMethod: "JSON"}},
	{Receive: simulator.Receive{Type: "URL", URL: "http://hooks.example.com:8080/?a=1&amp;to=%7B%7Bto%7D%7D", URLMethod: "GET"}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://Hooks.Example.com/%7b%7buid%7d%7d", URLMethod: "POST"}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://[2001:db8::1]/sms?q=${x}%{y}#top", URLMethod: ""}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://h%C3%B6ok.example.com/sms", URLMethod: "JSON"}},
	{Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}},
	{Receive: simulator.Receive{Type: "Forward", Forward: "13215551111"}},
	{Receive: simulator.Receive{Type: "Forward", Forward: "+1 (321) 555-1111"}},
	{Receive: simulator.Receive{Type: "Email", Email: "Ops.Team@EXAMPLE.com", Device: "21915233078"}},
	{Receive: simulator.Receive{Type: "Email", Email: " ops+sms@example.com "}, Label: "Ops \"night\" ${shift}", Group: "A/B"},
	{Receive: simulator.Receive{Type: "Email", Email: "o'neil@example.com"}, MessagingDisabled: true},
	{Receive: simulator.Receive{Type: "Device", Device: "21915233078"}},
	{Receive: simulator.Receive{Type: "Device", Device: " 987123543678"}},
}

// unconfigurable contains deliveries that FoneStorm can contain but no configuration can describe, by the reason in the
// error.
var unconfigurable = map[string]simulator.Receive{
	`The type must be Device, Email,`:                     {Type: "Fax"},
	"In FoneStorm, remove them from the URL":              {Type: "URL", URL: "https://hook:horse@hooks.example.com/"},
	"must be one e-mail address":                          {Type: "Email", Email: "a@example.com, b@example.com"},
	"must contain only digits":                            {Type: "Device", Device: "SIP/horse"},
	"would forward to itself":                             {Type: "Forward", Forward: "3215559004"},
	"The number to forward to must be exactly ten digits": {Type: "Forward", Forward: "+44 20 7946 0958"},
	"The callback URL contains a space":                   {Type: "URL", URL: "https://hooks.example.com/a b"},
	"FoneStorm shows no destination":                      {Type: "Email"},
}

// newOddAccount returns an account with this many FoneNumbers, which have all odd deliveries in each of these states in
// turn.
func newOddAccount(t *testing.T, count int, active ...string) (a *account, numbers []string) {
	t.Helper()
	a = newAccount(t, simulator.Options{})
	for i := range count {
		f := oddDeliveries[i%len(oddDeliveries)]
		f.Number = fmt.Sprint(3215550000 + i)
		f.Active = active[i/len(oddDeliveries)%len(active)]
		a.Put(f)
		numbers = append(numbers, f.Number)
	}
	return a, numbers
}

// putUnconfigurable adds FoneNumbers that cannot be configured, and returns the reasons by FoneNumber.
func (a *account) putUnconfigurable() map[string]string {
	reasons := map[string]string{}
	for i, reason := range slices.Sorted(maps.Keys(unconfigurable)) {
		receive := unconfigurable[reason]
		number := fmt.Sprint(3215559010 + i)
		if receive.Forward != "" && strings.HasPrefix(receive.Forward, "321") {
			number = receive.Forward
		}
		reasons[number] = reason
		a.Put(simulator.FoneNumber{Number: number, Receive: receive})
	}
	return reasons
}

// withoutLines removes lines that contain one of these texts from a file in the working directory, as the guide on adoption
// describes.
func (w *workspace) withoutLines(name string, texts ...string) {
	w.t.Helper()
	content, err := os.ReadFile(filepath.Join(w.Dir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(content), "\n"), func(line string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(line, text) })
	})
	w.write(name, strings.Join(lines, "\n"))
}

// Imports by ID and by identity, and the resulting state.
func TestImport(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "ops@example.com")
	for how, by := range map[string]func(*run, string) (instance, []*tfprotov6.Diagnostic){
		"ID": (*run).importState, "identity": (*run).importIdentity,
	} {
		r := a.start(t.Context(), t, nil)
		imports := func(text string) (instance, []*tfprotov6.Diagnostic) { return by(r, text) }
		i, diags := imports(testNumber)
		if len(diags) > 0 {
			t.Fatal(diags[0].Detail)
		}
		want := attributes{"fonenumber": testNumber, "type": "Email", "value": "ops@example.com", "on_destroy": "keep"}
		if got := attributesOf(i.state); !maps.Equal(got, want) {
			t.Errorf("by %s: the state is %v, want %v", how, got, want)
		}
		if got := attributesOf(unwire(t, protocol().identity, i.identity.IdentityData)); got.text("fonenumber") != testNumber {
			t.Errorf("by %s: the identity is %v", how, got)
		}
		_, diags = imports("+1 (321) 555-1212")
		wantError(t, diags, "Invalid FoneNumber", `but "+1 (321) 555-1212" was given. Use "3215551212".`)
		_, diags = imports("support")
		wantError(t, diags, "Invalid FoneNumber", `must be exactly ten digits, such as "3215551212", but "support" was given.`)
		_, diags = imports("3215559999")
		wantError(t, diags, "FoneNumber Not Found in Account")
	}
}

// A delivery of each type that was set elsewhere is imported by an import block, and the plan is empty at once.
func TestAccImportBlockPlansOnlyTheImport(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	var config strings.Builder
	for i, d := range destinations {
		number := fmt.Sprint(3215550000 + i)
		a.byHand(number, d.kind, d.value)
		d.username, d.password = "", "" // FoneStorm does not return credentials.
		block := strings.Replace(d.config(number), `"test"`, fmt.Sprintf("%q", d.kind), 1)
		fmt.Fprintf(&config, "%s\nimport {\n  to = fractel_fonenumber_delivery.%s\n  id = %q\n}\n", block, d.kind, number)
	}
	w := a.newWorkspace(t, config.String())
	says(t, w.plan(2), "Plan: 5 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	a.sendsOnly(t, 0)
}

// The example of an import block with an identity, through the CLI.
func TestAccImportBlockWithIdentity(t *testing.T) {
	t.Parallel()
	needs(t, importByIdentity)
	config := ""
	for _, name := range []string{"resource.tf", "import_identity.tf"} {
		content, err := os.ReadFile(filepath.Join(root, "examples", "resources", "fractel_fonenumber_delivery", name))
		if err != nil {
			t.Fatal(err)
		}
		config += string(content)
	}
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "URL", "https://hooks.example.com/sms?from={{from}}&msg={{msg}}")
	w := a.newWorkspace(t, config)
	says(t, w.plan(2), "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	a.sendsOnly(t, 0)

	w = a.newWorkspace(t, strings.Replace(config, `"`+testNumber+`"`, `"321-555-1212"`, 1))
	says(t, w.plan(1), "Error: Invalid FoneNumber", `but "321-555-1212" was given. Use "3215551212".`)
}

// The example for a whole account: the FoneNumbers of a list are imported without a change.
func TestAccAdoptAccountExample(t *testing.T) {
	t.Parallel()
	needs(t, importForEach)
	needs(t, providerFunctions)
	dir := filepath.Join(root, "examples", "adopt-account")
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
	a.sendsOnly(t, 0)
}

// Sixty odd FoneNumbers are imported with import blocks and generated configuration, without a change in FoneStorm. If the
// CLI itself generates the configuration, callback methods that cannot be configured must be removed.
func TestAccAdoptOddAccount(t *testing.T) {
	t.Parallel()
	a, numbers := newOddAccount(t, 60, "yes", "no", "cancel")
	var imports strings.Builder
	for _, number := range numbers {
		fmt.Fprintf(&imports, "import {\n  to = fractel_fonenumber_delivery.n%s\n  id = %[1]q\n}\n", number)
	}
	w := a.newWorkspace(t, imports.String())
	says(t, w.plan(2, "-generate-config-out=adopted.tf"), "Plan: 60 to import, 0 to add, 0 to change, 0 to destroy.")
	w.lacksCredentials("adopted.tf")
	w.withoutLines("adopted.tf", "= null")
	says(t, w.plan(2), "Plan: 60 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	a.sendsOnly(t, 0)
}

// The generated configuration of every delivery in a list is valid and contains only required attributes, and its import
// plans empty. Deliveries that cannot be configured are omitted with a warning.
func TestGenerateResourceConfig(t *testing.T) {
	t.Parallel()
	a, _ := newOddAccount(t, len(oddDeliveries), "yes")
	reasons := a.putUnconfigurable()
	r := a.start(t.Context(), t, nil)

	found, diags := r.list(attributes{}, 1000)
	if len(found) != len(oddDeliveries) {
		t.Errorf("%d deliveries, want %d", len(found), len(oddDeliveries))
	}
	if len(diags) != len(reasons) {
		t.Errorf("%d warnings, want %d", len(diags), len(reasons))
	}
	for number, reason := range reasons {
		if !slices.ContainsFunc(diags, func(d *tfprotov6.Diagnostic) bool {
			return d.Severity == tfprotov6.DiagnosticSeverityWarning && d.Summary == "Unsupported Delivery" &&
				strings.Contains(d.Detail, "FoneNumber "+number+" is omitted") && strings.Contains(d.Detail, reason)
		}) {
			t.Errorf("no warning contains FoneNumber %s and %q", number, reason)
		}
	}
	for _, one := range found {
		state, number := one.resource, one.number
		config := maps.Clone(state) // What a CLI generates: every attribute that is not null.
		if d := failure(r.validate(config)); d != nil {
			t.Errorf("FoneNumber %s: %v is not valid: %s", number, config, d.Detail)
		}
		imported, diags := r.importState(number)
		if d := failure(diags); d != nil {
			t.Fatalf("FoneNumber %s: %s", number, d.Detail)
		}
		if c, _ := r.plan(imported, config); !c.isEmpty() {
			t.Errorf("FoneNumber %s: the plan changes %q", number, c.differs())
		}
	}
	a.sendsOnly(t, 0)
}

// A delivery that no configuration can describe cannot be imported. The error gives the reason and the next step, but no
// password.
func TestImportOfWhatCannotBeConfigured(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	r := a.start(t.Context(), t, nil)
	for number, reason := range a.putUnconfigurable() {
		_, diags := r.importState(number)
		wantError(t, diags, "Unsupported Delivery", "FoneNumber "+number, reason, "Remove the import of this FoneNumber.")
		if d := failure(diags); d != nil && strings.Contains(d.Detail, "horse") {
			t.Errorf("FoneNumber %s: shows a secret: %s", number, d.Detail)
		}
	}
}
