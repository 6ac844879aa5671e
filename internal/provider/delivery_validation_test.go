package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// rejection is a resource that `terraform validate` rejects.
type rejection struct {
	block     string // Attributes; the FoneNumber is added if it is missing.
	attribute string // Attribute of the error.
	says      string // Part of the error.
}

const validURL = `
  type  = "URL"
  value = "https://hooks.example.com/sms"
`

var rejections = map[string]rejection{
	"fonenumber_punctuated": {`fonenumber = "+1 (321) 555-1212"
  type = "None"`, "fonenumber", `but "+1 (321) 555-1212" was given. Use "3215551212".`},
	"fonenumber_tel": {`fonenumber = "tel:+13215551212"
  type = "None"`, "fonenumber", `Use "3215551212".`},
	"fonenumber_eleven": {`fonenumber = "13215551212"
  type = "None"`, "fonenumber", `Use "3215551212".`},
	"fonenumber_short": {`fonenumber = "321555121"
  type = "None"`, "fonenumber", `exactly ten digits, such as "3215551212", but "321555121" was given.`},
	"fonenumber_words": {`fonenumber = "1-800-FLOWERS"
  type = "None"`, "fonenumber", "exactly ten digits"},
	"fonenumber_zero": {`fonenumber = 0215551212
  type = "None"`, "fonenumber", `but "215551212" was given. A number without quotes loses its leading zeros. Put it in quotes.`},
	"fonenumber_empty": {`fonenumber = ""
  type = "None"`, "fonenumber", "exactly ten digits"},

	"type_case": {`type = "email"
  value = "ops@example.com"`, "type", `The type must be "Email", not "email".`},
	"type_none_case": {`type = "NONE"`, "type", `The type must be "None", not "NONE".`},
	"type_unknown": {`type = "Fax"
  value = "3215551111"`, "type", `"Fax" is not a delivery type. Use one of "Device", "Email", "URL", "Forward", "None".`},

	"value_missing_device":  {`type = "Device"`, "", `Type "Device" requires value`},
	"value_missing_email":   {`type = "Email"`, "", `Type "Email" requires value`},
	"value_missing_url":     {`type = "URL"`, "", `Type "URL" requires value`},
	"value_missing_forward": {`type = "Forward"`, "", `Type "Forward" requires value`},

	"device_letters": {`type = "Device"
  value = "desk-7"`, "value", `A device ID must contain only digits`},
	"device_newline": {`type = "Device"
  value = "12\n"`, "value", `A device ID must contain only digits`},
	"email_none": {`type = "Email"
  value = "ops.example.com"`, "value", `must be an e-mail address`},
	"email_named": {`type = "Email"
  value = "Ops <ops@example.com>"`, "value", `must be an e-mail address without a name`},
	"email_two": {`type = "Email"
  value = "ops@example.com, dev@example.com"`, "value", `must be one e-mail address`},
	"email_space": {`type = "Email"
  value = "ops @example.com"`, "value", `must not contain spaces or control characters, but the value contains U+0020`},
	"email_line_separator": {`type = "Email"
  value = "ops\u2028@example.com"`, "value", `contains U+2028`},
	"email_turned_around": {`type = "Email"
  value = "ops@\u202Eexample.com"`, "value", `contains U+202E`},
	"email_no_break_space": {`type = "Email"
  value = "ops@example.com\u00A0"`, "value", `contains U+00A0`},
	"email_zero_width": {`type = "Email"
  value = "o\u200Bps@example.com"`, "value", `contains U+200B`},
	"email_header": {`type = "Email"
  value = "\"ops\\\r\\\nBcc: all\"@example.com"`, "value", `contains U+000D`},
	"email_quoted": {`type = "Email"
  value = "\"ops\"@example.com"`, "value", `must be an e-mail address`},
	"email_long": {`type = "Email"
  value = "ops@${join(".", [for i in range(64) : "abc"])}"`, "value", `can have at most 254 bytes, but the value has 259`},
	"url_relative": {`type = "URL"
  value = "/sms"`, "value", `must begin with https:// or http://`},
	"url_scheme": {`type = "URL"
  value = "ftp://hooks.example.com/sms"`, "value", `must begin with https:// or http://`},
	"url_no_scheme": {`type = "URL"
  value = "hooks.example.com:8443/sms?key=horse"`, "value", `must begin with https:// or http://. Use "https://hooks.example.com:8443/…".`},
	"url_no_scheme_query": {`type = "URL"
  value = "hooks.example.com?key=horse"`, "value", `Use "https://hooks.example.com/…".`},
	"url_no_scheme_no_path": {`type = "URL"
  value = "hooks.example.com"`, "value", `Use "https://hooks.example.com".`},
	"url_no_host": {`type = "URL"
  value = "https:///sms"`, "value", `has no host`},
	"url_credentials": {`type = "URL"
  value = "https://hook:horse@hooks.example.com/sms"`, "value", `set url_username and url_password_wo instead`},
	"url_space": {`type = "URL"
  value = "https://hooks.example.com/sms?msg={{msg}} "`, "value", `contains a space or a control character`},
	"url_turned_around": {`type = "URL"
  value = "https://hooks.example.com/\u202Esms"`, "value", `contains a space or a control character (U+202E)`},
	"url_line_separator": {`type = "URL"
  value = "https://hooks.example.com/\u2028sms"`, "value", `(U+2028)`},
	"url_byte_order_mark": {`type = "URL"
  value = "\uFEFFhttps://hooks.example.com/sms"`, "value", `(U+FEFF)`},
	"url_backslash": {`type = "URL"
  value = "https://hooks.example.com/a\\b"`, "value", `contains a backslash`},
	"url_backslash_host": {`type = "URL"
  value = "https://hooks.example.com\\@example.org/sms"`, "value", `contains a backslash`},
	"url_host_space": {`type = "URL"
  value = "https://hooks example.com/sms"`, "value", `contains a space or a control character (U+0020)`},
	"url_host_placeholder": {`type = "URL"
  value = "https://<host>/sms"`, "value", `The host of the callback URL must be a name or an IP address`},
	"url_host_hidden": {`type = "URL"
  value = "https://hooks%E2%80%AE.example.com/sms"`, "value", `The host of the callback URL must be a name or an IP address`},
	"url_host_zone": {`type = "URL"
  value = "https://[fe80::1%25eth0]/sms"`, "value", `The host of the callback URL must be a name or an IP address`},
	"url_port_word": {`type = "URL"
  value = "https://hooks.example.com:https/sms"`, "value", `is not a URL`},
	"url_port_large": {`type = "URL"
  value = "https://hooks.example.com:65536/sms"`, "value", `The port of the callback URL must be a number from 1 to 65535`},
	"url_port_zero": {`type = "URL"
  value = "https://hooks.example.com:0/sms"`, "value", `The port of the callback URL must be a number from 1 to 65535`},
	"url_port_empty": {`type = "URL"
  value = "https://hooks.example.com:/sms"`, "value", `The port of the callback URL must be a number from 1 to 65535`},
	"url_broken": {`type = "URL"
  value = "https://[::1"`, "value", `is not a URL`},
	"forward_punctuated": {`type = "Forward"
  value = "321-555-1111"`, "value", `must be exactly ten digits`},
	"forward_zero": {`type = "Forward"
  value = 0215551111`, "value", `loses its leading zeros`},
	"forward_itself": {`type = "Forward"
  value = "3215551212"`, "value", `would forward to itself`},
	"none_value": {`type = "None"
  value = "ops@example.com"`, "value", `Type "None" has no destination`},

	"method_get":  {validURL + `url_method = "GET"`, "url_method", `delivery URLs use POST exclusively`},
	"method_json": {validURL + `url_method = "JSON"`, "url_method", `delivery URLs use POST exclusively`},
	"method_case": {validURL + `url_method = "post"`, "url_method", `The method must be "POST", not "post".`},

	"username_email": {`type = "Email"
  value = "ops@example.com"
  url_username = "hook"`, "url_username", `url_username can only be set when type is "URL"`},
	"username_none": {`type = "None"
  url_username = "hook"`, "url_username", `url_username can only be set when type is "URL"`},
	"username_empty":   {validURL + `url_username = ""`, "url_username", `The username is empty`},
	"username_colon":   {validURL + `url_username = "ho:ok"`, "url_username", `contains a colon`},
	"username_newline": {validURL + `url_username = "hook\n"`, "url_username", `contains a control character or a special space (U+000A)`},
	"username_hidden":  {validURL + `url_username = "ho\u200Dok"`, "url_username", `contains a control character or a special space (U+200D)`},
	"password_alone":   {validURL + `url_password = "correct-horse"`, "url_password", `"url_username" must be specified when "url_password" is specified`},
	"password_empty": {validURL + `url_username = "hook"
  url_password = ""`, "url_password", `The password is empty`},
	"password_newline": {validURL + `url_username = "hook"
  url_password = "correct-horse\r\n"`, "url_password", `contains a control character or a special space (U+000D)`},
	"password_no_break_space": {validURL + `url_username = "hook"
  url_password = "correct\u00A0horse"`, "url_password", `(U+00A0)`},
	"password_hidden": {validURL + `url_username = "hook"
  url_password = "correct-horse\u2066"`, "url_password", `(U+2066)`},
	"password_device": {`type = "Device"
  value = "12"
  url_username = "hook"
  url_password = "correct-horse"`, "url_password", `url_password can only be set when type is "URL"`},
	"wo_alone": {validURL + `url_password_wo = "correct-horse"
  url_password_wo_version = 1`, "url_password_wo", `"url_username" must be specified when "url_password_wo" is specified`},
	"wo_without_version": {validURL + `url_username = "hook"
  url_password_wo = "correct-horse"`, "url_password_wo", `"url_password_wo_version" must be specified`},
	"wo_with_password": {validURL + `url_username = "hook"
  url_password = "correct-horse"
  url_password_wo = "correct-horse"
  url_password_wo_version = 1`, "url_password_wo", `"url_password" cannot be specified when "url_password_wo" is specified`},
	"wo_empty": {validURL + `url_username = "hook"
  url_password_wo = ""
  url_password_wo_version = 1`, "url_password_wo", `The password is empty`},
	"wo_forward": {`type = "Forward"
  value = "3215551111"
  url_username = "hook"
  url_password_wo = "correct-horse"
  url_password_wo_version = 1`, "url_password_wo", `url_password_wo can only be set when type is "URL"`},
	"on_destroy_case":    {validURL + `on_destroy = "Keep"`, "on_destroy", `on_destroy must be "keep", not "Keep".`},
	"on_destroy_none":    {validURL + `on_destroy = "None"`, "on_destroy", `Use "disable", which sets type "None"`},
	"on_destroy_restore": {validURL + `on_destroy = "restore"`, "on_destroy", `Use "keep" or "disable"`},
	"on_destroy_other":   {validURL + `on_destroy = "delete"`, "on_destroy", `on_destroy must be "disable" or "keep", not "delete"`},
	"version_alone":      {validURL + `url_password_wo_version = 1`, "url_password_wo_version", `"url_password_wo" must be specified when "url_password_wo_version" is specified`},
	"version_text": {validURL + `url_username = "hook"
  url_password_wo = "correct-horse"
  url_password_wo_version = "one"`, "url_password_wo_version", `a number is required`},
}

// Valid counterparts of the rejections above.
var acceptances = map[string]string{
	"device":           `type = "Device"` + "\n  " + `value = "987123543678"`,
	"email":            `type = "Email"` + "\n  " + `value = "ops+sms@mail.example.com"`,
	"url_tokens":       `type = "URL"` + "\n  " + `value = "https://api.yourserver.com/handler.php?to={{to}}&from={{from}}&msg={{msg}}&id={{uid}}"`,
	"url_plain":        `type = "URL"` + "\n  " + `value = "http://198.51.100.7:8080/sms"`,
	"email_unicode":    `type = "Email"` + "\n  " + `value = "grüße@bücher.example.com"`,
	"url_address":      `type = "URL"` + "\n  " + `value = "https://[2001:db8::7]:8443/sms"`,
	"url_unicode":      `type = "URL"` + "\n  " + `value = "https://bücher.example.com:443/grüße%20{{msg}}"`,
	"url_method":       validURL + `url_method = "POST"`,
	"url_method_email": `type = "Email"` + "\n  " + `value = "ops@example.com"` + "\n  " + `url_method = "POST"`,
	"url_username":     validURL + `url_username = "web hook"`,
	"url_password":     validURL + `url_username = "hook"` + "\n  " + `url_password = "correct-horse: battery"`,
	"url_password_wo":  validURL + `url_username = "hook"` + "\n  " + `url_password_wo = "correct-horse"` + "\n  " + `url_password_wo_version = 1`,
	"forward":          `type = "Forward"` + "\n  " + `value = "3215551111"`,
	"none":             `type = "None"`,
	"none_value":       `type = "None"` + "\n  " + `value = "None"`,
	"on_destroy":       validURL + `on_destroy = "disable"`,
	"unknown_value":    `type = "Email"` + "\n  " + `value = terraform_data.later.output`,
	"unknown_type":     `type = terraform_data.later.output` + "\n  " + `value = "ops@example.com"`,
}

// diagnostic is a diagnostic of `terraform validate -json`.
type diagnostic struct {
	Severity string
	Summary  string
	Detail   string
	Address  string
	Snippet  struct {
		Context string // As in: resource "fractel_fonenumber_delivery" "device_letters"
		Code    string // The line that the error is about.
	}
}

// Each rule through the CLI: a violation is rejected on its attribute, a valid value passes, and no request is sent.
func TestAccValidate(t *testing.T) {
	t.Parallel()
	checkRules(t, func(block string) bool { return !strings.Contains(block, "url_password_wo") })
}

func TestAccValidateWriteOnly(t *testing.T) {
	t.Parallel()
	needs(t, writeOnly)
	checkRules(t, func(block string) bool { return strings.Contains(block, "url_password_wo") })
}

// checkRules validates the chosen rejections and acceptances.
func checkRules(t *testing.T, chosen func(block string) bool) {
	t.Helper()
	rejections, acceptances := maps.Clone(rejections), maps.Clone(acceptances)
	maps.DeleteFunc(rejections, func(_ string, rejected rejection) bool { return !chosen(rejected.block) })
	maps.DeleteFunc(acceptances, func(_, accepted string) bool { return !chosen(accepted) })
	var config strings.Builder
	config.WriteString("resource \"terraform_data\" \"later\" {\n}\n")
	block := func(name, attributes string) {
		if !strings.Contains(attributes, "fonenumber") {
			attributes = `fonenumber = "3215551212"` + "\n  " + attributes
		}
		fmt.Fprintf(&config, "resource \"fractel_fonenumber_delivery\" %q {\n  %s\n}\n", name, attributes)
	}
	for name, rejected := range rejections {
		block("reject_"+name, rejected.block)
	}
	for name, accepted := range acceptances {
		block("accept_"+name, accepted)
	}
	a := newAccount(t, simulator.Options{})
	diagnostics := a.newWorkspace(t, config.String()).validate(1)

	for name, rejected := range rejections {
		found := diagnostics[fmt.Sprintf("resource \"fractel_fonenumber_delivery\" %q", "reject_"+name)]
		if !contains(found, rejected.attribute, rejected.says) {
			t.Errorf("%s: no error on %q that contains %q, but %+v", name, rejected.attribute, rejected.says, found)
		}
	}
	for name := range acceptances {
		for _, found := range diagnostics[fmt.Sprintf("resource \"fractel_fonenumber_delivery\" %q", "accept_"+name)] {
			if found.Severity == "error" {
				t.Errorf("%s: %+v", name, found)
			}
		}
	}
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("validating sent requests: %+v", requests)
	}
}

// A username without a password is probably a mistake, but valid: it is a warning.
func TestAccUsernameWithoutPassword(t *testing.T) {
	t.Parallel()
	complete := validURL + "url_username = \"hook\"\n  url_password = \"correct-horse\""
	config := ""
	for name, attributes := range map[string]string{"alone": validURL + `url_username = "hook"`, "complete": complete, "none": validURL} {
		config += fmt.Sprintf("resource \"fractel_fonenumber_delivery\" %q {\n  fonenumber = %q\n  %s\n}\n", name, testNumber, attributes)
	}
	var warned []string
	for block, found := range newAccount(t, simulator.Options{}).newWorkspace(t, config).validate(0) {
		for _, d := range found {
			if d.Summary == "Callback Username Without Password" {
				warned = append(warned, block+": "+strings.TrimSpace(d.Snippet.Code))
			}
		}
	}
	if want := `resource "fractel_fonenumber_delivery" "alone": url_username = "hook"`; len(warned) != 1 || warned[0] != want {
		t.Errorf("warns about %q, want only %q", warned, want)
	}
}

// contains reports whether there is an error on an attribute. Errors about missing attributes are on the block ("").
func contains(diagnostics []diagnostic, attribute, says string) bool {
	for _, d := range diagnostics {
		code := strings.TrimSpace(d.Snippet.Code)
		onAttribute := strings.HasPrefix(code, attribute+" ") || attribute == "" && strings.HasPrefix(code, "resource ")
		if d.Severity == "error" && onAttribute && strings.Contains(d.Detail, says) {
			return true
		}
	}
	return false
}

// validate returns the diagnostics of `terraform validate` by block.
func (w *workspace) validate(exitCode int) map[string][]diagnostic {
	w.t.Helper()
	output, code, err := w.Run(w.t.Context(), "validate", "-json")
	if err != nil || code != exitCode {
		w.t.Fatalf("terraform validate: exit code %d, %v\n%s", code, err, output)
	}
	var result struct{ Diagnostics []diagnostic }
	if err := json.Unmarshal([]byte(output), &result); err != nil {
		w.t.Fatal(err)
	}
	byBlock := map[string][]diagnostic{}
	for _, d := range result.Diagnostics {
		byBlock[d.Snippet.Context] = append(byBlock[d.Snippet.Context], d)
	}
	return byBlock
}

// A value that is unknown until the apply is checked then, before it is sent to FoneStorm.
func TestAccUnknownValueIsCheckedWhenKnown(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
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
	output := w.run(1, "apply", "-no-color", "-auto-approve", "-input=false")
	if want := `The value must be an e-mail address, such as "ops@example.com".`; !strings.Contains(output, want) {
		t.Errorf("the output does not contain %q:\n%s", want, output)
	}
	if n := a.count("set"); n > 0 {
		t.Errorf("%d settings were sent, want none", n)
	}
}
