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

// foneNumberDeliveryResource manages where one FoneNumber delivers.
type foneNumberDeliveryResource struct{ configuredResource }

func newFoneNumberDeliveryResource() resource.Resource {
	return &foneNumberDeliveryResource{configuredResource{unconfigured()}}
}

func (r *foneNumberDeliveryResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumber_delivery"
}

// Create sets the delivery. If it fails and the FoneNumber may deliver what this resource has set all the same, now or before
// it was replaced, it returns the error and a state as well, which Terraform keeps as tainted: the FoneNumber is then neither
// forgotten nor treated as set elsewhere.
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
	// Written again each time, also for what is gone: CLIs without identities do not keep it, and the framework wants it.
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
			resp.Diagnostics.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Not in the Account",
				fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account. Its delivery is removed from the state.", number))
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
			state.OnDestroy = types.StringNull() // What is there now is not this resource's.
		}
	}
	resp.Diagnostics.Append(r.save(ctx, state, rec, &resp.State, resp.Private)...)
}

// noteRefresh tells the other resources of this process about an object in the state. If there are others of the same
// FoneNumber, on_destroy becomes null, see ownership: an object that stays is then set again, and one that is destroyed with
// no other memory leaves the FoneNumber alone.
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

// Update sets the whole delivery, unless only on_destroy changes or the spelling of the destination.
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
			// The state stays otherwise as it was, so that the next plan contains the same change.
			resp.Diagnostics.Append(r.save(ctx, state.afterFailure(wanted, err), rec, &resp.State, resp.Private)...)
			return
		}
		resp.Diagnostics.Append(credentialsDiagnostics(number, result)...)
		rec.Set, rec.Uncertain = nil, false
		rec = rec.setting(wanted)
		rec = rec.afterSetting(result)
	} else if plan.OnDestroy.ValueString() == onDestroyDisable && len(rec.Set) == 0 {
		rec = rec.setting(plan.destination()) // An imported delivery becomes this resource's own.
	}
	r.markSet(number)

	rec.Imported = rec.Imported && plan.OnDestroy.ValueString() != onDestroyDisable
	resp.Diagnostics.Append(r.save(ctx, plan, rec, &resp.State, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

// Delete turns the FoneNumber off if it still delivers what this resource has set.
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
		r.handOver(number, rec.destinations(state)) // Turned off, it would delete messages until it is set again.
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
			fmt.Sprintf("Another object in the state has FoneNumber %s as well, so what happens to its delivery is left to that one.", number))
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
			resp.Diagnostics.AddWarning("FoneNumber Not in the Account",
				fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so nothing was changed there.", number))
		}
	case err != nil:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		rec.Others = 0 // The next refresh counts again.
		resp.Diagnostics.Append(r.save(ctx, state.afterFailure(state.off(), err), rec, &resp.State, resp.Private)...)
	}
}

// turnOff sets a FoneNumber to off if it delivers to one of these destinations, and otherwise warns that it stays unchanged.
func (r *foneNumberDeliveryResource) turnOff(ctx context.Context, number string, off fonestorm.Delivery, from []fonestorm.Delivery) (diags diag.Diagnostics, _ error) {
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil || f.Delivery != nil && f.Delivery.Type == fonestorm.None {
		return nil, err
	}
	if f.Delivery == nil || !includes(from, *f.Delivery) {
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s has a delivery that this resource has not set, so it stays.", number))
		return diags, nil
	}
	_, err = r.client.SetDelivery(ctx, number, off)
	return nil, err
}

// afterSetting completes the record of what was set with what FoneStorm then shows.
func (rec record) afterSetting(result fonestorm.SetResult) record {
	rec.URLMethod = ""
	if result.Delivery != nil {
		rec.URLMethod = result.Delivery.URLMethod
	}
	rec.Others, rec.NoCallback = 0, false
	return rec
}

// save puts a model into the state and its record into private state.
func (r *foneNumberDeliveryResource) save(ctx context.Context, m deliveryModel, rec record, state writable, private privateState) diag.Diagnostics {
	rec.FoneNumber = m.FoneNumber.ValueString()
	if r.client != nil && r.client.Account() != "" {
		rec.Account = r.client.Account()
	}
	diags := m.write(ctx, state)
	diags.Append(rec.compacted(m).write(ctx, private)...)
	return diags
}

// otherAccount returns an error when a FoneNumber that was not found is one of another account than that of the credentials.
func (r *foneNumberDeliveryResource) otherAccount(number string, rec record) (diags diag.Diagnostics) {
	account := r.client.Account()
	if account != "" && rec.Account != "" && account != rec.Account {
		diags.AddAttributeError(path.Root("fonenumber"), "FoneNumber in Another Account",
			fmt.Sprintf("FoneNumber %s is not in account %q, to which the provider's credentials belong. This resource was applied with account %q. "+
				"Use credentials of account %q. If the FoneNumber is no longer in that account either, remove the resource from the state: "+
				"replace it with a removed block that has destroy = false.", number, account, rec.Account, rec.Account))
	}
	return diags
}

// unknownConfiguration warns, once, that this plan cannot use FoneStorm.
func (r *foneNumberDeliveryResource) unknownConfiguration() (diags diag.Diagnostics) {
	if r.warnOnce() {
		diags.AddWarning("Refresh Skipped: Provider Configuration Unknown",
			"The provider configuration depends on values that are known only after apply. Deliveries are planned without reading them from FoneStorm, "+
				"so the plan does not show what has changed there, or what an apply overwrites.")
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

// credentialsDiagnostics warns when credentials could not be removed.
func credentialsDiagnostics(number string, result fonestorm.SetResult) (diags diag.Diagnostics) {
	if result.CredentialsKept {
		diags.AddWarning("Callback Credentials May Remain",
			fmt.Sprintf("FoneStorm rejected empty callback credentials for FoneNumber %s, so its delivery was set without any. If the FoneNumber had "+
				"credentials before, FoneStorm may still send them to its callback URL. Set url_username and a password, or ask FracTEL to remove them.", number))
	}
	return diags
}

// statusDiagnostics warns of a FoneNumber that is on its way out of the account.
func statusDiagnostics(f fonestorm.FoneNumber) (diags diag.Diagnostics) {
	switch f.Status {
	case fonestorm.CancellationPending:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("The cancellation of FoneNumber %s is pending.", f.Number))
	case fonestorm.Cancelled:
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Is Not Active",
			fmt.Sprintf("FoneNumber %s is cancelled. It can be restored for 30 days.", f.Number))
	case fonestorm.Active, fonestorm.StatusUnknown, "":
	}
	return diags
}
