package fonestorm

import (
	"fmt"
	"reflect"
	"testing"
)

// The documents show a FoneNumber in several forms, and the live service may mix them.
func TestDecodeFoneNumber(t *testing.T) {
	t.Parallel()
	email, hook := Delivery{Type: Email, Value: "a@b.c"}, Delivery{Type: Callback, Value: "https://x.test", URLMethod: "JSON"}
	for name, test := range map[string]struct {
		members string // In addition to the number.
		want    FoneNumber
	}{
		"the documented example": {
			`"label":"Demo Number","group":"Demo Group","sms_options":{"receive":{"type":"email","email":"ops@example.com",
			"device":"21915233078","forward":"","url":null,"url_method":null},"receive_notify":{"url":null,"method":null},
			"send_notify":{"url":null,"method":null},"sms_enabled":"yes","mms_enabled":"yes"},"is_active":"yes"`,
			FoneNumber{Label: "Demo Number", Group: "Demo Group", Status: Active, Options: Options{ops, none, none}},
		},
		"message_options":                {`"message_options":{"receive":{"type":"Device","device":"987"},"messaging_enabled":"yes"}`, FoneNumber{Options: Options{Delivery{Type: Device, Value: "987"}}}},
		"both groups, one is turned off": {`"sms_options":{"receive":{"type":"None","url":"https://x.test"}},"message_options":{"receive":{"type":"Email","email":"a@b.c"}}`, FoneNumber{Options: Options{none}}},
		"both groups, different":         {`"sms_options":{"receive":{"type":"Email","email":"a@b.c"}},"message_options":{"receive":{"type":"None"},"send_notify":{}}`, FoneNumber{Options: Options{email, {}, none}}},
		"stale fields":                   {`"message_options":{"receive":{"type":"none","device":"1","email":"a@b.c","url":"https://x.test","url_method":"GET","forward":"2"}}`, FoneNumber{Options: Options{none}}},
		"URL with method in lower case":  {`"message_options":{"receive":{"type":"url","url":"https://x.test","url_method":"get"}}`, FoneNumber{Options: Options{Delivery{Type: URL, Value: "https://x.test", URLMethod: "GET"}}}},
		"unset as empty text":            {`"message_options":{"receive":{"type":"URL","url":"","url_method":""}}`, FoneNumber{Options: Options{Delivery{Type: URL}}}},
		"type null":                      {`"message_options":{"receive":{"type":null}}`, FoneNumber{Options: Options{none}}},
		"type padded":                    {`"sms_options":{"receive":{"type":" EMAIL ","email":" a@b.c "}}`, FoneNumber{Options: Options{email}}},
		"receive on top":                 {`"receive":{"type":"email","email":"a@b.c"},"sms_enabled":"no"`, FoneNumber{Options: Options{email}, MessagingDisabled: true}},
		"label with escapes":             {`"label":"a\u001b[31m\nb"`, FoneNumber{Label: "a [31m b"}},
		"label as number":                {`"label":7,"group":8.50`, FoneNumber{Label: "7", Group: "8.50"}},
		"active":                         {`"is_active":"YES"`, FoneNumber{Status: Active}},
		"active as boolean":              {`"is_active":true`, FoneNumber{Status: Active}},
		"inactive as boolean":            {`"is_active":false`, FoneNumber{Status: CancellationPending}},
		"activity unknown":               {`"is_active":"suspended"`, FoneNumber{Status: StatusUnknown}},
		"callback notified":              {`"sms_options":{"receive_notify":{"type":"callback","url":" https://x.test ","method":"json"}}`, FoneNumber{Options: Options{ReceiveNotify: hook}}},
		"URL notified":                   {`"sms_options":{"receive_notify":{"url":"https://x.test","method":"JSON"}}`, FoneNumber{Options: Options{ReceiveNotify: hook}}},
		"a URL without a type":           {`"sms_options":{"receive":{"url":"https://x.test"}}`, FoneNumber{Options: Options{none}}},
		"undocumented type":              {`"message_options":{"receive":{"type":"pager","device":"1"}}`, FoneNumber{Options: Options{Delivery{Type: "pager"}}}},
		"cancellation pending":           {`"is_active":"no"`, FoneNumber{Status: CancellationPending}},
		"cancelled":                      {`"is_active":"cancel"`, FoneNumber{Status: Cancelled}},
		"messaging disabled":             {`"message_options":{"messaging_enabled":"No"}`, FoneNumber{MessagingDisabled: true}},
		"only MMS disabled":              {`"message_options":{"messaging_enabled":"yes","mms_enabled":"no"}`, FoneNumber{}},
		"unexpected types": { // They read as if they were missing.
			`"label":[],"group":{"x":1},"is_active":null,"message_options":"x","receive":["x"],"receive_notify":1e400,
			"sms_options":{"receive":{"type":"email","email":"a@b.c","url":{}},"receive_notify":{"type":[[]]},"send_notify":true,"sms_enabled":-1}`,
			FoneNumber{Options: Options{email, none}},
		},
	} {
		object := `{"fonenumber":"` + anyNumber + `",` + test.members + `}`
		test.want.Number = anyNumber
		one, err := decodeFoneNumber([]byte(`{"fonenumber":` + object + `}`))
		all, errList := decodeFoneNumbers([]byte(`{"fonenumbers":[` + object + `]}`))
		wantSuccess(t, err, errList)
		for _, got := range append(all, one) {
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s: read %+v, want %+v", name, got, test.want)
			}
		}
	}
}

// What responses contain, whatever the JSON types and the nesting: a number, numbers, or a token. A response that only reports success
// has no number.
func TestDecode(t *testing.T) {
	t.Parallel()
	decoders := map[string]func(body []byte) (any, error){
		"number": func(body []byte) (any, error) {
			f, err := decodeFoneNumber(body)
			return f.Number, err
		},
		"numbers": func(body []byte) (any, error) {
			list, err := decodeFoneNumbers(body)
			numbers := make([]string, len(list))
			for i, f := range list {
				numbers[i] = f.Number
			}
			return numbers, err
		},
		"token": func(body []byte) (any, error) { return decodeToken(body) },
	}
	for kind, bodies := range map[string]map[string]string{ // What fmt prints, or the error.
		"number": {
			`{"fonenumber":{"fonenumber":3215550000}}`: anyNumber,
			`{"fonenumber":13215550000}`:               anyNumber,
			`{"status_code":200,"result":"SUCCESS"}`:   "",
			`{"error":false,"result":"SUCCESS"}`:       "",
			`{"error":"x","fonenumber":"3215550000"}`:  `reports success and the error "x"`,
			`[{"fonenumber":"3215550000"}]`:            "",
		},
		"numbers": {
			`{"fonenumbers":[]}`:                                            "[]",
			`{"fonenumbers":null}`:                                          `contains no list in "fonenumbers"`,
			`{"error":"Failure","fonenumbers":[]}`:                          `reports success and the error "Failure"`,
			`{"fonenumbers":[3215550000,{"fonenumber":"+1 321 555 0001"}]}`: "[3215550000 3215550001]",
			`{"fonenumbers":[null,42,true,"",[],["3215550000"],{},{"fonenumber":{}},{"label":"x"},"3215550001"]}`: "[3215550001]",
			`{"fonenumbers":{"1":{}}}`:               `contains no list in "fonenumbers"`,
			`{"fonenumbers":["3215550000",{"fonenum`: "is not valid JSON but 38 bytes of text/plain",
			`{"fonenumbers":[{"label":"x"}]}`:        "has a list in which no entry contains a FoneNumber",
		},
		"token": {
			`{"auth":{"token":"abc123"}}`:                                  "abc123",
			`{"authorization":{"token":"abc123"}}`:                         "abc123",
			`{"subaccount":{"token":"abc123"}}`:                            "abc123",
			`{"status_code":200,"result":"REGISTERED","token":" abc123 "}`: "abc123",
			`{"data":{"auth":{"token":"abc123"}}}`:                         "abc123",
			`{"auth":[],"authorization":null,"data":{"token":"abc123"}}`:   "abc123",
			`{"auth":{"user":"demo"}}`:                                     "contains no token",
			`{"auth":{"token":{"jwt":"abc123"}}}`:                          "contains no token",
			`{"auth":{"token":"abc123"}}{}`:                                "contains no token: it is not valid JSON but 29 bytes of text/plain",
		},
	} {
		for body, want := range bodies {
			got, err := decoders[kind]([]byte(body))
			if err != nil {
				got = err
			}
			if fmt.Sprint(got) != want {
				t.Errorf("the %s in %s is %v, want %s", kind, body, got, want)
			}
		}
	}
}
