package provider

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/nyaruka/phonenumbers"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// rule is a validator of one string or number. It ignores null and unknown values.
type rule struct {
	summary string // Summary of the error.
	check   func(value string) error
}

var (
	_ validator.String = rule{}
	_ validator.Number = rule{}
)

// Nothing shows the descriptions: those of the attributes say what is allowed.
func (r rule) Description(context.Context) string         { return r.summary }
func (r rule) MarkdownDescription(context.Context) string { return r.summary }

func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, r.summary, err.Error())
	}
}

func (r rule) ValidateNumber(_ context.Context, req validator.NumberRequest, resp *validator.NumberResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueBigFloat().Text('f', -1)); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, r.summary, err.Error())
	}
}

// Rules of attributes. That of value depends on the type.
var (
	foneNumberRule   = rule{summary: "Invalid FoneNumber", check: func(value string) error { return checkTenDigits("The FoneNumber", value) }}
	deliveryTypeRule = stringvalidator.OneOf("Device", "Email", "URL", "Forward", "None")

	eventRule            = stringvalidator.OneOf(eventReceive, eventSend)
	notificationTypeRule = stringvalidator.OneOf("Callback", "Email", "None")

	urlUsernameRule = rule{summary: "Invalid URL Username", check: checkURLUsername}
	urlPasswordRule = credentialRule("Invalid URL Password", "The password")
	versionRule     = wholeNumber("url_password_wo_version", 0, math.MaxInt64)
	areaCodeRule    = stringvalidator.RegexMatches(regexp.MustCompile(`^[0-9]{3}$`), `must be three digits, such as "321"`)

	endpointRule   = rule{summary: "Invalid Endpoint", check: checkEndpoint}
	usernameRule   = credentialRule("Invalid FoneStorm Credentials", "The username")
	passwordRule   = credentialRule("Invalid FoneStorm Credentials", "The password")
	tokenRule      = credentialRule("Invalid FoneStorm Credentials", "The token")
	subaccountRule = rule{summary: "Invalid Subaccount", check: checkSubaccount}
	rateRule       = wholeNumber("requests_per_second", 1, 100_000)
	retriesRule    = wholeNumber("max_retries", 0, 100)
	timeoutRule    = rule{summary: "Invalid Duration", check: checkTimeout}
)

// credentialRule returns the rule for a username, password, or token, which can be part of an HTTP header. Its error does not
// contain the value.
func credentialRule(summary, what string) rule {
	return rule{summary: summary, check: func(value string) error { return checkText(what, strings.ReplaceAll(value, " ", "x")) }}
}

// wholeNumber returns the rule for a number without a fraction, at least and at most these. An Int64Attribute would report a
// fraction as an error in the provider.
func wholeNumber(what string, least, most int64) rule {
	return rule{summary: "Invalid Number", check: func(value string) error {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && least <= n && n <= most {
			return nil
		}
		return fmt.Errorf("%s must be a whole number from %d to %d, but %q was given.", what, least, most, value)
	}}
}

// checkText returns an error if a text is empty or contains an invisible character: white space, or a control or format
// character, which can end a line or reverse the direction of text. The error does not contain the text.
func checkText(what, text string) error {
	if text == "" {
		return fmt.Errorf("%s is empty. Check the variable or secret that it comes from, or omit the argument.", what)
	}
	for _, c := range text {
		switch {
		case c == '\n' || c == '\r':
			return fmt.Errorf("%s contains a line break. A file or a heredoc usually ends with one: "+
				"remove it with trimspace(), or in a shell with tr -d '\\r\\n'.", what)
		case unicode.In(c, unicode.Cc, unicode.Cf, unicode.Z):
			return fmt.Errorf("%s contains the invisible character %q. Remove it.", what, c)
		}
	}
	return nil
}

var tenDigits = regexp.MustCompile(`^[0-9]{10}$`)

// checkTenDigits returns an error if a value is not exactly ten digits. The error contains the ten digits if the value is a
// telephone number in another format.
func checkTenDigits(what, value string) error {
	if tenDigits.MatchString(strings.TrimSpace(value)) {
		return checkText(what, value)
	}
	if found, err := normalizeFoneNumber(value); err == nil {
		return fmt.Errorf("%s must be exactly ten digits, but %q was given. Use %q.", what, value, found)
	}
	return fmt.Errorf("%s must be exactly ten digits, such as \"3215551212\", but %s was given.", what, quoted(value))
}

// quoted returns the text of an invalid telephone number in quotes. A URL can contain a secret, so it is not shown.
func quoted(text string) string {
	if strings.Contains(text, "/") {
		return "a URL"
	}
	return strconv.Quote(text)
}

// normalizeFoneNumber returns the ten digits of a North American telephone number in any common format. It rejects letters and a
// leading 0, which the library drops: the national number of another country would become the number of a stranger.
func normalizeFoneNumber(text string) (string, error) {
	number, err := phonenumbers.Parse(text, "US")
	if err != nil {
		return "", fmt.Errorf("%s is not a telephone number", quoted(text))
	}
	given, _, _ := strings.Cut(strings.TrimSpace(text), ";") // Without the parameters of a tel: URI.
	given = strings.TrimPrefix(strings.ToLower(given), "tel:")
	digits := strconv.FormatUint(number.GetNationalNumber(), 10)
	switch written := phonenumbers.NormalizeDigitsOnly(given); {
	case number.GetCountryCode() != 1:
		return "", fmt.Errorf("%q has country code %d, but FoneNumbers are North American (country code 1)", text, number.GetCountryCode())
	case number.GetExtension() != "":
		return "", fmt.Errorf("%q has an extension, which a FoneNumber cannot have", text)
	case strings.ContainsFunc(given, unicode.IsLetter):
		return "", fmt.Errorf("%q contains letters: use only the digits of the telephone number", text)
	case strings.HasPrefix(written, "0"):
		return "", fmt.Errorf("%q begins with 0, which no North American telephone number does: if it belongs to another country, it cannot be a FoneNumber", text)
	case !tenDigits.MatchString(digits) || digits[0] < '2' || strings.TrimPrefix(written, "1") != digits:
		return "", fmt.Errorf("%q is not a ten-digit North American telephone number, such as \"+1 (321) 555-1212\"", text)
	default:
		return digits, nil
	}
}

func checkSubaccount(value string) error {
	if err := checkText("The subaccount", value); err != nil || tenDigits.MatchString(value) {
		return err
	}
	return fmt.Errorf("The subaccount must be a string of ten digits, such as \"0123456789\", but %q was given.", value)
}

func checkURLUsername(value string) error {
	if strings.Contains(value, ":") {
		return errors.New("The username contains a colon, which HTTP Basic authentication does not allow.")
	}
	return usernameRule.check(value)
}

// checkEndpoint returns an error that contains the corrected endpoint if only the scheme is wrong or missing.
func checkEndpoint(value string) error {
	if err := checkText("The endpoint", value); err != nil {
		return err
	}
	_, err := fonestorm.ParseEndpoint(value)
	if err == nil {
		return nil
	}
	if rest, found := strings.CutPrefix(value, "http://"); found || lacksScheme(value) {
		for _, meant := range []string{"http://" + rest, "https://" + rest} { // http is only valid for a loopback host.
			if _, invalid := fonestorm.ParseEndpoint(meant); invalid == nil {
				return fmt.Errorf("The endpoint %w. Use %q.", err, meant)
			}
		}
	}
	return fmt.Errorf("The endpoint %w.", err)
}

// lacksScheme reports whether a text looks like a URL that begins with its host.
func lacksScheme(value string) bool {
	host, _, _ := strings.Cut(value, "/")
	return strings.Contains(host, ".") || strings.HasPrefix(host, "localhost")
}

func checkTimeout(value string) error {
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return nil
	}
	hint := `Use a number with a unit, such as "30s" or "2m".`
	if d, err := time.ParseDuration(value + "s"); err == nil && d > 0 {
		hint = fmt.Sprintf("It requires a unit. Use %q for seconds.", value+"s")
	}
	return fmt.Errorf("The timeout must be a duration greater than zero, but %q was given. %s", value, hint)
}
