package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const fonenumber = "3215550000"

func TestMain(m *testing.M) {
	if os.Getenv("FONESTORM_CHECK_MAIN") != "" { // The test binary is the program.
		main()
	}
	os.Exit(m.Run())
}

// program is fonestorm-check as a separate process.
type program struct {
	*exec.Cmd
	started chan struct{} // Closed when the process has started.
}

func (p *program) start() error {
	err := p.Start()
	close(p.started)
	return err
}

// signal is called while the program's requests are handled, perhaps before Start has returned.
func (p *program) signal(signal os.Signal) {
	<-p.started
	_ = p.Process.Signal(signal) // Fails only if the program has exited.
}

// newAccount returns an account and the command that checks it and writes its report to dir.
func newAccount(t *testing.T, profile simulator.Profile, args ...string) (sim *simulator.Simulator, command *program, dir string) {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Profile: profile, FoneNumbers: 2})
	if err != nil {
		t.Fatal(err)
	}
	sim.Put(simulator.FoneNumber{Number: fonenumber, Receive: simulator.Receive{Type: "Email", Email: "ops@example.com"}})
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	command = &program{exec.CommandContext(t.Context(), executable, args...), make(chan struct{})}
	command.Dir = dir
	command.Env = []string{
		"FONESTORM_CHECK_MAIN=1", "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password",
	}
	return sim, command, dir
}

// execute serves the account, runs the command, and returns its output and exit status.
func execute(t *testing.T, sim *simulator.Simulator, command *program) (status int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(sim)
	defer server.Close()
	command.Env = slices.Insert(command.Env, 0, "FRACTEL_ENDPOINT="+server.URL+simulator.BasePath)
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	err := command.start()
	if err == nil {
		err = command.Wait()
	}
	if _, exited := err.(*exec.ExitError); err != nil && !exited { //nolint:errorlint // Not wrapped.
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), problems.String()
}

func wantWords(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

func TestReportIsWritten(t *testing.T) {
	t.Parallel()
	sim, command, dir := newAccount(t, simulator.Profile{})
	status, stdout, stderr := execute(t, sim, command)
	if status != 0 || stderr != "" {
		t.Errorf("the exit status is %d: %s", status, stderr)
	}
	wantWords(t, stdout, "GET /fonenumbers?filter=all", "up to 1 ", "Nothing is changed.", "as assumed ", "not checked ", "needs -fonenumber", "0 of ", "fonestorm-report.json")
	if profile, err := simulator.LoadProfile(filepath.Join(dir, "fonestorm-report.json")); err != nil || profile.LoginBody != "json" {
		t.Errorf("the profile is %+v, %v", profile, err)
	}
}

func TestDifferencesAreAnExitStatus(t *testing.T) {
	t.Parallel()
	sim, command, dir := newAccount(t, simulator.Profiles()["2.12"], "-report", "mine.json")
	status, stdout, stderr := execute(t, sim, command)
	if status != 1 || stderr != "" {
		t.Errorf("the exit status is %d: %s", status, stderr)
	}
	wantWords(t, stdout, "DIFFERS", "Seen: message_options", "Seen: objects-with-inactive", "mine.json")
	if profile, err := simulator.LoadProfile(filepath.Join(dir, "mine.json")); err != nil || profile.OptionsMember != "message_options" {
		t.Errorf("the profile is %+v, %v", profile, err)
	}
}

// Every signal stops a run, which restores the FoneNumber and writes no report. A second signal has no effect.
func TestSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			sim, command, dir := newAccount(t, simulator.Profile{}, "-fonenumber", fonenumber)
			settings := 0
			var mu sync.Mutex
			sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages/receive") {
					if settings++; settings <= 2 {
						command.signal(signal) // The second arrives while the FoneNumber is restored.
					}
				}
				return false
			})
			status, stdout, stderr := execute(t, sim, command)
			if status != 2 {
				t.Errorf("the exit status is %d", status)
			}
			wantWords(t, stdout, "MESSAGES RECEIVED DURING THE CHECK ARE LOST", fonenumber)
			wantWords(t, stderr, "Interrupted.", "fonestorm-check: interrupted")
			if f, _ := sim.Get(fonenumber); f.Receive.Type != "Email" || f.Receive.Email != "ops@example.com" || settings != 2 {
				t.Errorf("after %d settings the FoneNumber delivers to %+v", settings, f.Receive)
			}
			if _, err := os.Stat(filepath.Join(dir, "fonestorm-report.json")); err == nil {
				t.Error("there is a report")
			}
		})
	}
}

// Ctrl-C also stops the program that the output is piped to.
func TestClosedPipeRestores(t *testing.T) {
	t.Parallel()
	sim, command, _ := newAccount(t, simulator.Profile{}, "-fonenumber", fonenumber)
	server := httptest.NewServer(sim)
	defer server.Close()
	command.Env = append(command.Env, "FRACTEL_ENDPOINT="+server.URL+simulator.BasePath)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = writer, writer
	var once sync.Once
	sim.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages/receive") {
			once.Do(func() {
				_ = reader.Close()
				command.signal(os.Interrupt)
			})
		}
		return false
	})
	if err := command.start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	if err := command.Wait(); err == nil || command.ProcessState.ExitCode() != 2 {
		t.Errorf("the program ended with %v", err)
	}
	if f, _ := sim.Get(fonenumber); f.Receive.Type != "Email" || f.Receive.Email != "ops@example.com" {
		t.Errorf("the FoneNumber delivers to %+v", f.Receive)
	}
}

// roundTripper sends requests without a network, so that the fake clock advances.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestUnrestoredDeliveryIsPrinted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim, command, dir := newAccount(t, simulator.Profile{})
		sim.Inject(func(r *http.Request) simulator.Fault {
			if r.Method == http.MethodPost && strings.Contains(simulator.Parameters(r).Get("value"), "ops@") {
				return simulator.ServerError
			}
			return ""
		})
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			r.URL.Scheme, r.URL.Host = "", "" // As a server sees it.
			r.RequestURI = r.URL.RequestURI()
			sim.ServeHTTP(w, r)
			return w.Result(), nil
		})
		getenv := func(name string) string {
			if name == "FRACTEL_ENDPOINT" {
				return "http://localhost" + simulator.BasePath
			}
			for _, variable := range command.Env {
				if value, ok := strings.CutPrefix(variable, name+"="); ok {
					return value
				}
			}
			return ""
		}
		file := filepath.Join(dir, "report.json")
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{"-fonenumber", fonenumber, "-report", file}, getenv, transport, &stdout, &stderr); status != 2 {
			t.Errorf("the exit status is %d", status)
		}
		wantWords(t, stderr.String(), "NOT RESTORED", fonenumber, `"Email"`, "ops@example.com")
		report, err := os.ReadFile(file)
		if err != nil || bytes.Contains(report, []byte("ops@example.com")) || strings.Contains(stdout.String(), "ops@example.com") {
			t.Errorf("the report is %s, %v; printed: %s", report, err, stdout.String())
		}
	})
}

func TestBadInputIsOneLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args, env []string
		words     string
	}{
		"no credentials": {nil, []string{"FRACTEL_USERNAME=", "FRACTEL_PASSWORD="}, "no credentials"},
		"wrong password": {nil, []string{"FRACTEL_PASSWORD=hidden"}, "rejected the username or password"},
		"no endpoint":    {nil, []string{"FRACTEL_ENDPOINT=http://127.0.0.1:1/v2"}, "no response"},
		"bad endpoint":   {nil, []string{"FRACTEL_ENDPOINT=hidden"}, "FRACTEL_ENDPOINT"},
		"foreign number": {[]string{"-fonenumber", "3215559999"}, nil, "not in the account"},
		"short number":   {[]string{"-fonenumber", "321"}, nil, "ten digits"},
		"argument":       {[]string{"3215550000"}, nil, "unexpected argument"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, command, dir := newAccount(t, simulator.Profile{}, test.args...)
			command.Env = append(command.Env, test.env...)
			status, _, stderr := execute(t, sim, command)
			if status != 2 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.words) || strings.Contains(stderr, "hidden") {
				t.Errorf("the exit status is %d: %s", status, stderr)
			}
			if files, _ := os.ReadDir(dir); len(files) > 0 {
				t.Errorf("%s was written", files[0].Name())
			}
		})
	}
}
