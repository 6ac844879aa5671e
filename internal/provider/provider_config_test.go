package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The precedence of the provider block, the environment, and the defaults.
func TestClientConfig(t *testing.T) {
	text := types.StringValue
	tests := map[string]struct {
		block   providerModel
		env     map[string]string
		want    fonestorm.Config
		failure string // Part of the error; empty for none.
	}{
		"defaults": {
			env: map[string]string{envUsername: "u", envPassword: "p"},
			want: fonestorm.Config{
				Endpoint: "https://api.fonestorm.com/v2", Username: "u", Password: "p",
				RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"everything from the environment": {
			env: map[string]string{envEndpoint: "http://localhost:1/v2", envToken: "t", envRequestsPerSecond: "3"},
			want: fonestorm.Config{
				Endpoint: "http://localhost:1/v2", Token: "t", RequestsPerSecond: 3, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"the block takes precedence": {
			block: providerModel{
				Endpoint: text("http://[::1]:2/v2"), Username: text("bu"), Password: text("bp"), RequestsPerSecond: types.Int64Value(7),
				MaxRetries: types.Int64Value(0), RequestTimeout: text("1m"),
			},
			env: map[string]string{envEndpoint: "http://localhost:1/v2", envUsername: "u", envPassword: "p", envRequestsPerSecond: "3"},
			want: fonestorm.Config{
				Endpoint: "http://[::1]:2/v2", Username: "bu", Password: "bp", RequestsPerSecond: 7, RequestTimeout: time.Minute,
			},
		},
		"a token in the block overrides a user in the environment": {
			block: providerModel{Token: text("t")},
			env:   map[string]string{envUsername: "u", envPassword: "p"},
			want: fonestorm.Config{
				Endpoint: fonestorm.DefaultEndpoint, Token: "t", RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"a user in the block overrides a token in the environment": {
			block: providerModel{Username: text("u")},
			env:   map[string]string{envToken: "t", envPassword: "p"},
			want: fonestorm.Config{
				Endpoint: fonestorm.DefaultEndpoint, Username: "u", Password: "p", RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"nothing":            {failure: "Set username and password in the provider block"},
		"no password":        {block: providerModel{Username: text("u")}, failure: "A username is set but no password."},
		"no username":        {env: map[string]string{envPassword: "p"}, failure: "A password is set but no username."},
		"token and username": {env: map[string]string{envToken: "t", envUsername: "u"}, failure: "both a token (FRACTEL_TOKEN) and a username"},
		"endpoint in env":    {env: map[string]string{envToken: "t", envEndpoint: "http://api.example.com"}, failure: "FRACTEL_ENDPOINT cannot be used"},
		"endpoint in env without scheme": {
			env: map[string]string{envToken: "t", envEndpoint: "localhost:8080/v2"}, failure: `FRACTEL_ENDPOINT must begin with https://. Use "http://localhost:8080/v2".`,
		},
		"rate in env": {env: map[string]string{envToken: "t", envRequestsPerSecond: "ten"}, failure: `FRACTEL_REQUESTS_PER_SECOND must be a whole number that is greater than zero, but "ten" was given.`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{envEndpoint, envUsername, envPassword, envToken, envRequestsPerSecond} {
				t.Setenv(variable, test.env[variable])
			}
			got, diags := test.block.clientConfig()
			if test.failure != "" {
				if !diags.HasError() || !strings.Contains(diags[0].Detail(), test.failure) {
					t.Errorf("got %+v, want an error that contains %q", diags, test.failure)
				}
				return
			}
			if diags.HasError() || got != test.want {
				t.Errorf("got %+v, %+v, want %+v", got, diags, test.want)
			}
		})
	}
}

// Provider blocks that `terraform validate` rejects.
func TestAccValidateProvider(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ block, attribute, says string }{
		"endpoint_http":     {`endpoint = "http://api.fonestorm.com/v2"`, "endpoint", "allowed only for a loopback host"},
		"endpoint_scheme":   {`endpoint = "api.fonestorm.com/v2"`, "endpoint", `must begin with https://. Use "https://api.fonestorm.com/v2".`},
		"endpoint_loopback": {`endpoint = "127.0.0.1:8080/v2"`, "endpoint", `Use "http://127.0.0.1:8080/v2".`},
		"endpoint_word":     {`endpoint = "fonestorm"`, "endpoint", "cannot be used: it must begin with https://."},
		"endpoint_user":     {`endpoint = "https://u:p@api.fonestorm.com/v2"`, "endpoint", "must not contain a username or password"},
		"endpoint_query":    {`endpoint = "https://api.fonestorm.com/v2?token=x"`, "endpoint", "must not contain a query"},
		"endpoint_no_host":  {`endpoint = "https:///v2"`, "endpoint", "has no host"},
		"token_and_user":    {"token = \"t\"\n  username = \"u\"", "username", `"token" cannot be specified when "username" is specified`},
		"token_and_pass":    {"token = \"t\"\n  password = \"p\"", "password", `"token" cannot be specified when "password" is specified`},
		"empty_username":    {`username = ""`, "username", "at least 1"},
		"requests_zero":     {`requests_per_second = 0`, "requests_per_second", "between 1 and 100000"},
		"retries_negative":  {`max_retries = -1`, "max_retries", "between 0 and 100"},
		"subaccount_zero":   {`subaccount = 0123456789`, "subaccount", `but "123456789" was given. A number without quotes loses its leading zeros`},
		"timeout_text":      {`request_timeout = "soon"`, "request_timeout", `must be a number with a unit, such as "30s" or "2m", but "soon" was given`},
		"timeout_zero":      {`request_timeout = "0s"`, "request_timeout", "must be greater than zero"},
		"timeout_no_unit":   {`request_timeout = "30"`, "request_timeout", `requires a unit, but "30" was given. Use "30s" for seconds.`},
		"timeout_number":    {`request_timeout = 1.5`, "request_timeout", `Use "1.5s" for seconds.`},
	}
	a := newAccount(t, simulator.Options{})
	var config strings.Builder
	block := func(alias, attributes string) { // Unused provider blocks are not validated, so each has a resource.
		fmt.Fprintf(&config, "provider \"fractel\" {\n  alias = %q\n  %s\n}\n", alias, attributes)
		fmt.Fprintf(&config, "resource \"fractel_fonenumber_delivery\" %q {\n  provider = fractel.%[1]s\n  fonenumber = %q\n  type = \"None\"\n}\n", alias, testNumber)
	}
	for name, test := range tests {
		block(name, test.block)
	}
	block("fine", "endpoint = \"https://api.fonestorm.com/v2\"\n  username = \"u\"\n  request_timeout = \"1m30s\"\n  max_retries = 0")
	found := a.newWorkspace(t, config.String()).validate(1)[`provider "fractel"`]
	for name, test := range tests {
		if !contains(found, test.attribute, test.says) {
			t.Errorf("%s: no error on %q that contains %q in %+v", name, test.attribute, test.says, found)
		}
	}
	if len(found) != len(tests) {
		t.Errorf("%d errors, want %d: %+v", len(found), len(tests), found)
	}
}

// Credentials that are unknown until the apply are valid in a plan, and are used in the apply.
func TestAccUnknownCredentials(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, `
resource "terraform_data" "vault" {
  input = "demo-password"
}
provider "fractel" {
  endpoint = "`+a.endpoint+`"
  username = "demo"
  password = terraform_data.vault.output
}
`+destinations[1].config(testNumber))
	w.plan(2)
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("the plan sent requests: %+v", requests)
	}
	w.apply()
	if err := a.delivers(testNumber, destinations[1])(nil); err != nil {
		t.Error(err)
	}
	w.plan(0)
}
