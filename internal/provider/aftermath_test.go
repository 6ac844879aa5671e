package provider

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// asAccount returns a token that names an account.
func asAccount(id string) (token string) {
	payload := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"account":{"id":%q},"exp":4102444800}`, id))
	return "e30." + payload + ".c2lnbmF0dXJl"
}

// The credentials of another account neither empty the state nor let a destroy pass: the error names both accounts.
func TestCredentialsOfAnotherAccount(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	tokens := map[string]string{asAccount("3210000001"): "first", asAccount("3210000002"): "second"}
	a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		switch tokens[r.Header.Get("token")] {
		case "first":
			r.Header.Set("token", a.newToken(t))
			return false
		case "second":
			if strings.HasSuffix(r.URL.Path, "/fonenumbers") {
				fmt.Fprint(w, `{"fonenumbers":["3215559999"]}`)
				return true
			}
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"Not Found","message":"No such FoneNumber.","status_code":404}`)
			return true
		}
		return false
	})
	provider := func(id string) string {
		return fmt.Sprintf("provider \"fractel\" {\n  endpoint = %q\n  token = %q\n  requests_per_second = 1000\n}\n", a.endpoint, asAccount(id))
	}
	w := a.newWorkspace(t, provider("3210000001")+destinations[1].config(testNumber))
	w.setEnv("FRACTEL_USERNAME=", "FRACTEL_PASSWORD=")
	w.apply()
	w.configure(provider("3210000002") + destinations[1].config(testNumber))
	for _, args := range [][]string{
		{"plan"},
		{"apply", "-auto-approve", "-refresh-only"},
		{"apply", "-auto-approve", "-destroy"},
		{"apply", "-auto-approve", "-destroy", "-refresh=false"},
	} {
		output := w.run(1, append(args, "-no-color", "-input=false")...)
		says(t, output, "Error: FoneNumber in Another Account", `"3210000001"`, `"3210000002"`, "destroy = false")
		if strings.TrimSpace(w.run(0, "state", "list")) != testAddress {
			t.Errorf("%v empties the state", args)
		}
	}
	w.configure(provider("3210000001") + destinations[1].config(testNumber))
	w.plan(0)
	w.apply("-destroy")
	if err := a.delivers(testNumber, destination{kind: "None"})(nil); err != nil {
		t.Error(err)
	}
}

// newToken logs in without Terraform.
func (a *account) newToken(t *testing.T) string {
	t.Helper()
	response, err := http.Post(a.endpoint+"/auth", "application/json", strings.NewReader(`{"username":"demo","password":"demo-password"}`))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer response.Body.Close()
	var body [4096]byte
	n, _ := response.Body.Read(body[:])
	_, rest, _ := strings.Cut(string(body[:n]), `"token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

// A FoneNumber that leaves the account does not keep anybody from destroying the rest.
func TestDestroyWhenAFoneNumberIsGone(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 3})
	w := a.newWorkspace(t, numbered(3, "ops@example.com"))
	w.apply()
	a.Remove("3215550001")
	says(t, w.plan(2), "FoneNumber 3215550001 is no longer in the account, so it cannot be set again")
	says(t, w.apply("-destroy"), "2 destroyed")

	// One that was never there is an error of the plan, which says what to do.
	a.Put(simulator.FoneNumber{Number: "3215550001"})
	w.apply()
	w.configure(numbered(4, "ops@example.com"))
	says(t, w.run(1, "apply", "-destroy", "-auto-approve", "-no-color", "-input=false"), "terraform destroy -refresh=false")
	says(t, w.apply("-destroy", "-refresh=false"), "3 destroyed")
}

// A destroy after a create whose response was lost turns the FoneNumber off if the create took effect. Reading settles that at
// once, or is left to the next refresh.
func TestDestroyAfterALostCreate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault      simulator.Fault // Of the setting.
		unreadable bool            // Whether reading fails afterwards.
		exitCode   int
		want       destination
	}{
		"took effect":               {simulator.AnswerLost, false, 0, destination{kind: "None"}},
		"took effect, not readable": {simulator.AnswerLost, true, 1, destination{kind: "None"}},
		"did not":                   {simulator.BadGateway, false, 1, destination{kind: "Email", value: "boss@example.com"}},
		"did not, not readable":     {simulator.BadGateway, true, 1, destination{kind: "Email", value: "boss@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			a.byHand(testNumber, "Email", "boss@example.com")
			sent := false
			a.Inject(func(r *http.Request) simulator.Fault {
				switch {
				case strings.HasSuffix(r.URL.Path, "/messages/receive"):
					sent = true
					return test.fault
				case sent && test.unreadable:
					return simulator.BadGateway
				default:
					return ""
				}
			})
			w := a.newWorkspace(t, a.provider("max_retries = 0")+destinations[1].config(testNumber))
			w.run(test.exitCode, "apply", "-no-color", "-auto-approve", "-input=false")
			a.Inject(nil)
			if got := strings.TrimSpace(w.run(0, "state", "list")); got != testAddress {
				t.Errorf("the state has %q", got)
			}
			w.apply("-destroy")
			if err := a.delivers(testNumber, test.want)(nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// A create that did not take effect is tainted. When the configuration then names another FoneNumber, the destroy of the
// tainted object knows nothing of the object, and must not turn off what something else set.
func TestLostCreateThenAnotherFoneNumber(t *testing.T) {
	t.Parallel()
	const other = "3215553434"
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "boss@example.com")
	a.Put(simulator.FoneNumber{Number: other})
	a.Inject(func(r *http.Request) simulator.Fault {
		if strings.HasSuffix(r.URL.Path, "/messages/receive") {
			return simulator.BadGateway
		}
		return ""
	})
	w := a.newWorkspace(t, a.provider("max_retries = 0")+destinations[1].config(testNumber))
	w.run(1, "apply", "-no-color", "-auto-approve", "-input=false")
	a.Inject(nil)
	w.configure(a.provider() + destinations[1].config(other))
	says(t, w.apply(), "1 added, 0 changed, 1 destroyed")
	for number, want := range map[string]destination{testNumber: {kind: "Email", value: "boss@example.com"}, other: destinations[1]} {
		if err := a.delivers(number, want)(nil); err != nil {
			t.Error(err)
		}
	}
	w.plan(0)
}

// A tainted or renamed resource is not told that its own delivery was set by something else, and nothing shows values that
// may come from sensitive variables.
func TestOwnValuesAreNotShown(t *testing.T) {
	t.Parallel()
	config := func(name, value string) string {
		return fmt.Sprintf(`
variable "destination" {
  type      = string
  sensitive = true
  default   = %q
}
resource "fractel_fonenumber_delivery" %q {
  fonenumber = %q
  type       = "Email"
  value      = var.destination
}
`, value, name, testNumber)
	}
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "boss@example.com")
	w := a.newWorkspace(t, config("test", "secret-1@example.com"))
	output := w.apply()
	says(t, output, `Email "boss@example.com"`) // That of others is shown.
	w.run(0, "taint", testAddress)
	w.configure(config("test", "secret-2@example.com"))
	tainted := w.plan(2)
	warns(t, tainted)
	output += tainted + w.apply()
	w.configure(strings.Replace(config("test", "secret-3"), `"Email"`, `"Device"`, 1))
	output += w.run(1, "plan", "-no-color", "-input=false")
	w.configure("")
	output += w.plan(2) + w.apply()
	if strings.Contains(strings.ReplaceAll(output, "(sensitive value)", ""), "secret-") {
		t.Errorf("a sensitive value is shown:\n%s", output)
	}
}

// A plan whose provider configuration is unknown says so, once, even when there is nothing to refresh.
func TestUnknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 3})
	config := `
resource "terraform_data" "password" {
  input = "demo-password"
}
provider "fractel" {
  password = terraform_data.password.output
}
`
	w := a.newWorkspace(t, config+numbered(3, "ops@example.com"))
	output := w.plan(2)
	warns(t, output, "Refresh Skipped: Provider Configuration Unknown")
	if strings.Contains(output, "more similar warnings") {
		t.Errorf("it is said more than once:\n%s", output)
	}
	w.apply()
	w.plan(0)
}

// Without a client, changes end with an error. They must not panic, whatever Terraform calls.
func TestNoClient(t *testing.T) {
	t.Parallel()
	r := newFoneNumberDeliveryResource()
	var schema resource.SchemaResponse
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	value := toEmail.value(schema.Schema.Type().TerraformType(t.Context()))
	plan, state := tfsdk.Plan{Schema: schema.Schema, Raw: value}, tfsdk.State{Schema: schema.Schema, Raw: value}
	config := tfsdk.Config{Schema: schema.Schema, Raw: value}

	created := resource.CreateResponse{State: state}
	r.Create(t.Context(), resource.CreateRequest{Plan: plan, Config: config}, &created)
	updated := resource.UpdateResponse{State: state}
	r.Update(t.Context(), resource.UpdateRequest{Plan: plan, Config: config, State: state}, &updated)
	if !created.Diagnostics.HasError() || !updated.Diagnostics.HasError() {
		t.Errorf("create: %v, update: %v", created.Diagnostics, updated.Diagnostics)
	}

	server := NewServer("test").(*server) // Not configured.
	deleted, err := server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resourceName, PriorState: wire(t, protocol().resource, toEmail.value(protocol().resource)),
		PlannedState: wire(t, protocol().resource, tftypes.NewValue(protocol().resource, nil)),
		Config:       wire(t, protocol().resource, tftypes.NewValue(protocol().resource, nil)),
		PlannedPrivate: []byte(
			`{"delivery":"` + base64.StdEncoding.EncodeToString([]byte(`{"fonenumber":"3215551212","on_destroy":"disable"}`)) + `"}`),
	})
	if err != nil || failure(deleted.Diagnostics) == nil {
		t.Errorf("delete: %v, %v", err, deleted)
	}
}

// What is configured in another spelling than FoneStorm's, or than the state's, is no change.
func TestSpelling(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "ops@example.com")
	config := func(value string) string { return destination{kind: "Email", value: value}.config(testNumber) }
	w := a.newWorkspace(t, config("Ops@Example.com"))
	w.run(0, "import", "-no-color", "-input=false", testAddress, testNumber)
	w.plan(0)
	w.configure(config("ops@EXAMPLE.com"))
	w.plan(0)
	w.configure(config("dev@example.com"))
	w.apply()
	a.byHand(testNumber, "Email", "DEV@example.com")
	w.plan(0)
	a.byHand(testNumber, "Email", "Boss@example.com")
	says(t, w.plan(2), `value = "Boss@example.com" -> "dev@example.com"`)
}

// A FoneNumber that FoneStorm calls with JSON plans empty when it is imported, until its delivery changes.
func TestURLMethodOfOthers(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	method := func() {
		f, _ := a.Get(testNumber)
		f.Receive.URLMethod = "JSON"
		a.Put(f)
	}
	a.byHand(testNumber, "URL", "https://hooks.example.com/sms")
	method()
	w := a.newWorkspace(t, callback(""))
	w.run(0, "import", "-no-color", "-input=false", testAddress, testNumber)
	w.plan(0)
	w.configure(strings.Replace(callback(""), "/sms", "/other", 1))
	output := w.plan(2)
	warns(t, output, "Callback Method Changes to POST")
	says(t, output, `url_method = "JSON" -> "POST"`)
	w.apply()
	for _, line := range []string{"", `url_method = "POST"`} {
		w.configure(strings.Replace(callback(line), "/sms", "/other", 1))
		w.apply()
		w.plan(0)
	}
}

// What FoneStorm shows as method after POST was set never changes the next plan; what it shows later does.
func TestRefreshedMethod(t *testing.T) {
	t.Parallel()
	posted := types.StringValue("POST")
	tests := map[string]struct {
		state       types.String
		kind, shown string
		moved       bool // To another destination.
		set         bool // By this resource.
		after       string
		want        string // Empty for null.
	}{
		"imported":                   {types.StringNull(), "URL", "JSON", false, false, "", "JSON"},
		"imported, no method":        {types.StringNull(), "URL", "", false, false, "", ""},
		"set, shows POST":            {posted, "URL", "POST", false, true, "POST", "POST"},
		"set, goes on showing JSON":  {posted, "URL", "JSON", false, true, "JSON", "POST"},
		"set, shows JSON only later": {posted, "URL", "JSON", false, true, "", "POST"},
		"set, shows none":            {posted, "URL", "", false, true, "POST", "POST"},
		"changed by hand":            {posted, "URL", "JSON", false, true, "POST", "JSON"},
		"moved by hand":              {posted, "URL", "GET", true, true, "GET", "GET"},
		"another type by hand":       {posted, "Email", "", true, true, "POST", ""},
		"POST configured for e-mail": {posted, "Email", "", false, true, "", "POST"},
	}
	for name, test := range tests {
		rec := record{URLMethod: test.after}
		if test.set {
			rec = rec.setting(fonestorm.Delivery{Type: "URL", Value: "https://hooks.example.com/"})
		}
		found := fonestorm.Delivery{Type: fonestorm.DeliveryType(test.kind), URLMethod: test.shown}
		if got := refreshedMethod(test.state, found, !test.moved, &rec); got != stringOrNull(test.want) {
			t.Errorf("%s: %s, want %q", name, got, test.want)
		}
	}
}
