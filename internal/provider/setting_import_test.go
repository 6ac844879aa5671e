package provider

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// oddDeliveries are unusual deliveries that FoneStorm can contain and a configuration can describe, as FoneStorm may spell
// them.
var oddDeliveries = []simulator.FoneNumber{
	{},
	{Receive: simulator.Receive{Type: "None", URL: "https://stale.example.com/", URLMethod: "JSON", Device: "1"}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://hooks.example.com/sms?msg={{msg}}", URLMethod: "JSON"}},
	{Receive: simulator.Receive{Type: "URL", URL: "http://hooks.example.com:8080/?a=1&amp;to=%7B%7Bto%7D%7D", URLMethod: "GET"}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://[2001:db8::1]/sms?q=${x}%{y}#top", URLMethod: ""}},
	{Receive: simulator.Receive{Type: "URL", URL: "https://h%C3%B6ok.example.com/sms", URLMethod: "JSON"}},
	{Receive: simulator.Receive{Type: "Forward", Forward: "+1 (321) 555-1111"}},
	{Receive: simulator.Receive{Type: "Email", Email: "Ops.Team@EXAMPLE.com", Device: "21915233078"}},
	{Receive: simulator.Receive{Type: "Email", Email: " ops+sms@example.com "}, Label: "Ops \"night\" ${shift}", Group: "A/B"},
	{Receive: simulator.Receive{Type: "Email", Email: "o'neil@example.com"}, MessagingDisabled: true},
	{Receive: simulator.Receive{Type: "Device", Device: " 987123543678"}},
}

// unconfigurable contains deliveries that FoneStorm can contain but no configuration can describe, and the reason in the error.
var unconfigurable = []struct {
	why     string
	receive simulator.Receive
}{
	{"would forward to itself", simulator.Receive{Type: "Forward", Forward: "3215540000"}},
	{"The type must be one of", simulator.Receive{Type: "Fax"}},
	{"In FoneStorm, remove them from the URL", simulator.Receive{Type: "URL", URL: "https://hook:horse@hooks.example.com/"}},
	{"must be one e-mail address", simulator.Receive{Type: "Email", Email: "a@example.com, b@example.com"}},
	{"must contain only digits", simulator.Receive{Type: "Device", Device: "SIP/horse"}},
	{"The number to forward to must be exactly ten digits", simulator.Receive{Type: "Forward", Forward: "+44 20 7946 0958"}},
	{"The callback URL contains a space", simulator.Receive{Type: "URL", URL: "https://hooks.example.com/a b"}},
	{"FoneStorm shows no destination", simulator.Receive{Type: "Email"}},
}

// newOddAccount returns an account whose FoneNumbers have all odd deliveries, and these states in turn.
func newOddAccount(t *testing.T, active ...string) *account {
	t.Helper()
	a := newAccount(t, simulator.Options{})
	for i, f := range oddDeliveries {
		f.Number, f.Active = loadNumber(i), active[i%len(active)]
		a.Put(f)
	}
	return a
}

// An import by ID or by identity adopts a setting as it is, whatever the spelling of the configuration, and although FoneStorm may show
// tokens percent-encoded. Its destroy keeps a delivery and turns off a notification.
func TestImportAdoptsASetting(t *testing.T) {
	t.Parallel()
	spelled := strings.NewReplacer("https://hooks.example.com/", "HTTPS://Hooks.example.com:443/", "ops@example.com", "Ops@EXAMPLE.com")
	for _, as := range settings {
		for _, d := range []delivery{{kind: "URL", value: hookURL + "?msg={{msg}}"}, destinations[1], {kind: "None"}} {
			t.Run(as.name+" "+d.kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, testNumber)
				shown := d
				shown.value = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(d.value)
				as.set(w.account, testNumber, shown)
				byIdentity, diags := w.start().importState(as.id(testNumber), true)
				wantWarnings(t, diags, nil)
				w.mustImport(as.id(testNumber))
				config, imported := as.config(d.attributes(testNumber)), w.state["0"]
				if want := as.config(with(d.attributes(testNumber), "on_destroy", "keep")); !maps.Equal(attributesOf(imported.state), want) {
					t.Errorf("the state is %v, want %v", attributesOf(imported.state), want)
				}
				identity := unwire(typesOf(as.event != "").identity, imported.identity.IdentityData)
				if got := attributesOf(identity); got.text("fonenumber") != testNumber || got.text("event") != as.event {
					t.Errorf("the identity is %v", got)
				}
				if !byIdentity.state.Equal(imported.state) {
					t.Errorf("by identity, the state is %s", byIdentity.state)
				}
				w.mustPlanNothing(config)
				if d.value != "" {
					w.mustPlanNothing(with(config, "value", spelled.Replace(d.value)))
				}
				w.mustApply(nil)
				as.mustBe(t, w.account, testNumber, map[bool]delivery{true: shown, false: {kind: "None"}}[as.event == ""])
			})
		}
	}
	for id, want := range map[string][2]string{
		"+1 (321) 555-1212": {"Invalid FoneNumber", `but "+1 (321) 555-1212" was given. Use "3215551212".`},
		"support":           {"Invalid FoneNumber", `must be exactly ten digits, such as "3215551212", but "support" was given.`},
		"3215559999":        {"FoneNumber Not Found in Account", ""},
		"321/receive":       {"Invalid FoneNumber", ""},
		testNumber + "/all": {"Invalid Event", `must be "receive" or "send", but "all" was given`},
		"3215559999/send":   {"FoneNumber Not Found in Account", ""},
	} {
		r := newWorld(t, testNumber).start()
		for _, byIdentity := range []bool{false, true} {
			_, diags := r.importState(id, byIdentity)
			wantError(t, diags, want[0], want[1])
		}
	}
}

// Odd FoneNumbers are imported with generated configuration, without null attributes, as the guide on adoption describes, and without a
// change in FoneStorm. What is left of the configuration contains neither credentials nor a callback method.
func TestAccImportGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	a := newOddAccount(t, "yes", "no", "cancel")
	const line = "  provider = fractel\n" // Terraform 1.16 needs it to generate the resource, and rejects it afterward.
	imports := ""
	for _, f := range a.Numbers() {
		imports += fmt.Sprintf("import {\n%s  to = fractel_fonenumber_delivery.n%s\n  id = %[2]q\n}\n", line, f.Number)
	}
	w := a.newWorkspace(t, imports)
	w.plan(2, "-generate-config-out=adopted.tf")
	w.configure(strings.ReplaceAll(imports, line, ""))
	generated := regexp.MustCompile(`(?m)^.*= null.*\n`).ReplaceAllString(read(t, filepath.Join(w.Dir, "adopted.tf")), "")
	if line := regexp.MustCompile(`(?m)^ *url_.*$`).FindString(generated); line != "" {
		t.Errorf("unexpected line: %s", line)
	}
	w.write("adopted.tf", generated)
	says(t, w.plan(2), fmt.Sprintf("Plan: %d to import, 0 to add, 0 to change, 0 to destroy.", len(oddDeliveries)))
	w.apply(0)
	w.plan(0)
	a.sendsOnly(t, 0)
}

// A list returns what an import would, in one request. What a CLI generates from it is valid and plans nothing. Deliveries that no
// configuration can describe are omitted with a warning, do not count toward the limit, and cannot be imported. The reason contains no
// password.
func TestListReturnsWhatAnImportWould(t *testing.T) {
	t.Parallel()
	a := newOddAccount(t, "yes")
	for i, odd := range unconfigurable { // A list has them first.
		a.Put(simulator.FoneNumber{Number: fmt.Sprint(3215540000 + i), Receive: odd.receive})
	}
	r := a.start(t.Context(), t, nil)
	found, warnings := r.list(protocol().delivery, attributes{}, int64(len(oddDeliveries)))
	if len(found) != len(oddDeliveries) || len(warnings) != len(unconfigurable) || a.count("list") != 1 {
		t.Fatalf("%d deliveries, %d warnings, %d lists", len(found), len(warnings), a.count("list"))
	}
	for i, odd := range unconfigurable {
		number := fmt.Sprint(3215540000 + i)
		wantWarnings(t, warnings[i:i+1], []string{"Unsupported Destination"}, "FoneNumber "+number+" is omitted", odd.why)
		_, diags := r.importState(number, false)
		wantError(t, diags, "Unsupported Destination", "FoneNumber "+number, odd.why, "To go on without it, remove the import of this FoneNumber.")
		for _, d := range append(diags, warnings[i]) {
			if strings.Contains(d.Detail, "horse") {
				t.Errorf("FoneNumber %s: shows a secret: %s", number, d.Detail)
			}
		}
	}
	for _, one := range found {
		config := maps.Clone(one.resource) // What a CLI generates: every attribute that is not null.
		if d := failure(r.validate(config)); d != nil {
			t.Errorf("%v is not valid: %s", config, d.Detail)
		}
		imported, diags := r.importState(config.id(), false)
		if d := failure(diags); d != nil {
			t.Fatalf("%v: %s", config, d.Detail)
		}
		if c, _ := r.plan(imported, config); !c.isEmpty() {
			t.Errorf("%v: the plan changes %q", config, c.differs())
		}
	}
	a.sendsOnly(t, 0)
}

// The filters, at the protocol, because `terraform query` requires Terraform 1.14. A list of notifications omits what is not set.
func TestFiltersOfLists(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	a.Put(simulator.FoneNumber{Number: "5615550000"}) // Without a label.
	f, _ := a.Get("3215550000")
	f.ReceiveNotify = simulator.Notify{Type: "Callback", URL: hookURL, Method: "JSON"}
	f.SendNotify = simulator.Notify{Type: "Email", Email: "ops@example.com"}
	a.Put(f)
	f, _ = a.Get("3215550001")
	f.SendNotify = simulator.Notify{Type: "Pager"}
	a.Put(f)
	deliveries, notifications := protocol().delivery, protocol().notification
	for _, test := range []struct {
		of       resourceTypes
		filter   attributes
		limit    int64
		want     string // The display names.
		warnings []string
	}{
		{deliveries, attributes{}, 100, "Number Device, Number Email, Number URL, Number Forward, Number None, 5615550000", nil},
		{deliveries, attributes{}, 2, "Number Device, Number Email", nil},
		{deliveries, attributes{"type": "URL"}, 100, "Number URL", nil},
		{deliveries, attributes{"label": "Number Forward"}, 100, "Number Forward", nil},
		{deliveries, attributes{"group": "odd"}, 1, "Number Email", nil},
		{deliveries, attributes{"area_code": "561"}, 100, "5615550000", nil},
		{deliveries, attributes{"area_code": "407"}, 100, "", nil}, // It is cancelled.
		{notifications, attributes{}, 100, "Number Device (receive), Number Device (send)", []string{"Unsupported Destination"}},
		{notifications, attributes{"event": "send"}, 100, "Number Device (send)", []string{"Unsupported Destination"}},
		{notifications, attributes{"type": "Callback", "area_code": "321"}, 100, "Number Device (receive)", nil},
		{notifications, attributes{"type": "None", "event": "receive", "group": "odd"}, 100, "Number Email (receive), Number Forward (receive)", nil},
	} {
		found, diags := a.start(t.Context(), t, nil).list(test.of, test.filter, test.limit)
		wantWarnings(t, diags, test.warnings)
		var names []string
		for _, one := range found {
			names = append(names, one.name)
		}
		if got := strings.Join(names, ", "); got != test.want {
			t.Errorf("%s %v lists %s, want %s", test.of.name, test.filter, got, test.want)
		}
	}
	_, diags := a.start(t.Context(), t, nil).list(deliveries, attributes{"type": "email"}, 100)
	wantError(t, diags, "Invalid Attribute Value Match")
	_, diags = a.start(t.Context(), t, attributes{"password": "wrong"}).list(deliveries, attributes{}, 100)
	wantError(t, diags, "FoneStorm Authentication Failed")
}

// If only the list masks callback URLs, an import does not adopt the mask, whichever FoneNumbers are read from the list.
func TestImportOfURLsThatTheListMasks(t *testing.T) {
	t.Parallel()
	const n, secret = 8, "https://hooks.example.com/?key=horse"
	w := newAccount(t, simulator.Options{FoneNumbers: n}).world(t)
	w.shownBy(settings[0], map[string]func(string) string{
		"list": func(value string) string { return strings.ReplaceAll(value, "horse", "***") },
	})
	for i := range n {
		w.byHand(loadNumber(i), "URL", secret)
	}
	r := w.start()
	for i := range n {
		imported, diags := r.importState(loadNumber(i), false)
		wantWarnings(t, diags, nil)
		if c, _ := r.plan(imported, delivery{kind: "URL", value: secret}.attributes(loadNumber(i))); !c.isEmpty() {
			t.Errorf("the import of %s changes %q", loadNumber(i), c.differs())
		}
	}
}
