// Command fonestorm-simulator serves a simulated FoneStorm account until it is interrupted. The account contains the FoneNumbers of the
// documentation, and those in the arguments. The program prints how to use the account, and then a line for each request.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
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
		log.Fatalf("%v: choose another address with -listen", err)
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
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FoneNumber\tSubaccount\tLabel\tDelivers to")
	for _, f := range account.Numbers() {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Number, f.Subaccount, f.Label, f.Receive)
	}
	_ = table.Flush()
	fmt.Fprintln(out, "\nRequests:")
}

// logged prints a line for each request before it is responded to.
func logged(account http.Handler, out io.Writer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		arrived, form, response := time.Now(), simulator.Parameters(r), httptest.NewRecorder()
		account.ServeHTTP(response, r)
		path := strings.TrimPrefix(r.URL.RequestURI(), simulator.BasePath)
		fmt.Fprintf(out, "%s  %-4s %s  %d%s\n", arrived.Format("15:04:05.000"), r.Method, path, response.Code, outcome(form, response))
		maps.Copy(w.Header(), response.Header())
		w.WriteHeader(response.Code)
		_, _ = w.Write(response.Body.Bytes()) // Fails only if the client has disconnected.
	}
}

// outcome describes what a request changed or why it failed. It contains no passwords and no tokens. What it contains of a request is
// quoted, because it must not control the terminal.
func outcome(form url.Values, response *httptest.ResponseRecorder) string {
	if response.Code >= http.StatusBadRequest {
		var failure struct{ Message string }
		_ = json.Unmarshal(response.Body.Bytes(), &failure) // Errors are always JSON.
		return fmt.Sprintf("  %q", failure.Message)
	}
	if !form.Has("type") { // The request changes nothing.
		return ""
	}
	destination := cmp.Or(form.Get("url"), form.Get("email"), form.Get("value"))
	if u, err := url.Parse(destination); err == nil && u.User != nil {
		destination = u.Redacted()
	}
	changed := fmt.Sprintf("  %s: %s %q", form.Get("fonenumber"), form.Get("type"), destination)
	if form.Has("url_username") || form.Has("url_password") {
		changed += ", with credentials"
	}
	return changed
}
