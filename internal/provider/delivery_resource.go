package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var (
	_ resource.ResourceWithConfigure      = (*deliveryResource)(nil)
	_ resource.ResourceWithIdentity       = (*deliveryResource)(nil)
	_ resource.ResourceWithImportState    = (*deliveryResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*deliveryResource)(nil)
	_ resource.ResourceWithValidateConfig = (*deliveryResource)(nil)
)

// deliveryResource manages the delivery of one FoneNumber.
type deliveryResource struct{ configuredResource }

func newDeliveryResource() resource.Resource {
	return &deliveryResource{configuredResource{unconfigured()}}
}

func (r *deliveryResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_fonenumber_delivery"
}

// Create sets the delivery. If it fails but FoneStorm may have a delivery that this resource set, now or before it was
// replaced, Create returns both the error and a state, which Terraform saves as tainted. Otherwise, the FoneNumber would be
// forgotten, or its delivery treated as set by something else.
func (r *deliveryResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config deliveryModel
	resp.Diagnostics.Append(r.requireClient()...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	r.applying.Store(true)
	defer r.lock(number)()

	old := r.replaced(number)
	set, rec, err := r.set(ctx, plan, config, old, &resp.Diagnostics)
	if err != nil {
		plan = plan.afterFailure(set, err)
		rec.Failed = true
	}
	if len(rec.Applied) == 0 {
		return
	}
	rec.ID = "" // This is another object than the replaced one.
	resp.Diagnostics.Append(r.save(ctx, plan, rec.identified(), &resp.State, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

// Read refreshes the state. It removes an object whose delivery another object manages, or whose failed create did not take
// effect, and a FoneNumber that is no longer in the account.
func (r *deliveryResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	rec, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	// Set each time, because CLIs without identity support drop it, and the framework requires it even if the FoneNumber is
	// gone.
	resp.Diagnostics.Append(resp.Identity.Set(ctx, state.identity())...)
	importing := state.Type.IsNull()
	if r.client == nil {
		if importing {
			resp.Diagnostics.Append(r.requireClient()...)
		} else {
			resp.Diagnostics.Append(r.unknownConfiguration()...)
		}
	}
	if resp.Diagnostics.HasError() || r.client == nil {
		return
	}
	number := state.FoneNumber.ValueString()

	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil {
		gone, problems := r.readFailed(err, number, rec, importing)
		resp.Diagnostics.Append(problems...)
		if gone {
			resp.State.RemoveResource(ctx)
		}
		return
	}
	if importing {
		resp.Diagnostics.Append(importDiagnostics(f)...)
		rec = record{FoneNumber: number, Applied: []destination{destinationOf(f.Delivery.Normalized())}, Unseen: true}
		state.OnDestroy = types.StringValue(onDestroyKeep)
	}
	resp.Diagnostics.Append(statusDiagnostics(f)...)
	if resp.Diagnostics.HasError() {
		return
	}

	rec, isNew := rec.of(state), rec.ID == ""
	f, inEffect := r.inEffect(ctx, f, rec)
	switch {
	case inEffect && !r.isFirst(number, &rec, importing, &resp.Diagnostics), !inEffect && rec.Failed:
		resp.State.RemoveResource(ctx)
		return
	}
	state.FromAPI(f, rec)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	if isNew { // Otherwise nothing has changed, and a difference would count as drift.
		resp.Diagnostics.Append(r.save(ctx, state, rec.identified(), &resp.State, resp.Private)...)
	}
}

// readFailed returns the diagnostics for a FoneNumber that could not be read, and whether the account no longer contains it.
func (r *deliveryResource) readFailed(err error, number string, rec record, importing bool) (gone bool, diags diag.Diagnostics) {
	switch {
	case importing:
		diags.Append(apiDiagnostic(err, number))
	case !fonestorm.IsNotFound(err):
		diags.Append(r.readFailure(err, number)...)
	case r.isOtherAccount(rec):
		diags.Append(r.otherAccount(number, rec)...)
	default:
		r.markGone(number)
		diags.AddAttributeWarning(path.Root("fonenumber"), summaryGone,
			fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so the resource is removed from the state. Remove it from the configuration.", number))
		return true, diags
	}
	return false, diags
}

// inEffect reports whether FoneStorm shows a destination that was applied, and returns the FoneNumber to refresh with. A list can
// spell a destination differently than other responses, so a FoneNumber that differs only in spelling is read again.
func (r *deliveryResource) inEffect(ctx context.Context, f fonestorm.FoneNumber, rec record) (fonestorm.FoneNumber, bool) {
	_, ours := rec.find(*f.Delivery)
	if ours || rec.Shown == nil || !fonestorm.MaySpell(*f.Delivery, rec.Applied[0].delivery()) {
		return f, ours
	}
	if again, err := r.client.ReadFoneNumber(ctx, f.Number); err == nil {
		f = again
	}
	_, ours = rec.find(*f.Delivery)
	return f, ours
}

// isFirst reports whether an object that is in effect stays, see ownership. An import of a FoneNumber that the state already
// contains is an error.
func (r *deliveryResource) isFirst(number string, rec *record, importing bool, diags *diag.Diagnostics) bool {
	*rec = rec.identified()
	first, imported := r.refreshes(number, rec.ID, importing)
	switch {
	case first:
		return true
	case imported:
		diags.AddAttributeError(path.Root("fonenumber"), summaryMultiple,
			fmt.Sprintf("FoneNumber %s is imported, but the state already contains another resource that manages it. "+
				"To change the address of that resource, replace the import block with a moved block.", number))
	default:
		diags.AddAttributeWarning(path.Root("fonenumber"), "Duplicate Resource Removed From State",
			fmt.Sprintf("Two resources in the state manage the same delivery of FoneNumber %s, because an earlier apply did not finish. "+
				"One of them was removed from the state. Its delivery did not change. If it is in the configuration, the plan creates it again.", number))
	}
	return false
}

// Update sets the whole delivery, unless only on_destroy changes.
func (r *deliveryResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, state deliveryModel
	resp.Diagnostics.Append(r.requireClient()...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	rec, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	number := plan.FoneNumber.ValueString()
	r.applying.Store(true)
	defer r.lock(number)()

	rec = rec.of(state)
	if plan.sends(state) {
		set, after, err := r.set(ctx, plan, config, handedOver{state, rec}, &resp.Diagnostics)
		rec = after
		if err != nil { // The rest of the state stays as it was, so that the next plan contains the same change.
			plan = state.afterFailure(set, err)
		}
	} else {
		r.markSet(number)
		rec = rec.configuring(plan.destination())
	}
	resp.Diagnostics.Append(r.save(ctx, plan, rec.identified(), &resp.State, resp.Private)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, plan.identity())...)
}

// set sets the planned delivery and returns what was sent and the record. It adds diagnostics, including the returned error.
func (r *deliveryResource) set(ctx context.Context, plan, config deliveryModel, before handedOver, diags *diag.Diagnostics) (fonestorm.Setting, record, error) {
	number := plan.FoneNumber.ValueString()
	plan.URLPasswordWO = config.URLPasswordWO // Only the configuration contains it.
	setting := plan.ToAPI(r.now(ctx, number), before)
	result, err := r.client.SetDelivery(ctx, number, setting)
	rec := before.rec
	if err == nil || fonestorm.MayHaveTakenEffect(err) {
		r.markSet(number)
		diags.Append(settingDiagnostics(number, result)...)
	}
	switch {
	case err == nil:
		return setting, rec.afterSetting(setting.Delivery, result), nil
	case fonestorm.MayHaveTakenEffect(err):
		rec.Applied = append(slices.Clip(rec.Applied), destinationOf(setting.Delivery))
	}
	diags.Append(apiDiagnostic(err, number))
	return setting, rec, err
}

// now returns the FoneNumber as FoneStorm shows it before it is changed; nil if it cannot be read. All changes of a process share
// a few requests.
func (r *deliveryResource) now(ctx context.Context, number string) *fonestorm.FoneNumber {
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil {
		return nil
	}
	return &f
}

// Delete turns the FoneNumber off if it still has a delivery that this resource applied, see ownership.
func (r *deliveryResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state deliveryModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	planned, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	number, rec := state.FoneNumber.ValueString(), planned.of(state)
	r.applying.Store(true)
	defer r.lock(number)()
	if planned.Creates == number {
		r.handOver(number, state, rec) // If it were turned off, it would delete messages until it is set again.
		return
	}
	if state.OnDestroy.ValueString() == onDestroyKeep || r.isSet(number) {
		return
	}
	resp.Diagnostics.Append(r.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	off := state.off().ToAPI(nil, handedOver{state, rec})
	left, err := r.turnOff(ctx, number, off, rec)
	resp.Diagnostics.Append(left...)
	switch {
	case fonestorm.IsNotFound(err) && r.isOtherAccount(rec):
		resp.Diagnostics.Append(r.otherAccount(number, rec)...)
	case fonestorm.IsNotFound(err):
		resp.Diagnostics.AddWarning(summaryGone,
			fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so nothing was changed there.", number))
	case err != nil:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		resp.Diagnostics.Append(r.save(ctx, state.afterFailure(off, err), rec, &resp.State, resp.Private)...)
	}
}

// turnOff turns a FoneNumber off if FoneStorm shows a destination that was applied, and otherwise warns that its delivery was left
// unchanged.
func (r *deliveryResource) turnOff(ctx context.Context, number string, off fonestorm.Setting, rec record) (diags diag.Diagnostics, _ error) {
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil || f.Delivery.Type == fonestorm.None {
		return nil, err
	}
	if f, inEffect := r.inEffect(ctx, f, rec); !inEffect {
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s delivers to %s, which was not set by this resource, so it was left unchanged. To end the delivery, change it in FoneStorm.",
				number, describe(*f.Delivery)))
		return diags, nil
	}
	result, err := r.client.SetDelivery(ctx, number, off)
	return settingDiagnostics(number, result), err
}

// save stores a model in the state and its record in private state.
func (r *deliveryResource) save(ctx context.Context, m deliveryModel, rec record, state *tfsdk.State, private privateState) diag.Diagnostics {
	rec.Creates = ""
	rec.FoneNumber = m.FoneNumber.ValueString()
	if r.client.Account() != "" {
		rec.Account = r.client.Account()
	}
	diags := state.Set(ctx, m)
	diags.Append(rec.write(ctx, private)...)
	return diags
}

// isOtherAccount reports whether the credentials belong to another account than the one in which a FoneNumber was set.
func (r *deliveryResource) isOtherAccount(rec record) bool {
	account := r.client.Account()
	return account != "" && rec.Account != "" && account != rec.Account
}

// otherAccount returns the error for a FoneNumber that was not found because the credentials belong to another account.
func (r *deliveryResource) otherAccount(number string, rec record) (diags diag.Diagnostics) {
	diags.AddAttributeError(path.Root("fonenumber"), "FoneNumber in Another Account",
		fmt.Sprintf("FoneNumber %s is not in account %q, to which the provider's credentials belong. This resource was applied with account %q. "+
			"Use the credentials of account %q. If that account no longer contains the FoneNumber either, "+
			"replace the resource with a removed block that has destroy = false.", number, r.client.Account(), rec.Account, rec.Account))
	return diags
}

func (r *deliveryResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
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
