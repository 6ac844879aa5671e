package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// respelled is a FoneNumber of the given type that every respelling changes.
func respelled(kind string) FoneNumber {
	return FoneNumber{
		Number: number, Label: "42", Group: "Demo",
		Receive: Receive{
			Type: kind, Device: "987123543678", Email: "Ops@Example.com", Forward: "3215551111", URLMethod: "POST",
			URL: "https://API.example.com?msg={{msg}}&a=x~y-z",
		},
	}
}

// show returns a FoneNumber as in a single read, and as in the list.
func show(t *testing.T, f FoneNumber, names ...string) (read, listed map[string]any) {
	t.Helper()
	sim := newSimulator(t, Options{Profile: Profile{Respellings: names}})
	sim.Put(f)
	token := anyToken(sim)
	read, _ = decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)["fonenumber"].(map[string]any)
	list, _ := decoded(t, get(t, sim, "/fonenumbers?filter=all", token), http.StatusOK)["fonenumbers"].([]any)
	listed, _ = list[0].(map[string]any)
	wantViolations(t, sim, 0)
	return read, listed
}

// flat returns the members of a JSON value by path.
func flat(value any) map[string]any {
	found := map[string]any{}
	var visit func(path string, value any)
	visit = func(path string, value any) {
		if object, ok := value.(map[string]any); ok && len(object) > 0 {
			for name, member := range object {
				visit(path+"/"+name, member)
			}
			return
		}
		found[path] = value
	}
	visit("", value)
	return found
}

// Each respelling changes only what its name says, both in single reads and in lists.
func TestRespellings(t *testing.T) {
	t.Parallel()
	const receive = "/sms_options/receive/"
	url := func(text string) map[string]any { return map[string]any{receive + "url": text} }
	tests := map[string]map[string]any{ // Differences, by path.
		"email-lower-case":             {receive + "email": "ops@example.com"},
		"email-upper-case":             {receive + "email": "OPS@EXAMPLE.COM"},
		"forward-with-1":               {receive + "forward": "13215551111"},
		"forward-with-plus-1":          {receive + "forward": "+13215551111"},
		"forward-punctuated":           {receive + "forward": "(321) 555-1111"},
		"forward-number":               {receive + "forward": 3215551111.},
		"host-lower-case":              url("https://api.example.com?msg={{msg}}&a=x~y-z"),
		"host-upper-case":              url("https://API.EXAMPLE.COM?msg={{msg}}&a=x~y-z"),
		"default-port":                 url("https://API.example.com:443?msg={{msg}}&a=x~y-z"),
		"slash-added":                  url("https://API.example.com/?msg={{msg}}&a=x~y-z"),
		"unreserved-percent-encoded":   url("https://API.example.com?msg={{msg}}&a=x%7Ey%2Dz"),
		"braces-percent-encoded":       url("https://API.example.com?msg=%7B%7Bmsg%7D%7D&a=x~y-z"),
		"braces-percent-encoded-lower": url("https://API.example.com?msg=%7b%7bmsg%7d%7d&a=x~y-z"),
		"ampersand-entity":             url("https://API.example.com?msg={{msg}}&amp;a=x~y-z"),
		"method-lower-case":            {receive + "url_method": "post"},
		"fonenumber-with-1":            {"/fonenumber": "13215550000"},
		"fonenumber-with-plus-1":       {"/fonenumber": "+13215550000"},
		"fonenumber-punctuated":        {"/fonenumber": "(321) 555-0000"},
		"fonenumber-number":            {"/fonenumber": 3215550000.},
		"active-upper-case":            {"/is_active": "YES"},
		"active-boolean":               {"/is_active": true},
		"active-number":                {"/is_active": 1.},
		"enabled-boolean":              {"/sms_options/sms_enabled": true, "/sms_options/mms_enabled": true},
		"label-number":                 {"/label": 42.},
		"group-number":                 {"/group": 7.},
		"device-number":                {receive + "device": 987123543678.},
		"stale-fields-numbers": { // Of type Email.
			receive + "device": 7., receive + "forward": 13215550000., receive + "url": map[string]any{}, receive + "url_method": []any{},
		},
		"leading-blank": {
			receive + "device": " 987123543678", receive + "email": " Ops@Example.com", receive + "forward": " 3215551111",
			receive + "url": " https://API.example.com?msg={{msg}}&a=x~y-z",
		},
		"trailing-blank": {
			receive + "device": "987123543678 ", receive + "email": "Ops@Example.com ", receive + "forward": "3215551111 ",
			receive + "url": "https://API.example.com?msg={{msg}}&a=x~y-z ",
		},
		"null-for-empty": {"/sms_options/receive_notify/email": nil, "/sms_options/send_notify/email": nil},
		"empty-for-null": {
			"/sms_options/receive_notify/url": "", "/sms_options/receive_notify/method": "",
			"/sms_options/send_notify/url": "", "/sms_options/send_notify/method": "",
		},
		"empty-options-as-array": {"/sms_options/receive_notify": []any{}, "/sms_options/send_notify": []any{}},
		"unknown-members":        {"/added_later/type": "Fax", receive + "added_later/type": "Fax"},
	}
	for _, name := range Respellings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, known := tests[name]
			if !known {
				t.Fatal("the respelling is not tested")
			}
			plain, _ := show(t, respelled("Email"))
			read, listed := show(t, respelled("Email"), name)
			if !reflect.DeepEqual(read, listed) {
				t.Errorf("a read shows %v, the list %v", read, listed)
			}
			before, after := flat(plain), flat(read)
			for path, value := range want {
				if !reflect.DeepEqual(after[path], value) {
					t.Errorf("%s is %v, want %v", path, after[path], value)
				}
			}
			for path, value := range after {
				_, expected := want[path]
				if !expected && !strings.Contains(path, "/added_later") && !reflect.DeepEqual(value, before[path]) {
					t.Errorf("%s is %v too, was %v", path, value, before[path])
				}
			}
		})
	}
}

// All fields except that of the current type are stale, whatever the spelling of the type.
func TestStaleFieldsAreThoseOfOtherTypes(t *testing.T) {
	t.Parallel()
	fields := map[string]string{"Device": "device", "Email": "email", "URL": "url", "Forward": "forward", "None": ""}
	for kind, current := range fields {
		for _, types := range []string{"lower", "upper", "padded"} {
			sim := newSimulator(t, Options{Profile: Profile{Types: types, Respellings: []string{"stale-fields-numbers"}}})
			sim.Put(respelled(kind))
			receive := receiveOf(decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK))
			for _, field := range []string{"device", "email", "url", "forward"} {
				if _, isText := receive[field].(string); isText != (field == current) {
					t.Errorf("of type %s, %s is %v", kind, field, receive[field])
				}
			}
			if _, isText := receive["url_method"].(string); isText != (kind == "URL") {
				t.Errorf("of type %s, url_method is %v", kind, receive["url_method"])
			}
		}
	}
}

func TestRespellingsOfURLs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, url, want string }{
		{"default-port", "http://x.test/a", "http://x.test:80/a"},
		{"default-port", "https://x.test:8443/a", "https://x.test:8443/a"},
		{"default-port", "https://[2001:db8::1]/a", "https://[2001:db8::1]:443/a"},
		{"default-port", "https://[2001:db8::1]:443/a", "https://[2001:db8::1]:443/a"},
		{"default-port", "ftp://x.test/a", "ftp://x.test/a"},
		{"slash-added", "https://x.test", "https://x.test/"},
		{"slash-added", "https://x.test/a?b=/", "https://x.test/a?b=/"},
		{"slash-added", "https://x.test#f", "https://x.test/#f"},
		{"host-upper-case", "https://Ab:Cd@x.test/p?q=Z", "https://Ab:Cd@X.TEST/p?q=Z"},
		{"host-upper-case", "https://{{to}}.x.test/", "https://{{to}}.x.test/"},
		{"host-lower-case", "mailto:Ops@Example.com", "mailto:Ops@Example.com"},
		{"unreserved-percent-encoded", "https://a-b.test/a-b_c", "https://a-b.test/a%2Db%5Fc"},
	}
	for _, test := range tests {
		f := FoneNumber{Number: number, Receive: Receive{Type: "URL", URL: test.url}}
		read, _ := show(t, f, test.name)
		if got := flat(read)["/sms_options/receive/url"]; got != test.want {
			t.Errorf("%s makes of %s %v, want %s", test.name, test.url, got, test.want)
		}
	}
}

// Values to which a respelling does not apply stay unchanged.
func TestRespellingsThatDoNotApply(t *testing.T) {
	t.Parallel()
	f := FoneNumber{Number: number, Active: "cancel", Receive: Receive{Type: "Device", Device: "0219", Forward: "sip:a"}}
	sim := newSimulator(t, Options{Profile: Profile{
		Respellings: []string{"device-number", "active-boolean", "forward-punctuated", "forward-number", "active-number"},
	}})
	sim.Put(f)
	read, _ := decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK)["fonenumber"].(map[string]any)
	for path, want := range map[string]any{"device": "0219", "forward": "sip:a"} {
		if got := flat(read)["/sms_options/receive/"+path]; got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if read["is_active"] != "cancel" {
		t.Errorf("is_active is %v", read["is_active"])
	}
	read, _ = show(t, FoneNumber{Number: number}, "trailing-blank", "forward-with-1", "email-upper-case")
	for path, want := range map[string]any{"email": nil, "forward": "", "device": ""} {
		if got := flat(read)["/sms_options/receive/"+path]; got != want {
			t.Errorf("unset, %s is %q", path, got)
		}
	}
}

// Any combination of respellings can be applied to all forms of responses without violating the contract.
func TestRespellingsOfEveryResponse(t *testing.T) {
	t.Parallel()
	var combinations [][]string
	for _, name := range Respellings() {
		combinations = append(combinations, []string{name})
	}
	combinations = append(combinations, Respellings(), []string{"fonenumber-with-plus-1", "empty-for-null", "null-for-empty"})
	for profileName, profile := range Profiles() {
		for _, names := range combinations {
			t.Run(profileName+" "+strings.Join(names, ","), func(t *testing.T) {
				t.Parallel()
				profile := profile
				profile.Respellings, profile.LoginBody, profile.SettingBody = names, "both", "both"
				sim := newSimulator(t, Options{FoneNumbers: 2, Profile: profile})
				sim.PutDevice(Device{ID: "219", FoneNumber: number})
				w := post(t, sim, "/auth", "", rightLogin)
				token := tokenOf(t, profile.LoginResponse, decoded(t, w, w.Code))
				for _, path := range []string{"/fonenumbers", "/fonenumbers?filter=all", "/fonenumbers/" + number, "/devices", "/devices/219"} {
					decoded(t, get(t, sim, path, token), http.StatusOK)
				}
				body := `{"fonenumber":"3215550000","type":"Email","value":"a@x.test","url_method":"POST"}`
				decoded(t, ask(t, sim, "POST", "/messages/receive", token, jsonBody, body), http.StatusOK)
				if f, _ := sim.Get(number); f.Receive.Email != "a@x.test" || f.Number != number {
					t.Errorf("the account has %+v", f) // Only responses are respelled.
				}
				wantViolations(t, sim, 0)
			})
		}
	}
}

// Numbers in lists of strings and device IDs in lists of devices are respelled too.
func TestRespellingsOfListsAndDevices(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, path, want string }{
		{"fonenumber-with-plus-1", "/fonenumbers", `{"fonenumbers":["+13215550000"]}`},
		{"fonenumber-number", "/fonenumbers", `{"fonenumbers":[3215550000]}`},
		{"unknown-members", "/fonenumbers", `"added_later"`},
		{"device-number", "/devices", `"id":987123543678`},
		{"device-number", "/devices/987123543678", `"id":987123543678`},
		{"fonenumber-punctuated", "/devices", `"fonenumber":"(321) 555-0000"`},
		{"empty-for-null", "/devices", `"mac_address":""`},
	}
	for _, test := range tests {
		sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{Respellings: []string{test.name}}})
		sim.PutDevice(Device{ID: "987123543678", FoneNumber: number})
		if got := get(t, sim, test.path, anyToken(sim)).Body.String(); !strings.Contains(got, test.want) {
			t.Errorf("%s makes %s %s, want %s in it", test.name, test.path, got, test.want)
		}
	}
}

// PHP encodes a delivery that was never set as an empty array, but not one that is None.
func TestEmptyDeliveryAsArray(t *testing.T) {
	t.Parallel()
	profile := Profile{UnsetDelivery: "empty", Respellings: []string{"empty-options-as-array"}}
	sim := newSimulator(t, Options{FoneNumbers: 1, Profile: profile})
	sim.Put(FoneNumber{Number: "3215550001", Receive: Receive{Type: "None"}})
	for number, want := range map[string]string{"3215550000": "[]", "3215550001": `{"device":"","email":null,"forward":"","type":"None","url":null,"url_method":null}`} {
		object, _ := decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK)["fonenumber"].(map[string]any)
		options, _ := object["sms_options"].(map[string]any)
		if got, _ := json.Marshal(options["receive"]); string(got) != want {
			t.Errorf("the delivery of %s is %s, want %s", number, got, want)
		}
	}
}

func BenchmarkList(b *testing.B) {
	for _, names := range [][]string{nil, {"email-lower-case"}} {
		b.Run(fmt.Sprint(names), func(b *testing.B) {
			sim := newSimulator(b, Options{FoneNumbers: 10_000, Profile: Profile{Respellings: slices.Clone(names)}})
			token := anyToken(sim)
			for b.Loop() {
				get(b, sim, "/fonenumbers?filter=all", token)
			}
		})
	}
}
