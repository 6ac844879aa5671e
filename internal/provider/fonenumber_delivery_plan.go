package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

var _ resource.ResourceWithModifyPlan = (*foneNumberDeliveryResource)(nil)

// ModifyPlan changes nothing in a plan. It tells what Terraform itself cannot: what a new delivery overwrites, which
// messages will be deleted, and which plans contradict each other.
//
// A change of the FoneNumber is planned by Terraform in two calls: the change, here the end of the old number's
// delivery, and then a creation.
func (r *foneNumberDeliveryResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var before, after deliveryModel
	if !req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &after)...)
	}
	switch {
	case req.State.Raw.IsNull():
	case req.State.Raw.Equal(req.Plan.Raw): // Most are, and reading a state takes as long as all the rest.
		before = after
	default:
		resp.Diagnostics.Append(req.State.Get(ctx, &before)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	switch {
	case req.State.Raw.IsNull():
		resp.Diagnostics.Append(r.planCreate(ctx, after)...)
	case req.Plan.Raw.IsNull() || !after.FoneNumber.Equal(before.FoneNumber):
		original, diags := readOriginal(ctx, req.Private)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(r.planDestroy(before, original)...)
	default:
		resp.Diagnostics.Append(r.planUpdate(before, after)...)
	}
}

func (r *foneNumberDeliveryResource) planCreate(ctx context.Context, after deliveryModel) diag.Diagnostics {
	if after.FoneNumber.IsUnknown() {
		return nil
	}
	diags := r.compare(after.FoneNumber.ValueString(), numberPlans{created: true, wanted: &after})
	diags.Append(r.circleDiagnostics(after)...)
	diags.Append(r.preview(ctx, after)...)
	return diags
}

func (r *foneNumberDeliveryResource) planUpdate(before, after deliveryModel) diag.Diagnostics {
	diags := r.compare(after.FoneNumber.ValueString(), numberPlans{kept: true, wanted: &after})
	if after.deletesMessages() && !before.deletesMessages() {
		diags.AddAttributeWarning(path.Root("type"), summaryDeleted,
			fmt.Sprintf("FoneNumber %s delivers to %s now. With type \"None\", messages received at it are deleted upon receipt, without any delivery.",
				after.FoneNumber.ValueString(), before.describe()))
	}
	diags.Append(r.circleDiagnostics(after)...)
	return diags
}

const summaryDeleted = "Messages will be deleted"

// planDestroy tells what becomes of the FoneNumber's messages when its delivery is not managed anymore.
func (r *foneNumberDeliveryResource) planDestroy(before deliveryModel, original *fonestorm.Delivery) diag.Diagnostics {
	number := before.FoneNumber.ValueString()
	left, changes := before.afterDestroy(original)
	var diags diag.Diagnostics
	if changes {
		diags.Append(r.compare(number, numberPlans{destroyed: true})...)
	}
	restoring := before.OnDestroy.ValueString() == onDestroyRestore
	switch {
	case restoring && !changes:
		diags.AddWarning("Nothing to restore",
			fmt.Sprintf("It is not known where FoneNumber %s delivered before, because its delivery was imported or created with another on_destroy. "+
				"It will stay as it is, as with on_destroy = \"keep\".", number))
	case restoring && left.Type == fonestorm.URL:
		diags.AddWarning("Callback credentials will not be restored",
			fmt.Sprintf("FoneNumber %s will deliver to %s again. If that callback needs a user name and password, set them at FoneStorm: "+
				"it never tells them, so they could not be remembered.", number, &left))
	}
	if changes && left.Type == fonestorm.None && !before.deletesMessages() {
		diags.AddWarning(summaryDeleted,
			fmt.Sprintf("FoneNumber %s delivers to %s now. Once this resource is destroyed, messages received at it are deleted upon receipt, "+
				"without any delivery. To leave FoneStorm as it is, apply on_destroy = \"keep\" first, or use a removed block with destroy = false.",
				number, before.describe()))
	}
	return diags
}

// compare finds contradictions with what else this run has planned for the FoneNumber.
func (r *foneNumberDeliveryResource) compare(number string, plans numberPlans) (diags diag.Diagnostics) {
	switch r.notePlan(number, plans) {
	case twoOwners:
		diags.AddAttributeError(path.Root("fonenumber"), "Two resources for one FoneNumber",
			fmt.Sprintf("More than one fractel_fonenumber_delivery sets FoneNumber %s. A FoneNumber delivers to one destination: remove all but one of them.", number))
	case killedOwner:
		diags.AddError("Two resources for one FoneNumber",
			fmt.Sprintf("FoneNumber %s is set by one fractel_fonenumber_delivery and turned off by the destruction of another. "+
				"Take the other out of the state without destroying it: use a removed block with destroy = false.", number))
	case handover:
		diags.AddWarning("FoneNumber changes hands",
			fmt.Sprintf("FoneNumber %s goes from one fractel_fonenumber_delivery to another. It will end with its new delivery, but messages received in between "+
				"may be deleted. If the resource was only renamed, a moved block avoids this.", number))
	case noConflict:
	}
	return diags
}

// circleDiagnostics warns when messages would be forwarded in a circle.
func (r *foneNumberDeliveryResource) circleDiagnostics(after deliveryModel) (diags diag.Diagnostics) {
	if r.client == nil || after.Type.ValueString() != string(fonestorm.Forward) || after.Value.IsUnknown() {
		return nil
	}
	if way := r.forwardsBack(after.FoneNumber.ValueString(), after.Value.ValueString()); way != nil {
		diags.AddAttributeWarning(path.Root("value"), "Forwards go in a circle",
			fmt.Sprintf("Messages would be forwarded without end: %s.", strings.Join(way, " to ")))
	}
	return diags
}

// preview compares what a new delivery sets with what FoneStorm has now. Terraform plans again in an apply: what has been
// said before is not worth requests then.
func (r *foneNumberDeliveryResource) preview(ctx context.Context, after deliveryModel) (diags diag.Diagnostics) {
	if !r.checkOnPlan || r.client == nil || r.isApplying() {
		return nil
	}
	number := after.FoneNumber.ValueString()
	f, err := r.check(ctx, number)
	if err != nil {
		if failsApply(err) {
			diags.Append(apiDiagnostic(err, number))
			return diags
		}
		diags.AddWarning("FoneNumber could not be checked",
			fmt.Sprintf("FoneStorm could not be asked whether it has FoneNumber %s and where it delivers now: %s. The apply will overwrite what is there.", number, err))
		return diags
	}
	diags.Append(statusDiagnostics(f)...)
	if f.MessagingDisabled {
		diags.AddAttributeWarning(path.Root("fonenumber"), "Messaging is not enabled",
			fmt.Sprintf("FoneNumber %s receives no messages: messaging is not enabled for it in FoneStorm.", number))
	}
	if found := f.Delivery; found != nil && found.Type != "" && found.Type != fonestorm.None && !after.plansTo(*found) {
		diags.AddWarning("FoneNumber already delivers elsewhere",
			fmt.Sprintf("FoneNumber %s delivers to %s now, which somebody else has set. The apply replaces this by %s.\n\n"+
				"To adopt the FoneNumber as it is instead, import it to this resource's address:\n\n"+
				"import {\n  to = <address of this resource>\n  id = %q\n}", number, found, after.describe(), number))
	}
	return diags
}

// check reads a FoneNumber for the preview. Once FoneStorm could not be asked, it is not asked again in this run: with
// a thousand FoneNumbers that would take an hour.
func (r *foneNumberDeliveryResource) check(ctx context.Context, number string) (fonestorm.FoneNumber, error) {
	r.mu.Lock()
	unchecked := r.unchecked
	r.mu.Unlock()
	if unchecked != nil {
		return fonestorm.FoneNumber{}, unchecked
	}
	f, err := r.client.GetFoneNumber(ctx, number)
	if err != nil && !failsApply(err) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.unchecked = err
	}
	return f, err
}

// failsApply reports whether an error of a check is one that the apply would meet as well, or an answer that cannot be
// true, after which nothing should be applied.
func failsApply(err error) bool {
	var answered *fonestorm.Error
	var unusable *fonestorm.AnswerError
	return errors.As(err, &unusable) || errors.As(err, &answered) && answered.Kind() != fonestorm.RateLimited && answered.Kind() != fonestorm.Failing
}
