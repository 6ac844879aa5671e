package fonestorm

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The documents show a FoneNumber in several forms, and the live service may mix them.
func TestGetFoneNumberReadsEveryForm(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		members string // In addition to the number.
		want    FoneNumber
	}{
		"the documented example": {
			`"label":"Demo Number","group":"Demo Group","sms_options":{"receive":{"type":"email","email":"ops@example.com",
			"device":"21915233078","forward":"","url":null,"url_method":null},"receive_notify":{"url":null,"method":null},
			"send_notify":{"url":null,"method":null},"sms_enabled":"yes","mms_enabled":"yes"},"is_active":"yes"`,
			FoneNumber{Label: "Demo Number", Group: "Demo Group", Status: Active, Delivery: &Delivery{Type: Email, Value: "ops@example.com"}, ReceiveNotify: Notification{Type: NotifyNone}},
		},
		"message_options":                   {`"message_options":{"receive":{"type":"Device","device":"987"},"messaging_enabled":"yes"}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "987"}}},
		"both groups, the old one receives": {`"sms_options":{"receive":{"type":"Forward","forward":"3215551111"}},"message_options":{"messaging_enabled":"yes"}`, FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}}},
		"both groups, the new one receives": {`"sms_options":{"sms_enabled":"yes"},"message_options":{"receive":{"type":"Forward","forward":"3215551111"}}`, FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}}},
		"both groups, the other is null":    {`"message_options":null,"sms_options":{"receive":{"type":"Email","email":"ops@example.com"}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "ops@example.com"}}},
		"neither group":                     {`"label":"x"`, FoneNumber{Label: "x"}},
		"null receive":                      {`"message_options":{"receive":null}`, FoneNumber{}},
		"stale fields":                      {`"message_options":{"receive":{"type":"none","device":"1","email":"a@b.c","url":"https://x.test","url_method":"GET","forward":"2"}}`, FoneNumber{Delivery: &Delivery{Type: None}, CallbackURL: "https://x.test"}},
		"stale URL beside a device":         {`"message_options":{"receive":{"type":"device","device":"1","url":"https://x.test","url_method":"GET"}}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "1"}, CallbackURL: "https://x.test"}},
		"URL with method in lower case":     {`"message_options":{"receive":{"type":"url","url":"https://x.test","url_method":"get"}}`, FoneNumber{Delivery: &Delivery{Type: URL, Value: "https://x.test", URLMethod: "GET"}, CallbackURL: "https://x.test"}},
		"unset as empty text":               {`"message_options":{"receive":{"type":"URL","url":"","url_method":""}}`, FoneNumber{Delivery: &Delivery{Type: URL}}},
		"unset as null":                     {`"label":null,"group":null,"message_options":{"receive":{"type":"URL","url":null,"url_method":null}}`, FoneNumber{Delivery: &Delivery{Type: URL}}},
		"type null":                         {`"message_options":{"receive":{"type":null}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"type empty":                        {`"sms_options":{"receive":{"type":"","url":"","forward":""}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"type padded":                       {`"sms_options":{"receive":{"type":" EMAIL ","email":" a@b.c "}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"receive on top":                    {`"receive":{"type":"email","email":"a@b.c"},"sms_enabled":"no"`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}, MessagingDisabled: true}},
		"receive as array":                  {`"sms_options":{"receive":[]}`, FoneNumber{}},
		"options as array":                  {`"sms_options":[],"message_options":[]`, FoneNumber{}},
		"receive as text":                   {`"sms_options":{"receive":"email"}`, FoneNumber{}},
		"value repeated":                    {`"sms_options":{"receive":{"type":"email","value":"a@b.c"}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"device as number":                  {`"sms_options":{"receive":{"type":"device","device":21915233078}}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "21915233078"}}},
		"device as exponent":                {`"sms_options":{"receive":{"type":"device","device":2.1915233078e10}}`, FoneNumber{Delivery: &Delivery{Type: Device, Value: "21915233078"}}},
		"forward as number":                 {`"sms_options":{"receive":{"type":"forward","forward":3.215551111E+9}}`, FoneNumber{Delivery: &Delivery{Type: Forward, Value: "3215551111"}}},
		"odd stale fields":                  {`"sms_options":{"receive":{"type":"email","email":"a@b.c","device":7,"url":{},"forward":[1],"url_method":true}}`, FoneNumber{Delivery: &Delivery{Type: Email, Value: "a@b.c"}}},
		"label as number":                   {`"label":7,"group":8.50`, FoneNumber{Label: "7", Group: "8.50"}},
		"active":                            {`"is_active":"YES"`, FoneNumber{Status: Active}},
		"active as boolean":                 {`"is_active":true`, FoneNumber{Status: Active}},
		"active as number":                  {`"is_active":1`, FoneNumber{Status: Active}},
		"inactive as boolean":               {`"is_active":false`, FoneNumber{Status: CancellationPending}},
		"inactive as number":                {`"is_active":0.0`, FoneNumber{Status: CancellationPending}},
		"activity unknown":                  {`"is_active":"suspended"`, FoneNumber{Status: StatusUnknown}},
		"activity missing":                  {`"is_active":null`, FoneNumber{}},
		"callback notified":                 {`"sms_options":{"receive_notify":{"type":"callback","url":" https://x.test ","method":"json"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyCallback, URL: "https://x.test", Method: "JSON"}}},
		"URL notified":                      {`"sms_options":{"receive_notify":{"url":"https://x.test","method":"POST"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyCallback, URL: "https://x.test", Method: "POST"}}},
		"e-mail notified":                   {`"sms_options":{"receive_notify":{"type":"EMAIL","email":"a@b.c"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyEmail, Email: "a@b.c"}}},
		"address notified":                  {`"sms_options":{"receive_notify":{"email":"a@b.c"}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyEmail, Email: "a@b.c"}}},
		"nobody notified":                   {`"sms_options":{"receive_notify":{"type":"none","url":null}}`, FoneNumber{ReceiveNotify: Notification{Type: NotifyNone}}},
		"pager notified":                    {`"sms_options":{"receive_notify":{"type":"Pager"}}`, FoneNumber{ReceiveNotify: Notification{Type: "Pager"}}},
		"undocumented type":                 {`"message_options":{"receive":{"type":"pager","device":"1"}}`, FoneNumber{Delivery: &Delivery{Type: "pager"}}},
		"unknown members":                   {`"fax_options":{"receive":5},"message_options":{"x":[],"receive":{"type":"None","y":{}}}`, FoneNumber{Delivery: &Delivery{Type: None}}},
		"cancellation pending":              {`"is_active":"no"`, FoneNumber{Status: CancellationPending}},
		"cancelled":                         {`"is_active":"cancel"`, FoneNumber{Status: Cancelled}},
		"SMS disabled":                      {`"sms_options":{"sms_enabled":"no"}`, FoneNumber{MessagingDisabled: true}},
		"messaging disabled":                {`"message_options":{"messaging_enabled":"No"}`, FoneNumber{MessagingDisabled: true}},
		"only MMS disabled":                 {`"message_options":{"messaging_enabled":"yes","mms_enabled":"no"}`, FoneNumber{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := `{"fonenumber":"` + anyNumber + `",` + test.members + `}`
			client := newBubbleClient(t, respondWith(http.StatusOK, `{"fonenumber":`+object+`,"fonenumbers":[`+object+`]}`), withToken)
			test.want.Number = anyNumber
			one, err := client.fetchFoneNumber(t.Context(), anyNumber)
			wantSuccess(t, err)
			all, err := client.fetchFoneNumbers(t.Context(), wholeFoneNumbers)
			wantSuccess(t, err)
			if one.Delivery == nil {
				t.Error("a single read has no delivery")
			} else if test.want.Delivery == nil && one.Delivery.Type == None {
				one.Delivery = nil // The list does not contain it.
			}
			for _, got := range append(all, one) {
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("read %+v with %+v, want %+v with %+v", got, got.Delivery, test.want, test.want.Delivery)
				}
			}
		})
	}
}

// The number is the same, whatever the JSON types and the nesting.
func TestSpellingsOfAResponse(t *testing.T) {
	t.Parallel()
	options := `"sms_options":{"receive":{"type":"forward","forward":"+1 (321) 555-1111"}}`
	for _, body := range []string{
		`{"fonenumber":{"fonenumber":3215550000,` + options + `}}`,
		`{"fonenumber":{"fonenumber":3.21555E9,` + options + `}}`,
		`{"fonenumber":{"fonenumber":"+13215550000",` + options + `}}`,
		`{"fonenumber":{"fonenumber":"1-321-555-0000",` + options + `}}`,
		`{"fonenumber":"(321) 555-0000",` + options + `}`,
		`{"fonenumber":13215550000,` + options + `}`,
		`{"data":{"fonenumber":{"fonenumber":"3215550000",` + options + `}}}`,
		`{"data":{"data":{"fonenumber":"3215550000",` + options + `}},"status_code":200}`,
		`{"fonenumber":null,"data":{"fonenumber":"3215550000",` + options + `}}`,
		" \n{\"fonenumber\": {\"fonenumber\" : \"3215550000\", \"later\":[{}], " + options + "}}\n",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			f, err := newBubbleClient(t, respondWith(http.StatusOK, body), withToken).GetFoneNumber(t.Context(), anyNumber)
			wantSuccess(t, err)
			if f.Number != anyNumber || !SameDestination(*f.Delivery, forwardTo("3215551111")) {
				t.Errorf("read %+v with %+v", f, f.Delivery)
			}
		})
	}
}

// What a 404 means depends on who sent it and on what else is known.
func TestNotFound(t *testing.T) {
	t.Parallel()
	envelope := rejectWith(http.StatusNotFound, "The FoneNumber was not found.", "")
	list := func(numbers string) http.HandlerFunc {
		return respondWith(http.StatusOK, `{"fonenumbers":[`+numbers+`]}`)
	}
	for name, test := range map[string]struct {
		one    http.HandlerFunc
		list   http.HandlerFunc
		proven bool // Whether FoneStorm has responded before.
		want   Kind
		words  []string
	}{
		"FoneStorm says so, and the list":     {envelope, list(`"3215559999"`), false, NotFound, []string{"The FoneNumber was not found."}},
		"the list has no number at all":       {envelope, list(``), false, NotFound, nil},
		"the list contradicts":                {envelope, list(`"+13215550000"`), true, UnexpectedResponse, []string{"The account's list contains the FoneNumber"}},
		"the list's object contradicts":       {envelope, list(`{"fonenumber":3215550000,"is_active":"no"}`), true, UnexpectedResponse, nil},
		"no list, FoneStorm is known":         {envelope, envelope, true, NotFound, nil},
		"no list in time, FoneStorm is known": {envelope, neverRespond, true, NotFound, nil},
		"everything is not found":             {envelope, envelope, false, WrongEndpoint, []string{"https://fonestorm.test/v2 returned 404 Not Found to every request"}},
		"the list cannot be read":             {envelope, rejectWith(http.StatusForbidden, "Not for you.", ""), false, UnexpectedResponse, []string{"could not be confirmed", "Not for you."}},
		"no entry of the list can be read":    {envelope, list(`{"label":"x"}`), false, UnexpectedResponse, []string{"could not be confirmed", "no entry of the list contains a FoneNumber"}},
		"the list is too slow":                {envelope, neverRespond, false, UnexpectedResponse, []string{"could not be confirmed", "no response within 2m0s"}},
		"a web page":                          {respondWith(http.StatusNotFound, "<html>"), list(``), true, WrongEndpoint, []string{"GET https://fonestorm.test/v2/fonenumbers/" + anyNumber}},
		"another program":                     {respondWith(http.StatusNotFound, `{"message":"no Route matched"}`), list(``), true, WrongEndpoint, nil},
		"an envelope without message":         {respondWith(http.StatusNotFound, `{"error":"Not Found","status_code":404}`), list(``), true, WrongEndpoint, nil},
		"an envelope of another status":       {respondWith(http.StatusNotFound, `{"error":"Not Found","message":"","status_code":400}`), list(``), true, WrongEndpoint, nil},
		"an envelope with a text as status":   {respondWith(http.StatusNotFound, `{"error":"Not Found","message":"","status_code":"404"}`), list(``), true, NotFound, nil},
		"nothing":                             {respondWith(http.StatusNotFound, ""), list(``), true, WrongEndpoint, nil},
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == simulator.BasePath+"/fonenumbers/"+anyNumber:
					test.one(w, r)
				case kindOf(r) == "list":
					test.list(w, r)
				default:
					respond(w, http.StatusOK, `{"fonenumber":{"fonenumber":"3215551111"}}`)
				}
			}), withToken)
			if test.proven {
				get(t, client, "3215551111")
			}
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			wantKind(t, err, test.want)
			wantWords(t, err, append(test.words, "read FoneNumber "+anyNumber)...)
			if IsNotFound(err) != (test.want == NotFound) || MayHaveTakenEffect(err) {
				t.Errorf("IsNotFound: %t, MayHaveTakenEffect: %t", IsNotFound(err), MayHaveTakenEffect(err))
			}
		})
	}
}

// Cancellation while a 404 is being confirmed returns Canceled, not NotFound.
func TestCancelledWhileA404IsConfirmed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if kindOf(r) == "list" {
				neverRespond(w, r)
				return
			}
			rejectWith(http.StatusNotFound, "no", "")(w, r)
		}), withToken)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.GetFoneNumber(ctx, anyNumber)
		if KindOf(err) != Canceled || IsNotFound(err) {
			t.Errorf("the error is %v", err)
		}
	})
}

// A truncated list must neither count as a smaller account nor be counted twice after a retry.
func TestListThatIsCutOffIsReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{
			respondWith(200, `{"fonenumbers":["3215550000","3215550001",`), respondWith(200, `{"fonenumbers":["3215550000","3215550001"]}`),
		}}
		list, err := newBubbleClient(t, server, withToken).fetchFoneNumbers(t.Context(), wholeFoneNumbers)
		wantSuccess(t, err)
		if len(list) != 2 || len(server.arrived) != 2 {
			t.Errorf("after %d requests the list has %d entries, want 2", len(server.arrived), len(list))
		}
	})
}

// object returns a FoneNumber with all known members, about 1.2 kB.
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

// The list of the largest accounts, with 10,000 FoneNumbers, is 12 MB. It must never be in memory as a whole; the snapshot keeps
// less than half. This test does not run in parallel with others, because it measures the memory of the whole process. It
// collects garbage early, because garbage does not matter here.
func TestListNeedsLittleMemory(t *testing.T) {
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	const n = 10_000
	var peak, size int64
	body, list := io.Pipe() // Writing waits for the client to read.
	go func() {
		separator := `{"fonenumbers":[`
		for i := range n {
			written, _ := io.WriteString(list, separator+object(i))
			size += int64(written)
			separator = ","
			if i%50 == 0 {
				peak = max(peak, heap())
			}
		}
		_, _ = io.WriteString(list, "]}")
		_ = list.Close()
	}()
	client := newNetworkClient(t, roundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
	}), withToken)
	runtime.GC()
	before := heap()
	found := listAll(t, client)
	if len(found) != n || found[n-1].Delivery.Value != "https://callback.test/messages/9999?msg={{msg}}&from={{from}}" || size < 11<<20 {
		t.Fatalf("the list of %d bytes has %d entries, the last one is %+v", size, len(found), found[len(found)-1])
	}
	runtime.GC()
	live := heap()
	runtime.KeepAlive(found)
	runtime.KeepAlive(client)
	if peak < before || peak-before > size || live-before > size {
		t.Errorf("to read %d kB took %d kB, and keeps %d kB", size>>10, (peak-before)>>10, (live-before)>>10)
	}
}
