package provider

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func TestAccDataSourceFoneNumber(t *testing.T) {
	t.Parallel()
	a := newVariedAccount(t)
	for number, n := range map[string]simulator.Notify{
		"3215550002": {Type: "Email", Email: "ops@example.com", URL: "https://left.example.com/"},
		"3215550004": {Type: "Callback", URL: "https://hook:horse@app.example.com/sms", Method: "JSON"},
	} {
		f, _ := a.Get(number)
		f.ReceiveNotify = n
		a.Put(f)
	}
	w := a.newWorkspace(t, `
data "fractel_fonenumber" "each" {
  for_each   = toset(["3215550001", "3215550002", "3215550004", "4075550000"])
  fonenumber = each.key
}
output "each" {
  value = data.fractel_fonenumber.each
}
`)
	w.apply()
	got := asJSON(t, w.outputs()["each"])
	want := `{` +
		`"3215550001":{"active":true,"fonenumber":"3215550001","group":"odd","label":"Number Email","messaging_enabled":true,"receive_notify":{"email":null,"method":null,"type":"None","url":null},"type":"Email","url_method":null,"value":"ops@example.com"},` +
		`"3215550002":{"active":true,"fonenumber":"3215550002","group":"even","label":"Number URL","messaging_enabled":true,"receive_notify":{"email":"ops@example.com","method":null,"type":"Email","url":null},"type":"URL","url_method":"POST","value":"https://hooks.example.com/sms?msg={{msg}}"},` +
		`"3215550004":{"active":true,"fonenumber":"3215550004","group":"even","label":"Number None","messaging_enabled":true,"receive_notify":{"email":null,"method":"JSON","type":"Callback","url":"https://***@app.example.com/sms"},"type":"None","url_method":null,"value":null},` +
		`"4075550000":{"active":false,"fonenumber":"4075550000","group":null,"label":null,"messaging_enabled":false,"receive_notify":{"email":null,"method":null,"type":"None","url":null},"type":"None","url_method":null,"value":null}}`
	if got != strings.ReplaceAll(want, "&", `\u0026`) {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	w.configure("data \"fractel_fonenumber\" \"gone\" {\n  fonenumber = \"3215559999\"\n}\n")
	says(t, w.plan(1), "Error: FoneNumber Not Found in Account", `: fonenumber = "3215559999"`)
}

func TestAccDataSourceFoneNumbers(t *testing.T) {
	t.Parallel()
	filters := map[string]struct{ filter, want string }{
		"all":      {"", `["3215550000","3215550001","3215550002","3215550003","3215550004"]`},
		"type":     {`type = "Email"`, `["3215550001"]`},
		"none":     {`type = "None"`, `["3215550004"]`},
		"label":    {`label = "Number URL"`, `["3215550002"]`},
		"group":    {`group = "odd"`, `["3215550001","3215550003"]`},
		"area":     {`area_code = "407"`, `[]`},
		"together": {"group = \"odd\"\n  type = \"Forward\"\n  area_code = \"321\"", `["3215550003"]`},
	}
	a := newVariedAccount(t)
	var config strings.Builder
	for name, test := range filters {
		fmt.Fprintf(&config, "data \"fractel_fonenumbers\" %q {\n  %s\n}\noutput %[1]q {\n  value = keys(data.fractel_fonenumbers.%[1]s.fonenumbers)\n}\n", name, test.filter)
	}
	config.WriteString("output \"one\" {\n  value = data.fractel_fonenumbers.all.fonenumbers[\"3215550001\"].value\n}\n")
	w := a.newWorkspace(t, config.String())
	w.plan(2)
	if n := a.count("list"); n != 1 || len(a.Requests()) != 2 {
		t.Errorf("%d lists and %d requests, want 1 and a login", n, len(a.Requests()))
	}
	w.apply()
	got := w.outputs()
	for name, test := range filters {
		if keys := asJSON(t, got[name]); keys != test.want {
			t.Errorf("%s: %s, want %s", name, keys, test.want)
		}
	}
	if got["one"] != "ops@example.com" {
		t.Errorf("value is %v", got["one"])
	}

	w.configure("data \"fractel_fonenumbers\" \"bad\" {\n  type = \"email\"\n  area_code = \"32\"\n}\n")
	says(t, w.run(1, "validate", "-no-color"), `type value must be one of: ["Device" "Email" "URL" "Forward" "None"], got: "email"`, `area_code must be three digits, such as "321", got: 32`)

	a.reject("", "", http.StatusForbidden, "No.")
	w.configure("data \"fractel_fonenumbers\" \"all\" {\n}\n")
	says(t, w.plan(1), "Error: FoneStorm Authentication Failed")
}

func newAccountWithDevices(t *testing.T) *account {
	t.Helper()
	a := newAccount(t, simulator.Options{FoneNumbers: 1})
	for _, d := range []simulator.Device{
		{ID: "987123543678", Name: "Front desk", Type: "Polycom VVX 250", FoneNumber: "3215550000"},
		{ID: "21915233078", Name: "Kitchen", Type: "App"},
		{ID: "21915233079", Name: "Kitchen", Type: "Polycom VVX 250"},
		{ID: "21915233080", Type: "App"},
	} {
		a.PutDevice(d)
	}
	return a
}

func TestAccDataSourceDevices(t *testing.T) {
	t.Parallel()
	a := newAccountWithDevices(t)
	w := a.newWorkspace(t, `
data "fractel_devices" "all" {
}
data "fractel_devices" "kitchen" {
  name = "Kitchen"
}
data "fractel_devices" "kitchen_app" {
  name = "Kitchen"
  type = "App"
}
data "fractel_device" "front_desk" {
  name = "Front desk"
}
data "fractel_device" "unnamed" {
  id = "21915233080"
}
output "all" {
  value = keys(data.fractel_devices.all.devices)
}
output "kitchen" {
  value = keys(data.fractel_devices.kitchen.devices)
}
output "kitchen_app" {
  value = data.fractel_devices.kitchen_app.devices
}
output "front_desk" {
  value = data.fractel_device.front_desk
}
output "unnamed" {
  value = data.fractel_device.unnamed
}
`)
	w.plan(2)
	if n := a.count("devices"); n != 1 || len(a.Requests()) != 2 {
		t.Errorf("%d lists of devices and %d requests, want 1 and a login", n, len(a.Requests()))
	}
	w.apply()
	got := w.outputs()
	for name, want := range map[string]string{
		"all":         `["21915233078","21915233079","21915233080","987123543678"]`,
		"kitchen":     `["21915233078","21915233079"]`,
		"kitchen_app": `{"21915233078":{"fonenumber":null,"id":"21915233078","name":"Kitchen","type":"App"}}`,
		"front_desk":  `{"fonenumber":"3215550000","id":"987123543678","name":"Front desk","type":"Polycom VVX 250"}`,
		"unnamed":     `{"fonenumber":null,"id":"21915233080","name":null,"type":"App"}`,
	} {
		if text := asJSON(t, got[name]); text != want {
			t.Errorf("%s: %s, want %s", name, text, want)
		}
	}
}

// No matching device, or several, is an error that lists devices.
func TestAccDataSourceDeviceFindsOne(t *testing.T) {
	t.Parallel()
	a := newAccountWithDevices(t)
	for config, want := range map[string][]string{
		`name = "kitchen"`: {
			"Error: Device Not Found", `no device with the name "kitchen".`,
			`Its devices are 21915233078 ("Kitchen"), 21915233079 ("Kitchen"), 21915233080 (""), 987123543678 ("Front desk").`,
		},
		`id = "1"`:                         {"Error: Device Not Found", `no device with the id "1".`},
		`name = "Kitchen"`:                 {"Error: Multiple Devices Found", `has 2 devices with the name "Kitchen".`, `They are 21915233078 ("Kitchen"), 21915233079 ("Kitchen").`, "Use id instead."},
		"id = \"1\"\n  name = \"Kitchen\"": {"Error: Invalid Attribute Combination"},
		"":                                 {"Error: Missing Attribute Configuration"},
	} {
		w := a.newWorkspace(t, "data \"fractel_device\" \"test\" {\n  "+config+"\n}\n")
		says(t, w.plan(1), want...)
	}

	a.reject("", "/devices", http.StatusForbidden, "The user is not allowed to list devices.")
	w := a.newWorkspace(t, "data \"fractel_devices\" \"all\" {\n}\n")
	if output := w.plan(1); !strings.Contains(output, "Error: Permission Denied by FoneStorm") {
		t.Errorf("the output does not contain the reason:\n%s", output)
	}
}

// The configuration in the guide on adoption finds FoneNumbers whose messages arrive twice or not at all.
func TestAccGuideOnNotifications(t *testing.T) {
	t.Parallel()
	const hook = "https://hooks.example.com/sms?msg={{msg}}"
	a := newAccount(t, simulator.Options{})
	for number, f := range map[string]simulator.FoneNumber{
		"3215550000": {ReceiveNotify: simulator.Notify{Type: "Callback", URL: hook}},
		"3215550001": {ReceiveNotify: simulator.Notify{Type: "Email", Email: "ops@example.com"}},
		"3215550002": {ReceiveNotify: simulator.Notify{Type: "None", URL: hook}},
		"3215550003": {Receive: simulator.Receive{Type: "URL", URL: hook}, ReceiveNotify: simulator.Notify{Type: "Callback", URL: strings.ReplaceAll(hook, "{", "%7B")}},
		"3215550004": {Receive: simulator.Receive{Type: "URL", URL: hook}, ReceiveNotify: simulator.Notify{Type: "Callback", URL: "https://app.example.com/"}},
		"3215550005": {Receive: simulator.Receive{Type: "Email", Email: "ops@example.com"}},
	} {
		f.Number = number
		a.Put(f)
	}
	w := a.newWorkspace(t, guided(t, "adopt-an-existing-account.md", "receive_notify"))
	w.apply()
	got := w.outputs()
	if text := asJSON(t, got["deleted_although_notified"]); text != `["3215550000","3215550001"]` {
		t.Errorf("deleting messages: %s", text)
	}
	if text := asJSON(t, got["arriving_twice"]); text != `["3215550003"]` {
		t.Errorf("delivering twice: %s", text)
	}
}
