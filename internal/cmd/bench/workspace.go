package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// workspace is a working directory of the CLI whose configuration has a number of resources.
type workspace struct {
	*terraformcli.Workspace
	binary string // The provider.
	size   int
}

// newWorkspace returns a workspace without a state or, if there are too many resources to apply, with a state that contains
// them.
func (b *bench) newWorkspace(provider string, size int, env ...string) (w workspace, err error) {
	dir, err := os.MkdirTemp(b.dir, "workspace-")
	if err != nil {
		return w, err
	}
	w = workspace{binary: filepath.Join(provider, "terraform-provider-fractel"), size: size}
	if w.Workspace, err = terraformcli.New(b.cli, dir, provider, env...); err != nil || size <= largestApplied {
		return w, err
	}
	return w, errors.Join(w.Write("main.tf", configuration(size, 1)), w.Write("terraform.tfstate", state(size)))
}

// perform runs the CLI and returns how long it took.
func (w workspace) perform(ctx context.Context, o operation) (time.Duration, error) {
	if o == create || o == change {
		if err := w.Write("main.tf", configuration(w.size, commands[o].revision)); err != nil {
			return 0, err
		}
	}
	begun := time.Now()
	output, exitCode, err := w.Run(ctx, commands[o].args...)
	wall := time.Since(begun)
	if err == nil && exitCode != 0 {
		err = fmt.Errorf("%s of %d: exit code %d:\n%s", o, w.size, exitCode, output[max(0, len(output)-2000):])
	}
	return wall, err
}

// configuration returns a configuration with one for_each resource or, with many FoneNumbers, for which Terraform is slow to
// expand for_each, with a resource for each FoneNumber.
func configuration(size, revision int) string {
	var text strings.Builder
	text.WriteString("terraform {\n  required_providers {\n    fractel = {\n      source = \"fractel/fractel\"\n    }\n  }\n}\n")
	block := func(name, forEach, number, value string) {
		fmt.Fprintf(&text, "resource \"fractel_fonenumber_delivery\" %q {\n%s  fonenumber = %s\n  type = \"Email\"\n  value = %s\n}\n", name, forEach, number, value)
	}
	if size > largestApplied {
		for i := range size {
			block("n"+number(i), "", strconv.Quote(number(i)), strconv.Quote(value(i, revision)))
		}
		return text.String()
	}
	text.WriteString("locals {\n  numbers = {\n")
	for i := range size {
		fmt.Fprintf(&text, "    %q = %q\n", number(i), value(i, revision))
	}
	text.WriteString("  }\n}\n")
	block("all", "  for_each = local.numbers\n", "each.key", "each.value")
	return text.String()
}

// state returns the state of a configuration with a resource for each FoneNumber, without private state, which the first
// refresh adds.
func state(size int) string {
	resources := make([]string, size)
	for i := range resources {
		resources[i] = fmt.Sprintf(`{"mode": "managed", "type": "fractel_fonenumber_delivery", "name": "n%s",
			"provider": "provider[\"registry.terraform.io/fractel/fractel\"]", "instances": [{"schema_version": 0,
			"attributes": {"fonenumber": %[1]q, "type": "Email", "value": %q, "on_destroy": "disable",
			"url_method": null, "url_username": null, "url_password": null, "url_password_wo": null, "url_password_wo_version": null}}]}`, number(i), value(i, 1))
	}
	return fmt.Sprintf(`{"version": 4, "serial": 1, "lineage": "bench", "resources": [%s]}`, strings.Join(resources, ",\n"))
}

// deliver sets what creating all resources would set.
func deliver(account *simulator.Simulator, size int) {
	for i := range size {
		f, _ := account.Get(number(i))
		f.Receive = f.Receive.Delivering("Email", value(i, 1))
		account.Put(f)
	}
}

// number returns a FoneNumber of the simulated account.
func number(i int) string { return fmt.Sprint(3215550000 + i) }

// value returns the destination of that FoneNumber in a revision of the configuration; "" in revision 0.
func value(i, revision int) string {
	if revision == 0 {
		return ""
	}
	return fmt.Sprintf("person-%d@revision-%d.example.com", i, revision)
}
