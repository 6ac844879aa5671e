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

// loadPlan begins a change: it requires a client, and returns the planned model with the write-only password, which only the
// configuration contains.
func (r *settingResource) loadPlan(ctx context.Context, plan tfsdk.Plan, config tfsdk.Config, diags *diag.Diagnostics) settingModel {
	r.applying.Store(true)
	diags.Append(r.requireClient()...)
	m := r.load(ctx, plan, diags)
	m.URLPasswordWO = r.load(ctx, config, diags).URLPasswordWO
	return m
}

// Create sends the setting. If it fails but FoneStorm may have a destination that this resource set, now or before it was
// replaced, Create returns both the error and a state, which Terraform saves as tainted. Otherwise, the setting would be
// forgotten, or its destination treated as set by something else.
func (r *settingResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	plan := r.loadPlan(ctx, req.Plan, req.Config, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	defer r.lock(plan.FoneNumber.ValueString())()

	m, rec := r.set(ctx, plan, r.ownersOf(plan.id()).replaced, &resp.Diagnostics)
	if len(rec.Applied) > 0 {
		resp.Diagnostics.Append(r.save(ctx, m, rec, &resp.State, resp.Identity, resp.Private)...)
	}
}

// Read refreshes the state. It removes an object whose setting another object manages, and one whose FoneNumber is no longer in the
// account.
func (r *settingResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	state := r.load(ctx, req.State, &resp.Diagnostics)
	rec := readRecord(ctx, req.Private, &resp.Diagnostics).ifAbout(state)
	// Set each time, because CLIs without identity support drop it, and the framework requires it even if the FoneNumber is
	// gone.
	resp.Diagnostics.Append(setIdentity(ctx, resp.Identity, state)...)
	importing := state.Type.IsNull()
	if importing {
		resp.Diagnostics.Append(r.requireClient()...)
	} else {
		resp.Diagnostics.Append(r.unknownConfiguration()...)
	}
	if resp.Diagnostics.HasError() || r.client == nil {
		return
	}
	f, inEffect, err := rec.current(ctx, r.client, state)
	switch {
	case fonestorm.KindOf(err) == fonestorm.NotFound && !importing:
		resp.Diagnostics.Append(r.notFound(state, rec, "the resource is removed from the state. Remove it from the configuration.")...)
		if !resp.Diagnostics.HasError() {
			r.ownersOf(state.FoneNumber.ValueString()).gone.Store(true)
			resp.State.RemoveResource(ctx)
		}
		return
	case err != nil && importing:
		resp.Diagnostics.Append(apiDiagnostic(err))
		return
	case err != nil:
		resp.Diagnostics.Append(r.readFailure(err)...)
		return
	case importing:
		if why := notConfigurable(f, state.option(), "cannot be imported", "To go on without it, remove the import of this FoneNumber. "); why != "" {
			resp.Diagnostics.AddAttributeError(path.Root("fonenumber"), summaryNotConfigurable, why)
			return
		}
		state.OnDestroy = types.StringValue(onDestroyKeep)
		found := f.Options[state.option()].Normalized()
		rec = record{SettingID: state.id(), Unseen: found.Type.IsCallback(), Applied: []fonestorm.Delivery{found}}.identified()
		inEffect = true
	}
	account := cmp.Or(r.client.Account(), rec.Account)
	hasNewAccount := importing || rec.Account != "" && rec.Account != account
	if hasNewAccount {
		rec.Account = account
	}
	resp.Diagnostics.Append(statusDiagnostics(f)...)
	if inEffect && !r.stays(state, rec, importing, &resp.Diagnostics) {
		resp.State.RemoveResource(ctx)
		return
	}
	r.plans(state.id(), "", &fonestorm.Delivery{}) // Not known until Terraform plans it.
	state.FromAPI(f, rec)
	resp.Diagnostics.Append(resp.State.Set(ctx, r.attributes(state))...)
	if hasNewAccount { // Otherwise nothing has changed, and a difference would count as drift.
		resp.Diagnostics.Append(rec.write(ctx, resp.Private)...)
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
	plan := r.loadPlan(ctx, req.Plan, req.Config, &resp.Diagnostics)
	state := r.load(ctx, req.State, &resp.Diagnostics)
	rec := readRecord(ctx, req.Private, &resp.Diagnostics).ifAbout(state)
	if resp.Diagnostics.HasError() {
		return
	}
	defer r.lock(plan.FoneNumber.ValueString())()

	if plan.sends(state) {
		plan, rec = r.set(ctx, plan, prior{state, rec}, &resp.Diagnostics)
	} else {
		rec = rec.configuring(plan.destination(), r.load(ctx, req.Config, &resp.Diagnostics).destination())
	}
	resp.Diagnostics.Append(r.save(ctx, plan, rec, &resp.State, resp.Identity, resp.Private)...)
}

// set sends the planned setting in place of the one before, and returns the model and the record to save. After a failure, the
// state before stays, so that the next plan contains the same change.
func (r *settingResource) set(ctx context.Context, plan settingModel, before prior, diags *diag.Diagnostics) (settingModel, record) {
	number, owners, rec := plan.FoneNumber.ValueString(), r.ownersOf(plan.id()), &before.rec
	// If it cannot be read, it is unknown. All changes of a process share a few requests.
	f, inEffect, _ := rec.current(ctx, r.client, plan)
	now := f.Options[plan.option()]
	rec.Unseen = rec.Unseen || !inEffect && (now.Type.IsCallback() || now.Type == "" && before.state.Type.IsNull())
	setting := plan.ToAPI(now, before)
	result, err := r.client.Set(ctx, number, setting)
	diags.Append(settingDiagnostics(number, setting, result)...)
	mayBeSet := err == nil || fonestorm.MayHaveTakenEffect(err)
	if mayBeSet {
		rec.Account = cmp.Or(r.client.Account(), rec.Account)
	}
	if err == nil {
		had := !before.state.URLUsername.IsNull()
		rec.Applied, rec.Shown = []fonestorm.Delivery{setting.Delivery}, new(result.Options[setting.Option])
		rec.Unseen = (had || rec.Unseen) && (result.CredentialsKept || setting.Credentials == nil)
		return plan, *rec
	}
	owners.failed.Store(true)
	diags.Append(apiDiagnostic(err))
	if now.Type == fonestorm.None && !before.state.Type.IsNull() && before.state.kind() != fonestorm.None && plan.isDelivery() {
		diags.AddAttributeWarning(path.Root("fonenumber"), summaryDeleted,
			fmt.Sprintf("FoneNumber %s was off before this request: messages received at it are deleted until it is set again. "+
				"Correct the error, and run Terraform again.", number))
	}
	if mayBeSet {
		rec.Applied = append(slices.Clip(rec.Applied), setting.Delivery)
	}
	if !before.state.Type.IsNull() {
		plan = before.state
	}
	return plan.afterFailure(setting, err), *rec
}

// Delete turns the setting off if it still has a destination that this resource applied, and no other resource sets it, see ownership.
func (r *settingResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.applying.Store(true)
	state := r.load(ctx, req.State, &resp.Diagnostics)
	planned := readRecord(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	number := state.FoneNumber.ValueString()
	defer r.lock(number)()
	owners := r.ownersOf(state.id())
	if owners.failed.Load() {
		resp.Diagnostics.AddError("FoneNumber Not Turned Off After Failure",
			fmt.Sprintf("Another resource failed to set the %s of FoneNumber %s in this apply, so this resource stays in the state and changed nothing. "+
				"Correct the other resource, and run Terraform again.", state.option(), number))
		return
	}
	before := prior{state, planned.ifAbout(state)}
	if state.OnDestroy.ValueString() == onDestroyKeep || planned.Continues == state.id() {
		owners.replaced = before
		return
	}
	resp.Diagnostics.Append(r.requireClient()...)
	if resp.Diagnostics.HasError() {
		return
	}
	switch err := r.turnOff(ctx, before, &resp.Diagnostics); {
	case fonestorm.KindOf(err) == fonestorm.NotFound:
		resp.Diagnostics.Append(r.notFound(state, before.rec, "nothing was changed there.")...)
	case err != nil: // The framework keeps the state, and the record of the plan.
		resp.Diagnostics.Append(apiDiagnostic(err))
	}
}

// turnOff turns a setting off if FoneStorm shows a destination that the destroyed object applied. It warns about any other destination,
// which it leaves unchanged.
func (r *settingResource) turnOff(ctx context.Context, before prior, diags *diag.Diagnostics) error {
	none := before.state
	none.Type = types.StringValue(string(fonestorm.None))
	off := none.ToAPI(fonestorm.Delivery{}, before)
	f, inEffect, err := before.rec.current(ctx, r.client, none)
	now, owners := f.Options[off.Option], r.ownersOf(before.state.id())
	switch {
	case err != nil, now.Type == fonestorm.None:
		return err
	case owners.isConfiguredBeside(before.rec.ID): // Terraform has planned the other resource again in the meantime.
		owners.replaced = before
		return nil
	case !inEffect:
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("The %s of FoneNumber %s is %s, which may not have been set by this resource, so it was left unchanged. To end it, change it in FoneStorm.",
				off.Option, f.Number, now))
		return nil
	}
	result, err := r.client.Set(ctx, f.Number, off)
	if err == nil {
		owners.replaced = before // FoneStorm keeps credentials that this resource did not set.
	}
	diags.Append(settingDiagnostics(f.Number, off, result)...)
	return err
}

// save stores a model in the state, its identity, and its record in private state.
func (r *settingResource) save(
	ctx context.Context, m settingModel, rec record, state *tfsdk.State, identity *tfsdk.ResourceIdentity, private privateState,
) diag.Diagnostics {
	m.URLPasswordWO = types.StringNull()
	rec = rec.identified()
	rec.SettingID, rec.Continues = m.id(), ""
	diags := state.Set(ctx, r.attributes(m))
	diags.Append(setIdentity(ctx, identity, m)...)
	diags.Append(rec.write(ctx, private)...)
	return diags
}

// notFound returns the diagnostics for a FoneNumber that is not in the account: a warning, or an error if the credentials belong to
// another account than the one in which it was set.
func (r *settingResource) notFound(state settingModel, rec record, consequence string) (diags diag.Diagnostics) {
	number := state.FoneNumber.ValueString()
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
