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

// ModifyPlan completes the plan of one object, and says what Terraform cannot: what a new delivery overwrites, which messages
// will be deleted, and which resources have the same FoneNumber.
//
// Terraform plans a replacement with two calls: the change, and then a create without prior state but with the private state
// that the first call has planned. It drops the warnings of the second call, so the first one says all.
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
		// A deposed object is planned again while applying, when only its record knows what a refresh has found.
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
	changed       bool           // Whether after differs from what the framework has planned.
	rec           record
}

// ends reports whether an object is destroyed. That of a tainted object is not known here: Terraform plans only its create.
func (p *plannedChange) ends() bool {
	return p.before != nil && (p.after == nil || !p.after.FoneNumber.Equal(p.before.FoneNumber))
}

// read takes over a request and completes the planned values.
func (p *plannedChange) read(ctx context.Context, req resource.ModifyPlanRequest) (diags diag.Diagnostics) {
	if !req.State.Raw.IsNull() {
		p.before = &deliveryModel{}
		diags.Append(p.before.read(ctx, req.State)...)
	}
	if req.Plan.Raw.IsNull() || diags.HasError() {
		return diags
	}
	if p.before != nil && p.before.OnDestroy.ValueString() == p.rec.defaultOnDestroy() && req.State.Raw.Equal(req.Plan.Raw) {
		p.after = p.before // Most objects do not change, and reading a model takes as long as all the rest.
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
		before, rec = nil, record{} // It is created, here or in the second call.
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
			fmt.Sprintf("FoneNumber %s delivers messages of type %q now. With type \"None\", messages received at it are deleted upon receipt, without any delivery.",
				number, before.Type.ValueString()))
	}
	if method := before.URLMethod.ValueString(); method != "" && method != fonestorm.URLMethodPOST && after.sends(before) &&
		before.Type.ValueString() == string(fonestorm.URL) && after.Type.ValueString() == string(fonestorm.URL) {
		diags.AddAttributeWarning(path.Root("url_method"), "Callback Method Changes to POST",
			fmt.Sprintf("FoneNumber %s calls its callback URL with %s now. This change sets the whole delivery, and delivery URLs can only be set with POST. "+
				"Make sure that the callback URL accepts POST requests.", number, method))
	}
	diags.Append(r.loopDiagnostics(after)...)
	return diags
}

// claim notes that the configuration has a delivery of the FoneNumber. Two resources of one configuration that want different
// things cannot both have them. What Terraform has left behind, in whatever order it is planned, is no error.
func (r *foneNumberDeliveryResource) claim(after deliveryModel, rec record) (diags diag.Diagnostics) {
	number := after.FoneNumber.ValueString()
	const summary = "Multiple Resources for One FoneNumber"
	switch r.wants(number, rec.ID, after) {
	case different:
		diags.AddAttributeError(path.Root("fonenumber"), summary,
			fmt.Sprintf("More than one fractel_fonenumber_delivery in the configuration sets FoneNumber %s, each in another way. "+
				"A FoneNumber has one delivery: remove all but one of them.", number))
	case sameTwice:
		diags.AddAttributeWarning(path.Root("fonenumber"), summary,
			fmt.Sprintf("More than one fractel_fonenumber_delivery in the configuration sets FoneNumber %s, all in the same way. "+
				"Destroying one of them can turn the FoneNumber off for the others: remove all but one of them.", number))
	case noConflict:
	}
	diags.Append(r.moveDiagnostics(number)...)
	return diags
}

func (r *foneNumberDeliveryResource) moveDiagnostics(number string) (diags diag.Diagnostics) {
	if r.moves(number) {
		diags.AddWarning("FoneNumber Moves Between Resources",
			fmt.Sprintf("The delivery of FoneNumber %s is destroyed as one object and set as another. It will end as configured, but messages received in between "+
				"may be deleted. If a resource was only renamed, a moved block avoids this.", number))
	}
	return diags
}

// planDestroy says what happens to the FoneNumber when an object is destroyed.
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
			fmt.Sprintf("Messages received at FoneNumber %s are deleted upon receipt, and still will be when this resource is destroyed.", number))
	case r.isWanted(number, rec.ID):
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s will deliver as another resource in the configuration sets it when this one is destroyed.", number))
	case !includes(own.destinations(before), delivers):
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s has a delivery of type %q now, which this resource has not set. It stays when this resource is destroyed.",
				number, delivers.Type))
	default:
		diags.AddWarning(summaryDeleted,
			fmt.Sprintf("When this resource is destroyed, messages received at FoneNumber %s are deleted upon receipt, without any delivery, "+
				"unless it then delivers to something that this resource has not set. To leave FoneStorm as it is, apply on_destroy = \"keep\" first, or use a removed block with destroy = false.", number))
	}
	if !keeps {
		diags.Append(r.moveDiagnostics(number)...)
	}
	return diags
}

// loopDiagnostics warns when messages would be forwarded in a loop.
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
				fmt.Sprintf("Messages received at FoneNumber %s would be forwarded back to it, through %d other FoneNumbers, without end.", number, len(seen)-1))
		}
	}
	return diags
}

// forwardOf returns where a FoneNumber forwards to, as planned or else as FoneStorm has shown it; "" when it does not or nothing
// is known of it.
func (r *foneNumberDeliveryResource) forwardOf(number string) string {
	if target, ok := r.plannedForward(number); ok {
		return target
	}
	if f, known := r.client.Known(number); known && f.Delivery != nil && f.Delivery.Type == fonestorm.Forward {
		return f.Delivery.Normalized().Value
	}
	return ""
}

// preview compares what a new delivery sets with what FoneStorm has now. Terraform plans again in an apply: what has been said
// before is not worth requests then.
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
			fmt.Sprintf("FoneNumber %s could not be read, so it is not known whether it is in the account and where it delivers now: %s. "+
				"Applying this plan overwrites its delivery.", number, err))
		return diags
	}
	diags.Append(statusDiagnostics(f)...)
	if f.MessagingDisabled {
		diags.AddAttributeWarning(path.Root("fonenumber"), "Messaging Is Not Enabled",
			fmt.Sprintf("FoneNumber %s receives no messages: messaging is not enabled for it in FoneStorm.", number))
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

// absentDiagnostics is about a FoneNumber that is not in the account. If a refresh has just found that, it is a warning, so
// that nobody who destroys has to change the configuration first: Terraform plans the configuration before it destroys.
func (r *foneNumberDeliveryResource) absentDiagnostics(err error, number string) (diags diag.Diagnostics) {
	d := apiDiagnostic(err, number)
	if r.isGone(number) {
		diags.AddAttributeWarning(path.Root("fonenumber"), d.Summary(),
			fmt.Sprintf("FoneNumber %s is no longer in the account, so it cannot be set again. Remove the resource from the configuration.", number))
		return diags
	}
	diags.AddAttributeError(path.Root("fonenumber"), d.Summary(),
		d.Detail()+"\n\nTo destroy the other resources all the same, run terraform destroy -refresh=false.")
	return diags
}

// check reads a FoneNumber for the preview. Once FoneStorm could not be reached, no other FoneNumber is read in this process:
// with a thousand of them that would take an hour.
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

// failsApply reports whether an error of a check is one that the apply would meet as well, or a response that cannot be true,
// after which nothing should be applied.
func failsApply(err error) bool {
	transient := []fonestorm.Kind{fonestorm.RateLimited, fonestorm.ServerError, fonestorm.Unreachable, fonestorm.Canceled}
	return !slices.Contains(transient, fonestorm.KindOf(err))
}
