package provider

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// delivery is a destination with credentials, as a user configures it.
type delivery struct {
	kind, value        string
	username, password string
}

// Two destinations of each type, to test changes within a type and between types.
var (
	destinations = []delivery{
		{kind: "Device", value: "987123543678"},
		{kind: "Email", value: "ops@example.com"},
		{kind: "URL", value: "https://hooks.example.com/sms?msg={{msg}}", username: "hook", password: "correct-horse"},
		{kind: "Forward", value: "3215551111"},
		{kind: "None"},
	}
	otherDestinations = []delivery{
		{kind: "Device", value: "21915233078"},
		{kind: "Email", value: "support@example.com"},
		{kind: "URL", value: "http://hooks.example.com/{{to}}/in?from={{from}}&id={{uid}}"},
		{kind: "Forward", value: "3215552222"},
		{kind: "None", value: "None"},
	}
)

// attributes returns the configuration of a delivery for the protocol; nil for the zero value.
func (d delivery) attributes(number string) attributes {
	if d.kind == "" {
		return nil
	}
	config := attributes{"fonenumber": number, "type": d.kind}
	for name, value := range map[string]string{"value": d.value, "url_username": d.username, "url_password": d.password} {
		if value != "" {
			config[name] = value
		}
	}
	return config
}

const hookURL = "https://hooks.example.com/sms"

// toURL returns the configuration of a callback with these credentials. A password with a version is write-only.
func toURL(username, password string, version int) attributes {
	config := delivery{"URL", hookURL, username, password}.attributes(testNumber)
	if version > 0 {
		delete(config, "url_password")
		config["url_password_wo"], config["url_password_wo_version"] = password, version
	}
	return config
}

var (
	toEmail    = destinations[1].attributes(testNumber)
	toCallback = destinations[2].attributes(testNumber)

	toHook      = toURL("", "", 0)
	toOtherHook = with(toHook, "value", "https://other.example.com/")
)

// notify returns the configuration of a notification about received messages. A type other than a URL has no method.
func notify(kind, value, method string) attributes {
	config := attributes{"fonenumber": testNumber, "event": "receive", "type": kind, "value": value, "url_method": method}
	for name, text := range config {
		if text == "" {
			delete(config, name)
		}
	}
	return config
}

// with returns a copy of a configuration with one more attribute.
func with(config attributes, name string, value any) attributes {
	config = maps.Clone(config)
	config[name] = value
	return config
}

// setting is a kind of setting that a resource manages. Tests of what all have in common configure deliveries, and convert them.
type setting struct {
	name    string
	event   string // Empty for a delivery.
	request string // Kind of the requests that set it.
}

var settings = []setting{
	{"delivery", "", "set"},
	{"receive notification", "receive", "notify"},
	{"send notification", "send", "notify"},
}

// id returns the ID to import.
func (s setting) id(number string) string {
	if s.event == "" {
		return number
	}
	return number + "/" + s.event
}

// settingOf returns the setting with an ID.
func settingOf(id string) setting {
	return settings[slices.IndexFunc(settings, func(s setting) bool { return s.id(id[:10]) == id })]
}

// id returns the ID of the setting that a configuration or a state is about.
func (a attributes) id() string { return setting{event: a.text("event")}.id(a.text("fonenumber")) }

// sameDestination reports whether FoneStorm has what a configuration or a state contains, except for credentials.
func sameDestination(now delivery, config attributes) bool {
	kind := strings.Replace(config.text("type"), "Callback", "URL", 1)
	return now.kind == kind && (now.value == config.text("value") || kind == "None")
}

// config converts the configuration of a delivery to an e-mail address, a URL, or nothing.
func (s setting) config(of attributes) attributes {
	if s.event == "" || of == nil {
		return of
	}
	config := maps.Clone(of)
	config["event"] = s.event
	delete(config, "on_destroy")
	if config["type"] == "URL" {
		config["type"], config["url_method"] = "Callback", cmp.Or(of.text("url_method"), "JSON")
	}
	return config
}

func (s setting) notification(f *simulator.FoneNumber) *simulator.Notify {
	if s.event == "receive" {
		return &f.ReceiveNotify
	}
	return &f.SendNotify
}

// set sets it outside of Terraform.
func (s setting) set(a *account, number string, to delivery) {
	f, _ := a.Get(number)
	f.Number = number
	if s.event == "" {
		f.Receive = f.Receive.Delivering(to.kind, to.value)
		f.Receive.URLUsername, f.Receive.URLPassword = to.username, to.password
	} else {
		n := s.notification(&f)
		*n = simulator.Notify{Type: to.kind, URLUsername: to.username, URLPassword: to.password}
		switch to.kind {
		case "URL":
			n.Type, n.URL, n.Method = "Callback", to.value, "JSON"
		case "Email":
			n.Email = to.value
		}
	}
	a.Put(f)
}

// is returns what FoneStorm has, as a delivery.
func (s setting) is(f simulator.FoneNumber) delivery {
	if s.event == "" {
		return delivery{cmp.Or(f.Receive.Type, "None"), f.Receive.Value(), f.Receive.URLUsername, f.Receive.URLPassword}
	}
	n := s.notification(&f)
	is := delivery{cmp.Or(n.Type, "None"), "", n.URLUsername, n.URLPassword}
	switch n.Type {
	case "Callback":
		is.kind, is.value = "URL", n.URL
	case "Email":
		is.value = n.Email
	}
	return is
}

// block returns a resource block with this name. More arguments follow.
func (s setting) block(name, number string, d delivery, further ...string) string {
	block := fmt.Sprintf("resource %q %q {\n", typesOf(s.event != "").name, name)
	for argument, value := range s.config(d.attributes(number)) {
		block += fmt.Sprintf("  %s = %q\n", argument, value)
	}
	return block + strings.Join(further, "\n") + "\n}\n"
}

func (s setting) mustBe(t rapid.TB, a *account, number string, want delivery) {
	t.Helper()
	f, _ := a.Get(number)
	if want.kind == "None" {
		want.value = ""
	}
	if got := s.is(f); got != want {
		t.Errorf("the %s of %s is %+v, want %+v", s.name, number, got, want)
	}
}

func (a *account) mustDeliver(t rapid.TB, number string, want delivery) {
	t.Helper()
	settings[0].mustBe(t, a, number, want)
}
