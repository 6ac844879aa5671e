// Command demo shows the provider's main job: the real CLI, the provider built from this tree and a simulated account.
// It ends with an error as soon as anything is not as it should be, and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

const hookPassword = "correct-horse-battery" // Of a callback URL that does not exist.

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo failed:", err)
		stop()
		os.Exit(1)
	}
}

// run is the whole demo. It expects to be started in the root of the repository.
func run(ctx context.Context) error {
	cli, err := terraformcli.Executable()
	if err != nil {
		return err
	}
	account, err := newAccount()
	if err != nil {
		return err
	}
	server := httptest.NewServer(account)
	defer server.Close()
	dir, err := os.MkdirTemp("", "fractel-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	say("Building the provider")
	if err := terraformcli.BuildProvider(ctx, ".", dir); err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join("examples", "demo", "main.tf"))
	if err != nil {
		return err
	}
	workspace, err := terraformcli.New(cli, dir, dir,
		"FRACTEL_ENDPOINT="+server.URL+simulator.BasePath,
		"FRACTEL_USERNAME=demo", "FRACTEL_PASSWORD=demo-password", "TF_VAR_hook_password="+hookPassword)
	if err != nil {
		return err
	}
	if err := workspace.Write("main.tf", string(config)); err != nil {
		return err
	}
	return demonstrate(ctx, account, workspace)
}

// newAccount returns an account whose FoneNumbers deliver as somebody once set them by hand.
func newAccount() (*simulator.Simulator, error) {
	account, err := simulator.New(simulator.Options{})
	if err != nil {
		return nil, err
	}
	for number, receive := range map[string]simulator.Receive{
		"3215551201": {Type: "None"},
		"3215551202": {Type: "Email", Email: "someone.who.left@example.com"},
		"3215551203": {Type: "None"},
		"3215551204": {Type: "Device", Device: "21915233078"},
		"3215551205": {Type: "None"},
		"3215551206": {Type: "Forward", Forward: "3215550000"},
	} {
		account.Put(simulator.FoneNumber{Number: number, Receive: receive})
	}
	account.PutDevice(simulator.Device{ID: "987123543678", Name: "Front desk"})
	return account, nil
}

func demonstrate(ctx context.Context, account *simulator.Simulator, workspace *terraformcli.Workspace) error {
	say("The account before")
	show(account)

	say("terraform apply")
	if err := terraform(ctx, workspace, 0, "apply", "-auto-approve", "-input=false", "-compact-warnings"); err != nil {
		return err
	}
	if err := expect(account, map[string]string{
		"3215551201": "Device 987123543678",
		"3215551202": "Email ops@example.com",
		"3215551203": "URL https://hooks.example.com/sms?from={{from}}&msg={{msg}}",
		"3215551204": "URL https://billing.example.com/sms?id={{uid}} as fonestorm",
		"3215551205": "Forward 3215551111",
		"3215551206": "None",
	}); err != nil {
		return err
	}

	say("terraform plan: No changes")
	if err := terraform(ctx, workspace, 0, "plan", "-detailed-exitcode", "-input=false", "-compact-warnings"); err != nil {
		return err
	}

	say("Somebody changes 3215551202 by hand; terraform plan detects it")
	changed, _ := account.Get("3215551202")
	changed.Receive = changed.Receive.Delivering("Forward", "3215559999")
	account.Put(changed)
	show(account)
	if err := terraform(ctx, workspace, 2, "plan", "-detailed-exitcode", "-input=false", "-compact-warnings"); err != nil {
		return err
	}

	say("terraform apply heals it")
	if err := terraform(ctx, workspace, 0, "apply", "-auto-approve", "-input=false", "-compact-warnings"); err != nil {
		return err
	}
	if err := expect(account, map[string]string{"3215551202": "Email ops@example.com"}); err != nil {
		return err
	}

	say("terraform destroy")
	if err := terraform(ctx, workspace, 0, "destroy", "-auto-approve", "-input=false", "-compact-warnings"); err != nil {
		return err
	}
	everything := map[string]string{}
	for _, f := range account.Numbers() {
		everything[f.Number] = "None"
	}
	if err := expect(account, everything); err != nil {
		return err
	}
	if violations := account.Violations(); len(violations) > 0 {
		return fmt.Errorf("FoneStorm would have refused: %q", violations)
	}
	say("Everything was as expected")
	return nil
}

// terraform runs the CLI with its output shown and checks its exit code.
func terraform(ctx context.Context, workspace *terraformcli.Workspace, exitCode int, args ...string) error {
	output, code, err := workspace.Run(ctx, args...)
	fmt.Println(output)
	if err != nil {
		return err
	}
	if code != exitCode {
		return fmt.Errorf("%s ended with exit code %d where %d was expected", args[0], code, exitCode)
	}
	return nil
}

// expect shows where every FoneNumber delivers and checks some of them.
func expect(account *simulator.Simulator, want map[string]string) error {
	show(account)
	var wrong []error
	for number, delivery := range want {
		f, _ := account.Get(number)
		if got := describe(f.Receive); got != delivery {
			wrong = append(wrong, fmt.Errorf("%s delivers to %s where %s was expected", number, got, delivery))
		}
	}
	return errors.Join(wrong...)
}

func say(text string) { fmt.Printf("\n=== %s\n\n", text) }

func show(account *simulator.Simulator) {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FONENUMBER\tDELIVERS TO")
	for _, f := range account.Numbers() {
		fmt.Fprintf(table, "%s\t%s\n", f.Number, describe(f.Receive))
	}
	_ = table.Flush()
	fmt.Println()
}

func describe(r simulator.Receive) string {
	text := r.Type
	if value := r.Value(); value != "" {
		text += " " + value
	}
	if r.Type == "URL" && r.URLUsername != "" && r.URLPassword == hookPassword {
		text += " as " + r.URLUsername
	}
	return text
}
