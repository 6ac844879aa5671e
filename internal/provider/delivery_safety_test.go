package provider

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// If the FoneNumber cannot be read before an update, what the plan was made for decides whether its callback URL stays the same.
func TestCredentialsStayIfTheFoneNumberCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Put(simulator.FoneNumber{Number: testNumber, Receive: theirHook})
	w.settings = attributes{"max_retries": 0}
	w.mustImport(testNumber)
	p := w.plan(with(toURL("", "", 0), "url_method", "POST"))
	w.reject("/fonenumbers/"+testNumber, "500 No.")
	wantWarnings(t, append(p.diags, w.carryOut(p)...), nil)
	w.Intercept(nil)
	w.mustDeliver(t, testNumber, delivery{"URL", hookURL, theirHook.URLUsername, theirHook.URLPassword})
}

// A spelling that was never learned, because FoneStorm showed it before this resource set anything, does not block the apply. Credentials
// that something else sets for a URL in a learned spelling stay.
func TestSpellingThatWasThereBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const url = "https://hooks.example.com/SMS?Key=1"
		w := newWorld(t)
		w.byHand(testNumber, "URL", url)
		w.ShowAs(func(_ string, f simulator.FoneNumber) simulator.FoneNumber {
			f.Receive.URL = strings.ToLower(f.Receive.URL) + "/"
			return f
		})
		w.mustImport(testNumber)
		config := with(toURL("", "", 0), "value", url)
		wantWarnings(t, w.mustApply(config), []string{"Callback Credentials Will Be Removed", "FoneStorm Shows the Destination Differently"})
		theirs := delivery{"URL", url, "theirs", "their-horse"}
		settings[0].set(w.account, testNumber, theirs)
		w.mustApply(with(config, "url_method", "POST"))
		w.mustDeliver(t, testNumber, theirs)
	})
}

// listing starts a process that has read so many FoneNumbers that it lists the rest.
func (w *world) listing() *run {
	r := w.account.start(w.t.Context(), w.t, w.settings)
	for i := range 7 {
		w.Put(simulator.FoneNumber{Number: fmt.Sprint(3215551300 + i)})
		_, diags := r.importState(fmt.Sprint(3215551300+i), false)
		if len(diags) > 0 {
			w.t.Errorf("an import shows %+v", diags[0])
		}
	}
	return r
}

// What the account's list shows is drift only if a single read shows it, too. It does not keep a destroy from turning a setting
// off, nor the plan of the destroy from saying so, with or without a refresh. If the single read fails, a destroy decides nothing.
func TestListDoesNotDecideOnDrift(t *testing.T) {
	t.Parallel()
	old, named := delivery{kind: "Email", value: "old@example.com"}, delivery{kind: "Email", value: "Ops <ops@example.com>"}
	for _, shown := range []delivery{{kind: "None"}, old, named} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, testNumber)
			w.ShowAs(func(request string, f simulator.FoneNumber) simulator.FoneNumber {
				if request == "list" && f.Number == testNumber {
					f.Receive = simulator.Receive{}.Delivering(shown.kind, shown.value)
				}
				return f
			})
			w.mustApply(toEmail)
			w.start = w.listing
			if p := w.plan(toEmail); !p.isEmpty() {
				t.Errorf("with %+v, the plan changes %q", shown, p.differs())
			}
			w.noRefresh = true
			wantWarnings(t, w.plan(nil).diags, []string{summaryDeleted})
			w.noRefresh = false
			p := w.plan(nil)
			w.reject("/fonenumbers/"+testNumber, "503 Later.")
			wantError(t, w.carryOut(p), serverError)
			w.Intercept(nil)
			wantWarnings(t, w.apply(nil), []string{summaryDeleted})
			w.mustDeliver(t, testNumber, delivery{kind: "None"})
		})
	}
}

// If the create that replaces a tainted object fails, what that object applied is not forgotten, and what something else has set
// since is not owned.
func TestTaintedObjectWhoseReplacementFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		since, left           delivery
		replacing, destroying string // Summaries of the warnings.
	}{
		{destinations[1], delivery{kind: "None"}, "FoneNumber Already Has This Delivery", summaryDeleted},
		{destinations[3], destinations[3], alreadyDelivers, ""}, // Nothing is in the state then.
	} {
		w := newWorld(t, testNumber)
		w.mustApply(toEmail)
		w.byHand(testNumber, test.since.kind, test.since.value)
		object := w.state["0"]
		object.tainted = true
		w.put("0", object)
		w.reject("/messages/receive", "403 No.")
		diags := w.apply(toEmail)
		wantError(t, diags, "Permission Denied by FoneStorm")
		wantWarnings(t, diags, []string{test.replacing})
		w.Intercept(nil)
		wantWarnings(t, w.plan(nil).diags, []string{test.destroying})
		w.apply(nil)
		w.mustDeliver(t, testNumber, test.left)
	}
}

// A FoneNumber that another resource could not set in an apply is not turned off after that, whether FoneStorm rejects the setting,
// its plan fails when Terraform plans again, or a value that was not known turns out to be invalid. The next apply finishes.
func TestDestroyAfterAFailedCreate(t *testing.T) {
	t.Parallel()
	to := toCallback
	for name, fail := range map[string]func(w *world, r *run) []*tfprotov6.Diagnostic{
		"rejected": func(w *world, r *run) []*tfprotov6.Diagnostic {
			c, _ := r.plan(instance{}, to)
			w.reject("/messages/receive", "403 No.")
			_, diags := r.apply(c)
			return diags
		},
		"not planned again": func(w *world, r *run) []*tfprotov6.Diagnostic {
			w.reject("/fonenumbers/"+testNumber, "403 No.")
			_, diags := r.plan(instance{}, to)
			return diags
		},
		"invalid": func(_ *world, r *run) []*tfprotov6.Diagnostic {
			return r.validate(delivery{kind: "Email", value: "nobody"}.attributes(testNumber))
		},
	} {
		w := newWorld(t, testNumber)
		w.mustApply(toEmail)
		old, r := w.state["0"], w.start()
		if diags := fail(w, r); failure(diags) == nil {
			t.Errorf("%s: the create succeeds", name)
		}
		w.Intercept(nil)
		_, diags := r.apply(destruction(old, old.private))
		wantError(t, diags, "FoneNumber Not Turned Off After Failure")
		w.mustDeliver(t, testNumber, destinations[1])
		w.mustApply(nil, to)
	}
}

// A destroy that fails leaves in private state that another resource continues. A later replacement by another FoneNumber must not
// believe that.
func TestReplacementAfterAFailedDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber, otherNumber)
	w.mustApply(toEmail)
	r := w.start()
	_, _ = r.plan(instance{}, toCallback)
	destroy, _ := r.plan(w.state["0"], nil)
	left := w.state["0"]
	left.private = destroy.private
	w.state["0"] = left
	w.mustApply(with(toEmail, "fonenumber", otherNumber))
	w.mustDeliver(t, testNumber, delivery{kind: "None"})
}

// An update that fails because the credentials belong to another account does not make that account the one of the resource. A
// FoneNumber that has moved to another account, and was then deleted there, is deleted, and not in another account.
func TestAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toEmail)
	w.account = newAccount(t, simulator.Options{Account: "9998887777"})
	w.start = func() *run { return w.account.start(t.Context(), t, nil) }
	r := w.start()
	c, _ := r.plan(w.state["0"], toCallback)
	after, diags := r.apply(c)
	wantError(t, diags, rejected, "The FoneNumber was not found")
	_, diags = w.start().refresh(after)
	wantError(t, diags, "FoneNumber in Another Account")

	w.byHand(testNumber, "Email", destinations[1].value)
	w.mustPlanNothing()
	w.Remove(testNumber)
	wantWarnings(t, refreshed(w), []string{summaryGone})
}

// Credentials that a replacement removes are not forgotten if it fails, because FoneStorm keeps the ones that a request omits.
func TestCredentialsOfAFailedReplacement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testNumber)
	w.mustApply(toURL("hook", "horse", 0))
	w.reject("/messages/receive", "403 No.")
	w.replaced = []string{"0"}
	wantError(t, w.apply(toURL("", "", 0)), "Permission Denied by FoneStorm")
	w.Intercept(nil)
	w.replaced = nil
	w.mustApply(toURL("", "", 0))
	w.mustDeliver(t, testNumber, delivery{kind: "URL", value: hookURL})
}

// A setting that FoneStorm ignores is an error, although the previous URL, which FoneStorm shows in full, begins like the new one.
func TestIgnoredURL(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		"https://hooks.example.com/sms":      "https://hooks.example.com/sms?msg={{msg}}",
		"http://hooks.example.com/sms":       "https://hooks.example.com/sms",
		"https://hooks.example.com:8443/sms": "https://hooks.example.com:9443/sms",
		"https://hooks.example.com/team/Ab":  "https://hooks.example.com/team/aB",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, testNumber)
			w.mustApply(delivery{kind: "URL", value: before}.attributes(testNumber))
			ignored, _ := w.Get(testNumber)
			w.ShowAs(func(string, simulator.FoneNumber) simulator.FoneNumber { return ignored })
			wantError(t, w.apply(delivery{kind: "URL", value: after}.attributes(testNumber)), "FoneStorm Returned Another Destination")
			if w.plan().isEmpty() {
				t.Error("the next plan does not try again")
			}
		})
	}
}
