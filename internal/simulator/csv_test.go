package simulator

import (
	"reflect"
	"strings"
	"testing"
)

func TestPutCSV(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	err := sim.PutCSV(strings.NewReader("\ufefffonenumber,label,type,value,account,url_method,notify_url,send_notify_url\n" +
		"3215550000,Front desk,Device,987123543678,2000000001,,,\n" +
		"3215550001,,URL,https://hooks.example.com/sms,,JSON,https://hooks.example.com/notify,https://hooks.example.com/sent\n" +
		"3215550002,,None,,,,,\n" +
		"3215550003,,Fax,anything,,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []FoneNumber{
		{Number: "3215550000", Label: "Front desk", Subaccount: "2000000001", Active: "yes", Receive: Receive{Type: "Device", Device: "987123543678"}},
		{
			Number: "3215550001", Active: "yes", Receive: Receive{Type: "URL", URL: "https://hooks.example.com/sms", URLMethod: "JSON"},
			ReceiveNotify: Notify{Type: "Callback", URL: "https://hooks.example.com/notify", Method: "POST"},
			SendNotify:    Notify{Type: "Callback", URL: "https://hooks.example.com/sent", Method: "POST"},
		},
		{Number: "3215550002", Active: "yes", Receive: Receive{Type: "None"}},
		{Number: "3215550003", Active: "yes", Receive: Receive{Type: "Fax"}},
	}
	if got := sim.Numbers(); !reflect.DeepEqual(got, want) {
		t.Errorf("the FoneNumbers are\n%+v, want\n%+v", got, want)
	}
	wantDevices := []Device{{ID: "987123543678", Name: "Front desk", Type: "App", FoneNumber: "3215550000", Subaccount: "2000000001"}}
	if got := sim.Devices(); !reflect.DeepEqual(got, wantDevices) {
		t.Errorf("the devices are %+v, want %+v", got, wantDevices)
	}
}

func TestWrongCSV(t *testing.T) {
	t.Parallel()
	for table, words := range map[string][]string{
		"":                                   {"reading the table"},
		"number\n":                           {`"number"`, "fonenumber, type"},
		"fonenumber\n321555\n":               {"row 2", `"321555"`, "ten digits"},
		"fonenumber,type\n3215550000\n":      {"line 2", "number of fields"},
		"fonenumber,account\n3215550000,2\n": {"row 2", `"2"`},
	} {
		err := newSimulator(t, Options{}).PutCSV(strings.NewReader(table))
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%q: the error does not say %s: %v", table, word, err)
			}
		}
	}
}

// The partner has a separate account: neither user sees the other's FoneNumbers.
func TestDocumentedAccount(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{Documented: true})
	for name, test := range map[string]struct{ user, has, hasNot string }{
		"first":   {`{"username":"demo","password":"demo-password"}`, "3215551212", "3215550400"},
		"partner": {`{"username":"partner","password":"partner-password"}`, "3215550400", "3215551212"},
	} {
		token := tokenOf(t, "auth", decoded(t, ask(t, sim, "POST", "/auth", "", jsonBody, test.user), 201))
		decoded(t, get(t, sim, "/fonenumbers/"+test.has, token), 200)
		decoded(t, get(t, sim, "/fonenumbers/"+test.hasNot, token), 404)
		status := map[string]int{"first": 404, "partner": 403}[name]
		decoded(t, ask(t, sim, "POST", "/subaccounts/token", token, jsonBody, `{"subaccount":"3000000001"}`), status)
	}
	decoded(t, ask(t, sim, "POST", "/auth", "", jsonBody, `{"username":"partner","password":"demo-password"}`), 401)
}
