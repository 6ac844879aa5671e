package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

const summaryNotConfigurable = "Unsupported Delivery"

// whyNotConfigurable returns an error if no configuration can describe the delivery of a FoneNumber. FoneStorm can contain
// deliveries that Set Delivery Service does not accept, or that this provider rejects because they contain a secret.
func whyNotConfigurable(f fonestorm.FoneNumber) error {
	if f.Delivery == nil {
		return nil
	}
	found := f.Delivery.Normalized()
	if err := deliveryTypeRule().check(string(found.Type)); err != nil {
		return err
	}
	if found.Type == fonestorm.None {
		return nil
	}
	return checkImported(found.Type, found.Value, f.Number)
}

// importDiagnostics returns an error if no configuration can describe the delivery of an imported FoneNumber.
func importDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f); err != nil {
		diags.AddAttributeError(path.Root("fonenumber"), summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s cannot be imported, because no configuration can describe its delivery of type %q. %s\n\n"+
				"Remove the import of this FoneNumber. To replace its delivery, add a resource with the destination that you want. The plan shows what it overwrites.",
				f.Number, f.Delivery.Type, err))
	}
	return diags
}

// listDiagnostics returns a warning if a list omits a FoneNumber because no configuration can describe its delivery.
func listDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f); err != nil {
		diags.AddWarning(summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s is omitted, because no configuration can describe its delivery of type %q. %s\n\n"+
				"To replace its delivery, add a resource with the destination that you want. The plan shows what it overwrites.",
				f.Number, f.Delivery.Type, err))
	}
	return diags
}

// generated contains the attributes that a generated configuration sets, with their values if they differ from the state. It
// omits credentials, which FoneStorm does not return, and url_method, which can have a value that cannot be configured.
var generated = map[string]*tftypes.Value{
	"fonenumber": nil,
	"type":       nil,
	"value":      nil,
	"on_destroy": new(tftypes.NewValue(tftypes.String, onDestroyKeep)),
}

// GenerateResourceConfig returns the configuration that Terraform 1.14 or later writes for an imported delivery: the
// required attributes, and on_destroy = "keep". The framework would repeat the whole state.
func (s *server) GenerateResourceConfig(ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest) (*tfprotov6.GenerateResourceConfigResponse, error) {
	var schema resource.SchemaResponse
	(&foneNumberDeliveryResource{}).Schema(ctx, resource.SchemaRequest{}, &schema)
	kind := schema.Schema.Type().TerraformType(ctx)
	state, err := req.State.Unmarshal(kind)
	if err != nil {
		return nil, fmt.Errorf("reading the state of %s: %w", req.TypeName, err)
	}
	if !state.IsNull() {
		values := map[string]tftypes.Value{}
		if err := state.As(&values); err != nil {
			return nil, fmt.Errorf("reading the state of %s: %w", req.TypeName, err)
		}
		for name, value := range values {
			fixed, isGenerated := generated[name]
			switch {
			case !isGenerated:
				values[name] = tftypes.NewValue(value.Type(), nil)
			case fixed != nil:
				values[name] = *fixed
			}
		}
		state = tftypes.NewValue(kind, values)
	}
	config, err := tfprotov6.NewDynamicValue(kind, state)
	if err != nil {
		return nil, fmt.Errorf("writing the configuration of %s: %w", req.TypeName, err)
	}
	return &tfprotov6.GenerateResourceConfigResponse{Config: &config}, nil
}

// GetMetadata announces GenerateResourceConfig, which framework 1.19 does not do for protocol 6. Without this, Terraform
// generates the configuration itself.
func (s *server) GetMetadata(ctx context.Context, req *tfprotov6.GetMetadataRequest) (*tfprotov6.GetMetadataResponse, error) {
	resp, err := s.frameworkServer.GetMetadata(ctx, req)
	if err == nil {
		resp.ServerCapabilities.GenerateResourceConfig = true
	}
	return resp, err
}

// GetProviderSchema announces GenerateResourceConfig, as GetMetadata does.
func (s *server) GetProviderSchema(ctx context.Context, req *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := s.frameworkServer.GetProviderSchema(ctx, req)
	if err == nil {
		resp.ServerCapabilities.GenerateResourceConfig = true
	}
	return resp, err
}
