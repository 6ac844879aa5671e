package provider

import (
	"bufio"
	"io"
	"net"
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
	says(t, w.plan(1), "Error: Unable to Reach FoneStorm")
	select {
	case line := <-asked:
		if line != "CONNECT fonestorm.example.com:443 HTTP/1.1" {
			t.Errorf("the proxy received %q", line)
		}
	default:
		t.Error("the proxy received nothing")
	}
}
