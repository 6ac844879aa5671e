package provider

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The summaries of what a plan can warn of. A test names those it expects; all others must stay silent.
var planWarnings = []string{
	"FoneNumber Already Delivers Elsewhere",
	"FoneNumber Is Not Active",
	"Messaging Is Not Enabled",
	"FoneNumber Not Checked",
	"Messages Will Be Deleted",
	"Delivery Kept on Destroy",
	"FoneNumber Stays Off on Destroy",
	"Multiple Resources for One FoneNumber",
	"Refresh Skipped: Provider Configuration Unknown",
	"Callback Method Changes to POST",
	"Callback Credentials May Remain",
	"Forwarding Loop",
	"Messages Will Arrive Twice",
	"Device Not Found in Account",
	"FoneNumber Moves Between Resources",
	"Delivery Left Unchanged on Destroy",
	"Unknown Token in Callback URL",
	"Unbalanced Braces in Callback URL",
	"Callback Credentials Sent Over Plain HTTP",
	"Available Write-Only Attribute Alternative",
}

// warns checks that an output has these warnings and no others.
func warns(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, summary := range planWarnings {
		expected := false
		for _, w := range want {
			expected = expected || w == summary
		}
		if got := strings.Contains(output, "Warning: "+summary); got != expected {
			t.Errorf("warning %q is %t, want %t:\n%s", summary, got, expected, output)
		}
	}
}

func says(t *testing.T, output string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(output, text) {
			t.Errorf("does not say %q:\n%s", text, output)
		}
	}
}

// What the plan of a new delivery says about the FoneNumber as it is.
func TestPreview(t *testing.T) {
	t.Parallel()
	email := simulator.Receive{Type: "Email", Email: "old@example.com"}
	tests := map[string]struct {
		found    simulator.FoneNumber
		settings string // Of the provider.
		config   string
		warnings []string
		texts    []string
	}{
		"delivers elsewhere": {
			found:    simulator.FoneNumber{Receive: email},
			config:   destinations[0].config(testNumber),
			warnings: []string{"FoneNumber Already Delivers Elsewhere"},
			texts: []string{
				`FoneNumber 3215551212 delivers to Email "old@example.com" now`, `replaces it with the configured delivery of type "Device"`,
				`import { to = <address of this resource> id = "3215551212" }`, "with " + testAddress,
			},
		},
		"delivers elsewhere and will be None": {
			found:    simulator.FoneNumber{Receive: email},
			config:   destinations[4].config(testNumber),
			warnings: []string{"FoneNumber Already Delivers Elsewhere"},
			texts:    []string{`replaces it with type "None"`},
		},
		"another value of the same type": {
			found:    simulator.FoneNumber{Receive: email},
			config:   destinations[1].config(testNumber),
			warnings: []string{"FoneNumber Already Delivers Elsewhere"},
		},
		"the same":           {found: simulator.FoneNumber{Receive: simulator.Receive{Type: "Email", Email: "ops@example.com"}}, config: destinations[1].config(testNumber)},
		"delivers nowhere":   {config: destinations[1].config(testNumber)},
		"None to None":       {config: destinations[4].config(testNumber)},
		"stale other fields": {found: simulator.FoneNumber{Receive: simulator.Receive{Type: "None", Email: "old@example.com"}}, config: destinations[1].config(testNumber)},
		"value known later": {
			found: simulator.FoneNumber{Receive: email},
			config: "resource \"terraform_data\" \"a\" {\n  input = \"ops@example.com\"\n}\n" +
				strings.Replace(destinations[1].config(testNumber), `"ops@example.com"`, "terraform_data.a.output", 1),
			warnings: []string{"FoneNumber Already Delivers Elsewhere"},
			texts:    []string{`replaces it with the configured delivery of type "Email"`},
		},
		"cancelled": {
			found:    simulator.FoneNumber{Active: "cancel"},
			config:   destinations[1].config(testNumber),
			warnings: []string{"FoneNumber Is Not Active"},
			texts:    []string{"FoneNumber 3215551212 is cancelled", `: fonenumber = "3215551212"`},
		},
		"no messaging": {
			found:    simulator.FoneNumber{MessagingDisabled: true},
			config:   destinations[1].config(testNumber),
			warnings: []string{"Messaging Is Not Enabled"},
			texts:    []string{`: fonenumber = "3215551212"`},
		},
		"turned off": {
			found:    simulator.FoneNumber{Active: "cancel", MessagingDisabled: true, Receive: email},
			settings: "check_on_plan = false",
			config:   destinations[0].config(testNumber),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			test.found.Number = testNumber
			a.Put(test.found)
			a.PutDevice(simulator.Device{ID: destinations[0].value})
			w := a.newWorkspace(t, a.provider(test.settings)+test.config)
			output := w.plan(2)
			warns(t, output, test.warnings...)
			says(t, output, test.texts...)
			if asked := len(a.Requests()) > 0; asked == (test.settings != "") {
				t.Errorf("FoneStorm was asked: %t", asked)
			}
			output = w.run(0, "validate")
			warns(t, output)
		})
	}
}

// What makes the check itself fail: errors that the apply would meet stop the plan, others do not.
func TestPreviewFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		settings    string
		status      int // That FoneStorm answers reads with; zero for none.
		exitCode    int
		warning     string
		text        string
		mostReading int // Requests.
	}{
		"not in the account": {exitCode: 1, text: "Error: FoneNumber Not Found in Account", mostReading: 10},
		"wrong credentials":  {settings: `password = "wrong"`, exitCode: 1, text: "Error: FoneStorm Authentication Failed"},
		"forbidden":          {status: 403, exitCode: 1, text: "Error: Permission Denied by FoneStorm", mostReading: 10},
		"failing":            {settings: "max_retries = 0", status: 503, exitCode: 2, warning: "FoneNumber Not Checked", text: "Applying this plan overwrites its delivery", mostReading: 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			if test.status != 0 {
				a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method != http.MethodGet {
						return false
					}
					w.WriteHeader(test.status)
					fmt.Fprintf(w, `{"error":"No","message":"No.","status_code":%d}`, test.status)
					return true
				})
			}
			provider := a.provider(test.settings)
			if strings.Contains(test.settings, "password") {
				provider = strings.Replace(provider, `password            = "demo-password"`, "", 1)
			}
			w := a.newWorkspace(t, provider+numbered(5, "ops@example.com"))
			output := w.plan(test.exitCode)
			says(t, output, test.text)
			if test.warning == "" {
				warns(t, output)
			} else {
				warns(t, output, test.warning)
			}
			if n := a.count("get") + a.count("list"); n > test.mostReading {
				t.Errorf("%d reads, want at most %d", n, test.mostReading)
			}
		})
	}
}

// Wherever nothing listens, the plan is made all the same.
func TestPreviewUnreachable(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	w := a.newWorkspace(t, "provider \"fractel\" {\n  endpoint = \"http://127.0.0.1:1/v2\"\n  max_retries = 0\n}\n"+numbered(3, "ops@example.com"))
	output := w.plan(2)
	warns(t, output, "FoneNumber Not Checked")
	says(t, output, "no response from http://127.0.0.1:1/v2")
}

// A thousand overwritten FoneNumbers: one kind of warning, in one group, for a handful of requests.
func TestPreviewOfAThousand(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 1000})
	for _, f := range a.Numbers() {
		a.byHand(f.Number, "Email", "old@example.com")
	}
	w := a.newWorkspace(t, numbered(1000, "new@example.com"))
	output := w.plan(2)
	warns(t, output, "FoneNumber Already Delivers Elsewhere")
	says(t, output, "(and 999 more similar warnings elsewhere)")
	if n := len(a.Requests()); n > 7 {
		t.Errorf("%d requests, want at most 7", n)
	}
}

// What the plan says of deliveries that end or change, with each on_destroy.
func TestPlanOfTheEnd(t *testing.T) {
	t.Parallel()
	with := func(d destination, onDestroy string) string {
		return strings.Replace(d.config(testNumber), "type =", "on_destroy = \""+onDestroy+"\"\n  type =", 1)
	}
	const other = "3215553434"
	tests := map[string]struct {
		before, after string
		byHand        string // The e-mail address that is set between the two.
		warnings      []string
		texts         []string
	}{
		"destroy disable":           {before: with(destinations[1], "disable"), warnings: []string{"Messages Will Be Deleted"}, texts: []string{`messages received at FoneNumber 3215551212 are deleted upon receipt`}},
		"destroy by default":        {before: destinations[1].config(testNumber), warnings: []string{"Messages Will Be Deleted"}},
		"destroy what deletes":      {before: destinations[4].config(testNumber), warnings: []string{"FoneNumber Stays Off on Destroy"}},
		"destroy keep":              {before: with(destinations[1], "keep"), warnings: []string{"Delivery Kept on Destroy"}},
		"destroy what was changed":  {before: destinations[1].config(testNumber), byHand: "boss@example.com", warnings: []string{"Delivery Left Unchanged on Destroy"}},
		"replace disable":           {before: with(destinations[1], "disable"), after: strings.ReplaceAll(with(destinations[1], "disable"), testNumber, other), warnings: []string{"Messages Will Be Deleted"}},
		"replace keep":              {before: with(destinations[1], "keep"), after: strings.ReplaceAll(with(destinations[1], "keep"), testNumber, other), warnings: []string{"Delivery Kept on Destroy"}},
		"change to None":            {before: destinations[1].config(testNumber), after: destinations[4].config(testNumber), warnings: []string{"Messages Will Be Deleted"}, texts: []string{`With type "None", messages received at it are deleted upon receipt`, `: type = "None"`}},
		"change to something else":  {before: destinations[1].config(testNumber), after: destinations[0].config(testNumber)},
		"change of on_destroy only": {before: destinations[4].config(testNumber), after: with(destinations[4], "keep")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			a.Put(simulator.FoneNumber{Number: testNumber})
			a.Put(simulator.FoneNumber{Number: other})
			a.PutDevice(simulator.Device{ID: destinations[0].value})
			w := a.newWorkspace(t, test.before)
			w.apply()
			if test.byHand != "" {
				a.byHand(testNumber, "Email", test.byHand)
			}
			w.configure(test.after)
			args := []string{}
			if test.after == "" { // Terraform before 1.12 plans orphans before it refreshes them.
				args = append(args, "-destroy")
			}
			output := w.plan(2, args...)
			warns(t, output, test.warnings...)
			says(t, output, test.texts...)
		})
	}
}

// What each on_destroy leaves behind.
func TestOnDestroy(t *testing.T) {
	t.Parallel()
	callbackWith := func(onDestroy, value string) string {
		if onDestroy == "" {
			return destination{kind: "URL", value: value, username: "hook", password: "horse"}.config(testNumber)
		}
		return strings.Replace(destination{kind: "URL", value: value, username: "hook", password: "horse"}.config(testNumber),
			"type =", "on_destroy = \""+onDestroy+"\"\n  type =", 1)
	}
	tests := map[string]struct {
		onDestroy string
		want      destination
		requests  int // To set, when destroyed.
	}{
		"disable": {"disable", destination{kind: "None"}, 1},
		"default": {"", destination{kind: "None"}, 1},
		"keep":    {"keep", destination{"URL", "https://third.example.com/", "hook", "horse"}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, simulator.Options{})
			a.byHand(testNumber, "Email", "old@example.com")
			w := a.newWorkspace(t, callbackWith(test.onDestroy, "https://first.example.com/"))
			w.apply()
			for _, value := range []string{"https://second.example.com/", "https://third.example.com/"} {
				w.configure(callbackWith(test.onDestroy, value))
				w.apply()
			}
			before := a.count("set")
			w.apply("-destroy", "-refresh=false")
			if err := a.delivers(testNumber, test.want)(nil); err != nil {
				t.Error(err)
			}
			if n := a.count("set") - before; n != test.requests {
				t.Errorf("destroying sent %d settings, want %d", n, test.requests)
			}
		})
	}
}

// A change of on_destroy alone is between Terraform and its state.
func TestChangeOfOnDestroyAsksNothing(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	credentials := "url_username = \"hook\"\n  " + bestPassword("horse", 1) + "\n"
	w := a.newWorkspace(t, callback(credentials))
	w.apply()
	before := a.count("set")
	w.configure(callback(credentials + "on_destroy = \"keep\""))
	says(t, w.apply(), "0 added, 1 changed")
	w.plan(0)
	if n := a.count("set") - before; n > 0 {
		t.Errorf("%d settings were sent", n)
	}
}

// An imported delivery survives a destroy unless the configuration says otherwise.
func TestDestroyOfAnImportedDelivery(t *testing.T) {
	t.Parallel()
	for onDestroy, want := range map[string]destination{"": destinations[1], "keep": destinations[1], "disable": {kind: "None"}} {
		a := newAccount(t, simulator.Options{})
		a.byHand(testNumber, "Email", "ops@example.com")
		config := destinations[1].config(testNumber)
		if onDestroy != "" {
			config = strings.Replace(config, "type =", fmt.Sprintf("on_destroy = %q\n  type =", onDestroy), 1)
		}
		w := a.newWorkspace(t, config)
		w.run(0, "import", "-no-color", "-input=false", testAddress, testNumber)
		w.plan(map[bool]int{true: 2}[onDestroy == "disable"])
		w.apply()
		w.plan(0)
		w.apply("-destroy")
		if err := a.delivers(testNumber, want)(nil); err != nil {
			t.Errorf("on_destroy %q: %s", onDestroy, err)
		}
	}
}

func TestDestroyOfAFoneNumberThatIsGone(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{})
	a.Put(simulator.FoneNumber{Number: testNumber})
	w := a.newWorkspace(t, destinations[1].config(testNumber))
	w.apply()
	a.Remove(testNumber)
	w.apply("-destroy", "-refresh=false")
}

func TestForwardsInACircle(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 3})
	forward := func(from, to int) string {
		d := destination{kind: "Forward", value: fmt.Sprint(3215550000 + to)}
		return strings.Replace(d.config(fmt.Sprint(3215550000+from)), `"test"`, fmt.Sprintf("\"n%d\"", from), 1)
	}
	w := a.newWorkspace(t, forward(0, 1)+forward(1, 2)+forward(2, 0))
	output := w.plan(2)
	warns(t, output, "Forwarding Loop")
	says(t, output, "would be forwarded back to it, through 2 other FoneNumbers", ": value = ")

	w.configure(forward(0, 1) + forward(1, 2) + forward(2, 3))
	warns(t, w.plan(2))
}

// Forwards are followed through what this run plans, and through what is known of the account besides.
func TestForwardsBack(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 10})
	a.byHand("3215550002", "Forward", "3215550001")
	a.byHand("3215550003", "Forward", "3215550004")
	a.byHand("3215550004", "Forward", "3215550003")
	a.byHand("3215550005", "Forward", "3215550001")
	a.byHand("3215550006", "Forward", "3215550001")
	client, err := fonestorm.New(fonestorm.Config{
		Endpoint: a.endpoint, Username: "demo", Password: "demo-password", RequestsPerSecond: 1000, RequestTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Numbers()[:6] { // 3215550006 is not known.
		if _, err := client.GetFoneNumber(t.Context(), f.Number); err != nil {
			t.Fatal(err)
		}
	}
	r := &foneNumberDeliveryResource{configuredResource{configured{newProviderData(client, true)}}}
	r.wants("3215550005", "an ID", deliveryModel{Type: types.StringValue("None")})
	for target, want := range map[string]bool{
		"3215550002": true,  // Known.
		"3215550003": false, // A loop of others.
		"3215550005": false, // Planned to end there, whatever is known.
		"3215550000": false, // Delivers elsewhere.
		"3215559999": false, // Not in the account.
	} {
		forward := deliveryModel{FoneNumber: types.StringValue("3215550001"), Type: types.StringValue("Forward"), Value: types.StringValue(target)}
		if got := len(r.loopDiagnostics(forward)) > 0; got != want {
			t.Errorf("by %s: %t, want %t", target, got, want)
		}
	}
}

func TestCallbackWarnings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines    string
		warnings []string
		texts    []string
	}{
		"fine":            {`value = "https://hooks.example.com/?a={{to}}&b={{from}}&c={{msg}}&d={{uid}}"`, nil, nil},
		"unknown token":   {`value = "https://hooks.example.com/?a={{mesg}}&b={{msg}}"`, []string{"Unknown Token in Callback URL"}, []string{"contains a token that FoneStorm does not replace. It replaces {{to}}, {{from}}, {{msg}}, {{uid}}."}},
		"one brace":       {`value = "https://hooks.example.com/?a={msg}"`, []string{"Unbalanced Braces in Callback URL"}, nil},
		"open":            {`value = "https://hooks.example.com/?a={{msg}"`, []string{"Unbalanced Braces in Callback URL"}, nil},
		"clear, nothing":  {`value = "http://hooks.example.com/"`, nil, nil},
		"clear":           {"value = \"http://hooks.example.com/\"\n  url_username = \"hook\"", []string{"Callback Credentials Sent Over Plain HTTP"}, nil},
		"password":        {"value = \"https://hooks.example.com/\"\n  url_username = \"hook\"\n  url_password = \"any-horse\"", []string{"Available Write-Only Attribute Alternative"}, []string{"url_password_wo"}},
		"not a callback":  {"", nil, nil},
		"password, clear": {"value = \"http://hooks.example.com/{{to}\"\n  url_username = \"hook\"\n  url_password_wo = var.horse\n  url_password_wo_version = 1", []string{"Callback Credentials Sent Over Plain HTTP", "Unbalanced Braces in Callback URL"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(test.lines, "url_password") {
				needs(t, writeOnly) // The advice to use it, too.
			}
			config := strings.Replace(callback(test.lines), `value      = "https://hooks.example.com/sms"`, "", 1)
			if test.lines == "" {
				config = destination{kind: "Email", value: "{{msg}}@example.com"}.config(testNumber)
			}
			config += "variable \"horse\" {\n  type = string\n  default = \"secret-horse\"\n}\n"
			w := newAccount(t, simulator.Options{}).newWorkspace(t, config)
			output := w.run(0, "validate", "-no-color")
			warns(t, output, test.warnings...)
			says(t, output, test.texts...)
			if strings.Contains(output, "secret-horse") {
				t.Errorf("a warning holds the password:\n%s", output)
			}
		})
	}
}

// Multiple Resources for One FoneNumber are found out before anything is changed.
func TestTwoResourcesForOneFoneNumber(t *testing.T) {
	t.Parallel()
	second := func(d destination) string {
		return strings.Replace(d.config(testNumber), `"test"`, `"second"`, 1)
	}
	const want = "Error: Multiple Resources for One FoneNumber"

	t.Run("both new", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		w := a.newWorkspace(t, destinations[1].config(testNumber)+second(destinations[0]))
		says(t, w.plan(1), want)
	})
	t.Run("both new and the same", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		w := a.newWorkspace(t, destinations[1].config(testNumber)+second(destinations[1]))
		warns(t, w.plan(2), "Multiple Resources for One FoneNumber")
		w.apply()
		w.apply("-destroy")
		if err := a.delivers(testNumber, destination{kind: "None"})(nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("both new, known in the apply", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		config := destinations[1].config(testNumber) + second(destinations[0])
		config = strings.ReplaceAll(config, `fonenumber = "3215551212"`, "fonenumber = terraform_data.number.output")
		w := a.newWorkspace(t, "resource \"terraform_data\" \"number\" {\n  input = \"3215551212\"\n}\n"+config)
		says(t, w.run(1, "apply", "-no-color", "-auto-approve", "-input=false"), want)
		if n := a.count("set"); n != 1 {
			t.Errorf("%d settings, want that of the first alone", n)
		}
		if output := w.run(0, "state", "list"); strings.Count(output, "fractel_") != 1 {
			t.Errorf("the state has %s", output)
		}
	})
	t.Run("one new", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		w := a.newWorkspace(t, destinations[1].config(testNumber))
		w.apply()
		w.configure(destinations[1].config(testNumber) + second(destinations[0]))
		says(t, w.plan(1), want)
	})
	t.Run("one leaves", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		w := a.newWorkspace(t, destinations[1].config(testNumber))
		w.apply()
		w.configure(destinations[1].config(testNumber) + second(destinations[1]))
		w.run(0, "import", "-no-color", "-input=false", "fractel_fonenumber_delivery.second", testNumber)
		w.configure(destinations[1].config(testNumber))
		w.apply()
		if err := a.delivers(testNumber, destinations[1])(nil); err != nil {
			t.Error(err)
		}
		w.plan(0)
	})
	t.Run("replaced without a change", func(t *testing.T) {
		t.Parallel()
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		for _, lifecycle := range []string{"", "lifecycle {\n    create_before_destroy = true\n  }\n  "} {
			w := a.newWorkspace(t, strings.Replace(destinations[1].config(testNumber), "type =", lifecycle+"type =", 1))
			w.apply()
			before := a.count("set")
			w.apply("-replace=" + testAddress)
			if n := a.count("set") - before; n != 1 {
				t.Errorf("%d settings, want 1: the FoneNumber must not be turned off in between", n)
			}
			if err := a.delivers(testNumber, destinations[1])(nil); err != nil {
				t.Error(err)
			}
			w.plan(0)
			a.byHand(testNumber, "None", "")
		}
	})
}

// Renaming resources without moved blocks: whatever comes first, every FoneNumber ends as configured.
func TestRename(t *testing.T) {
	t.Parallel()
	const n = 50
	names := [2]string{"old", "new"}
	config := func(i int) string {
		return strings.Replace(numbered(n, fmt.Sprintf("ops%d@example.com", i)), `"test"`, fmt.Sprintf("%q", names[i%2]), 1)
	}
	a := newAccount(t, simulator.Options{FoneNumbers: n})
	w := a.newWorkspace(t, config(0))
	w.apply()
	for i := 1; i <= 4; i++ {
		w.configure(config(i))
		output := w.apply()
		warns(t, unrelated(output), "FoneNumber Moves Between Resources")
		for _, f := range a.Numbers() {
			if want := fmt.Sprintf("ops%d@example.com", i); f.Receive.Type != "Email" || f.Receive.Email != want {
				t.Fatalf("round %d: FoneNumber %s delivers to %+v", i, f.Number, f.Receive)
			}
		}
		w.plan(0)
	}
}

// unrelated takes warnings out of the output of a rename that depend on what Terraform does first.
func unrelated(output string) string {
	for _, summary := range []string{"Delivery Left Unchanged on Destroy", "Messages Will Be Deleted", "FoneNumber Already Delivers Elsewhere"} {
		output = strings.ReplaceAll(output, "Warning: "+summary, "")
	}
	return output
}

// An apply that fails in part leaves state and FoneStorm in agreement: the next plan is what is left to do.
func TestFailedApply(t *testing.T) {
	t.Parallel()
	a := newAccount(t, simulator.Options{FoneNumbers: 10})
	w := a.newWorkspace(t, numbered(10, "ops@example.com"))
	w.plan(2, "-out=saved.tfplan")
	const gone, forbidden = "3215550003", "3215550007"
	a.Remove(gone)
	var mu sync.Mutex
	denied := true
	a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if !denied || settingOf(r) != forbidden {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error":"Forbidden","message":"No.","status_code":403}`)
		return true
	})
	says(t, w.run(1, "apply", "-no-color", "saved.tfplan"), "Error: FoneNumber Not Found in Account", ": fonenumber = each.key", "Error: Permission Denied by FoneStorm")
	for _, f := range a.Numbers() {
		if delivers := f.Receive.Type == "Email"; delivers == (f.Number == forbidden) {
			t.Errorf("FoneNumber %s delivers to %+v", f.Number, f.Receive)
		}
	}
	mu.Lock()
	denied = false
	mu.Unlock()
	a.Put(simulator.FoneNumber{Number: gone})
	says(t, w.plan(2), "Plan: 2 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
}
