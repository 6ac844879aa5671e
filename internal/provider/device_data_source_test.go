package provider

import (
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

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

func TestDataSourceDevices(t *testing.T) {
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

// None or several devices are an error that lists them.
func TestDataSourceDeviceFindsOne(t *testing.T) {
	t.Parallel()
	a := newAccountWithDevices(t)
	for config, want := range map[string][]string{
		`name = "kitchen"`: {
			"Error: Device Not Found", `no device with the name "kitchen".`,
			`Its devices are 21915233078 ("Kitchen"), 21915233079 ("Kitchen"), 21915233080 (""), 987123543678 ("Front desk").`,
		},
		`id = "1"`:                         {"Error: Device Not Found", `no device with the id "1".`},
		`name = "Kitchen"`:                 {"Error: More Than One Device Found", `has 2 devices with the name "Kitchen".`, `They are 21915233078 ("Kitchen"), 21915233079 ("Kitchen").`, "Use id instead."},
		"id = \"1\"\n  name = \"Kitchen\"": {"Error: Invalid Attribute Combination"},
		"":                                 {"Error: Missing Attribute Configuration"},
	} {
		w := a.newWorkspace(t, "data \"fractel_device\" \"test\" {\n  "+config+"\n}\n")
		says(t, w.plan(1), want...)
	}

	a = newAccount(t, simulator.Options{Profile: simulator.Profile{Devices: "refused"}})
	w := a.newWorkspace(t, "data \"fractel_devices\" \"all\" {\n}\n")
	if output := w.plan(1); !strings.Contains(output, "Error: Permission Denied by FoneStorm") {
		t.Errorf("does not say why:\n%s", output)
	}
}
