package fonestorm

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// At the rate limit of a standard account, reading a thousand FoneNumbers takes about as long as reading a few, whether
// Terraform reads all at once, ten at a time, or one by one. It takes seven requests, also if each is read again.
func TestThousandReadsSendSevenRequests(t *testing.T) {
	t.Parallel()
	const n = 1000
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"fonenumber":%q,"receive":{}}`, numberAt(i))
	}
	for _, atOnce := range []int{2 * n, 10, 1} {
		inBubble(t, fmt.Sprint(atOnce, " at once"), func(t *testing.T) {
			server := accountWith(respondTo("["+strings.Join(list, ",")+"]"), respondTo("login"))
			server.latency = time.Second
			client := newClient(t, server, withLogin, paced)
			begun := time.Now()
			for i := 0; i < 2*n; i += atOnce {
				wantSuccess(t, together(atOnce, func(j int) error { return read(t.Context(), client, numberAt((i+j)%n)) })...)
			}
			slices.Sort(server.calls)
			server.wantCalls(t, "get, get, get, get, get, list, login json")
			if elapsed, most := time.Since(begun), 8*time.Second; elapsed > most {
				t.Errorf("took %s, want at most %s", elapsed, most)
			}
		})
	}
}

// ReadFoneNumber always sends a request. What it reads is known from then on, and so is what is set, also in the list.
func TestAccountKnowsTheLatest(t *testing.T) {
	t.Parallel()
	server := scripted(`[{"fonenumber":3215550000,"receive":{}}] ` + toNumber + " " + toOps + " 404")
	client := newClient(t, server)
	wantKnown := func(want Delivery) {
		t.Helper()
		list, err := client.ListFoneNumbers(t.Context())
		if got := get(t, client); err != nil || got.Options[Receive] != want || list[0] != got {
			t.Errorf("it is listed as %+v and read as %+v, want %+v: %v", list, got, want, err)
		}
	}
	wantKnown(none)
	wantSuccess(t, fetch(t.Context(), client))
	wantKnown(forward)
	wantSuccess(t, set(t.Context(), client, ops))
	wantKnown(ops)
	wantKind(t, fetch(t.Context(), client), UnexpectedResponse, "The account's list contains the FoneNumber")
	server.wantCalls(t, "list, get, set json, get")
}

// A list corrects a read that failed.
func TestListedAfterAFailedRead(t *testing.T) {
	t.Parallel()
	client := newClient(t, scripted(`403 [{"fonenumber":3215550000,"receive":{}}]`))
	wantKind(t, read(t.Context(), client, anyNumber), PermissionDenied)
	_, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err, read(t.Context(), client, anyNumber))
}

// A read or a list that was sent before a setting shows the account as it was. It never replaces what is known since, nor does it
// when the setting failed after it took effect.
func TestSettingDuringARead(t *testing.T) {
	t.Parallel()
	const before = `{"fonenumber":"` + anyNumber + `","sms_options":{"receive":{"type":"None"}}}`
	for calls, setting := range map[string]string{
		"get, set json": toNumber, "list, set json": toNumber, "get, set json, get": "403", "list, set json, get": "403",
	} {
		for _, later := range []time.Duration{0, time.Minute} { // After a minute the early request has ended.
			inBubble(t, fmt.Sprint(calls, later), func(t *testing.T) {
				server := newScript(func(r *http.Request) (*http.Response, error) {
					time.Sleep(10 * time.Second)
					return respondWith(http.StatusOK, `{"fonenumber":`+before+`,"fonenumbers":[`+before+`]}`)(r)
				}, respondTo(setting), respondTo(toNumber))
				client := newClient(t, server)
				go func() {
					if strings.HasPrefix(calls, "list") {
						_, _ = client.ListFoneNumbers(t.Context())
					} else {
						_ = read(t.Context(), client, anyNumber)
					}
				}()
				time.Sleep(time.Second)
				_ = set(t.Context(), client, forward)
				for range 2 {
					time.Sleep(later)
					if got := get(t, client).Options[Receive]; got != forward {
						t.Errorf("it is read as %+v", got)
					}
					later = time.Minute
				}
				server.wantCalls(t, calls)
			})
		}
	}
}

// accountWith responds to lists as given, and to reads of single FoneNumbers with a delivery.
func accountWith(whole, plain responder) *script {
	return newScript(func(r *http.Request) (*http.Response, error) {
		switch {
		case kindOf(r) == "get":
			number := r.URL.Path[len(simulator.BasePath+"/fonenumbers/"):]
			return respondWith(http.StatusOK, `{"fonenumber":{"fonenumber":"`+number+`","is_active":"yes","sms_options":{"receive":{"type":"None"}}}}`)(r)
		case r.URL.RawQuery == "filter=all":
			return whole(r)
		default:
			return plain(r)
		}
	})
}

// Each form of the list is found out once. FoneNumbers that it shows without a message option or as inactive are read singly, once.
func TestListForms(t *testing.T) {
	t.Parallel()
	const numbers = `["3215550000","3215550001","3215550002"]`
	const two = `{"fonenumber":"3215550000","receive":{}},{"fonenumber":"3215550001","receive":{}}`
	const third = `{"fonenumber":"3215550002","is_active":"unknown","receive":{},"send_notify":{"type":"None"}}`
	const inactive = `{"fonenumber":"3215550003","is_active":"no"},{"fonenumber":"3215550004","is_active":"cancel","receive":{}}`
	for whole, requests := range map[string][3]int{ // By message option.
		`[null,` + two + `,` + third + `,` + inactive + `]`: {Receive: 1, SendNotify: 1 + 2},
		`[` + two + `,{"fonenumber":"3215550002"}]`:         {Receive: 1 + 1, SendNotify: 1 + 3},
		numbers: {Receive: 1 + 3, SendNotify: 1 + 3}, // The filter is ignored.
		"400":   {Receive: 2 + 3, SendNotify: 2 + 3}, "404": {Receive: 2 + 3, SendNotify: 2 + 3}, "410": {Receive: 2 + 3, SendNotify: 2 + 3},
		"415": {Receive: 2 + 3, SendNotify: 2 + 3}, "422": {Receive: 2 + 3, SendNotify: 2 + 3},
	} {
		inBubble(t, whole, func(t *testing.T) {
			server := accountWith(respondTo(whole), respondTo(numbers))
			client := newClient(t, server)
			for _, option := range []MessageOption{Receive, Receive, SendNotify, SendNotify} {
				list, err := client.ListFoneNumbers(t.Context(), option)
				wantSuccess(t, err)
				got, err := client.GetFoneNumber(t.Context(), numberAt(2), option)
				if wantSuccess(t, err); len(list) != 3 || list[0].Number != anyNumber || list[2] != got || got.Options[option] != none {
					t.Errorf("the list is %+v, and the last one is read as %+v", list, got)
				}
				clear(list) // Each caller has its own.
				server.wantCount(t, requests[option])
			}
			wantSuccess(t, read(t.Context(), client, numberAt(4)))
			server.wantCount(t, requests[SendNotify]+1)
		})
	}
}

// The list only saves requests: if it fails, reads still succeed and do not request it again. ListFoneNumbers returns the error each
// time, and never a partial list.
func TestReadsSucceedWithoutTheList(t *testing.T) {
	t.Parallel()
	for fail, forms := range map[string]int{"403": 1, "400": 2, "404": 2, "502": 1, "html": 1, "cut": 1, "ok": 1, "lost": 1, "never": 1} {
		inBubble(t, fail, func(t *testing.T) {
			server := accountWith(respondTo(fail), respondTo(fail))
			client := newClient(t, server, withoutRetries)
			for range 2 {
				wantSuccess(t, together(50, func(i int) error { return read(t.Context(), client, numberAt(i)) })...)
				if list, err := client.ListFoneNumbers(t.Context()); err == nil || len(list) != 0 {
					t.Errorf("the list has %d entries, and the error is %v", len(list), err)
				}
			}
			server.wantCount(t, 50+forms)
		})
	}
}

// A list that was canceled is requested again. If one of the single reads fails, so does the list, without further reads. A FoneNumber
// that was removed after it was listed is skipped.
func TestListThatCannotBeCompleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		numbers := make([]string, 100)
		for i := range numbers {
			numbers[i] = numberAt(i)
		}
		server := scripted("never [" + strings.Join(numbers, ",") + "] 403")
		server.latency = time.Second
		client := newClient(t, server)
		ctx, why := cancelLater(t, time.Second)
		_, err := client.ListFoneNumbers(ctx)
		wantKind(t, err, Canceled, why.Error())
		list, err := client.ListFoneNumbers(t.Context())
		if wantKind(t, err, PermissionDenied); list != nil {
			t.Errorf("the list is %+v", list)
		}
		server.wantCount(t, 2+readsAtOnce)

		_, err = newClient(t, scripted("[3215550000] another"), withoutRetries).ListFoneNumbers(t.Context())
		wantKind(t, err, UnexpectedResponse, "does not contain the FoneNumber")
		client = newClient(t, scripted("[3215550000] 404"))
		_, err = client.list(t.Context())
		wantSuccess(t, err)
		_, err = client.ListFoneNumbers(ctx)
		wantKind(t, err, Canceled, why.Error())
		if list, err = client.ListFoneNumbers(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("the list is %+v: %v", list, err)
		}

		ctx, why = cancelLater(t, time.Second)
		wantKind(t, fetch(ctx, newClient(t, scripted("404 never"))), Canceled, why.Error())
	})
}

// A FoneNumber is not found if its read has a 404 that the list does not contradict, or if the user may not see the list.
func TestNotFoundIsConfirmed(t *testing.T) {
	t.Parallel()
	const unread = ". The account's list could not be read"
	for list, why := range map[string]string{ // Why it is not confirmed; empty if it is.
		"[]": "", "[3215550001]": "", `[{"fonenumber":3215550000,"is_active":"cancel"}]`: "", "403": "", "410": "",
		`[{"fonenumber":3215550000,"is_active":"no"}]`: ". The account's list contains the FoneNumber",
		"404": unread, `[{"label":"x"}]`: unread, "401 403": unread, // The second one is to a login.
	} {
		inBubble(t, list, func(t *testing.T) {
			client := newClient(t, scripted("login 404 "+list), withoutRetries)
			kind := map[bool]Kind{true: NotFound, false: UnexpectedResponse}[why == ""]
			wantKind(t, fetch(t.Context(), client), kind, "words of 404"+why)
		})
	}
}

// There is one list of the devices, even if it fails: a user who is not allowed to list them will not be allowed later.
func TestListDevices(t *testing.T) {
	t.Parallel()
	server := newScript(respondWith(http.StatusOK, `{"devices":[null,[],"2",{"name":"no ID"},{"id":3},
		{"id":" 21915233078 ","name":"Front desk","type":"Polycom","fonenumber":"+1 321 555 0000","mac_address":null}]}`))
	client, forbidden := newClient(t, server), newClient(t, scripted("403 ok"))
	for range 2 {
		got, err := client.ListDevices(t.Context())
		if want := []RegisteredDevice{{ID: "3"}, {"21915233078", "Front desk", "Polycom", anyNumber}}; err != nil || !slices.Equal(got, want) {
			t.Errorf("the devices are %+v, want %+v: %v", got, want, err)
		}
		_, err = forbidden.ListDevices(t.Context())
		wantKind(t, err, PermissionDenied, "list the account's devices", "words of 403")
	}
	server.wantCalls(t, "devices")
}
