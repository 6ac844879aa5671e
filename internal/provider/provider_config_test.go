package provider

import (
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
		block providerModel
		env   map[string]string
		want  fonestorm.Config
	}{
		"defaults": {
			env: map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p"},
			want: fonestorm.Config{
				Endpoint: "https://api.fonestorm.com/v2", Username: "u", Password: "p",
				RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"everything from the environment": {
			env: map[string]string{"FRACTEL_ENDPOINT": "http://localhost:1/v2", "FRACTEL_TOKEN": "t", "FRACTEL_REQUESTS_PER_SECOND": "3"},
			want: fonestorm.Config{
				Endpoint: "http://localhost:1/v2", Token: "t", RequestsPerSecond: 3, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"the block takes precedence": {
			block: providerModel{
				Endpoint: text("http://[::1]:2/v2"), Username: text("bu"), Password: text("bp"), RequestsPerSecond: new(int64(7)),
				MaxRetries: new(int64(0)), RequestTimeout: text("1m"),
			},
			env: map[string]string{"FRACTEL_ENDPOINT": "http://localhost:1/v2", "FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p", "FRACTEL_REQUESTS_PER_SECOND": "3"},
			want: fonestorm.Config{
				Endpoint: "http://[::1]:2/v2", Username: "bu", Password: "bp", RequestsPerSecond: 7, RequestTimeout: time.Minute,
			},
		},
		"a token in the block overrides a user in the environment": {
			block: providerModel{Token: text("t")},
			env:   map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p"},
			want: fonestorm.Config{
				Endpoint: fonestorm.DefaultEndpoint, Token: "t", RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
		"a user in the block overrides a token in the environment": {
			block: providerModel{Username: text("u")},
			env:   map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_PASSWORD": "p"},
			want: fonestorm.Config{
				Endpoint: fonestorm.DefaultEndpoint, Username: "u", Password: "p", RequestsPerSecond: 10, MaxRetries: 4, RequestTimeout: 30 * time.Second,
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"FRACTEL_ENDPOINT", "FRACTEL_USERNAME", "FRACTEL_PASSWORD", "FRACTEL_TOKEN", "FRACTEL_REQUESTS_PER_SECOND"} {
				t.Setenv(variable, test.env[variable])
			}
			got, diags := test.block.clientConfig()
			if diags.HasError() || got != test.want {
				t.Errorf("got %+v, %+v, want %+v", got, diags, test.want)
			}
		})
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
