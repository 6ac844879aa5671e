package fonestorm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// slow is an account whose answers take long enough for things to happen meanwhile.
func slow(foneNumbers int) simulator.Options {
	return simulator.Options{FoneNumbers: foneNumbers, Latency: time.Second}
}

// get reads through the snapshot.
func get(t testing.TB, client *Client, number string) FoneNumber {
	t.Helper()
	f, err := client.GetFoneNumber(t.Context(), number)
	wantSuccess(t, err)
	return f
}

func getAll(t testing.TB, client *Client, n int) {
	t.Helper()
	wantSuccess(t, together(n, func(i int) error {
		f, err := client.GetFoneNumber(t.Context(), numberAt(i))
		if err == nil && f.Number != numberAt(i) {
			return fmt.Errorf("%s was read as %s", numberAt(i), f.Number)
		}
		return err
	})...)
}

// listed returns a client that has read the whole account just now, and drops what that cost.
func listed(t testing.TB, sim *simulator.Simulator) *Client {
	t.Helper()
	client := newBubbleClient(t, sim)
	_, err := client.ListFoneNumbers(t.Context())
	wantSuccess(t, err)
	sim.Forget()
	return client
}

func forwardTo(number string) Delivery { return Delivery{Type: Forward, Value: number} }

// interceptPath makes an interceptor see one path only.
func interceptPath(path string, intercept simulator.Interceptor) simulator.Interceptor {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path == "/v2"+path && intercept(w, r)
	}
}

// The promise of the snapshot, at the pace of a standard account: reading a thousand FoneNumbers takes no longer than
// a few, whether Terraform asks for all at once, ten at a time or one by one.
func TestThousandReadsCostAHandfulOfRequests(t *testing.T) {
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
			wantKinds(t, sim, map[string]int{"login": 1, "get": 5, "list": 1})
			if elapsed, most := time.Since(begun), 8*time.Second; elapsed > most {
				t.Errorf("it took %s, want at most %s", elapsed, most)
			}
		})
	}
}

// With a few resources the list would cost more than it saves.
func TestFewReadsAreSingle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := newBubbleClient(t, sim)
		getAll(t, client, singleReads)
		wantKinds(t, sim, map[string]int{"login": 1, "get": singleReads})
		getAll(t, client, singleReads) // Which are known now.
		wantKinds(t, sim, map[string]int{"login": 1, "get": singleReads})
	})
}

func TestReadersOfOneNumberShareARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := newBubbleClient(t, sim)
		wantSuccess(t, together(50, func(int) error {
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			return err
		})...)
		wantKinds(t, sim, map[string]int{"login": 1, "get": 1})
	})
}

func TestReadersOfTheListShareARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(10))
		client := newBubbleClient(t, sim)
		lists := make([][]FoneNumber, 20)
		wantSuccess(t, together(len(lists), func(i int) (err error) {
			lists[i], err = client.ListFoneNumbers(t.Context())
			return err
		})...)
		wantKinds(t, sim, map[string]int{"login": 1, "list": 1})

		// Each has a list of its own, to sort or cut as it likes.
		slices.Reverse(lists[0])
		again, err := client.ListFoneNumbers(t.Context())
		wantSuccess(t, err)
		for _, list := range append(lists[1:], again) {
			if list[0].Number != anyNumber {
				t.Fatalf("what one caller did with the list, another one sees: it begins with %s", list[0].Number)
			}
		}
		getAll(t, client, 10)
		wantKinds(t, sim, map[string]int{"login": 1, "list": 1})
	})
}

func TestFailedReadIsNotRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(0))
		client := newBubbleClient(t, sim)
		_, err := client.GetFoneNumber(t.Context(), anyNumber)
		wantError(t, err, http.StatusNotFound)
		sim.Put(simulator.FoneNumber{Number: anyNumber})
		get(t, client, anyNumber)
		wantKinds(t, sim, map[string]int{"login": 1, "get": 2})
	})
}

func TestKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(2))
		client := newBubbleClient(t, sim)
		if f, ok := client.Known(anyNumber); ok {
			t.Errorf("before any request it knows %+v", f)
		}
		read := get(t, client, anyNumber)
		if f, ok := client.Known(anyNumber); !ok || !reflect.DeepEqual(f, read) {
			t.Errorf("after a read it knows %+v, %v, want %+v", f, ok, read)
		}
		if f, ok := client.Known(numberAt(1)); ok {
			t.Errorf("it knows %+v without having read it", f)
		}
		wantKinds(t, sim, map[string]int{"login": 1, "get": 1})
	})
}

func TestWriteUpdatesWhatIsKnown(t *testing.T) {
	t.Parallel()
	for _, bare := range []bool{false, true} {
		inBubble(t, fmt.Sprint("bare success ", bare), func(t *testing.T) {
			options := slow(10)
			options.Dialect.BareSuccess = bare
			sim := newSimulator(t, options)
			client := listed(t, sim)
			want := forwardTo("3215551111")
			_, err := client.SetDelivery(t.Context(), numberAt(3), want)
			wantSuccess(t, err)
			sim.Forget()
			if got := get(t, client, numberAt(3)).Delivery; !reflect.DeepEqual(got, &want) {
				t.Errorf("it reads as %+v, want %+v", got, want)
			}
			list, err := client.ListFoneNumbers(t.Context())
			wantSuccess(t, err)
			if got := list[3].Delivery; len(list) != 10 || !reflect.DeepEqual(got, &want) {
				t.Errorf("among %d it is listed as %+v, want %+v", len(list), got, want)
			}
			wantKinds(t, sim, map[string]int{})
		})
	}
}

// A write that reports failure may have taken effect all the same.
func TestFailedWriteIsReadAgain(t *testing.T) {
	t.Parallel()
	failures := map[string]simulator.Interceptor{
		"refused": func(w http.ResponseWriter, r *http.Request) bool {
			refuse(http.StatusForbidden, "no", "")(w, r)
			return true
		},
		"success about another delivery": func(w http.ResponseWriter, _ *http.Request) bool {
			respond(w, http.StatusOK, receiving(`{"type":"None"}`))
			return true
		},
	}
	for name, fail := range failures {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, slow(10))
			client := listed(t, sim)
			sim.Intercept(interceptPath("/messages/receive", func(w http.ResponseWriter, r *http.Request) bool {
				sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
				return fail(w, r)
			}))
			_, err := client.SetDelivery(t.Context(), anyNumber, forwardTo("3215551111"))
			if err == nil {
				t.Fatal("the write did not fail")
			}
			if f, ok := client.Known(anyNumber); ok {
				t.Errorf("after the failure it still knows %+v", f.Delivery)
			}
			time.Sleep(time.Millisecond) // On the fake clock the read would begin when the write ended.
			for range 2 {
				if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
					t.Errorf("it reads as %+v", got)
				}
			}
			wantKinds(t, sim, map[string]int{"set": 1, "get": 1})
		})
	}
}

// A read that was asked before a failed write ended says nothing about what the write did.
func TestReadDuringAFailedWriteIsNotReused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim, withoutRetries)
		get(t, client, numberAt(1)) // Logs in.
		sim.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet {
				respond(w, http.StatusOK, receiving(`{"type":"None"}`)) // As it is now.
				time.Sleep(10 * time.Second)                            // The answer takes its time.
				return true
			}
			sim.Intercept(nil)
			sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
			refuse(http.StatusGatewayTimeout, "", "")(w, r) // After it has taken effect.
			return true
		})
		early := make(chan error)
		go func() {
			_, err := client.GetFoneNumber(t.Context(), anyNumber)
			early <- err
		}()
		synctest.Wait()
		_, err := client.SetDelivery(t.Context(), anyNumber, forwardTo("3215551111"))
		wantError(t, err, http.StatusGatewayTimeout)
		if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
			t.Errorf("after the write it reads as %+v", got)
		}
		wantSuccess(t, <-early)
		if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
			t.Errorf("after the early read it reads as %+v", got)
		}
	})
}

// whileListing begins a list, lets the account answer it, and does something before the answer arrives.
func whileListing(t *testing.T, sim *simulator.Simulator, client *Client, do func()) []FoneNumber {
	t.Helper()
	get(t, client, anyNumber) // Logs in.
	sim.Intercept(interceptPath("/fonenumbers", func(w http.ResponseWriter, _ *http.Request) bool {
		sim.Intercept(nil)
		respond(w, http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000","message_options":{"receive":{"type":"None"}}},`+
			`{"fonenumber":"3215550001","message_options":{"receive":{"type":"None"}}}]}`)
		time.Sleep(10 * time.Second) // The answer takes its time.
		return true
	}))
	done := make(chan error)
	var list []FoneNumber
	go func() {
		var err error
		list, err = client.ListFoneNumbers(t.Context())
		done <- err
	}()
	synctest.Wait()
	do()
	wantSuccess(t, <-done)
	return list
}

func TestWriteDuringAListWins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim)
		want := forwardTo("3215551111")
		var late []FoneNumber // Of somebody who asks after the write has ended.
		list := whileListing(t, sim, client, func() {
			_, err := client.SetDelivery(t.Context(), numberAt(1), want)
			wantSuccess(t, err)
			late, err = client.ListFoneNumbers(t.Context())
			wantSuccess(t, err)
		})
		for who, list := range map[string][]FoneNumber{"early": list, "late": late} {
			if got := list[1].Delivery; !reflect.DeepEqual(got, &want) {
				t.Errorf("who asked %s got %+v, want %+v", who, got, want)
			}
		}
		if got := get(t, client, numberAt(1)).Delivery; !reflect.DeepEqual(got, &want) {
			t.Errorf("after the list it reads as %+v, want %+v", got, want)
		}
		wantKinds(t, sim, map[string]int{"login": 1, "get": 1, "set": 1, "list": 1})
	})
}

func TestFailedWriteDuringAListIsReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, simulator.Options{FoneNumbers: 2})
		client := newBubbleClient(t, sim)
		whileListing(t, sim, client, func() {
			sim.Intercept(interceptPath("/messages/receive", func(w http.ResponseWriter, r *http.Request) bool {
				sim.Put(simulator.FoneNumber{Number: numberAt(1), Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
				refuse(http.StatusForbidden, "no", "")(w, r)
				return true
			}))
			_, err := client.SetDelivery(t.Context(), numberAt(1), forwardTo("3215551111"))
			wantError(t, err, http.StatusForbidden)
		})
		if got := get(t, client, numberAt(1)).Delivery; got.Value != "3215551111" {
			t.Errorf("after the list it reads as %+v", got)
		}
	})
}

// The list holds active FoneNumbers only, and not all of them with their delivery.
func TestWhatTheListDoesNotTellIsAskedSingly(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		foneNumber simulator.FoneNumber
		intercept  simulator.Interceptor
		delivery   *Delivery
	}{
		"cancellation pending": {simulator.FoneNumber{Active: "no"}, nil, &Delivery{Type: None}},
		"without delivery":     {simulator.FoneNumber{Undeliverable: true}, nil, nil},
		"bare numbers": {
			simulator.FoneNumber{},
			interceptPath("/fonenumbers", func(w http.ResponseWriter, _ *http.Request) bool {
				respond(w, http.StatusOK, `{"fonenumbers":["3215550000","3215550001"]}`)
				return true
			}),
			&Delivery{Type: None},
		},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, slow(10))
			test.foneNumber.Number = anyNumber
			sim.Put(test.foneNumber)
			sim.Intercept(test.intercept)
			client := listed(t, sim)
			f := get(t, client, anyNumber)
			if f.Number != anyNumber || !reflect.DeepEqual(f.Delivery, test.delivery) {
				t.Errorf("it reads as %+v with %+v, want %+v", f, f.Delivery, test.delivery)
			}
			get(t, client, anyNumber) // Which is known now, even without delivery.
			wantKinds(t, sim, map[string]int{"get": 1})
		})
	}
}

// The list is a means to save requests: reads must not fail because it does, nor try it in vain again and again.
func TestFailedListLeavesSingleReads(t *testing.T) {
	t.Parallel()
	failures := map[string]http.HandlerFunc{
		"forbidden":  refuse(http.StatusForbidden, "not for you", ""),
		"no JSON":    answering(http.StatusOK, "<html>").ServeHTTP,
		"cut off":    answering(http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000"},`).ServeHTTP,
		"wrong form": answering(http.StatusOK, `{"fonenumbers":{}}`).ServeHTTP,
	}
	for name, fail := range failures {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, slow(100))
			sim.Intercept(interceptPath("/fonenumbers", func(w http.ResponseWriter, r *http.Request) bool {
				fail(w, r)
				return true
			}))
			client := newBubbleClient(t, sim, withoutRetries)
			getAll(t, client, 50)
			getAll(t, client, 100)
			wantKinds(t, sim, map[string]int{"login": 1, "list": 1, "get": 100})
		})
	}
}

// Who wants the list itself must learn that it failed, each time, and never get a part of it.
func TestFailedListIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(3))
		sim.Intercept(interceptPath("/fonenumbers", func(w http.ResponseWriter, _ *http.Request) bool {
			respond(w, http.StatusOK, `{"fonenumbers":[{"fonenumber":"3215550000"},`)
			return true
		}))
		client := newBubbleClient(t, sim, withoutRetries)
		for range 2 {
			list, err := client.ListFoneNumbers(t.Context())
			wantAnswerError(t, err)
			if len(list) != 0 {
				t.Errorf("with the error come %d FoneNumbers", len(list))
			}
		}
		sim.Intercept(nil)
		list, err := client.ListFoneNumbers(t.Context())
		wantSuccess(t, err)
		if len(list) != 3 {
			t.Errorf("the list has %d entries, want 3", len(list))
		}
	})
}

func TestListOfAnEmptyAccountIsRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(0))
		client := listed(t, sim)
		list, err := client.ListFoneNumbers(t.Context())
		wantSuccess(t, err)
		if len(list) != 0 {
			t.Errorf("the list is %v", list)
		}
		wantKinds(t, sim, map[string]int{})
	})
}

func TestAnswersGetOld(t *testing.T) {
	t.Parallel()
	change := func(sim *simulator.Simulator) {
		sim.Put(simulator.FoneNumber{Number: anyNumber, Receive: simulator.Receive{Type: "Forward", Forward: "3215551111"}})
	}
	tests := map[string]struct {
		learn func(*testing.T, *Client)
		kinds map[string]int // What it costs to ask again.
	}{
		"from a single read": {
			func(t *testing.T, c *Client) { get(t, c, anyNumber) },
			map[string]int{"get": 1, "list": 1}, // Now there is one, in place of the other.
		},
		"from a list": {
			func(t *testing.T, c *Client) {
				_, err := c.ListFoneNumbers(t.Context())
				wantSuccess(t, err)
			},
			map[string]int{"get": 1, "list": 1},
		},
		"from a write": {
			func(t *testing.T, c *Client) {
				_, err := c.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
				wantSuccess(t, err)
			},
			map[string]int{"get": 1, "list": 1},
		},
	}
	for name, test := range tests {
		inBubble(t, name, func(t *testing.T) {
			sim := newSimulator(t, simulator.Options{FoneNumbers: 10})
			client := newBubbleClient(t, sim)
			test.learn(t, client)
			sim.Forget()
			change(sim)

			time.Sleep(maxAge - time.Second)
			if f, ok := client.Known(anyNumber); !ok || f.Delivery.Type != None {
				t.Errorf("before its time has come it knows %+v, %v", f.Delivery, ok)
			}
			time.Sleep(time.Second)
			if got := get(t, client, anyNumber).Delivery; got.Value != "3215551111" {
				t.Errorf("after its time has come it reads as %+v", got)
			}
			list, err := client.ListFoneNumbers(t.Context())
			wantSuccess(t, err)
			if got := list[0].Delivery; got.Value != "3215551111" {
				t.Errorf("after its time has come it is listed as %+v", got)
			}
			wantKinds(t, sim, test.kinds)
		})
	}
}

// Once there were many reads there will be more: the next ones begin with a list.
func TestManyReadsAfterALongTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(50))
		client := newBubbleClient(t, sim)
		getAll(t, client, 50)
		time.Sleep(maxAge)
		sim.Forget()
		getAll(t, client, 50)
		wantKinds(t, sim, map[string]int{"list": 1})
	})
}

func TestCancelledReaderLeavesTheReadToTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulator(t, slow(20))
		client := newBubbleClient(t, sim)
		get(t, client, numberAt(19)) // Logs in.
		sim.Forget()
		ctx, cancel := context.WithCancelCause(t.Context())
		interrupted := errors.New("Terraform was interrupted")
		quit, stay := make(chan []error), make(chan []error)
		for ctx, done := range map[context.Context]chan []error{ctx: quit, t.Context(): stay} {
			go func() {
				done <- together(10, func(i int) error {
					_, err := client.GetFoneNumber(ctx, numberAt(i))
					return err
				})
			}()
		}
		synctest.Wait()
		begun := time.Now()
		cancel(interrupted)
		for _, err := range <-quit {
			if !errors.Is(err, interrupted) {
				t.Errorf("who was cancelled got %v, want %v", err, interrupted)
			}
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("who was cancelled waited %s all the same", waited)
		}
		wantSuccess(t, <-stay...)
		wantKinds(t, sim, map[string]int{"get": singleReads - 1, "list": 1})
	})
}

func BenchmarkSnapshot(b *testing.B) {
	const n = 1000
	sim := newSimulator(b, simulator.Options{FoneNumbers: n})
	client := newBubbleClient(b, sim)
	_, err := client.ListFoneNumbers(b.Context())
	wantSuccess(b, err)
	// The benchmark may run for longer than an answer stays fresh.
	for number, e := range client.snapshot.entries {
		e.since = e.since.Add(time.Hour)
		client.snapshot.entries[number] = e
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range n {
			if _, err := client.GetFoneNumber(b.Context(), numberAt(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	wantKinds(b, sim, map[string]int{"login": 1, "list": 1})
}
