package main

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// step is a command of the demo, after a change to the configuration or to the account.
type step struct {
	command, comment string
	configure        string            // Example to add to the configuration; may be empty.
	byHand           map[string]string // FoneNumbers that are forwarded to another number outside Terraform before; may be nil.
	exitCode         int
	deliveries       map[string]string // Expected deliveries of the account afterward; nil if they do not change.
}

var (
	initial = map[string]string{
		"3215551201": "None",
		"3215551202": "Email someone.who.left@example.com",
		"3215551203": "Forward 3215551111",
		"3215551204": "None",
	}
	applied = map[string]string{
		"3215551201": "Device 987123543678",
		"3215551202": "URL https://billing.example.com/sms?msg={{msg}}",
		"3215551203": "Forward 3215551111",
		"3215551204": "Email ops@example.com",
	}
	destroyed = map[string]string{
		"3215551201": "None",
		"3215551202": "None",
		"3215551203": "Forward 3215551111", // Imported, so on_destroy is "keep".
		"3215551204": "Forward 3215550000",
	}
)

var steps = []step{
	{command: "plan", comment: "what main.tf changes, and a warning about what it overwrites", exitCode: 2},
	{command: "apply", comment: "main.tf, and others.tf, which imports 3215551203 without changing it", configure: "others.tf", deliveries: applied},
	{command: "plan", comment: "again"},
	{command: "plan", comment: "after 3215551203 was changed by hand", byHand: map[string]string{"3215551203": "3215559999"}, exitCode: 2},
	{command: "apply", comment: "restore the configured delivery", deliveries: applied},
	{command: "destroy", comment: "after 3215551204 was changed by hand", byHand: map[string]string{"3215551204": "3215550000"}, deliveries: destroyed},
}

// steps runs the demo, from the account set by hand to terraform destroy.
func (d *demo) steps(ctx context.Context) error {
	fmt.Fprintf(d.out, "%s and this provider manage a simulated account whose deliveries were set by hand:\n\n", d.cli.Product())
	if err := d.show(initial); err != nil {
		return err
	}
	if err := d.configure("main.tf"); err != nil {
		return err
	}
	if _, err := d.terraform(ctx, 0, "init"); err != nil {
		return err
	}
	for _, s := range steps {
		if err := d.perform(ctx, s); err != nil {
			return err
		}
	}
	if violations := d.account.Violations(); len(violations) > 0 {
		return fmt.Errorf("FoneStorm would have rejected: %q", violations)
	}
	fmt.Fprintln(d.out, "\nEvery FoneNumber had the expected delivery after each step.")
	return nil
}

var (
	beforeActions = regexp.MustCompile(`(?s)^.*following actions:\n`)
	important     = regexp.MustCompile(`(?m)^.*(Warning: |complete!|No changes\.).*\n`)
)

// perform runs a step. It prints the actions and warnings of a plan with changes; otherwise only the summary and the titles of the
// warnings.
func (d *demo) perform(ctx context.Context, s step) error {
	if s.configure != "" {
		if err := d.configure(s.configure); err != nil {
			return err
		}
	}
	for number, destination := range s.byHand {
		f, _ := d.account.Get(number)
		f.Receive = f.Receive.Delivering("Forward", destination)
		d.account.Put(f)
	}
	fmt.Fprintf(d.out, "\n$ %s %s  # %s\n", d.cli.Name, s.command, s.comment)
	flag := "-auto-approve"
	if s.command == "plan" {
		flag = "-detailed-exitcode"
	}
	output, err := d.terraform(ctx, s.exitCode, s.command, "-no-color", flag)
	if err != nil {
		return err
	}
	if s.exitCode == 2 {
		fmt.Fprintln(d.out, strings.Trim(beforeActions.ReplaceAllString(output, ""), "\n"))
	} else {
		fmt.Fprint(d.out, strings.Join(important.FindAllString(output, -1), ""))
	}
	if s.deliveries == nil {
		return nil
	}
	return d.show(s.deliveries)
}

// show prints the delivery of each FoneNumber, or returns an error if they are not as expected.
func (d *demo) show(want map[string]string) error {
	got := map[string]string{}
	for _, f := range d.account.Numbers() {
		got[f.Number] = f.Receive.String()
		fmt.Fprintf(d.out, "%s delivers to %s\n", f.Number, f.Receive)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the FoneNumbers deliver to %v instead of %v", got, want)
	}
	return nil
}
