package simulator

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
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

// A login as JSON or as a form returns a token that names its account and its times, and expires after an hour.
func TestLogIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for dialect, member := range map[string]string{"live": "auth", "2.12": "authorization"} {
			a := newAccount(t, Options{Dialect: Dialects[dialect]})
			a.as("username=demo&password=demo-password", member)
			a = a.as(login, member)
			now := float64(time.Now().Unix())
			if got := a.claims(); got["account"].(object)["id"] != "1000000001" || got["iat"] != now || got["exp"] != now+3600 {
				t.Errorf("the token contains %v", got)
			}
			time.Sleep(time.Hour - time.Nanosecond)
			a.ask("GET /fonenumbers", "", 200)
			time.Sleep(time.Nanosecond)
			a.ask("GET /fonenumbers", "", 401)
		}
		a := newAccount(t, Options{Password: "s3cret"})
		a.ask("POST /auth", `{"username":"demo","password":"S3cret"}`, 401)
		a.ask("POST /auth", `{"username":"bob","password":"s3cret"}`, 401)
		for _, a.token = range []string{"", "eyJ.eyJ.guessed"} {
			a.ask("GET /devices", "", 401)
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
		"GET /fonenumbers/3215551212": a, "GET /fonenumbers/3215550200": branch, "GET /fonenumbers/3215550400": partner,
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
}

// Lists contain only active numbers, and objects or numbers alone. Others can be read singly. In version 2.12, a filter is ignored.
func TestLists(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"live": "[3215550000 3215550001]", "live?filter=all": "[3215550000:yes 3215550001:yes]",
		"2.12": "[3215550000:yes 3215550001:yes 3215550007:no]", "2.12?filter=all": "[3215550000:yes 3215550001:yes 3215550007:no]",
	} {
		dialect, filter, _ := strings.Cut(list, "?")
		a := newAccount(t, Options{FoneNumbers: 2, Dialect: Dialects[dialect]})
		a.Put(FoneNumber{Number: "3215550007", Active: "no"})
		a.ask("GET /fonenumbers/3215550007", "", 200)
		var got []any
		for _, entry := range a.ask("GET /fonenumbers?"+filter, "", 200)["fonenumbers"].([]any) {
			if shown, isObject := entry.(object); isObject {
				entry = fmt.Sprint(shown["fonenumber"], ":", shown["is_active"])
			}
			got = append(got, entry)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("the list of %s is %v, want %v", list, got, want)
		}
	}
}

// The dialect and what the account has decide what a response about a FoneNumber contains.
func TestFormsOfAFoneNumber(t *testing.T) {
	t.Parallel()
	full := FoneNumber{
		Number: number, Label: "Demo", Group: "Demo Group",
		Receive:       Receive{Type: "Email", Email: "ops@example.com", Device: "219", URL: "https://x.test", URLMethod: "POST"},
		ReceiveNotify: Notify{Type: "Callback", URL: "https://x.test", Method: "JSON"},
	}
	const start = `{"fax_options":{"receive":{"type":"None"}},"fonenumber":"3215550000","group":`
	const notifications = `"receive_notify":{"email":"","method":"JSON","type":"Callback","url":"https://x.test"},` +
		`"send_notify":{"email":"","type":"None"}`
	for name, test := range map[string]struct {
		foneNumber FoneNumber
		want       string
	}{
		"live": {full, start + `"Demo Group","is_active":"yes","label":"Demo","sms_options":{"mms_enabled":"yes","receive":{"device":"219",` +
			`"email":"ops@example.com","forward":"","type":"email","url":"https://x.test","url_method":"POST"},` + notifications + `,"sms_enabled":"yes"}}`},
		"2.12": {full, start + `"Demo Group","is_active":"yes","label":"Demo","message_options":{"messaging_enabled":"yes","mms_enabled":"yes",` +
			`"receive":{"device":"219","email":"ops@example.com","forward":"","type":"Email","url":"https://x.test","url_method":"JSON"},` + notifications + `}}`},
		"disabled": {
			FoneNumber{Number: number, Active: "cancel", MessagingDisabled: true, Unnotified: true},
			start + `"","is_active":"cancel","label":"","sms_options":{"mms_enabled":"no","receive":{"device":"","forward":"","type":"None"},"sms_enabled":"no"}}`,
		},
	} {
		a := newAccount(t, Options{Dialect: Dialects[name]})
		a.Put(test.foneNumber)
		got, _ := json.Marshal(a.ask("GET /fonenumbers/"+number, "", 200)["fonenumber"])
		if string(got) != test.want {
			t.Errorf("%s: the FoneNumber is\n%s, want\n%s", name, got, test.want)
		}
	}
}

// FoneStorm stores what is set, and keeps what is not sent: values of other types, and credentials. The response, and a later one, show it.
func TestSettings(t *testing.T) {
	t.Parallel()
	a := newAccount(t, Options{FoneNumbers: 1})
	for _, step := range [][2]string{
		{"receive", `"url_method":"POST","type":"Device","value":"219"`},
		{"receive", `"url_method":"POST","type":"URL","value":"https://x.test?m={{msg}}","url_username":"alice","url_password":"s3cret"`},
		{"receive", `"url_method":"POST","type":"Email","value":"ops@example.com"`},
		{"receive", `"url_method":"POST","type":"Forward","value":"3215551111","url_password":"n3w"`},
		{"receive", `"url_method":"POST","type":"None","value":"None"`},
		{"receive_notify", `"type":"Callback","url":"https://x.test","method":"JSON","url_username":"alice","url_password":"s3cret"`},
		{"send_notify", `"type":"Email","email":"ops@example.com"`},
		{"receive_notify", `"type":"None","url_password":""`},
	} {
		response := a.ask("POST /messages/"+step[0], `{"fonenumber":"3215550000",`+step[1]+`}`, 200)
		if later := a.ask("GET /fonenumbers/"+number, "", 200); !reflect.DeepEqual(response, later) {
			t.Errorf("after %s, the responses are %v and %v", step, response, later)
		}
	}
	want := FoneNumber{
		Number: number, Label: "Number 0", Active: "yes",
		Receive:       Receive{"None", "219", "ops@example.com", "https://x.test?m={{msg}}", "POST", "3215551111", "alice", "n3w"},
		ReceiveNotify: Notify{"None", "", "https://x.test", "JSON", "alice", ""},
		SendNotify:    Notify{Type: "Email", Email: "ops@example.com"},
	}
	if f, _ := a.Get(number); f != want {
		t.Errorf("the account has %+v, want %+v", f, want)
	}
	a.ask("POST /messages/receive", "fonenumber=3215550000&type=Email&value=form@example.com&url_method=POST", 200)
	if f, _ := a.Get(number); f.Receive.Value() != "form@example.com" {
		t.Errorf("after a form, the account has %+v", f)
	}
}
