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
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"

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

func run(ctx context.Context, args []string, out io.Writer) error {
	s, err := parse(args, out)
	if err != nil {
		return err
	}
	s.options.OnResponse = func(r simulator.Request) { fmt.Fprintln(out, logLine(r)) }
	account, err := s.account()
	if err != nil {
		return err
	}
	listener, err := listen(ctx, s.listen, out)
	if err != nil {
		return fmt.Errorf("%w: choose another address with -listen", err)
	}
	s.introduce(out, account, "http://"+listener.Addr().String()+simulator.BasePath)
	server := &http.Server{Handler: account, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// listen listens on an address or, if its port is in use, on one of the next ports.
func listen(ctx context.Context, address string, out io.Writer) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	for try := range 10 {
		var listener net.Listener
		listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(first+try)))
		if err == nil {
			return listener, nil
		}
		fmt.Fprintf(out, "Port %d cannot be used.\n", first+try)
	}
	return nil, err
}

// settings contains the values of the command line.
type settings struct {
	listen      string
	csv         string
	foneNumbers int
	options     simulator.Options
}

func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8080", "`address` to listen on; if its port is in use, the next free one is used")
	flags.StringVar(&s.csv, "csv", "", "CSV `file` with your own FoneNumbers instead of those of the examples; see above")
	flags.IntVar(&s.foneNumbers, "fonenumbers", 0, "`number` of FoneNumbers of every type, from 3215550000 on, instead of those of the examples")
	flags.DurationVar(&s.options.Latency, "latency", 0, "`delay` of every response, such as 200ms")
	flags.IntVar(&s.options.RateLimit, "rate-limit", 10, "`requests` accepted in any second; 0 for no limit")
	dialect := flags.String("dialect", "live", "`version` of FoneStorm whose responses are simulated: live or 2.12")
	flags.Usage = func() {
		fmt.Fprintf(out, usage, strings.Join(simulator.CSVColumns, ", "))
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	s.options.Dialect = simulator.Dialects[*dialect]
	s.options.Documented = s.csv == "" && s.foneNumbers == 0
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.csv != "" && s.foneNumbers > 0:
		return s, errors.New("-csv and -fonenumbers each describe the account: use one of them")
	case s.options.Dialect == simulator.Dialect{}:
		return s, fmt.Errorf("unknown dialect %q: use live or 2.12", *dialect)
	}
	return s, nil
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

// account returns the simulated account.
func (s settings) account() (*simulator.Simulator, error) {
	account, err := simulator.New(s.options)
	if err != nil {
		return nil, err
	}
	if s.csv == "" {
		return account, account.PutCSV(strings.NewReader(mixed(s.foneNumbers)))
	}
	table, err := os.Open(s.csv)
	if err != nil {
		return nil, err
	}
	defer func() { _ = table.Close() }()
	return account, account.PutCSV(table)
}

// mixed returns a CSV table with this number of FoneNumbers, of every type, and with callback URLs of every method.
func mixed(foneNumbers int) string {
	rows := []string{"fonenumber,label,type,value,url_method"}
	for i := range foneNumbers {
		destination := []string{
			fmt.Sprintf("Email,person-%d@example.com,", i),
			fmt.Sprintf("URL,https://hooks.example.com/%d?msg={{msg}},POST", i),
			fmt.Sprintf("Forward,%d,", 4075550000+i),
			fmt.Sprintf("Device,%d,", 987123000000+i),
			fmt.Sprintf("URL,https://hooks.example.com/%d?msg={{msg}},JSON", i),
			"None,,",
		}[i%6]
		rows = append(rows, fmt.Sprintf("%d,Number %d,%s", 3215550000+i, i, destination))
	}
	return strings.Join(rows, "\n")
}

// introduce prints what is simulated and how to use it.
func (s settings) introduce(out io.Writer, account *simulator.Simulator, endpoint string) {
	fmt.Fprintf(out, `FoneStorm is simulated until you press Ctrl-C. Run this in the terminal in which you use Terraform or OpenTofu:

export FRACTEL_ENDPOINT=%s
export FRACTEL_USERNAME=demo
export FRACTEL_PASSWORD=demo-password
`, endpoint)
	if s.options.Documented {
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
	const most = 30
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FoneNumber\tSubaccount\tLabel\tDelivers to")
	for _, f := range numbers[:min(most, len(numbers))] {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Number, f.Subaccount, f.Label, f.Receive)
	}
	_ = table.Flush()
	if len(numbers) > most {
		fmt.Fprintf(out, "… and %d more\n", len(numbers)-most)
	}
	fmt.Fprintln(out, "\nRequests:")
}

// logLine describes a request in one line: time, method, path, status, and what it changed or why it failed. It contains neither
// headers nor bodies, because these contain passwords and tokens.
func logLine(r simulator.Request) string {
	line := fmt.Sprintf("%s  %-4s %s  %d", r.Arrived.Format("15:04:05.000"), r.Method, r.Path, r.Status)
	switch {
	case r.Reason != "":
		envelope := struct{ Message string }{r.Reason}
		_ = json.Unmarshal([]byte(r.Reason), &envelope) // A reason that is too long is cut, and no longer JSON.
		line += "  " + envelope.Message
	case r.Kind() == "set" || r.Kind() == "notify":
		destination := cmp.Or(r.Form.Get("url"), r.Form.Get("email"), strings.TrimPrefix(r.Form.Get("value"), "None"))
		if u, err := url.Parse(destination); err == nil && u.User != nil {
			destination = u.Redacted()
		}
		line += strings.TrimRight(fmt.Sprintf("  %s: %s %s", r.Form.Get("fonenumber"), r.Form.Get("type"), destination), " ")
		if r.Form.Has("url_username") || r.Form.Has("url_password") {
			line += ", with credentials"
		}
	}
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' ' // Text from the network must not control the terminal.
		}
		return c
	}, line)
}
