package fonestorm

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// listed returns a client that has just read the whole account, and forgets the requests for that.
func listed(t testing.TB, sim *simulator.Simulator) *Client {
	t.Helper()
	client := newBubbleClient(t, sim)
	listAll(t, client)
	sim.Forget()
	return client
}

// At the rate limit of a standard account, reading a thousand FoneNumbers takes about as long as reading a few, whether
// Terraform reads all at once, ten at a time, or one by one. It takes seven requests.
func TestThousandReadsSendSevenRequests(t *testing.T) {
	t.Parallel()
	const n = 1000
	for name, atOnce := range map[string]int{"all at once": n, "ten at a time": 10, "one by one": 1} {
		inBubble(t, name, func(t *testing.T) {
			options := slow(n)
			options.RateLimit = perSecond
			sim := newSimulator(t, options)
			client := newBubbleClient(t, sim, paced)
			begun := time.Now()
			for i := 0; i < n; i += atOnce {
				wantSuccess(t, together(atOnce, func(k int) error { return read(t.Context(), client, numberAt(i+k)) })...)
			}
			wantRequests(t, sim, map[string]int{"login": 1, "get": 5, "list": 1})
			if elapsed, most := time.Since(begun), 8*time.Second; elapsed > most {
				t.Errorf("took %s, want at most %s", elapsed, most)
			}
		})
	}
}

// For a few resources the list would be slower than single reads.
func TestFewReadsAreSingle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := newBubbleClient(t, sim)
		getAll(t, client, singleReads)
		wantRequests(t, sim, map[string]int{"login": 1, "get": singleReads})
		getAll(t, client, singleReads) // No request: they are known now.
		wantRequests(t, sim, map[string]int{"login": 1, "get": singleReads})
		if f, ok := client.Known(numberAt(1)); !ok || f.Number != numberAt(1) {
			t.Errorf("after a read it knows %+v, %t", f, ok)
		}
		if f, ok := client.Known(numberAt(singleReads)); ok {
			t.Errorf("it knows %+v, which was not read", f)
		}
	})
}

func TestReadersShareARequest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := newBubbleClient(t, sim)
		wantSuccess(t, together(50, func(int) error { return read(t.Context(), client, anyNumber) })...)
		wantRequests(t, sim, map[string]int{"login": 1, "get": 1})
		sim.Forget()
		lists := make([][]FoneNumber, 20)
		wantSuccess(t, together(len(lists), func(i int) (err error) {
			lists[i], err = client.ListFoneNumbers(t.Context())
			return err
		})...)
		slices.Reverse(lists[0]) // Each caller gets its own copy of the list.
		for _, list := range append(lists[1:], listAll(t, client)) {
			if list[0].Number != anyNumber {
				t.Fatalf("changes by one caller are visible to another: the list begins with %s", list[0].Number)
			}
		}
		getAll(t, client, 10)
		wantRequests(t, sim, map[string]int{"list": 1})
	})
}

// ReadFoneNumber always sends a request, and what it reads is known from then on.
func TestReadFoneNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := listed(t, sim)
		sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
		if got := get(t, client, anyNumber).Delivery; got.Type != None {
			t.Errorf("the list is not used: %+v", got)
		}
		for range 2 {
			f, err := client.ReadFoneNumber(t.Context(), anyNumber)
			wantSuccess(t, err)
			if known := get(t, client, anyNumber); f.Delivery.Value != "3215551111" || !reflect.DeepEqual(known, f) {
				t.Errorf("read %+v, but knows %+v", f.Delivery, known.Delivery)
			}
		}
		_, err := client.ReadFoneNumber(t.Context(), "3215559999")
		wantKind(t, err, NotFound)
		wantRequests(t, sim, map[string]int{"get": 3})
	})
}

func TestSettingUpdatesWhatIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := listed(t, sim)
		want := forwardTo("3215551111")
		wantSuccess(t, set(t.Context(), client, numberAt(3), want))
		if got := get(t, client, numberAt(3)).Delivery; !reflect.DeepEqual(got, &want) {
			t.Errorf("read %+v, want %+v", got, want)
		}
		if list := listAll(t, client); len(list) != 10 || !reflect.DeepEqual(list[3].Delivery, &want) {
			t.Errorf("among %d it is listed as %+v, want %+v", len(list), list[3].Delivery, want)
		}
		wantRequests(t, sim, map[string]int{"set": 1})
	})
}

// failAfterSetting makes settings fail after they have taken effect.
func failAfterSetting(sim *simulator.Simulator, number string) {
	sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if kindOf(r) != "set" {
			return false
		}
		sim.Put(simulator.FoneNumber{Number: number, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
		rejectWith(http.StatusForbidden, "no", "")(w, r)
		return true
	})
}

// A read or a list that was sent before a setting shows the account as it was. It never replaces what is known since.
func TestSettingDuringARead(t *testing.T) {
	t.Parallel()
	before := `{"fonenumber":"` + anyNumber + `","sms_options":{"receive":{"type":"None"}}}`
	for name, whole := range map[string]bool{"single read": false, "list": true} {
		for outcome, fails := range map[string]bool{"succeeds": false, "fails": true} {
			inBubble(t, name+", the setting "+outcome, func(t *testing.T) {
				sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
				client := newBubbleClient(t, sim, withoutRetries)
				get(t, client, numberAt(1)) // Logs in.
				sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method != http.MethodGet {
						return false
					}
					respond(w, http.StatusOK, `{"fonenumber":`+before+`,"fonenumbers":[`+before+`]}`)
					time.Sleep(10 * time.Second) // A slow response.
					return true
				})
				early := begin(func() error {
					if whole {
						_, err := client.ListFoneNumbers(t.Context())
						return err
					}
					return read(t.Context(), client, anyNumber)
				})
				time.Sleep(time.Second) // It has been sent.
				sim.Intercept(nil)
				if fails {
					failAfterSetting(sim, anyNumber)
				}
				if err := set(t.Context(), client, anyNumber, forwardTo("3215551111")); (err != nil) != fails {
					t.Errorf("the setting ended with %v", err)
				}
				if f, known := client.Known(anyNumber); known == fails {
					t.Errorf("after the setting it knows %+v: %t", f.Delivery, known)
				}
				for range 2 { // Before and after the early one has ended.
					if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
						t.Errorf("it is read as %+v", got)
					}
					time.Sleep(time.Minute)
				}
				wantSuccess(t, <-early)
				if list := listAll(t, client); list[0].Delivery.Value != "3215551111" {
					t.Errorf("it is listed as %+v", list[0].Delivery)
				}
			})
		}
	}
}

// accountWith responds to lists as given, and to reads of single FoneNumbers with a delivery.
func accountWith(whole, plain http.HandlerFunc) *script {
	return &script{responses: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != simulator.BasePath+"/fonenumbers":
			number := r.URL.Path[len(simulator.BasePath+"/fonenumbers/"):]
			respond(w, http.StatusOK, `{"fonenumber":{"fonenumber":"`+number+`","is_active":"yes","sms_options":{"receive":{"type":"None"}}}}`)
		case r.URL.RawQuery == "filter=all":
			whole(w, r)
		default:
			plain(w, r)
		}
	}}}
}

// Each form of the list is found out once, with this number of requests.
func TestListForms(t *testing.T) {
	t.Parallel()
	const numbers = `{"fonenumbers":["3215550000","3215550001","3215550002"]}`
	strings := respondWith(http.StatusOK, numbers)
	never := func(http.ResponseWriter, *http.Request) { t.Error("the plain list was requested") }
	const receiving = `"sms_options":{"receive":{"type":"None"}}`
	type testCase struct {
		whole, plain http.HandlerFunc
		requests     int
	}
	tests := map[string]testCase{
		"objects": {respondWith(http.StatusOK, `{"fonenumbers":[null,{"fonenumber":"3215550000",`+receiving+`},{"fonenumber":"3215550001",`+receiving+`},
			{"fonenumber":"3215550002",`+receiving+`},{"fonenumber":"3215550003","is_active":"no"},{"fonenumber":"3215550004","is_active":"cancel",`+receiving+`}]}`), never, 1},
		"one without delivery": {respondWith(http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000",`+receiving+`},{"fonenumber":"3215550001",`+receiving+`},
			{"fonenumber":"3215550002"}]}`), never, 2},
		"ignored filter": {strings, never, 4},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(110 * time.Second)
			strings(w, r)
		}, never, 4},
	}
	for _, status := range []int{400, 404, 410, 415, 422} {
		tests[fmt.Sprint("rejected with ", status)] = testCase{rejectWith(status, "filter is not supported", ""), strings, 5}
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			server := accountWith(test.whole, test.plain)
			client := newBubbleClient(t, server, withToken)
			for range 2 {
				list := listAll(t, client)
				if len(list) != 3 || list[0].Number != anyNumber || list[2].Number != numberAt(2) || list[2].Delivery == nil {
					t.Errorf("the list is %+v", list)
				}
			}
			if n := server.count(); n != test.requests {
				t.Errorf("there were %d requests, want %d", n, test.requests)
			}
		})
	}
}

// The list only saves requests: if it fails, reads still succeed and do not request it again.
func TestReadsSucceedWithoutTheList(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"forbidden":   rejectWith(http.StatusForbidden, "not for you", ""),
		"not JSON":    respondWith(http.StatusOK, "<html>"),
		"cut off":     respondWith(http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000"},`),
		"wrong form":  respondWith(http.StatusOK, `{"fonenumbers":{}}`),
		"bad":         rejectWith(http.StatusBadRequest, "no", ""),
		"limited":     rejectWith(http.StatusTooManyRequests, "no", "600"),
		"no route":    respondWith(http.StatusNotFound, "<html>"),
		"no response": neverRespond,
	} {
		inBubble(t, name, func(t *testing.T) {
			server := accountWith(fail, fail)
			client := newBubbleClient(t, server, withToken, withoutRetries)
			getAll(t, client, 50)
			getAll(t, client, 100)
			if n := server.count(); n != 101 {
				t.Errorf("there were %d requests, want 101", n)
			}
			for range 2 { // ListFoneNumbers returns the error each time, and never a partial list.
				if list, err := client.ListFoneNumbers(t.Context()); err == nil || len(list) != 0 {
					t.Errorf("the list has %d entries, and the error is %v", len(list), err)
				}
			}
			if n := server.count(); n > 102 { // At most one for the other form of the list.
				t.Errorf("there were %d requests", n)
			}
		})
	}
}

// A list that was canceled is requested again. A FoneNumber that was removed after it was listed is skipped. If one of the single
// reads fails, so does the list.
func TestListThatCannotBeCompleted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		respondTo := rejectWith(http.StatusForbidden, "no", "")
		client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			if kindOf(r) == "list" {
				respond(w, http.StatusOK, `{"fonenumbers":["3215550000","3215550001"]}`)
			} else if r.URL.Path == simulator.BasePath+"/fonenumbers/"+anyNumber {
				succeed(w, r)
			} else {
				respondTo(w, r)
			}
		}), withToken)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := client.ListFoneNumbers(ctx); KindOf(err) != Canceled {
			t.Errorf("the error is %v", err)
		}
		list, err := client.ListFoneNumbers(t.Context())
		if wantKind(t, err, PermissionDenied); list != nil {
			t.Errorf("the list is %+v", list)
		}
		respondTo = rejectWith(http.StatusNotFound, "no", "")
		if list := listAll(t, client); len(list) != 1 || list[0].Number != anyNumber {
			t.Errorf("the list is %+v", list)
		}
	})
}

// What a 404 means depends on who sent it and on the account's list.
func TestNotFound(t *testing.T) {
	t.Parallel()
	envelope := rejectWith(http.StatusNotFound, "The FoneNumber was not found.", "")
	list := func(numbers string) http.HandlerFunc {
		return respondWith(http.StatusOK, `{"fonenumbers":[`+numbers+`]}`)
	}
	for name, test := range map[string]struct {
		one   http.HandlerFunc
		list  http.HandlerFunc
		want  Kind
		words []string
	}{
		"FoneStorm says so, and the list":   {envelope, list(`"3215559999"`), NotFound, []string{"The FoneNumber was not found."}},
		"the list has no number at all":     {envelope, list(``), NotFound, nil},
		"the list contradicts":              {envelope, list(`"+13215550000"`), UnexpectedResponse, []string{"was not found. The account's list contains the FoneNumber"}},
		"the list's object contradicts":     {envelope, list(`{"fonenumber":3215550000,"is_active":"no"}`), UnexpectedResponse, nil},
		"everything is not found":           {envelope, envelope, UnexpectedResponse, []string{"The account's list was not found either"}},
		"the list is forbidden":             {envelope, rejectWith(http.StatusForbidden, "Not for you.", ""), NotFound, nil},
		"the list cannot be read":           {envelope, list(`{"label":"x"}`), NotFound, nil},
		"the list is too slow":              {envelope, neverRespond, NotFound, nil},
		"a web page":                        {respondWith(http.StatusNotFound, "<html>"), list(``), WrongEndpoint, []string{"GET https://fonestorm.test/v2/fonenumbers/" + anyNumber}},
		"another program":                   {respondWith(http.StatusNotFound, `{"message":"no Route matched"}`), list(``), WrongEndpoint, nil},
		"an envelope without message":       {respondWith(http.StatusNotFound, `{"error":"Not Found","status_code":404}`), list(``), WrongEndpoint, nil},
		"an envelope of another status":     {respondWith(http.StatusNotFound, `{"error":"Not Found","message":"","status_code":400}`), list(``), WrongEndpoint, nil},
		"an envelope with a text as status": {respondWith(http.StatusNotFound, `{"error":"Not Found","message":"","status_code":"404"}`), list(``), NotFound, nil},
		"nothing":                           {respondWith(http.StatusNotFound, ""), list(``), WrongEndpoint, nil},
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kindOf(r) == "list" {
					test.list(w, r)
				} else {
					test.one(w, r)
				}
			}), withToken)
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			_, errRead := client.ReadFoneNumber(t.Context(), anyNumber)
			for _, err := range []error{err, errRead} {
				wantKind(t, err, test.want)
				wantWords(t, err, append(test.words, "read FoneNumber "+anyNumber)...)
				if IsNotFound(err) != (test.want == NotFound) || MayHaveTakenEffect(err) {
					t.Errorf("IsNotFound: %t, MayHaveTakenEffect: %t", IsNotFound(err), MayHaveTakenEffect(err))
				}
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
		if err := read(ctx, client, anyNumber); KindOf(err) != Canceled || IsNotFound(err) {
			t.Errorf("the error is %v", err)
		}
	})
}

// Callers share one list of the devices, even if it fails: a user who is not allowed to list them will not be allowed later.
func TestListDevices(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{Latency: time.Second})
		sim.PutDevice(simulator.Device{ID: "21915233078", Name: "Front desk", Type: "Polycom", FoneNumber: anyNumber})
		sim.PutDevice(simulator.Device{ID: "987123543678"})
		client := newBubbleClient(t, sim)
		for range 2 {
			wantSuccess(t, together(10, func(int) error {
				got, err := client.ListDevices(t.Context())
				if want := []RegisteredDevice{{"21915233078", "Front desk", "Polycom", anyNumber}, {ID: "987123543678"}}; !reflect.DeepEqual(got, want) {
					t.Errorf("the devices are %+v, want %+v", got, want)
				}
				return err
			})...)
		}
		wantRequests(t, sim, map[string]int{"login": 1, "devices": 1})

		server := &script{responses: []http.HandlerFunc{rejectWith(http.StatusForbidden, "The user may not see devices.", "")}}
		client = newBubbleClient(t, server, withToken)
		for range 2 {
			_, err := client.ListDevices(t.Context())
			wantKind(t, err, PermissionDenied)
			wantWords(t, err, "list the account's devices", "The user may not see devices.")
		}
		if n := len(server.arrived); n != 1 {
			t.Errorf("there were %d requests", n)
		}
	})
}
