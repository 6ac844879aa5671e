// Command fonestorm-simulator serves a simulated FoneStorm account until it is interrupted. The account contains the FoneNumbers of the
// documentation, and those in the arguments. The program prints how to use the account, and then a line for each request.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("fonestorm-simulator: ")
	address := flag.String("listen", "127.0.0.1:8080", "`address` to listen on; with port 0, a free port is used")
	dialect := flag.String("dialect", "live", "`version` of FoneStorm whose responses are simulated: live or 2.12")
	flag.Parse()
	account, err := newAccount(*dialect, flag.Args())
	if err != nil {
		log.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", *address)
	if err != nil {
		log.Fatalf("%v: choose another address with -listen, or make simulator ARGS=\"-listen 127.0.0.1:8081\"", err)
	}
	introduce(os.Stdout, account, "http://"+listener.Addr().String()+simulator.BasePath)
	server := &http.Server{Handler: logged(account, os.Stdout), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// newAccount returns the documented account with additional FoneNumbers.
func newAccount(dialect string, numbers []string) (*simulator.Simulator, error) {
	options := simulator.Options{Documented: true, RateLimit: 10, Dialect: simulator.Dialects[dialect]}
	if options.Dialect == (simulator.Dialect{}) {
		return nil, fmt.Errorf("unknown dialect %q: use live or 2.12", dialect)
	}
	account := simulator.New(options)
	for _, number := range numbers {
		if len(number) != 10 || strings.Trim(number, "0123456789") != "" {
			return nil, fmt.Errorf("the FoneNumber %q must have ten digits", number)
		}
		account.Put(simulator.FoneNumber{Number: number})
	}
	return account, nil
}

// introduce prints what is simulated and how to use it.
func introduce(out io.Writer, account *simulator.Simulator, endpoint string) {
	fmt.Fprintf(out, `FoneStorm is simulated until you press Ctrl-C. Run this in the terminal in which you use Terraform or OpenTofu:

export FRACTEL_ENDPOINT=%s
export FRACTEL_USERNAME=demo
export FRACTEL_PASSWORD=demo-password

# For examples with variables:
export %s

The provider block needs no arguments then: provider "fractel" {}

`, endpoint, strings.Join(simulator.DocumentedVariables(), "\nexport "))
	const row = "%-10s  %-10s  %-25s  %s\n"
	fmt.Fprintf(out, row, "FoneNumber", "Account", "Label", "Delivers to")
	for _, f := range account.Numbers() {
		fmt.Fprintf(out, row, f.Number, f.Subaccount, f.Label, f.Receive)
	}
	fmt.Fprintln(out, "\nRequests:")
}

// logged prints a line for each request before it is responded to: when it arrived, its status, what it sent, and the error in the
// response. Passwords are omitted, and what was sent is quoted, because it must not control the terminal.
func logged(account http.Handler, out io.Writer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		arrived, response := time.Now(), httptest.NewRecorder()
		account.ServeHTTP(response, r)
		path := strings.TrimPrefix(r.URL.RequestURI(), simulator.BasePath)
		var line strings.Builder
		fmt.Fprintf(&line, "%s  %-4s %s  %d", arrived.Format("15:04:05.000"), r.Method, path, response.Code)
		for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
			if !strings.HasSuffix(name, "password") {
				fmt.Fprintf(&line, " %s=%q", name, r.PostForm.Get(name))
			}
		}
		if response.Code >= http.StatusBadRequest {
			fmt.Fprint(&line, " ", strings.TrimSpace(response.Body.String()))
		}
		fmt.Fprintln(out, &line) // At once, because requests are concurrent.
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = response.Body.WriteTo(w) // Fails only if the client has disconnected.
	}
}
