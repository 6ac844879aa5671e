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

// killedNumbers is the number of FoneNumbers that each killed apply sets. If the state is larger than 128 KiB, the local
// backend may leave half of it when Terraform is killed, and then reject it; no provider can prevent that.
const killedNumbers = 40

// moments are the moments at which applies are killed: at this request to set a delivery, counted from 1, before or after it
// takes effect.
var moments = []struct {
	request int
	after   bool
}{{20, true}, {1, false}, {39, true}, {2, false}}

// If the provider is killed, Terraform reports it and keeps the state.
func TestAccProviderIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	k.victims = func(*os.Process) []*os.Process { return processesOf(t, k.program) }
	k.exitCode = 1
	k.run()
}

// If Terraform is killed, the provider exits too, and the next apply needs nothing that was lost: no lock to remove, and no
// state, which the local backend mostly loses when it is killed.
func TestAccTerraformIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	k.victims = func(terraform *os.Process) []*os.Process { return []*os.Process{terraform} }
	k.exitCode = -1 // Exit code after a signal.
	k.run()
}

// An idle provider must exit when Terraform is killed. Terraform's plugin protocol alone would leave it running forever,
// with the credentials in memory.
func TestAccIdleProviderEndsWhenTerraformIsKilled(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	terraform := exec.Command("sh", "-c", `"$0" & wait`, k.program) // Starts the provider as Terraform does.
	terraform.Env = append(k.w.Env, "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
	output, err := terraform.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := terraform.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(output)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "1|6|") {
		t.Fatalf("the provider printed %q, %v", line, err)
	}
	if n := len(processesOf(t, k.program)); n != 1 {
		t.Fatalf("%d processes of the provider", n)
	}
	if err := terraform.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	k.waitUntilGone()
	_ = terraform.Wait()
}

// killedApplies are killed applies and the applies that follow them, in one workspace.
type killedApplies struct {
	t        *testing.T
	account  *account
	w        *workspace
	program  string // The provider, at a path that no other test uses.
	victims  func(terraform *os.Process) []*os.Process
	exitCode int // Exit code of a killed apply.
}

func newKilledApplies(t *testing.T) *killedApplies {
	t.Helper()
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		t.Skip("requires /proc to find the processes of the provider")
	}
	a := newAccount(t, simulator.Options{FoneNumbers: killedNumbers})
	w := a.newWorkspace(t, "", "GOGC=400")         // These tests spend most of their time in the CLI, much of it on garbage collection.
	dir, err := filepath.EvalSymlinks(t.TempDir()) // /proc shows resolved paths.
	if err != nil {
		t.Fatal(err)
	}
	k := &killedApplies{t: t, account: a, w: w, program: filepath.Join(dir, "terraform-provider-fractel")}
	// A file that is run right after it was written can be busy, so this is a link to the existing one.
	if err := os.Link(filepath.Join(builtProvider.dir, filepath.Base(k.program)), k.program); err != nil {
		t.Fatal(err)
	}
	if w.Workspace, err = terraformcli.New(os.Getenv("TF_ACC_TERRAFORM_PATH"), w.Dir, dir, w.Env...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // A failed test can leave processes behind.
		for _, process := range processesOf(t, k.program) {
			_ = process.Kill()
		}
	})
	return k
}

// run kills one apply after the other. The next apply must correct everything without further steps.
func (k *killedApplies) run() {
	k.t.Helper()
	for i, m := range moments {
		before, now := i, i+1
		k.w.configure(killedConfig(k.t, now))
		struck := k.kill(m.request, m.after)
		k.waitUntilGone()
		for _, f := range k.account.Numbers() {
			switch {
			case f.Number != struck: // The request may have taken effect.
				k.delivers(f, before, now)
			case m.after:
				k.delivers(f, now)
			default:
				k.delivers(f, before)
			}
		}
		k.w.apply("-compact-warnings")
		for _, f := range k.account.Numbers() {
			k.delivers(f, now)
		}
		k.w.plan(0)
		if k.t.Failed() {
			k.t.Fatalf("the apply was killed at %+v", m)
		}
	}
	k.waitUntilGone()
}

// inRound returns the destination of a FoneNumber after a round; none before the first. Every round changes every FoneNumber
// in place to a unique destination, so that a setting shows where it comes from.
func inRound(round int, number string) delivery {
	switch {
	case round == 0:
		return delivery{kind: "None"}
	case round%2 == 1:
		return delivery{
			kind: "URL", value: fmt.Sprintf("https://hooks.example.com/%d/%s?msg={{msg}}", round, number),
			username: "hook", password: fmt.Sprintf("horse-%d", round),
		}
	default:
		return delivery{kind: "Email", value: fmt.Sprintf("ops-%d-%s@example.com", round, number)}
	}
}

// killedConfig returns the configuration of a round.
func killedConfig(t *testing.T, round int) string {
	t.Helper()
	d := inRound(round, "${each.key}")
	credentials := ""
	if d.password != "" {
		credentials = fmt.Sprintf("url_username = %q\n  ", d.username) + bestPassword(t, d.password, round)
	}
	return fmt.Sprintf(`
locals {
  fonenumbers = { for i in range(%d) : tostring(3215550000 + i) => i }
}

resource "fractel_fonenumber_delivery" "test" {
  for_each   = local.fonenumbers # A set would cost the CLI seconds.
  fonenumber = each.key
  type       = %q
  value      = %q
  %s
}
`, killedNumbers, d.kind, d.value, credentials)
}

// delivers checks that a FoneNumber has its destination of one of these rounds.
func (k *killedApplies) delivers(f simulator.FoneNumber, rounds ...int) {
	k.t.Helper()
	got := delivery{kind: f.Receive.Type, value: f.Receive.Value()}
	if got.kind == "URL" { // Credentials belong only to URLs.
		got.username, got.password = f.Receive.URLUsername, f.Receive.URLPassword
	}
	for _, round := range rounds {
		if got == inRound(round, f.Number) {
			return
		}
	}
	k.t.Errorf("FoneNumber %s delivers to %+v, want its destination of one of the rounds %v", f.Number, got, rounds)
}

// kill runs an apply that is killed, and returns the FoneNumber whose request was in progress.
func (k *killedApplies) kill(request int, after bool) (struck string) {
	k.t.Helper()
	terraform, number := make(chan *os.Process, 1), make(chan string, 1)
	var requests atomic.Int64
	k.account.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if kindOf(r) != "set" || int(requests.Add(1)) != request {
			return false
		}
		body, _ := io.ReadAll(r.Body)
		if after {
			k.account.ServeHTTP(httptest.NewRecorder(), withBody(r, body))
		}
		number <- settingOf(withBody(r, body))
		for _, victim := range k.victims(<-terraform) {
			_ = victim.Kill()
		}
		select {
		case <-r.Context().Done(): // The provider no longer waits for the response.
		case <-time.After(time.Minute):
			k.t.Error("the provider still waits for a response a minute after the kill")
		}
		return true
	})
	defer k.account.Intercept(nil)

	var output bytes.Buffer
	apply := k.w.Command(k.t.Context(), "apply", "-no-color", "-input=false", "-auto-approve", "-compact-warnings")
	apply.Stdout, apply.Stderr = &output, &output
	if err := apply.Start(); err != nil {
		k.t.Fatal(err)
	}
	terraform <- apply.Process
	_ = apply.Wait()
	if code := apply.ProcessState.ExitCode(); len(number) == 0 || code != k.exitCode {
		k.t.Fatalf("the apply exited with %d, want %d after request %d:\n%s", code, k.exitCode, request, unframed(output.String()))
	}
	return <-number
}

// withBody returns a request whose body can be read again.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}

// waitUntilGone waits for the provider to exit.
func (k *killedApplies) waitUntilGone() {
	k.t.Helper()
	deadline := time.After(15 * time.Second)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		left := processesOf(k.t, k.program)
		if len(left) == 0 {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			k.t.Fatalf("%d processes of the provider still run without Terraform", len(left))
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
