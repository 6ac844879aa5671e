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
	"slices"
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
	listener, err := s.listener(ctx, out)
	if err != nil {
		return err
	}
	s.introduce(out, account, "http://"+listener.Addr().String()+simulator.BasePath)
	server := &http.Server{Handler: account, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}

// settings contains the values of the command line.
type settings struct {
	listen      string
	csv         string
	foneNumbers int
	options     simulator.Options
}

const defaultPort = 8080

func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.listen, "listen", "", fmt.Sprintf("`address` to listen on (default 127.0.0.1:%d, or the next free port)", defaultPort))
	flags.StringVar(&s.csv, "csv", "", "CSV `file` with your own FoneNumbers instead of those of the examples; see above")
	flags.IntVar(&s.foneNumbers, "fonenumbers", 0, "`number` of FoneNumbers of every type, from 3215550000 on, instead of those of the examples")
	flags.StringVar(&s.options.Username, "username", "demo", "`name` of the user")
	flags.StringVar(&s.options.Password, "password", "demo-password", "`password` of the user")
	flags.StringVar(&s.options.Account, "account", "1000000001", "`ID` of the account, ten digits")
	flags.Func("subaccount", "`code` of a subaccount, ten digits; can be repeated", func(code string) error {
		s.options.Subaccounts = append(s.options.Subaccounts, code)
		return nil
	})
	flags.DurationVar(&s.options.TokenLifetime, "token-lifetime", 0, "maximum `time` for which a token is valid, such as 30s; 0 means as long as the login requests, or an hour")
	flags.DurationVar(&s.options.Latency, "latency", 0, "`delay` of every response, such as 200ms")
	flags.IntVar(&s.options.RateLimit, "rate-limit", 10, "`requests` accepted in any second; 0 for no limit")
	flags.Func("dialect", "`version` of FoneStorm whose responses are simulated: live or 2.12 (default live)", func(name string) error {
		dialect, known := simulator.Dialects[name]
		if s.options.Dialect = dialect; !known {
			return errors.New("use live or 2.12")
		}
		return nil
	})
	flags.Usage = func() {
		fmt.Fprintf(out, usage, strings.Join(simulator.CSVColumns, ", "))
		flags.PrintDefaults()
	}
	err := flags.Parse(args)
	switch {
	case err != nil:
		return s, err
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.csv != "" && s.foneNumbers > 0:
		return s, errors.New("-csv and -fonenumbers each describe the account: use one of them")
	}
	s.options.Documented = s.csv == "" && s.foneNumbers == 0
	return s, nil
}

const usage = `fonestorm-simulator simulates FracTEL's FoneStorm API on this machine, so that you can try the provider without an account.
It prints the settings to use, then a line for each request: time, method, path, status, and what changed.
It keeps nothing when it exits.

The account contains the FoneNumbers of the README, the documentation, and the examples. To use your own, pass -csv FILE:

  fonenumber,type,value
  3215551212,Email,ops@example.com
  (321) 555-1213,None,

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
	for i := range s.foneNumbers {
		f := foneNumber(i)
		account.Put(f)
		if f.Receive.Type == "Device" {
			account.PutDevice(simulator.Device{ID: f.Receive.Device, Name: f.Label, Type: "App", FoneNumber: f.Number})
		}
	}
	if s.csv == "" {
		return account, nil
	}
	table, err := os.Open(s.csv)
	if err != nil {
		return nil, err
	}
	defer func() { _ = table.Close() }()
	return account, account.PutCSV(table)
}

// foneNumber returns one of the FoneNumbers of a mixed account: every type, also callback URLs with other methods than POST, some
// with notifications, and some that are cancelled.
func foneNumber(i int) simulator.FoneNumber {
	f := simulator.FoneNumber{Number: fmt.Sprint(3215550000 + i), Label: fmt.Sprintf("Number %d", i)}
	hook := fmt.Sprintf("https://hooks.example.com/%d?msg={{msg}}", i)
	switch i % 6 {
	case 0:
		f.Receive = f.Receive.Delivering("Email", fmt.Sprintf("person-%d@example.com", i))
	case 1:
		f.Receive = f.Receive.Delivering("URL", hook)
	case 2:
		f.Receive = f.Receive.Delivering("Forward", fmt.Sprint(4075550000+i))
	case 3:
		f.Receive = f.Receive.Delivering("Device", fmt.Sprint(987123000000+i))
	case 4:
		f.Receive = f.Receive.Delivering("URL", hook)
		f.Receive.URLMethod = "JSON"
	}
	switch i % 7 {
	case 1:
		f.ReceiveNotify = simulator.Notify{Type: "Callback", URL: hook, Method: "JSON"}
	case 2:
		f.SendNotify = simulator.Notify{Type: "Email", Email: "sent@example.com"}
	}
	if i%50 == 49 {
		f.Active = "cancel"
	}
	return f
}

// listener listens on the address of the command line. The default is a fixed port, so that the exported variables stay correct
// after a restart.
func (s settings) listener(ctx context.Context, out io.Writer) (listener net.Listener, err error) {
	var config net.ListenConfig
	if s.listen != "" {
		return config.Listen(ctx, "tcp", s.listen)
	}
	for port := defaultPort; port < defaultPort+100; port++ {
		if listener, err = config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			if port != defaultPort {
				fmt.Fprintf(out, "Port %d is in use, so that this simulator has port %d.\n", defaultPort, port)
			}
			return listener, nil
		}
	}
	return nil, err
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
	numbers := account.Numbers()
	isOwn := func(f simulator.FoneNumber) bool { return f.Subaccount == "" }
	if i := slices.IndexFunc(numbers, isOwn); i >= 0 {
		login, _ := json.Marshal(map[string]string{"username": s.options.Username, "password": s.options.Password})
		fmt.Fprintf(out, `
# To log in and change a delivery by hand:
TOKEN=$(curl -s $FRACTEL_ENDPOINT/auth -H 'Content-Type: application/json' -d %s | sed 's/.*"token":"\([^"]*\).*/\1/')
curl -s $FRACTEL_ENDPOINT/messages/receive -H "token: $TOKEN" -H 'Content-Type: application/json' -d '{"fonenumber":"%s","type":"Email","value":"by-hand@example.com","url_method":"POST"}'
`, quoted(string(login)), numbers[i].Number)
	}
	fmt.Fprintf(out, "\nThe provider block needs no arguments then: provider \"fractel\" {}\n\n")
	s.list(out, numbers)
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
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

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
