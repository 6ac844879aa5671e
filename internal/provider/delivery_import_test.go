package provider

import (
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
	`The type must be one of`:                             {Type: "Fax"},
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

// Imports by ID and by identity, and the resulting state.
func TestImport(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "ops@example.com")
	for how, by := range map[string]func(*run, string) (instance, []*tfprotov6.Diagnostic){
		"ID": (*run).importState, "identity": (*run).importIdentity,
	} {
		r := a.start(t.Context(), t, nil) // An import of what the same process has imported is an error.
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
		if c, _ := r.plan(i, with(want, "value", "Ops@EXAMPLE.com")); !c.isEmpty() { // It is only spelled differently.
			t.Errorf("by %s: the plan changes %q", how, c.differs())
		}
		_, diags = imports("+1 (321) 555-1212")
		wantError(t, diags, "Invalid FoneNumber", `but "+1 (321) 555-1212" was given. Use "3215551212".`)
		_, diags = imports("support")
		wantError(t, diags, "Invalid FoneNumber", `must be exactly ten digits, such as "3215551212", but "support" was given.`)
		_, diags = imports("3215559999")
		wantError(t, diags, "FoneNumber Not Found in Account")
	}
}

// Odd FoneNumbers are imported with generated configuration, without a change in FoneStorm.
func TestAccImportGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	a, numbers := newOddAccount(t, 60, "yes", "no", "cancel")
	imports := ""
	for _, number := range numbers {
		imports += fmt.Sprintf("import {\n  to = fractel_fonenumber_delivery.n%s\n  id = %[1]q\n}\n", number)
	}
	w := a.newWorkspace(t, imports)
	w.plan(2, "-generate-config-out=adopted.tf")
	w.adopts(a, 60)
}

// `terraform query` generates the configuration of a whole account, and omits FoneNumbers that cannot be configured.
func TestAccQueryGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	needs(t, queries)
	a, _ := newOddAccount(t, 60, "yes")
	a.putUnconfigurable()
	w := a.newWorkspace(t, "provider \"fractel\" {\n}\n")
	w.write("all.tfquery.hcl", listBlock("all", "include_resource = true", ""))
	says(w.t, w.run(0, "query", "-no-color", "-generate-config-out=adopted.tf"), "Warning: Unsupported Destination")
	w.adopts(a, 60)
}

// adopts applies the generated adopted.tf, without null attributes, as the guide on adoption describes. What is left of it must not
// contain credentials or a callback method.
func (w *workspace) adopts(a *account, count int) {
	w.t.Helper()
	generated, err := os.ReadFile(filepath.Join(w.Dir, "adopted.tf"))
	if err != nil {
		w.t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(string(generated), "\n"), func(line string) bool { return strings.Contains(line, "= null") })
	for _, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "url_") {
			w.t.Errorf("unexpected line: %s", line)
		}
	}
	w.write("adopted.tf", strings.Join(lines, "\n"))
	says(w.t, w.plan(2), fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", count))
	w.apply()
	w.plan(0)
	a.sendsOnly(w.t, 0)
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
			return d.Severity == tfprotov6.DiagnosticSeverityWarning && d.Summary == "Unsupported Destination" &&
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
		wantError(t, diags, "Unsupported Destination", "FoneNumber "+number, reason, "Remove the import of this FoneNumber.")
		if d := failure(diags); d != nil && strings.Contains(d.Detail, "horse") {
			t.Errorf("FoneNumber %s: shows a secret: %s", number, d.Detail)
		}
	}
}
