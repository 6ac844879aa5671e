package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
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
	go func() { ended <- run(ctx, args, printed) }()
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

// The log shows each request, but no secrets.
func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	printed := started(t, "-rate-limit=0")
	endpoint := regexp.MustCompile(`export FRACTEL_ENDPOINT=(\S+)`).FindStringSubmatch(printed.String())[1]
	var token string
	call := func(method, path, body string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, endpoint+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header["token"] = []string{token}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var login struct{ Auth struct{ Token string } }
		if err := json.NewDecoder(response.Body).Decode(&login); err == nil && login.Auth.Token != "" {
			token = login.Auth.Token
		}
	}
	introduced := len(printed.String())
	call("POST", "/auth", `{"username":"demo","password":"wrong-horse"}`)
	call("POST", "/auth", `{"username":"demo","password":"demo-password"}`)
	call("GET", "/fonenumbers/4075550000", "")
	hook := `{"fonenumber":"3215551212","type":"URL","value":"https://u:secret-horse@hooks.example.com/sms","url_method":"POST","url_username":"hook-user","url_password":"hook-horse"}`
	call("POST", "/messages/receive", hook)
	call("POST", "/messages/receive", hook)
	call("POST", "/messages/receive", `{"fonenumber":"3215551212","type":"None","value":"None","url_method":"POST"}`)

	log := printed.String()[introduced:]
	log = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}  `).ReplaceAllString(log, "")
	want := `POST /auth  401  Invalid username or password.
POST /auth  201
GET  /fonenumbers/4075550000  404  The FoneNumber was not found.
POST /messages/receive  200  3215551212: URL https://hooks.example.com/sms?from={{from}}&msg={{msg}} -> URL https://u:xxxxx@hooks.example.com/sms, credentials set
POST /messages/receive  200  3215551212: URL https://u:xxxxx@hooks.example.com/sms as before
POST /messages/receive  200  3215551212: URL https://u:xxxxx@hooks.example.com/sms -> None
`
	if log != want {
		t.Errorf("the log is\n%s\nwant\n%s", log, want)
	}
	for _, secret := range []string{token, "horse"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
}

func TestOwnFoneNumbers(t *testing.T) {
	t.Parallel()
	table := filepath.Join(t.TempDir(), "own.csv")
	if err := os.WriteFile(table, []byte("fonenumber,type,value\n+1 (407) 555-0001,Email,own@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	printed := started(t, "-csv", table, "-password", "it's mine").String()
	if !strings.Contains(printed, "4075550001") || !strings.Contains(printed, "Email own@example.com") || strings.Contains(printed, "3215551212") {
		t.Errorf("the account does not have exactly the FoneNumbers of the file:\n%s", printed)
	}
	if !strings.Contains(printed, `FRACTEL_PASSWORD='it'\''s mine'`) {
		t.Errorf("the password cannot be copied into a shell:\n%s", printed)
	}
}

func TestWrongFlags(t *testing.T) {
	t.Parallel()
	for args, words := range map[string][]string{
		"-dialect 3.0":              {`"3.0"`, "live"},
		"extra":                     {`"extra"`},
		"-subaccount 12 -listen :0": {`"12"`, "ten digits"},
		"-csv none.csv":             {"none.csv"},
		"-csv a.csv -fonenumbers 3": {"use one of them"},
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not say %s: %v", args, word, err)
			}
		}
	}
	if _, err := parse([]string{"-help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help gives %v", err)
	}
}
