package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	written := w.Write("main.tf", terraformcli.Requirement)
	printed, err := w.Command(t.Context(), "providers", "schema", "-json").Output()
	var own bytes.Buffer
	var all, part struct {
		Providers map[string]any `json:"provider_schemas"`
	}
	err = errors.Join(written, err, write(t.Context(), &own), json.Unmarshal(own.Bytes(), &all), json.Unmarshal(printed, &part))
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Providers) != 1 {
		t.Fatalf("the CLI prints %s", printed)
	}
	for _, schemas := range part.Providers { // OpenTofu has another address for the provider.
		wantPart(t, "", all.Providers["fractel"], schemas)
	}
}

// wantPart checks that a JSON value contains everything that is in a part of it.
func wantPart(t *testing.T, path string, all, part any) {
	t.Helper()
	switch part := part.(type) {
	case map[string]any:
		whole, _ := all.(map[string]any)
		for name, member := range part {
			wantPart(t, path+"/"+name, whole[name], member)
		}
	case []any:
		whole, _ := all.([]any)
		for i, element := range part {
			wantPart(t, fmt.Sprint(path, "/", i), whole[i], element)
		}
	default:
		if all != part {
			t.Errorf("%s is %v, want %v", path, all, part)
		}
	}
}
