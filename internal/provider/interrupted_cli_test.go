package provider

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// TestInterruptedRefactoring through the real CLI, which chooses its own order, with more FoneNumbers and real signals. After
// Ctrl-C, everything is destroyed. After a kill, the state can be lost, and so everything is applied again.
func TestAccInterruptedRefactoring(t *testing.T) {
	t.Parallel()
	for i, refactoring := range refactorings(12) {
		if refactoring.imported {
			continue // Here, everything is created.
		}
		for j, signal := range []os.Signal{os.Interrupt, os.Kill} {
			t.Run(fmt.Sprintf("%s/%s", refactoring.name, signal), func(t *testing.T) {
				t.Parallel()
				a := newAccount(t, simulator.Options{FoneNumbers: refactoring.numbers})
				createFirst := (i+j)%2 == 0
				w := a.newWorkspace(t, refactoringBlocks(refactoring.before, createFirst, "first"))
				w.apply("-compact-warnings")
				w.configure(refactoringBlocks(refactoring.after, createFirst, "second"))
				var args []string
				for _, name := range refactoring.replaced {
					args = append(args, "-replace=fractel_fonenumber_delivery."+withoutIndex(name))
				}
				w.interrupt(a, strike{setting: 2, signal: signal}, args...)
				if signal == os.Interrupt {
					w.apply("-destroy", "-compact-warnings")
					for _, f := range a.Numbers() {
						a.mustDeliver(t, f.Number, delivery{kind: "None"})
					}
					return
				}
				w.apply("-compact-warnings")
				for _, number := range refactoring.after {
					a.mustDeliver(t, loadNumber(number), delivery{kind: "Email", value: fmt.Sprintf("second-%s@example.com", loadNumber(number))})
				}
				w.plan(0)
			})
		}
	}
}

// refactoringBlocks returns the blocks of resources by their FoneNumbers.
func refactoringBlocks(resources map[string]int, createFirst bool, round string) (config string) {
	for name, number := range resources {
		d := delivery{kind: "Email", value: fmt.Sprintf("%s-%s@example.com", round, loadNumber(number))}
		block := strings.Replace(d.config(loadNumber(number)), `"test"`, fmt.Sprintf("%q", withoutIndex(name)), 1)
		config += strings.Replace(block, "\n}", fmt.Sprintf("\n  lifecycle {\n    create_before_destroy = %t\n  }\n}", createFirst), 1)
	}
	return config
}

// withoutIndex returns the name of a resource in a configuration without count.
func withoutIndex(name string) string { return strings.NewReplacer("[", "", "]", "").Replace(name) }

// If the provider is killed, Terraform reports it and keeps the state. If Terraform is killed, the provider exits too, and the
// next apply needs nothing that was lost: no lock to remove, and no state. Both can happen before and after a setting takes effect.
func TestAccKilledDuringApply(t *testing.T) {
	t.Parallel()
	for _, s := range []strike{
		{setting: 20, after: true, provider: true}, {setting: 1, provider: true}, {setting: 39, after: true}, {setting: 2},
	} {
		t.Run(fmt.Sprintf("setting %d, after %t, provider %t", s.setting, s.after, s.provider), func(t *testing.T) {
			t.Parallel()
			a, w, program := newKillable(t)
			s.signal, s.program = os.Kill, program
			const old, configured = "old@example.com", "ops@example.com"
			w.configure(numbered(40, old))
			w.apply()
			w.configure(numbered(40, configured))
			struck, code := w.interrupt(a, s)
			if reported := code == 1; reported != s.provider {
				t.Errorf("the apply exited with %d", code)
			}
			waitUntilGone(t, program)
			if f, _ := a.Get(struck); s.after != (f.Receive.Email == configured) {
				t.Errorf("FoneNumber %s, whose setting was interrupted, delivers to %+v", struck, f.Receive)
			}
			w.apply("-compact-warnings")
			for _, f := range a.Numbers() {
				a.mustDeliver(t, f.Number, delivery{kind: "Email", value: configured})
			}
			w.plan(0)
			waitUntilGone(t, program)
		})
	}
}

// An idle provider must exit when Terraform is killed. Terraform's plugin protocol alone would leave it running forever,
// with the credentials in memory.
func TestAccIdleProviderEndsWhenTerraformIsKilled(t *testing.T) {
	t.Parallel()
	_, w, program := newKillable(t)
	terraform := exec.Command("sh", "-c", `"$0" & wait`, program) // Starts the provider as Terraform does.
	terraform.Env = append(w.Env, "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	output, err := terraform.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := terraform.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || !strings.HasPrefix(line, "1|6|") {
		t.Fatalf("the provider printed %q, %v", line, err)
	}
	if n := len(processesOf(t, program)); n != 1 {
		t.Fatalf("%d processes of the provider", n)
	}
	if err := terraform.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waitUntilGone(t, program)
	_ = terraform.Wait()
}

// newKillable returns a workspace whose provider is at a path that no other test uses, so that its processes can be found.
func newKillable(t *testing.T) (a *account, w *workspace, program string) {
	t.Helper()
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		t.Skip("requires /proc to find the processes of the provider")
	}
	a = newAccount(t, simulator.Options{FoneNumbers: 40})
	w = a.newWorkspace(t, "")
	dir, err := filepath.EvalSymlinks(t.TempDir()) // /proc shows resolved paths.
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(dir, "terraform-provider-fractel")
	// A file that is run right after it was written can be busy, so this is a link to the existing one.
	if err := os.Link(filepath.Join(builtProvider.dir, filepath.Base(program)), program); err != nil {
		t.Fatal(err)
	}
	if w.Workspace, err = terraformcli.New(os.Getenv("TF_ACC_TERRAFORM_PATH"), w.Dir, dir, w.Env...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // A failed test can leave processes behind.
		for _, process := range processesOf(t, program) {
			_ = process.Kill()
		}
	})
	return a, w, program
}

// strike is a signal during an apply.
type strike struct {
	setting  int  // The setting during which the signal is sent, counted from 1.
	after    bool // Whether it is sent after the setting took effect, instead of before.
	provider bool // Whether it is sent to the provider, instead of to Terraform.
	signal   os.Signal
	program  string // The provider.
}

// interrupt applies and sends the signal during a setting. It returns the FoneNumber of the setting, and the exit code.
func (w *workspace) interrupt(a *account, s strike, args ...string) (struck string, code int) {
	w.t.Helper()
	terraform, number := make(chan *os.Process, 1), make(chan string, 1)
	var settings atomic.Int64
	a.Intercept(func(response http.ResponseWriter, r *http.Request) bool {
		if kindOf(r) != "set" || int(settings.Add(1)) != s.setting {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		if s.after {
			a.ServeHTTP(httptest.NewRecorder(), withBody(r, body))
		}
		number <- settingOf(withBody(r, body))
		victims := []*os.Process{<-terraform}
		if s.provider {
			victims = processesOf(w.t, s.program)
		}
		for _, victim := range victims {
			_ = victim.Signal(s.signal)
		}
		if s.signal == os.Interrupt { // The setting completes.
			a.ServeHTTP(response, withBody(r, body))
			return true
		}
		select {
		case <-r.Context().Done(): // The provider no longer waits for the response.
		case <-time.After(time.Minute):
			w.t.Error("the provider still waits for a response a minute after the kill")
		}
		return true
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
	if len(number) == 0 {
		w.t.Fatalf("the apply ended before setting %d:\n%s", s.setting, unframed(output.String()))
	}
	return <-number, apply.ProcessState.ExitCode()
}

// withBody returns a request whose body can be read again.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}

// waitUntilGone waits for all processes of a program to exit.
func waitUntilGone(t *testing.T, program string) {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for len(processesOf(t, program)) > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatal("the provider still runs without Terraform")
		}
	}
}

// processesOf returns the processes that run a program.
func processesOf(t *testing.T, program string) []*os.Process {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Error(err)
	}
	var found []*os.Process
	for _, link := range links {
		if path, err := os.Readlink(link); err != nil || path != program { // Not the program, or it has just exited.
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		process, err := os.FindProcess(id)
		// Another process may have received the ID before the handle was opened, but cannot afterward.
		if path, again := os.Readlink(link); err == nil && again == nil && path == program {
			found = append(found, process)
		}
	}
	return found
}
