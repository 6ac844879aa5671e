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

// TestRefactoringIsBrokenOff with the real CLI, which chooses its own order: with more FoneNumbers and a real Ctrl-C, but at
// fewer requests.
func TestAccRefactoringIsBrokenOff(t *testing.T) {
	t.Parallel()
	for i, refactoring := range refactorings(12) {
		for j, createFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/create first %t", refactoring.name, createFirst), func(t *testing.T) {
				t.Parallel()
				b := newBrokenApplies(t, refactoring, createFirst, (i+j)%2 == 0)
				all := b.breakOff("", 0)
				b.finish("an apply as planned", false)
				b.breakOff("refused", 1)
				b.finish("refused at the first", createFirst)
				b.breakOff("refused", all/2)
				b.finish("refused in the middle", !createFirst)
				b.breakOff("interrupted", max(1, all/3))
				b.finish("interrupted", createFirst)
				b.breakOff("killed", max(1, all/3))
				b.finish("killed", !createFirst)
				b.breakOff("killed", max(1, all/3))
				b.loseState()
				b.finish("killed while the state was written", createFirst)
			})
		}
	}
}

// brokenApplies are applies of one saved plan, each of which begins with the same state and the same account.
type brokenApplies struct {
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

func newBrokenApplies(t *testing.T, refactoring refactoring, createFirst, sameDestination bool) *brokenApplies {
	t.Helper()
	a := newAccount(t, simulator.Options{FoneNumbers: refactoring.numbers})
	b := &brokenApplies{t: t, account: a, after: refactoring, createFirst: createFirst}
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

func (b *brokenApplies) path(name string) string { return filepath.Join(b.w.Dir, name) }

func (b *brokenApplies) config(resources map[string]int, round int) string {
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

// breakOff applies the saved plan until a request, and returns how many requests there were.
func (b *brokenApplies) breakOff(how string, at int) int {
	b.t.Helper()
	b.killed = how == "killed"
	if err := os.WriteFile(b.path("terraform.tfstate"), b.state, 0o600); err != nil {
		b.t.Fatal(err)
	}
	for _, f := range b.before {
		b.account.Put(f)
	}
	apply := b.w.Command(b.t.Context(), "apply", "-no-color", "-input=false", "-compact-warnings", "saved.tfplan")
	var mu sync.Mutex // Until the CLI has started, nobody knows its process.
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
	if how == "refused" && (err == nil) == (sent >= at) || // Another order can need fewer requests.
		how == "" && err != nil {
		b.t.Fatalf("%s at %d: %v\n%s", how, at, err, unframed(output.String()))
	}
	return sent
}

// loseState leaves what Terraform leaves when it is killed between emptying the state file and writing it.
func (b *brokenApplies) loseState() {
	b.t.Helper()
	b.lost = true
	if err := os.Truncate(b.path("terraform.tfstate"), 0); err != nil {
		b.t.Fatal(err)
	}
}

// finish applies once more, or destroys, which must put everything right that the state still knows of.
func (b *brokenApplies) finish(what string, destroy bool) {
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
		// Nobody knows what was set by an apply that was killed before it saved its state, or what a lost state contained.
		unknown := !configured && (b.lost || b.killed && destroy)
		if got := f.Receive.Value(); got != wanted && !unknown {
			b.t.Errorf("%s: FoneNumber %s delivers to %q, want %q", what, f.Number, got, wanted)
		}
	}
	switch {
	case !destroy:
		b.w.plan(0)
	case !b.lost: // Terraform refuses to list an empty state.
		if left := b.w.run(0, "state", "list"); left != "" {
			b.t.Errorf("%s: the state has %s", what, left)
		}
	}
	if b.t.Failed() {
		b.t.FailNow()
	}
}
