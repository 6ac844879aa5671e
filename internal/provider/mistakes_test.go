package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// mistake is a configuration, and the only diagnostic that it gives.
type mistake struct {
	config                     attributes
	attribute, summary, detail string
}

func to(kind, value string) attributes { return attributes{"type": kind, "value": value} }

func hook(attribute string, value any, more ...any) attributes {
	config := attributes{"type": "URL", "value": "https://hooks.example.com/sms", "url_username": "hook", "url_password_wo": "horse", "url_password_wo_version": 1, attribute: value}
	for i := 0; i < len(more); i += 2 {
		config[more[i].(string)] = more[i+1]
	}
	return config
}

// Each rejected or suspicious resource gives one diagnostic, which says what was given, what is allowed, and what to do.
var resourceMistakes = []mistake{
	{attributes{"fonenumber": "+1 (321) 555-1212", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, but "+1 (321) 555-1212" was given. Use "3215551212".`},
	{attributes{"fonenumber": "tel:+13215551212", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, but "tel:+13215551212" was given. Use "3215551212".`},
	{attributes{"fonenumber": "13215551212", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, but "13215551212" was given. Use "3215551212".`},
	{attributes{"fonenumber": "3215551212\n", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{attributes{"fonenumber": "321555121", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "321555121" was given.`},
	{attributes{"fonenumber": "5551212", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "5551212" was given.`},
	{attributes{"fonenumber": "1-800-FLOWERS", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "1-800-FLOWERS" was given.`},
	{attributes{"fonenumber": "020 7946 0958", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "020 7946 0958" was given.`},
	{attributes{"fonenumber": "+44 20 7946 0958", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "+44 20 7946 0958" was given.`},
	{attributes{"fonenumber": "", "type": "None"}, "fonenumber", "Invalid FoneNumber", `The FoneNumber must be exactly ten digits, such as "3215551212", but "" was given.`},

	{to("email", "ops@example.com"), "type", "Invalid Attribute Value Match", `Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "email"`},
	{to("NONE", "None"), "type", "Invalid Attribute Value Match", `Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "NONE"`},
	{to("Email\n", "ops@example.com"), "type", "Invalid Attribute Value Match", `Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "Email\n"`},
	{to("Fax", "3215551111"), "type", "Invalid Attribute Value Match", `Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "Fax"`},
	{to("", "3215551111"), "type", "Invalid Attribute Value Match", `Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: ""`},
	{attributes{"type": "Device"}, "value", "Missing Destination", `Type "Device" requires value, the destination of the messages. Only type "None" has no destination.`},
	{attributes{"type": "Email"}, "value", "Missing Destination", `Type "Email" requires value, the destination of the messages. Only type "None" has no destination.`},
	{attributes{"type": "URL"}, "value", "Missing Destination", `Type "URL" requires value, the destination of the messages. Only type "None" has no destination.`},
	{attributes{"type": "Forward"}, "value", "Missing Destination", `Type "Forward" requires value, the destination of the messages. Only type "None" has no destination.`},

	{to("Device", "desk-7"), "value", "Invalid Destination", `A device ID must contain only digits, such as "987123543678". To find the ID of a device by its name, use the data source fractel_device.`},
	{to("Device", "12\n"), "value", "Invalid Destination", `The device ID contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{to("Device", "Front desk"), "value", "Invalid Destination", `A device ID must contain only digits, such as "987123543678". To find the ID of a device by its name, use the data source fractel_device.`},
	{to("Device", ""), "value", "Invalid Destination", "The device ID is empty. Check the variable or secret that it comes from, or omit the argument."},
	{to("Email", "ops.example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", ""), "value", "Invalid Destination", "The e-mail address is empty. Check the variable or secret that it comes from, or omit the argument."},
	{to("Email", "Ops <ops@example.com>"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "<ops@example.com>"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example.com, dev@example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example.com;dev@example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "mailto:ops@example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example.com?subject=x"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@-example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example-.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example..com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@[192.0.2.1]"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "ops@example.com\n"), "value", "Invalid Destination", `The e-mail address contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{to("Email", "ops @example.com"), "value", "Invalid Destination", "The e-mail address contains the invisible character ' '. Remove it."},
	{to("Email", "ops\u2028@example.com"), "value", "Invalid Destination", `The e-mail address contains the invisible character '\u2028'. Remove it.`},
	{to("Email", "ops@\u202eexample.com"), "value", "Invalid Destination", `The e-mail address contains the invisible character '\u202e'. Remove it.`},
	{to("Email", "o\u200bps@example.com"), "value", "Invalid Destination", `The e-mail address contains the invisible character '\u200b'. Remove it.`},
	{to("Email", "\"ops\\\r\\\nBcc: all\"@example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", "\"ops\"@example.com"), "value", "Invalid Destination", `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`},
	{to("Email", strings.Repeat("a", 65)+"@example.com"), "value", "Invalid Destination", "An e-mail address can have at most 254 bytes, and at most 64 before the @."},
	{to("Email", "ops@"+strings.Repeat("a.", 130)+"com"), "value", "Invalid Destination", "An e-mail address can have at most 254 bytes, and at most 64 before the @."},

	{to("URL", ""), "value", "Invalid Destination", "The callback URL is empty. Check the variable or secret that it comes from, or omit the argument."},
	{to("URL", "/sms"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://."},
	{to("URL", "ftp://hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://."},
	{to("URL", "https:/hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://."},
	{to("URL", "hooks.example.com:8443/sms?key=horse"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://. Write https:// in front of it."},
	{to("URL", "hooks.example.com?key=horse"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://. Write https:// in front of it."},
	{to("URL", "hooks.example.com"), "value", "Invalid Destination", "The callback URL must begin with https:// or http://. Write https:// in front of it."},
	{to("URL", "https:///sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://https://hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL begins with https:// or http:// twice. Remove one of them."},
	{to("URL", "http://https//hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL begins with https:// or http:// twice. Remove one of them."},
	{to("URL", "https://hook:horse@hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL contains a username or password. Remove them, and set url_username and url_password_wo instead."},
	{to("URL", "https://hooks.example.com/sms?msg={{ msg }}"), "value", "Invalid Destination", "The callback URL contains a space. Write it as %20, and tokens without spaces, such as {{msg}}."},
	{to("URL", "https://hooks.example.com/sms?msg={{\tmsg}}&to={{to}}"), "value", "Invalid Destination", `The callback URL contains the invisible character '\t'. Remove it.`},
	{to("URL", "https://hooks.example.com/sms\n"), "value", "Invalid Destination", `The callback URL contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{to("URL", "  https://hooks.example.com/sms"), "value", "Invalid Destination", "The callback URL contains the invisible character ' '. Remove it."},
	{to("URL", "https://hooks.example.com/sms?to=front desk"), "value", "Invalid Destination", "The callback URL contains a space. Write it as %20, and tokens without spaces, such as {{msg}}."},
	{to("URL", "https://hooks example.com/sms"), "value", "Invalid Destination", "The callback URL contains a space. Write it as %20, and tokens without spaces, such as {{msg}}."},
	{to("URL", "https://hooks.example.com/\u202esms"), "value", "Invalid Destination", `The callback URL contains the invisible character '\u202e'. Remove it.`},
	{to("URL", "\ufeffhttps://hooks.example.com/sms"), "value", "Invalid Destination", `The callback URL contains the invisible character '\ufeff'. Remove it.`},
	{to("URL", "https://hooks.example.com/a\\b"), "value", "Invalid Destination", "The callback URL contains a backslash. Use / to separate the segments of a path, and %5C anywhere else."},
	{to("URL", "https://hooks.example.com/sale%zz"), "value", "Invalid Destination", "The callback URL contains a percent sign that is not followed by two hexadecimal digits. Write a percent sign itself as %25."},
	{to("URL", "https://hooks.example.com/100%"), "value", "Invalid Destination", "The callback URL contains a percent sign that is not followed by two hexadecimal digits. Write a percent sign itself as %25."},
	{to("URL", "https://{{to}}.example.com/sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://<host>/sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://hooks%E2%80%AE.example.com/sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://hooks%2.example.com/sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://[fe80::1%25eth0]/sms"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://[::1"), "value", "Invalid Destination", "The host of the callback URL must be a name or an IP address. Tokens can only follow it."},
	{to("URL", "https://hooks.example.com:https/sms"), "value", "Invalid Destination", "The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon."},
	{to("URL", "https://hooks.example.com:65536/sms"), "value", "Invalid Destination", "The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon."},
	{to("URL", "https://hooks.example.com:0/sms"), "value", "Invalid Destination", "The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon."},
	{to("URL", "https://hooks.example.com:/sms"), "value", "Invalid Destination", "The port of the callback URL must be a number from 1 to 65535. For the default port, omit the port and its colon."},

	{to("Forward", "321-555-1111"), "value", "Invalid Destination", `The number to forward to must be exactly ten digits, but "321-555-1111" was given. Use "3215551111".`},
	{to("Forward", "+13215551111"), "value", "Invalid Destination", `The number to forward to must be exactly ten digits, but "+13215551111" was given. Use "3215551111".`},
	{to("Forward", "5551208"), "value", "Invalid Destination", `The number to forward to must be exactly ten digits, such as "3215551212", but "5551208" was given.`},
	{to("Forward", "07911 123456"), "value", "Invalid Destination", `The number to forward to must be exactly ten digits, such as "3215551212", but "07911 123456" was given.`},
	{to("Forward", "3215551212"), "value", "Invalid Destination", "FoneNumber 3215551212 would forward to itself. Use another telephone number."},
	{to("None", "ops@example.com"), "value", "Invalid Destination", `Type "None" has no destination. Remove value, or use another type.`},

	{to("URL", "https://hooks.example.com/?a={{mesg}}&b={{msg}}"), "value", "Unknown Token in Callback URL", `The callback URL contains the token "{{mesg}}", which FoneStorm does not replace. Did you mean "{{msg}}"? FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}.`},
	{to("URL", "https://hooks.example.com/?a={{message}}"), "value", "Unknown Token in Callback URL", `The callback URL contains the token "{{message}}", which FoneStorm does not replace. Did you mean "{{msg}}"? FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}.`},
	{to("URL", "https://hooks.example.com/?a={{MSG}}"), "value", "Unknown Token in Callback URL", `The callback URL contains the token "{{MSG}}", which FoneStorm does not replace. Did you mean "{{msg}}"? FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}.`},
	{to("URL", "https://hooks.example.com/?a={{sender}}"), "value", "Unknown Token in Callback URL", `The callback URL contains the token "{{sender}}", which FoneStorm does not replace. FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}.`},
	{to("URL", "https://hooks.example.com/?a={{correct-horse-battery-staple}}"), "value", "Unknown Token in Callback URL", `The callback URL contains the token "{{…}}", which FoneStorm does not replace. FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}.`},
	{to("URL", "https://hooks.example.com/?a=%7B%7Bmsg%7D%7D&b=1"), "value", "Percent-Encoded Token in Callback URL", `The callback URL contains the percent-encoded token "%7B%7Bmsg%7D%7D", which FoneStorm may not replace. Use "{{msg}}": keep tokens out of urlencode().`},
	{to("URL", "https://hooks.example.com/?a=%7b%7bMessage%7d%7d"), "value", "Percent-Encoded Token in Callback URL", `The callback URL contains the percent-encoded token "%7b%7bMessage%7d%7d", which FoneStorm may not replace. Use "{{msg}}": keep tokens out of urlencode().`},
	{to("URL", "https://hooks.example.com/?a={msg}"), "value", "Unbalanced Braces in Callback URL", "The callback URL contains a brace that is not part of a token. A token has two braces on each side. FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}."},
	{to("URL", "https://hooks.example.com/?a={{msg}"), "value", "Unbalanced Braces in Callback URL", "The callback URL contains a brace that is not part of a token. A token has two braces on each side. FoneStorm replaces only {{to}}, {{from}}, {{msg}}, {{uid}}."},
	{hook("value", "http://hooks.example.com/"), "value", "Callback Credentials Sent Over Plain HTTP", "The callback URL begins with http://, so FoneStorm sends the username and password without encryption. Use https://."},
	{attributes{"type": "URL", "value": "https://hooks.example.com/", "url_username": "hook"}, "url_username", "Callback Username Without Password", "A username is set but no password. Set url_password_wo (or url_password, which is stored in the state), or remove url_username."},
	{attributes{"type": "URL", "value": "https://hooks.example.com/", "url_username": "hook", "url_password": "horse"}, "url_password", "Available Write-Only Attribute Alternative", "This attribute has a WriteOnly version url_password_wo available. Use the WriteOnly version of the attribute when possible."},

	{hook("url_method", "GET"), "url_method", "Invalid Attribute Value Match", `Attribute url_method value must be one of: ["POST"], got: "GET"`},
	{hook("url_method", "post"), "url_method", "Invalid Attribute Value Match", `Attribute url_method value must be one of: ["POST"], got: "post"`},
	{hook("url_method", "PUT"), "url_method", "Invalid Attribute Value Match", `Attribute url_method value must be one of: ["POST"], got: "PUT"`},
	{attributes{"type": "Email", "value": "ops@example.com", "url_username": "hook"}, "url_username", "Credentials Without Callback URL", `url_username can only be set when type is "URL", but type is "Email". Remove it, or change type.`},
	{hook("url_username", ""), "url_username", "Invalid URL Username", "The username is empty. Check the variable or secret that it comes from, or omit the argument."},
	{hook("url_username", "ho:ok"), "url_username", "Invalid URL Username", "The username contains a colon, which HTTP Basic authentication does not allow."},
	{hook("url_username", "hook\n"), "url_username", "Invalid URL Username", `The username contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{hook("url_username", "ho\u200dok"), "url_username", "Invalid URL Username", `The username contains the invisible character '\u200d'. Remove it.`},
	{hook("url_password_wo", ""), "url_password_wo", "Invalid URL Password", "The password is empty. Check the variable or secret that it comes from, or omit the argument."},
	{hook("url_password_wo", "horse\r\n"), "url_password_wo", "Invalid URL Password", `The password contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{hook("url_password_wo", "correct\u00a0horse"), "url_password_wo", "Invalid URL Password", `The password contains the invisible character '\u00a0'. Remove it.`},
	{hook("url_password_wo", "correct\nhorse"), "url_password_wo", "Invalid URL Password", `The password contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{hook("url_password_wo_version", 1.5), "url_password_wo_version", "Invalid Number", `url_password_wo_version must be a whole number from 0 to 9223372036854775807, but "1.5" was given.`},
	{hook("url_password_wo_version", nil), "url_password_wo", "Invalid Attribute Combination", `Attribute "url_password_wo_version" must be specified when "url_password_wo" is specified`},
	{attributes{"type": "None", "url_password_wo_version": 1}, "url_password_wo_version", "Invalid Attribute Combination", `Attribute "url_password_wo" must be specified when "url_password_wo_version" is specified`},
	{hook("url_username", nil), "url_password_wo", "Invalid Attribute Combination", `Attribute "url_username" must be specified when "url_password_wo" is specified`},
	{hook("on_destroy", "Keep"), "on_destroy", "Invalid Attribute Value Match", `Attribute on_destroy value must be one of: ["disable" "keep"], got: "Keep"`},
	{hook("on_destroy", "None"), "on_destroy", "Invalid Attribute Value Match", `Attribute on_destroy value must be one of: ["disable" "keep"], got: "None"`},
	{hook("on_destroy", "restore"), "on_destroy", "Invalid Attribute Value Match", `Attribute on_destroy value must be one of: ["disable" "keep"], got: "restore"`},
	{hook("on_destroy", "delete"), "on_destroy", "Invalid Attribute Value Match", `Attribute on_destroy value must be one of: ["disable" "keep"], got: "delete"`},
}

func TestResourceMistakes(t *testing.T) {
	t.Parallel()
	r := &run{t: t, ctx: t.Context(), server: newServer(New("test")())}
	for _, m := range resourceMistakes {
		if _, set := m.config["fonenumber"]; !set {
			m.config["fonenumber"] = testNumber
		}
		m.check(t, r.validate(m.config))
	}
}

// check checks the only diagnostic of a mistake.
func (m mistake) check(t *testing.T, diags []*tfprotov6.Diagnostic) {
	t.Helper()
	want := fmt.Sprintf("%s: %s: %s", m.attribute, m.summary, m.detail)
	var got []string
	for _, d := range diags {
		attribute := strings.TrimSuffix(strings.TrimPrefix(d.Attribute.String(), `AttributeName("`), `")`)
		got = append(got, fmt.Sprintf("%s: %s: %s", attribute, d.Summary, d.Detail))
	}
	if len(got) != 1 || got[0] != want {
		t.Errorf("%v gives\n%s\nwant\n%s", m.config, strings.Join(got, "\n"), want)
	}
}

var providerMistakes = []mistake{
	{attributes{"endpoint": "http://api.fonestorm.com/v2"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost, because requests contain passwords and tokens. Use "https://api.fonestorm.com/v2".`},
	{attributes{"endpoint": "api.fonestorm.com/v2"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost. Use "https://api.fonestorm.com/v2".`},
	{attributes{"endpoint": "127.0.0.1:8080/v2"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost. Use "http://127.0.0.1:8080/v2".`},
	{attributes{"endpoint": "localhost:8080/v2"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost. Use "http://localhost:8080/v2".`},
	{attributes{"endpoint": "fonestorm"}, "endpoint", "Invalid Endpoint", "The endpoint must begin with https://, or with http:// for a loopback host such as localhost."},
	{attributes{"endpoint": ""}, "endpoint", "Invalid Endpoint", "The endpoint is empty. Check the variable or secret that it comes from, or omit the argument."},
	{attributes{"endpoint": "https://api.fonestorm.com/v2\n"}, "endpoint", "Invalid Endpoint", `The endpoint contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{attributes{"endpoint": "https://u:p@api.fonestorm.com/v2"}, "endpoint", "Invalid Endpoint", "The endpoint must not contain a username or password: use the settings for them."},
	{attributes{"endpoint": "https://api.fonestorm.com/v2?token=x"}, "endpoint", "Invalid Endpoint", "The endpoint must not contain a query or a fragment."},
	{attributes{"endpoint": "https:///v2"}, "endpoint", "Invalid Endpoint", "The endpoint has no host."},
	{attributes{"endpoint": "https://[::1/v2"}, "endpoint", "Invalid Endpoint", "The endpoint is not a URL."},
	{attributes{"token": "t", "username": "u"}, "username", "Invalid Attribute Combination", `Attribute "token" cannot be specified when "username" is specified`},
	{attributes{"token": "t", "password": "p"}, "password", "Invalid Attribute Combination", `Attribute "token" cannot be specified when "password" is specified`},
	{attributes{"token": "t", "subaccount": "1234567890"}, "subaccount", "Invalid Attribute Combination", `Attribute "token" cannot be specified when "subaccount" is specified`},
	{attributes{"username": ""}, "username", "Invalid FoneStorm Credentials", "The username is empty. Check the variable or secret that it comes from, or omit the argument."},
	{attributes{"password": ""}, "password", "Invalid FoneStorm Credentials", "The password is empty. Check the variable or secret that it comes from, or omit the argument."},
	{attributes{"token": ""}, "token", "Invalid FoneStorm Credentials", "The token is empty. Check the variable or secret that it comes from, or omit the argument."},
	{attributes{"username": "demo\n"}, "username", "Invalid FoneStorm Credentials", `The username contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{attributes{"password": "horse\r\n"}, "password", "Invalid FoneStorm Credentials", `The password contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{attributes{"token": "ey\u200bJ"}, "token", "Invalid FoneStorm Credentials", `The token contains the invisible character '\u200b'. Remove it.`},
	{attributes{"subaccount": ""}, "subaccount", "Invalid Subaccount", "The subaccount is empty. Check the variable or secret that it comes from, or omit the argument."},
	{attributes{"subaccount": "123456789"}, "subaccount", "Invalid Subaccount", `The subaccount must be a string of ten digits, such as "0123456789", but "123456789" was given.`},
	{attributes{"subaccount": "sales"}, "subaccount", "Invalid Subaccount", `The subaccount must be a string of ten digits, such as "0123456789", but "sales" was given.`},
	{attributes{"subaccount": "1234567890\n"}, "subaccount", "Invalid Subaccount", `The subaccount contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'.`},
	{attributes{"requests_per_second": 0.5}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "0.5" was given.`},
	{attributes{"requests_per_second": 0}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "0" was given.`},
	{attributes{"requests_per_second": 100_001}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "100001" was given.`},
	{attributes{"max_retries": 1.5}, "max_retries", "Invalid Number", `max_retries must be a whole number from 0 to 100, but "1.5" was given.`},
	{attributes{"max_retries": -1}, "max_retries", "Invalid Number", `max_retries must be a whole number from 0 to 100, but "-1" was given.`},
	{attributes{"request_timeout": ""}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "" was given. Use a number with a unit, such as "30s" or "2m".`},
	{attributes{"request_timeout": "soon"}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "soon" was given. Use a number with a unit, such as "30s" or "2m".`},
	{attributes{"request_timeout": "0s"}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "0s" was given. Use a number with a unit, such as "30s" or "2m".`},
	{attributes{"request_timeout": "-5s"}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "-5s" was given. Use a number with a unit, such as "30s" or "2m".`},
	{attributes{"request_timeout": "30"}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "30" was given. It requires a unit. Use "30s" for seconds.`},
	{attributes{"request_timeout": "1.5"}, "request_timeout", "Invalid Duration", `The timeout must be a duration greater than zero, but "1.5" was given. It requires a unit. Use "1.5s" for seconds.`},
}

func TestProviderMistakes(t *testing.T) {
	t.Parallel()
	server := newServer(New("test")())
	for _, m := range providerMistakes {
		validated, err := server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{
			Config: wire(t, protocol().provider, m.config.value(protocol().provider)),
		})
		if err != nil {
			t.Fatal(err)
		}
		m.check(t, validated.Diagnostics)
	}
}

// In these, the configuration is the environment.
var environmentMistakes = []mistake{
	{attributes{}, "", "Missing FoneStorm Credentials", "Neither the provider block nor the environment contains credentials. Set username and password in the provider block, or the environment variables FRACTEL_USERNAME and FRACTEL_PASSWORD, or a token (FRACTEL_TOKEN)."},
	{attributes{"FRACTEL_USERNAME": "demo"}, "password", "Missing FoneStorm Password", "A username is set but no password. Set password, or preferably the environment variable FRACTEL_PASSWORD."},
	{attributes{"FRACTEL_PASSWORD": "horse"}, "username", "Missing FoneStorm Username", "A password is set but no username. Set username or the environment variable FRACTEL_USERNAME."},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_USERNAME": "demo"}, "", "Conflicting FoneStorm Credentials", "The environment contains both a token (FRACTEL_TOKEN) and a username or password (FRACTEL_USERNAME, FRACTEL_PASSWORD). Unset one of them, or set the one to use in the provider block."},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "http://api.example.com"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost, because requests contain passwords and tokens. Use "https://api.example.com". It comes from the environment variable FRACTEL_ENDPOINT.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "localhost:8080/v2"}, "endpoint", "Invalid Endpoint", `The endpoint must begin with https://, or with http:// for a loopback host such as localhost. Use "http://localhost:8080/v2". It comes from the environment variable FRACTEL_ENDPOINT.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_ENDPOINT": "https://api.example.com\n"}, "endpoint", "Invalid Endpoint", `The endpoint contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_ENDPOINT.`},
	{attributes{"FRACTEL_TOKEN": "t\n"}, "token", "Invalid FoneStorm Credentials", `The token contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_TOKEN.`},
	{attributes{"FRACTEL_USERNAME": "demo\r\n", "FRACTEL_PASSWORD": "horse"}, "username", "Invalid FoneStorm Credentials", `The username contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_USERNAME.`},
	{attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "horse\n"}, "password", "Invalid FoneStorm Credentials", `The password contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_PASSWORD.`},
	{attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "correct\nhorse"}, "password", "Invalid FoneStorm Credentials", `The password contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_PASSWORD.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_REQUESTS_PER_SECOND": "ten"}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "ten" was given. It comes from the environment variable FRACTEL_REQUESTS_PER_SECOND.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_REQUESTS_PER_SECOND": "0.5"}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "0.5" was given. It comes from the environment variable FRACTEL_REQUESTS_PER_SECOND.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_REQUESTS_PER_SECOND": "10\n"}, "requests_per_second", "Invalid Number", `requests_per_second must be a whole number from 1 to 100000, but "10\n" was given. It comes from the environment variable FRACTEL_REQUESTS_PER_SECOND.`},
	{attributes{"FRACTEL_TOKEN": "t", "FRACTEL_SUBACCOUNT": "1234567890"}, "subaccount", "Subaccount Conflicts With Token", "Both a subaccount and a token (FRACTEL_TOKEN) are set, but a token already belongs to one account. Set username and password instead of the token, or remove the subaccount."},
	{attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "horse", "FRACTEL_SUBACCOUNT": "123"}, "subaccount", "Invalid Subaccount", `The subaccount must be a string of ten digits, such as "0123456789", but "123" was given. It comes from the environment variable FRACTEL_SUBACCOUNT.`},
	{attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "horse", "FRACTEL_SUBACCOUNT": "1234567890\n"}, "subaccount", "Invalid Subaccount", `The subaccount contains a line break. A file or a heredoc usually ends with one: remove it with trimspace(), or in a shell with tr -d '\r\n'. It comes from the environment variable FRACTEL_SUBACCOUNT.`},
}

func TestEnvironmentMistakes(t *testing.T) {
	server := newServer(New("test")())
	empty := wire(t, protocol().provider, attributes{}.value(protocol().provider))
	for _, m := range environmentMistakes {
		for _, variable := range []string{"FRACTEL_ENDPOINT", "FRACTEL_USERNAME", "FRACTEL_PASSWORD", "FRACTEL_TOKEN", "FRACTEL_SUBACCOUNT", "FRACTEL_REQUESTS_PER_SECOND"} {
			t.Setenv(variable, m.config.text(variable))
		}
		configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: empty})
		if err != nil {
			t.Fatal(err)
		}
		m.check(t, configured.Diagnostics)
	}
}

// Configurations that look like mistakes but are valid give no diagnostic.
func TestValidConfigurations(t *testing.T) {
	t.Parallel()
	r := &run{t: t, ctx: t.Context(), server: newServer(New("test")())}
	for _, config := range []attributes{
		to("Device", "987123543678"), to("Forward", "3215551111"), to("None", "None"),
		{"type": "None"},
		to("Email", "ops+sms@mail.example.com"), to("Email", "grüße@bücher.example.com"), to("Email", "{{msg}}@xn--bcher-kva.example.com"),
		to("Email", "ops@localhost"), to("Email", strings.Repeat("a", 64)+"@example.com"),
		to("URL", "https://api.yourserver.com/handler.php?to={{to}}&from={{from}}&msg={{msg}}&id={{uid}}"),
		to("URL", "http://198.51.100.7:8080/sms"), to("URL", "https://[2001:db8::7]:8443/sms"), to("URL", "HTTPS://hooks.example.com/https://x"),
		to("URL", "https://bücher.example.com:443/grüße%20{{msg}}"), to("URL", "https://hooks.example.com?at=a@b&rate=100%"),
		hook("url_method", "POST"), hook("url_username", "web hook"), hook("url_password_wo", "correct-horse: battery"), hook("on_destroy", "disable"),
		hook("url_password_wo_version", 0), hook("url_password_wo_version", 20261125120000), hook("value", tftypes.UnknownValue),
		hook("url_password_wo", tftypes.UnknownValue),
		{"type": "Email", "value": "ops@example.com", "url_method": "POST"},
		{"type": "Email", "value": tftypes.UnknownValue},
		{"type": tftypes.UnknownValue, "value": "ops@example.com"},
	} {
		config["fonenumber"] = testNumber
		for _, d := range r.validate(config) {
			t.Errorf("%v gives %s: %s", config, d.Summary, d.Detail)
		}
	}
}

// Through the CLI, an error is on the line of its attribute, and a mistake in the environment is found by a plan.
func TestAccMistakes(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	w := a.newWorkspace(t, `
provider "fractel" {
  alias               = "wrong"
  requests_per_second = 0.5
  max_retries         = 1.5
  password            = ""
}
resource "fractel_fonenumber_delivery" "heredoc" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = <<-EOT
    https://hooks.example.com/sms
  EOT
}
resource "fractel_fonenumber_delivery" "number" {
  fonenumber = "020 7946 0958"
  type       = "Email"
  value      = "ops@example.com"
}
data "fractel_fonenumbers" "near" {
  area_code = 32
}
data "fractel_fonenumbers" "all" {
  provider = fractel.wrong
}
`)
	says(t, w.run(1, "validate", "-no-color"),
		"requests_per_second = 0.5 requests_per_second must be a whole number from 1 to 100000, but \"0.5\" was given.",
		"max_retries = 1.5 max_retries must be a whole number from 0 to 100, but \"1.5\" was given.",
		`password = "" The password is empty.`,
		"The callback URL contains a line break.",
		`fonenumber = "020 7946 0958" The FoneNumber must be exactly ten digits,`,
		`area_code = 32 Attribute area_code must be three digits, such as "321", got: 32`,
	)
	w.configure(destinations[1].config(testNumber))
	w.setEnv("FRACTEL_PASSWORD=horse\n")
	says(t, w.plan(1), "The password contains a line break.", "environment variable FRACTEL_PASSWORD")
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("requests were sent: %+v", requests)
	}
}

func TestAccWholeVersion(t *testing.T) {
	t.Parallel()
	needs(t, writeOnly)
	w := newAccount(t, simulator.Options{}).newWorkspace(t, `
resource "fractel_fonenumber_delivery" "test" {
  fonenumber              = "3215551212"
  type                    = "URL"
  value                   = "https://hooks.example.com/sms"
  url_username            = "hook"
  url_password_wo         = "horse"
  url_password_wo_version = 1.5
}
`)
	says(t, w.run(1, "validate", "-no-color"), "url_password_wo_version = 1.5 url_password_wo_version must be a whole number from 0 to 9223372036854775807, but \"1.5\" was given.")
}

// A value that is unknown until the apply is checked then, before it is sent to FoneStorm.
func TestAccUnknownValueIsCheckedWhenKnown(t *testing.T) {
	t.Parallel()
	a := newAccountWith(t, testNumber)
	w := a.newWorkspace(t, `
resource "terraform_data" "address" {
  input = "ops.example.com"
}
resource "fractel_fonenumber_delivery" "test" {
  fonenumber = "3215551212"
  type       = "Email"
  value      = terraform_data.address.output
}
`)
	w.plan(2)
	says(t, w.rejects(), `The value must be one e-mail address, such as "ops@example.com", without a name, mailto:, or parameters. To reach several people, use the address of a mailing list.`)
	a.sendsOnly(t, 0)
}
