package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/tabwriter"
)

// deliveries contains the destination of each FoneNumber.
type deliveries map[string]string

// steps runs the demo, from the account set by hand to terraform destroy.
func (d *demo) steps(ctx context.Context) error {
	fmt.Fprintf(d.out, "%s and this provider manage a simulated account whose deliveries were set by hand:\n", d.cli.Product())
	before := d.deliveries()
	d.table([]string{"FONENUMBER", "DELIVERS TO"}, before)
	if err := d.configure("main.tf"); err != nil {
		return err
	}
	if _, err := d.terraform(ctx, 0, "init", "-input=false"); err != nil {
		return err
	}

	d.title("plan", "what main.tf changes, and a warning about what it overwrites")
	plan, err := d.terraform(ctx, 2, "plan", "-input=false", "-detailed-exitcode")
	if err != nil {
		return err
	}
	d.say(actions(plan))

	if err := d.configure("others.tf"); err != nil {
		return err
	}
	d.title("apply", "main.tf, and others.tf, which imports 3215551203 without changing it")
	if err := d.apply(ctx); err != nil {
		return err
	}
	applied := deliveries{
		"3215551201": "Device 987123543678",
		"3215551202": "URL https://billing.example.com/sms?msg={{msg}} as fonestorm",
		"3215551203": "Forward 3215551111",
		"3215551204": "Email ops@example.com",
	}
	d.table([]string{"FONENUMBER", "BEFORE", "AFTER"}, before, d.deliveries())
	if err := d.expect(applied); err != nil {
		return err
	}
	if _, err := d.terraform(ctx, 0, "plan", "-input=false", "-detailed-exitcode"); err != nil {
		return err
	}
	if err := d.drift(ctx, applied); err != nil {
		return err
	}
	return d.end(ctx)
}

// drift shows how Terraform detects and reverts a manual change.
func (d *demo) drift(ctx context.Context, applied deliveries) error {
	d.byHand("3215551203", "Forward", "3215559999")
	d.title("plan", "after 3215551203 was changed by hand")
	plan, err := d.terraform(ctx, 2, "plan", "-input=false", "-detailed-exitcode")
	if err != nil {
		return err
	}
	diff, _, _ := strings.Cut(actions(plan), "\n\n")
	d.say(diff)
	d.title("apply", "restore the configured delivery")
	if err := d.apply(ctx); err != nil {
		return err
	}
	return d.expect(applied)
}

// end destroys all resources and shows the warning and the new delivery of each FoneNumber.
func (d *demo) end(ctx context.Context) error {
	d.byHand("3215551204", "Forward", "3215550000")
	d.title("destroy", "after 3215551204 was changed by hand")
	output, err := d.terraform(ctx, 0, "apply", "-destroy", "-auto-approve", "-input=false", "-json")
	if err != nil {
		return err
	}
	d.table([]string{"FONENUMBER", "WARNING", "NOW DELIVERS TO"}, warnings(output), d.deliveries())
	if err := d.expect(deliveries{
		"3215551201": "None",
		"3215551202": "None",
		"3215551203": "Forward 3215551111", // Imported, so on_destroy is "keep".
		"3215551204": "Forward 3215550000",
	}); err != nil {
		return err
	}
	if violations := d.account.Violations(); len(violations) > 0 {
		return fmt.Errorf("FoneStorm would have rejected: %q", violations)
	}
	d.say("\nEvery FoneNumber had the expected delivery after each step.")
	return nil
}

// apply applies the configuration and shows the CLI's summary.
func (d *demo) apply(ctx context.Context) error {
	output, err := d.terraform(ctx, 0, "apply", "-auto-approve", "-input=false")
	if err != nil {
		return err
	}
	for line := range strings.Lines(output) {
		if strings.Contains(line, "Apply complete!") {
			d.say(line)
		}
	}
	return nil
}

// terraform runs the CLI, returns what it prints, and checks its exit code.
func (d *demo) terraform(ctx context.Context, want int, args ...string) (string, error) {
	if !d.colored {
		args = append(args, "-no-color")
	}
	output, code, err := d.workspace.Run(ctx, args...)
	if err == nil && code != want {
		err = fmt.Errorf("exit code %d instead of %d", code, want)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", d.cli.Name, args[0], err, output)
	}
	return output, nil
}

// emptyEnd matches empty lines at the end, in which the CLI may reset colors.
var emptyEnd = regexp.MustCompile(`\n(\s|\x1b\[0m)*$`)

// actions returns the actions and warnings of a plan.
func actions(plan string) string {
	if _, after, found := strings.Cut(plan, "following actions:"); found {
		_, plan, _ = strings.Cut(after, "\n")
	}
	return emptyEnd.ReplaceAllString(strings.TrimLeft(plan, "\n"), "")
}

var foneNumber = regexp.MustCompile(`FoneNumber (\d{10})`)

// warnings returns the summary of the warning about each FoneNumber in the CLI's JSON output.
func warnings(output string) deliveries {
	summaries := deliveries{}
	for line := range strings.Lines(output) {
		var message struct {
			Diagnostic struct{ Summary, Detail string }
		}
		if json.Unmarshal([]byte(line), &message) != nil {
			continue // Other lines are not JSON.
		}
		if found := foneNumber.FindStringSubmatch(message.Diagnostic.Detail); found != nil {
			summaries[found[1]] = message.Diagnostic.Summary
		}
	}
	return summaries
}

// byHand changes the delivery of a FoneNumber outside Terraform.
func (d *demo) byHand(number, kind, value string) {
	f, _ := d.account.Get(number)
	f.Receive = f.Receive.Delivering(kind, value)
	d.account.Put(f)
}

// deliveries returns the delivery of every FoneNumber of the account.
func (d *demo) deliveries() deliveries {
	all := deliveries{}
	for _, f := range d.account.Numbers() {
		text := f.Receive.String()
		if f.Receive.Type == "URL" && f.Receive.URLPassword == hookPassword {
			text += " as " + f.Receive.URLUsername
		}
		all[f.Number] = text
	}
	return all
}

// expect returns an error if the delivery of a FoneNumber is not as expected.
func (d *demo) expect(want deliveries) error {
	for number, got := range d.deliveries() {
		if got != want[number] {
			return fmt.Errorf("FoneNumber %s delivers to %s instead of %s", number, got, want[number])
		}
	}
	return nil
}

func (d *demo) title(command, comment string) {
	format := "\n$ %s %s  # %s\n"
	if d.colored {
		format = "\n\x1b[1m$ %s %s\x1b[0m  \x1b[2m# %s\x1b[0m\n"
	}
	fmt.Fprintf(d.out, format, d.cli.Name, command, comment)
}

func (d *demo) say(text string) { fmt.Fprintln(d.out, strings.TrimSuffix(text, "\n")) }

// table prints a line for each FoneNumber, with a column for each map.
func (d *demo) table(head []string, columns ...deliveries) {
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(head, "\t"))
	for _, f := range d.account.Numbers() {
		fmt.Fprint(table, f.Number)
		for _, column := range columns {
			fmt.Fprint(table, "\t", column[f.Number])
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush()
}
