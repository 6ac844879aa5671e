// Command fonestorm-simulator serves a simulated FoneStorm account until it is interrupted. It prints how to use the account, and
// then a line for each request.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fonestorm-simulator:", err)
		stop()
		os.Exit(1)
	}
}

const usage = `fonestorm-simulator simulates FracTEL's FoneStorm API on this machine, so that you can try the provider without an account.
It prints the settings to use, then a line for each request: time, method, path, status, and what changed.
It keeps nothing when it exits.

The account contains the FoneNumbers of the README, the documentation, and the examples. To use your own, pass -csv FILE:

  fonenumber,type,value
  3215551212,Email,ops@example.com
  3215551213,None,

The first line names the columns: %s.
Only fonenumber is required. type is Device, Email, URL, Forward, or None. account is the code of a subaccount. notify_url and
send_notify_url are the URLs of the notifications. A row of type Device also adds the device, with the label as its name.

Flags:
`

func run(ctx context.Context, args []string, out io.Writer) error {
	var options simulator.Options
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	address := flags.String("listen", "127.0.0.1:8080", "`address` to listen on; with port 0, a free port is used")
	csv := flags.String("csv", "", "CSV `file` with your own FoneNumbers instead of those of the examples; see above")
	flags.DurationVar(&options.Latency, "latency", 0, "`delay` of every response, such as 200ms")
	flags.IntVar(&options.RateLimit, "rate-limit", 10, "`requests` accepted in any second; 0 for no limit")
	dialect := flags.String("dialect", "live", "`version` of FoneStorm whose responses are simulated: live or 2.12")
	flags.Usage = func() {
		fmt.Fprintf(out, usage, strings.Join(simulator.CSVColumns, ", "))
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var known bool
	if options.Dialect, known = simulator.Dialects[*dialect]; !known {
		return fmt.Errorf("unknown dialect %q: use live or 2.12", *dialect)
	}
	options.Documented = *csv == ""
	account, err := simulator.New(options)
	if err != nil {
		return err
	}
	if *csv != "" {
		if err := addFoneNumbers(account, *csv); err != nil {
			return err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *address)
	if err != nil {
		return fmt.Errorf("%w: choose another address with -listen", err)
	}
	introduce(out, account, "http://"+listener.Addr().String()+simulator.BasePath, options.Documented)
	server := &http.Server{Handler: logged(account, out), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// addFoneNumbers adds the FoneNumbers of a CSV file.
func addFoneNumbers(account *simulator.Simulator, name string) error {
	table, err := os.Open(name) //nolint:gosec // The user chooses the file.
	if err != nil {
		return err
	}
	defer func() { _ = table.Close() }()
	return account.PutCSV(table)
}

// introduce prints what is simulated and how to use it.
func introduce(out io.Writer, account *simulator.Simulator, endpoint string, documented bool) {
	fmt.Fprintf(out, `FoneStorm is simulated until you press Ctrl-C. Run this in the terminal in which you use Terraform or OpenTofu:

export FRACTEL_ENDPOINT=%s
export FRACTEL_USERNAME=demo
export FRACTEL_PASSWORD=demo-password
`, endpoint)
	if documented {
		fmt.Fprintf(out, "\n# For examples with variables:\nexport %s\n", strings.Join(simulator.DocumentedVariables(), "\nexport "))
	}
	numbers := account.Numbers()
	if len(numbers) > 0 {
		fmt.Fprintf(out, `
# To log in and change a delivery by hand:
TOKEN=$(curl -s $FRACTEL_ENDPOINT/auth -H 'Content-Type: application/json' -d '{"username":"demo","password":"demo-password"}' | sed 's/.*"token":"\([^"]*\).*/\1/')
curl -s $FRACTEL_ENDPOINT/messages/receive -H "token: $TOKEN" -H 'Content-Type: application/json' -d '{"fonenumber":"%s","type":"Email","value":"by-hand@example.com","url_method":"POST"}'
`, numbers[0].Number)
	}
	fmt.Fprint(out, "\nThe provider block needs no arguments then: provider \"fractel\" {}\n\n")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FoneNumber\tSubaccount\tLabel\tDelivers to")
	for _, f := range numbers {
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
