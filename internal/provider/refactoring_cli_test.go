package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// TestInterruptedRefactoring through the real CLI, which chooses its own order, with more FoneNumbers and a real Ctrl-C, but
// with fewer interrupted requests.
func TestAccInterruptedRefactoring(t *testing.T) {
	t.Parallel()
	for i, refactoring := range refactorings(12) {
		for j, createFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/create first %t", refactoring.name, createFirst), func(t *testing.T) {
				t.Parallel()
				b := newInterruptedApplies(t, refactoring, createFirst, (i+j)%2 == 0)
				all := b.interrupt("", 0)
				b.finish("an apply as planned", false)
				b.interrupt("rejected", 1)
				b.finish("rejected at the first", createFirst)
				b.interrupt("rejected", all/2)
				b.finish("rejected in the middle", !createFirst)
				b.interrupt("interrupted", max(1, all/3))
				b.finish("interrupted", createFirst)
				b.interrupt("killed", max(1, all/3))
				b.finish("killed", !createFirst)
				b.interrupt("killed", max(1, all/3))
				b.loseState()
				b.finish("killed while the state was written", createFirst)
			})
		}
	}
}

// interruptedApplies are applies of one saved plan, each of which starts with the same state and the same account.
type interruptedApplies struct {
	t           *testing.T
	account     *account
	w           *workspace
	after       refactoring
	round       int
	state       []byte
	before      []simulator.FoneNumber
	killed      bool
	lost        bool // Terraform was killed while it wrote its state, which is empty.
	createFirst bool
}

func newInterruptedApplies(t *testing.T, refactoring refactoring, createFirst, sameDestination bool) *interruptedApplies {
	t.Helper()
	a := newAccount(t, simulator.Options{FoneNumbers: refactoring.numbers})
	b := &interruptedApplies{t: t, account: a, after: refactoring, createFirst: createFirst}
	b.w = a.newWorkspace(t, b.config(refactoring.before, 0))
	b.w.apply()
	b.state, _ = os.ReadFile(b.path("terraform.tfstate"))
	b.before = a.Numbers()
	if !sameDestination {
		b.round = 1
	}
	b.w.configure(b.config(refactoring.after, b.round))
	args := []string{"-out=saved.tfplan"}
	for _, name := range refactoring.replaced {
		args = append(args, "-replace=fractel_fonenumber_delivery."+name)
	}
	b.w.plan(2, args...)
	return b
}

func (b *interruptedApplies) path(name string) string { return filepath.Join(b.w.Dir, name) }

func (b *interruptedApplies) config(resources map[string]int, round int) string {
	byName := map[string][]int{} // The FoneNumbers of a resource, by index.
	for address, number := range resources {
		name, index, counted := strings.Cut(strings.TrimSuffix(address, "]"), "[")
		i := 0
		if counted {
			_, _ = fmt.Sscan(index, &i)
		}
		for len(byName[name]) <= i {
			byName[name] = append(byName[name], 0)
		}
		byName[name][i] = number
	}
	config := b.account.provider("max_retries = 0")
	for name, numbers := range byName {
		values, _ := json.Marshal(numbers)
		count, index := fmt.Sprintf("count = %d", len(numbers)), "count.index"
		if _, counted := resources[name+"[0]"]; !counted {
			count, index = "", "0"
		}
		config += fmt.Sprintf(`
locals {
  %[1]s = %[2]s
}
resource "fractel_fonenumber_delivery" %[1]q {
  %[3]s
  fonenumber = tostring(3215550000 + local.%[1]s[%[4]s])
  type       = "Email"
  value      = "ops-${local.%[1]s[%[4]s]}-%[5]d@example.com"
  lifecycle {
    create_before_destroy = %[6]t
  }
}
`, name, values, count, index, round, b.createFirst)
	}
	return config
}

// interrupt applies the saved plan, interrupts it at a request, and returns the number of requests.
func (b *interruptedApplies) interrupt(how string, at int) int {
	b.t.Helper()
	b.killed = how == "killed"
	if err := os.WriteFile(b.path("terraform.tfstate"), b.state, 0o600); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range b.before {
		b.account.Put(f)
	}
	apply := b.w.Command(b.t.Context(), "apply", "-no-color", "-input=false", "-compact-warnings", "saved.tfplan")
	var mu sync.Mutex // Also guards the process until the CLI has started.
	requests := 0
	b.account.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/auth") {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		requests++
		switch {
		case how == "" || requests < at:
			return false
		case how == "interrupted" && requests == at:
			_ = apply.Process.Signal(syscall.SIGINT)
			return false
		case how == "interrupted":
			return false
		case how == "killed" && requests == at:
			_ = apply.Process.Kill()
		}
		respond(w, http.StatusForbidden, "No.")
		return true
	})
	defer b.account.Intercept(nil)
	var output bytes.Buffer
	apply.Stdout, apply.Stderr = &output, &output
	mu.Lock()
	err := apply.Start()
	mu.Unlock()
	if err == nil {
		err = apply.Wait()
	}
	left, _ := os.ReadFile(b.path("terraform.tfstate"))
	b.lost = len(left) == 0
	mu.Lock()
	sent := requests // More may come from a provider whose CLI was killed.
	mu.Unlock()
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // It is not wrapped.
		b.t.Fatal(err)
	}
	if how == "rejected" && (err == nil) == (sent >= at) || // Another order can need fewer requests.
		how == "" && err != nil {
		b.t.Fatalf("%s at %d: %v\n%s", how, at, err, unframed(output.String()))
	}
	return sent
}

// loseState empties the state file, as Terraform does if it is killed between truncating and writing it.
func (b *interruptedApplies) loseState() {
	b.t.Helper()
	b.lost = true
	if err := os.Truncate(b.path("terraform.tfstate"), 0); err != nil {
		b.t.Fatal(err)
	}
}

// finish applies again, or destroys, which must correct everything that the state still contains.
func (b *interruptedApplies) finish(what string, destroy bool) {
	b.t.Helper()
	want := map[string]string{}
	if destroy {
		b.w.apply("-destroy", "-compact-warnings")
	} else {
		b.w.apply("-compact-warnings")
		for _, number := range b.after.after {
			want[fmt.Sprint(3215550000+number)] = fmt.Sprintf("ops-%d-%d@example.com", number, b.round)
		}
	}
	for _, f := range b.account.Numbers() {
		wanted, configured := want[f.Number]
		// An apply that was killed before it saved its state may have set anything, and a lost state may have contained
		// anything.
		unknown := !configured && (b.lost || b.killed && destroy)
		if got := f.Receive.Value(); got != wanted && !unknown {
			b.t.Errorf("%s: FoneNumber %s delivers to %q, want %q", what, f.Number, got, wanted)
		}
	}
	switch {
	case !destroy:
		b.w.plan(0)
	case !b.lost: // Terraform cannot list an empty state file.
		if left := b.w.run(0, "state", "list"); left != "" {
			b.t.Errorf("%s: the state has %s", what, left)
		}
	}
	if b.t.Failed() {
		b.t.FailNow()
	}
}
