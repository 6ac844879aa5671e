package provider

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// settingResource is a resource that manages one setting of a FoneNumber: its delivery or one of its notifications.
type settingResource struct {
	*providerData
	name     string // Name of the resource without that of the provider.
	schema   func() schema.Schema
	hasEvent bool // Whether the setting is a notification, which has an event.

	// load reads a configuration, plan, or state, and attributes returns the struct with all attributes, to store as a plan or state.
	load       func(ctx context.Context, from attributeSource, diags *diag.Diagnostics) settingModel
	attributes func(m settingModel) any
}

var _ interface {
	resource.ResourceWithConfigure
	resource.ResourceWithIdentity
	resource.ResourceWithImportState
	resource.ResourceWithModifyPlan
	resource.ResourceWithValidateConfig
} = (*settingResource)(nil)

// Configure is called by the framework before all calls that need the provider configuration.
func (r *settingResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.providerData = configuredWith(req.ProviderData)
}

func (r *settingResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + r.name
}

func (r *settingResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.schema()
}

// attributeSource is a configuration, plan, or state. The framework does not export an interface for them.
type attributeSource interface {
	Get(ctx context.Context, target any) diag.Diagnostics
}

// Create sends the setting. If it fails but FoneStorm may have a destination that this resource set, now or before it was
// replaced, Create returns both the error and a state, which Terraform saves as tainted. Otherwise, the setting would be
// forgotten, or its destination treated as set by something else.
func (r *settingResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.Diagnostics.Append(r.requireClient()...)
	plan := r.load(ctx, req.Plan, &resp.Diagnostics)
	config := r.load(ctx, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.applying.Store(true)
	defer r.lock(plan.FoneNumber.ValueString())()

	old := r.of(plan.id()).replaced
	set, rec, err := r.set(ctx, plan, config, old, &resp.Diagnostics)
	if err != nil {
		if !old.state.Type.IsNull() { // FoneStorm may still have what the replaced object set.
			plan = old.state
		}
		plan = plan.afterFailure(set, err)
		if r.of(plan.id()).off && plan.isDelivery() {
			resp.Diagnostics.AddAttributeWarning(path.Root("fonenumber"), summaryDeleted,
				fmt.Sprintf("FoneNumber %s is off, because this apply destroyed its earlier resource first. Messages received at it are deleted until it is set again. "+
					"Correct the error, and run Terraform again.", plan.FoneNumber.ValueString()))
		}
	}
	if len(rec.Applied) == 0 {
		return
	}
	resp.Diagnostics.Append(r.save(ctx, plan, rec, &resp.State, resp.Identity, resp.Private)...)
}

// Read refreshes the state. It removes an object whose setting another object manages, and one whose FoneNumber is no longer in the
// account.
func (r *settingResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := r.load(ctx, req.State, &resp.Diagnostics)
	rec := readRecord(ctx, req.Private, &resp.Diagnostics)
	// Set each time, because CLIs without identity support drop it, and the framework requires it even if the FoneNumber is
	// gone.
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, state)...)
	importing := state.Type.IsNull()
	switch {
	case r.client != nil:
	case importing:
		resp.Diagnostics.Append(r.requireClient()...)
	default:
		resp.Diagnostics.Append(r.unknownConfiguration()...)
	}
	if resp.Diagnostics.HasError() || r.client == nil {
		return
	}
	number := state.FoneNumber.ValueString()

	f, inEffect, err := rec.current(ctx, r.client, state)
	switch {
	case err != nil && importing:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
	case fonestorm.IsNotFound(err):
		r.removeMissing(ctx, number, rec, resp)
	case err != nil:
		resp.Diagnostics.Append(r.readFailure(err, number)...)
	}
	if err != nil {
		return
	}
	if importing {
		if why := notConfigurable(f, state.option(), "cannot be imported", "Until then, remove the import of this FoneNumber. "); why != "" {
			resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), summaryNotConfigurable, why)
		}
		state.OnDestroy = types.StringValue(onDestroyKeep)
	}
	account := cmp.Or(r.client.Account(), rec.Account)
	isNew, hasMoved := rec.ID == "", rec.Account != "" && rec.Account != account
	if isNew {
		rec = record{SettingID: state.id(), Unseen: true}.identified()
		rec.Applied, inEffect = []fonestorm.Delivery{f.Options[state.option()].Normalized()}, true
	}
	if isNew || hasMoved {
		rec.Account = account
	}
	resp.Diagnostics.Append(statusDiagnostics(f)...)
	if resp.Diagnostics.HasError() {
		return
	}

	if inEffect && !r.stays(state, rec, importing, &resp.Diagnostics) {
		resp.State.RemoveResource(ctx)
		return
	}
	r.presumes(state.id(), &fonestorm.Delivery{}) // Terraform plans it later.
	state.FromAPI(f, rec)
	resp.Diagnostics.Append(resp.State.Set(ctx, r.attributes(state))...)
	if isNew || hasMoved { // Otherwise nothing has changed, and a difference would count as drift.
		resp.Diagnostics.Append(r.save(ctx, state, rec, &resp.State, resp.Identity, resp.Private)...)
	}
}

// removeMissing removes an object from the state, because the account does not contain its FoneNumber.
func (r *settingResource) removeMissing(ctx context.Context, number string, rec record, resp *resource.ReadResponse) {
	resp.Diagnostics.Append(r.notFound(number, rec, "the resource is removed from the state. Remove it from the configuration.")...)
	if !resp.Diagnostics.HasError() {
		r.of(number).gone.Store(true)
		resp.State.RemoveResource(ctx)
	}
}

// stays reports whether an object that is in effect stays in the state, see ownership. An import of a setting that the state already
// contains is an error.
func (r *settingResource) stays(state settingModel, rec record, importing bool, diags *diag.Diagnostics) bool {
	first, imported := r.refreshes(rec, importing)
	switch {
	case first:
		return true
	case imported:
		diags.AddAttributeError(path.Root("fonenumber"), summaryMultiple,
			fmt.Sprintf("The %s of FoneNumber %s is imported, but the state already contains another resource that manages it. "+
				"To change the address of that resource, replace the import block with a moved block.", state.option(), state.FoneNumber.ValueString()))
	default:
		diags.AddAttributeWarning(path.Root("fonenumber"), "Duplicate Resource Removed From State",
			fmt.Sprintf("Two resources in the state manage the same %s of FoneNumber %s, because an earlier apply did not finish, or because it was imported a second time. "+
				"One of them was removed from the state. Nothing changed in FoneStorm. If it is in the configuration, the plan creates it again.",
				state.option(), state.FoneNumber.ValueString()))
	}
	return false
}

// Update sends the whole setting, unless nothing of it changes.
func (r *settingResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.Diagnostics.Append(r.requireClient()...)
	plan := r.load(ctx, req.Plan, &resp.Diagnostics)
	config := r.load(ctx, req.Config, &resp.Diagnostics)
	state := r.load(ctx, req.State, &resp.Diagnostics)
	rec := readRecord(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	r.applying.Store(true)
	defer r.lock(plan.FoneNumber.ValueString())()

	rec = rec.ifAbout(state)
	if plan.sends(state) {
		set, after, err := r.set(ctx, plan, config, prior{state, rec}, &resp.Diagnostics)
		rec = after
		if err != nil { // The rest of the state stays as it was, so that the next plan contains the same change.
			plan = state.afterFailure(set, err)
		}
	} else {
		rec = rec.configuring(plan.destination())
	}
	resp.Diagnostics.Append(r.save(ctx, plan, rec, &resp.State, resp.Identity, resp.Private)...)
}

// set sends the planned setting and returns what was sent and the record. It adds diagnostics, including the returned error.
func (r *settingResource) set(ctx context.Context, plan, config settingModel, before prior, diags *diag.Diagnostics) (fonestorm.Setting, record, error) {
	number, of := plan.FoneNumber.ValueString(), r.of(plan.id())
	plan.URLPasswordWO = config.URLPasswordWO          // Only the configuration contains it.
	f, _, _ := before.rec.current(ctx, r.client, plan) // If it cannot be read, it is unknown. All changes of a process share a few requests.
	now := f.Options[plan.option()]
	if of.off { // FoneStorm keeps the credentials of the destination that was turned off, unless they were removed.
		now = fonestorm.Delivery{}
	}
	setting := plan.ToAPI(now, before)
	result, err := r.client.Set(ctx, number, setting)
	rec := before.rec
	diags.Append(settingDiagnostics(number, setting, result)...)
	mayBeSet := err == nil || fonestorm.MayHaveTakenEffect(err)
	if mayBeSet {
		rec.Account = cmp.Or(r.client.Account(), rec.Account)
	}
	if err == nil {
		return setting, rec.afterSetting(setting, result), nil
	}
	of.failed = true
	diags.Append(apiDiagnostic(err, number))
	if mayBeSet {
		rec.Applied = append(slices.Clip(rec.Applied), setting.Delivery)
	}
	return setting, rec, err
}

// Delete turns the setting off if it still has a destination that this resource applied, and no other resource sets it, see ownership.
func (r *settingResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	state := r.load(ctx, req.State, &resp.Diagnostics)
	planned := readRecord(ctx, req.Private, &resp.Diagnostics) // For a replacement, the record that the plan of the create wrote.
	if resp.Diagnostics.HasError() {
		return
	}
	number, rec := state.FoneNumber.ValueString(), planned.ifAbout(state)
	r.applying.Store(true)
	defer r.lock(number)()
	of := r.of(state.id())
	switch {
	case of.failed:
		resp.Diagnostics.AddError("FoneNumber Not Turned Off After Failure",
			fmt.Sprintf("Another resource failed to set the %s of FoneNumber %s in this apply, so this resource did not turn it off and stays in the state. "+
				"Correct the other resource, and run Terraform again.", state.option(), number))
		return
	case state.OnDestroy.ValueString() == onDestroyKeep, slices.Contains(planned.Continues, state.id()):
		of.replaced = prior{state, rec}
		return
	case len(rec.Applied) == 0:
		resp.Diagnostics.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("The resource of FoneNumber %s was tainted, so it is not known what it set there. Its %s was left unchanged. To end it, change it in FoneStorm.",
				number, state.option()))
		return
	}
	resp.Diagnostics.Append(r.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}

	none := state
	none.Type = types.StringValue(string(fonestorm.None))
	off := none.ToAPI(fonestorm.Delivery{}, prior{state, rec})
	left, err := r.turnOff(ctx, state, off, rec)
	resp.Diagnostics.Append(left...)
	switch {
	case fonestorm.IsNotFound(err):
		resp.Diagnostics.Append(r.notFound(number, rec, "nothing was changed there.")...)
	case err != nil:
		resp.Diagnostics.Append(apiDiagnostic(err, number))
		resp.Diagnostics.Append(r.save(ctx, state.afterFailure(off, err), rec, &resp.State, resp.Identity, resp.Private)...)
	}
}

// turnOff turns a setting off if FoneStorm shows a destination that was applied, and otherwise warns that it was left unchanged.
func (r *settingResource) turnOff(ctx context.Context, state settingModel, off fonestorm.Setting, rec record) (diags diag.Diagnostics, _ error) {
	f, inEffect, err := rec.current(ctx, r.client, state)
	if err != nil {
		return nil, err
	}
	of := r.of(state.id())
	switch now := f.Options[off.Option]; {
	case now.Type == fonestorm.None:
		return nil, nil
	case of.isConfiguredBeside(rec.ID): // Terraform has planned the other resource again in the meantime.
		of.replaced = prior{state, rec}
		return nil, nil
	case !inEffect:
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("The %s of FoneNumber %s is %s, which was not set by this resource, so it was left unchanged. To end it, change it in FoneStorm.",
				off.Option, f.Number, now))
		return diags, nil
	}
	result, err := r.client.Set(ctx, f.Number, off)
	if of.off = err == nil; of.off {
		rec.Kept = rec.Kept || result.CredentialsKept
		of.replaced = prior{state, rec} // FoneStorm may still have its credentials.
	}
	return settingDiagnostics(f.Number, off, result), err
}

// save stores a model in the state, its identity, and its record in private state.
func (r *settingResource) save(
	ctx context.Context, m settingModel, rec record, state *tfsdk.State, identity *tfsdk.ResourceIdentity, private privateState,
) diag.Diagnostics {
	rec = rec.identified()
	rec.Continues = nil
	rec.SettingID = m.id()
	diags := state.Set(ctx, r.attributes(m))
	diags.Append(setIdentity(ctx, identity, m)...)
	diags.Append(rec.write(ctx, private)...)
	return diags
}

// notFound returns the diagnostics for a FoneNumber that is not in the account: a warning, or an error if the credentials belong to
// another account than the one in which it was set.
func (r *settingResource) notFound(number string, rec record, consequence string) (diags diag.Diagnostics) {
	if account := r.client.Account(); account != "" && rec.Account != "" && account != rec.Account {
		diags.AddAttributeError(path.Root("fonenumber"), "FoneNumber in Another Account",
			fmt.Sprintf("FoneNumber %s is not in account %q, to which the provider's credentials belong. This resource was applied with account %q. "+
				"Use the credentials of account %q. If that account no longer contains the FoneNumber either, "+
				"replace the resource with a removed block that has destroy = false, and apply with -refresh=false.", number, account, rec.Account, rec.Account))
	} else {
		diags.AddAttributeWarning(path.Root("fonenumber"), summaryGone,
			fmt.Sprintf("FoneNumber %s is no longer in the FoneStorm account, so %s", number, consequence))
	}
	return diags
}
