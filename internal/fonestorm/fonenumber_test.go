package fonestorm

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The documents show a FoneNumber in several forms, and the live service may mix them.
func TestGetFoneNumberReadsEveryForm(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		members string // Besides the number.
		want    FoneNumber
	}{
		"the documented example": {
			`"label":"Demo Number","group":"Demo Group","sms_options":{"receive":{"type":"email","email":"ops@example.com",
			"device":"21915233078","forward":"","url":null,"url_method":null},"receive_notify":{"url":null,"method":null},
			"send_notify":{"url":null,"method":null},"sms_enabled":"yes","mms_enabled":"yes"},"is_active":"yes"`,
			FoneNumber{Label: "Demo Number", Group: "Demo Group", Status: Active, Delivery: &Delivery{Type: Email, Value: "ops@example.com"}},
		},
		"message_options": {
			`"message_options":{"receive":{"type":"Device","device":"987"},"messaging_enabled":"yes"}`,
			FoneNumber{Delivery: &Delivery{Type: Device, Value: "987"}},
		},
		"both groups, the old one receives": {
			`"sms_options":{"receive":{"type":"Forward","forward":"3215551111"}},"message_options":{"messaging_enabled":"yes"}`,
			FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}},
		},
		"both groups, the new one receives": {
			`"sms_options":{"sms_enabled":"yes"},"message_options":{"receive":{"type":"Forward","forward":"3215551111"}}`,
			FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}},
		},
		"both groups, the other is null": {
			`"message_options":null,"sms_options":{"receive":{"type":"Email","email":"ops@example.com"}}`,
			FoneNumber{Delivery: &Delivery{Type: Email, Value: "ops@example.com"}},
		},
		"neither group": {`"label":"x"`, FoneNumber{Label: "x"}},
		"null receive":  {`"message_options":{"receive":null}`, FoneNumber{}},
		"stale fields": {
			`"message_options":{"receive":{"type":"none","device":"1","email":"a@b.c","url":"https://x.test","url_method":"GET","forward":"2"}}`,
			FoneNumber{Delivery: &Delivery{Type: None}},
		},
		"stale URL beside a device": {
			`"message_options":{"receive":{"type":"device","device":"1","url":"https://x.test","url_method":"GET"}}`,
			FoneNumber{Delivery: &Delivery{Type: Device, Value: "1"}},
		},
		"URL with method in lower case": {
			`"message_options":{"receive":{"type":"url","url":"https://x.test","url_method":"get"}}`,
			FoneNumber{Delivery: &Delivery{Type: URL, Value: "https://x.test", URLMethod: "GET"}},
		},
		"unset as empty text": {
			`"message_options":{"receive":{"type":"URL","url":"","url_method":""}}`, FoneNumber{Delivery: &Delivery{Type: URL}},
		},
		"unset as null": {
			`"label":null,"group":null,"message_options":{"receive":{"type":"URL","url":null,"url_method":null}}`,
			FoneNumber{Delivery: &Delivery{Type: URL}},
		},
		"never set":            {`"message_options":{"receive":{"type":null}}`, FoneNumber{Delivery: &Delivery{}}},
		"undocumented type":    {`"message_options":{"receive":{"type":"pager","device":"1"}}`, FoneNumber{Delivery: &Delivery{Type: "pager"}}},
		"unknown members":      {`"fax_options":{"receive":5},"message_options":{"x":[],"receive":{"type":"None","y":{}}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"cancellation pending": {`"is_active":"no"`, FoneNumber{Status: CancellationPending}},
		"cancelled":            {`"is_active":"cancel"`, FoneNumber{Status: Cancelled}},
		"SMS disabled":         {`"sms_options":{"sms_enabled":"no"}`, FoneNumber{MessagingDisabled: true}},
		"messaging disabled":   {`"message_options":{"messaging_enabled":"No"}`, FoneNumber{MessagingDisabled: true}},
		"only MMS disabled":    {`"message_options":{"messaging_enabled":"yes","mms_enabled":"no"}`, FoneNumber{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := `{"fonenumber":"` + anyNumber + `",` + test.members + `}`
			client := newBubbleClient(t, answering(http.StatusOK, `{"fonenumber":`+object+`,"fonenumbers":[`+object+`]}`), withToken)
			test.want.Number = anyNumber
			one, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantSuccess(t, err)
			all, err := client.fetchFoneNumbers(t.Context())
			wantSuccess(t, err)
			for _, got := range append(all, one) {
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("it reads as %+v with %+v, want %+v with %+v", got, got.Delivery, test.want, test.want.Delivery)
				}
			}
		})
	}
}

func TestGetFoneNumberAboutAnother(t *testing.T) {
	t.Parallel()
	client := newBubbleClient(t, answering(http.StatusOK, receiving(`{"type":"None"}`)), withToken)
	_, err := client.GetFoneNumber(t.Context(), "3215559999")
	wantAnswerError(t, err)
	wantWords(t, err, "reading FoneNumber 3215559999", `it is about FoneNumber "`+anyNumber+`"`)
}

func TestGetFoneNumberThatIsNotInTheAccount(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{})
	client := newTestClient(t, sim)
	_, err := client.GetFoneNumber(t.Context(), anyNumber)
	wantError(t, err, http.StatusNotFound)
	wantWords(t, err, "reading FoneNumber "+anyNumber)
	wantKinds(t, sim, map[string]int{"login": 1, "get": 1})
}

func TestDecodeList(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body    string
		numbers string // What fmt prints for those that are found.
		flaw    string
	}{
		"empty":                 {`{"fonenumbers":[]}`, "[]", ""},
		"numbers alone":         {`{"fonenumbers":["3215550000","3215550001"]}`, "[3215550000 3215550001]", ""},
		"numbers and objects":   {`{"fonenumbers":["3215550000",{"fonenumber":"3215550001"}]}`, "[3215550000 3215550001]", ""},
		"members of all kinds":  {`{"a":1,"b":"x","c":null,"d":[{}],"e":{"fonenumbers":["1"]},"fonenumbers":["2"],"f":true,"g":{}}`, "[2]", ""},
		"white space":           {" {\n \"fonenumbers\" : [\n \"1\" ,\n \"2\" ] } \n", "[1 2]", ""},
		"no list":               {`{"numbers":[]}`, "[]", "it holds no list of FoneNumbers"},
		"nothing":               {`{}`, "[]", "it holds no list of FoneNumbers"},
		"null":                  {`{"fonenumbers":null}`, "[]", "it has <nil> where [ should be"},
		"object for list":       {`{"fonenumbers":{"1":{}}}`, "[]", "it has { where [ should be"},
		"list alone":            {`["3215550000"]`, "[]", "it has [ where { should be"},
		"number for text":       {`{"fonenumbers":["1",2]}`, "[1]", "number"},
		"cut off in an entry":   {`{"fonenumbers":["1",{"fonenum`, "[1]", "unexpected EOF"},
		"cut off in the list":   {`{"fonenumbers":["1"`, "[1]", "EOF"},
		"cut off after entries": {`{"fonenumbers":["1",`, "[1]", "EOF"},
		"cut off after list":    {`{"fonenumbers":["1"]`, "[1]", "EOF"},
		"damaged before list":   {`{"a":tru,"fonenumbers":[]}`, "[]", "invalid character"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			numbers := []string{}
			err := decodeList(strings.NewReader(test.body), func(f FoneNumber) { numbers = append(numbers, f.Number) })
			if got := fmt.Sprint(numbers); got != test.numbers {
				t.Errorf("it found %s, want %s", got, test.numbers)
			}
			if test.flaw == "" {
				wantSuccess(t, err)
			} else {
				wantWords(t, err, test.flaw)
			}
		})
	}
}

// An answer that is cut off must not be taken for a smaller account, nor counted twice when it is repeated.
func TestListThatIsCutOffIsReadAgain(t *testing.T) {
	t.Parallel()
	sim := newSimulator(t, simulator.Options{FoneNumbers: 3})
	client := newTestClient(t, sim)
	broken := 1
	sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/fonenumbers" || broken == 0 {
			return false
		}
		broken--
		respond(w, http.StatusOK, `{"fonenumbers":["3215550000","3215550001",`)
		return true
	})
	list, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	if len(list) != 3 {
		t.Errorf("the list has %d entries, want 3", len(list))
	}
	wantKinds(t, sim, map[string]int{"login": 1, "list": 2})
}

// account is the answer to a list of many FoneNumbers of realistic size, made while it is read.
type account struct {
	numbers int
	onRead  func()

	made int
	rest []byte
}

func (a *account) Read(p []byte) (int, error) {
	a.onRead()
	if len(a.rest) == 0 && a.made > a.numbers {
		return 0, io.EOF
	}
	if len(a.rest) == 0 {
		a.rest = a.next()
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

func (a *account) next() []byte {
	a.made++
	switch a.made {
	case 1:
		return append([]byte(`{"fonenumbers":[`), object(0)...)
	case a.numbers + 1:
		return []byte(`]}`)
	default:
		return append([]byte{','}, object(a.made-1)...)
	}
}

// size returns how many bytes the answer has.
func (a account) size(t testing.TB) int64 {
	t.Helper()
	a.onRead = func() {}
	n, err := io.Copy(io.Discard, &a)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// object returns a FoneNumber with all the members that the API is known to have, about 1.2 kB.
func object(i int) string {
	notify := fmt.Sprintf(`{"type":"Callback","url":"https://callback.test/%d","method":"POST"}`, i)
	return fmt.Sprintf(`{"fonenumber":"%d","label":"Branch office %d","group":"Demo Group","account":"100%06d",`+
		`"call_options":{"receive":{"type":"device","device":"21915233078","device_timeout":30,"forward":"","url":null,`+
		`"url_method":null,"voicemail":"yes","record":"no"},"receive_notify":%s,"send_notify":%s,"cnam":"DEMO COMPANY"},`+
		`"fax_options":{"receive":{"type":"email","email":"fax@example.com"},"receive_notify":%s,"send_notify":%s},`+
		`"message_options":{"receive":{"type":"url","device":"21915233078","email":"ops-%d@example.com","forward":"",`+
		`"url":"https://callback.test/messages/%d?msg={{msg}}&from={{from}}","url_method":"POST"},"receive_notify":%s,`+
		`"send_notify":%s,"messaging_enabled":"yes","mms_enabled":"yes"},"e911":{"name":"Demo Company",`+
		`"street":"1 Main Street","city":"Melbourne"},"is_active":"yes"}`,
		3215550000+i, i, i, notify, notify, notify, notify, i, i, notify, notify)
}

// The largest accounts have 10,000 FoneNumbers, a list of 12 MB, of which a snapshot keeps less than half: it must not
// be in memory as a whole at any time. This test does not run in parallel to others, because it measures what the
// whole process uses, and has garbage collected early, because that is not what it is about.
func TestListNeedsLittleMemory(t *testing.T) {
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	var peak int64
	reads := 0
	answer := account{numbers: 10_000, onRead: func() {
		if reads++; reads%50 == 0 {
			peak = max(peak, heap())
		}
	}}
	size := answer.size(t)
	if size < 11<<20 {
		t.Fatalf("the list has %d bytes, which is less than a realistic one", size)
	}
	client := newBubbleClient(t, http.NotFoundHandler(), withToken)
	client.transport.http.Transport = roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(&answer)}, nil
	})
	runtime.GC()
	before := heap()
	list, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	if len(list) != 10_000 || list[9_999].Delivery.Value != "https://callback.test/messages/9999?msg={{msg}}&from={{from}}" {
		t.Fatalf("the list has %d entries, the last one is %+v", len(list), list[len(list)-1])
	}
	runtime.GC()
	live := heap()
	runtime.KeepAlive(list)
	runtime.KeepAlive(client)
	if peak < before || peak-before > size || live-before > size {
		t.Errorf("to read %d kB took %d kB, and keeps %d kB", size>>10, (peak-before)>>10, (live-before)>>10)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func BenchmarkDecodeList(b *testing.B) {
	body, err := io.ReadAll(&account{numbers: 10_000, onRead: func() {}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		err := decodeList(bytes.NewReader(body), func(FoneNumber) { found++ })
		if err != nil || found != 10_000 {
			b.Fatalf("it found %d, %v", found, err)
		}
	}
}
