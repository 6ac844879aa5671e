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

// killedNumbers is how many FoneNumbers each apply sets that is killed. With more than 128 KiB of state, the local backend of
// Terraform may leave half of it when it is killed, which it then refuses; no provider can prevent that.
const killedNumbers = 40

// moments are when applies are killed, one after the other: at this request to set a delivery, counted from 1, before or after it
// takes effect.
var moments = []struct {
	request int
	after   bool
}{{20, true}, {1, false}, {39, true}, {2, false}}

// When the provider dies, Terraform tells of it and keeps what it knows.
func TestAccProviderIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	k.victims = func(*os.Process) []*os.Process { return processesOf(t, k.program) }
	k.exitCode = 1
	k.run()
}

// When Terraform dies, the provider ends too, and the next apply needs nothing of what was lost: neither a lock that
// somebody would have to take away, nor the state, which the local backend mostly loses when it is killed.
func TestAccTerraformIsKilledDuringApply(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	k.victims = func(terraform *os.Process) []*os.Process { return []*os.Process{terraform} }
	k.exitCode = -1 // By a signal.
	k.run()
}

// A provider that waits for work when Terraform dies must notice without being asked. Terraform's plugin protocol alone
// would leave it running for ever, with the credentials in its memory.
func TestAccIdleProviderEndsWhenTerraformIsKilled(t *testing.T) {
	t.Parallel()
	k := newKilledApplies(t)
	terraform := exec.Command("sh", "-c", `"$0" & wait`, k.program) // What Terraform does, as far as the provider can tell.
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
		t.Fatalf("the provider began with %q, %v", line, err)
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

// killedApplies are applies that are killed, and what follows them, in one workspace.
type killedApplies struct {
	t        *testing.T
	account  *account
	w        *workspace
	program  string // The provider, at a path that no other test runs it from.
	victims  func(terraform *os.Process) []*os.Process
	exitCode int // Of an apply that is killed.
}

func newKilledApplies(t *testing.T) *killedApplies {
	t.Helper()
	if _, err := os.Readlink("/proc/self/exe"); err != nil {
		t.Skip("The processes of the provider are found through /proc, which this system does not have.")
	}
	a := newAccount(t, simulator.Options{FoneNumbers: killedNumbers})
	w := a.newWorkspace(t, "", "GOGC=400")         // Most of what these tests take is the CLI's time, and much of that goes into garbage.
	dir, err := filepath.EvalSymlinks(t.TempDir()) // As /proc shows it.
	if err != nil {
		t.Fatal(err)
	}
	k := &killedApplies{t: t, account: a, w: w, program: filepath.Join(dir, "terraform-provider-fractel")}
	// A file that is written and run at once can be busy, so this is another name of the one that is there.
	if err := os.Link(filepath.Join(builtProvider.dir, filepath.Base(k.program)), k.program); err != nil {
		t.Fatal(err)
	}
	if w.Workspace, err = terraformcli.New(os.Getenv("TF_ACC_TERRAFORM_PATH"), w.Dir, dir, w.Env...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // What a test that fails leaves behind.
		for _, process := range processesOf(t, k.program) {
			_ = process.Kill()
		}
	})
	return k
}

// run kills one apply after the other. What the next apply needs to put things right is nothing but to be run.
func (k *killedApplies) run() {
	k.t.Helper()
	for i, m := range moments {
		before, now := i, i+1
		k.w.configure(killedConfig(k.t, now))
		struck := k.kill(m.request, m.after)
		k.waitUntilGone()
		for _, f := range k.account.Numbers() {
			switch {
			case f.Number != struck: // It may be set or not.
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

// inRound returns where a FoneNumber delivers after a round; before the first it delivers nowhere. Every round changes
// every FoneNumber in place, to what no other round and no other FoneNumber has, so that a setting tells where it comes
// from.
func inRound(round int, number string) destination {
	switch {
	case round == 0:
		return destination{kind: "None"}
	case round%2 == 1:
		return destination{
			kind: "URL", value: fmt.Sprintf("https://hooks.example.com/%d/%s?msg={{msg}}", round, number),
			username: "hook", password: fmt.Sprintf("horse-%d", round),
		}
	default:
		return destination{kind: "Email", value: fmt.Sprintf("ops-%d-%s@example.com", round, number)}
	}
}

// killedConfig sets what FoneNumbers deliver to after a round.
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

// delivers checks that a FoneNumber delivers as in one of these rounds.
func (k *killedApplies) delivers(f simulator.FoneNumber, rounds ...int) {
	k.t.Helper()
	got := destination{kind: f.Receive.Type, value: f.Receive.Value()}
	if got.kind == "URL" { // For other types they mean nothing.
		got.username, got.password = f.Receive.URLUsername, f.Receive.URLPassword
	}
	for _, round := range rounds {
		if got == inRound(round, f.Number) {
			return
		}
	}
	k.t.Errorf("FoneNumber %s delivers to %+v, want what it was in one of the rounds %v", f.Number, got, rounds)
}

// kill runs an apply that is killed and returns the FoneNumber whose request was under way.
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
		case <-r.Context().Done(): // Nobody waits for the response anymore.
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
		k.t.Fatalf("the apply ended with %d, want %d and an end at request %d:\n%s", code, k.exitCode, request, unframed(output.String()))
	}
	return <-number
}

// withBody returns a request whose body was read, to be read again.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again
}

// waitUntilGone waits for the provider to end by itself.
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
			k.t.Fatalf("%d processes of the provider go on without Terraform", len(left))
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
		if path, err := os.Readlink(link); err != nil || path != program { // Somebody else's, or it has just ended.
			continue
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		process, err := os.FindProcess(id)
		// Another process may have got the ID before there was a handle to it, but cannot from then on.
		if path, again := os.Readlink(link); err == nil && again == nil && path == program {
			found = append(found, process)
		}
	}
	return found
}
