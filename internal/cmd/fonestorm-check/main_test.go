package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const fonenumber = "3215551212"

// account is a simulated account.
type account struct {
	*simulator.Simulator
	interrupt  context.CancelFunc // Interrupts the program that checks it, as Ctrl-C does.
	subaccount string             // FRACTEL_SUBACCOUNT; may be empty.
}

// newAccount returns an account whose values the output must not contain.
func newAccount(t *testing.T, dialect string) *account {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Dialect: simulator.Dialects[dialect], RateLimit: 5, Password: "correct-horse"})
	if err != nil {
		t.Fatal(err)
	}
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
func check(t *testing.T, sim *account, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	environment := map[string]string{
		"FRACTEL_ENDPOINT": "https://fonestorm.test/v2", "FRACTEL_USERNAME": "demo", "FRACTEL_PASSWORD": "correct-horse", "FRACTEL_SUBACCOUNT": sim.subaccount,
	}
	var out, problems bytes.Buffer
	synctest.Test(t, func(t *testing.T) { // Pauses take no time.
		ctx, interrupt := context.WithCancel(t.Context())
		sim.interrupt = interrupt
		status = run(ctx, args, func(name string) string { return environment[name] }, inMemory{sim}, &out, &problems)
	})
	for _, value := range []string{"hidden", "horse", fonenumber, "987123543678", "eyJ"} {
		if strings.Contains(out.String(), value) {
			t.Errorf("the output contains %q:\n%s", value, out.String())
		}
	}
	if violations := sim.Violations(); len(violations) > 0 {
		t.Errorf("violates the contract of FoneStorm: %q", violations)
	}
	return status, out.String(), problems.String()
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	for dialect, words := range map[string][]string{
		"live": {"auth.token: JWT", "fonenumber.sms_options.receive.email: e-mail, lower case", "device.id: digits"},
		"2.12": {"authorization.token: JWT", "fonenumber.message_options.receive.type: \"Email\"", "subaccount.token: JWT", "devices: empty list"},
	} {
		sim := newAccount(t, dialect)
		if dialect == "2.12" {
			sim.subaccount = "2000000002"
			f, _ := sim.Get(fonenumber)
			f.Subaccount = sim.subaccount
			sim.Put(f)
		}
		status, stdout, stderr := check(t, sim)
		if status != 0 || stderr != "" {
			t.Errorf("the exit status is %d: %s", status, stderr)
		}
		wantWords(t, stdout, append(words, "GET /fonenumbers/{number}", "fonenumber.label: text", "send_notify.type: \"Callback\"")...)
		for _, r := range sim.Requests() {
			if r.Kind() == "set" {
				t.Errorf("the program sent %s", r.Path)
			}
		}
	}
}

func TestEveryTypeIsSetAndRestored(t *testing.T) {
	t.Parallel()
	sim := newAccount(t, "live")
	sim.ShowAs(func(v simulator.View) simulator.FoneNumber {
		v.Receive.Email = strings.ToLower(v.Receive.Email)
		v.Receive.URL = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(v.Receive.URL)
		v.Receive.Forward = "+1" + v.Receive.Forward
		return v.FoneNumber
	})
	before, _ := sim.Get(fonenumber)
	status, stdout, stderr := check(t, sim, "-fonenumber", fonenumber)
	if status != 0 || stderr != "" {
		t.Errorf("the exit status is %d: %s\n%s", status, stderr, stdout)
	}
	wantWords(t, stdout, "of type Device with fonenumber, type", "email: as sent, but in another case, e-mail, lower case",
		"url: as sent, but percent-encoded, URL", "forward: as sent, with more around it, digits with punctuation", "is restored")
	credentials := map[string]string{}
	for _, r := range sim.Requests() {
		if r.Form.Has("url_username") {
			credentials[r.Form.Get("type")] = r.Form.Get("url_username") + ":" + r.Form.Get("url_password")
		}
	}
	if want := map[string]string{"URL": "terraform:check", "None": ":"}; !maps.Equal(credentials, want) {
		t.Errorf("the credentials are %v, want %v", credentials, want)
	}
	if after, _ := sim.Get(fonenumber); after.Receive.String() != before.Receive.String() {
		t.Errorf("the FoneNumber delivers to %s", after.Receive)
	}
}

// A rejected list and settings that FoneStorm ignores are reported.
func TestSurprises(t *testing.T) {
	t.Parallel()
	rejecting := newAccount(t, "live")
	rejecting.Inject(func(r *http.Request) simulator.Fault {
		return map[string]simulator.Fault{"filter=all": simulator.ServerError}[r.URL.RawQuery]
	})
	status, stdout, stderr := check(t, rejecting)
	if status != 1 || stderr != "" {
		t.Errorf("the exit status is %d: %s", status, stderr)
	}
	wantWords(t, stdout, "500 after", "NOT as the provider expects: ", "fonenumber: ten digits", "GET /fonenumbers/{number}")

	sim := newAccount(t, "live")
	sim.StoreAs(func(before, _ simulator.FoneNumber) simulator.FoneNumber { return before })
	status, stdout, _ = check(t, sim, "-fonenumber", fonenumber)
	if status != 1 {
		t.Errorf("the exit status is %d", status)
	}
	wantWords(t, stdout, "NOT as the provider expects: ", "(?i:Forward)")
}

// The output shows the kinds of values, and of members that are not FoneStorm's.
func TestShape(t *testing.T) {
	t.Parallel()
	content := map[string]any{
		"hidden@example.org": "Email", "devices": []any{map[string]any{"id": json.Number("7")}, map[string]any{"id": "7", "on": true}},
		"fonenumbers": []any{}, "value": " A%20B ",
	}
	want := []string{
		`(another name): "Email"`, "device.id: JSON number", "device.id: digits", "device.on: JSON boolean", "fonenumbers: empty list",
		"value: as sent, but percent-encoded, text",
	}
	if got := scalarsOf("", content).shape("a b"); !slices.Equal(got, want) {
		t.Errorf("the shape is %q, want %q", got, want)
	}
}

// A delivery is restored in the spelling of settings, whichever FoneStorm shows.
func TestRestorable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		receive map[string]any
		want    delivery
	}{
		{map[string]any{"type": "forward", "forward": "+1 (321) 555-1111"}, delivery{"Forward", "3215551111"}},
		{map[string]any{"type": " DEVICE ", "device": json.Number("987123543678")}, delivery{"Device", "987123543678"}},
		{map[string]any{"type": "url", "url": "https://x.test/?m=%7B%7bmsg%7d%7D"}, delivery{"URL", "https://x.test/?m={{msg}}"}},
		{map[string]any{"type": "email", "email": "ops@example.com "}, delivery{"Email", "ops@example.com"}},
		{map[string]any{"type": "None", "email": "stale@example.com"}, delivery{"None", "None"}},
		{map[string]any{"type": ""}, delivery{"None", "None"}},
		{map[string]any{"type": nil}, delivery{"None", "None"}},
		{map[string]any{"type": "email", "email": nil}, delivery{"Email", ""}},
		{map[string]any{"type": "Fax"}, delivery{}},
		{map[string]any{"type": false}, delivery{}},
	} {
		if got := restorable(scalarsOf("fonenumber.sms_options.receive", test.receive)); got != test.want {
			t.Errorf("%v is restored as %+v, want %+v", test.receive, got, test.want)
		}
	}
}

// Ctrl-C ends the check at any request, and the FoneNumber is restored.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, at := range []int{1, 2, 3} {
		sim := newAccount(t, "live")
		settings := 0
		sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/messages/receive") {
				if settings++; settings == at {
					sim.interrupt()
				}
			}
			return false
		})
		status, stdout, stderr := check(t, sim, "-fonenumber", fonenumber)
		f, _ := sim.Get(fonenumber)
		if status != 2 || settings != at+1 || f.Receive.String() != "Email hidden@example.org" {
			t.Errorf("interrupted at setting %d, the exit status is %d after %d settings, and the FoneNumber delivers to %s", at, status, settings, f.Receive)
		}
		if calls, responses := strings.Count(stdout, "\nGET ")+strings.Count(stdout, "\nPOST "), strings.Count(stdout, " after "); calls != responses {
			t.Errorf("interrupted at setting %d, %d of %d calls got a response", at, responses, calls)
		}
		wantWords(t, stdout, "is restored")
		wantWords(t, stderr, "canceled")
	}
}

// The FoneNumber is restored as soon as FoneStorm lets it.
func TestRestoreIsRepeated(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]struct {
		status      int
		destination string
		words       string
	}{
		2:    {1, "hidden@example.org", "is restored"},
		1000: {2, "", "FONENUMBER " + fonenumber + ` WAS NOT RESTORED. Set its delivery by hand now: Email "hidden@example.org"`},
	} {
		sim := newAccount(t, "live")
		sim.Inject(func(r *http.Request) simulator.Fault {
			if simulator.Parameters(r).Get("value") == "hidden@example.org" {
				if failures--; failures >= 0 {
					return simulator.ServerError
				}
			}
			return ""
		})
		status, stdout, stderr := check(t, sim, "-fonenumber", fonenumber)
		if f, _ := sim.Get(fonenumber); status != want.status || f.Receive.Value() != want.destination {
			t.Errorf("the exit status is %d, and the FoneNumber delivers to %s", status, f.Receive)
		}
		wantWords(t, stdout+stderr, want.words)
	}
}

func TestNotChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args  []string
		words string
	}{
		"number":   {[]string{"-fonenumber", "321"}, "ten digits"},
		"argument": {[]string{"3215551212"}, "no other arguments"},
		"URL":      {[]string{"-fonenumber", fonenumber}, "-force"},
		"missing":  {[]string{"-fonenumber", "4075550000"}, "could not be restored"},
	} {
		sim := newAccount(t, "live")
		sim.Put(simulator.FoneNumber{Number: fonenumber, Receive: simulator.Receive{Type: "URL", URL: "https://hidden.example.org"}})
		status, _, stderr := check(t, sim, test.args...)
		if status != 2 || !strings.Contains(stderr, test.words) {
			t.Errorf("%s: the exit status is %d: %s", name, status, stderr)
		}
		for _, r := range sim.Requests() {
			if r.Kind() == "set" {
				t.Errorf("%s: the FoneNumber was changed", name)
			}
		}
	}
	for endpoint, words := range map[string]string{"": "there are no credentials", "http://fonestorm.test/v2": "must be an https URL"} {
		var stderr bytes.Buffer
		status := run(t.Context(), nil, func(name string) string { return map[string]string{"FRACTEL_ENDPOINT": endpoint}[name] }, nil, &stderr, &stderr)
		if status != 2 || !strings.Contains(stderr.String(), words) {
			t.Errorf("%q without credentials: the exit status is %d: %s", endpoint, status, &stderr)
		}
	}
}
