package provider

import (
	"context"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// NewServer returns the provider as a server of Terraform's plugin protocol.
func NewServer(version string) tfprotov6.ProviderServer { return newServer(New(version)()) }

func newServer(p provider.Provider) *server {
	return &server{providerserver.NewProtocol6(p)().(frameworkServer)} //nolint:forcetypeassert // It always implements it.
}

// server releases the context of a call when the call has ended.
//
// Framework 1.19 keeps the context of every call until the provider stops, and with it everything that Terraform sent: a
// plan of 10,000 resources would need more than a gigabyte of memory. So the calls that are made for every resource get a
// context that can be emptied. Other calls, which are fewer, keep their contexts.
type server struct {
	frameworkServer
}

// frameworkServer is the part of the protocol that this provider supports.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
}

// callValues is a context with the values of a call, until it has ended.
type callValues struct {
	context.Context
	of atomic.Pointer[context.Context] // Nil after the call.
}

func (c *callValues) Value(key any) any {
	if ctx := c.of.Load(); ctx != nil {
		return (*ctx).Value(key)
	}
	return nil
}

// released calls the framework with a context that is released afterward.
func released[Request, Response any](
	ctx context.Context, req Request, call func(context.Context, Request) (Response, error),
) (Response, error) {
	values := &callValues{Context: context.Background()}
	values.of.Store(&ctx)
	defer values.of.Store(nil) //nolint:contextcheck // It has ended.
	own, cancel := context.WithCancel(values)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	return call(own, req) //nolint:contextcheck // It ends with ctx.
}

func (s *server) ValidateResourceConfig(ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return released(ctx, req, s.frameworkServer.ValidateResourceConfig)
}

func (s *server) UpgradeResourceState(ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return released(ctx, req, s.frameworkServer.UpgradeResourceState)
}

func (s *server) UpgradeResourceIdentity(ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return released(ctx, req, s.frameworkServer.UpgradeResourceIdentity)
}

func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return released(ctx, req, s.frameworkServer.ReadResource)
}

func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	return released(ctx, req, s.frameworkServer.PlanResourceChange)
}

func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return released(ctx, req, s.frameworkServer.ApplyResourceChange)
}

func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	return released(ctx, req, s.frameworkServer.ImportResourceState)
}
