package provider

import (
	"strings"
	"testing"
)

func TestNormalizeFoneNumber(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"+1 (321) 555-1212", "1-321-555-1212", "tel:+1-321-555-1212", "tel:321-555-1212;phone-context=+1", "321.555.1212",
		"3215551212", " 321 555 1212 ", "13215551212",
	} {
		if got, err := normalizeFoneNumber(text); got != "3215551212" || err != nil {
			t.Errorf("%q returns %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"support":           "is not a telephone number",
		"":                  "is not a telephone number",
		"555-1212":          "not a ten-digit North American telephone number",
		"+44 20 7946 0958":  "has country code 44",
		"321-555-1212 x5":   "has an extension",
		"0123456789":        "begins with 0",
		"020 7946 0958":     "begins with 0",
		"07911 123456":      "begins with 0",
		"001 321 555 1212":  "begins with 0",
		"+1 0321 555 1212":  "not a ten-digit North American telephone number",
		"1-800-FLOWERS":     "contains letters",
		"desk 321-555-1212": "contains letters",
		"321-555-1212-1212": "not a ten-digit North American telephone number",
	} {
		if got, err := normalizeFoneNumber(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q returns %q, %v, want an error that contains %q", text, got, err, want)
		}
	}
}
