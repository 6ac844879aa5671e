package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ resource.ResourceWithConfigure      = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithIdentity       = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithImportState    = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithValidateConfig = (*foneNumberDeliveryResource)(nil)
)

// foneNumberDeliveryResource manages where one FoneNumber delivers.
type foneNumberDeliveryResource struct {
	*session
}

func newFoneNumberDeliveryResource() resource.Resource { return &foneNumberDeliveryResource{} }

func (r *foneNumberDeliveryResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumber_delivery"
}

func (r *foneNumberDeliveryResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*session); ok { // It is nil while validating.
		r.session = configured
	}
}

func (r *foneNumberDeliveryResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config deliveryModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	defer r.lock(number)()
	resp.Diagnostics.Append(r.rememberOriginal(ctx, plan, resp.Private)...)
	if resp.Diagnostics.HasError() {
		return
	}

	f, err := r.client.SetDelivery(ctx, number, plan.withPassword(config).delivery(nil))
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		return
	}
	r.markSet(number)

	plan.refresh(f)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

func (r *foneNumberDeliveryResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	// Written again each time, also for what is gone: CLIs without identities do not keep it, and the framework wants it.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.client == nil {
		resp.Diagnostics.AddWarning("FoneStorm was not asked",
			"The provider's configuration depends on values that are not known yet. Deliveries are planned from the state alone.")
		return
	}

	f, err := r.client.GetFoneNumber(ctx, state.FoneNumber.ValueString())
	imported := state.URLMethod.IsNull() // Any other state has its default.
	if fonestorm.Is(err, fonestorm.NotFound) && !imported {
		resp.Diagnostics.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber not in the account anymore",
			fmt.Sprintf("FoneStorm does not have FoneNumber %s in this account. Its delivery is removed from the state.", state.FoneNumber.ValueString()))
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, state.FoneNumber.ValueString()))
		return
	}

	resp.Diagnostics.Append(statusDiagnostics(f)...)
	state.refresh(f)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *foneNumberDeliveryResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, state deliveryModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	defer r.lock(number)()

	if !plan.sameDelivery(state) {
		wanted := plan.withPassword(config).delivery(&state)
		f, err := r.client.SetDelivery(ctx, number, wanted)
		if err != nil {
			resp.Diagnostics.Append(apiDiagnostic(err, number))
			resp.Diagnostics.Append(resp.State.Set(ctx, state.afterFailure(wanted, err))...)
			return // Otherwise the state stays as it was, so that the next plan holds the same change.
		}
		plan.refresh(f)
	}
	r.markSet(number)

	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

func (r *foneNumberDeliveryResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}

	original, diags := readOriginal(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	left, changes := state.afterDestroy(original)
	if resp.Diagnostics.HasError() || !changes {
		return
	}
	number := state.FoneNumber.ValueString()
	defer r.lock(number)()
	if r.hasSet(number) {
		resp.Diagnostics.AddWarning("FoneNumber left alone",
			fmt.Sprintf("Another resource has set FoneNumber %s in this run, so its delivery stays as that resource has it.", number))
		return
	}

	_, err := r.client.SetDelivery(ctx, number, left)
	if err != nil && !fonestorm.Is(err, fonestorm.NotFound) { // A number that is gone delivers nowhere.
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		resp.Diagnostics.Append(resp.State.Set(ctx, state.afterFailure(left, err))...)
	}
}

func (r *foneNumberDeliveryResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("fonenumber"), path.Root("fonenumber"), req, resp)
	var imported deliveryIdentity
	resp.Diagnostics.Append(resp.State.GetAttribute(ctx, path.Root("fonenumber"), &imported.FoneNumber)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := checkTenDigits("The ID to import", imported.FoneNumber.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), "Invalid FoneNumber", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Identity.Set(ctx, imported)...)
}

// statusDiagnostics warns of a FoneNumber that is on its way out of the account.
func statusDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	switch f.Status {
	case fonestorm.Active, "":
	case fonestorm.CancellationPending:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber is not active",
			fmt.Sprintf("The cancellation of FoneNumber %s is pending.", f.Number))
	case fonestorm.Cancelled:
		fallthrough
	default:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber is not active",
			fmt.Sprintf("FoneNumber %s is cancelled (FoneStorm's is_active is %q). It can be restored for 30 days.", f.Number, f.Status))
	}
	return diags
}
