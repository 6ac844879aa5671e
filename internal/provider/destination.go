package provider

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	onlyDigits = regexp.MustCompile(`^[0-9]+$`)
	hostName   = regexp.MustCompile(`^[\p{L}\p{M}\p{N}._-]+$`)
)

// maxEmail is the maximum length in bytes of an e-mail address that mail servers can deliver to (RFC 5321).
const maxEmail = 254

// invisible reports whether a character is invisible: white space, or a control or format character, which can end a line or
// reverse the direction of text.
func invisible(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z) }

// findInvisible returns the first invisible character of a text, such as "U+202E"; "" if there is none.
func findInvisible(text string) string {
	for _, c := range text {
		if invisible(c) {
			return fmt.Sprintf("%U", c)
		}
	}
	return ""
}

// checkDestination returns an error if the value cannot be the destination of this type for this FoneNumber. It does not
// check the type itself.
func checkDestination(kind fonestorm.DeliveryType, value, foneNumber string) error {
	switch kind {
	case fonestorm.Device:
		return checkDevice(value)
	case fonestorm.Email:
		return checkEmail(value)
	case fonestorm.URL:
		return checkURL(value)
	case fonestorm.Forward:
		if !tenDigits.MatchString(value) {
			return errors.New("The number to forward to must be exactly ten digits, such as \"3215551111\", without a country code or punctuation. " +
				"To convert other formats, use provider::fractel::normalize_fonenumber()." + lostZerosHint(value, 10))
		}
		if value == foneNumber {
			return fmt.Errorf("FoneNumber %s would forward to itself. Use another telephone number.", value)
		}
	case fonestorm.None:
		if value != string(fonestorm.None) {
			return errors.New("Type \"None\" has no destination. Remove value, or use another type.")
		}
	}
	return nil
}

func checkDevice(value string) error {
	if onlyDigits.MatchString(value) {
		return nil
	}
	return errors.New("A device ID must contain only digits, such as \"987123543678\".")
}

func checkEmail(value string) error {
	if len(value) > maxEmail { // Checked first, because the cost of parsing can grow faster than the value.
		return fmt.Errorf("An e-mail address can have at most %d bytes, but the value has %d.", maxEmail, len(value))
	}
	address, err := mail.ParseAddress(value)
	hidden := findInvisible(value)
	switch {
	case err == nil && address.Address == value && hidden == "":
		return nil
	case err == nil && address.Name != "":
		return errors.New("The value must be an e-mail address without a name. Use only the part between < and >.")
	case strings.Count(value, "@") > 1 && strings.ContainsAny(value, ",; "):
		return errors.New("The value must be one e-mail address. To reach several, use the address of a mailing list.")
	case hidden != "":
		return fmt.Errorf("An e-mail address must not contain spaces or control characters, but the value contains %s.", hidden)
	default:
		return errors.New("The value must be an e-mail address, such as \"ops@example.com\".")
	}
}

// checkURL accepts an absolute http or https URL that all parsers read in the same way. If only the scheme is missing, the
// error suggests the URL as far as its host: the rest can contain a secret.
func checkURL(value string) error {
	err := checkAbsoluteURL(value)
	if err == nil || !lacksScheme(value) || checkAbsoluteURL("https://"+value) != nil {
		return err
	}
	shown := "https://" + value
	if end := strings.IndexAny(value, "/?#"); end >= 0 {
		shown = "https://" + value[:end] + "/…"
	}
	return fmt.Errorf("The callback URL must begin with https:// or http://. Use %q.", shown)
}

func checkAbsoluteURL(value string) error {
	if hidden := findInvisible(value); hidden != "" {
		return fmt.Errorf("The callback URL contains a space or a control character (%s). Percent-encode it (a space is %%20).", hidden)
	}
	if strings.Contains(value, `\`) {
		return errors.New("The callback URL contains a backslash. Use / to separate the segments of a path, and %5C anywhere else.")
	}
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return errors.New("The value is not a URL. Use an absolute URL, such as \"https://hooks.example.com/sms?msg={{msg}}\".")
	case u.User != nil:
		return errors.New("The callback URL contains a username or password. Remove them, and set url_username and url_password_wo instead.")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("The callback URL must begin with https:// or http://.")
	case u.Hostname() == "":
		return errors.New("The callback URL has no host. Use an absolute URL, such as \"https://hooks.example.com/sms?msg={{msg}}\".")
	case !validHost(u.Hostname()):
		return errors.New("The host of the callback URL must be a name or an IP address.")
	case !validPort(u):
		return errors.New("The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon.")
	default:
		return nil
	}
}

func validHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Zone() == "" || hostName.MatchString(host)
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// knownTokens are the tokens that FoneStorm replaces in a callback URL at delivery.
var knownTokens = []string{"{{to}}", "{{from}}", "{{msg}}", "{{uid}}"}

var token = regexp.MustCompile(`\{\{[^{}]*\}\}`)

// unknownTokens returns the tokens in a callback URL that FoneStorm does not replace.
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
