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
	"os"
	"os/signal"
	"regexp"
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
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fonestorm-simulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	settings, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	settings.options.OnResponse = func(r simulator.Request) { fmt.Fprintln(out, logLine(r)) }
	account, err := settings.account()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", settings.listen)
	if err != nil {
		return err
	}
	settings.introduce(out, account, "http://"+listener.Addr().String()+simulator.BasePath)
	return serve(ctx, listener, account)
}

// account returns the simulated account.
func (s settings) account() (*simulator.Simulator, error) {
	account, err := simulator.New(s.options)
	if err != nil || s.csv == "" {
		return account, err
	}
	table, err := os.Open(s.csv)
	if err != nil {
		return nil, err
	}
	defer func() { _ = table.Close() }()
	return account, account.PutCSV(table)
}

// introduce prints what is simulated and how to use it.
func (s settings) introduce(out io.Writer, account *simulator.Simulator, endpoint string) {
	fmt.Fprintf(out, `FoneStorm is simulated until you press Ctrl-C. Run this in the terminal in which you use Terraform or OpenTofu:

export FRACTEL_ENDPOINT=%s
export FRACTEL_USERNAME=%s
export FRACTEL_PASSWORD=%s
`, endpoint, quoted(s.options.Username), quoted(s.options.Password))
	if s.options.Documented {
		fmt.Fprintf(out, "\n# For examples with variables:\nexport %s\n", strings.Join(simulator.DocumentedVariables(), "\nexport "))
	}
	fmt.Fprintf(out, `
Then use this provider block:

provider "fractel" {}

Or configure everything in the provider block:

provider "fractel" {
  endpoint = %q
  username = %q
  password = %q
}

`, endpoint, s.options.Username, s.options.Password)
	if s.options.Documented {
		fmt.Fprintln(out, "The accounts contain the FoneNumbers of the README, the documentation, and the examples:")
	}
	s.list(out, account.Numbers())
	fmt.Fprintln(out, "\nRequests:")
}

// list prints the FoneNumbers, up to a maximum number.
func (s settings) list(out io.Writer, numbers []simulator.FoneNumber) {
	const most = 30
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FoneNumber\tAccount\tLabel\tDelivers to")
	for _, f := range numbers[:min(most, len(numbers))] {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Number, cmp.Or(f.Subaccount, s.options.Account), f.Label, f.Receive)
	}
	_ = table.Flush()
	if len(numbers) > most {
		fmt.Fprintf(out, "… and %d more\n", len(numbers)-most)
	}
}

// quoted returns a text as a single shell word.
func quoted(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// logLine describes a request in one line: time, method, path, status, and what it changed or why it failed. It contains neither
// headers nor bodies, because these contain passwords and tokens.
func logLine(r simulator.Request) string {
	outcome := r.Change
	if r.Reason != "" {
		var envelope struct{ Message string }
		if outcome = r.Reason; json.Unmarshal([]byte(r.Reason), &envelope) == nil {
			outcome = envelope.Message
		}
	}
	line := fmt.Sprintf("%s  %-4s %s  %d", r.Arrived.Format("15:04:05.000"), r.Method, r.Path, r.Status)
	if outcome != "" {
		line += "  " + outcome
	}
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' ' // Text from the network must not control the terminal.
		}
		return c
	}, line)
}

// settings contains the values of the command line.
type settings struct {
	listen  string
	csv     string
	options simulator.Options
}

// parse parses the command line.
func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&s.csv, "csv", "", "CSV `file` with your own FoneNumbers instead of those of the examples; see above")
	flags.IntVar(&s.options.FoneNumbers, "fonenumbers", 0, "`number` of FoneNumbers, from 3215550000 on, instead of those of the examples")
	flags.StringVar(&s.options.Username, "username", "demo", "`name` of the user")
	flags.StringVar(&s.options.Password, "password", "demo-password", "`password` of the user")
	flags.StringVar(&s.options.Account, "account", "1000000001", "`ID` of the account, ten digits")
	flags.Func("subaccount", "`code` of a subaccount, ten digits; can be repeated", func(code string) error {
		s.options.Subaccounts = append(s.options.Subaccounts, code)
		return nil
	})
	flags.DurationVar(&s.options.TokenLifetime, "token-lifetime", 0, "maximum `time` for which a token is valid, such as 30s; 0 means as long as the login requests, or an hour")
	flags.DurationVar(&s.options.Latency, "latency", 0, "`delay` of every response, such as 200ms")
	flags.IntVar(&s.options.RateLimit, "rate-limit", 10, "`requests` accepted per second; 0 for no limit")
	flags.Func("dialect", "`version` of FoneStorm whose responses are simulated: live or 2.12 (default live)", func(name string) (err error) {
		dialect, known := simulator.Dialects[name]
		if !known {
			err = errors.New("use live or 2.12")
		}
		s.options.Dialect = dialect
		return err
	})
	flags.Usage = func() { help(flags) }
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if s.csv != "" && s.options.FoneNumbers > 0 {
		return s, errors.New("-csv and -fonenumbers each describe the account: use one of them")
	}
	s.options.Documented = s.csv == "" && s.options.FoneNumbers == 0
	return s, nil
}

// help prints what the program does and its flags.
func help(flags *flag.FlagSet) {
	fmt.Fprintf(flags.Output(), `fonestorm-simulator simulates FracTEL's FoneStorm API on this machine, so that you can try the provider without an account.
It prints the settings to use, then a line for each request: time, method, path, status, and what changed.
It keeps nothing when it exits.

The account contains the FoneNumbers of the README, the documentation, and the examples. To use your own, pass -csv FILE:

  fonenumber,type,value
  3215551212,Email,ops@example.com
  (321) 555-1213,None,

The first line names the columns: %s.
Only fonenumber is required. type is Device, Email, URL, Forward, None, or empty if no delivery was ever set. account is the
code of a subaccount. notify_url is the URL of the receive notification. A row of type Device also adds the device, with the
label as its name.

`, strings.Join(simulator.CSVColumns, ", "))
	fmt.Fprintln(flags.Output(), "Flags:")
	flags.PrintDefaults()
}

// serve handles requests until the context ends, then waits for those in progress.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(shutdown)
	}
}
