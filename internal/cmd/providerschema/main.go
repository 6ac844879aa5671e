// Command providerschema prints the provider's schemas in the format of `terraform providers schema -json`, to generate the docs.
// A CLI omits what its version does not know, such as list resources or write-only attributes. This program does not, so that the
// docs do not depend on the contributor's CLI.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

func main() {
	if err := write(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "providerschema:", err)
		os.Exit(1)
	}
}

func write(ctx context.Context, out io.Writer) error {
	server := provider.NewServer("dev")
	response, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return err
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"format_version": "1.0",
		"provider_schemas": map[string]any{
			"fractel": map[string]any{
				"provider":                  schema(response.Provider),
				"resource_schemas":          each(response.ResourceSchemas, schema),
				"resource_identity_schemas": each(identities.IdentitySchemas, identity),
				"data_source_schemas":       each(response.DataSourceSchemas, schema),
				"list_resource_schemas":     each(response.ListResourceSchemas, schema),
				"functions":                 each(response.Functions, function),
			},
		},
	})
}

func each[T any](all map[string]T, convert func(T) any) map[string]any {
	converted := map[string]any{}
	for name, one := range all {
		converted[name] = convert(one)
	}
	return converted
}

// schema converts a schema. The provider has no nested blocks, which are not converted.
func schema(s *tfprotov6.Schema) any {
	if len(s.Block.BlockTypes) > 0 {
		panic("nested blocks would be missing from the docs")
	}
	return map[string]any{
		"version": s.Version,
		"block": map[string]any{
			"attributes":       attributes(s.Block.Attributes),
			"description":      s.Block.Description,
			"description_kind": kind(s.Block.DescriptionKind),
			"deprecated":       s.Block.Deprecated,
		},
	}
}

func attributes(all []*tfprotov6.SchemaAttribute) map[string]any {
	converted := map[string]any{}
	for _, a := range all {
		attribute := map[string]any{
			"description":      a.Description,
			"description_kind": kind(a.DescriptionKind),
			"required":         a.Required,
			"optional":         a.Optional,
			"computed":         a.Computed,
			"sensitive":        a.Sensitive,
			"write_only":       a.WriteOnly,
			"deprecated":       a.Deprecated,
		}
		if a.NestedType != nil {
			attribute["nested_type"] = map[string]any{
				"attributes":   attributes(a.NestedType.Attributes),
				"nesting_mode": strings.ToLower(a.NestedType.Nesting.String()),
			}
		} else {
			attribute["type"] = typeOf(a.Type)
		}
		converted[a.Name] = attribute
	}
	return converted
}

func identity(s *tfprotov6.ResourceIdentitySchema) any {
	attributes := map[string]any{}
	for _, a := range s.IdentityAttributes {
		attributes[a.Name] = map[string]any{"type": typeOf(a.Type), "description": a.Description, "required_for_import": a.RequiredForImport}
	}
	return map[string]any{"version": s.Version, "attributes": attributes}
}

func function(f *tfprotov6.Function) any {
	var parameters []any
	for _, p := range f.Parameters {
		parameters = append(parameters, map[string]any{"name": p.Name, "description": p.Description, "type": typeOf(p.Type)})
	}
	return map[string]any{
		"summary":     f.Summary,
		"description": f.Description,
		"parameters":  parameters,
		"return_type": typeOf(f.Return.Type),
	}
}

func kind(k tfprotov6.StringKind) string {
	if k == tfprotov6.StringKindMarkdown {
		return "markdown"
	}
	return "plain"
}

func typeOf(t tftypes.Type) json.RawMessage {
	encoded, err := t.MarshalJSON() //nolint:staticcheck // Deprecated for other uses, but nothing else writes this format.
	if err != nil {
		panic(err) // Impossible for the types of a schema.
	}
	return encoded
}
