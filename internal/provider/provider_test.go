package provider

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestPrecedenceOfProviderSettings(t *testing.T) {
	text := types.StringValue
	user := attributes{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p"}
	for name, test := range map[string]struct {
		block       providerModel
		environment attributes
		want        fonestorm.Config // Empty members are the defaults.
	}{
		"defaults": {environment: user, want: fonestorm.Config{Username: "u", Password: "p", MaxRetries: 4}},
		"everything from the environment": {
			environment: attributes{"FRACTEL_ENDPOINT": "http://localhost:1/v2", "FRACTEL_TOKEN": "t", "FRACTEL_REQUESTS_PER_SECOND": "3"},
			want:        fonestorm.Config{Endpoint: "http://localhost:1/v2", Token: "t", RequestsPerSecond: 3, MaxRetries: 4},
		},
		"the block takes precedence": {
			block: providerModel{
				Endpoint: text("http://[::1]:2/v2"), Username: text("bu"), Password: text("bp"), RequestsPerSecond: new(int64(7)),
				MaxRetries: new(int64(0)), RequestTimeout: text("1m"),
			},
			environment: with(with(user, "FRACTEL_ENDPOINT", "http://localhost:1/v2"), "FRACTEL_REQUESTS_PER_SECOND", "3"),
			want:        fonestorm.Config{Endpoint: "http://[::1]:2/v2", Username: "bu", Password: "bp", RequestsPerSecond: 7, RequestTimeout: time.Minute},
		},
		"a token in the block overrides a user in the environment": {
			block: providerModel{Token: text("t")}, environment: user, want: fonestorm.Config{Token: "t", MaxRetries: 4},
		},
		"a user in the block overrides a token in the environment": {
			block: providerModel{Username: text("u")}, environment: attributes{"FRACTEL_TOKEN": "t", "FRACTEL_PASSWORD": "p"},
			want: fonestorm.Config{Username: "u", Password: "p", MaxRetries: 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t, test.environment)
			want := test.want
			want.Endpoint = cmp.Or(want.Endpoint, "https://api.fonestorm.com/v2")
			want.RequestsPerSecond = cmp.Or(want.RequestsPerSecond, 10)
			want.RequestTimeout = cmp.Or(want.RequestTimeout, 30*time.Second)
			var diags diag.Diagnostics
			if got := test.block.clientConfig(&diags); diags.HasError() || got != want {
				t.Errorf("got %+v, %+v, want %+v", got, diags, want)
			}
		})
	}
}

// setEnvironment sets the variables of the provider to those of a configuration.
func setEnvironment(t *testing.T, to attributes) {
	t.Helper()
	for _, attribute := range []string{"ENDPOINT", "USERNAME", "PASSWORD", "TOKEN", "SUBACCOUNT", "REQUESTS_PER_SECOND"} {
		t.Setenv("FRACTEL_"+attribute, to.text("FRACTEL_"+attribute))
	}
}

// providerTexts are arguments of the provider block with a line break, and what they need in the environment to be read there.
var providerTexts = []struct {
	attribute, summary, value string
	others                    attributes
}{
	{"endpoint", "Invalid Endpoint", "https://api.fonestorm.com/v2\n", attributes{"FRACTEL_TOKEN": "t"}},
	{"username", "Invalid FoneStorm Credentials", "demo\r\n", attributes{"FRACTEL_PASSWORD": "horse"}},
	{"password", "Invalid FoneStorm Credentials", "correct\nhorse", attributes{"FRACTEL_USERNAME": "demo"}},
	{"password", "Invalid FoneStorm Credentials", "horse\r\n", attributes{"FRACTEL_USERNAME": "demo"}},
	{"token", "Invalid FoneStorm Credentials", "t\n", attributes{}},
}

const (
	needsHTTPS  = "The endpoint must begin with https://, or with http:// for a loopback host such as localhost"
	fractels    = ` FracTEL's is "https://api.fonestorm.com/v2".`
	needsDigits = `The subaccount must be exactly ten digits, such as "3215551212", but {given} was given.`
)

func TestMistakesInProvider(t *testing.T) {
	t.Parallel()
	server := newServer(New("test")())
	v := validation{t: t, validate: func(config attributes) []*tfprotov6.Diagnostic {
		return must(server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{
			Config: wire(protocol().provider, config.value(protocol().provider)),
		})).Diagnostics
	}}
	none := attributes{}
	for _, text := range providerTexts {
		of := v.of(text.attribute, text.summary, none)
		of("The "+text.attribute+isEmpty, "")
		of("The "+text.attribute+hasLineBreak, text.value)
	}
	v.of("token", "Invalid FoneStorm Credentials", none)("The token"+hasInvisible+`'\u200b'. Remove it.`, "ey\u200bJ")
	for attribute, value := range map[string]string{"username": "u", "password": "p", "subaccount": "1234567890"} {
		v.of(attribute, "Invalid Attribute Combination", attributes{"token": "t"})(
			`Attribute "token" cannot be specified when "`+attribute+`" is specified`, value)
	}
	endpoint := v.of("endpoint", "Invalid Endpoint", none)
	endpoint(needsHTTPS+", because requests contain passwords and tokens."+fractels, "http://api.fonestorm.com/v2")
	endpoint(needsHTTPS+"."+fractels, "api.fonestorm.com/v2", "localhost:8080/v2", "fonestorm")
	endpoint("The endpoint must not contain a username or password: use the settings for them."+fractels, "https://u:p@api.fonestorm.com/v2")
	endpoint("The endpoint must not contain a query or a fragment."+fractels, "https://api.fonestorm.com/v2?token=x")
	endpoint("The endpoint has no host."+fractels, "https:///v2", "https://https://api.fonestorm.com/v2")
	endpoint("The endpoint must not contain a space."+fractels, "https://api.fonestorm.com/v2 ")
	endpoint("The endpoint is not a URL."+fractels, "https://[::1/v2")
	endpoint("The endpoint"+hasInvisible+`'\u00ad'. Remove it.`, "https://api.fone\u00adstorm.com/v2")
	v.of("subaccount", "Invalid Subaccount", none)(needsDigits, "123456789", "sales")
	v.of("requests_per_second", "Invalid Attribute Value", none)("Attribute requests_per_second value must be at least 1, got: 0", 0)
	v.of("max_retries", "Invalid Attribute Value", none)("Attribute max_retries value must be between 0 and 100, got: -1", -1)
	v.of("request_timeout", "Invalid Duration", none)(
		`The timeout must be greater than zero and have a unit, such as "30s" or "2m", but {given} was given.`, "", "soon", "0s", "-5s", "30")
}

func TestMistakesInEnvironment(t *testing.T) {
	server := newServer(New("test")())
	v := validation{t: t, inEnvironment: true, validate: func(environment attributes) []*tfprotov6.Diagnostic {
		setEnvironment(t, environment)
		return must(server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
			Config: wire(protocol().provider, attributes{}.value(protocol().provider)),
		})).Diagnostics
	}}
	missing := func(environment attributes, attribute string) {
		v.check(environment, attribute, "Missing FoneStorm Credentials", "Neither the provider block nor the environment contains a "+attribute+
			". Set username and password in the provider block, or the environment variables FRACTEL_USERNAME and FRACTEL_PASSWORD, "+
			"or instead a token (FRACTEL_TOKEN).")
	}
	missing(attributes{}, "username")
	missing(attributes{"FRACTEL_USERNAME": "demo"}, "password")
	missing(attributes{"FRACTEL_PASSWORD": "horse"}, "username")
	for _, variable := range []string{"FRACTEL_USERNAME", "FRACTEL_PASSWORD", "FRACTEL_SUBACCOUNT"} {
		v.check(attributes{"FRACTEL_TOKEN": "t", variable: "1234567890"}, "", "Conflicting FoneStorm Credentials",
			"FRACTEL_TOKEN contains a token, which already belongs to one account, but a username, password, or subaccount is set, too. "+
				"Unset FRACTEL_TOKEN, or remove the others (FRACTEL_USERNAME, FRACTEL_PASSWORD, FRACTEL_SUBACCOUNT, or arguments of the provider block).")
	}

	// The rules of the block, and where the value comes from.
	for _, text := range providerTexts {
		v.of(text.attribute, text.summary, text.others)("The "+text.attribute+hasLineBreak, text.value)
	}
	token, user := attributes{"FRACTEL_TOKEN": "t"}, attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "horse"}
	v.of("endpoint", "Invalid Endpoint", token)(needsHTTPS+"."+fractels, "localhost:8080/v2")
	v.of("requests_per_second", "Invalid Attribute Value", token)(
		"requests_per_second must be a whole number of at least 1, but {given} was given.", "ten", "0.5", "0", "10\n")
	v.of("subaccount", "Invalid Subaccount", user)(needsDigits, "123", "eyJhbGciOiJIUzI1NiJ9")
	v.of("subaccount", "Invalid Subaccount", user)(
		"The subaccount must be exactly ten digits, such as \"3215551212\", but a text that is not shown here was given.",
		"eyJhbGciOiJIUzI1NiJ9.eyJhY2NvdW50Ijp7fX0.c2lnbmF0dXJl")
}

// The user agent ends with what TF_APPEND_USER_AGENT contains, as that of the CLI does.
func TestUserAgent(t *testing.T) {
	const own = "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6)"
	for appended, want := range map[string]string{
		"":                      own,
		"  ":                    own,
		" pipeline/7 (nightly)": own + " pipeline/7 (nightly)",
		"one\r\nToken: x\n":     own + " one Token: x",
	} {
		t.Setenv("TF_APPEND_USER_AGENT", appended)
		if got := userAgent("0.1.0", "1.12.6"); got != want {
			t.Errorf("%q: the user agent is %q, want %q", appended, got, want)
		}
	}
}

// Credentials that are unknown until the apply are valid in a plan, and are used in the apply. A destination that is unknown is
// checked in the apply, before it is sent. The default of on_destroy does not take the place of one that is unknown.
func TestAccUnknownValues(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{}, testNumber)
	config := func(destination string) string {
		return fmt.Sprintf(`
resource "terraform_data" "vault" {
  input = "demo-password"
}
resource "terraform_data" "source" {
  input = { value = %q, on_destroy = "keep" }
}
provider "fractel" {
  endpoint = %q
  username = "demo"
  password = terraform_data.vault.output
}
resource "fractel_fonenumber_delivery" "test" {
  fonenumber = %q
  type       = "Email"
  value      = terraform_data.source.output.value
  on_destroy = terraform_data.source.output.on_destroy
}
`, destination, a.endpoint(), testNumber)
	}
	w := a.newWorkspace(t, config("ops@example.com"))
	w.plan(2)
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("the plan sent requests: %+v", requests)
	}
	w.apply(0)
	w.plan(0)
	w.configure(config("ops.example.com"))
	w.plan(2)
	says(t, w.apply(1), `The value must be one e-mail address, such as "ops@example.com"`)
	a.mustDeliver(t, testNumber, destinations[1])
	w.configure(config("dev@example.com"))
	w.apply(0)
	w.apply(0, "-destroy")
	a.mustDeliver(t, testNumber, delivery{kind: "Email", value: "dev@example.com"})
}

// The provider connects through the proxy in the environment, which sees only the host.
func TestAccProxyFromEnvironment(t *testing.T) {
	t.Parallel()
	var connected atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connected.Store(true)
		if seen := r.Method + " " + r.RequestURI; seen != "CONNECT fonestorm.example.com:443" {
			t.Errorf("the proxy received %s", seen)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(proxy.Close)
	config := "provider \"fractel\" {\n  max_retries = 0\n}\n" + settings[0].block("test", testNumber, destinations[1])
	w := newAccount(t, simulator.Options{}).newWorkspace(t, config,
		"FRACTEL_ENDPOINT=https://fonestorm.example.com/v2", "HTTPS_PROXY="+proxy.URL)
	says(t, w.plan(1), "Error: Unable to Reach FoneStorm", "proxyconnect tcp: the proxy returned 503")
	if !connected.Load() {
		t.Error("the proxy received no request")
	}
}

// Without a client, because the provider configuration is unknown, a plan warns once, even if there is nothing to refresh, and keeps
// the state. Every call that requires a client returns an error. No call panics or sends a request.
func TestUnknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	configs := []attributes{toHook, destinations[1].attributes(otherNumber)}
	known := newWorld(t, testNumber, otherNumber)
	none := known.world(t)
	create := none.plan(configs...)
	known.mustApply(configs...)
	before := known.state["0"].state
	update, remove := known.plan(destinations[1].attributes(testNumber), configs[1]), known.plan(nil)
	known.Forget()
	for _, unknown := range []string{"endpoint", "password"} {
		for _, w := range []*world{known, none} {
			w.settings = attributes{unknown: tftypes.UnknownValue}
			p := w.plan(configs...)
			wantWarnings(t, p.diags, []string{"Refresh Skipped: Provider Configuration Unknown"})
			if len(p.steps)+len(w.state) != len(configs) {
				t.Errorf("the plan changes %q", p.differs())
			}
		}
	}
	wantUnknown := func(diags []*tfprotov6.Diagnostic) {
		t.Helper()
		wantError(t, diags, "Provider Configuration Unknown")
	}
	wantUnknown(none.carryOut(create))
	wantUnknown(known.carryOut(update))
	wantUnknown(known.carryOut(remove))
	if after := known.state["0"].state; !after.Equal(before) || len(none.state) > 0 {
		t.Errorf("the state is %s and %v", after, none.state)
	}
	r := known.start()
	_, diags := r.importState(testNumber, false)
	wantUnknown(diags)
	_, diags = r.list(protocol().delivery, attributes{}, 100)
	wantUnknown(diags)
	for source, config := range map[string]attributes{
		"fractel_fonenumber": {"fonenumber": testNumber}, "fractel_fonenumbers": {}, "fractel_device": {"id": "1"}, "fractel_devices": {},
	} {
		_, diags := r.readDataSource(source, config)
		wantUnknown(diags)
	}
	if n := len(known.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}
