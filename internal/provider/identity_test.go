package provider

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// protocolServer returns the provider as Terraform sees it, configured for the account: for what newer CLIs can do
// than the one that runs the tests.
func (a *account) protocolServer(t *testing.T) (tfprotov6.ProviderServer, *tfprotov6.GetProviderSchemaResponse) {
	t.Helper()
	server := NewServer("test")
	schema, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	config := object(t, schema.Provider.ValueType(), map[string]any{
		"endpoint": a.endpoint, "username": "demo", "password": "demo-password", "requests_per_second": 1000,
	})
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, configured.Diagnostics)
	}
	return server, schema
}

// object returns a value of an object type with these attributes; the others are null.
func object(t *testing.T, kind tftypes.Type, set map[string]any) *tfprotov6.DynamicValue {
	t.Helper()
	attributes := map[string]tftypes.Value{}
	for name, attribute := range kind.(tftypes.Object).AttributeTypes {
		attributes[name] = tftypes.NewValue(attribute, set[name])
	}
	value, err := tfprotov6.NewDynamicValue(kind, tftypes.NewValue(kind, attributes))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

// The example of an import block with an identity, through the CLI.
func TestImportBlockWithIdentity(t *testing.T) {
	t.Parallel()
	needs(t, importByIdentity)
	config := ""
	for _, name := range []string{"resource.tf", "import_identity.tf"} {
		content, err := os.ReadFile(filepath.Join("..", "..", "examples", "resources", "fractel_fonenumber_delivery", name))
		if err != nil {
			t.Fatal(err)
		}
		config += string(content)
	}
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "URL", "https://hooks.example.com/sms?from={{from}}&msg={{msg}}")
	w := a.newWorkspace(t, config)
	says(t, w.plan(2), "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.")
	w.apply()
	w.plan(0)
	if n := a.count("set"); n > 0 {
		t.Errorf("importing sent %d settings", n)
	}

	w = a.newWorkspace(t, strings.Replace(config, `"`+testNumber+`"`, `"321-555-1212"`, 1))
	says(t, w.plan(1), "Error: Invalid FoneNumber", `but "321-555-1212" was given. Use "3215551212".`)
}

// Import by identity, as an import block with `identity` does from Terraform 1.12 on: in the protocol, for CLIs that cannot.
func TestImportByIdentity(t *testing.T) {
	t.Parallel()
	const resource = "fractel_fonenumber_delivery"
	a := newAccount(t, simulator.Options{})
	a.byHand(testNumber, "Email", "ops@example.com")
	server, schema := a.protocolServer(t)
	identities, err := server.GetResourceIdentitySchemas(context.Background(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identityType := identities.IdentitySchemas[resource].ValueType()
	for number, wantError := range map[string]bool{testNumber: false, "321-555-1212": true} {
		identity := &tfprotov6.ResourceIdentityData{IdentityData: object(t, identityType, map[string]any{"fonenumber": number})}
		imported, err := server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, Identity: identity})
		if err != nil {
			t.Fatal(err)
		}
		if wantError {
			if len(imported.Diagnostics) != 1 || imported.Diagnostics[0].Summary != "Invalid FoneNumber" {
				t.Errorf("%s: %+v", number, imported.Diagnostics)
			}
			continue
		}
		if len(imported.Diagnostics) > 0 {
			t.Fatal(imported.Diagnostics)
		}
		one := imported.ImportedResources[0]
		read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
			TypeName: resource, CurrentState: one.State, CurrentIdentity: one.Identity, Private: one.Private,
		})
		if err != nil || len(read.Diagnostics) > 0 {
			t.Fatal(err, read.Diagnostics)
		}
		kind := schema.ResourceSchemas[resource].ValueType()
		state, err := read.NewState.Unmarshal(kind)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := object(t, kind, map[string]any{
			"fonenumber": number, "type": "Email", "value": "ops@example.com", "on_destroy": "keep",
		}).Unmarshal(kind)
		if !state.Equal(want) {
			t.Errorf("state is %s, want %s", state, want)
		}
		got, err := read.NewIdentity.IdentityData.Unmarshal(identityType)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := object(t, identityType, map[string]any{"fonenumber": number}).Unmarshal(identityType); !got.Equal(want) {
			t.Errorf("identity is %s, want %s", got, want)
		}
	}
}
