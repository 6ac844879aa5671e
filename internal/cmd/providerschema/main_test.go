package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/fractel/terraform-provider-fractel/internal/terraformcli"
)

// The program prints everything that the CLI prints about the schemas.
func TestAccSchemasAreThoseOfTheCLI(t *testing.T) {
	t.Parallel()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("needs the CLI: set TF_ACC=1 to run it")
	}
	cli, err := terraformcli.Find(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	built := t.TempDir()
	if err := terraformcli.BuildProvider(t.Context(), filepath.Join("..", "..", ".."), built); err != nil {
		t.Fatal(err)
	}
	w, err := terraformcli.New(cli.Path, t.TempDir(), built)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write("main.tf", terraformcli.Requirement); err != nil {
		t.Fatal(err)
	}
	printed, err := w.Command(t.Context(), "providers", "schema", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var own bytes.Buffer
	if err := write(t.Context(), &own); err != nil {
		t.Fatal(err)
	}
	for _, missing := range missingFrom(providerIn(t, own.Bytes()), providerIn(t, printed), "") {
		if missing != "/resource_identity_schemas" { // The docs need only their attributes.
			t.Errorf("%s is missing or different", missing)
		}
	}
}

// providerIn returns the schemas of the only provider.
func providerIn(t *testing.T, printed []byte) any {
	t.Helper()
	var all struct {
		Providers map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(printed, &all); err != nil || len(all.Providers) != 1 {
		t.Fatalf("there is not one provider, or an error: %v\n%s", err, printed)
	}
	return slices.Collect(maps.Values(all.Providers))[0]
}

// missingFrom returns the paths of values in want that are not in got. got may contain more.
func missingFrom(got, want any, path string) (missing []string) {
	members, isObject := want.(map[string]any)
	own, isOwnObject := got.(map[string]any)
	if !isObject || !isOwnObject {
		if !reflect.DeepEqual(got, want) {
			missing = append(missing, path)
		}
		return missing
	}
	for name, member := range members {
		missing = append(missing, missingFrom(own[name], member, path+"/"+name)...)
	}
	return missing
}
