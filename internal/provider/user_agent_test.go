package provider

import (
	"regexp"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestUserAgent(t *testing.T) {
	for appended, want := range map[string]string{
		"":                      "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6)",
		"  ":                    "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6)",
		" pipeline/7 (nightly)": "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6) pipeline/7 (nightly)",
		"one\r\nToken: x\n":     "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6) one Token: x",
		"Zürich\x7f":            "terraform-provider-fractel/0.1.0 (Terraform or OpenTofu 1.12.6) Zürich",
	} {
		t.Setenv("TF_APPEND_USER_AGENT", appended)
		if got := userAgent("0.1.0", "1.12.6"); got != want {
			t.Errorf("%q: the user agent is %q, want %q", appended, got, want)
		}
	}
}

func TestAccUserAgentNamesProviderAndCLI(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	a.newWorkspace(t, destinations[1].config(testNumber), "TF_APPEND_USER_AGENT=pipeline/7").apply()
	want := regexp.MustCompile(`^terraform-provider-fractel/\S+ \(Terraform or OpenTofu \d+\.\d+\.\d+\S*\) pipeline/7$`)
	for _, r := range a.Requests() {
		if got := r.Header.Get("User-Agent"); !want.MatchString(got) {
			t.Errorf("%s %s by %q", r.Method, r.Path, got)
		}
	}
}
