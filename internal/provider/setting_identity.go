package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
)

// IdentitySchema returns the attributes that identify a setting: those of its ID.
func (r *settingResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema.Attributes = map[string]identityschema.Attribute{
		"fonenumber": identityschema.StringAttribute{Description: "FoneNumber, exactly ten digits.", RequiredForImport: true},
	}
	if r.hasEvent {
		resp.IdentitySchema.Attributes["event"] = identityschema.StringAttribute{Description: "\"receive\" or \"send\".", RequiredForImport: true}
	}
}

func setIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, m settingModel) diag.Diagnostics {
	diags := identity.SetAttribute(ctx, path.Root("fonenumber"), m.FoneNumber)
	if !m.isDelivery() {
		diags.Append(identity.SetAttribute(ctx, path.Root("event"), m.Event)...)
	}
	return diags
}

// ImportState stores the attributes that identify the setting, from its ID or, since Terraform 1.12, from its identity.
func (r *settingResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	number, event := req.ID, ""
	if r.hasEvent {
		number, event, _ = strings.Cut(req.ID, "/")
	}
	m := settingModel{Event: stringOrNull(event)}
	m.FoneNumber = stringOrNull(number)
	if req.ID == "" {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("fonenumber"), &m.FoneNumber)...)
		if r.hasEvent {
			resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("event"), &m.Event)...)
		}
	}
	if err := checkTenDigits("The FoneNumber to import", m.FoneNumber.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), "Invalid FoneNumber", err.Error())
	}
	if event := m.Event.ValueString(); r.hasEvent && event != eventReceive && event != eventSend {
		resp.Diagnostics.AddAttributeError(path.Root("event"), "Invalid Event",
			fmt.Sprintf("The event must be \"receive\" or \"send\", but %q was given. The ID of a notification is the FoneNumber, a slash, and the event, "+
				"such as \"3215551212/receive\".", event))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("fonenumber"), m.FoneNumber)...)
	if r.hasEvent {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("event"), m.Event)...)
	}
}
