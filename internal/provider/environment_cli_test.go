package provider

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// The provider connects through the proxy in the environment, which sees only the host.
func TestAccProxyFromEnvironment(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	asked := make(chan string, 100)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(connection).ReadString('\n')
			asked <- strings.TrimSpace(line)
			_, _ = io.WriteString(connection, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
			connection.Close()
		}
	}()
	a := newAccount(t, simulator.Options{})
	a.endpoint = "https://fonestorm.example.com/v2"
	w := a.newWorkspace(t, a.provider("max_retries = 0")+destinations[1].config(testNumber), "HTTPS_PROXY=http://"+listener.Addr().String())
	says(t, w.plan(2), "Warning: FoneNumber Not Checked")
	select {
	case line := <-asked:
		if line != "CONNECT fonestorm.example.com:443 HTTP/1.1" {
			t.Errorf("the proxy received %q", line)
		}
	default:
		t.Error("the proxy received nothing")
	}
}

// The example of several accounts: each FoneNumber is set with the token of its own account.
func TestAccSubaccountsExample(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile(filepath.Join(root, "examples", "subaccounts", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	const parent = "1000000001"
	a := newAccount(t, simulator.Options{Account: parent})
	accounts := map[string]string{"3215550100": parent, "3215550200": "2000000001", "3215550201": "2000000001", "3215550300": "2000000002"}
	for number, account := range accounts {
		f := simulator.FoneNumber{Number: number}
		if account != parent {
			f.Subaccount = account
		}
		a.Put(f)
	}
	w := a.newWorkspace(t, string(config))
	w.apply()
	w.plan(0)
	a.sendsOnly(t, len(accounts))
	for _, r := range a.Requests() {
		if number := r.Form.Get("fonenumber"); number != "" && r.Account != accounts[number] {
			t.Errorf("FoneNumber %s was set with a token of account %q, want %q", number, r.Account, accounts[number])
		}
	}
}
