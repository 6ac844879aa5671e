package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

const (
	summaryDeleted       = "Messages Will Be Deleted"
	summaryLeftUnchanged = "Delivery Left Unchanged on Destroy"
)

// ModifyPlan completes the plan of one object, and warns about what Terraform cannot show: which delivery is overwritten,
// which messages will be deleted, and which resources have the same FoneNumber.
//
// Terraform plans a replacement with two calls: the change, and then a create without prior state but with the private state
// that the first call planned. It drops the warnings of the second call, so the first call returns all of them.
func (r *foneNumberDeliveryResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	rec, diags := readRecord(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	p := plannedChange{rec: rec.identified()}
	resp.Diagnostics.Append(p.read(ctx, req)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if p.before != nil {
		number := p.before.FoneNumber.ValueString()
		// A deposed object is planned again during the apply, when only its record contains what a refresh found.
		p.rec.Others = max(p.rec.Others, r.noteObject(number, p.rec.ID, p.rec.of(number).destinations(*p.before)))
	}
	if p.ends() {
		resp.Diagnostics.Append(r.planDestroy(*p.before, p.rec)...)
	}
	switch {
	case p.after == nil:
	case p.before == nil:
		p.rec.Creates = p.after.FoneNumber.ValueString()
		resp.Diagnostics.Append(r.planCreate(ctx, *p.after, p.rec)...)
	case p.after.FoneNumber.Equal(p.before.FoneNumber):
		resp.Diagnostics.Append(r.planUpdate(*p.before, *p.after, p.rec)...)
	default:
		resp.Diagnostics.Append(r.planCreate(ctx, *p.after, p.rec)...)
	}
	if p.after != nil {
		resp.Diagnostics.Append(r.destinationDiagnostics(ctx, p.before, *p.after)...)
	}
	if p.changed {
		resp.Diagnostics.Append(p.after.write(ctx, &resp.Plan)...)
	}
	if p.before == nil || p.ends() || rec.ID == "" {
		resp.Diagnostics.Append(p.rec.write(ctx, resp.Private)...)
	}
}

// plannedChange is the change of one object.
type plannedChange struct {
	before, after *deliveryModel // Nil for none.
	changed       bool           // Whether after differs from the framework's plan.
	rec           record
}

// ends reports whether an object is destroyed. It does not include the destroy of a tainted object, of which Terraform plans
// only the create.
func (p *plannedChange) ends() bool {
	return p.before != nil && (p.after == nil || !p.after.FoneNumber.Equal(p.before.FoneNumber))
}

// read reads a request and completes the planned values.
func (p *plannedChange) read(ctx context.Context, req resource.ModifyPlanRequest) (diags diag.Diagnostics) {
	if !req.State.Raw.IsNull() {
		p.before = &deliveryModel{}
		diags.Append(p.before.read(ctx, req.State)...)
	}
	if req.Plan.Raw.IsNull() || diags.HasError() {
		return diags
	}
	if p.before != nil && p.before.OnDestroy.ValueString() == p.rec.defaultOnDestroy() && req.State.Raw.Equal(req.Plan.Raw) {
		p.after = p.before // Most objects do not change, and reading a model takes as long as everything else.
		return diags
	}
	p.after = &deliveryModel{}
	var config deliveryModel
	diags.Append(p.after.read(ctx, req.Plan)...)
	diags.Append(config.read(ctx, req.Config)...)
	if diags.HasError() {
		return diags
	}
	before, rec := p.before, p.rec
	if before == nil || !p.after.FoneNumber.Equal(before.FoneNumber) {
		before, rec = nil, record{} // The object is created, here or in the second call.
	}
	proposed := *p.after
	p.after.plan(config, before, rec)
	p.changed = *p.after != proposed
	return diags
}

func (r *foneNumberDeliveryResource) planCreate(ctx context.Context, after deliveryModel, rec record) (diags diag.Diagnostics) {
	if r.client == nil {
		diags.Append(r.unknownConfiguration()...)
	}
	if after.FoneNumber.IsUnknown() {
		return diags
	}
	diags.Append(r.claim(after, rec)...)
	diags.Append(r.loopDiagnostics(after)...)
	diags.Append(r.preview(ctx, after)...)
	return diags
}

func (r *foneNumberDeliveryResource) planUpdate(before, after deliveryModel, rec record) diag.Diagnostics {
	diags := r.claim(after, rec)
	number := after.FoneNumber.ValueString()
	if after.deletesMessages() && !before.deletesMessages() {
		diags.AddAttributeWarning(path.Root("type"), summaryDeleted,
			fmt.Sprintf("FoneNumber %s has a delivery of type %q now. With type \"None\", messages received at it are deleted upon receipt without any delivery.",
				number, before.Type.ValueString()))
	}
	if method := before.URLMethod.ValueString(); method != "" && method != fonestorm.URLMethodPOST && after.sends(before) &&
		before.Type.ValueString() == string(fonestorm.URL) && after.Type.ValueString() == string(fonestorm.URL) {
		diags.AddAttributeWarning(path.Root("url_method"), "Callback Method Changes to POST",
			fmt.Sprintf("FoneStorm calls the callback URL of FoneNumber %s with %q now. Applying this plan changes the method to \"POST\", the only one that can be set. "+
				"Make sure that the callback URL accepts POST requests.", number, method))
	}
	diags.Append(r.loopDiagnostics(after)...)
	return diags
}

// claim records that the configuration sets the FoneNumber. Two resources of one configuration that set it differently are
// an error. Objects that Terraform left behind are not, in whatever order they are planned.
func (r *foneNumberDeliveryResource) claim(after deliveryModel, rec record) (diags diag.Diagnostics) {
	number := after.FoneNumber.ValueString()
	const summary = "Multiple Resources for One FoneNumber"
	switch r.wants(number, rec.ID, after) {
	case different:
		diags.AddAttributeError(path.Root("fonenumber"), summary,
			fmt.Sprintf("Several fractel_fonenumber_delivery resources in the configuration set FoneNumber %s differently, but a FoneNumber has only one delivery. "+
				"Remove all but one of them.", number))
	case sameTwice:
		diags.AddAttributeWarning(path.Root("fonenumber"), summary,
			fmt.Sprintf("Several fractel_fonenumber_delivery resources in the configuration set FoneNumber %s in the same way. "+
				"Destroying one of them can turn the FoneNumber off for the others. Remove all but one of them.", number))
	case noConflict:
	}
	diags.Append(r.moveDiagnostics(number)...)
	return diags
}

func (r *foneNumberDeliveryResource) moveDiagnostics(number string) (diags diag.Diagnostics) {
	if r.moves(number) {
		diags.AddWarning("FoneNumber Moves Between Resources",
			fmt.Sprintf("One resource for FoneNumber %s is destroyed and another one sets it. The FoneNumber will have the configured delivery, but messages "+
				"received in between may be deleted. If you renamed a resource, add a moved block to prevent this.", number))
	}
	return diags
}

// planDestroy warns about what happens to the FoneNumber when an object is destroyed.
func (r *foneNumberDeliveryResource) planDestroy(before deliveryModel, rec record) (diags diag.Diagnostics) {
	number := before.FoneNumber.ValueString()
	r.ends(number, rec.ID)
	own, delivers := rec.of(number), before.destination()
	if r.client != nil {
		if f, known := r.client.Known(number); known && f.Delivery != nil {
			delivers = *f.Delivery
		}
	}
	keeps := own.onDestroy(before) == onDestroyKeep
	switch {
	case keeps:
		diags.AddWarning("Delivery Kept on Destroy",
			fmt.Sprintf("FoneNumber %s keeps its delivery of type %q when this resource is destroyed, because on_destroy is \"keep\".", number, delivers.Type))
	case delivers.Type == fonestorm.None:
		diags.AddWarning("FoneNumber Stays Off on Destroy",
			fmt.Sprintf("FoneNumber %s has type \"None\". Destroying this resource does not change that: messages received at it are still deleted upon receipt.", number))
	case r.isWanted(number, rec.ID):
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("Another resource in the configuration sets FoneNumber %s, so destroying this resource does not change its delivery.", number))
	case !includes(own.destinations(before), delivers):
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s has a delivery of type %q now, which was not set by this resource. Destroying this resource does not change it.",
				number, delivers.Type))
	default:
		diags.AddWarning(summaryDeleted,
			fmt.Sprintf("After this resource is destroyed, messages received at FoneNumber %s are deleted upon receipt without any delivery, "+
				"unless something else has changed the delivery by then. To keep the delivery, apply on_destroy = \"keep\" first, or use a removed block with destroy = false.", number))
	}
	if !keeps {
		diags.Append(r.moveDiagnostics(number)...)
	}
	return diags
}

// loopDiagnostics warns if messages would be forwarded in a loop.
func (r *foneNumberDeliveryResource) loopDiagnostics(after deliveryModel) (diags diag.Diagnostics) {
	if r.client == nil || after.Type.ValueString() != string(fonestorm.Forward) || after.Value.IsUnknown() {
		return nil
	}
	number := after.FoneNumber.ValueString()
	seen := map[string]bool{}
	for target := after.Value.ValueString(); target != "" && !seen[target]; target = r.forwardOf(target) {
		seen[target] = true
		if target == number {
			diags.AddAttributeWarning(path.Root("value"), "Forwarding Loop",
				fmt.Sprintf("Messages received at FoneNumber %s would be forwarded back to it, through %d other FoneNumbers, and never arrive. "+
					"Forward one of these FoneNumbers elsewhere.", number, len(seen)-1))
		}
	}
	return diags
}

// forwardOf returns the number that a FoneNumber forwards to, as planned or else as FoneStorm returned it; "" if it does not
// forward or is not known.
func (r *foneNumberDeliveryResource) forwardOf(number string) string {
	if target, ok := r.plannedForward(number); ok {
		return target
	}
	if f, known := r.client.Known(number); known && f.Delivery != nil && f.Delivery.Type == fonestorm.Forward {
		return f.Delivery.Normalized().Value
	}
	return ""
}

// preview compares a new delivery with the current one in FoneStorm. When Terraform plans again during an apply, it sends no
// requests, because the user has already seen the result.
func (r *foneNumberDeliveryResource) preview(ctx context.Context, after deliveryModel) (diags diag.Diagnostics) {
	if !r.checkOnPlan || r.client == nil || r.isApplying() {
		return nil
	}
	number := after.FoneNumber.ValueString()
	f, err := r.check(ctx, number)
	switch {
	case fonestorm.IsNotFound(err):
		return r.absentDiagnostics(err, number)
	case err != nil && failsApply(err):
		return r.readFailure(err, number)
	case err != nil:
		diags.AddWarning("FoneNumber Not Checked",
			fmt.Sprintf("%s The plan does not show whether FoneNumber %s is in the account, or which delivery it has. "+
				"Applying this plan overwrites its delivery. To check it first, plan again.", sentence(err.Error()), number))
		return diags
	}
	diags.Append(statusDiagnostics(f)...)
	if f.MessagingDisabled {
		diags.AddAttributeWarning(path.Root("fonenumber"), "Messaging Is Not Enabled",
			fmt.Sprintf("FoneNumber %s receives no messages, because messaging is not enabled for it. Enable messaging in FoneStorm.", number))
	}
	if found := f.Delivery; found != nil && found.Type != fonestorm.None && !after.sameDestination(modelOf(*found)) && !r.hasSet(number, *found) {
		diags.AddWarning("FoneNumber Already Delivers Elsewhere",
			fmt.Sprintf("FoneNumber %s delivers to %s now, which was not set by this resource. Applying this plan replaces it with %s.\n\n"+
				"To adopt the FoneNumber as it is instead, import it to this resource's address:\n\n"+
				"import {\n  to = <address of this resource>\n  id = %q\n}", number, found, after.describe(), number))
	}
	return diags
}

func modelOf(d fonestorm.Delivery) deliveryModel {
	return deliveryModel{Type: types.StringValue(string(d.Type)), Value: types.StringValue(d.Value)}
}

// absentDiagnostics returns an error for a FoneNumber that is not in the account. If a refresh has just found that, it
// returns a warning: Terraform plans the configuration before it destroys, and an error would block `terraform destroy`.
func (r *foneNumberDeliveryResource) absentDiagnostics(err error, number string) (diags diag.Diagnostics) {
	d := apiDiagnostic(err, number)
	if r.isGone(number) {
		diags.AddAttributeWarning(path.Root("fonenumber"), d.Summary(),
			fmt.Sprintf("FoneNumber %s is no longer in the account, so it cannot be set again. Remove the resource from the configuration.", number))
		return diags
	}
	diags.AddAttributeError(path.Root("fonenumber"), d.Summary(),
		d.Detail()+"\n\n"+destroyAnyway)
	return diags
}

// check reads a FoneNumber for the preview. After the first failure to reach FoneStorm, this process reads no other
// FoneNumber: with a thousand of them, the timeouts would take an hour.
func (r *foneNumberDeliveryResource) check(ctx context.Context, number string) (fonestorm.FoneNumber, error) {
	if err := r.firstFailure(nil); err != nil {
		return fonestorm.FoneNumber{}, err
	}
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil && !failsApply(err) {
		err = r.firstFailure(err)
	}
	return f, err
}

// failsApply reports whether an error of a check should stop the plan, because the apply would fail in the same way or
// because the response cannot be true.
func failsApply(err error) bool {
	transient := []fonestorm.Kind{fonestorm.RateLimited, fonestorm.ServerError, fonestorm.Unreachable, fonestorm.Canceled}
	return !slices.Contains(transient, fonestorm.KindOf(err))
}
