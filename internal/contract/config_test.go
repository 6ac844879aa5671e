package contract

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		set   map[string]string
		words string // In the error; empty for no error.
	}{
		{map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p"}, ""},
		{map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "http://127.0.0.1:80/v2"}, ""},
		{map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p", "FRACTEL_SUBACCOUNT": "1000000002"}, ""},
		{nil, "FRACTEL_USERNAME and FRACTEL_PASSWORD, or FRACTEL_TOKEN"},
		{map[string]string{"FRACTEL_USERNAME": "u"}, "FRACTEL_PASSWORD"},
		{map[string]string{"FRACTEL_PASSWORD": "p"}, "FRACTEL_USERNAME"},
		{map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p", "FRACTEL_TOKEN": "t"}, "unset FRACTEL_TOKEN"},
		{map[string]string{"FRACTEL_TOKEN": "t\n"}, "line breaks"},
		{map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_SUBACCOUNT": "1000000002"}, "FRACTEL_USERNAME"},
		{map[string]string{"FRACTEL_USERNAME": "u", "FRACTEL_PASSWORD": "p", "FRACTEL_SUBACCOUNT": "12"}, "ten digits"},
		{map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "fonestorm"}, "FRACTEL_ENDPOINT"},
		{map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "http://fonestorm.test"}, "https"},
		{map[string]string{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "https://u:hidden@fonestorm.test"}, "username or password"},
	} {
		_, err := FromEnvironment(func(name string) string { return test.set[name] })
		if (err == nil) != (test.words == "") || err != nil && (!strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%v: %v, want %q", test.set, err, test.words)
		}
	}
}

// If a run is impossible, the error is one line, and nothing is changed.
func TestImpossibleRuns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(config *Config, sim *simulator.Simulator)
		words  string
	}{
		"no credentials":    {func(c *Config, _ *simulator.Simulator) { c.Username, c.Password = "", "" }, "no credentials"},
		"nine digits":       {func(c *Config, _ *simulator.Simulator) { c.FoneNumber = "321555000" }, "ten digits"},
		"wrong password":    {func(c *Config, _ *simulator.Simulator) { c.Password = "wrong" }, "rejected the username or password (status 401)"},
		"wrong token":       {func(c *Config, _ *simulator.Simulator) { c.Username, c.Password, c.Token = "", "", "wrong" }, "rejected the token"},
		"foreign number":    {func(c *Config, _ *simulator.Simulator) { c.FoneNumber = "3215559999" }, "3215559999 is not in the account"},
		"subaccount":        {func(c *Config, _ *simulator.Simulator) { c.Subaccount = "1000000009" }, "FRACTEL_SUBACCOUNT"},
		"wrong path":        {func(c *Config, _ *simulator.Simulator) { c.Endpoint = "https://fonestorm.test/v3" }, "FRACTEL_ENDPOINT"},
		"no FoneStorm":      {func(_ *Config, sim *simulator.Simulator) { fault(sim, simulator.ConnectionReset) }, "no response"},
		"broken FoneStorm":  {func(_ *Config, sim *simulator.Simulator) { fault(sim, simulator.ServerError) }, "status 500"},
		"URL without force": {func(c *Config, _ *simulator.Simulator) { c.FoneNumber = "3215550002" }, "-force"},
		"delivery missing": {func(_ *Config, sim *simulator.Simulator) {
			sim.Inject(func(r *http.Request) simulator.Fault {
				if r.Method == http.MethodGet {
					return simulator.ReceiveMissing
				}
				return ""
			})
		}, "could not be restored"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sim := account(t, simulator.Profile{})
			before := sim.Numbers()
			config := config(sim)
			test.change(&config, sim)
			report, err := Run(t.Context(), config)
			if report != nil || err == nil || !strings.Contains(err.Error(), test.words) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %+v, %v; want %q", name, report, err, test.words)
			}
			for i, f := range sim.Numbers() {
				if f != before[i] {
					t.Errorf("%s: the account has %+v", name, f)
				}
			}
		})
	}
}

func fault(sim *simulator.Simulator, fault simulator.Fault) {
	sim.Inject(func(*http.Request) simulator.Fault { return fault })
}
