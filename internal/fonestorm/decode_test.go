package fonestorm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestDecodeList(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body    string
		numbers string // FoneNumbers found, as fmt prints them.
		skipped int
		flaw    string
	}{
		"empty":                 {`{"fonenumbers":[]}`, "[]", 0, ""},
		"null":                  {`{"fonenumbers":null}`, "[]", 0, ""},
		"texts":                 {`{"fonenumbers":["3215550000","+1 321 555 0001"]}`, "[3215550000 3215550001]", 0, ""},
		"texts and objects":     {`{"fonenumbers":["3215550000",{"fonenumber":"3215550001"}]}`, "[3215550000 3215550001]", 0, ""},
		"numbers":               {`{"fonenumbers":[3215550000,1.3215550001e10]}`, "[3215550000 3215550001]", 0, ""},
		"odd entries":           {`{"fonenumbers":[null,42,true,"",[],["3215550000"],{},{"fonenumber":{}},{"label":"x"},"3215550001"]}`, "[3215550001]", 9, ""},
		"members of all kinds":  {`{"a":1,"b":"x","c":null,"d":[{}],"e":{"fonenumbers":["3215550000"]},"fonenumbers":["3215550001"],"f":true,"g":{}}`, "[3215550001]", 0, ""},
		"white space":           {" {\n \"fonenumbers\" : [\n \"3215550000\" ,\n \"3215550001\" ] } \n", "[3215550000 3215550001]", 0, ""},
		"below data":            {`{"status_code":200,"data":{"a":{},"fonenumbers":["3215550000"]}}`, "[3215550000]", 0, ""},
		"data of other types":   {`{"data":["3215550000",{}],"fonenumbers":["3215550001"]}`, "[3215550001]", 0, ""},
		"data as text":          {`{"data":"3215550000","fonenumbers":["3215550001"]}`, "[3215550001]", 0, ""},
		"data without list":     {`{"data":{}}`, "[]", 0, `contains no "fonenumbers"`},
		"data as array":         {`{"data":["3215550000"]}`, "[]", 0, `contains no "fonenumbers"`},
		"no list":               {`{"numbers":[]}`, "[]", 0, `contains no "fonenumbers"`},
		"object for list":       {`{"fonenumbers":{"1":{}}}`, "[]", 0, "has { where a list should be"},
		"text for list":         {`{"fonenumbers":"x"}`, "[]", 0, "has x where a list should be"},
		"list alone":            {`["3215550000"]`, "[]", 0, "has [ where { should be"},
		"cut off in an entry":   {`{"fonenumbers":["3215550000",{"fonenum`, "[3215550000]", 0, "unexpected EOF"},
		"cut off in the list":   {`{"fonenumbers":["3215550000"`, "[3215550000]", 0, "EOF"},
		"cut off after entries": {`{"fonenumbers":["3215550000",`, "[3215550000]", 0, "EOF"},
		"cut off after list":    {`{"fonenumbers":["3215550000"]`, "[3215550000]", 0, "EOF"},
		"cut off in data":       {`{"data":{"fonenumbers":["3215550000"]`, "[3215550000]", 0, "EOF"},
		"cut off in data array": {`{"data":["3215550000"`, "[]", 0, "EOF"},
		"cut off before data":   {`{"data":`, "[]", 0, "EOF"},
		"damaged data array":    {`{"data":[tru]}`, "[]", 0, "invalid character"},
		"damaged before list":   {`{"a":tru,"fonenumbers":[]}`, "[]", 0, "invalid character"},
		"damaged name":          {`{a:[]}`, "[]", 0, "invalid character"},
		"nothing":               {``, "[]", 0, "EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbers, skipped := []string{}, 0
			err := decodeList(strings.NewReader(test.body), func(f FoneNumber) { numbers = append(numbers, f.Number) }, func() { skipped++ })
			if got := fmt.Sprint(numbers); got != test.numbers || skipped != test.skipped {
				t.Errorf("found %s and skipped %d, want %s and %d", got, skipped, test.numbers, test.skipped)
			}
			if test.flaw == "" {
				wantSuccess(t, err)
			} else {
				wantWords(t, err, test.flaw)
			}
		})
	}
}

// jsonValues contains values of every JSON type.
var jsonValues = []string{
	`null`, `true`, `false`, `0`, `-1`, `7`, `3215550000`, `3.21555e9`, `1e400`, `1e-400`, `0.1`, `12345678901234567890123456789`,
	`""`, `" "`, `"x"`, `"\u0000"`, `"\ud800"`, `[]`, `["x"]`, `[[]]`, `{}`, `{"type":"email"}`, `{"url":{}}`,
}

// memberPaths contains all members of a FoneNumber that the client reads, and the objects that contain them.
var memberPaths = []string{
	"label", "group", "is_active", "sms_options", "message_options", "receive", "receive_notify", "sms_enabled", "messaging_enabled",
	"sms_options.receive", "sms_options.receive_notify", "sms_options.sms_enabled", "sms_options.messaging_enabled",
	"sms_options.receive.type", "sms_options.receive.device", "sms_options.receive.email", "sms_options.receive.url",
	"sms_options.receive.url_method", "sms_options.receive.forward", "sms_options.receive.value",
	"sms_options.receive_notify.type", "sms_options.receive_notify.email", "sms_options.receive_notify.url", "sms_options.receive_notify.method",
}

// documented returns FracTEL's example FoneNumber with one member replaced.
func documented(t interface{ Fatal(...any) }, path, value string) string {
	var root map[string]any
	if err := json.Unmarshal([]byte(`{"fonenumber":"3215550000","label":"Demo Number","group":"Demo Group",
		"sms_options":{"receive":{"type":"email","email":"ops@example.com","device":"21915233078","forward":"","url":null,"url_method":null},
		"receive_notify":{"url":null,"method":null},"sms_enabled":"yes","mms_enabled":"yes"},"is_active":"yes"}`), &root); err != nil {
		t.Fatal(err)
	}
	object, names := root, strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		object = object[name].(map[string]any)
	}
	object[names[len(names)-1]] = json.RawMessage(value)
	body, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// A member that the current destination does not need never makes a response invalid or changes the destination.
func TestEveryMemberOfEveryType(t *testing.T) {
	t.Parallel()
	want := Delivery{Type: Email, Value: "ops@example.com"}
	needed := map[string]bool{
		"sms_options": true, "sms_options.receive": true, "sms_options.receive.type": true, "sms_options.receive.email": true,
	}
	for _, path := range memberPaths {
		for _, value := range jsonValues {
			got, err := decodeFoneNumber([]byte(`{"fonenumber":` + documented(t, path, value) + `}`))
			switch {
			case err != nil || got.foneNumber == nil:
				t.Errorf("%s: %s cannot be read: %v", path, value, err)
			case got.foneNumber.Number != anyNumber:
				t.Errorf("%s: %s is about %q", path, value, got.foneNumber.Number)
			case !needed[path] && (got.foneNumber.Delivery == nil || *got.foneNumber.Delivery != want):
				t.Errorf("%s: %s is read as %+v", path, value, got.foneNumber.Delivery)
			}
		}
	}
}

// Numbers are written out without loss.
func TestScalarKeepsNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[1-9][0-9]{0,20}`).Draw(t, "digits")
		fraction := rapid.StringMatching(`(\.[0-9]{1,5})?`).Draw(t, "fraction")
		exponent := rapid.StringMatching(`([eE][+-]?[0-9]{1,4})?`).Draw(t, "exponent")
		var s scalar
		if err := json.Unmarshal([]byte(digits+fraction+exponent), &s); err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetString(digits + fraction + exponent)
		got, ok := new(big.Rat).SetString(s.text)
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s became %q", digits+fraction+exponent, s.text)
		}
		if fraction+exponent == "" && s.text != digits {
			t.Fatalf("%s became %q", digits, s.text)
		}
		if want.IsInt() && len(digits) < 20 && exponent == "" && strings.Contains(s.text, ".") {
			t.Fatalf("%s%s is not written out: %q", digits, fraction, s.text)
		}
	})
}

func TestScalarOfOtherTypes(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`null`: "", `true`: "true", `false`: "false", `{}`: "", `[1]`: "", `"a\u00e9"`: "aé", `2.1915233078e10`: "21915233078", `1.50`: "1.50",
		`1E3`: "1000", `1e39`: "1" + strings.Repeat("0", 39), `1e40`: "1e40", `1e999999999`: "1e999999999", `0e0`: "0", `1e-2`: "1e-2", `100e-2`: "1",
	} {
		s := scalar{"earlier"}
		if err := json.Unmarshal([]byte(value), &s); err != nil || s.text != want {
			t.Errorf("%s is read as %q, want %q: %v", value, s.text, want, err)
		}
	}
}

// Reading the list as a stream must give the same result as reading it as a whole.
func FuzzDecodeList(f *testing.F) {
	for _, body := range []string{
		`{"fonenumbers":[]}`, `{"fonenumbers":["3215550000",{"fonenumber":"3215550001","label":"x"}]}`, `{"fonenumbers":null}`,
		`{"a":[{}],"fonenumbers":[{"message_options":{"receive":{"type":"url","url":"https://x.test"}}}],"b":{"fonenumbers":["1"]}}`,
		`{"fonenumbers":["3215550000"],"fonenumbers":["3215550001"]}`, `{"fonenumbers":["1",]}`, `{"fonenumbers":["1"`, `{"fonenumbers":["1"],}`,
		`["1"]`, `{"FoneNumbers":["1"]}`, `{"fonenumbers":[1]}`, "{\"fonenumbers\":[\"\xff\"]}", `{"fonenumbers":[null,{},"",{"fonenumber":null}]}`,
		`{"data":{"fonenumbers":[3215550000]}}`, `{"data":[],"data":{"data":{"fonenumbers":["3215550000"]}}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var got []FoneNumber
		skipped := 0
		err := decodeList(strings.NewReader(body), func(f FoneNumber) { got = append(got, f) }, func() { skipped++ })
		var whole json.RawMessage
		if flaw := json.NewDecoder(strings.NewReader(body)).Decode(&whole); err == nil && flaw != nil {
			t.Fatalf("read invalid JSON: %v", flaw)
		}
		for _, f := range got {
			if !isTenDigits(f.Number) {
				t.Fatalf("read the number %q", f.Number)
			}
		}
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &members) != nil || strings.Count(strings.ToLower(body), "fonenumbers")+strings.Count(body, "data")+strings.Count(body, "\\") != 1 {
			return // It is not JSON, or contains the member more than once.
		}
		list, found := members["fonenumbers"]
		var entries []wireEntry
		if found != (err == nil) && json.Unmarshal(list, &entries) == nil {
			t.Fatalf("the response contains a list: %v, but the error is %v", found, err)
		}
		if json.Unmarshal(list, &entries) != nil {
			return
		}
		if err == nil && len(entries) != len(got)+skipped {
			t.Fatalf("of %d entries %d were read and %d skipped", len(entries), len(got), skipped)
		}
	})
}

// Decoding any response returns one FoneNumber or an error that is safe to show.
func FuzzDecodeFoneNumber(f *testing.F) {
	f.Add([]byte(`{"fonenumber":{"fonenumber":"3215550000","is_active":"yes"}}`))
	f.Add([]byte(`{"status_code":200,"result":"SUCCESS"}`))
	f.Add([]byte(`{"error":"Oops\u001b","message":"Try\nlater"}`))
	f.Add([]byte(`{"fonenumber":{"message_options":{"receive":{"type":"pager\u0007"}}}}`))
	f.Add([]byte(`{"data":{"data":{"fonenumber":3215550000,"receive":{"type":" Forward ","forward":3.215551111e9}}}}`))
	f.Add([]byte(`{"fonenumber":null}{`))
	f.Add([]byte(documented(f, "sms_options.receive.url", `[1]`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		original := bytes.Clone(body)
		got, err := decodeFoneNumber(body)
		if !bytes.Equal(body, original) {
			t.Fatal("decoding changed the body")
		}
		if err != nil {
			wantShown(t, (&secrets{}).clean(err.Error()))
			return
		}
		if got.foneNumber == nil {
			return
		}
		if d := got.foneNumber.Delivery; d != nil {
			wantShown(t, (&secrets{}).clean(d.String()))
			if normalized := d.Normalized(); !SameDestination(*d, normalized) {
				t.Fatalf("%+v is not %+v", *d, normalized)
			}
		}
	})
}

// Decoding a login response returns a token that can be sent, or an error.
func FuzzDecodeToken(f *testing.F) {
	for _, body := range []string{
		`{"auth":{"token":"abc"}}`, `{"authorization":{"token":"abc"}}`, `{"status_code":200,"token":"abc"}`, `{"auth":{"token":""},"token":null}`,
		`{"auth":"abc","token":{}}`, `{"auth":{"token":"abc\r\n"}}`, `{"data":{"subaccount":{"token":1}}}`, `[]`, `"abc"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		token, err := decodeToken(body)
		if err == nil && (token == "" || strings.ContainsFunc(token, unicode.IsControl)) {
			t.Fatalf("the token is %q", token)
		}
	})
}
