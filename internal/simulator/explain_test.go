package simulator

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	const url = "https://Example.com/sms?msg={{msg}}&kept=a-b"
	for _, test := range []struct {
		field, set string
		shown      any
		want       []string
		ok         bool
	}{
		{"email", "A@b.example", "A@b.example", nil, true},
		{"email", "A@b.example", "a@b.example", []string{"email-lower-case"}, true},
		{"email", "A@b.example", " a@b.example ", []string{"email-lower-case", "leading-blank", "trailing-blank"}, true},
		{"email", "A@b.example", "c@b.example", nil, false},
		{"email", "A@b.example", nil, nil, false},
		{"email", "A@b.example", []any{}, nil, false},
		{"forward", "3215550199", "13215550199", []string{"forward-with-1"}, true},
		{"forward", "3215550199", json.Number("3215550199"), []string{"forward-number"}, true},
		{"url", url, "https://example.com/sms?msg=%7B%7Bmsg%7D%7D&amp;kept=a-b", []string{"host-lower-case", "braces-percent-encoded", "ampersand-entity"}, true},
		{"url_method", "POST", "post", []string{"method-lower-case"}, true},
		{"url_method", "POST", "POST ", nil, false},
		{"fonenumber", "3215550000", "(321) 555-0000", []string{"fonenumber-punctuated"}, true},
		{"fonenumber", "3215550000", "3215550000", nil, true},
	} {
		got, ok := Explain(test.field, test.set, test.shown)
		if !slices.Equal(got, test.want) || ok != test.ok {
			t.Errorf("%s %q shown as %v: %q, %t; want %q, %t", test.field, test.set, test.shown, got, ok, test.want, test.ok)
		}
	}
}
