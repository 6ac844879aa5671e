package provider

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/nyaruka/phonenumbers"
)

// northAmerica is the country code of FoneNumbers.
const northAmerica = 1

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

// normalizeFoneNumber returns the ten digits of a North American telephone number in any common format.
func normalizeFoneNumber(text string) (string, error) {
	number, err := phonenumbers.Parse(text, "US")
	if err != nil {
		return "", fmt.Errorf("%q is not a telephone number", text)
	}
	digits := strconv.FormatUint(number.GetNationalNumber(), 10)
	switch {
	case number.GetCountryCode() != northAmerica:
		return "", fmt.Errorf("%q has country code %d, but FoneNumbers are North American (country code 1)", text, number.GetCountryCode())
	case number.GetExtension() != "":
		return "", fmt.Errorf("%q has an extension, which a FoneNumber cannot have", text)
	case !tenDigits.MatchString(digits) || digits[0] < '2':
		return "", fmt.Errorf("%q is not a ten-digit North American telephone number, such as \"+1 (321) 555-1212\"", text)
	default:
		return digits, nil
	}
}

// checkTenDigits returns an error if a value is not exactly ten digits. The error suggests the ten digits if they can be
// determined.
func checkTenDigits(what, value string) error {
	if tenDigits.MatchString(value) {
		return nil
	}
	if found, err := normalizeFoneNumber(value); err == nil {
		return fmt.Errorf("%s must be exactly ten digits, but %q was given. Use %q.", what, value, found)
	}
	return fmt.Errorf("%s must be exactly ten digits, such as \"3215551212\", but %q was given.%s", what, value, lostZerosHint(value, 10))
}

// lostZerosHint returns a sentence for a value with too few digits: without quotes, Terraform reads 0123 as a number and
// passes on "123". It returns "" for other values.
func lostZerosHint(value string, want int) string {
	if len(value) >= want || !onlyDigits.MatchString(value) {
		return ""
	}
	return " A number without quotes loses its leading zeros. Put it in quotes."
}
