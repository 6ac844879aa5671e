package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// rule is a validator of one string. It ignores null and unknown values.
type rule struct {
	summary string // Summary of the error.
	about   string // What is allowed, for documentation.
	check   func(value string) error
}

var _ validator.String = rule{}

func (r rule) Description(context.Context) string         { return r.about }
func (r rule) MarkdownDescription(context.Context) string { return r.about }

func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, r.summary, err.Error())
	}
}

func endpointRule() rule {
	return rule{
		summary: "Invalid Endpoint",
		about:   "an https URL, or an http URL of a loopback host",
		check:   func(value string) error { return checkEndpoint("The endpoint", value) },
	}
}

// checkEndpoint returns an error if an endpoint is not valid. If only the scheme is missing, the error suggests the
// corrected endpoint.
func checkEndpoint(what, value string) error {
	_, err := fonestorm.ParseEndpoint(value)
	if err == nil {
		return nil
	}
	for _, scheme := range []string{"http://", "https://"} { // http:// is only valid for a loopback host, which rarely has a certificate.
		if meant := scheme + value; lacksScheme(value) {
			if _, err := fonestorm.ParseEndpoint(meant); err == nil {
				return fmt.Errorf("%s must begin with https://. Use %q.", what, meant)
			}
		}
	}
	return fmt.Errorf("%s cannot be used: %w.", what, err)
}

// lacksScheme reports whether a text looks like a URL that begins with its host.
func lacksScheme(value string) bool {
	host, _, _ := strings.Cut(value, "/")
	return strings.Contains(host, ".") || strings.HasPrefix(host, "localhost")
}

func timeoutRule() rule {
	return rule{
		summary: "Invalid Duration",
		about:   "a duration greater than zero, such as \"30s\"",
		check: func(value string) error {
			d, err := time.ParseDuration(value)
			_, errInSeconds := time.ParseDuration(value + "s")
			switch {
			case err == nil && d > 0:
				return nil
			case err == nil:
				return fmt.Errorf("The timeout must be greater than zero, but %q was given. Use a duration such as \"30s\".", value)
			case errInSeconds == nil:
				return fmt.Errorf("The timeout requires a unit, but %q was given. Use %q for seconds.", value, value+"s")
			default:
				return fmt.Errorf("The timeout must be a number with a unit, such as \"30s\" or \"2m\", but %q was given.", value)
			}
		},
	}
}

var areaCode = regexp.MustCompile(`^[0-9]{3}$`)

func foneNumberRule() rule {
	return rule{
		summary: "Invalid FoneNumber",
		about:   "exactly ten digits",
		check:   func(value string) error { return checkTenDigits("A FoneNumber", value) },
	}
}

func deliveryTypeRule() rule {
	return rule{
		summary: "Invalid Delivery Type",
		about:   "one of " + quotedTypes(),
		check: func(value string) error {
			for _, known := range fonestorm.DeliveryTypes() {
				if value == string(known) {
					return nil
				}
				if strings.EqualFold(strings.TrimSpace(value), string(known)) {
					return fmt.Errorf("The type must be %q, not %q.", known, value)
				}
			}
			return fmt.Errorf("%q is not a delivery type. Use one of %s.", value, quotedTypes())
		},
	}
}

func quotedTypes() string {
	var names []string
	for _, known := range fonestorm.DeliveryTypes() {
		names = append(names, fmt.Sprintf("%q", known))
	}
	return strings.Join(names, ", ")
}

func urlMethodRule() rule {
	return rule{
		summary: "Invalid URL Method",
		about:   `"POST"`,
		check: func(value string) error {
			switch {
			case value == fonestorm.URLMethodPOST:
				return nil
			case strings.EqualFold(value, fonestorm.URLMethodPOST):
				return fmt.Errorf("The method must be \"POST\", not %q.", value)
			default:
				return fmt.Errorf("%q is not available, because delivery URLs use POST exclusively. Use \"POST\", or omit url_method.", value)
			}
		},
	}
}

func subaccountRule() rule {
	return rule{
		summary: "Invalid Subaccount",
		about:   "ten digits",
		check: func(value string) error {
			if !tenDigits.MatchString(value) {
				return fmt.Errorf("A subaccount code must be ten digits, such as \"1234567890\", but %q was given.%s", value, lostZerosHint(value, 10))
			}
			return nil
		},
	}
}

func areaCodeRule() rule {
	return rule{
		summary: "Invalid Area Code",
		about:   "three digits",
		check: func(value string) error {
			if !areaCode.MatchString(value) {
				return fmt.Errorf("An area code must be three digits, such as \"321\", but %q was given.%s", value, lostZerosHint(value, 3))
			}
			return nil
		},
	}
}

func onDestroyRule() rule {
	const allowed = `"disable" or "keep"`
	return rule{
		summary: "Invalid on_destroy",
		about:   allowed,
		check: func(value string) error {
			switch value {
			case onDestroyDisable, onDestroyKeep:
				return nil
			case "None":
				return errors.New("on_destroy = \"None\" is not available. Use \"disable\", which sets type \"None\" so that messages are deleted upon receipt, or \"keep\".")
			case "restore":
				return errors.New("on_destroy = \"restore\" is not available, because FoneStorm does not store earlier deliveries. Use \"keep\" or \"disable\".")
			}
			for _, known := range []string{onDestroyDisable, onDestroyKeep} {
				if strings.EqualFold(value, known) {
					return fmt.Errorf("on_destroy must be %q, not %q.", known, value)
				}
			}
			return fmt.Errorf("on_destroy must be %s, not %q.", allowed, value)
		},
	}
}

func urlUsernameRule() rule {
	return rule{
		summary: "Invalid URL Username",
		about:   "not empty, without colons, control characters, or special spaces",
		check: func(value string) error {
			hidden := findInvisible(strings.ReplaceAll(value, " ", ""))
			switch {
			case value == "":
				return errors.New("The username is empty. Remove url_username if the callback URL needs none.")
			case strings.Contains(value, ":"):
				return errors.New("The username contains a colon, which HTTP Basic authentication does not allow.")
			case hidden != "":
				return fmt.Errorf("The username contains a control character or a special space (%s).", hidden)
			default:
				return nil
			}
		},
	}
}

func urlPasswordRule() rule {
	return rule{
		summary: "Invalid URL Password",
		about:   "not empty, without control characters or special spaces",
		check: func(value string) error {
			hidden := findInvisible(strings.ReplaceAll(value, " ", ""))
			switch {
			case value == "":
				return errors.New("The password is empty. Remove it if the callback URL needs none.")
			case hidden != "":
				return fmt.Errorf("The password contains a control character or a special space (%s), such as a line break at its end. "+
					"If the password comes from a file, trimspace() removes it.", hidden)
			default:
				return nil
			}
		},
	}
}
