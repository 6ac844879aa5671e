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
	return encoder.Encode(object{
		"format_version": "1.0",
		"provider_schemas": object{
			"fractel": object{
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

// object is a JSON object. It contains what the provider uses; a test compares it with what the CLI prints.
type object = map[string]any

func each[T any](all map[string]T, convert func(T) object) object {
	converted := object{}
	for name, one := range all {
		converted[name] = convert(one)
	}
	return converted
}

func schema(s *tfprotov6.Schema) object {
	return object{
		"version": s.Version,
		"block": object{
			"attributes":       attributes(s.Block.Attributes),
			"description":      s.Block.Description,
			"description_kind": kind(s.Block.DescriptionKind),
		},
	}
}

func attributes(all []*tfprotov6.SchemaAttribute) object {
	converted := object{}
	for _, a := range all {
		attribute := object{
			"description":      a.Description,
			"description_kind": kind(a.DescriptionKind),
			"required":         a.Required,
			"optional":         a.Optional,
			"computed":         a.Computed,
			"sensitive":        a.Sensitive,
			"write_only":       a.WriteOnly,
		}
		if a.NestedType != nil {
			attribute["nested_type"] = object{
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

func identity(s *tfprotov6.ResourceIdentitySchema) object {
	attributes := object{}
	for _, a := range s.IdentityAttributes {
		attributes[a.Name] = object{"type": typeOf(a.Type), "description": a.Description, "required_for_import": a.RequiredForImport}
	}
	return object{"version": s.Version, "attributes": attributes}
}

func function(f *tfprotov6.Function) object {
	var parameters []object
	for _, p := range f.Parameters {
		parameters = append(parameters, object{"name": p.Name, "description": p.Description, "type": typeOf(p.Type)})
	}
	return object{
		"summary":     f.Summary,
		"description": f.Description,
		"parameters":  parameters,
		"return_type": typeOf(f.Return.Type),
	}
}

func kind(k tfprotov6.StringKind) string { return strings.ToLower(k.String()) }

func typeOf(t tftypes.Type) json.RawMessage {
	encoded, err := t.MarshalJSON() //nolint:staticcheck // Deprecated for other uses, but nothing else writes this format.
	if err != nil {
		panic(err) // Impossible for the types of a schema.
	}
	return encoded
}
