// Command fonestorm-simulator serves a simulated FoneStorm account until it is interrupted, and prints the provider
// block that uses it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fonestorm-simulator:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	listen, options, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	handler, err := simulator.New(options)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf(`FoneStorm is simulated at http://%[1]s%[2]s until interrupted (Ctrl-C). To use it:

provider "fractel" {
  endpoint = "http://%[1]s%[2]s"
  username = %[3]q
  password = %[4]q
}

`, listener.Addr(), simulator.BasePath, options.Username, options.Password)
	for _, f := range handler.Numbers() {
		fmt.Println("FoneNumber", f.Number)
		if f.Number == "3215550009" && options.FoneNumbers > 10 {
			fmt.Printf("… and %d more\n", options.FoneNumbers-10)
			break
		}
	}
	return serve(ctx, listener, handler)
}

// parse reads the command line. Settings of the dialect change the profile, whichever comes first.
func parse(args []string) (listen string, options simulator.Options, err error) {
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	flags.StringVar(&listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&options.Username, "username", "demo", "`name` that may log in")
	flags.StringVar(&options.Password, "password", "demo-password", "its `password`")
	flags.StringVar(&options.Account, "account", "1000000001", "`ID` of the account, ten digits")
	flags.Func("subaccount", "`code` of a subaccount, ten digits; repeat for more", func(code string) error {
		options.Subaccounts = append(options.Subaccounts, code)
		return nil
	})
	flags.IntVar(&options.FoneNumbers, "fonenumbers", 10, "how `many` FoneNumbers the account has, from 3215550000 on")
	flags.DurationVar(&options.TokenLifetime, "token-lifetime", 0, "how `long` a token is accepted at most; an hour unless the login asks otherwise when 0")
	flags.DurationVar(&options.Latency, "latency", 0, "how `long` every response takes")
	flags.IntVar(&options.RateLimit, "rate-limit", 10, "requests accepted in a `second`; 0 for no limit")
	window := flags.String("rate-window", string(simulator.SlidingWindow), "how seconds are `counted`: fixed or sliding")
	profile := flags.String("profile", "live", "`dialect`: 2.1, 2.4, 2.12, live, or a JSON file such as a report of fonestorm-check; flags for its settings change it")

	var changes []func() error
	for _, setting := range simulator.Settings() {
		usage := setting.Usage
		if len(setting.Values) > 0 {
			usage += ": " + strings.Join(setting.Values, ", ")
		}
		flags.Func(strings.ReplaceAll(setting.Name, "_", "-"), usage, func(value string) error {
			changes = append(changes, func() error { return options.Profile.Set(setting.Name, value) })
			return new(simulator.Profile).Set(setting.Name, value)
		})
	}
	if err := flags.Parse(args); err != nil {
		return "", options, err
	}
	if flags.NArg() > 0 {
		return "", options, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	options.RateWindow = simulator.RateWindow(*window)
	if options.Profile, err = simulator.LoadProfile(*profile); err != nil {
		return "", options, err
	}
	for _, change := range changes {
		if err := change(); err != nil {
			return "", options, err
		}
	}
	return listen, options, nil
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
