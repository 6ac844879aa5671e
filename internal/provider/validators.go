package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// rule is a validator of a string. It ignores null and unknown values.
type rule struct {
	summary string // Summary of the error.
	what    string // Begins the detail of the error.
	check   func(what, value string) error
}

// Nothing shows the descriptions: those of the attributes say what is allowed.
func (r rule) Description(context.Context) string         { return r.summary }
func (r rule) MarkdownDescription(context.Context) string { return r.summary }

func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(r.what, req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, r.summary, err.Error())
	}
}

// Rules of attributes. That of value depends on the type.
var (
	foneNumberRule   = rule{"Invalid FoneNumber", "The FoneNumber", checkTenDigits}
	deliveryTypeRule = stringvalidator.OneOf("Device", "Email", "URL", "Forward", "None")

	eventRule            = stringvalidator.OneOf(eventReceive, eventSend)
	notificationTypeRule = stringvalidator.OneOf("Callback", "Email", "None")

	urlUsernameRule = rule{"Invalid URL Username", "The username", checkURLUsername}
	urlPasswordRule = rule{"Invalid URL Password", "The password", checkText}
	areaCodeRule    = stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9]{3}$`), `must be three digits, such as "321"`)

	endpointRule   = rule{"Invalid Endpoint", "The endpoint", checkEndpoint}
	usernameRule   = rule{"Invalid FoneStorm Credentials", "The username", checkText}
	passwordRule   = rule{"Invalid FoneStorm Credentials", "The password", checkText}
	tokenRule      = rule{"Invalid FoneStorm Credentials", "The token", checkText}
	subaccountRule = rule{"Invalid Subaccount", "The subaccount", checkTenDigits}
	timeoutRule    = rule{"Invalid Duration", "The timeout", checkDuration}
	// rateRule is for the environment, whose values are texts. The provider block has a number.
	rateRule = rule{"Invalid Attribute Value", "requests_per_second", checkRate}
)

// checkText returns an error if a text is empty or contains an invisible character other than a space: a control or format
// character can end a line or reverse the direction of text. The error does not contain the text, which can be a secret.
func checkText(what, text string) error {
	if text == "" {
		return fmt.Errorf("%s is empty. Check the variable or secret that it comes from, or omit the argument.", what)
	}
	for _, c := range text {
		switch {
		case c == '\n' || c == '\r':
			return fmt.Errorf("%s contains a line break. A file or a heredoc usually ends with one: "+
				"remove it with trimspace(), or in a shell with tr -d '\\r\\n'.", what)
		case c != ' ' && unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z):
			return fmt.Errorf("%s contains the invisible character %q. Remove it.", what, c)
		}
	}
	return nil
}

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

// checkTenDigits returns an error if a value is not exactly ten digits. The error contains the ten digits if the value is a
// telephone number in another format.
func checkTenDigits(what, value string) error {
	if err := checkText(what, value); err != nil || tenDigits.MatchString(value) {
		return err
	}
	if found, err := normalizeFoneNumber(value); err == nil {
		return fmt.Errorf("%s must be exactly ten digits, but %q was given. Use %q.", what, value, found)
	}
	return fmt.Errorf("%s must be exactly ten digits, such as \"3215551212\", but %s was given.", what, quoted(value))
}

// quoted returns an invalid number in quotes. A URL or a longer text can contain a secret, so it is not shown.
func quoted(text string) string {
	if len(text) > 40 || strings.Contains(text, "/") {
		return "a text that is not shown here"
	}
	return strconv.Quote(text)
}

func checkURLUsername(what, value string) error {
	if strings.Contains(value, ":") {
		return fmt.Errorf("%s contains a colon, which HTTP Basic authentication does not allow.", what)
	}
	return checkText(what, value)
}

func checkEndpoint(what, value string) error {
	if err := checkText(what, value); err != nil {
		return err
	}
	if _, err := fonestorm.ParseEndpoint(value); err != nil {
		return fmt.Errorf("%s %w. FracTEL's is %q.", what, err, fonestorm.DefaultEndpoint)
	}
	return nil
}

func checkDuration(what, value string) error {
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return nil
	}
	return fmt.Errorf("%s must be greater than zero and have a unit, such as \"30s\" or \"2m\", but %q was given.", what, value)
}

func checkRate(what, value string) error {
	if n, err := strconv.Atoi(value); err == nil && n >= 1 {
		return nil
	}
	return fmt.Errorf("%s must be a whole number of at least 1, but %q was given.", what, value)
}

// checkDestination returns an error if the value cannot be the destination of this type for this FoneNumber. It does not
// check the type itself.
func checkDestination(kind fonestorm.DeliveryType, value, foneNumber string) error {
	switch kind {
	case fonestorm.Device:
		if err := checkText("The device ID", value); err != nil || onlyDigits.MatchString(value) {
			return err
		}
		return errors.New("A device ID must contain only digits, such as \"987123543678\". To find the ID of a device by its name, use the data source fractel_device.")
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

var (
	onlyDigits = regexp.MustCompile(`^[0-9]+$`)
	hostName   = regexp.MustCompile(`^[\p{L}\p{M}\p{N}._:-]+$`) // An international name, or an IP address.
)

func checkEmail(value string) error {
	if err := checkText("The e-mail address", value); err != nil {
		return err
	}
	_, domain, _ := strings.Cut(value, "@")
	if len(value) <= 254 && hostName.MatchString(domain) { // RFC 5321. To parse a long text can take long.
		if address, err := mail.ParseAddress(value); err == nil && address.Address == value {
			return nil
		}
	}
	return errors.New("The value must be one e-mail address, such as \"ops@example.com\", without a name, spaces, mailto:, or parameters. " +
		"To reach several people, use the address of a mailing list.")
}

var errURLCredentials = errors.New("The callback URL contains a username or password. Remove them, and set url_username and url_password_wo instead.")

// checkURL accepts an absolute http or https URL. Its errors do not contain the URL, which
// can contain a secret.
func checkURL(value string) error {
	if err := checkText("The callback URL", value); err != nil {
		return err
	}
	u, err := url.Parse(value)
	isHTTP := err == nil && (u.Scheme == "https" || u.Scheme == "http")
	switch {
	case strings.Contains(value, " "):
		return errors.New("The callback URL contains a space. Remove it, or write it as %20. Tokens have no spaces, such as {{msg}}.")
	// "https://https://" has a host that ends with a colon.
	case !isHTTP || !hostName.MatchString(u.Hostname()) || strings.HasSuffix(u.Host, ":") || strings.Contains(value, `\`):
		return errors.New("The callback URL must begin with https:// or http:// and the name or IP address of a host, which can have a port number. " +
			"Tokens can only follow these. Write a percent sign itself as %25, and a backslash as %5C.")
	case u.User != nil:
		return errURLCredentials
	}
	return nil
}

var (
	knownToken   = regexp.MustCompile(`\{\{(to|from|msg|uid)\}\}`)
	otherToken   = regexp.MustCompile(`\{+[\w.+ -]{1,20}\}+`) // A longer text in braces may not be a token, but a secret.
	mask         = regexp.MustCompile(`\*{3}|…|\.{3}`)
	encodedToken = regexp.MustCompile(`(?i)%7B%7B(?:[\w.+-]|%20){1,20}%7D%7D`)
)

// callbackWarnings warns about settings of a callback that are valid but probably a mistake.
func callbackWarnings(callback string, hasUsername, hasPassword bool) (diags diag.Diagnostics) {
	if rest := knownToken.ReplaceAllString(callback, ""); strings.ContainsAny(rest, "{}") {
		diags.AddAttributeWarning(path.Root("value"), "Unknown Token in Callback URL",
			fmt.Sprintf("The callback URL contains %q. FoneStorm replaces only {{to}} (recipient), {{from}} (sender), {{msg}} (text of the message), "+
				"and {{uid}} (ID of the message), with two braces on each side.", cmp.Or(otherToken.FindString(rest), "{…}")))
	}
	if encoded := encodedToken.FindString(callback); encoded != "" {
		diags.AddAttributeWarning(path.Root("value"), "Percent-Encoded Token in Callback URL",
			fmt.Sprintf("The callback URL contains the percent-encoded token %q, which FoneStorm may not replace. "+
				"Write it with braces, such as {{msg}}: keep tokens out of urlencode().", encoded))
	}
	if mask.MatchString(callback) {
		diags.AddAttributeWarning(path.Root("value"), "Masked Callback URL",
			"The callback URL contains \"***\", \"…\", or \"...\", with which FoneStorm may show a secret or a long URL when it is imported. "+
				"An apply would set it as it is written here. Write the whole URL.")
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
