package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// output contains what the program has printed so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// started runs the program until the test ends. It returns the output as soon as the program listens.
func started(t *testing.T, args ...string) *output {
	t.Helper()
	printed, ended := &output{}, make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- run(ctx, append(args, "-listen", "127.0.0.1:0"), printed) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for !strings.Contains(printed.String(), "Requests:\n") {
		select {
		case err := <-ended:
			ended <- err
			t.Fatal(err)
		default:
			runtime.Gosched()
		}
	}
	return printed
}

// The printed commands work in a shell as they are. The log shows each request, but no secrets and no control characters.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl: ", err)
	}
	for _, dialect := range []string{"live", "2.12"} {
		printed := started(t, "-dialect", dialect)
		introduction := printed.String()
		script := strings.Join(regexp.MustCompile(`(?m)^(export|TOKEN=|curl) ?.*`).FindAllString(introduction, -1), "\n")
		command := exec.CommandContext(t.Context(), "sh", "-ec", script+`
			curl -s $FRACTEL_ENDPOINT/fonenumbers/4075550000 -H "token: $TOKEN"
			curl -s $FRACTEL_ENDPOINT/messages/receive -H "token: $TOKEN" -H 'Content-Type: application/json' -d \
				'{"fonenumber":"3215550000","type":"URL","value":"https://u:secret-horse@x.test","url_method":"POST","url_password":"secret-horse"}'
			curl -s $FRACTEL_ENDPOINT/messages/receive -H "token: $TOKEN" -H 'Content-Type: application/json' -d \
				'{"fonenumber":"3215550000","type":"Email","value":"\u001b[31m","url_method":"POST"}'
			curl -s $FRACTEL_ENDPOINT/messages/receive_notify -H "token: $TOKEN" -H 'Content-Type: application/json' -d \
				'{"fonenumber":"3215550000","type":"Callback","url":"https://u:secret-horse@x.test","method":"JSON"}'`)
		if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "by-hand@example.com") {
			t.Fatalf("%s: %v\n%s\n%s", dialect, err, output, script)
		}
		log := regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}  `).ReplaceAllString(printed.String()[len(introduction):], "")
		want := `POST /auth  201
POST /messages/receive  200  3215550000: Email "by-hand@example.com"
GET  /fonenumbers/4075550000  404  "The FoneNumber was not found."
POST /messages/receive  200  3215550000: URL "https://u:xxxxx@x.test", with credentials
POST /messages/receive  400  "The value \"\\x1b[31m\" is not valid for type Email."
POST /messages/receive_notify  200  3215550000: Callback "https://u:xxxxx@x.test"
`
		if log != want {
			t.Errorf("the log is\n%s\nwant\n%s", log, want)
		}
	}
}

func TestOwnFoneNumbers(t *testing.T) {
	t.Parallel()
	table := filepath.Join(t.TempDir(), "own.csv")
	if err := os.WriteFile(table, []byte("fonenumber,type,value\n4075550001,Fax,anything\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	printed := started(t, "-csv", table).String()
	if !strings.Contains(printed, "4075550001") || strings.Contains(printed, "3215551212") {
		t.Errorf("the account does not have exactly the FoneNumbers of the file:\n%s", printed)
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-dialect 3.0":    `unknown dialect "3.0": use live or 2.12`,
		"extra":           `"extra"`,
		"-listen nowhere": "with -listen",
		"-csv none.csv":   "none.csv",
	} {
		if err := run(t.Context(), strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error does not say %s: %v", args, want, err)
		}
	}
}
