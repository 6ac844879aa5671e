package provider

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// TestInterruptedRefactoring through the real CLI, which chooses its own order, with more FoneNumbers and real signals. Another apply finishes, and a destroy after it turns off everything. If the provider is killed,
// Terraform reports it and keeps the state. If Terraform is killed, the provider ends too.
func TestAccInterrupted(t *testing.T) {
	t.Parallel()
	all := slices.DeleteFunc(refactorings(12), func(r refactoring) bool { return r.imported }) // Here, everything is created.
	for i, refactoring := range all {
		for _, s := range []strike{{signal: os.Interrupt}, {signal: os.Kill}, {signal: os.Kill, provider: true}} {
			t.Run(fmt.Sprintf("%s/%s, provider %t", refactoring.name, s.signal, s.provider), func(t *testing.T) {
				t.Parallel()
				if _, err := os.Stat("/proc/self/exe"); err != nil && s.provider {
					t.Skip("requires /proc to find the processes of the provider")
				}
				a := newAccount(t, simulator.Options{FoneNumbers: refactoring.numbers})
				w := a.newWorkspace(t, refactoringBlocks(refactoring.before, i%2 == 0, "first"))
				w.apply("-compact-warnings")
				w.configure(refactoringBlocks(refactoring.after, i%2 == 0, "second"))
				var args []string
				for _, name := range refactoring.replaced {
					args = append(args, "-replace="+resourceName+"."+name)
				}
				code := w.interrupt(a, s, args...)
				if reported := code == 1; reported != s.provider && s.signal == os.Kill {
					t.Errorf("the apply exited with %d", code)
				}
				w.waitUntilGone()
				w.apply("-compact-warnings")
				for _, number := range refactoring.after {
					a.mustDeliver(t, loadNumber(number), delivery{kind: "Email", value: fmt.Sprintf("second-%s@example.com", loadNumber(number))})
				}
				w.plan(0)
				if s.signal == os.Interrupt {
					w.apply("-destroy", "-compact-warnings")
					for _, f := range a.Numbers() {
						a.mustDeliver(t, f.Number, delivery{kind: "None"})
					}
				}
				w.waitUntilGone()
			})
		}
	}
}

// refactoringBlocks returns the blocks of resources by their FoneNumbers.
func refactoringBlocks(resources map[string]int, createFirst bool, round string) (config string) {
	for name, number := range resources {
		d := delivery{kind: "Email", value: fmt.Sprintf("%s-%s@example.com", round, loadNumber(number))}
		lifecycle := fmt.Sprintf("lifecycle {\n  create_before_destroy = %t\n}", createFirst)
		config += d.block(name, loadNumber(number), lifecycle)
	}
	return config
}

// strike is a signal during the second setting of an apply, before it takes effect. TestInterruptedRefactoring has what happens after.
type strike struct {
	signal   os.Signal
	provider bool // Whether it is sent to the provider, instead of to Terraform.
}

// interrupt applies, sends the signal, and returns the exit code.
func (w *workspace) interrupt(a *account, s strike, args ...string) (code int) {
	w.t.Helper()
	terraform := make(chan *os.Process, 1)
	var settings atomic.Int64
	a.Intercept(func(r simulator.Request) simulator.Fault {
		if r.Kind() != "set" || settings.Add(1) != 2 {
			return ""
		}
		victims := []*os.Process{<-terraform}
		if s.provider {
			victims = w.providers()
		}
		for _, victim := range victims {
			_ = victim.Signal(s.signal)
		}
		if s.signal == os.Interrupt {
			return "" // The setting completes.
		}
		return simulator.NoResponse
	})
	defer a.Intercept(nil)
	var output bytes.Buffer
	args = append([]string{"apply", "-no-color", "-input=false", "-auto-approve", "-compact-warnings"}, args...)
	apply := w.Command(w.t.Context(), args...)
	apply.Stdout, apply.Stderr = &output, &output
	if err := apply.Start(); err != nil {
		w.t.Fatal(err)
	}
	terraform <- apply.Process
	_ = apply.Wait()
	if settings.Load() < 2 {
		w.t.Fatalf("the apply ended before its second setting:\n%s", unframed(output.String()))
	}
	return apply.ProcessState.ExitCode()
}

// waitUntilGone waits for all processes of the provider to exit, and kills them if they do not.
func (w *workspace) waitUntilGone() {
	w.t.Helper()
	deadline := time.After(15 * time.Second)
	for len(w.providers()) > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			for _, process := range w.providers() {
				_ = process.Kill()
			}
			w.t.Fatal("the provider still runs without Terraform")
		}
	}
}

// providers returns the processes of the provider.
func (w *workspace) providers() (found []*os.Process) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if path, err := os.Readlink(link); err != nil || path != w.program { // Not the provider, or it has just exited.
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if process, err := os.FindProcess(id); err == nil {
			found = append(found, process)
		}
	}
	return found
}
