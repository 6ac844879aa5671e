package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// listed returns a client that has just read the whole account, and forgets the requests for that.
func listed(t testing.TB, sim *simulator.Simulator) *Client {
	t.Helper()
	client := newBubbleClient(t, sim)
	_, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	sim.Forget()
	return client
}

// At the rate limit of a standard account, reading a thousand FoneNumbers takes about as long as reading a few, whether
// Terraform reads all at once, ten at a time, or one by one.
func TestThousandReadsSendAHandfulOfRequests(t *testing.T) {
	t.Parallel()
	const n = 1000
	orders := map[string]func(*testing.T, *Client){
		"all at once": func(t *testing.T, client *Client) { getAll(t, client, n) },
		"ten at a time": func(t *testing.T, client *Client) {
			for i := 0; i < n; i += 10 {
				wantSuccess(t, together(10, func(k int) error {
					_, err := client.GetFoneNumber(t.Context(), numberAt(i+k))
					return err
				})...)
			}
		},
		"one by one": func(t *testing.T, client *Client) {
			for i := range n {
				get(t, client, numberAt(i))
			}
		},
	}
	for name, read := range orders {
		inBubble(t, name, func(t *testing.T) {
			options := slow(n)
			options.RateLimit = perSecond
			sim := newSimulator(t, options)
			client := newBubbleClient(t, sim, paced)
			begun := time.Now()
			read(t, client)
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
			t.Errorf("the snapshot contains %+v, which was not read", f)
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
		wantRequests(t, sim, map[string]int{"list": 1})

		// Each caller gets its own copy of the list.
		slices.Reverse(lists[0])
		again, err := client.ListFoneNumbers(t.Context())
		wantSuccess(t, err)
		for _, list := range append(lists[1:], again) {
			if list[0].Number != anyNumber {
				t.Fatalf("changes by one caller are visible to another: the list begins with %s", list[0].Number)
			}
		}
		getAll(t, client, 10)
		wantRequests(t, sim, map[string]int{"list": 1})
	})
}

func TestFailedReadIsNotRemembered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(0))
		client := newBubbleClient(t, sim)
		_, err := client.GetFoneNumber(t.Context(), anyNumber)
		wantStatus(t, err, http.StatusNotFound)
		sim.Put(simulator.FoneNumber{Number: anyNumber})
		get(t, client, anyNumber)
		wantRequests(t, sim, map[string]int{"login": 1, "get": 2, "list": 1})
	})
}

func TestWriteUpdatesWhatIsKnown(t *testing.T) {
	t.Parallel()
	for _, bare := range []bool{false, true} {
		inBubble(t, fmt.Sprint("bare success ", bare), func(t *testing.T) {
			sim := newSimulator(t, slow(10))
			if bare {
				injectInto(sim, "set", simulator.BareSuccess)
			}
			client := listed(t, sim)
			want := forwardTo("3215551111")
			wantSuccess(t, set(t.Context(), client, numberAt(3), want))
			sim.Forget()
			if got := get(t, client, numberAt(3)).Delivery; !reflect.DeepEqual(got, &want) {
				t.Errorf("read %+v, want %+v", got, want)
			}
			list := listAll(t, client)
			if got := list[3].Delivery; len(list) != 10 || !reflect.DeepEqual(got, &want) {
				t.Errorf("among %d it is listed as %+v, want %+v", len(list), got, want)
			}
			wantRequests(t, sim, map[string]int{})
		})
	}
}

// A write may have taken effect even though it failed.
func TestFailedWriteIsReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := listed(t, sim)
		failAfterSetting(sim, anyNumber)
		wantStatus(t, set(t.Context(), client, anyNumber, forwardTo("3215551111")), http.StatusForbidden)
		if f, ok := client.Known(anyNumber); ok {
			t.Errorf("after the failure it still knows %+v", f.Delivery)
		}
		time.Sleep(time.Millisecond) // On the fake clock the read would begin at the instant when the write ended.
		for range 2 {
			if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
				t.Errorf("read %+v", got)
			}
		}
		wantRequests(t, sim, map[string]int{"set": 1, "get": 1})
	})
}

// failAfterSetting makes settings fail after they have taken effect.
func failAfterSetting(sim *simulator.Simulator, number string) {
	sim.Intercept(interceptPath("/messages/receive", instead(func(w http.ResponseWriter, r *http.Request) {
		sim.Put(simulator.FoneNumber{Number: number, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
		rejectWith(http.StatusForbidden, "no", "")(w, r)
	})))
}

// A read that was sent before a failed write ended does not show what the write did.
func TestReadDuringAFailedWriteIsNotReused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim, withoutRetries)
		get(t, client, numberAt(1)) // Logs in.
		sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				respond(w, http.StatusOK, receiving(`{"type":"None"}`)) // The current delivery.
				time.Sleep(10 * time.Second)                            // A slow response.
				return true
			}
			sim.Intercept(nil)
			sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
			rejectWith(http.StatusForbidden, "", "")(w, r) // The setting has taken effect.
			return true
		})
		early := begin(func() error { return read(t.Context(), client, anyNumber) })
		synctest.Wait()
		_, err := client.SetDelivery(t.Context(), anyNumber, forwardTo("3215551111"))
		wantStatus(t, err, http.StatusForbidden)
		if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
			t.Errorf("after the write it reads as %+v", got)
		}
		wantSuccess(t, <-early)
		if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
			t.Errorf("after the early read it reads as %+v", got)
		}
	})
}

// whileListing requests a list and does something between its processing and the arrival of its response.
func whileListing(t *testing.T, sim *simulator.Simulator, client *Client, do func()) []FoneNumber {
	t.Helper()
	get(t, client, anyNumber) // Logs in.
	sim.Intercept(interceptPath("/fonenumbers", func(w http.ResponseWriter, _ *http.Request) bool {
		sim.Intercept(nil)
		respond(w, http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000","message_options":{"receive":{"type":"None"}}},`+
			`{"fonenumber":"3215550001","message_options":{"receive":{"type":"None"}}}]}`)
		time.Sleep(10 * time.Second) // A slow response.
		return true
	}))
	var list []FoneNumber
	done := begin(func() (err error) {
		list, err = client.ListFoneNumbers(t.Context())
		return err
	})
	synctest.Wait()
	do()
	wantSuccess(t, <-done)
	return list
}

func TestWriteDuringAListWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim)
		want := forwardTo("3215551111")
		var late []FoneNumber // The list of a caller that starts after the write.
		list := whileListing(t, sim, client, func() {
			wantSuccess(t, set(t.Context(), client, numberAt(1), want))
			late = listAll(t, client)
		})
		for who, list := range map[string][]FoneNumber{"early": list, "late": late} {
			if got := list[1].Delivery; !reflect.DeepEqual(got, &want) {
				t.Errorf("the caller that started %s got %+v, want %+v", who, got, want)
			}
		}
		if got := get(t, client, numberAt(1)).Delivery; !reflect.DeepEqual(got, &want) {
			t.Errorf("after the list it reads as %+v, want %+v", got, want)
		}
		wantRequests(t, sim, map[string]int{"login": 1, "get": 1, "set": 1, "list": 1})
	})
}

func TestFailedWriteDuringAListIsReadAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim)
		whileListing(t, sim, client, func() {
			failAfterSetting(sim, numberAt(1))
			_, err := client.SetDelivery(t.Context(), numberAt(1), forwardTo("3215551111"))
			wantStatus(t, err, http.StatusForbidden)
		})
		if got := get(t, client, numberAt(1)).Delivery; got.Value != "3215551111" {
			t.Errorf("after the list it reads as %+v", got)
		}
	})
}

// The list contains only active FoneNumbers, some of them without their delivery.
func TestFoneNumbersMissingFromTheListAreReadSingly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		foneNumber simulator.FoneNumber
		list       simulator.ListForm
		listing    int // Single reads to complete the list.
	}{
		"cancellation pending": {simulator.FoneNumber{Active: "no"}, simulator.ListObjects, 0},
		"without delivery":     {simulator.FoneNumber{Undeliverable: true}, simulator.ListObjects, 1},
		"bare numbers":         {simulator.FoneNumber{}, simulator.ListNumbers, 10},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			options := slow(10)
			options.Dialect.List = test.list
			sim := newSimulator(t, options)
			test.foneNumber.Number = anyNumber
			sim.Put(test.foneNumber)
			client := newBubbleClient(t, sim)
			list := listAll(t, client)
			for _, f := range list {
				if f.Delivery == nil || f.Status != Active {
					t.Errorf("%+v is listed", f)
				}
			}
			f := get(t, client, anyNumber)
			if f.Number != anyNumber || !reflect.DeepEqual(f.Delivery, &Delivery{Type: None}) {
				t.Errorf("read %+v with %+v", f, f.Delivery)
			}
			get(t, client, anyNumber) // No request: it is known now.
			wantRequests(t, sim, map[string]int{"login": 1, "list": 1, "get": max(1, test.listing)})
		})
	}
}

// The list only saves requests: if it fails, reads still succeed and do not request it again.
func TestReadsSucceedWithoutTheList(t *testing.T) {
	t.Parallel()
	failures := map[string]http.HandlerFunc{
		"forbidden":  rejectWith(http.StatusForbidden, "not for you", ""),
		"not JSON":   respondWith(http.StatusOK, "<html>").ServeHTTP,
		"cut off":    respondWith(http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000"},`).ServeHTTP,
		"wrong form": respondWith(http.StatusOK, `{"fonenumbers":{}}`).ServeHTTP,
		"not found":  rejectWith(http.StatusNotFound, "no", ""),
		"bad":        rejectWith(http.StatusBadRequest, "no", ""),
		"invalid":    rejectWith(http.StatusUnprocessableEntity, "no", ""),
		"limited":    rejectWith(http.StatusTooManyRequests, "no", ""),
		"no route":   respondWith(http.StatusNotFound, "<html>"),
	}
	for name, fail := range failures {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, slow(100))
			sim.Intercept(interceptPath("/fonenumbers", instead(fail)))
			client := newBubbleClient(t, sim, withoutRetries)
			getAll(t, client, 50)
			getAll(t, client, 100)
			wantRequests(t, sim, map[string]int{"login": 1, "list": 1, "get": 100})
			for range 2 { // ListFoneNumbers returns the error each time, and never a partial list.
				if list, err := client.ListFoneNumbers(t.Context()); err == nil || len(list) != 0 {
					t.Errorf("the list has %d entries, and the error is %v", len(list), err)
				}
			}
			if n := len(sim.Requests()); n > 103 { // At most one for the other form of the list.
				t.Errorf("there were %d requests", n)
			}
		})
	}
}

// A canceled list is not remembered.
func TestCancelledListIsRequestedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(3))
		client := newBubbleClient(t, sim, withoutRetries)
		get(t, client, anyNumber) // Logs in.
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := client.ListFoneNumbers(ctx)
		if KindOf(err) != Canceled {
			t.Errorf("the error is %v", err)
		}
		list := listAll(t, client)
		if len(list) != 3 {
			t.Errorf("the list has %d entries, want 3", len(list))
		}
	})
}

// Each form of the list is detected once, with this number of requests.
func TestListForms(t *testing.T) {
	t.Parallel()
	const n = 30
	for name, test := range map[string]struct {
		list    simulator.ListForm
		odd     string         // Odd first entry of the list.
		latency time.Duration  // Of the list.
		reads   map[string]int // Requests for thirty reads.
		lists   map[string]int // Further requests for a list.
	}{
		"objects":            {simulator.ListObjects, "", 0, map[string]int{"get": 5, "list": 1}, map[string]int{}},
		"with inactive":      {simulator.ListInactive, "", 0, map[string]int{"get": 5, "list": 1}, map[string]int{}},
		"strings":            {simulator.ListNumbers, "", 0, map[string]int{"get": n, "list": 1}, map[string]int{}},
		"rejected":           {simulator.ListRejected, "", 0, map[string]int{"get": n, "list": 1}, map[string]int{"list": 1}},
		"with null":          {simulator.ListObjects, "null", 0, map[string]int{"get": 5, "list": 1}, map[string]int{}},
		"with a number":      {simulator.ListObjects, "42", 0, map[string]int{"get": 5, "list": 1}, map[string]int{}},
		"with an odd object": {simulator.ListObjects, `{"label":"Odd"}`, 0, map[string]int{"get": 5, "list": 1}, map[string]int{}},
		"slow":               {simulator.ListObjects, "", 110 * time.Second, map[string]int{"get": 5, "list": 1}, map[string]int{}},
	} {
		inBubble(t, name, func(t *testing.T) {
			options := slow(n)
			options.Dialect.List = test.list
			sim := newSimulator(t, options)
			client := newBubbleClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kindOf(r) != "list" {
					sim.ServeHTTP(w, r)
					return
				}
				time.Sleep(test.latency)
				response := httptest.NewRecorder()
				sim.ServeHTTP(response, r)
				w.WriteHeader(response.Code)
				if test.odd != "" {
					fmt.Fprint(w, strings.Replace(response.Body.String(), "[", "["+test.odd+",", 1))
					return
				}
				_, _ = w.Write(response.Body.Bytes())
			}))
			sim.Put(simulator.FoneNumber{Number: numberAt(n), Active: "cancel"})
			sim.Put(simulator.FoneNumber{Number: numberAt(n + 1), Active: "no"})
			wantSuccess(t, read1(t, client)) // Logs in.
			sim.Forget()
			getAll(t, client, n)
			wantRequests(t, sim, test.reads)
			sim.Forget()
			for range 2 {
				list := listAll(t, client)
				if len(list) != n || slices.ContainsFunc(list, func(f FoneNumber) bool { return f.Delivery == nil }) {
					t.Errorf("the list has %d entries, want %d with their deliveries: %+v", len(list), n, list)
				}
			}
			wantRequests(t, sim, test.lists)
			sim.Forget()
			_, err := client.GetFoneNumber(t.Context(), "3215559999") // The list is not requested again.
			wantKind(t, err, NotFound)
			wantRequests(t, sim, map[string]int{"get": 1})
		})
	}
}

// FracTEL warns that the list may take a while. If it takes too long, the client waits for its timeout only once.
func TestListThatIsTooSlow(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{30 * time.Second, 5 * time.Minute} {
		inBubble(t, timeout.String(), func(t *testing.T) {
			sim := newSimulator(t, slow(100))
			sim.Intercept(interceptPath("/fonenumbers", instead(neverRespond)))
			client := newBubbleClient(t, sim, func(c *Config) { c.RequestTimeout, c.MaxRetries = timeout, 4 })
			begun := time.Now()
			getAll(t, client, 100)
			want := max(timeout, 2*time.Minute)
			if took := time.Since(begun); took < want || took > want+5*time.Second {
				t.Errorf("took %s, want little more than %s", took, want)
			}
			wantRequests(t, sim, map[string]int{"login": 1, "list": 1, "get": 100})
			_, err := client.ListFoneNumbers(t.Context())
			wantKind(t, err, Unreachable)
			wantWords(t, err, "list the account's FoneNumbers", "no response within "+want.String())
			wantRequests(t, sim, map[string]int{"login": 1, "list": 1, "get": 100}) // It is not requested again.
			_, err = client.SetDelivery(t.Context(), anyNumber, forwardTo("3215551111"))
			wantSuccess(t, err) // The list's timeout does not count as an outage.
		})
	}
}

// If the list contains only numbers, one that was removed since is left out, and any other failure fails the list.
func TestListOfNumbersWhoseReadsFail(t *testing.T) {
	t.Parallel()
	for fault, fails := range map[simulator.Fault]bool{simulator.NotFound: false, simulator.NotFoundPage: true, simulator.Unavailable: true} {
		inBubble(t, string(fault), func(t *testing.T) {
			options := slow(20)
			options.Dialect.List = simulator.ListNumbers
			sim := newSimulator(t, options)
			sim.Inject(func(r *http.Request) simulator.Fault {
				if kindOf(r) == "get" && r.URL.Path == simulator.BasePath+"/fonenumbers/"+numberAt(7) {
					return fault
				}
				return ""
			})
			list, err := newBubbleClient(t, sim).ListFoneNumbers(t.Context())
			if fails {
				wantWords(t, err, "read FoneNumber "+numberAt(7))
				return
			}
			wantSuccess(t, err)
			if len(list) != 19 || slices.ContainsFunc(list, func(f FoneNumber) bool { return f.Number == numberAt(7) }) {
				t.Errorf("the list has %d entries: %+v", len(list), list)
			}
		})
	}
}

func TestCancelledReaderDoesNotCancelOthers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sim := newSimulator(t, slow(20))
		client := newBubbleClient(t, sim)
		get(t, client, numberAt(19)) // Logs in.
		sim.Forget()
		ctx, cancel := contextWithCause(t)
		var quit, stay []<-chan error
		for i := range 10 {
			quit = append(quit, begin(func() error { return read(ctx, client, numberAt(i)) }))
			stay = append(stay, begin(func() error { return read(t.Context(), client, numberAt(i)) }))
		}
		synctest.Wait()
		begun := time.Now()
		interrupted := errors.New("Terraform was interrupted")
		cancel(interrupted)
		for _, done := range quit {
			if err := <-done; !errors.Is(err, interrupted) || time.Since(begun) != 0 {
				t.Errorf("after %s came %v, want %v at once", time.Since(begun), err, interrupted)
			}
		}
		for _, done := range stay {
			wantSuccess(t, <-done)
		}
		wantRequests(t, sim, map[string]int{"get": singleReads - 1, "list": 1})
	})
}
