package provider

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// TestInterruptedRefactoring through the real CLI, which chooses its own order, with more FoneNumbers and real signals: each resource gets
// the FoneNumber of the next one. Another apply finishes, and a destroy after it turns off everything. If the provider is killed,
// Terraform reports it and keeps the state. If Terraform is killed, the provider ends too.
func TestAccInterrupted(t *testing.T) {
	t.Parallel()
	for _, createFirst := range []bool{false, true} {
		for _, s := range []strike{{signal: os.Interrupt}, {signal: os.Kill}, {signal: os.Kill, provider: true}} {
			t.Run(fmt.Sprintf("create first %t, %s, provider %t", createFirst, s.signal, s.provider), func(t *testing.T) {
				t.Parallel()
				s.interrupts(t, createFirst)
			})
		}
	}
}

func (s strike) interrupts(t *testing.T, createFirst bool) {
	t.Helper()
	if _, err := os.Stat("/proc/self/exe"); err != nil && s.provider {
		t.Skip("requires /proc to find the processes of the provider")
	}
	const n = 12
	a := newAccount(t, simulator.Options{FoneNumbers: n})
	w := a.newWorkspace(t, numbered(n, 0, "first", createFirst))
	w.apply(0, "-compact-warnings")
	w.configure(numbered(n-1, 1, "second", createFirst))
	code := w.interrupt(a, s)
	if reported := code == 1; reported != s.provider && s.signal == os.Kill {
		t.Errorf("the apply exited with %d", code)
	}
	w.waitUntilGone()
	w.apply(0, "-compact-warnings")
	for i := 1; i < n; i++ {
		a.mustDeliver(t, loadNumber(i), delivery{kind: "Email", value: fmt.Sprintf("second-%s@example.com", loadNumber(i))})
	}
	w.plan(0)
	if s.signal == os.Interrupt {
		w.apply(0, "-destroy", "-compact-warnings")
		for _, f := range a.Numbers() {
			a.mustDeliver(t, f.Number, delivery{kind: "None"})
		}
	}
	w.waitUntilGone()
}

// strike is a signal during the second setting of an apply, before it takes effect. TestInterruptedRefactoring has what happens after.
type strike struct {
	signal   os.Signal
	provider bool // Whether it is sent to the provider, instead of to Terraform.
}

// interrupt applies, sends the signal, and returns the exit code.
func (w *workspace) interrupt(a *account, s strike) (code int) {
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
	apply := w.Command(w.t.Context(), "apply", "-no-color", "-input=false", "-auto-approve", "-compact-warnings")
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
