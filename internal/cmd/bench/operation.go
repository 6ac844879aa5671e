package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// The resources that are compared.
const (
	delivery = "fractel_fonenumber_delivery"
	nothing  = "terraform_data" // The CLI keeps it in the state, and that is all.
)

// operation is what is done to all resources of a configuration at once.
type operation string

const (
	create  operation = "create all"
	plan    operation = "no-change plan"
	change  operation = "change all"
	destroy operation = "destroy all"
)

// args are those of the CLI.
func (o operation) args() []string {
	switch o {
	case create, change:
		return []string{"apply", "-auto-approve", "-input=false", "-no-color"}
	case plan:
		return []string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}
	case destroy:
		return []string{"destroy", "-auto-approve", "-input=false", "-no-color"}
	}
	panic("unknown operation " + o)
}

// planArgs are those of the CLI to plan the operation without applying it.
func (o operation) planArgs() []string {
	args := []string{"plan", "-input=false", "-no-color"}
	if o == destroy {
		args = append(args, "-destroy")
	}
	return args
}

// revision numbers the values that are there after the operation; 0 when there are none.
func (o operation) revision() int {
	switch o {
	case create, plan:
		return 1
	case change:
		return 2
	case destroy:
		return 0
	}
	panic("unknown operation " + o)
}

// repetitions is how often an operation is measured: those that leave everything as it was more than once, unless that
// takes long.
func (o operation) repetitions(size int) int {
	if o == plan && size <= largestApplied {
		return 3
	}
	return 1
}

// perform writes the configuration, if the operation has one of its own, runs the CLI and returns how long that took.
func (o operation) perform(ctx context.Context, workspace *terraformcli.Workspace, resource string, size int) (time.Duration, error) {
	if err := o.configure(workspace, resource, size); err != nil {
		return 0, err
	}
	wall, err := timed(ctx, workspace, o.args()...)
	if err != nil {
		err = fmt.Errorf("%s of %d %s: %w", o, size, resource, err)
	}
	return wall, err
}

// floors measures the operation on terraform_data, which costs the CLI's own work only: its plan, and all of it.
func (o operation) floors(ctx context.Context, workspace *terraformcli.Workspace, size int) (planned, all time.Duration, err error) {
	if err := o.configure(workspace, nothing, size); err != nil {
		return 0, 0, err
	}
	if planned, err = timed(ctx, workspace, o.planArgs()...); err != nil {
		return 0, 0, fmt.Errorf("%s of %d %s: %w", o, size, nothing, err)
	}
	for i := range o.repetitions(size) {
		wall, err := o.perform(ctx, workspace, nothing, size)
		if err != nil {
			return 0, 0, err
		}
		if i == 0 || wall < all {
			all = wall
		}
	}
	progress("%s of %d terraform_data: %s, its plan %s", o, size, seconds(all.Seconds()), seconds(planned.Seconds()))
	return planned, all, nil
}

func (o operation) configure(workspace *terraformcli.Workspace, resource string, size int) error {
	if o != create && o != change {
		return nil
	}
	return workspace.Write("main.tf", fromMap(resource, size, o.revision()))
}

// timed runs the CLI and returns how long it took.
func timed(ctx context.Context, workspace *terraformcli.Workspace, args ...string) (time.Duration, error) {
	begun := time.Now()
	output, exitCode, err := workspace.Run(ctx, args...)
	wall := time.Since(begun)
	if err == nil && exitCode != 0 {
		err = fmt.Errorf("exit code %d:\n%s", exitCode, output[max(0, len(output)-2000):])
	}
	return wall, err
}

// begin prepares a new workspace and returns the operations to perform there, in order. Those on many resources begin
// with a state that is made, not applied: the CLI writes all of it after each resource, so that applying 10000 takes it
// the better part of an hour.
func begin(ctx context.Context, workspace *terraformcli.Workspace, resource string, size int) ([]operation, error) {
	if size <= largestApplied {
		return []operation{create, plan, change, destroy}, nil
	}
	if err := workspace.Write("main.tf", blocks(resource, 1)); err != nil {
		return nil, err
	}
	if _, err := timed(ctx, workspace, create.args()...); err != nil {
		return nil, fmt.Errorf("preparing %d %s: %w", size, resource, err)
	}
	const stateFile = "terraform.tfstate"
	state, err := fs.ReadFile(os.DirFS(workspace.Dir), stateFile)
	if err != nil {
		return nil, err
	}
	if state, err = multiply(state, size); err != nil {
		return nil, err
	}
	if err := workspace.Write(stateFile, string(state)); err != nil {
		return nil, err
	}
	return []operation{plan}, workspace.Write("main.tf", blocks(resource, size))
}

// multiply makes the state of one resource one of many.
func multiply(content []byte, size int) ([]byte, error) {
	var state map[string]json.RawMessage
	var resources []json.RawMessage
	if err := json.Unmarshal(content, &state); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(state["resources"], &resources); err != nil {
		return nil, err
	}
	first := string(resources[0])
	for i := 1; i < size; i++ {
		another := strings.NewReplacer(number(0), number(i), value(0, 1), value(i, 1)).Replace(first)
		resources = append(resources, json.RawMessage(another))
	}
	all, err := json.Marshal(resources)
	if err != nil {
		return nil, err
	}
	state["resources"] = all
	return json.Marshal(state)
}

const requiredProvider = "terraform {\n  required_providers {\n    fractel = {\n      source = \"fractel/fractel\"\n    }\n  }\n}\n\n"

// fromMap returns a configuration in which one resource goes through a map of FoneNumbers to values.
func fromMap(resource string, size, revision int) string {
	var text strings.Builder
	if resource == delivery {
		text.WriteString(requiredProvider)
	}
	text.WriteString("locals {\n  numbers = {\n")
	for i := range size {
		fmt.Fprintf(&text, "    %q = %q\n", number(i), value(i, revision))
	}
	text.WriteString("  }\n}\n\n")
	block(&text, resource, "all", "  for_each = local.numbers\n", "each.key", "each.value")
	return text.String()
}

// blocks returns a configuration with a block for each resource.
func blocks(resource string, size int) string {
	var text strings.Builder
	if resource == delivery {
		text.WriteString(requiredProvider)
	}
	for i := range size {
		block(&text, resource, "n"+number(i), "", fmt.Sprintf("%q", number(i)), fmt.Sprintf("%q", value(i, 1)))
	}
	return text.String()
}

// block writes a resource whose attributes are these expressions.
func block(text *strings.Builder, resource, name, forEach, number, value string) {
	fmt.Fprintf(text, "resource %q %q {\n%s", resource, name, forEach)
	if resource == delivery {
		fmt.Fprintf(text, "  fonenumber = %s\n  type = \"Email\"\n  value = %s\n}\n", number, value)
	} else {
		fmt.Fprintf(text, "  input = %s\n}\n", value)
	}
}

// number returns a FoneNumber that a simulated account has.
func number(i int) string { return fmt.Sprint(3215550000 + i) }

// value returns where that FoneNumber delivers in a revision of the configuration; nowhere in revision 0.
func value(i, revision int) string {
	if revision == 0 {
		return ""
	}
	return fmt.Sprintf("person-%d@revision-%d.example.com", i, revision)
}
