package provider

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/sync/errgroup"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	atOnce     = 10       // Number of resources that Terraform works on at the same time.
	mostMemory = 16 << 20 // Maximum number of bytes that the provider keeps after a plan.
)

// Thousands of deliveries and notifications are created, read, and destroyed, many at once. A plan sends few requests, which they share,
// and the provider does not keep requests in memory. Terraform itself takes most of an hour for that, because it writes its whole
// state after each resource. So this test replaces Terraform, in a synctest bubble in which latency takes no time. Each FoneNumber has
// one of them: time does not pass in a bubble while one waits for the lock of another.
//
// It is not parallel because it measures the memory of the process.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := size(2_000, 500)
		a := newAccount(t, simulator.Options{FoneNumbers: n + 1, Latency: 20 * time.Millisecond})
		a.byHand(loadNumber(n), "Email", "neighbor@example.com")
		state := make([]instance, n)
		// each calls a function for each resource, in a new process of the provider.
		each := func(do func(r *run, i int) []*tfprotov6.Diagnostic) (r *run) {
			t.Helper()
			r = a.start(t.Context(), t, nil)
			var workers errgroup.Group
			workers.SetLimit(atOnce)
			for i := range n {
				workers.Go(func() error {
					if d := failure(do(r, i)); d != nil {
						return fmt.Errorf("%s: %s", d.Summary, d.Detail)
					}
					return nil
				})
			}
			if err := workers.Wait(); err != nil {
				t.Fatal(err)
			}
			return r
		}
		each(func(r *run, i int) (diags []*tfprotov6.Diagnostic) {
			c, _ := r.plan(instance{}, loadConfig(i))
			state[i], diags = r.apply(c)
			return diags
		})
		for i := range n {
			settings[i%3].mustBe(t, a, loadNumber(i), delivery{"URL", hookURL + "?" + loadNumber(i), "hook", "horse"})
		}
		if n := len(a.Requests()) - a.count("set") - a.count("notify"); n > 7 {
			t.Errorf("the creates took %d reads and logins, want at most 7", n)
		}

		a.Forget()
		before := memory()
		planning := each(func(r *run, i int) []*tfprotov6.Diagnostic {
			refreshed, diags := r.refresh(state[i])
			if c, _ := r.plan(refreshed, loadConfig(i)); !c.isEmpty() {
				t.Errorf("the plan changes %q", c.differs())
			}
			return diags
		})
		grown := memory() - before
		runtime.KeepAlive(planning)
		if n := len(a.Requests()); n > 7 {
			t.Errorf("the plan took %d requests, want at most 7", n)
		}
		if t.Logf("the provider keeps %d KiB after a plan", grown>>10); grown > mostMemory {
			t.Errorf("the provider keeps %d MiB after a plan", grown>>20)
		}

		each(func(r *run, i int) []*tfprotov6.Diagnostic {
			_, diags := r.apply(destruction(state[i], state[i].private))
			return diags
		})
		for i := range n {
			settings[i%3].mustBe(t, a, loadNumber(i), delivery{kind: "None"})
		}
		a.mustDeliver(t, loadNumber(n), delivery{kind: "Email", value: "neighbor@example.com"})
	})
}

func loadConfig(i int) attributes {
	return settings[i%3].config(with(with(toURL("hook", "horse", 1), "fonenumber", loadNumber(i)), "value", hookURL+"?"+loadNumber(i)))
}

// memory returns the number of bytes in use.
func memory() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
