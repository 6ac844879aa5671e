package simulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
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
func tokenOf(t *testing.T, member string, response map[string]any) string {
	t.Helper()
	holder, _ := response[member].(map[string]any)
	token, _ := holder["token"].(string)
	if token == "" {
		t.Fatalf("there is no token in %v", response)
	}
	return token
}

func TestLogIn(t *testing.T) {
	t.Parallel()
	for name, member := range map[string]string{"live": "auth", "2.12": "authorization"} {
		sim := newSimulator(t, Options{FoneNumbers: 1, Dialect: Dialects[name]})
		inForm := tokenOf(t, member, decoded(t, ask(t, sim, http.MethodPost, "/auth", "", formBody, rightLogin.Encode()), http.StatusCreated))
		w := ask(t, sim, http.MethodPost, "/auth", "", jsonBody, `{"username":"demo","password":"demo-password","expires":60}`)
		inJSON := tokenOf(t, member, decoded(t, w, http.StatusCreated))
		if inForm == inJSON {
			t.Error("two logins got the same token")
		}
		for _, token := range []string{inForm, inJSON} {
			decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)
		}
		wantViolations(t, sim, 0)
	}
}

// A token names its account and its times, and expires when the login says, or after an hour.
func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, Options{})
		login := func(body string) string {
			return tokenOf(t, "auth", decoded(t, ask(t, sim, http.MethodPost, "/auth", "", jsonBody, body), http.StatusCreated))
		}
		hour := login(`{"username":"demo","password":"demo-password"}`)
		minute := login(`{"username":"demo","password":"demo-password","expires":60}`)
		claims := payload(hour)
		account, _ := claims["account"].(map[string]any)
		if now := float64(time.Now().Unix()); account["id"] != "1000000001" || claims["iat"] != now || claims["exp"] != now+3600 {
			t.Errorf("the token contains %v", claims)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		decoded(t, get(t, sim, "/fonenumbers", minute), http.StatusOK)
		time.Sleep(time.Nanosecond)
		for _, token := range []string{minute, "", "eyJ.eyJ.guessed"} {
			wantEnvelope(t, get(t, sim, "/fonenumbers", token), http.StatusUnauthorized, "token")
			wantEnvelope(t, ask(t, sim, http.MethodPost, "/messages/receive", token, jsonBody, newEmail), http.StatusUnauthorized, "token")
		}
		decoded(t, get(t, sim, "/fonenumbers", hour), http.StatusOK)
		wantViolations(t, sim, 0)
	})
}

// payload returns the claims of a JWT; nil if the token is none.
func payload(token string) (claims map[string]any) {
	if parts := strings.Split(token, "."); len(parts) == 3 {
		data, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(data, &claims)
	}
	return claims
}

func TestLogInRejected(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{Password: "s3cret"})
	for name, password := range map[string]string{"demo": "S3cret", "bob": "s3cret"} {
		form := url.Values{"username": {name}, "password": {password}}
		wantEnvelope(t, post(t, sim, "/auth", "", form), http.StatusUnauthorized, "username or password")
	}
	wantViolations(t, sim, 0)
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
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := newSimulator(t, Options{Dialect: Dialects[test.dialect]})
			sim.Put(test.foneNumber)
			response := decoded(t, get(t, sim, "/fonenumbers/"+number, anyToken(sim)), http.StatusOK)
			if got := objectOf(t, response); got != test.want {
				t.Errorf("the FoneNumber is\n%s, want\n%s", got, test.want)
			}
			wantViolations(t, sim, 0)
		})
	}
}

// receiveOf returns the delivery in a response about one FoneNumber of the live service; nil if there is none.
func receiveOf(response map[string]any) map[string]any {
	object, _ := response["fonenumber"].(map[string]any)
	options, _ := object["sms_options"].(map[string]any)
	receive, _ := options["receive"].(map[string]any)
	return receive
}

// email sets an e-mail address and returns the one in the response.
func email(t *testing.T, sim *Simulator, token, address string) any {
	t.Helper()
	form := url.Values{"fonenumber": {number}, "type": {"Email"}, "value": {address}, "url_method": {"POST"}}
	return receiveOf(decoded(t, post(t, sim, "/messages/receive", token, form), http.StatusOK))["email"]
}

// A test can have FoneStorm show a destination in another way in each kind of response, show what was set before for a while, or
// store something else.
func TestShowAndStoreAs(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	read := func() any {
		return receiveOf(decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK))["email"]
	}
	sim.ShowAs(func(v View) FoneNumber {
		v.Receive.Email = string(v.Source) + ":" + v.Receive.Email
		return v.FoneNumber
	})
	if set, read := email(t, sim, token, "a@b.c"), read(); set != "setting:a@b.c" || read != "read:a@b.c" {
		t.Errorf("the responses show %v and %v", set, read)
	}
	if list := get(t, sim, "/fonenumbers?filter=all", token).Body.String(); !strings.Contains(list, `"list:a@b.c"`) {
		t.Errorf("the list shows %s", list)
	}
	if f, _ := sim.Get(number); f.Receive.Email != "a@b.c" {
		t.Errorf("the account has %+v", f.Receive)
	}

	sim.ShowAs(func(v View) FoneNumber {
		if v.Shown < 3 {
			return v.Before
		}
		return v.FoneNumber
	})
	if got := []any{email(t, sim, token, "new@b.c"), read(), read(), read()}; !slices.Equal(got, []any{"a@b.c", "a@b.c", "a@b.c", "new@b.c"}) {
		t.Errorf("the responses show %v", got)
	}
	sim.Put(FoneNumber{Number: number, Receive: Receive{Type: "Email", Email: "by-hand@b.c"}})
	if got := read(); got != "by-hand@b.c" {
		t.Errorf("after a change by hand the response shows %v", got)
	}

	sim.StoreAs(func(before, _ FoneNumber) FoneNumber { return before }) // As if FoneStorm ignored the setting.
	email(t, sim, token, "ignored@b.c")
	if f, _ := sim.Get(number); f.Receive.Email != "by-hand@b.c" {
		t.Errorf("the account has %+v", f.Receive)
	}
	wantViolations(t, sim, 0)
}

// FoneStorm stores and shows what is set, in the response and later, whether it is sent as a form or as JSON.
func TestSetDelivery(t *testing.T) {
	t.Parallel()
	for _, want := range []Receive{
		{Type: "Device", Device: "987123543678"},
		{Type: "Email", Email: "ops+sms@example.com"},
		{Type: "URL", URL: "https://x.test/?msg={{msg}}", URLMethod: "POST"},
		{Type: "Forward", Forward: "3215551111"},
		{Type: "None"},
	} {
		form := url.Values{"fonenumber": {number}, "type": {want.Type}, "value": {cmp.Or(want.Value(), "None")}, "url_method": {"POST"}}
		var responses []string
		for contentType, body := range map[string]string{formBody: form.Encode(), jsonBody: inJSONBody(form)} {
			sim := newSimulator(t, Options{FoneNumbers: 1})
			token := anyToken(sim)
			responses = append(responses,
				objectOf(t, decoded(t, ask(t, sim, http.MethodPost, "/messages/receive", token, contentType, body), http.StatusOK)),
				objectOf(t, decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK)))
			if f, _ := sim.Get(number); f.Receive != want {
				t.Errorf("sent as %s, the account has %+v, want %+v", contentType, f.Receive, want)
			}
			if sent := sim.Requests()[0]; !reflect.DeepEqual(sent.Form, form) {
				t.Errorf("sent as %s, the parameters are recorded as %v, want %v", contentType, sent.Form, form)
			}
			wantViolations(t, sim, 0)
		}
		if responses = slices.Compact(responses); len(responses) != 1 {
			t.Errorf("the responses to form and JSON, at once and later, differ: %s", responses)
		}
	}
}

// A value that is not valid for its type is rejected, and so is a notification without its destination.
func TestValuesAreChecked(t *testing.T) {
	t.Parallel()
	for call, values := range map[string][]string{
		`/messages/receive {"type":"Device","url_method":"POST","value":%q}`:    {"sip-phone", "98 71", "+987"},
		`/messages/receive {"type":"Email","url_method":"POST","value":%q}`:     {"ops", "Ops <ops@example.com>", "a@example.com,b@example.com", " ops@example.com"},
		`/messages/receive {"type":"URL","url_method":"POST","value":%q}`:       {"example.com", "ftp://example.com", "https://", "/handler", "https://exa mple.com"},
		`/messages/receive {"type":"Forward","url_method":"POST","value":%q}`:   {"321555111", "13215551111", "321-555-1111"},
		`/messages/receive {"type":"None","url_method":"POST","value":%q}`:      {"none", "3215551111"},
		`/messages/receive_notify {"type":"Callback","method":"JSON","url":%q}`: {"", "example.com"},
		`/messages/receive_notify {"type":"Callback","url":%q}`:                 {"https://example.com"},
		`/messages/send_notify {"type":"Email","email":%q}`:                     {"", "a@example.com,b@example.com"},
	} {
		for _, value := range values {
			sim := newSimulator(t, Options{FoneNumbers: 1})
			before, _ := sim.Get(number)
			path, body, _ := strings.Cut(fmt.Sprintf(call, value), " ")
			body = strings.Replace(body, "{", `{"fonenumber":"`+number+`",`, 1)
			wantEnvelope(t, ask(t, sim, http.MethodPost, path, anyToken(sim), jsonBody, body), http.StatusBadRequest)
			wantViolations(t, sim, 1)
			if after, _ := sim.Get(number); after != before {
				t.Errorf("%s failed but the account has %+v", body, after)
			}
		}
	}
}

// Each of the two notifications is set by itself. Like a delivery, it keeps its old destination when it is turned off.
func TestNotifications(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	for _, call := range [][2]string{
		{"receive_notify", `{"fonenumber":"3215550000","type":"Callback","url":"https://x.test","method":"JSON","url_username":"hook","url_password":"s3cret"}`},
		{"send_notify", `{"fonenumber":"3215550000","type":"Email","email":"sent@example.com"}`},
		{"receive_notify", `{"fonenumber":"3215550000","type":"None"}`},
	} {
		response := ask(t, sim, http.MethodPost, "/messages/"+call[0], token, jsonBody, call[1])
		if decoded(t, response, http.StatusOK); strings.Contains(response.Body.String(), "s3cret") {
			t.Errorf("the response shows the password: %s", response.Body)
		}
	}
	f, _ := sim.Get(number)
	received := Notify{Type: "None", URL: "https://x.test", Method: "JSON", URLUsername: "hook", URLPassword: "s3cret"}
	if sent := (Notify{Type: "Email", Email: "sent@example.com"}); f.ReceiveNotify != received || f.SendNotify != sent || f.Receive.Type != "None" {
		t.Errorf("the account has %+v", f)
	}
	shown := objectOf(t, decoded(t, get(t, sim, "/fonenumbers/"+number, token), http.StatusOK))
	if want := `"receive_notify":{"email":"","method":"JSON","type":"None","url":"https://x.test"},` +
		`"send_notify":{"email":"sent@example.com","method":null,"type":"Email","url":null}`; !strings.Contains(shown, want) {
		t.Errorf("the FoneNumber is %s, want %s in it", shown, want)
	}
	wantViolations(t, sim, 0)
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
	want := map[string]any{
		"type": "None", "device": "1", "email": "ops@example.com", "url": "https://x.test", "url_method": "POST", "forward": "3215551111",
	}
	if got := receiveOf(last); !reflect.DeepEqual(got, want) {
		t.Errorf("the delivery shows %v, want %v", got, want)
	}
	if f, _ := sim.Get(number); f.Receive.Value() != "" {
		t.Errorf("the value of None is %q", f.Receive.Value())
	}
}

func TestCredentialsAreKeptAndNeverShown(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, Options{FoneNumbers: 1})
	token := anyToken(sim)
	form := url.Values{"fonenumber": {number}, "type": {"URL"}, "value": {"https://x.test"}, "url_method": {"POST"}}
	var responses []string
	for _, step := range []struct {
		change         url.Values
		name, password string
	}{
		{nil, "", ""},
		{url.Values{"url_username": {"alice"}, "url_password": {"s3cret"}}, "alice", "s3cret"},
		{url.Values{"type": {"None"}, "value": {"None"}}, "alice", "s3cret"}, // Credentials that are not sent stay.
		{url.Values{"url_password": {"n3w"}}, "alice", "n3w"},
		{url.Values{"url_username": {""}, "url_password": {""}}, "", ""},
	} {
		sent := maps.Clone(form)
		maps.Copy(sent, step.change)
		responses = append(responses, post(t, sim, "/messages/receive", token, sent).Body.String(),
			get(t, sim, "/fonenumbers/"+number, token).Body.String(), get(t, sim, "/fonenumbers?filter=all", token).Body.String())
		if f, _ := sim.Get(number); f.Receive.URLUsername != step.name || f.Receive.URLPassword != step.password {
			t.Errorf("after %v the account has %+v", step.change, f.Receive)
		}
	}
	for _, response := range responses {
		for _, secret := range []string{"alice", "s3cret", "n3w", "url_username", "url_password"} {
			if strings.Contains(response, secret) {
				t.Errorf("a response shows %s: %s", secret, response)
			}
		}
	}
	wantViolations(t, sim, 0)
}
