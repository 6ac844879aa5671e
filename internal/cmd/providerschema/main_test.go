package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	cli, err := terraformcli.Find(t.Context())
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
	all := values(t, own.Bytes())
	for _, value := range values(t, printed) {
		if !slices.Contains(all, value) {
			t.Errorf("missing: %s", value)
		}
	}
}

// values returns each value in the schemas of the only provider, with its path.
func values(t *testing.T, printed []byte) (found []string) {
	t.Helper()
	var all struct {
		Providers map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(printed, &all); err != nil || len(all.Providers) != 1 {
		t.Fatalf("there is not one provider, or an error: %v\n%s", err, printed)
	}
	var add func(path string, value any)
	add = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				add(path+"/"+name, member)
			}
		case []any:
			for i, element := range value {
				add(fmt.Sprint(path, "/", i), element)
			}
		default:
			found = append(found, fmt.Sprintf("%s: %v", path, value))
		}
	}
	for _, provider := range all.Providers {
		add("", provider)
	}
	return found
}
