package fonestorm

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The documents show a FoneNumber in several forms, and the live service may mix them.
func TestDecodeFoneNumber(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		members string // In addition to the number.
		want    FoneNumber
	}{
		"the documented example": {
			`"label":"Demo Number","group":"Demo Group","sms_options":{"receive":{"type":"email","email":"ops@example.com",
			"device":"21915233078","forward":"","url":null,"url_method":null},"receive_notify":{"url":null,"method":null},
			"send_notify":{"url":null,"method":null},"sms_enabled":"yes","mms_enabled":"yes"},"is_active":"yes"`,
			FoneNumber{Label: "Demo Number", Group: "Demo Group", Status: Active, Delivery: &Delivery{Type: Email, Value: "ops@example.com"}, ReceiveNotify: Notification{Type: NotifyNone}, SendNotify: Notification{Type: NotifyNone}},
		},
		"message_options":                   {`"message_options":{"receive":{"type":"Device","device":"987"},"messaging_enabled":"yes"}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "987"}}},
		"both groups, the old one receives": {`"sms_options":{"receive":{"type":"Forward","forward":"3215551111"}},"message_options":{"messaging_enabled":"yes"}`, FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}}},
		"both groups, the new one receives": {`"sms_options":{"sms_enabled":"yes"},"message_options":{"receive":{"type":"Forward","forward":"3215551111"}}`, FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}}},
		"both groups, one is unset":         {`"sms_options":{"receive":{"type":""}},"message_options":{"receive":{"type":"Email","email":"a@b.c"}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"both groups, one is turned off":    {`"sms_options":{"receive":{"type":"None","url":"https://x.test"}},"message_options":{"receive":{"type":"Email","email":"a@b.c"}}`, FoneNumber{Delivery: &Delivery{Type: None}, CallbackURL: "https://x.test"}},
		"stale fields":                      {`"message_options":{"receive":{"type":"none","device":"1","email":"a@b.c","url":"https://x.test","url_method":"GET","forward":"2"}}`, FoneNumber{Delivery: &Delivery{Type: None}, CallbackURL: "https://x.test"}},
		"stale URL beside a device":         {`"message_options":{"receive":{"type":"device","device":"1","url":"https://x.test","url_method":"GET"}}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "1"}, CallbackURL: "https://x.test"}},
		"URL with method in lower case":     {`"message_options":{"receive":{"type":"url","url":"https://x.test","url_method":"get"}}`, FoneNumber{Delivery: &Delivery{Type: URL, Value: "https://x.test", URLMethod: "GET"}, CallbackURL: "https://x.test"}},
		"unset as null":                     {`"label":null,"group":null,"message_options":{"receive":{"type":"URL","url":null,"url_method":""}}`, FoneNumber{Delivery: &Delivery{Type: URL}}},
		"receive of other types":            {`"sms_options":{"receive":"email"},"message_options":{"receive":[]},"receive":null`, FoneNumber{}},
		"type null":                         {`"message_options":{"receive":{"type":null}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"type padded":                       {`"sms_options":{"receive":{"type":" EMAIL ","email":" a@b.c "}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"receive on top":                    {`"receive":{"type":"email","email":"a@b.c"},"sms_enabled":"no"`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}, MessagingDisabled: true}},
		"value repeated":                    {`"sms_options":{"receive":{"type":"email","value":"a@b.c"}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"device as number":                  {`"sms_options":{"receive":{"type":"device","device":21915233078}}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "21915233078"}}},
		"label as number":                   {`"label":7,"group":8.50,"is_active":true`, FoneNumber{Label: "7", Group: "8.50", Status: Active}},
		"callback notified":                 {`"sms_options":{"receive_notify":{"type":"callback","url":" https://x.test ","method":"json"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyCallback, URL: "https://x.test", Method: "JSON"}}},
		"URL notified":                      {`"sms_options":{"receive_notify":{"url":"https://x.test","method":"POST"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyCallback, URL: "https://x.test", Method: "POST"}}},
		"e-mail notified":                   {`"sms_options":{"receive_notify":{"type":"EMAIL","email":"a@b.c"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyEmail, Email: "a@b.c"}}},
		"address notified":                  {`"sms_options":{"receive_notify":{"email":"a@b.c"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyEmail, Email: "a@b.c"}}},
		"callback about sent messages":      {`"sms_options":{"send_notify":{"type":"Callback","url":"https://x.test","method":"JSON"}}`, FoneNumber{SendNotify: Notification{Type: NotifyCallback, URL: "https://x.test", Method: "JSON"}}},
		"nobody notified":                   {`"sms_options":{"receive_notify":{"type":"none","url":null}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyNone}}},
		"pager notified":                    {`"sms_options":{"receive_notify":{"type":"Pager"}}`, FoneNumber{ReceiveNotify: Notification{Type: "Pager"}}},
		"undocumented type":                 {`"message_options":{"receive":{"type":"pager","device":"1"}}`, FoneNumber{Delivery: &Delivery{Type: "pager"}}},
		"unknown members":                   {`"fax_options":{"receive":5},"message_options":{"x":[],"receive":{"type":"None","y":{}}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"SMS disabled":                      {`"sms_options":{"sms_enabled":"no"}`, FoneNumber{MessagingDisabled: true}},
		"messaging disabled":                {`"message_options":{"messaging_enabled":"No"}`, FoneNumber{MessagingDisabled: true}},
		"only MMS disabled":                 {`"message_options":{"messaging_enabled":"yes","mms_enabled":"no"}`, FoneNumber{}},
	} {
		object := `{"fonenumber":"` + anyNumber + `",` + test.members + `}`
		test.want.Number = anyNumber
		one, err := decodeFoneNumber([]byte(`{"fonenumber":` + object + `}`))
		all, errAll := decodeFoneNumbers([]byte(`{"fonenumbers":[` + object + `]}`))
		wantSuccess(t, err, errAll)
		for _, got := range append(all, *one) {
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s: read %+v with %+v, want %+v with %+v", name, got, got.Delivery, test.want, test.want.Delivery)
			}
		}
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	for want, texts := range map[Status][]string{
		"": {""}, Active: {"yes", "YES", "true", "1"}, CancellationPending: {"no", "false"}, Cancelled: {"cancel", "Canceled"}, StatusUnknown: {"suspended"},
	} {
		for _, text := range texts {
			if got := parseStatus(text); got != want {
				t.Errorf("%q is the status %q, want %q", text, got, want)
			}
		}
	}
}

// The number is the same, whatever the JSON types and the nesting. An error says what the response is, and never quotes it.
func TestDecodeFoneNumberInEveryPlace(t *testing.T) {
	t.Parallel()
	for want, bodies := range map[string][]string{
		anyNumber: {
			`{"fonenumber":{"fonenumber":3215550000}}`, `{"fonenumber":{"fonenumber":"+13215550000"}}`, `{"fonenumber":{"fonenumber":"1-321-555-0000"}}`,
			`{"fonenumber":"(321) 555-0000"}`, `{"fonenumber":13215550000}`, `{"data":{"fonenumber":{"fonenumber":"3215550000"}}}`,
			`{"data":{"data":{"fonenumber":"3215550000"}},"status_code":200}`, `{"fonenumber":null,"data":{"fonenumber":"3215550000"}}`,
			" \n{\"fonenumber\": {\"fonenumber\" : \"3215550000\", \"later\":[{}] }}\n",
		},
		"only success":                             {`{"status_code":200,"result":"SUCCESS"}`, `{"result":"success","data":[]}`, `{"data":{"result":"ok"}}`},
		"is empty":                                 {``, "\n"},
		"is an HTML page (26 bytes)":               {"<html><title>hunter</title>"[:26], "\n<!DOCTYPE html><p>hunter2"},
		"is text (7 bytes)":                        {`hunter2`},
		"is binary data (4 bytes)":                 {"\x00\x1b\x07\xff"},
		"is incomplete or damaged JSON (25 bytes)": {`{"fonenumber":{"hunter2":`},
		"contains no FoneNumber": {
			`[{"fonenumber":"3215550000"}]`, `"hunter2"`, `null`, `{}`, `{"fonenumber":null,"data":[]}`, `{"result":"hunter2"}`,
		},
		`reports success and the error "Oops"`: {`{"error":"Oops","message":"x"}`},
	} {
		for _, body := range bodies {
			got := "only success"
			if f, err := decodeFoneNumber([]byte(body)); err != nil {
				got = err.Error()
			} else if f != nil {
				got = f.Number
			}
			if got != want {
				t.Errorf("%s is read as %s, want %s", body, got, want)
			}
		}
	}
}

func TestDecodeFoneNumbers(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{ // FoneNumbers found, as fmt prints them, or what the response is.
		`{"fonenumbers":[]}`:                                         "[]",
		`{"fonenumbers":null}`:                                       "[]",
		`{"fonenumbers":["3215550000","+1 321 555 0001"]}`:           "[3215550000 3215550001]",
		`{"fonenumbers":["3215550000",{"fonenumber":"3215550001"}]}`: "[3215550000 3215550001]",
		`{"fonenumbers":[3215550000,13215550001]}`:                   "[3215550000 3215550001]",
		`{"fonenumbers":[null,42,true,"",[],["3215550000"],{},{"fonenumber":{}},{"label":"x"},"3215550001"]}`: "[3215550001]",
		`{"a":1,"b":"x","c":null,"d":[{}],"e":{"fonenumbers":["3215550000"]},"fonenumbers":["3215550001"]}`:   "[3215550001]",
		`{"status_code":200,"data":{"a":{},"fonenumbers":["3215550000"]}}`:                                    "[3215550000]",
		`{"data":["3215550000",{}],"fonenumbers":["3215550001"]}`:                                             "[3215550001]",
		`{"data":{}}`:                            `contains no list in "fonenumbers"`,
		`{"data":["3215550000"]}`:                `contains no list in "fonenumbers"`,
		`{"numbers":[]}`:                         `contains no list in "fonenumbers"`,
		`{"fonenumbers":{"1":{}}}`:               `contains no list in "fonenumbers"`,
		`["3215550000"]`:                         "is JSON of another form (14 bytes)",
		`{"fonenumbers":["3215550000",{"fonenum`: "is incomplete or damaged JSON (38 bytes)",
		`{"fonenumbers":[{"label":"x"}]}`:        "has a list in which no entry contains a FoneNumber",
	} {
		list, err := decodeFoneNumbers([]byte(body))
		numbers := []string{}
		for _, f := range list {
			numbers = append(numbers, f.Number)
		}
		if got := fmt.Sprint(numbers); err == nil && got != want || err != nil && (err.Error() != want || len(list) > 0) {
			t.Errorf("%s contains %s, want %s: %v", body, got, want, err)
		}
	}
}

func TestDecodeDevices(t *testing.T) {
	t.Parallel()
	list, err := decodeDevices([]byte(`{"devices":[null,[],"2",{"name":"no ID"},{"id":3},
		{"id":" 21915233078 ","name":"Front desk","type":"Polycom","fonenumber":"+1 321 555 0000","mac_address":null}]}`))
	wantSuccess(t, err)
	if want := []RegisteredDevice{{ID: "3"}, {"21915233078", "Front desk", "Polycom", anyNumber}}; !reflect.DeepEqual(list, want) {
		t.Errorf("the devices are %+v, want %+v", list, want)
	}
	_, err = decodeDevices([]byte(`{}`))
	wantWords(t, err, `contains no list in "devices"`)
}

func TestDecodeToken(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"auth":{"token":"abc123"}}`, `{"authorization":{"token":"abc123"}}`, `{"subaccount":{"token":"abc123"}}`,
		`{"status_code":200,"result":"REGISTERED","token":" abc123 ","expires":"2017-07-13T21:19:30.000Z"}`,
		`{"data":{"auth":{"token":"abc123"}}}`, `{"auth":[],"authorization":null,"data":{"token":"abc123"}}`,
	} {
		if token, err := decodeToken([]byte(body)); token != "abc123" || err != nil {
			t.Errorf("%s contains %q: %v", body, token, err)
		}
	}
	for _, body := range []string{
		`{"auth":{"user":"demo"}}`, `{"token":"","authorization":{"token":""}}`, `{"auth":{"token":{"jwt":"abc123"}}}`, `"abc123"`, `abc123`,
		`[{"token":"abc123"}]`, `{"auth":{"jwt":"abc123"}}`, `{"auth":{"token":"abc123`, "<html><title>abc123</title>", `{"auth":{"token":"abc123"}}{}`, "",
	} {
		token, err := decodeToken([]byte(body))
		wantWords(t, err, "contains no token")
		if token != "" || strings.Contains(err.Error(), "abc123") {
			t.Errorf("%s contains %q: %v", body, token, err)
		}
	}
	token, err := decodeToken([]byte(`{"auth":{"token":"abc123\r\n x"}}`))
	wantWords(t, err, "contains a token with a control character")
	if token == "" {
		t.Error("the token is not returned, so it cannot be masked")
	}
}

// A member that the current destination does not need never makes a response invalid or changes the destination.
func TestEveryMemberOfEveryType(t *testing.T) {
	t.Parallel()
	want := Delivery{Type: Email, Value: "ops@example.com"}
	for format, members := range map[string]string{
		`"sms_options":{"receive":{"type":"email","email":"ops@example.com","%s":%s}}`:                    "device url url_method forward value x",
		`"sms_options":{"receive":{"type":"email","email":"ops@example.com"},"receive_notify":{"%s":%s}}`: "type email url method x",
		`"sms_options":{"receive":{"type":"email","email":"ops@example.com"},"send_notify":{"%s":%s}}`:    "type email url method x",
		`"sms_options":{"receive":{"type":"email","email":"ops@example.com"},"%s":%s}`:                    "sms_enabled messaging_enabled x",
		`"sms_options":{"receive":{"type":"email","email":"ops@example.com"}},"%s":%s`:                    "label group is_active message_options receive send_notify x",
	} {
		for member := range strings.FieldsSeq(members) {
			for value := range strings.FieldsSeq(`null true -1 1e400 12345678901234567890123456789 "" "\u0000" "\ud800" [[]] {"url":{}}`) {
				body := `{"fonenumber":{"fonenumber":"3215550000",` + fmt.Sprintf(format, member, value) + `}}`
				if f, err := decodeFoneNumber([]byte(body)); err != nil || f == nil || f.Number != anyNumber || *f.Delivery != want {
					t.Errorf("%s is read as %+v: %v", body, f, err)
				}
			}
		}
	}
}

// Both encodings carry any text, in JSON without escapes for HTML.
func TestEncodings(t *testing.T) {
	t.Parallel()
	if got := string(asJSON.encode(params{"expires": 3600, "value": "?a=<1>&b={{msg}}"})); got != `{"expires":3600,"value":"?a=<1>&b={{msg}}"}` {
		t.Errorf("got body %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var decoded map[string]any
		err := json.Unmarshal(asJSON.encode(params{"a": text}), &decoded)
		form, formErr := url.ParseQuery(string(asForm.encode(params{"a": text, "expires": 3600})))
		if err != nil || formErr != nil || decoded["a"] != strings.ToValidUTF8(text, "\ufffd") || form.Get("a") != text || form.Get("expires") != "3600" {
			t.Fatalf("%q became %q and %q", text, decoded, form)
		}
	})
}

// No response makes a decoder panic or quote it.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"fonenumber":{"fonenumber":"3215550000","sms_options":{"receive":{"type":"url","url":"hunter2"}}}}`, `{"fonenumbers":["3215550000",{}]}`,
		`{"devices":[{"id":1}]}`, `{"auth":{"token":"hunter2"}}`, `{"data":{"data":{}}}`, `{"error":"x","message":"y","status_code":404}`, `[`, "<html>hunter2",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := decodeFoneNumber(body)
		_, errList := decodeFoneNumbers(body)
		_, errDevices := decodeDevices(body)
		token, errToken := decodeToken(body)
		if token == "" && errToken == nil {
			t.Fatal("there is neither a token nor an error")
		}
		decodeEnvelope(body, 404)
		for _, err := range []error{err, errList, errDevices, errToken} {
			if err != nil && strings.Contains(err.Error(), "hunter2") && !strings.Contains(err.Error(), "reports success") {
				t.Fatalf("the error quotes the response: %v", err)
			}
		}
	})
}
