package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ resource.ResourceWithConfigure      = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithIdentity       = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithImportState    = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*foneNumberDeliveryResource)(nil)
	_ resource.ResourceWithValidateConfig = (*foneNumberDeliveryResource)(nil)
)

const summaryGone = "FoneNumber No Longer in Account"

// foneNumberDeliveryResource manages the delivery of one FoneNumber.
type foneNumberDeliveryResource struct{ configuredResource }

func newFoneNumberDeliveryResource() resource.Resource {
	return &foneNumberDeliveryResource{configuredResource{unconfigured()}}
}

func (r *foneNumberDeliveryResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumber_delivery"
}

// Create sets the delivery. If it fails but FoneStorm may have a delivery that this resource set, now or before it was
// replaced, Create returns both the error and a state, which Terraform saves as tainted. Otherwise, the FoneNumber would be
// forgotten, or its delivery treated as set by something else.
func (r *foneNumberDeliveryResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config deliveryModel
	resp.Diagnostics.Append(r.requireClient()...)
	resp.Diagnostics.Append(plan.read(ctx, req.Plan)...)
	resp.Diagnostics.Append(config.read(ctx, req.Config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	r.markApplying()
	defer r.lock(number)()

	found, known := r.client.Known(number)
	wanted := plan.withPassword(config).delivery(nil, known && found.CallbackURL == "")
	result, err := r.client.SetDelivery(ctx, number, wanted)
	rec := record{}.identified()
	if err != nil {
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		plan = plan.afterFailure(wanted, err)
		rec = rec.setting(r.handedOver(number)...)
		rec.Uncertain = true
	}
	if err == nil || fonestorm.MayHaveTakenEffect(err) {
		resp.Diagnostics.Append(credentialsDiagnostics(number, result)...)
		rec = rec.setting(wanted)
		r.markSet(number)
	}
	if len(rec.Set) == 0 {
		return
	}
	resp.Diagnostics.Append(r.save(ctx, plan, rec.afterSetting(result), &resp.State, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

func (r *foneNumberDeliveryResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(state.read(ctx, req.State)...)
	rec, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	// Set each time, because CLIs without identity support drop it, and the framework requires it even if the FoneNumber is
	// gone.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, importing := state.FoneNumber.ValueString(), state.Type.IsNull()
	rec = r.noteRefresh(&state, rec.of(number).expanded(state))

	if r.client == nil {
		resp.Diagnostics.Append(r.unknownConfiguration()...)
		resp.Diagnostics.Append(r.save(ctx, state, rec, &resp.State, resp.Private)...)
		return
	}
	f, err := r.client.GetFoneNumber(ctx, number)
	switch {
	case fonestorm.IsNotFound(err) && !importing:
		other := r.otherAccount(number, rec)
		resp.Diagnostics.Append(other...)
		if !other.HasError() {
			r.markGone(number)
			resp.Diagnostics.AddAttributeWarning(path.Root("fonenumber"), summaryGone,
				fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so the resource is removed from the state. Remove it from the configuration.", number))
			resp.State.RemoveResource(ctx)
		}
		return
	case err != nil && importing:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		return
	case err != nil:
		resp.Diagnostics.Append(r.readFailure(err, number)...)
		return
	}

	if importing {
		resp.Diagnostics.Append(importDiagnostics(f)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	resp.Diagnostics.Append(statusDiagnostics(f)...)
	state.refresh(f, &rec)
	if rec.Uncertain && f.Delivery != nil {
		if includes(rec.destinations(state), *f.Delivery) {
			rec.Uncertain = false
		} else {
			state.OnDestroy = types.StringNull() // This resource did not set the current delivery.
		}
	}
	resp.Diagnostics.Append(r.save(ctx, state, rec, &resp.State, resp.Private)...)
}

// noteRefresh records an object in the state for the other resources of this process. If other objects have the same
// FoneNumber, on_destroy becomes null, see ownership. An object that stays is then set again, and one that is destroyed
// without its record leaves the FoneNumber unchanged.
func (r *foneNumberDeliveryResource) noteRefresh(state *deliveryModel, rec record) record {
	number := state.FoneNumber.ValueString()
	if rec.FoneNumber == "" {
		rec.Imported = state.OnDestroy.IsNull()
	}
	rec = rec.identified()
	rec.FoneNumber = number
	rec.OnDestroy = rec.onDestroy(*state)
	if rec.OnDestroy == "" {
		rec.OnDestroy = rec.defaultOnDestroy()
	}
	rec.Others = r.noteObject(number, rec.ID, rec.destinations(*state))
	state.OnDestroy = types.StringValue(rec.OnDestroy)
	if rec.Others > 0 {
		state.OnDestroy = types.StringNull()
	}
	return rec
}

// Update sets the whole delivery, unless only on_destroy or the spelling of the destination changes.
func (r *foneNumberDeliveryResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, state deliveryModel
	resp.Diagnostics.Append(r.requireClient()...)
	resp.Diagnostics.Append(plan.read(ctx, req.Plan)...)
	resp.Diagnostics.Append(config.read(ctx, req.Config)...)
	resp.Diagnostics.Append(state.read(ctx, req.State)...)
	rec, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	rec = rec.expanded(state)
	r.markApplying()
	defer r.lock(number)()

	if plan.sends(state) {
		wanted := plan.withPassword(config).delivery(&state, rec.NoCallback)
		result, err := r.client.SetDelivery(ctx, number, wanted)
		if err != nil {
			resp.Diagnostics.Append(apiDiagnostic(err, number))
			if fonestorm.MayHaveTakenEffect(err) {
				r.markSet(number)
				rec = rec.setting(wanted)
			}
			// The rest of the state stays as it was, so that the next plan contains the same change.
			resp.Diagnostics.Append(r.save(ctx, state.afterFailure(wanted, err), rec, &resp.State, resp.Private)...)
			return
		}
		resp.Diagnostics.Append(credentialsDiagnostics(number, result)...)
		rec.Set, rec.Uncertain = nil, false
		rec = rec.setting(wanted)
		rec = rec.afterSetting(result)
	} else if plan.OnDestroy.ValueString() == onDestroyDisable && len(rec.Set) == 0 {
		rec = rec.setting(plan.destination()) // From now on, this resource owns the imported delivery.
	}
	r.markSet(number)

	rec.Imported = rec.Imported && plan.OnDestroy.ValueString() != onDestroyDisable
	resp.Diagnostics.Append(r.save(ctx, plan, rec, &resp.State, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

// Delete turns the FoneNumber off if it still has a delivery that this resource set.
func (r *foneNumberDeliveryResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(state.read(ctx, req.State)...)
	planned, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	number := state.FoneNumber.ValueString()
	rec := planned.of(number).expanded(state)
	if resp.Diagnostics.HasError() {
		return
	}
	r.markApplying()
	defer r.lock(number)()
	if planned.Creates == number {
		r.handOver(number, rec.destinations(state)) // If it were turned off, it would delete messages until it is set again.
		return
	}
	keeps, set := rec.onDestroy(state) == onDestroyKeep, rec.destinations(state)
	if keeps {
		set = nil
	}
	set, still := r.destroys(number, rec.others(state), set)
	switch {
	case keeps, still == claimedByConfiguration:
		return
	case still == claimedByState:
		resp.Diagnostics.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("Another object in the state also has FoneNumber %s, so destroying this one did not change its delivery.", number))
		return
	}
	resp.Diagnostics.Append(r.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	left, err := r.turnOff(ctx, number, state.off(), set)
	resp.Diagnostics.Append(left...)
	switch {
	case fonestorm.IsNotFound(err):
		other := r.otherAccount(number, rec)
		resp.Diagnostics.Append(other...)
		if !other.HasError() {
			resp.Diagnostics.AddWarning(summaryGone,
				fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so nothing was changed there.", number))
		}
	case err != nil:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		rec.Others = 0 // The next refresh counts again.
		resp.Diagnostics.Append(r.save(ctx, state.afterFailure(state.off(), err), rec, &resp.State, resp.Private)...)
	}
}

// turnOff turns a FoneNumber off if it delivers to one of these destinations, and otherwise warns that its delivery was left
// unchanged.
func (r *foneNumberDeliveryResource) turnOff(ctx context.Context, number string, off fonestorm.Delivery, from []fonestorm.Delivery) (diags diag.Diagnostics, _ error) {
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil || f.Delivery != nil && f.Delivery.Type == fonestorm.None {
		return nil, err
	}
	if f.Delivery == nil || !includes(from, *f.Delivery) {
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s has a delivery that was not set by this resource, so it was left unchanged. To end the delivery, change it in FoneStorm.", number))
		return diags, nil
	}
	_, err = r.client.SetDelivery(ctx, number, off)
	return nil, err
}

// afterSetting completes the record with FoneStorm's response.
func (rec record) afterSetting(result fonestorm.SetResult) record {
	rec.URLMethod = ""
	if result.Delivery != nil {
		rec.URLMethod = result.Delivery.URLMethod
	}
	rec.Others, rec.NoCallback = 0, false
	return rec
}

// save stores a model in the state and its record in private state.
func (r *foneNumberDeliveryResource) save(ctx context.Context, m deliveryModel, rec record, state writable, private privateState) diag.Diagnostics {
	rec.FoneNumber = m.FoneNumber.ValueString()
	if r.client != nil && r.client.Account() != "" {
		rec.Account = r.client.Account()
	}
	diags := m.write(ctx, state)
	diags.Append(rec.compacted(m).write(ctx, private)...)
	return diags
}

// otherAccount returns an error if a FoneNumber that was not found was last seen in another account than that of the
// credentials.
func (r *foneNumberDeliveryResource) otherAccount(number string, rec record) (diags diag.Diagnostics) {
	account := r.client.Account()
	if account != "" && rec.Account != "" && account != rec.Account {
		diags.AddAttributeError(path.Root("fonenumber"), "FoneNumber in Another Account",
			fmt.Sprintf("FoneNumber %s is not in account %q, to which the provider's credentials belong. This resource was applied with account %q. "+
				"Use the credentials of account %q. If that account no longer contains the FoneNumber either, "+
				"replace the resource with a removed block that has destroy = false.", number, account, rec.Account, rec.Account))
	}
	return diags
}

// unknownConfiguration warns, once, that this plan does not read from FoneStorm.
func (r *foneNumberDeliveryResource) unknownConfiguration() (diags diag.Diagnostics) {
	if r.warnOnce() {
		diags.AddWarning("Refresh Skipped: Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply. Deliveries are planned without reading them from FoneStorm, "+
				"so the plan does not show what has changed there, or what an apply overwrites. Plan again when these values are known.")
	}
	return diags
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

// credentialsDiagnostics warns if credentials could not be removed.
func credentialsDiagnostics(number string, result fonestorm.SetResult) (diags diag.Diagnostics) {
	if result.CredentialsKept {
		diags.AddWarning("Callback Credentials May Remain",
			fmt.Sprintf("FoneStorm rejected empty callback credentials for FoneNumber %s, so its delivery was set without any. If the FoneNumber had "+
				"credentials before, FoneStorm may still send them to its callback URL. Set url_username and a password, or ask FracTEL to remove them.", number))
	}
	return diags
}

// statusDiagnostics warns about a FoneNumber that is cancelled or whose cancellation is pending.
func statusDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	switch f.Status {
	case fonestorm.CancellationPending:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("The cancellation of FoneNumber %s is pending. Remove the resource if you no longer need the FoneNumber.", f.Number))
	case fonestorm.Cancelled:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("FoneNumber %s is cancelled. It can be restored for 30 days. Otherwise, remove the resource.", f.Number))
	case fonestorm.Active, fonestorm.StatusUnknown, "":
	}
	return diags
}
