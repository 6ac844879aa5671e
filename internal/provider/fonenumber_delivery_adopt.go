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

const summaryNotConfigurable = "Delivery Cannot Be Configured"

// whyNotConfigurable says why no configuration can describe what a FoneNumber delivers to; nil when one can. FoneStorm
// contains deliveries that Set Delivery Service would not accept, or that this provider refuses for a secret in them.
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
	return checkDestination(found.Type, found.Value, f.Number)
}

// importDiagnostics is an error for a FoneNumber that is imported and that no configuration can describe.
func importDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f); err != nil {
		diags.AddAttributeError(path.Root("fonenumber"), summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s has a delivery of type %q that cannot be imported, because no configuration can describe it. %s\n\n"+
				"Remove the import of this FoneNumber. To replace its delivery, add a resource with the destination that you want: the plan shows what it overwrites.",
				f.Number, f.Delivery.Type, err))
	}
	return diags
}

// listDiagnostics is a warning about a FoneNumber that a list leaves out because no configuration can describe it.
func listDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	if err := whyNotConfigurable(f); err != nil {
		diags.AddWarning(summaryNotConfigurable,
			fmt.Sprintf("FoneNumber %s is left out, because no configuration can describe its delivery of type %q. %s\n\n"+
				"To replace its delivery, add a resource with the destination that you want: the plan shows what it overwrites.",
				f.Number, f.Delivery.Type, err))
	}
	return diags
}

// generated returns the names of the attributes that a generated configuration sets, and with what, if not with the value in
// the state. Credentials are unknown to FoneStorm's reader, and url_method can be one that cannot be configured.
var generated = map[string]*tftypes.Value{
	"fonenumber": nil,
	"type":       nil,
	"value":      nil,
	"on_destroy": new(tftypes.NewValue(tftypes.String, onDestroyKeep)),
}

// GenerateResourceConfig returns the configuration that Terraform (1.14 or newer) writes for an imported delivery: what is
// needed, and that a destroy leaves the FoneNumber as it is. The framework would repeat the whole state.
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

// GetMetadata announces GenerateResourceConfig, which the framework (1.19) does not do with protocol 6: Terraform would then
// generate the configuration itself.
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
