package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var rightLogin = url.Values{"username": {"demo"}, "password": {"demo-password"}}

// tokenOf returns the token in a login response.
func tokenOf(t *testing.T, form string, response map[string]any) string {
	t.Helper()
	holder := response
	switch form {
	case "token":
	case "data":
		data, _ := response["data"].(map[string]any)
		holder, _ = data["auth"].(map[string]any)
	default:
		holder, _ = response[form].(map[string]any)
	}
	token, _ := holder["token"].(string)
	if token == "" {
		t.Fatalf("there is no token in %v", response)
	}
	return token
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"", "auth", "authorization", "token", "data"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{LoginResponse: form, LoginBody: "both"}})
			status := http.StatusCreated
			if form == "token" {
				status = http.StatusOK
			}
			in := cmp.Or(form, "auth")
			inForm := tokenOf(t, in, decoded(t, ask(t, sim, http.MethodPost, "/auth", "", formBody, rightLogin.Encode()), status))
			w := ask(t, sim, http.MethodPost, "/auth", "", jsonBody, `{"username":"demo","password":"demo-password","expires":60}`)
			inJSON := tokenOf(t, in, decoded(t, w, status))
			if inForm == inJSON {
				t.Error("two logins got the same token")
			}
			for _, token := range []string{inForm, inJSON} {
				decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// The flat response of version 2.1 contains the time when the token expires.
func TestFlatLoginResponseHasAnExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{TokenLifetime: 90 * time.Second, Profile: Profile{LoginResponse: "token"}})
		response := decoded(t, post(t, sim, "/auth", "", rightLogin), http.StatusOK)
		if want := "2000-01-01T00:01:30.000Z"; response["expires"] != want || response["result"] != "REGISTERED" {
			t.Errorf("the response is %v, want expires %s", response, want)
		}
	})
}

func TestLogInRejected(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{Username: "alice", Password: "s3cret"})
	for _, form := range []url.Values{
		rightLogin, // Correct for another account.
		{"username": {"alice"}, "password": {"S3cret"}},
		{"username": {"bob"}, "password": {"s3cret"}},
	} {
		wantEnvelope(t, post(t, sim, "/auth", "", form), http.StatusUnauthorized, "username or password")
	}
	form := url.Values{"username": {"alice"}, "password": {"s3cret"}}
	decoded(t, post(t, sim, "/auth", "", form), http.StatusCreated)
	wantViolations(t, sim, 0)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{FoneNumbers: 1, TokenLifetime: time.Minute})
		set := url.Values{"fonenumber": {number}, "type": {"None"}, "value": {"None"}, "url_method": {"POST"}}
		refused := func(token string) {
			t.Helper()
			wantEnvelope(t, get(t, sim, "/fonenumbers", token), http.StatusUnauthorized, "token")
			wantEnvelope(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusUnauthorized, "token")
			wantEnvelope(t, post(t, sim, "/messages/receive", token, set), http.StatusUnauthorized, "token")
		}
		refused("")
		refused("simulated.GUESSED")
		refused(strings.Repeat("eyJ.", 2))

		first := tokenOf(t, "auth", decoded(t, post(t, sim, "/auth", "", rightLogin), http.StatusCreated))
		time.Sleep(time.Minute - time.Nanosecond)
		decoded(t, get(t, sim, "/fonenumbers", first), http.StatusOK)
		second := tokenOf(t, "auth", decoded(t, post(t, sim, "/auth", "", rightLogin), http.StatusCreated))
		time.Sleep(time.Nanosecond)
		refused(first)
		decoded(t, get(t, sim, "/fonenumbers", second), http.StatusOK)

		sim.ExpireTokens()
		refused(second)
		wantViolations(t, sim, 0)
	})
}

func TestTokensLastAnHourByDefault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{})
		token := anyToken(sim)
		time.Sleep(time.Hour - time.Nanosecond)
		decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)
		time.Sleep(time.Nanosecond)
		wantEnvelope(t, get(t, sim, "/fonenumbers", token), http.StatusUnauthorized)
	})
}

func TestListContainsOnlyActiveNumbers(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 2})
	sim.Put(FoneNumber{Number: "3215550007", Active: "no"})
	sim.Put(FoneNumber{Number: "3215550008", Active: "cancel"})
	sim.Put(FoneNumber{Number: "3215550009", Undeliverable: true})
	token := anyToken(sim)

	want := []any{"3215550000", "3215550001", "3215550009"}
	if got := decoded(t, get(t, sim, "/fonenumbers", token), http.StatusOK)["fonenumbers"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the numbers are %v, want %v", got, want)
	}
	list, _ := decoded(t, get(t, sim, "/fonenumbers?filter=all", token), http.StatusOK)["fonenumbers"].([]any)
	var numbers []any
	for _, entry := range list {
		object, _ := entry.(map[string]any)
		numbers = append(numbers, object["fonenumber"])
		_, delivers := object["sms_options"]
		if undeliverable := object["fonenumber"] == "3215550009"; delivers == undeliverable {
			t.Errorf("the entry is %v", object)
		}
	}
	if !reflect.DeepEqual(numbers, want) {
		t.Errorf("the objects have the numbers %v, want %v", numbers, want)
	}
	// Inactive FoneNumbers can be read singly.
	for _, hidden := range []string{"3215550007", "3215550008"} {
		decoded(t, get(t, sim, "/fonenumbers/"+hidden, token), http.StatusOK)
	}
	wantViolations(t, sim, 0)
}

func TestListOfAnEmptyAccount(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{})
	w := get(t, sim, "/fonenumbers?filter=all", anyToken(sim))
	if got := strings.TrimSpace(w.Body.String()); got != `{"fonenumbers":[]}` {
		t.Errorf("the response is %s", got)
	}
}

func TestNumbersOfOtherAccounts(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	wantEnvelope(t, get(t, sim, "/fonenumbers/3215559999", token), http.StatusNotFound, "not found")
	form := url.Values{"fonenumber": {"3215559999"}, "type": {"None"}, "value": {"None"}, "url_method": {"POST"}}
	wantEnvelope(t, post(t, sim, "/messages/receive", token, form), http.StatusNotFound, "not found")
	if _, ok := sim.Get("3215559999"); ok {
		t.Error("setting the delivery of an unknown number added it")
	}
	wantViolations(t, sim, 0)
}

// objectOf returns the FoneNumber in a response, as JSON with sorted members.
func objectOf(t *testing.T, response map[string]any) string {
	t.Helper()
	data, err := json.Marshal(response["fonenumber"])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFormsOfAFoneNumber(t *testing.T) {
	t.Parallel()
	full := FoneNumber{
		Number: number, Label: "Demo", Group: "Demo Group",
		Receive:       Receive{Type: "Email", Email: "ops@example.com", Device: "219"},
		ReceiveNotify: Notify{Type: "Callback", URL: "https://x.test", Method: "JSON"},
	}
	const untyped = `"receive_notify":{"method":"JSON","url":"https://x.test"},"send_notify":{"method":null,"url":null}`
	const typed = `"receive_notify":{"email":"","method":"JSON","type":"Callback","url":"https://x.test"},` +
		`"send_notify":{"email":"","method":null,"type":"None","url":null}`
	const nothing = `"receive_notify":{"email":"","method":null,"type":"None","url":null},` +
		`"send_notify":{"email":"","method":null,"type":"None","url":null}`
	const start = `{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":"Demo Group","is_active":"yes","label":"Demo"`
	delivery := func(kind string) string {
		return `"receive":{"device":"219","email":"ops@example.com","forward":"","type":"` + kind + `","url":null,"url_method":null}`
	}
	tests := map[string]struct {
		foneNumber FoneNumber
		profile    Profile
		want       string
	}{
		"live": {
			full,
			Profile{},
			start + `,"sms_options":{"mms_enabled":"yes",` + delivery("email") + `,` + typed + `,"sms_enabled":"yes"}}`,
		},
		"2.12": {
			full, Profiles()["2.12"],
			start + `,"message_options":{"messaging_enabled":"yes","mms_enabled":"yes",` + delivery("Email") + `,` + typed + `}}`,
		},
		"2.4": {
			full, Profiles()["2.4"],
			start + `,"sms_options":{"mms_enabled":"yes",` + delivery("email") + `,` + untyped + `,"sms_enabled":"yes"}}`,
		},
		"2.1": {
			full, Profiles()["2.1"],
			start + `,"mms_enabled":"yes",` + delivery("email") + `,` + untyped + `,"sms_enabled":"yes"}`,
		},
		"both": {
			full,
			Profile{OptionsMember: "both", Types: "upper"},
			start + `,"message_options":{"messaging_enabled":"yes","mms_enabled":"yes",` + delivery("EMAIL") + `,` + typed + `},` +
				`"sms_options":{"mms_enabled":"yes","sms_enabled":"yes"}}`,
		},
		"padded": {
			full,
			Profile{Types: "padded"},
			start + `,"sms_options":{"mms_enabled":"yes",` + delivery(" Email ") + `,` + typed + `,"sms_enabled":"yes"}}`,
		},
		"cancelled, accepting no messages": {
			FoneNumber{Number: number, Active: "cancel", MessagingDisabled: true},
			Profile{},
			`{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":null,"is_active":"cancel","label":"",` +
				`"sms_options":{"mms_enabled":"no","receive":{"device":"","email":null,"forward":"","type":"None","url":null,` +
				`"url_method":null},` + nothing + `,"sms_enabled":"no"}}`,
		},
		"without delivery": {
			FoneNumber{Number: number, Undeliverable: true},
			Profile{},
			`{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":null,"is_active":"yes","label":""}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{Profile: test.profile})
			sim.Put(test.foneNumber)
			response := decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK)
			if got := objectOf(t, response); got != test.want {
				t.Errorf("the FoneNumber is\n%s, want\n%s", got, test.want)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// receiveOf returns the delivery in a response about one FoneNumber of the live profile; nil if there is none.
func receiveOf(response map[string]any) map[string]any {
	object, _ := response["fonenumber"].(map[string]any)
	options, _ := object["sms_options"].(map[string]any)
	receive, _ := options["receive"].(map[string]any)
	return receive
}

func TestSetDelivery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind, value string
		want        Receive
	}{
		{"Device", "987123543678", Receive{Type: "Device", Device: "987123543678"}},
		{"Email", "ops+sms@example.com", Receive{Type: "Email", Email: "ops+sms@example.com"}},
		{"URL", "https://x.test/?msg={{msg}}", Receive{Type: "URL", URL: "https://x.test/?msg={{msg}}", URLMethod: "POST"}},
		{"URL", "http://x.test", Receive{Type: "URL", URL: "http://x.test", URLMethod: "POST"}},
		{"Forward", "3215551111", Receive{Type: "Forward", Forward: "3215551111"}},
		{"None", "None", Receive{Type: "None"}},
	}
	for _, test := range tests {
		t.Run(test.kind+" "+test.value, func(t *testing.T) {
			t.Parallel()
			form := url.Values{"fonenumber": {number}, "type": {test.kind}, "value": {test.value}, "url_method": {"POST"}}
			members, _ := json.Marshal(map[string]string{
				"fonenumber": number, "type": test.kind, "value": test.value, "url_method": "POST",
			})
			var responses []string
			for contentType, body := range map[string]string{formBody: form.Encode(), jsonBody: string(members)} {
				sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{SettingBody: "both"}})
				token := anyToken(sim)
				response := decoded(t, ask(t, sim, http.MethodPost, "/messages/receive", token, contentType, body), http.StatusOK)
				responses = append(responses, objectOf(t, response))
				responses = append(responses, objectOf(t, decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)))
				if f, _ := sim.Get(number); f.Receive != test.want || test.kind != "None" && f.Receive.Value() != test.value {
					t.Errorf("sent as %s, the account has %+v, want %+v", contentType, f.Receive, test.want)
				}
				sent := sim.Requests()[0]
				if !reflect.DeepEqual(sent.Form, form) || sent.Body != map[string]string{formBody: "form", jsonBody: "json"}[contentType] {
					t.Errorf("sent as %s, the body is recorded as %s %v, want %v", contentType, sent.Body, sent.Form, form)
				}
				wantViolations(t, sim, 0)
			}
			if responses = slices.Compact(responses); len(responses) != 1 {
				t.Errorf("the responses to form and JSON, at once and later, differ: %s", responses)
			}
		})
	}
}

func TestSetDeliveryChecksTheValue(t *testing.T) {
	t.Parallel()
	bad := map[string][]string{
		"Device":  {"sip-phone", "98 71", "+987", "12a"},
		"Email":   {"ops", "ops@", "Ops <ops@example.com>", "a@example.com,b@example.com", " ops@example.com"},
		"URL":     {"example.com", "ftp://example.com", "https://", "/handler", "mailto:ops@example.com", "https://exa mple.com"},
		"Forward": {"321555111", "13215551111", "321-555-1111", "+13215551111", "sip:1@example.com"},
		"None":    {"none", "3215551111", "-"},
	}
	for kind, values := range bad {
		for _, value := range values {
			t.Run(kind+" "+value, func(t *testing.T) {
				t.Parallel()
				sim := newSimulator(t, Options{FoneNumbers: 1})
				before, _ := sim.Get(number)
				form := url.Values{"fonenumber": {number}, "type": {kind}, "value": {value}, "url_method": {"POST"}}
				w := post(t, sim, "/messages/receive", anyToken(sim), form)
				wantEnvelope(t, w, http.StatusBadRequest, fmt.Sprintf("%q", value), kind)
				wantViolations(t, sim, 1)
				if after, _ := sim.Get(number); after != before {
					t.Errorf("the setting failed but the account has %+v", after)
				}
			})
		}
	}
}

func TestSetDeliveryWithoutAFoneNumber(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]string{"success": `{"result":"SUCCESS","status_code":200}`, "empty": ""} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{SettingResponse: form}})
			values := url.Values{"fonenumber": {number}, "type": {"Device"}, "value": {"1"}, "url_method": {"POST"}}
			w := post(t, sim, "/messages/receive", anyToken(sim), values)
			if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != want {
				t.Errorf("the response is %d %q, want %q", w.Code, got, want)
			}
			if f, _ := sim.Get(number); f.Receive.Device != "1" {
				t.Errorf("the account has %+v", f.Receive)
			}
			response := decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK)
			if got := receiveOf(response)["device"]; got != "1" {
				t.Errorf("a read shows device %v", got)
			}
			values.Set("fonenumber", "3215559999") // Errors contain a reason.
			wantEnvelope(t, post(t, sim, "/messages/receive", anyToken(sim), values), http.StatusNotFound, "not found")
			wantViolations(t, sim, 0)
		})
	}
}

// As in FoneStorm, the value of one type stays when another type is set.
func TestStaleFieldsAreKept(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	var last map[string]any
	for _, setting := range [][2]string{
		{"Device", "1"}, {"Email", "ops@example.com"}, {"URL", "https://x.test"}, {"Forward", "3215551111"}, {"None", "None"},
	} {
		form := url.Values{"fonenumber": {number}, "type": {setting[0]}, "value": {setting[1]}, "url_method": {"POST"}}
		last = decoded(t, post(t, sim, "/messages/receive", token, form), http.StatusOK)
	}
	object, _ := last["fonenumber"].(map[string]any)
	options, _ := object["sms_options"].(map[string]any)
	want := map[string]any{
		"type": "None", "device": "1", "email": "ops@example.com", "url": "https://x.test", "url_method": "POST", "forward": "3215551111",
	}
	if got := options["receive"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the delivery shows %v, want %v", got, want)
	}
	if f, _ := sim.Get(number); f.Receive.Value() != "" {
		t.Errorf("the value of None is %q", f.Receive.Value())
	}
}

func TestCredentialsAreKeptAndNeverShown(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"fonenumber", "success"} {
		sim := newSimulator(t, Options{FoneNumbers: 1, Profile: Profile{SettingResponse: form}})
		token := anyToken(sim)
		form := url.Values{"fonenumber": {number}, "type": {"URL"}, "value": {"https://x.test"}, "url_method": {"POST"}}
		responses := []string{}
		set := func(name, password string, change url.Values) {
			t.Helper()
			sent := url.Values{}
			for _, values := range []url.Values{form, change} {
				for key := range values {
					sent.Set(key, values.Get(key))
				}
			}
			responses = append(responses, post(t, sim, "/messages/receive", token, sent).Body.String())
			if f, _ := sim.Get(number); f.Receive.URLUsername != name || f.Receive.URLPassword != password {
				t.Errorf("after %v the account has %+v", change, f.Receive)
			}
			responses = append(responses, get(t, sim, "/fonenumbers/"+number, token).Body.String())
			responses = append(responses, get(t, sim, "/fonenumbers?filter=all", token).Body.String())
		}
		set("", "", nil)
		set("alice", "s3cret", url.Values{"url_username": {"alice"}, "url_password": {"s3cret"}})
		set("alice", "s3cret", nil) // Credentials that are not sent stay.
		set("alice", "s3cret", url.Values{"type": {"None"}, "value": {"None"}})
		set("alice", "n3w", url.Values{"url_password": {"n3w"}})
		set("", "", url.Values{"url_username": {""}, "url_password": {""}})
		for _, response := range responses {
			for _, secret := range []string{"alice", "s3cret", "n3w", "url_username", "url_password"} {
				if strings.Contains(response, secret) {
					t.Errorf("a response shows %s: %s", secret, response)
				}
			}
		}
		wantViolations(t, sim, 0)
	}
}
