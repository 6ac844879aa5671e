package provider

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// These texts follow the name of what was given.
const (
	isEmpty      = " is empty. Check the variable or secret that it comes from, or omit the argument."
	hasLineBreak = " contains a line break. A file or a heredoc usually ends with one: " +
		`remove it with trimspace(), or in a shell with tr -d '\r\n'.`
	hasInvisible = " contains the invisible character "
)

// validation validates configurations, each of which has one mistake.
type validation struct {
	t             *testing.T
	validate      func(config attributes) []*tfprotov6.Diagnostic
	inEnvironment bool // Whether a configuration consists of environment variables.
}

// check checks the only diagnostic of a configuration: what was given, what is allowed, and what to do.
func (v validation) check(config attributes, attribute, summary, detail string) {
	v.t.Helper()
	want := fmt.Sprintf("%s: %s: %s", attribute, summary, detail)
	var got []string
	for _, d := range v.validate(config) {
		attribute := strings.TrimSuffix(strings.TrimPrefix(d.Attribute.String(), `AttributeName("`), `")`)
		got = append(got, fmt.Sprintf("%s: %s: %s", attribute, d.Summary, d.Detail))
	}
	if len(got) != 1 || got[0] != want {
		v.t.Errorf("%v gives\n%s\nwant\n%s", config, strings.Join(got, "\n"), want)
	}
}

// of returns a function that checks values of one attribute, next to others. All values give the same diagnostic, in which {given} is
// the quoted value.
func (v validation) of(attribute, summary string, others attributes) func(detail string, values ...any) {
	return func(detail string, values ...any) {
		v.t.Helper()
		name := attribute
		if v.inEnvironment {
			name = "FRACTEL_" + strings.ToUpper(attribute)
			detail += " It comes from the environment variable " + name + "."
		}
		for _, value := range values {
			v.check(with(others, name, value), attribute, summary, strings.ReplaceAll(detail, "{given}", strconv.Quote(fmt.Sprint(value))))
		}
	}
}

func ofType(kind string) attributes { return attributes{"fonenumber": testNumber, "type": kind} }

// hook is a callback with credentials.
var hook = attributes{
	"fonenumber": testNumber, "type": "URL", "value": "https://hooks.example.com/sms",
	"url_username": "hook", "url_password_wo": "horse", "url_password_wo_version": 1,
}

func newValidation(t *testing.T) validation {
	t.Helper()
	t.Parallel()
	return validation{t: t, validate: (&run{t: t, ctx: t.Context(), server: newServer(New("test")())}).validate}
}

func TestMistakesInDestinations(t *testing.T) {
	v := newValidation(t)
	number := v.of("fonenumber", "Invalid FoneNumber", attributes{"type": "None"})
	number(`The FoneNumber must be exactly ten digits, but {given} was given. Use "3215551212".`,
		"+1 (321) 555-1212", "tel:+13215551212", "13215551212")
	number(`The FoneNumber must be exactly ten digits, such as "3215551212", but {given} was given.`,
		"321555121", "5551212", "1-800-FLOWERS", "020 7946 0958", "+44 20 7946 0958")
	number("The FoneNumber"+hasLineBreak, "3215551212\n")
	number("The FoneNumber"+isEmpty, "")

	v.of("type", "Invalid Attribute Value Match", with(ofType(""), "value", "ops@example.com"))(
		`Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: {given}`,
		"email", "NONE", "Email\n", "Fax", "")
	v.check(with(ofType("Callback"), "value", hookURL), "type", "Invalid Attribute Value Match",
		`Attribute type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "Callback"`)
	for _, kind := range []string{"Device", "Email", "URL", "Forward"} {
		v.check(ofType(kind), "value", "Missing Destination",
			`Type "`+kind+`" requires value, the destination of the messages. Only type "None" has no destination.`)
	}

	device := v.of("value", "Invalid Destination", ofType("Device"))
	device("The device ID"+isEmpty, "")
	device("The device ID"+hasLineBreak, "12\n")
	device(`A device ID must contain only digits, such as "987123543678". `+
		"To find the ID of a device by its name, use the data source fractel_device.", "desk-7", "Front desk")

	email := v.of("value", "Invalid Destination", ofType("Email"))
	email("The e-mail address"+isEmpty, "")
	email("The e-mail address"+hasLineBreak, "ops@example.com\n")
	email("The e-mail address"+hasInvisible+`'\u2028'. Remove it.`, "ops\u2028@example.com")
	email("The e-mail address"+hasInvisible+`'\u202e'. Remove it.`, "ops@\u202eexample.com")
	email("The e-mail address"+hasInvisible+`'\u200b'. Remove it.`, "o\u200bps@example.com")
	email(`The value must be one e-mail address, such as "ops@example.com", without a name, spaces, mailto:, or parameters. `+
		"To reach several people, use the address of a mailing list.",
		"ops.example.com", "Ops <ops@example.com>", "<ops@example.com>", "ops@example.com, dev@example.com",
		"ops@example.com;dev@example.com", "mailto:ops@example.com", "ops@example.com?subject=x", "ops @example.com",
		"ops@example..com", "ops@[192.0.2.1]", "\"ops\"@example.com", "ops@"+strings.Repeat("a.", 130)+"com")

	forward := v.of("value", "Invalid Destination", ofType("Forward"))
	forward(`The number to forward to must be exactly ten digits, but {given} was given. Use "3215551111".`, "321-555-1111", "+13215551111")
	forward(`The number to forward to must be exactly ten digits, such as "3215551212", but {given} was given.`, "5551208", "07911 123456")
	v.check(with(ofType("Forward"), "value", "https://hooks.example.com/secret"), "value", "Invalid Destination",
		`The number to forward to must be exactly ten digits, such as "3215551212", but a text that is not shown here was given.`)
	forward("FoneNumber 3215551212 would forward to itself. Use another telephone number.", testNumber)

	v.of("value", "Invalid Destination", ofType("None"))(
		`Type "None" has no destination. Remove value, or use another type.`, "ops@example.com")
}

func TestMistakesInCallbackURLs(t *testing.T) {
	v := newValidation(t)
	callback := v.of("value", "Invalid Destination", ofType("URL"))
	callback("The callback URL"+isEmpty, "")
	callback("The callback URL"+hasLineBreak, "https://hooks.example.com/sms\n")
	callback("The callback URL"+hasInvisible+`'\t'. Remove it.`, "https://hooks.example.com/sms?msg={{\tmsg}}&to={{to}}")
	callback("The callback URL"+hasInvisible+`'\u202e'. Remove it.`, "https://hooks.example.com/\u202esms")
	callback("The callback URL"+hasInvisible+`'\ufeff'. Remove it.`, "\ufeffhttps://hooks.example.com/sms")
	callback("The callback URL contains a space. Remove it, or write it as %20. Tokens have no spaces, such as {{msg}}.",
		"https://hooks.example.com/sms?msg={{ msg }}", "https://hooks.example.com/sms?to=front desk", "https://hooks example.com/sms",
		"  https://hooks.example.com/sms")
	callback("The callback URL contains a username or password. Remove them, and set url_username and url_password_wo instead.",
		"https://hook:horse@hooks.example.com/sms")
	callback("The callback URL must begin with https:// or http:// and the name or IP address of a host, which can have a port number. "+
		"Tokens can only follow these. Write a percent sign itself as %25, and a backslash as %5C.",
		"/sms", "ftp://hooks.example.com/sms", "https:/hooks.example.com/sms", "https:///sms", "https://https://hooks.example.com/sms",
		"hooks.example.com:8443/sms?key=horse", "hooks.example.com?key=horse", "hooks.example.com",
		"https://{{to}}.example.com/sms", "https://<host>/sms", "https://hooks%E2%80%AE.example.com/sms",
		"https://hooks%2.example.com/sms", "https://[fe80::1%25eth0]/sms", "https://[::1", "https://hooks.example.com:https/sms",
		"https://hooks.example.com/sale%zz", "https://hooks.example.com/100%", `https://hooks.example.com/a\b`)

	unknown := func(callback, token string) {
		v.of("value", "Unknown Token in Callback URL", ofType("URL"))(
			`The callback URL contains "`+token+`". FoneStorm replaces only {{to}} (recipient), {{from}} (sender), {{msg}} (text of the message), `+
				`and {{uid}} (ID of the message), with two braces on each side.`, callback)
	}
	unknown("https://hooks.example.com/?a={{mesg}}&b={{msg}}", "{{mesg}}")
	unknown("https://hooks.example.com/?a={{MSG}}", "{{MSG}}")
	unknown("https://hooks.example.com/?a={msg}", "{msg}")
	unknown("https://hooks.example.com/?a={{msg}", "{{msg}")
	unknown("https://hooks.example.com/?a={{correct-horse-battery-staple}}", "{…}") // May be a secret.
	v.of("value", "Masked Callback URL", ofType("URL"))(`The callback URL contains "***", "…", or "...", with which FoneStorm may show a secret `+
		"or a long URL when it is imported. An apply would set it as it is written here. Write the whole URL.",
		"https://hooks.example.com/?key=***", "https://hooks.example.com/a…", "https://hooks.example.com/a...")
	encoded := func(token, callback string) {
		v.of("value", "Percent-Encoded Token in Callback URL", ofType("URL"))(`The callback URL contains the percent-encoded token "`+token+
			`", which FoneStorm may not replace. Write it with braces, such as {{msg}}: keep tokens out of urlencode().`, callback)
	}
	encoded("%7B%7Bmsg%7D%7D", "https://hooks.example.com/?a=%7B%7Bmsg%7D%7D&b=1")
	encoded("%7B%7B+msg+%7D%7D", "https://hooks.example.com/?a=%7B%7B+msg+%7D%7D")
	encoded("%7b%7bMessage%7d%7d", "https://hooks.example.com/?a=%7b%7bMessage%7d%7d")
}

func TestMistakesInOtherArguments(t *testing.T) {
	v := newValidation(t)
	v.of("url_method", "Invalid Attribute Value Match", hook)(
		`Attribute url_method value must be one of: ["POST"], got: {given}`, "GET", "post", "PUT")
	v.of("on_destroy", "Invalid Attribute Value Match", hook)(
		`Attribute on_destroy value must be one of: ["disable" "keep"], got: {given}`, "Keep", "None", "restore", "delete")

	username := v.of("url_username", "Invalid URL Username", hook)
	username("The username"+isEmpty, "")
	username("The username"+hasLineBreak, "hook\n")
	username("The username"+hasInvisible+`'\u200d'. Remove it.`, "ho\u200dok")
	username("The username contains a colon, which HTTP Basic authentication does not allow.", "ho:ok")
	v.of("url_username", "Credentials Without Callback URL", with(ofType("Email"), "value", "ops@example.com"))(
		`url_username can only be set with a callback URL, but type is "Email". Remove it and its password, or change type.`, "hook")

	password := v.of("url_password_wo", "Invalid URL Password", hook)
	password("The password"+isEmpty, "")
	password("The password"+hasLineBreak, "horse\r\n", "correct\nhorse")
	password("The password"+hasInvisible+`'\u00a0'. Remove it.`, "correct\u00a0horse")
	v.of("url_password_wo_version", "Invalid Attribute Value", hook)("Attribute url_password_wo_version value must be at least 0, got: -1", -1)
	v.check(with(hook, "url_password_wo_version", nil), "url_password_wo", "Invalid Attribute Combination",
		`Attribute "url_password_wo_version" must be specified when "url_password_wo" is specified`)
	v.check(with(ofType("None"), "url_password_wo_version", 1), "url_password_wo_version", "Invalid Attribute Combination",
		`Attribute "url_password_wo" must be specified when "url_password_wo_version" is specified`)
	v.check(with(hook, "url_username", nil), "url_password_wo", "Invalid Attribute Combination",
		`Attribute "url_username" must be specified when "url_password_wo" is specified`)

	v.of("value", "Callback Credentials Sent Over Plain HTTP", hook)("The callback URL begins with http://, "+
		"so FoneStorm sends the username and password without encryption. Use https://.", "http://hooks.example.com/")
	open := with(ofType("URL"), "value", "https://hooks.example.com/")
	v.of("url_username", "Callback Username Without Password", open)("A username is set but no password. "+
		"Set url_password_wo (or url_password, which is stored in the state), or remove url_username.", "hook")
	v.of("url_password", "Available Write-Only Attribute Alternative", with(open, "url_username", "hook"))(
		"This attribute has a WriteOnly version url_password_wo available. Use the WriteOnly version of the attribute when possible.", "horse")
}

// providerTexts are arguments of the provider block with a line break, and what they need in the environment to be read there.
var providerTexts = []struct {
	attribute, summary, value string
	others                    attributes
}{
	{"endpoint", "Invalid Endpoint", "https://api.fonestorm.com/v2\n", attributes{"FRACTEL_TOKEN": "t"}},
	{"username", "Invalid FoneStorm Credentials", "demo\r\n", attributes{"FRACTEL_PASSWORD": "horse"}},
	{"password", "Invalid FoneStorm Credentials", "correct\nhorse", attributes{"FRACTEL_USERNAME": "demo"}},
	{"password", "Invalid FoneStorm Credentials", "horse\r\n", attributes{"FRACTEL_USERNAME": "demo"}},
	{"token", "Invalid FoneStorm Credentials", "t\n", attributes{}},
}

const (
	needsHTTPS  = "The endpoint must begin with https://, or with http:// for a loopback host such as localhost"
	fractels    = ` FracTEL's is "https://api.fonestorm.com/v2".`
	needsDigits = `The subaccount must be exactly ten digits, such as "3215551212", but {given} was given.`
)

func TestMistakesInProvider(t *testing.T) {
	t.Parallel()
	server := newServer(New("test")())
	v := validation{t: t, validate: func(config attributes) []*tfprotov6.Diagnostic {
		return must(server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{
			Config: wire(protocol().provider, config.value(protocol().provider)),
		})).Diagnostics
	}}
	none := attributes{}
	for _, text := range providerTexts {
		of := v.of(text.attribute, text.summary, none)
		of("The "+text.attribute+isEmpty, "")
		of("The "+text.attribute+hasLineBreak, text.value)
	}
	v.of("token", "Invalid FoneStorm Credentials", none)("The token"+hasInvisible+`'\u200b'. Remove it.`, "ey\u200bJ")
	for attribute, value := range map[string]string{"username": "u", "password": "p", "subaccount": "1234567890"} {
		v.of(attribute, "Invalid Attribute Combination", attributes{"token": "t"})(
			`Attribute "token" cannot be specified when "`+attribute+`" is specified`, value)
	}
	endpoint := v.of("endpoint", "Invalid Endpoint", none)
	endpoint(needsHTTPS+", because requests contain passwords and tokens."+fractels, "http://api.fonestorm.com/v2")
	endpoint(needsHTTPS+"."+fractels, "api.fonestorm.com/v2", "localhost:8080/v2", "fonestorm")
	endpoint("The endpoint must not contain a username or password: use the settings for them."+fractels, "https://u:p@api.fonestorm.com/v2")
	endpoint("The endpoint must not contain a query or a fragment."+fractels, "https://api.fonestorm.com/v2?token=x")
	endpoint("The endpoint has no host."+fractels, "https:///v2", "https://https://api.fonestorm.com/v2")
	endpoint("The endpoint must not contain a space."+fractels, "https://api.fonestorm.com/v2 ")
	endpoint("The endpoint is not a URL."+fractels, "https://[::1/v2")
	endpoint("The endpoint"+hasInvisible+`'\u00ad'. Remove it.`, "https://api.fone\u00adstorm.com/v2")
	v.of("subaccount", "Invalid Subaccount", none)(needsDigits, "123456789", "sales")
	v.of("requests_per_second", "Invalid Attribute Value", none)("Attribute requests_per_second value must be at least 1, got: 0", 0)
	v.of("max_retries", "Invalid Attribute Value", none)("Attribute max_retries value must be between 0 and 100, got: -1", -1)
	v.of("request_timeout", "Invalid Duration", none)(
		`The timeout must be greater than zero and have a unit, such as "30s" or "2m", but {given} was given.`, "", "soon", "0s", "-5s", "30")
}

// setEnvironment sets the variables of the provider to those of a configuration.
func setEnvironment(t *testing.T, to attributes) {
	t.Helper()
	for _, attribute := range []string{"ENDPOINT", "USERNAME", "PASSWORD", "TOKEN", "SUBACCOUNT", "REQUESTS_PER_SECOND"} {
		t.Setenv("FRACTEL_"+attribute, to.text("FRACTEL_"+attribute))
	}
}

func TestMistakesInEnvironment(t *testing.T) {
	server := newServer(New("test")())
	v := validation{t: t, inEnvironment: true, validate: func(environment attributes) []*tfprotov6.Diagnostic {
		setEnvironment(t, environment)
		return must(server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{
			Config: wire(protocol().provider, attributes{}.value(protocol().provider)),
		})).Diagnostics
	}}
	missing := func(environment attributes, attribute string) {
		v.check(environment, attribute, "Missing FoneStorm Credentials", "Neither the provider block nor the environment contains a "+attribute+
			". Set username and password in the provider block, or the environment variables FRACTEL_USERNAME and FRACTEL_PASSWORD, "+
			"or instead a token (FRACTEL_TOKEN).")
	}
	missing(attributes{}, "username")
	missing(attributes{"FRACTEL_USERNAME": "demo"}, "password")
	missing(attributes{"FRACTEL_PASSWORD": "horse"}, "username")
	for _, variable := range []string{"FRACTEL_USERNAME", "FRACTEL_PASSWORD", "FRACTEL_SUBACCOUNT"} {
		v.check(attributes{"FRACTEL_TOKEN": "t", variable: "1234567890"}, "", "Conflicting FoneStorm Credentials",
			"FRACTEL_TOKEN contains a token, which already belongs to one account, but a username, password, or subaccount is set, too. "+
				"Unset FRACTEL_TOKEN, or remove the others (FRACTEL_USERNAME, FRACTEL_PASSWORD, FRACTEL_SUBACCOUNT, or arguments of the provider block).")
	}

	// The rules of the block, and where the value comes from.
	for _, text := range providerTexts {
		v.of(text.attribute, text.summary, text.others)("The "+text.attribute+hasLineBreak, text.value)
	}
	token, user := attributes{"FRACTEL_TOKEN": "t"}, attributes{"FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "horse"}
	v.of("endpoint", "Invalid Endpoint", token)(needsHTTPS+"."+fractels, "localhost:8080/v2")
	v.of("requests_per_second", "Invalid Attribute Value", token)(
		"requests_per_second must be a whole number of at least 1, but {given} was given.", "ten", "0.5", "0", "10\n")
	v.of("subaccount", "Invalid Subaccount", user)(needsDigits, "123", "eyJhbGciOiJIUzI1NiJ9")
	v.of("subaccount", "Invalid Subaccount", user)("The subaccount must be exactly ten digits, such as \"3215551212\", but a text that is not shown here was given.",
		"eyJhbGciOiJIUzI1NiJ9.eyJhY2NvdW50Ijp7fX0.c2lnbmF0dXJl")
}

// Configurations that look like mistakes but are valid give no diagnostic.
func TestValidConfigurations(t *testing.T) {
	v := newValidation(t)
	to := func(kind, value string) attributes { return attributes{"type": kind, "value": value} }
	for _, config := range []attributes{
		to("Device", "987123543678"), to("Forward", "3215551111"), to("None", "None"),
		{"type": "None"},
		to("Email", "ops+sms@mail.example.com"), to("Email", "grüße@bücher.example.com"), to("Email", "{ops}@xn--bcher-kva.example.com"),
		to("Email", "ops@localhost"),
		to("URL", "https://api.yourserver.com/handler.php?to={{to}}&from={{from}}&msg={{msg}}&id={{uid}}"),
		to("URL", "http://198.51.100.7:8080/sms"), to("URL", "https://[2001:db8::7]:8443/sms"), to("URL", "HTTPS://hooks.example.com/https://x"),
		to("URL", "https://bücher.example.com:443/grüße%20{{msg}}"), to("URL", "https://hooks.example.com?at=a@b&rate=100%"),
		with(hook, "url_method", "POST"), with(hook, "url_username", "web hook"), with(hook, "on_destroy", "disable"),
		with(hook, "url_password_wo", "correct-horse: battery"), with(hook, "url_password_wo", tftypes.UnknownValue),
		with(hook, "url_password_wo_version", 0), with(hook, "url_password_wo_version", 20261125120000), with(hook, "value", tftypes.UnknownValue),
		{"type": "Email", "value": "ops@example.com", "url_method": "POST"},
		{"type": "Email", "value": tftypes.UnknownValue},
		{"type": tftypes.UnknownValue, "value": "ops@example.com"},
	} {
		for _, d := range v.validate(with(config, "fonenumber", testNumber)) {
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
  requests_per_second = 0
}
data "fractel_fonenumbers" "all" {
  provider = fractel.wrong
}
resource "fractel_fonenumber_delivery" "test" {
  fonenumber = "3215551212"
  type       = "URL"
  value      = <<-EOT
    https://hooks.example.com/sms
  EOT
}
`)
	says(t, w.run(1, "validate", "-no-color"), "The callback URL contains a line break.",
		"requests_per_second = 0 Attribute requests_per_second value must be at least 1, got: 0")
	w.configure(destinations[1].block("test", testNumber))
	w.setEnv("FRACTEL_PASSWORD=horse\n")
	says(t, w.plan(1), "The password contains a line break.", "environment variable FRACTEL_PASSWORD")
	if requests := a.Requests(); len(requests) > 0 {
		t.Errorf("requests were sent: %+v", requests)
	}
}
