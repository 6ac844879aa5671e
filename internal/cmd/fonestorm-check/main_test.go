package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const fonenumber = "3215551212"

// account is a simulated account.
type account struct {
	*simulator.Simulator
	interrupt context.CancelFunc // Interrupts the program that checks it, as Ctrl-C does.
}

// newAccount returns an account whose values the output must not contain.
func newAccount(t *testing.T, dialect string) *account {
	t.Helper()
	sim := simulator.New(simulator.Options{Dialect: simulator.Dialects[dialect], RateLimit: 5, Password: "correct-horse"})
	sim.Put(simulator.FoneNumber{
		Number: fonenumber, Label: "hidden label", Group: "hidden group", Receive: simulator.Receive{Type: "Email", Email: "hidden@example.org"},
		SendNotify: simulator.Notify{Type: "Callback", URL: "https://hidden.example.org", Method: "JSON"},
	})
	sim.PutDevice(simulator.Device{ID: "987123543678", Name: "hidden device"})
	return &account{Simulator: sim}
}

// inMemory reaches a handler without sockets.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w, arrived := httptest.NewRecorder(), httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
	arrived.Header = r.Header
	m.ServeHTTP(w, arrived)
	return w.Result(), r.Context().Err()
}

// check runs the program. It fails the test if the output contains a value of the account.
func check(t *testing.T, sim *account, changes ...func(*checker)) (checked checker, output string) {
	t.Helper()
	var out bytes.Buffer
	c := checker{
		endpoint: "https://fonestorm.test/v2", username: "demo", password: "correct-horse", transport: inMemory{sim}, out: &out,
	}
	for _, change := range changes {
		change(&c)
	}
	synctest.Test(t, func(t *testing.T) { // Pauses take no time.
		ctx, interrupt := context.WithCancel(t.Context())
		sim.interrupt = interrupt
		c.run(ctx)
	})
	for _, value := range []string{"hidden", "horse", fonenumber, "987123543678", "eyJ"} {
		if strings.Contains(out.String(), value) {
			t.Errorf("the output contains %q:\n%s", value, out.String())
		}
	}
	if violations := sim.Violations(); len(violations) > 0 {
		t.Errorf("violates the contract of FoneStorm: %q", violations)
	}
	return c, out.String()
}

// changing lets the program change the FoneNumber.
func changing(c *checker) { c.number = fonenumber }

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// countSettings returns how many settings the account has received.
func countSettings(sim *account) (n int) {
	for _, r := range sim.Requests() {
		if r.Kind() == "set" {
			n++
		}
	}
	return n
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	for dialect, words := range map[string][]string{
		"live": {"auth.token: JWT", "fonenumber.sms_options.receive.email: e-mail, lower case", "device.id: digits"},
		"2.12": {"authorization.token: JWT", "fonenumber.message_options.receive.type: \"Email\"", "subaccount.token: JWT", "devices: []"},
	} {
		sim, subaccount := newAccount(t, dialect), ""
		if dialect == "2.12" {
			subaccount = "2000000002"
			f, _ := sim.Get(fonenumber)
			f.Subaccount = subaccount
			sim.Put(f)
		}
		c, output := check(t, sim, func(c *checker) { c.subaccount = subaccount })
		if c.err != nil || c.surprises > 0 || countSettings(sim) > 0 {
			t.Errorf("%v, %d surprises, %d settings", c.err, c.surprises, countSettings(sim))
		}
		wantWords(t, output, append(words, "GET /fonenumbers/{number}", "fonenumber.label: text", "send_notify.type: \"Callback\"")...)
	}
}

// A delivery is restored as it was set, however FoneStorm shows it, and a FoneNumber that never had one is turned off. Only -force changes
// one that delivers to a URL.
func TestEveryTypeIsSetAndRestored(t *testing.T) {
	t.Parallel()
	for _, original := range []simulator.Receive{
		{Type: "Device", Device: "987123543678"},
		{Type: "Email", Email: "hidden@example.org"},
		{Type: "Forward", Forward: "3215551111", Email: "stale@example.com"},
		{Type: "URL", URL: "https://hidden.example.org/?m={{msg}}", URLMethod: "POST"},
		{Type: "None"},
	} {
		sim := newAccount(t, "live")
		sim.Put(simulator.FoneNumber{Number: fonenumber, Receive: original})
		sim.ShowAs(func(_ string, f simulator.FoneNumber) simulator.FoneNumber {
			f.Receive.Email = strings.ToLower(f.Receive.Email)
			f.Receive.URL = strings.NewReplacer("{", "%7b", "}", "%7D").Replace(f.Receive.URL)
			f.Receive.Forward = strings.Replace(f.Receive.Forward, "2025550123", "+1 (202) 555-0123", 1)
			return f
		})
		c, output := check(t, sim, changing, func(c *checker) { c.force = true })
		if after, _ := sim.Get(fonenumber); c.err != nil || c.surprises > 0 || after.Receive.String() != original.String() {
			t.Errorf("%v, %d surprises: the FoneNumber delivers to %s instead of %s\n%s", c.err, c.surprises, after.Receive, original, output)
		}
		wantWords(t, output, "POST /messages/receive\n  sent Device [fonenumber type", "email: as sent, e-mail, lower case",
			"url: as sent, URL, percent-encoded", "forward: as sent, digits with punctuation")
		credentials := map[string]string{}
		for _, r := range sim.Requests() {
			if r.Form.Has("url_username") {
				credentials[r.Form.Get("type")] = r.Form.Get("url_username") + ":" + r.Form.Get("url_password")
			}
		}
		if want := map[string]string{"URL": "terraform:check", "None": ":"}; !maps.Equal(credentials, want) {
			t.Errorf("the credentials are %v, want %v", credentials, want)
		}
	}
}

// A rejected list and settings that FoneStorm ignores are reported, as one surprise for each type.
func TestSurprises(t *testing.T) {
	t.Parallel()
	rejecting := newAccount(t, "live")
	rejecting.Intercept(func(r simulator.Request) simulator.Fault {
		return map[string]simulator.Fault{"/fonenumbers?filter=all": simulator.ServerError}[r.Path]
	})
	c, output := check(t, rejecting)
	if c.err != nil || c.surprises != 1 {
		t.Errorf("%v, %d surprises", c.err, c.surprises)
	}
	wantWords(t, output, "500 after", "NOT as the provider expects: ", "fonenumber: ten digits", "GET /fonenumbers/{number}")

	ignoring := newAccount(t, "live")
	before, _ := ignoring.Get(fonenumber)
	ignoring.ShowAs(func(string, simulator.FoneNumber) simulator.FoneNumber { return before })
	c, output = check(t, ignoring, changing)
	if c.err != nil || c.surprises != 5 {
		t.Errorf("%v, %d surprises", c.err, c.surprises)
	}
	wantWords(t, output, "NOT as the provider expects: ", "(?i:Forward)")
}

// The output shows the kinds of values, and no members that are not FoneStorm's.
func TestShape(t *testing.T) {
	t.Parallel()
	content := map[string]any{
		"hidden@example.org": "Email", "devices": []any{map[string]any{"id": json.Number("7"), "on": true}, map[string]any{"id": "7", "on": nil}},
		"fonenumbers": []any{}, "value": " A%20B ", "sender": "Ops@example.org",
	}
	const want = "device.id: JSON number, device.on: true, device.id: digits, device.on: null, fonenumbers: [], " +
		`: "Email", sender: e-mail, case kept, value: as sent, text, `
	got := ""
	for _, s := range scalarsOf("", content) {
		got += s.name + ": " + kindOf(s.value, "a b") + ", "
	}
	if got != want {
		t.Errorf("the shape is %s, want %s", got, want)
	}
}

// Ctrl-C ends the check at any request, and the FoneNumber is restored.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, at := range []int{2, 3, 4} {
		sim := newAccount(t, "live")
		sim.Intercept(func(r simulator.Request) simulator.Fault {
			if r.Kind() == "set" && countSettings(sim) == at {
				sim.interrupt()
			}
			return ""
		})
		c, output := check(t, sim, changing)
		f, _ := sim.Get(fonenumber)
		if c.err == nil || c.err.Error() != "interrupted" || countSettings(sim) != at+1 || f.Receive.String() != "Email hidden@example.org" {
			t.Errorf("interrupted at setting %d: %v after %d settings, and the FoneNumber delivers to %s", at, c.err, countSettings(sim), f.Receive)
		}
		if calls, responses := strings.Count(output, "\nGET ")+strings.Count(output, "\nPOST "), strings.Count(output, " after "); calls != responses {
			t.Errorf("interrupted at setting %d, %d of %d calls got a response", at, responses, calls)
		}
	}
}

// The FoneNumber is restored as soon as FoneStorm lets it. If FoneStorm does not accept the original delivery from the beginning,
// nothing else is set.
func TestRestoreIsRepeated(t *testing.T) {
	t.Parallel()
	const notRestored = "FONENUMBER " + fonenumber + ` WAS NOT RESTORED. Set its delivery by hand now: Email "hidden@example.org"`
	for _, test := range []struct {
		first, failures int // Settings of the original delivery that fail.
		destination     string
		failure         string
		settings        int
	}{
		{2, 2, "hidden@example.org", "<nil>", 9},
		{2, 1000, "", notRestored, 12},
		{1, 1000, "hidden@example.org", notRestored, 6},
	} {
		sim, attempt := newAccount(t, "live"), 0
		sim.Intercept(func(r simulator.Request) simulator.Fault {
			if r.Form.Get("value") == "hidden@example.org" {
				if attempt++; attempt >= test.first && attempt < test.first+test.failures {
					return simulator.ServerError
				}
			}
			return ""
		})
		c, _ := check(t, sim, changing)
		f, _ := sim.Get(fonenumber)
		if fmt.Sprint(c.err) != test.failure || f.Receive.Value() != test.destination || countSettings(sim) != test.settings {
			t.Errorf("%+v: %v after %d settings, and the FoneNumber delivers to %s", test, c.err, countSettings(sim), f.Receive)
		}
	}
}

func TestNotChecked(t *testing.T) {
	t.Parallel()
	for words, change := range map[string]func(c *checker){
		"ten digits":               func(c *checker) { c.number = "321" },
		"-force":                   changing,
		"could not be restored":    func(c *checker) { c.number = "4075550000" }, // Not in the account.
		"read, so that it could":   func(c *checker) { c.number = "4075550001" },
		"cannot be read, so that":  func(c *checker) { c.number = "4075550002" },
		"there are no credentials": func(c *checker) { c.password = "" },
		"did not accept":           func(c *checker) { c.password = "other" },
		"must be an https URL":     func(c *checker) { c.endpoint = "http://127.0.0.1.example.com/v2" },
	} {
		sim := newAccount(t, "live")
		sim.Put(simulator.FoneNumber{Number: fonenumber, Receive: simulator.Receive{Type: "URL", URL: "https://hidden.example.org"}})
		sim.Put(simulator.FoneNumber{Number: "4075550001", Receive: simulator.Receive{Type: "Fax"}})
		sim.Put(simulator.FoneNumber{Number: "4075550002", Receive: simulator.Receive{Type: "Email"}})
		if c, _ := check(t, sim, change); c.err == nil || !strings.Contains(c.err.Error(), words) || countSettings(sim) > 0 {
			t.Errorf("%s: %v after %d settings", words, c.err, countSettings(sim))
		}
	}
}
