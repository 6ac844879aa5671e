// Command fonestorm-simulator serves a simulated FoneStorm account until it is interrupted. It prints how to use it, and one
// line for each request.
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

// account returns the account that is to be simulated.
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

// introduce says what is simulated and how to use it.
func (s settings) introduce(out io.Writer, account *simulator.Simulator, endpoint string) {
	fmt.Fprintf(out, `FoneStorm is simulated until you press Ctrl-C. In the terminal in which you run Terraform or OpenTofu:

export FRACTEL_ENDPOINT=%s
export FRACTEL_USERNAME=%s
export FRACTEL_PASSWORD=%s
`, endpoint, quoted(s.options.Username), quoted(s.options.Password))
	if s.options.Documented {
		fmt.Fprintf(out, "\n# For the examples that have variables:\nexport %s\n", strings.Join(simulator.DocumentedVariables(), "\nexport "))
	}
	fmt.Fprintf(out, `
Then this is enough:

provider "fractel" {}

Or put all of it into the provider block:

provider "fractel" {
  endpoint = %q
  username = %q
  password = %q
}

`, endpoint, s.options.Username, s.options.Password)
	if s.options.Documented {
		fmt.Fprintln(out, "The accounts contain what README, documentation and examples use:")
	}
	s.list(out, account.Numbers())
	fmt.Fprintln(out, "\nRequests:")
}

// list shows the FoneNumbers, or the first of many.
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

// quoted returns a text as one word of a shell.
func quoted(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// logLine describes a request in one line: time, method, path, status, account if it is another one, and what changed or
// why nothing did. It contains neither headers nor bodies, which have passwords and tokens in them.
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
			return ' ' // It came from the network, and goes to a terminal.
		}
		return c
	}, line)
}

// settings are what the command line asks for.
type settings struct {
	listen  string
	csv     string
	options simulator.Options
}

// parse reads the command line. Settings of the dialect change the profile, whichever comes first.
func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&s.csv, "csv", "", "`file` with your own FoneNumbers instead of the documented account; see above")
	flags.IntVar(&s.options.FoneNumbers, "fonenumbers", 0, "an account with this `many` FoneNumbers, from 3215550000 on, instead of the documented one")
	flags.StringVar(&s.options.Username, "username", "demo", "`name` of the user")
	flags.StringVar(&s.options.Password, "password", "demo-password", "`password` of the user")
	flags.StringVar(&s.options.Account, "account", "1000000001", "`ID` of the account, ten digits")
	flags.Func("subaccount", "`code` of a subaccount, ten digits; repeat it for more", func(code string) error {
		s.options.Subaccounts = append(s.options.Subaccounts, code)
		return nil
	})
	flags.DurationVar(&s.options.TokenLifetime, "token-lifetime", 0, "the longest `time` for which a token is valid, such as 30s; 0 means as long as the login asks for, or an hour")
	flags.DurationVar(&s.options.Latency, "latency", 0, "`time` that every response takes, such as 200ms")
	flags.IntVar(&s.options.RateLimit, "rate-limit", 10, "`requests` accepted per second; 0 for no limit")
	window := flags.String("rate-window", string(simulator.SlidingWindow), "how seconds are counted, fixed or sliding: `kind` of window")
	profile := flags.String("profile", "live", "`dialect` of FoneStorm: 2.1, 2.4, 2.12, live, or a JSON file such as a report of fonestorm-check")

	common := map[string]bool{}
	flags.VisitAll(func(f *flag.Flag) { common[f.Name] = true })
	var changes []func() error
	for _, setting := range simulator.Settings() {
		usage := setting.Usage
		if len(setting.Values) > 0 {
			usage += ": " + strings.Join(setting.Values, ", ")
		}
		flags.Func(strings.ReplaceAll(setting.Name, "_", "-"), usage, func(value string) error {
			changes = append(changes, func() error { return s.options.Profile.Set(setting.Name, value) })
			return new(simulator.Profile).Set(setting.Name, value)
		})
	}
	flags.Usage = func() { help(flags, common) }
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
	s.options.RateWindow = simulator.RateWindow(*window)
	var err error
	if s.options.Profile, err = simulator.LoadProfile(*profile); err != nil {
		return s, err
	}
	for _, change := range changes {
		if err := change(); err != nil {
			return s, err
		}
	}
	return s, nil
}

// help prints what the program does and its flags: first those that most people need, then those of the dialect.
func help(flags *flag.FlagSet, common map[string]bool) {
	fmt.Fprintf(flags.Output(), `fonestorm-simulator pretends to be FracTEL's FoneStorm API on this machine, so that you can try the provider without an
account. It prints what to set, then one line for each request: time, method, path, status, and what changed.
Nothing is kept when it ends.

The account has the FoneNumbers that README, documentation and examples use, and -csv FILE has your own instead:

  fonenumber,type,value
  3215551212,Email,ops@example.com
  (321) 555-1213,None,

The first line names the columns: %s.
Only fonenumber is required. type is Device, Email, URL, Forward, None, or empty if nothing was ever set. account is the code
of a subaccount. notify_url is the URL of the receive notification. A row of type Device also adds the device, with the label
as its name.

`, strings.Join(simulator.CSVColumns, ", "))
	section := func(title string, isCommon bool) {
		part := flag.NewFlagSet("", flag.ContinueOnError)
		part.SetOutput(flags.Output())
		flags.VisitAll(func(f *flag.Flag) {
			if common[f.Name] == isCommon {
				part.Var(f.Value, f.Name, f.Usage)
				part.Lookup(f.Name).DefValue = f.DefValue
			}
		})
		fmt.Fprintln(flags.Output(), title)
		part.PrintDefaults()
	}
	section("Flags:", true)
	section("\nFlags that change how FoneStorm responds, as accounts have been seen to do. They change the profile:", false)
}

// serve handles requests until the context ends, then lets those under way finish.
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
