package provider

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// checkDestination returns an error if the value cannot be the destination of this type for this FoneNumber. It does not
// check the type itself.
func checkDestination(kind fonestorm.DeliveryType, value, foneNumber string) error {
	switch kind {
	case fonestorm.Device:
		return checkDevice(value)
	case fonestorm.Email:
		return checkEmail(value)
	case fonestorm.URL, fonestorm.Callback:
		return checkURL(value)
	case fonestorm.Forward:
		if err := checkTenDigits("The number to forward to", value); err != nil || value != foneNumber {
			return err
		}
		return fmt.Errorf("FoneNumber %s would forward to itself. Use another telephone number.", value)
	case fonestorm.None:
		if value != string(fonestorm.None) {
			return errors.New("Type \"None\" has no destination. Remove value, or use another type.")
		}
	}
	return nil
}

var onlyDigits = regexp.MustCompile(`^[0-9]+$`)

func checkDevice(value string) error {
	switch {
	case onlyDigits.MatchString(value):
		return nil
	case onlyDigits.MatchString(strings.TrimSpace(value)), value == "":
		return checkText("The device ID", value)
	default:
		return errors.New("A device ID must contain only digits, such as \"987123543678\". To find the ID of a device by its name, use the data source fractel_device.")
	}
}

var (
	errEmail = errors.New("The value must be one e-mail address, such as \"ops@example.com\", without a name, mailto:, or parameters. " +
		"To reach several people, use the address of a mailing list.")

	hostName        = regexp.MustCompile(`^[\p{L}\p{M}\p{N}._-]+$`) // Names may be international.
	misplacedHyphen = regexp.MustCompile(`(^|\.)-|-(\.|$)`)
)

func checkEmail(value string) error {
	local, domain, _ := strings.Cut(value, "@")
	switch {
	case len(value) > 254 || len(local) > 64: // RFC 5321. Checked first, because the cost of parsing can grow faster than the value.
		return errors.New("An e-mail address can have at most 254 bytes, and at most 64 before the @.")
	case strings.ContainsAny(value, "<,;:"): // Some of these come with spaces, which are not what is wrong.
		return errEmail
	}
	if err := checkText("The e-mail address", value); err != nil {
		return err
	}
	address, err := mail.ParseAddress(value)
	if err != nil || address.Address != value || !hostName.MatchString(domain) || misplacedHyphen.MatchString(domain) {
		return errEmail
	}
	return nil
}

var (
	errURLCredentials = errors.New("The callback URL contains a username or password. Remove them, and set url_username and url_password_wo instead.")

	urlParts = regexp.MustCompile(`^(?i)https?://([^/?#]*)`) // The group contains the host and the port.
	repeated = regexp.MustCompile(`^(?i)https?://https?(?::/|//)`)
)

// checkURL accepts an absolute http or https URL that all parsers read in the same way. Its errors show at most the host: the
// rest can contain a secret.
func checkURL(value string) error {
	if strings.Contains(strings.TrimSpace(value), " ") {
		return errors.New("The callback URL contains a space. Write it as %20, and tokens without spaces, such as {{msg}}.")
	}
	if err := checkText("The callback URL", value); err != nil {
		return err
	}
	parts := urlParts.FindStringSubmatch(value)
	switch {
	case parts == nil:
		return errors.New("The callback URL must begin with https:// or http://.")
	case repeated.MatchString(value):
		return errors.New("The callback URL begins with https:// or http:// twice. Remove one of them.")
	case strings.Contains(parts[1], "@"):
		return errURLCredentials
	case strings.Contains(value, `\`):
		return errors.New("The callback URL contains a backslash. Use / to separate the segments of a path, and %5C anywhere else.")
	}
	if _, port, err := net.SplitHostPort(parts[1]); err == nil && !validPort(port) {
		return errors.New("The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon.")
	}
	u, err := url.Parse(value)
	if _, isEscape := errors.AsType[url.EscapeError](err); isEscape && !strings.Contains(parts[1], "%") {
		return errors.New("The callback URL contains a percent sign that is not followed by two hexadecimal digits. Write a percent sign itself as %25.")
	}
	if err != nil || !validHost(u.Hostname()) {
		return errors.New("The host of the callback URL must be a name or an IP address. Tokens can only follow it.")
	}
	return nil
}

func validHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Zone() == "" || hostName.MatchString(host)
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// knownTokens are the tokens that FoneStorm replaces in a callback URL at delivery.
var knownTokens = []string{"{{to}}", "{{from}}", "{{msg}}", "{{uid}}"}

var (
	token        = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	encodedToken = regexp.MustCompile(`(?i)%7B%7B((?:[\w.+-]|%20){1,20})%7D%7D`)
	tokenName    = regexp.MustCompile(`^[\w.+ -]{1,20}$`)
)

// nearestToken returns the longest known token whose letters a name contains in their order, as "message" contains those of
// "msg"; "" if there is none.
func nearestToken(name string) (nearest string) {
	for _, known := range knownTokens {
		rest, found := strings.ToLower(name), true
		for _, letter := range strings.Trim(known, "{}") {
			if _, rest, found = strings.Cut(rest, string(letter)); !found {
				break
			}
		}
		if found && len(known) > len(nearest) {
			nearest = known
		}
	}
	return nearest
}

// callbackWarnings warns about settings of a callback that are valid but probably a mistake.
func callbackWarnings(callback string, hasUsername, hasPassword bool) (diags diag.Diagnostics) {
	onlyKnown := fmt.Sprintf("FoneStorm replaces only %s.", strings.Join(knownTokens, ", "))
	for _, found := range slices.Compact(slices.Sorted(slices.Values(token.FindAllString(callback, -1)))) {
		name, use := strings.Trim(found, "{}"), ""
		if slices.Contains(knownTokens, found) {
			continue
		}
		if !tokenName.MatchString(name) {
			found = "{{…}}" // It may not be a token, but a secret.
		} else if nearest := nearestToken(name); nearest != "" {
			use = fmt.Sprintf(" Did you mean %q?", nearest)
		}
		diags.AddAttributeWarning(path.Root("value"), "Unknown Token in Callback URL",
			fmt.Sprintf("The callback URL contains the token %q, which FoneStorm does not replace.%s %s", found, use, onlyKnown))
	}
	if encoded := encodedToken.FindStringSubmatch(callback); encoded != nil {
		use := cmp.Or(nearestToken(encoded[1]), "{{"+encoded[1]+"}}")
		diags.AddAttributeWarning(path.Root("value"), "Percent-Encoded Token in Callback URL",
			fmt.Sprintf("The callback URL contains the percent-encoded token %q, which FoneStorm may not replace. Use %q: keep tokens out of urlencode().", encoded[0], use))
	}
	if strings.ContainsAny(token.ReplaceAllString(callback, ""), "{}") {
		diags.AddAttributeWarning(path.Root("value"), "Unbalanced Braces in Callback URL",
			"The callback URL contains a brace that is not part of a token. A token has two braces on each side. "+onlyKnown)
	}
	if hasUsername && !hasPassword {
		diags.AddAttributeWarning(path.Root("url_username"), "Callback Username Without Password",
			"A username is set but no password. Set url_password_wo (or url_password, which is stored in the state), or remove url_username.")
	}
	if hasUsername && strings.HasPrefix(strings.ToLower(callback), "http://") {
		diags.AddAttributeWarning(path.Root("value"), "Callback Credentials Sent Over Plain HTTP",
			"The callback URL begins with http://, so FoneStorm sends the username and password without encryption. Use https://.")
	}
	return diags
}
