// Command providerschema prints the provider's schemas for tfplugindocs, in the format of `terraform providers schema -json`.
// A CLI omits what its version does not know, such as list resources or write-only attributes. This program does not, so that the
// docs do not depend on the contributor's CLI.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

func main() {
	ctx, server := context.Background(), provider.NewServer("dev")
	schemas, errSchemas := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	identities, errIdentities := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err := errors.Join(errSchemas, errIdentities); err != nil {
		log.Fatal("providerschema: ", err)
	}
	all := map[string]any{
		"provider":                  schemas.Provider,
		"resource_schemas":          schemas.ResourceSchemas,
		"resource_identity_schemas": identities.IdentitySchemas,
		"data_source_schemas":       schemas.DataSourceSchemas,
		"list_resource_schemas":     schemas.ListResourceSchemas,
		"functions":                 schemas.Functions,
	}
	err := json.NewEncoder(os.Stdout).Encode(map[string]any{
		"format_version":   "1.0",
		"provider_schemas": map[string]any{"fractel": converted(reflect.ValueOf(all))},
	})
	if err != nil {
		log.Fatal("providerschema: ", err)
	}
}

// names contains the members whose names are not those of the fields in the plugin protocol.
var names = map[string]string{"Nesting": "nesting_mode", "Return": "return_type"}

var innerCapital = regexp.MustCompile(`\B[A-Z]`)

// converted returns a value of the plugin protocol as tfplugindocs reads it: the names of members are in snake case, and attributes are
// an object instead of a list. Empty members are omitted.
func converted(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case tftypes.Type:
		return value
	case *tfprotov6.FunctionReturn:
		return converted(reflect.ValueOf(value.Type))
	case fmt.Stringer: // A kind of text or of nesting.
		return strings.ToLower(value.String())
	}
	list, object := []any{}, map[string]any{}
	switch v.Kind() { //nolint:exhaustive // All others are scalars.
	case reflect.Interface, reflect.Pointer:
		return converted(v.Elem())
	case reflect.Slice:
		for _, element := range v.Seq2() {
			list = append(list, converted(element))
			object[element.Elem().FieldByName("Name").String()] = converted(element)
		}
		if v.Type() == reflect.TypeFor[[]*tfprotov6.FunctionParameter]() {
			return list
		}
	case reflect.Map:
		for name, element := range v.Seq2() {
			object[name.String()] = converted(element)
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if !value.IsZero() {
				name := strings.ToLower(innerCapital.ReplaceAllString(field.Name, "_$0"))
				object[cmp.Or(names[field.Name], name)] = converted(value)
			}
		}
	default:
		return v.Interface()
	}
	return object
}
