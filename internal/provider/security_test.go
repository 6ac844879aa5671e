package provider

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// A redirect is an error, so that the token never reaches another host.
func TestAccRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(other.Close)
	for _, path := range []string{"/auth", "/fonenumbers/" + testNumber, "/messages/receive"} {
		a := newAccount(t, simulator.Options{})
		a.Put(simulator.FoneNumber{Number: testNumber})
		a.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, path) {
				return false
			}
			http.Redirect(w, r, other.URL+"/stolen", http.StatusTemporaryRedirect)
			return true
		})
		w := a.newWorkspace(t, a.provider("max_retries = 0")+destinations[1].config(testNumber))
		says(t, w.rejects(), "a redirect, which is never followed")
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("the other host received %d requests", n)
	}
}

// A server with an untrusted certificate receives no request, and the connection is not retried.
func TestAccBadCertificate(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // It logs that the client closes the connection.
	server.StartTLS()
	t.Cleanup(server.Close)
	a := newAccount(t, simulator.Options{})
	a.endpoint = server.URL + "/v2"
	w := a.newWorkspace(t, destinations[1].config(testNumber))
	output := w.rejects()
	says(t, output, "Error: Unable to Reach FoneStorm", "certificate signed by unknown authority")
	if strings.Contains(output, "attempt 2") {
		t.Errorf("the request was retried:\n%s", output)
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests", n)
	}
}

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

// The provider writes nothing to disk.
func TestAccNothingIsWrittenToDisk(t *testing.T) {
	t.Parallel()
	home, temporary := t.TempDir(), t.TempDir()
	a := newAccountWith(t, testNumber)
	w := a.newWorkspace(t, destinations[1].config(testNumber), "HOME="+home, "TMPDIR="+temporary)
	w.apply()
	w.apply("-destroy")
	known := map[string]bool{
		"main.tf": true, "cli.tfrc": true, "terraform.tfstate": true, "terraform.tfstate.backup": true,
		"checkpoint_cache": true, "checkpoint_signature": true, // Files of the CLI in ~/.terraform.d.
	}
	for _, dir := range []string{home, temporary, w.Dir} {
		err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() && !known[info.Name()] {
				t.Errorf("%s was written", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
