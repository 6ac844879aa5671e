package provider

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

// checkDestination says why a value cannot be the destination of this type for this FoneNumber; nil when it can. Only
// types that exist are checked.
func checkDestination(kind fonestorm.DeliveryType, value, foneNumber string) error {
	switch kind {
	case fonestorm.Device:
		return checkDevice(value)
	case fonestorm.Email:
		return checkEmail(value)
	case fonestorm.URL:
		return checkURL(value)
	case fonestorm.Forward:
		if value == foneNumber {
			return fmt.Errorf("FoneNumber %s would forward to itself. Name another telephone number.", value)
		}
		return checkTenDigits("A number to forward to", value)
	case fonestorm.None:
		if value != string(fonestorm.None) {
			return fmt.Errorf("Type \"None\" has no destination, but the value is %q. Leave value out, or choose another type.", value)
		}
	}
	return nil
}

func checkDevice(value string) error {
	if onlyDigits.MatchString(value) {
		return nil
	}
	return fmt.Errorf("A device ID is digits alone, such as \"987123543678\", but %q was given.", value)
}

func checkEmail(value string) error {
	address, err := mail.ParseAddress(value)
	switch {
	case err == nil && address.Address == value && !strings.ContainsFunc(value, unicode.IsControl):
		return nil
	case err == nil && address.Name != "":
		return fmt.Errorf("The value is one e-mail address without a name: use %q instead of %q.", address.Address, value)
	case strings.Count(value, "@") > 1 && strings.ContainsAny(value, ",; "):
		return fmt.Errorf("Messages go to one e-mail address, but %q was given. A mailing list can pass them on to several.", value)
	default:
		return fmt.Errorf("The value is an e-mail address, such as \"ops@example.com\", but %q was given.", value)
	}
}

// checkURL accepts an absolute http or https URL. It does not repeat what may be a secret.
func checkURL(value string) error {
	if strings.ContainsFunc(value, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) {
		return errors.New("The callback URL holds a space or a control character. Write it percent-encoded (a space is %20).")
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return errors.New("The value is not a URL. Use an absolute one, such as \"https://hooks.example.com/sms?msg={{msg}}\".")
	case u.User != nil:
		return errors.New("The callback URL holds a user name or password. Take them out, and set url_username and url_password_wo instead.")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("The callback URL must begin with https:// or http://, but its scheme is %q.", u.Scheme)
	case u.Hostname() == "":
		return errors.New("The callback URL has no host. Use an absolute one, such as \"https://hooks.example.com/sms?msg={{msg}}\".")
	default:
		return nil
	}
}

// knownTokens are what FoneStorm replaces in a callback URL at delivery.
var knownTokens = []string{"{{to}}", "{{from}}", "{{msg}}", "{{uid}}"}

var token = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// unknownTokens returns the tokens in a callback URL that FoneStorm does not know.
func unknownTokens(callback string) []string {
	var unknown []string
	for _, found := range token.FindAllString(callback, -1) {
		if !slices.Contains(knownTokens, found) {
			unknown = append(unknown, found)
		}
	}
	return unknown
}

// balancedBraces reports whether all braces in a callback URL belong to tokens.
func balancedBraces(callback string) bool {
	return !strings.ContainsAny(token.ReplaceAllString(callback, ""), "{}")
}
