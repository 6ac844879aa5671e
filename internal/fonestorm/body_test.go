package fonestorm

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// FoneStorm may read JSON for one kind of request and forms for the other. Detecting that takes one extra request for each kind,
// even if many settings start at once.
func TestEncodingIsDetected(t *testing.T) {
	t.Parallel()
	const n = 20
	for _, login := range []string{"json", "form"} {
		for _, setting := range []string{"json", "form"} {
			for _, status := range []int{400, 415, 422} {
				for _, atOnce := range []bool{false, true} {
					inBubble(t, fmt.Sprintf("login %s, setting %s, %d, at once %t", login, setting, status, atOnce), func(t *testing.T) {
						sim := newSimulator(t, simulator.Options{FoneNumbers: n, Latency: time.Second})
						sim.Intercept(readsOnly(map[string]string{"login": login, "set": setting}, status))
						client := newBubbleClient(t, sim)
						set := func(i int) error { return set(t.Context(), client, numberAt(i), forwardTo("3215551111")) }
						do := inTurn
						if atOnce {
							do = together
						}
						wantSuccess(t, do(n, set)...)
						want := map[string]int{"login json": 1, "set json": n}
						if login == "form" {
							want["login form"] = 1
						}
						if setting == "form" {
							want["set json"], want["set form"] = 1, n
						}
						wantBodies(t, sim, want)

						sim.Forget()
						sim.ExpireTokens()
						wantSuccess(t, set(0)) // The encoding is remembered.
						body := map[bool]string{false: "json", true: "form"}
						wantBodies(t, sim, map[string]int{"login " + body[login == "form"]: 1, "set " + body[setting == "form"]: 2})
					})
				}
			}
		}
	}
}

// If a connection failure interrupts the detection, the next request completes it, still with one extra request.
func TestEncodingIsDetectedAfterAConnectionFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 20
		sim := newSimulator(t, simulator.Options{FoneNumbers: n, Latency: time.Second})
		sim.Intercept(readsOnly(map[string]string{"set": "form"}, http.StatusBadRequest))
		var settings atomic.Int32
		client := newNetworkClient(t, &network{handler: sim, connect: func(r *http.Request) error {
			if kindOf(r) == "set" && settings.Add(1) == 1 {
				return errors.New("connection refused")
			}
			return nil
		}})
		wantSuccess(t, together(n, func(i int) error { return set(t.Context(), client, numberAt(i), forwardTo("3215551111")) })...)
		wantBodies(t, sim, map[string]int{"login json": 1, "set json": 1, "set form": n})
	})
}

// If FoneStorm does not respond, or fails, settings wait for each other only once.
func TestSettingsDoNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		most    time.Duration
	}{
		"silent": {neverRespond, 90 * time.Second},
		"failing": {func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Second)
			rejectWith(503, "later", "")(w, r)
		}, 70 * time.Second},
	} {
		inBubble(t, name, func(t *testing.T) {
			client := newBubbleClient(t, test.handler, withToken, withoutRetries)
			begun := time.Now()
			for _, err := range together(20, func(i int) error { return set(t.Context(), client, numberAt(i), Delivery{Type: None}) }) {
				if err == nil || !MayHaveTakenEffect(err) && KindOf(err) != Unreachable {
					t.Errorf("got error %v", err)
				}
			}
			if took := time.Since(begun); took > test.most {
				t.Errorf("took %s, want at most %s", took, test.most)
			}
		})
	}
}

// A request is sent as a form only if the failure may be about its encoding: not after a wrong password, a rejected token, or an
// exceeded rate limit, whatever the status.
func TestNoFormAfterOtherFailures(t *testing.T) {
	t.Parallel()
	responses := map[string]http.HandlerFunc{"400": rejectWith(400, "Rate Limit Exceeded", ""), "410": rejectWith(410, "Rate Limit Exceeded", "")}
	for _, status := range []int{401, 402, 403, 404, 409, 429, 500, 503} {
		responses[fmt.Sprint(status)] = rejectWith(status, "no", "")
	}
	for name, response := range responses {
		inBubble(t, name, func(t *testing.T) {
			server := &script{responses: []http.HandlerFunc{response}}
			for _, changes := range [][]func(*Config){{}, {withToken}} {
				client := newBubbleClient(t, server, append(changes, withoutRetries)...)
				if err := set(t.Context(), client, anyNumber, Delivery{Type: None}); err == nil {
					t.Error("got no error")
				}
			}
			if bodies := fmt.Sprint(server.bodies); strings.Contains(bodies, "form") {
				t.Errorf("the bodies were %s", bodies)
			}
		})
	}
}

// The error of a rejected destination contains FoneStorm's message, whichever encoding FoneStorm reads.
func TestRejectedDestinationHasFoneStormsMessage(t *testing.T) {
	t.Parallel()
	const words = "The device is not registered."
	for _, reads := range []string{"json", "form", "both"} {
		for _, unread := range []int{400, 415, 422} {
			for _, rejected := range []int{400, 422} {
				inBubble(t, fmt.Sprintf("%s, %d, %d", reads, unread, rejected), func(t *testing.T) {
					server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						isForm := strings.Contains(r.Header.Get("Content-Type"), "form")
						if reads == "both" || isForm == (reads == "form") {
							rejectWith(rejected, words, "")(w, r)
							return
						}
						rejectWith(unread, "fonenumber is required", "")(w, r)
					})
					counted := &script{responses: []http.HandlerFunc{server}}
					client := newBubbleClient(t, counted, withToken)
					_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: Device, Value: "1"})
					wantKind(t, err, DestinationRejected)
					wantWords(t, err, words, "set the delivery of FoneNumber "+anyNumber)
					if MayHaveTakenEffect(err) {
						t.Error("the setting may have taken effect")
					}
					if reads == "both" && strings.Count(err.Error(), words) != 1 {
						t.Errorf("the error contains the message twice: %s", err)
					}
					if len(counted.bodies) != 2 {
						t.Errorf("the bodies were %s", counted.bodies)
					}
				})
			}
		}
	}
}

// Once a setting has succeeded, a rejected destination is sent only once.
func TestRejectedDestinationAfterASuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{succeed, rejectWith(400, "no", "")}}
		client := newBubbleClient(t, server, withToken)
		wantSuccess(t, set(t.Context(), client, anyNumber, Delivery{Type: None}))
		_, err := client.SetDelivery(t.Context(), anyNumber, Delivery{Type: None})
		wantKind(t, err, DestinationRejected)
		if len(server.bodies) != 2 {
			t.Errorf("the bodies were %s", server.bodies)
		}
	})
}

// A service that reads only JSON finds no FoneNumber in a form. Its 404 does not mean that the account does not have it.
func TestNotFoundForAFormIsNotTrusted(t *testing.T) {
	t.Parallel()
	server := &script{responses: []http.HandlerFunc{rejectWith(400, "The device is not registered.", ""), rejectWith(404, "The FoneNumber was not found.", "")}}
	_, err := newBubbleClient(t, server, withToken).SetDelivery(t.Context(), anyNumber, Delivery{Type: Device, Value: "1"})
	wantKind(t, err, DestinationRejected)
	wantWords(t, err, "The device is not registered.", "The FoneNumber was not found.")

	server = &script{responses: []http.HandlerFunc{rejectWith(415, "JSON is not supported.", ""), rejectWith(404, "The FoneNumber was not found.", "")}}
	_, err = newBubbleClient(t, server, withToken).SetDelivery(t.Context(), anyNumber, Delivery{Type: Device, Value: "1"})
	wantKind(t, err, WrongEndpoint) // Nothing at this endpoint has ever succeeded.
}

func TestCancelledWhileWaitingForTheEncoding(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := &script{responses: []http.HandlerFunc{neverRespond}}
		client := newBubbleClient(t, server, withToken, withoutRetries)
		go func() { _, _ = client.SetDelivery(t.Context(), numberAt(1), Delivery{Type: None}) }()
		synctest.Wait()
		why := errors.New("Terraform was interrupted")
		ctx, cancel := contextWithCause(t)
		done := begin(func() error { return set(ctx, client, anyNumber, Delivery{Type: None}) })
		synctest.Wait()
		begun := time.Now()
		cancel(why)
		err := <-done
		wantKind(t, err, Canceled)
		if !errors.Is(err, why) || MayHaveTakenEffect(err) || time.Since(begun) != 0 {
			t.Errorf("got %[2]v after %[1]s", time.Since(begun), err)
		}
		if n := server.count(); n != 1 {
			t.Errorf("there were %d requests", n)
		}
		time.Sleep(2 * DefaultRequestTimeout) // The other one times out.
	})
}

// The bodies, byte for byte.
func TestEncodings(t *testing.T) {
	t.Parallel()
	p := params{"expires": 3600, "value": `https://x.test/?a=<1>&b={{msg}}"é`}
	if got, want := string(asJSON.encode(p)), `{"expires":3600,"value":"https://x.test/?a=<1>&b={{msg}}\"é"}`; got != want {
		t.Errorf("got JSON %s, want %s", got, want)
	}
	if got, want := string(asForm.encode(p)), `expires=3600&value=https%3A%2F%2Fx.test%2F%3Fa%3D%3C1%3E%26b%3D%7B%7Bmsg%7D%7D%22%C3%A9`; got != want {
		t.Errorf("got form %s, want %s", got, want)
	}
}

// Decoding a body returns exactly the parameters that were encoded, whatever they contain.
func FuzzParams(f *testing.F) {
	f.Add("3215550000", "URL", "https://x.test/?a=1&type=None", "hook", "a&value=b;c", true, true)
	f.Add("3215550000&type=None", "Email", "ops+sms@example.com\r\nvalue: x", "", "", false, false)
	f.Add("", "None", "%zz", "\x00", "\xff", true, false)
	f.Fuzz(func(t *testing.T, number, kind, value, username, password string, withUsername, withPassword bool) {
		want := url.Values{"fonenumber": {number}, "type": {kind}, "value": {value}, "url_method": {"POST"}}
		d := Delivery{Type: DeliveryType(kind), Value: value}
		if kind == "None" {
			want.Set("value", "None")
		}
		if withUsername {
			d.URLUsername = &username
			want.Set("url_username", username)
		}
		if withPassword {
			d.URLPassword = &password
			want.Set("url_password", password)
		}
		for _, body := range []encoding{asForm, asJSON} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(string(body.encode(d.params(number)))))
			r.Header.Set("Content-Type", body.contentType())
			if body == asJSON {
				for name, values := range want {
					want[name] = []string{strings.ToValidUTF8(values[0], "\ufffd")}
				}
				if strings.ContainsRune(fmt.Sprint(want), '\ufffd') {
					continue // JSON cannot contain it.
				}
			}
			if got := simulator.Parameters(r); !reflect.DeepEqual(got, want) {
				t.Fatalf("decoded %q, want %q", got, want)
			}
		}
	})
}
