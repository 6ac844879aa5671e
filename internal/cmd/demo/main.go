// Command demo shows what the provider does: the real CLI installs the provider that is built from this source tree and manages a
// simulated account. The demo stops with an error as soon as a result is not as expected, and leaves no files behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

const hookPassword = "correct-horse-battery" // For a callback URL that does not exist.

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, ".", os.Stdout, isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "")
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// run runs the demo. root is the folder of the repository.
func run(ctx context.Context, root string, out io.Writer, colored bool) error {
	cli, err := terraformcli.Find(ctx, os.Stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fractel-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	account, err := newAccount()
	if err != nil {
		return err
	}
	server := httptest.NewServer(account)
	defer server.Close()
	d := &demo{
		cli: cli, account: account, examples: os.DirFS(filepath.Join(root, "examples", "demo")),
		out: out, colored: colored,
	}
	fmt.Fprintf(out, "%s and this provider manage a simulated account whose deliveries were set by hand:\n", cli.Product())
	d.table([]string{"FONENUMBER", "DELIVERS TO"}, d.deliveries())
	if err := d.install(ctx, root, dir, server.URL+simulator.BasePath); err != nil {
		return err
	}
	return d.steps(ctx)
}

// newAccount returns an account whose deliveries were set by hand.
func newAccount() (*simulator.Simulator, error) {
	account, err := simulator.New(simulator.Options{})
	if err != nil {
		return nil, err
	}
	for number, receive := range map[string]simulator.Receive{
		"3215551201": {Type: "None"},
		"3215551202": {Type: "Email", Email: "someone.who.left@example.com"},
		"3215551203": {Type: "Forward", Forward: "3215551111"},
		"3215551204": {Type: "None"},
	} {
		account.Put(simulator.FoneNumber{Number: number, Receive: receive})
	}
	account.PutDevice(simulator.Device{ID: "987123543678", Name: "Front desk"})
	return account, nil
}

// install builds the provider and creates a workspace in dir in which init can install it.
func (d *demo) install(ctx context.Context, root, dir, endpoint string) (err error) {
	mirror := filepath.Join(dir, "mirror")
	if err := terraformcli.BuildMirror(ctx, d.cli, root, mirror, "0.1.0"); err != nil {
		return err
	}
	d.workspace, err = terraformcli.NewMirrored(d.cli.Path, dir, mirror,
		"FRACTEL_ENDPOINT="+endpoint, "FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password", "TF_VAR_hook_password="+hookPassword)
	return err
}

// configure copies an example to the workspace. For a CLI without write-only arguments, it uses url_password.
func (d *demo) configure(name string) error {
	content, err := fs.ReadFile(d.examples, name)
	if err != nil {
		return err
	}
	config := string(content)
	if !d.cli.HasWriteOnly() {
		config = strings.NewReplacer("url_password_wo_version = 1\n", "\n", "url_password_wo ", "url_password ").Replace(config)
	}
	return d.workspace.Write(name, config)
}
