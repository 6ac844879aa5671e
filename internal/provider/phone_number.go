package provider

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/nyaruka/phonenumbers"
)

// northAmerica is the country code whose numbers FoneNumbers are.
const northAmerica = 1

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

// normalizeFoneNumber returns the ten digits of a North American telephone number, however it is written.
func normalizeFoneNumber(text string) (string, error) {
	number, err := phonenumbers.Parse(text, "US")
	if err != nil {
		return "", fmt.Errorf("%q is not a telephone number", text)
	}
	digits := strconv.FormatUint(number.GetNationalNumber(), 10)
	switch {
	case number.GetCountryCode() != northAmerica:
		return "", fmt.Errorf("%q is a number of country code %d, and FoneNumbers are North American (country code 1)", text, number.GetCountryCode())
	case number.GetExtension() != "":
		return "", fmt.Errorf("%q has an extension, which a FoneNumber cannot have", text)
	case !tenDigits.MatchString(digits) || digits[0] < '2':
		return "", fmt.Errorf("%q is not a North American number of ten digits, such as \"+1 (321) 555-1212\"", text)
	default:
		return digits, nil
	}
}

// checkTenDigits says why a text is not a telephone number as FoneStorm writes it, and how it would be.
func checkTenDigits(what, value string) error {
	if tenDigits.MatchString(value) {
		return nil
	}
	if found, err := normalizeFoneNumber(value); err == nil {
		return fmt.Errorf("%s is written as exactly ten digits, but %q was given. Use %q.", what, value, found)
	}
	return fmt.Errorf("%s is written as exactly ten digits, such as \"3215551212\", but %q was given.%s", what, value, lostZerosHint(value, 10))
}

// lostZerosHint returns a sentence about values that have fewer digits than they must have: Terraform reads 0123 as a number
// where there are no quotes, and passes "123" on. It is empty for other values.
func lostZerosHint(value string, want int) string {
	if len(value) >= want || !onlyDigits.MatchString(value) {
		return ""
	}
	return " A number that is written without quotes loses its leading zeros: put it in quotes."
}
