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
	var options simulator.Options
	flags := flag.NewFlagSet("fonestorm-simulator", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&options.Username, "username", "demo", "`name` that may log in")
	flags.StringVar(&options.Password, "password", "demo-password", "its `password`")
	flags.IntVar(&options.FoneNumbers, "fonenumbers", 10, "how `many` FoneNumbers the account has, from 3215550000 on")
	flags.DurationVar(&options.TokenLifetime, "token-lifetime", time.Hour, "how `long` a token is accepted")
	flags.DurationVar(&options.Latency, "latency", 0, "how `long` every answer takes")
	flags.IntVar(&options.RateLimit, "rate-limit", 10, "requests accepted in a `second`; 0 for no limit")
	window := flags.String("rate-window", string(simulator.SlidingWindow), "how seconds are `counted`: fixed or sliding")
	flags.StringVar(&options.Dialect.Auth, "auth-answer", "auth", "`member` with the token: auth, authorization, or token (2.1)")
	flags.StringVar(&options.Dialect.Options, "options-member", "message_options", "`member` with the delivery: message_options or sms_options")
	flags.BoolVar(&options.Dialect.LowerCaseTypes, "lower-case-types", false, "answer with types in lower case")
	flags.BoolVar(&options.Dialect.BareSuccess, "bare-success", false, "answer Set Delivery Service as version 2.1 did")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	options.RateWindow = simulator.RateWindow(*window)

	handler, err := simulator.New(options)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
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

// serve answers requests until the context ends, then lets those under way finish.
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
