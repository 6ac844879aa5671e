// Command nothing is a provider that has the schema of this one but does nothing: it returns whatever Terraform proposes. An
// operation with it takes what Terraform and the plugin protocol take with any provider of this schema.
package main

import (
	"context"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/fractel/terraform-provider-fractel/internal/provider"
)

func main() {
	_ = os.Setenv("TF_LOG_SDK_FRAMEWORK", "OFF") // The provider, too, sends no logs that Terraform discards.
	server := nothing{provider.NewServer("bench")}
	err := tf6server.Serve("registry.terraform.io/fractel/fractel", func() tfprotov6.ProviderServer { return server })
	if err != nil {
		log.Fatal(err)
	}
}

// nothing does nothing in the calls for each resource. All others are the provider's.
type nothing struct {
	tfprotov6.ProviderServer
}

// GetResourceIdentitySchemas returns none, so that the other calls need not return identities.
func (nothing) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov6.GetResourceIdentitySchemasResponse{}, nil
}

func (nothing) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (nothing) ReadResource(_ context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState}, nil
}

func (nothing) PlanResourceChange(_ context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.ProposedNewState}, nil
}

func (nothing) ApplyResourceChange(_ context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return &tfprotov6.ApplyResourceChangeResponse{NewState: req.PlannedState}, nil
}
