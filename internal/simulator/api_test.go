package simulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// as logs in and returns the account with the user's token. A username can follow the token of another account.
func (a account) as(login, member string) account {
	a.t.Helper()
	a.token = a.ask("POST /auth", login, 201)[member].(object)["token"].(string)
	return a
}

// subaccount returns the account with a token for a subaccount.
func (a account) subaccount(code string) account {
	a.t.Helper()
	a.token = a.ask("POST /subaccounts/token", `{"subaccount":"`+code+`"}`, 201)["subaccount"].(object)["token"].(string)
	return a
}

// claims returns the payload of the token.
func (a account) claims() (claims object) {
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(a.token, ".")[1])
	_ = json.Unmarshal(payload, &claims)
	return claims
}

// A login as JSON or as a form returns a token that names its account and its times, and expires when the login says, or after
// an hour.
func TestLogIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for dialect, member := range map[string]string{"live": "auth", "2.12": "authorization"} {
			a := newAccount(t, Options{Dialect: Dialects[dialect]})
			hour := a.as(login, member)
			minute := a.as("username=demo&password=demo-password&expires=60", member)
			now := float64(time.Now().Unix())
			if got := hour.claims(); got["account"].(object)["id"] != "1000000001" || got["iat"] != now || got["exp"] != now+3600 {
				t.Errorf("the token contains %v", got)
			}
			time.Sleep(time.Minute - time.Nanosecond)
			minute.ask("GET /fonenumbers", "", 200)
			time.Sleep(time.Nanosecond)
			minute.ask("GET /fonenumbers", "", 401)
			hour.ask("GET /fonenumbers", "", 200)
		}
		a := newAccount(t, Options{Password: "s3cret"})
		a.ask("POST /auth", `{"username":"demo","password":"S3cret"}`, 401)
		a.ask("POST /auth", `{"username":"bob","password":"s3cret"}`, 401)
		for _, a.token = range []string{"", "eyJ.eyJ.guessed"} {
			a.ask("GET /devices", "", 401)
			a.ask("POST /messages/receive", newEmail, 401)
		}
	})
}

// A token acts only on the FoneNumbers and devices of its account. The partner in the documentation has another account.
func TestAccounts(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{Documented: true})
	a.PutDevice(Device{ID: "220", Name: "Branch", Type: "Polycom", FoneNumber: "3215550200", Subaccount: "2000000001"})
	branch := a.subaccount("2000000001")
	if got := branch.claims()["account"].(object)["id"]; got != "2000000001" {
		t.Errorf("the token is for account %v", got)
	}
	partner := a.as(`{"username":"partner","password":"partner-password"}`, "auth")
	if list := branch.ask("GET /fonenumbers", "", 200)["fonenumbers"]; !reflect.DeepEqual(list, []any{"3215550200", "3215550201"}) {
		t.Errorf("the subaccount lists %v", list)
	}
	device := object{"id": "220", "name": "Branch", "type": "Polycom", "fonenumber": "3215550200"}
	if list := branch.ask("GET /devices", "", 200)["devices"]; !reflect.DeepEqual(list, []any{device}) {
		t.Errorf("the subaccount lists the devices %v", list)
	}
	for call, of := range map[string]account{
		"GET /fonenumbers/3215551212": a, "GET /devices/987123543678": a, "GET /fonenumbers/3215550200": branch, "GET /devices/220": branch,
		"GET /fonenumbers/3215550400": partner,
		`POST /messages/receive {"fonenumber":"3215551212","type":"None","value":"None","url_method":"POST"}`: a,
		`POST /messages/receive {"fonenumber":"3215550200","type":"None","value":"None","url_method":"POST"}`: branch,
	} {
		for _, by := range []account{a, branch, partner} {
			status := 404
			if by == of {
				status = 200
			}
			call, body, _ := strings.Cut(call, " {")
			by.ask(call, strings.TrimPrefix("{"+body, "{}"), status)
		}
	}
	a.ask("POST /subaccounts/token", "subaccount=2000000009", 404)
	branch.ask("POST /subaccounts/token", "subaccount=2000000002", 403)
}

// Lists contain only active numbers. Others can be read singly.
func TestLists(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 2})
	a.Put(FoneNumber{Number: "3215550007", Active: "no"})
	a.Put(FoneNumber{Number: "3215550008", Active: "cancel"})
	a.Put(FoneNumber{Number: "3215550009", Undeliverable: true})
	want := []any{"3215550000", "3215550001", "3215550009"}
	if got := a.ask("GET /fonenumbers", "", 200)["fonenumbers"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the numbers are %v, want %v", got, want)
	}
	var numbers []any
	for _, entry := range a.ask("GET /fonenumbers?filter=all", "", 200)["fonenumbers"].([]any) {
		shown := entry.(object)
		numbers = append(numbers, shown["fonenumber"])
		if _, delivers := shown["sms_options"]; delivers == (shown["fonenumber"] == "3215550009") {
			t.Errorf("the entry is %v", shown)
		}
	}
	if !reflect.DeepEqual(numbers, want) {
		t.Errorf("the objects have the numbers %v, want %v", numbers, want)
	}
	a.ask("GET /fonenumbers/3215550008", "", 200)

	a = newAccount(t, Options{FoneNumbers: 1})
	a.ShowAs(func(kind string, f FoneNumber) FoneNumber {
		f.Unnotified = kind == "list"
		return f
	})
	for call, want := range map[string]bool{"GET /fonenumbers?filter=all": false, "GET /fonenumbers/" + number: true} {
		if shown := fmt.Sprint(a.ask(call, "", 200)); strings.Contains(shown, "_notify") != want || !strings.Contains(shown, "url_method") {
			t.Errorf("with lists that omit notifications, %s returns %s", call, shown)
		}
	}

	a = newAccount(t, Options{FoneNumbers: 1, Dialect: Dialects["2.12"]})
	a.Put(FoneNumber{Number: "3215550008", Active: "cancel"})
	if got := a.ask("GET /fonenumbers", "", 200)["fonenumbers"].([]any); len(got) != 2 || got[1].(object)["is_active"] != "cancel" {
		t.Errorf("in version 2.12 the list is %v", got)
	}
}

func TestFormsOfAFoneNumber(t *testing.T) {
	t.Parallel()
	full := FoneNumber{
		Number: number, Label: "Demo", Group: "Demo Group",
		Receive:       Receive{Type: "Email", Email: "ops@example.com", Device: "219", URL: "https://x.test", URLMethod: "POST"},
		ReceiveNotify: Notify{Type: "Callback", URL: "https://x.test", Method: "JSON"},
	}
	const notifications = `"receive_notify":{"email":"","method":"JSON","type":"Callback","url":"https://x.test"},` +
		`"send_notify":{"email":"","method":null,"type":"None","url":null}`
	const start = `{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":"Demo Group","is_active":"yes","label":"Demo"`
	for name, test := range map[string]struct {
		foneNumber FoneNumber
		dialect    string
		want       string
	}{
		"live": {full, "live", start + `,"sms_options":{"mms_enabled":"yes","receive":{"device":"219","email":"ops@example.com",` +
			`"forward":"","type":"email","url":"https://x.test","url_method":"POST"},` + notifications + `,"sms_enabled":"yes"}}`},
		"2.12": {full, "2.12", start + `,"message_options":{"messaging_enabled":"yes","mms_enabled":"yes","receive":{"device":"219",` +
			`"email":"ops@example.com","forward":"","type":"Email","url":"https://x.test","url_method":"JSON"},` + notifications + `}}`},
		"cancelled, accepting no messages": {
			FoneNumber{Number: number, Active: "cancel", MessagingDisabled: true},
			"live",
			`{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":null,"is_active":"cancel","label":"",` +
				`"sms_options":{"mms_enabled":"no","receive":{"device":"","email":null,"forward":"","type":"None","url":null,` +
				`"url_method":null},"receive_notify":{"email":"","method":null,"type":"None","url":null},` +
				`"send_notify":{"email":"","method":null,"type":"None","url":null},"sms_enabled":"no"}}`,
		},
	} {
		a := newAccount(t, Options{Dialect: Dialects[test.dialect]})
		a.Put(test.foneNumber)
		got, _ := json.Marshal(a.ask("GET /fonenumbers/"+number, "", 200)["fonenumber"])
		if string(got) != test.want {
			t.Errorf("%s: the FoneNumber is\n%s, want\n%s", name, got, test.want)
		}
	}
}

// FoneStorm stores and shows what is set, in the response and later, whether it is sent as a form or as JSON. The values of other
// types stay.
func TestSetDelivery(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 1})
	want := Receive{}
	for _, setting := range [][2]string{
		{"Device", "987123543678"}, {"Email", "ops+sms@example.com"}, {"URL", "https://x.test/?msg={{msg}}"}, {"Forward", "3215551111"}, {"None", ""},
	} {
		want = want.Delivering(setting[0], setting[1])
		value := cmp.Or(setting[1], "None")
		form := url.Values{"fonenumber": {number}, "type": {setting[0]}, "value": {value}, "url_method": {"POST"}}
		shown := []object{a.set(setting[0], value), receive(a.ask("POST /messages/receive", form.Encode(), 200)), receive(a.ask("GET /fonenumbers/"+number, "", 200))}
		if !reflect.DeepEqual(shown[0], shown[1]) || !reflect.DeepEqual(shown[0], shown[2]) {
			t.Errorf("the responses to JSON and to a form, and a later one, are %v", shown)
		}
		if f, _ := a.Get(number); f.Receive != want || f.Receive.Value() != setting[1] {
			t.Errorf("the account has %+v, want %+v", f.Receive, want)
		}
	}
	if f, _ := a.Get(number); f.Receive.Email == "" || f.Receive.URLMethod != "POST" {
		t.Errorf("the account has lost earlier values: %+v", f.Receive)
	}
}

// A value that is not valid for its type is rejected, and so is a notification without its destination.
func TestValuesAreChecked(t *testing.T) {
	t.Parallel()
	for call, values := range map[string][]string{
		`/messages/receive {"type":"Device","url_method":"POST","value":%q}`:    {"sip-phone", "98 71"},
		`/messages/receive {"type":"Email","url_method":"POST","value":%q}`:     {"ops", "Ops <ops@example.com>", "a@example.com,b@example.com", " ops@example.com"},
		`/messages/receive {"type":"URL","url_method":"POST","value":%q}`:       {"example.com", "ftp://example.com", "https://", "https://exa mple.com"},
		`/messages/receive {"type":"Forward","url_method":"POST","value":%q}`:   {"321555111", "13215551111", "321-555-1111"},
		`/messages/receive {"type":"None","url_method":"POST","value":%q}`:      {"none", "3215551111"},
		`/messages/receive_notify {"type":"Callback","method":"JSON","url":%q}`: {"", "example.com"},
		`/messages/receive_notify {"type":"Callback","url":%q}`:                 {"https://example.com"},
		`/messages/send_notify {"type":"Email","email":%q}`:                     {"", "a@example.com,b@example.com"},
	} {
		for _, value := range values {
			a := newAccount(t, Options{FoneNumbers: 1})
			before, _ := a.Get(number)
			path, body, _ := strings.Cut(fmt.Sprintf(call, value), " {")
			a.ask("POST "+path, `{"fonenumber":"`+number+`",`+body, 400)
			a.wantViolation()
			if after, _ := a.Get(number); after != before {
				t.Errorf("%s failed but the account has %+v", body, after)
			}
		}
	}
}

// Each of the two notifications is set by itself. Like a delivery, it keeps its old destination when it is turned off.
func TestNotifications(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 1})
	a.ask("POST /messages/receive_notify",
		`{"fonenumber":"3215550000","type":"Callback","url":"https://x.test","method":"JSON","url_username":"hook","url_password":"s3cret"}`, 200)
	a.ask("POST /messages/send_notify", `{"fonenumber":"3215550000","type":"Email","email":"sent@example.com"}`, 200)
	shown := fmt.Sprint(a.ask("POST /messages/receive_notify", `{"fonenumber":"3215550000","type":"None"}`, 200))
	f, _ := a.Get(number)
	received := Notify{Type: "None", URL: "https://x.test", Method: "JSON", URLUsername: "hook", URLPassword: "s3cret"}
	if sent := (Notify{Type: "Email", Email: "sent@example.com"}); f.ReceiveNotify != received || f.SendNotify != sent || f.Receive.Type != "None" {
		t.Errorf("the account has %+v", f)
	}
	if strings.Contains(shown, "hook") || strings.Contains(shown, "s3cret") || !strings.Contains(shown, "sent@example.com") {
		t.Errorf("the response is %s", shown)
	}
}

// Credentials that are not sent stay. No response shows any.
func TestCredentials(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 1})
	const hook = `{"fonenumber":"3215550000","type":"URL","value":"https://x.test","url_method":"POST"`
	shown := ""
	for _, step := range []struct{ body, username, password string }{
		{hook + `,"url_username":"alice","url_password":"s3cret"}`, "alice", "s3cret"},
		{newEmail, "alice", "s3cret"},
		{hook + `,"url_password":"n3w"}`, "alice", "n3w"},
		{hook + `,"url_username":"","url_password":""}`, "", ""},
	} {
		shown += fmt.Sprint(a.ask("POST /messages/receive", step.body, 200), a.ask("GET /fonenumbers?filter=all", "", 200))
		if f, _ := a.Get(number); f.Receive.URLUsername != step.username || f.Receive.URLPassword != step.password {
			t.Errorf("after %s the account has %+v", step.body, f.Receive)
		}
	}
	if secret := regexp.MustCompile(`alice|s3cret|n3w|url_username|url_password`).FindString(shown); secret != "" {
		t.Errorf("a response shows %s: %s", secret, shown)
	}
}
