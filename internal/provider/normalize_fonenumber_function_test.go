package provider

import (
	"strconv"
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
	for _, text := range []string{
		"support", "", "555-1212", "+44 20 7946 0958", "tel:2079460958;phone-context=+44", "321-555-1212 x5", "tel:+13215551212;ext=5",
		"0123456789", "020 7946 0958", "07911 123456", "001 321 555 1212", "+1 0321 555 1212", "1215551212", "1-800-FLOWERS", "desk 321-555-1212",
		"321-555-1212-1212",
	} {
		const why = " is not a North American telephone number, such as \"+1 (321) 555-1212\": it must have ten digits, and no leading 0, letters, or extension"
		if got, err := normalizeFoneNumber(text); err == nil || err.Error() != strconv.Quote(text)+why {
			t.Errorf("%q returns %q, %v", text, got, err)
		}
	}
}
