package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ModifyPlan completes the plan of one object, and warns about what Terraform cannot show: which delivery is overwritten, and
// which messages will be deleted. The attributes that it plans depend only on the configuration, the state, and the record. What it
// warns about also depends on FoneStorm, but not on the order in which Terraform plans resources, except in fitDiagnostics and in which
// of several resources a problem is reported.
//
// Terraform plans a replacement with two calls: the change, and then a create without prior state but with the private state
// that the first call planned. It drops the warnings of the second call, so the first call returns all of them.
func (r *settingResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var diags diag.Diagnostics
	rec := readRecord(ctx, req.Private, &diags)
	isNew := rec.ID == ""
	rec = rec.identified()
	rec.Continues = "" // A destroy that failed leaves it in the state.
	if !isNew && !req.Plan.Raw.IsNull() && req.State.Raw.Equal(req.Plan.Raw) {
		m := settingWithID(rec.SettingID) // Most objects do not change, and it is faster not to read their models.
		resp.Diagnostics.Append(r.claim(m, rec, nil)...)
		resp.Diagnostics.Append(r.fitDiagnostics(m.FoneNumber.ValueString())...)
		return
	}
	var before, after *settingModel // Nil for none.
	if !req.State.Raw.IsNull() {
		before = new(r.load(ctx, req.State, &diags))
	}
	if !req.Plan.Raw.IsNull() {
		after = new(r.load(ctx, req.Plan, &diags))
		if after.OnDestroy.IsUnknown() { // Null if it is not configured, so that its default applies.
			diags.Append(req.Config.GetAttribute(ctx, path.Root("on_destroy"), &after.OnDestroy)...)
		}
	}
	if diags.HasError() {
		resp.Diagnostics.Append(diags...)
		return
	}

	diags.Append(r.planChange(ctx, before, after, &rec)...)
	if r.applying.Load() { // Terraform plans again before it applies. The user has already seen the warnings.
		diags = diags.Errors()
	}
	if after != nil {
		if diags.HasError() {
			r.ownersOf(after.id()).failed.Store(true)
		}
		diags.Append(resp.Plan.Set(ctx, r.attributes(*after))...)
		// Terraform gives the destroy of a tainted object the record of the create that replaces it, and not its own.
		if rec.SettingID == "" {
			found := r.foundInEffect(after.id())
			found.ID, found.Continues = rec.ID, rec.Continues
			rec = found
		}
	}
	// Also in the second call for a replacement, whose record the destroy gets.
	if r.ownersOf(rec.SettingID).isConfiguredBeside(rec.ID) {
		rec.Continues = rec.SettingID
	}
	if before == nil || after == nil || isNew { // A state that was edited can have no record.
		diags.Append(rec.write(ctx, resp.Private)...)
	}
	resp.Diagnostics.Append(diags...)
}

// planChange completes the planned model, and returns the diagnostics of the change. before and after are nil for none.
func (r *settingResource) planChange(ctx context.Context, before, after *settingModel, rec *record) (diags diag.Diagnostics) {
	isUpdate := before != nil && after != nil && after.hasID() && after.id() == before.id()
	if isUpdate {
		after.complete(before, *rec)
		diags.Append(r.planUpdate(ctx, *before, *after, *rec)...)
	}
	if before != nil && !isUpdate {
		diags.Append(r.planDestroy(ctx, *before, rec.ifAbout(*before))...)
	}
	if after != nil && !isUpdate {
		if after.OnDestroy.IsNull() && before != nil && before.OnDestroy.ValueString() == onDestroyKeep {
			diags.AddAttributeWarning(path.Root("on_destroy"), "Replacement Does Not Keep on_destroy",
				fmt.Sprintf("The resource of FoneNumber %s has on_destroy = \"keep\". The configuration does not set on_destroy, so its replacement has \"disable\": "+
					"destroying it deletes messages. To prevent this, set on_destroy = \"keep\".", before.FoneNumber.ValueString()))
		}
		after.complete(nil, *rec)
		rec.Continues = after.id()
		diags.Append(r.planCreate(ctx, *after, *rec)...)
	}
	for _, m := range []*settingModel{before, after} {
		if m != nil {
			diags.Append(r.fitDiagnostics(m.FoneNumber.ValueString())...)
		}
	}
	return diags
}

func (r *settingResource) planCreate(ctx context.Context, after settingModel, rec record) diag.Diagnostics {
	diags := r.unknownConfiguration()
	if !after.hasID() {
		diags.AddAttributeWarning(path.Root("fonenumber"), "FoneNumber Not Checked",
			fmt.Sprintf("The FoneNumber is known only after apply, so the plan does not show which %s it has. Applying this plan overwrites it. "+
				"To see it first, apply the resources that the FoneNumber comes from (-target), and plan again.", after.option()))
		return diags
	}
	diags.Append(r.claim(after, rec, new(after.planned()))...)
	if diags.HasError() || !r.checks() {
		return diags
	}
	number := after.FoneNumber.ValueString()
	f, err := r.client.GetFoneNumber(ctx, number, after.option())
	switch {
	case fonestorm.KindOf(err) == fonestorm.NotFound && r.ownersOf(number).gone.Load():
		// An error would block `terraform destroy`, which plans the configuration first.
		diags.AddAttributeWarning(path.Root("fonenumber"), apiDiagnostic(err).Summary(),
			fmt.Sprintf("FoneNumber %s is no longer in the account, so it cannot be set again. Remove the resource from the configuration.", number))
		return diags
	case fonestorm.KindOf(err) == fonestorm.NotFound:
		d := apiDiagnostic(err)
		diags.AddAttributeError(path.Root("fonenumber"), d.Summary(), d.Detail()+"\n\n"+
			"If you are running terraform destroy: to destroy the other resources anyway, run terraform destroy -refresh=false.")
		return diags
	case err != nil:
		return append(diags, r.readFailure(err)...)
	}
	diags.Append(statusDiagnostics(f)...)
	if f.MessagingDisabled {
		diags.AddAttributeWarning(path.Root("fonenumber"), "Messaging Is Not Enabled",
			fmt.Sprintf("FoneNumber %s receives no messages, because messaging is not enabled for it. Enable messaging in FoneStorm.", number))
	}
	diags.Append(methodDiagnostics(f.Options[after.option()], after)...)
	diags.Append(overwriteDiagnostics(f, after, rec)...)
	diags.Append(r.deviceDiagnostics(ctx, after)...)
	return diags
}

func (r *settingResource) planUpdate(ctx context.Context, before, after settingModel, rec record) diag.Diagnostics {
	diags := r.claim(after, rec, new(after.planned()))
	if !after.sends(before) {
		return diags
	}
	diags.Append(pairDiagnostics(after)...)
	if after.isDelivery() && after.kind() == fonestorm.None && before.kind() != fonestorm.None {
		diags.AddAttributeWarning(path.Root("type"), summaryDeleted,
			fmt.Sprintf("FoneNumber %s has a delivery of type %q now. With type \"None\", messages received at it are deleted upon receipt without any delivery.",
				after.FoneNumber.ValueString(), before.Type.ValueString()))
	}
	now, _ := r.found(ctx, before, rec)
	diags.Append(methodDiagnostics(now, after)...)
	diags.Append(credentialsDiagnostics(now, before, after, rec)...)
	diags.Append(r.deviceDiagnostics(ctx, after)...)
	return diags
}

// found returns the destination that an object has now, and whether this resource applied it: as FoneStorm shows it or, if the plan does
// not read from it, as the state has it.
func (r *settingResource) found(ctx context.Context, before settingModel, rec record) (now fonestorm.Delivery, inEffect bool) {
	if r.checks() {
		if f, inEffect, err := rec.current(ctx, r.client, before); err == nil {
			return f.Options[before.option()], inEffect
		}
	}
	now = before.destination()
	_, inEffect = rec.find(now)
	return now, inEffect
}

// pairDiagnostics returns an error if the planned type and value do not belong together. The configuration was validated, but
// ignore_changes can combine one half of it with the other half of the state.
func pairDiagnostics(after settingModel) (diags diag.Diagnostics) {
	if wrong := destinationErrors(after); after.isKnown() && wrong.HasError() {
		diags.AddAttributeError(path.Root("value"), "Invalid Destination",
			fmt.Sprintf("The plan for FoneNumber %s with type %q combines arguments that do not belong together. %s\n\n"+
				"This happens if ignore_changes contains only some of type, value, and url_method. Add all of them to ignore_changes, or none. "+
				"If you are running `terraform destroy`: add -refresh=false to destroy the resource anyway.",
				after.FoneNumber.ValueString(), after.Type.ValueString(), wrong[0].Detail()))
	}
	return diags
}

// methodDiagnostics warns if FoneStorm calls the callback URL of a delivery with a method that cannot be set.
func methodDiagnostics(now fonestorm.Delivery, after settingModel) (diags diag.Diagnostics) {
	isOther := now.Type.IsCallback() && now.URLMethod != "" && now.URLMethod != fonestorm.URLMethodPOST
	if after.isDelivery() && after.kind().IsCallback() && isOther {
		diags.AddAttributeWarning(path.Root("url_method"), "Callback Method Changes to POST",
			fmt.Sprintf("FoneStorm calls the callback URL of FoneNumber %s with %q now. Applying this plan changes the method to \"POST\", the only one that can be set. "+
				"Make sure that the callback URL accepts POST requests.", after.FoneNumber.ValueString(), now.URLMethod))
	}
	return diags
}

// credentialsDiagnostics warns about credentials of a callback URL that are removed, although they are not in the state.
func credentialsDiagnostics(now fonestorm.Delivery, before, after settingModel, rec record) (diags diag.Diagnostics) {
	isRemoved := after.URLUsername.IsNull() && after.ToAPI(now, prior{before, rec}).Credentials != nil
	if rec.Unseen && before.URLUsername.IsNull() && isRemoved {
		diags.AddAttributeWarning(path.Root("url_username"), "Callback Credentials Will Be Removed",
			fmt.Sprintf("The %s of FoneNumber %s may have callback credentials that were not set by Terraform. They must not reach another URL, so applying this plan "+
				"removes them. If the new callback URL requires credentials, set url_username and url_password_wo.", after.option(), after.FoneNumber.ValueString()))
	}
	return diags
}

// claim records that the configuration contains the setting, and what it will be, as in owners. Two resources of one configuration are
// an error, even if they agree. Objects that are only in the state are not.
func (r *settingResource) claim(m settingModel, rec record, planned *fonestorm.Delivery) (diags diag.Diagnostics) {
	if !r.plans(m.id(), rec.ID, planned) {
		diags.AddAttributeError(path.Root("fonenumber"), summaryMultiple,
			fmt.Sprintf("Several resources in the configuration set the %s of FoneNumber %s, but a FoneNumber has only one. "+
				"Remove all but one of them.", m.option(), m.FoneNumber.ValueString()))
	}
	return diags
}

// planDestroy warns about a destroy that deletes messages, or that leaves a destination which was not set by the resource.
func (r *settingResource) planDestroy(ctx context.Context, before settingModel, rec record) (diags diag.Diagnostics) {
	if before.OnDestroy.ValueString() == onDestroyKeep {
		r.plans(before.id(), "", nil)
		return nil
	}
	number := before.FoneNumber.ValueString()
	now, inEffect := r.found(ctx, before, rec)
	var after *fonestorm.Delivery // Nil if it stays as it is.
	switch {
	case now.Type == fonestorm.None:
	case !inEffect:
		diags.AddWarning(summaryLeftUnchanged,
			fmt.Sprintf("FoneNumber %s has a %s of type %q now, which was not set by this resource. Destroying this resource does not change it.",
				number, before.option(), now.Type))
	default:
		after = &fonestorm.Delivery{Type: fonestorm.None}
		if !before.isDelivery() {
			break
		}
		diags.AddWarning(summaryDeleted,
			fmt.Sprintf("Destroying this resource turns FoneNumber %s off: messages received at it are deleted. "+
				"If another resource in the configuration sets it, it can still be off for a while: if you renamed the resource, add a moved block. "+
				"To keep the delivery, apply on_destroy = \"keep\" first.", number))
	}
	r.plans(before.id(), "", after)
	return diags
}

// overwriteDiagnostics warns if a create finds a destination: either another one, which it overwrites, or the configured delivery,
// which its destroy will end.
func overwriteDiagnostics(f fonestorm.FoneNumber, after settingModel, rec record) (diags diag.Diagnostics) {
	found := f.Options[after.option()]
	same := after.isKnown() && fonestorm.SameDestination(found.Normalized(), after.destination())
	sameMethod := found.URLMethod == after.destination().URLMethod
	isHarmless := after.OnDestroy.ValueString() == onDestroyKeep || !after.isDelivery() && sameMethod
	switch {
	case found.Type == fonestorm.None, same && isHarmless:
		return nil
	case same && after.isDelivery():
		diags.AddWarning("FoneNumber Already Has This Delivery",
			fmt.Sprintf("FoneNumber %s already delivers to the configured destination. If you renamed a resource, or a list is used with count, add a moved block or use "+
				"for_each: otherwise another resource is destroyed, which can delete messages until the FoneNumber is set again. If the delivery was set outside of Terraform, "+
				"import it, or set on_destroy = \"keep\": destroying this resource will delete messages.", f.Number))
		return diags
	}
	has := fmt.Sprintf("The %s of FoneNumber %s is", after.option(), f.Number)
	if after.isDelivery() {
		has = "FoneNumber " + f.Number + " delivers to"
	}
	detail := fmt.Sprintf("%s %s now. Applying this plan replaces it with %s.", has, found, after.describe())
	if found.Type.IsCallback() {
		detail += " To see the whole URL, read it with the data source fractel_fonenumber first."
	}
	if after.kind().IsCallback() && after.URLUsername.IsNull() && !same {
		detail += " The apply also removes callback credentials of the FoneNumber, if it has any."
	}
	if rec.SettingID == "" { // An object that is replaced is in the state already.
		detail += fmt.Sprintf("\n\nTo adopt the FoneNumber as it is instead, import it to this resource's address, which is shown after \"with\":\n\n"+
			"import {\n  to = <address of this resource>\n  id = %q\n}", after.id())
	}
	switch {
	case !after.isDelivery():
		diags.AddWarning("FoneNumber Already Has a Notification", detail)
	case after.kind() == fonestorm.None:
		diags.AddAttributeWarning(path.Root("type"), summaryDeleted, detail)
	default:
		diags.AddWarning("FoneNumber Already Delivers Elsewhere", detail)
	}
	return diags
}

// fitDiagnostics warns if the plan makes the delivery and the receive notification of a FoneNumber not fit together. Each has a
// resource of its own, or none, and Terraform plans them in any order. So both compare what is planned so far, and, for a setting that
// is not planned, what FoneStorm shows. The first one that finds a problem warns.
func (r *settingResource) fitDiagnostics(number string) (diags diag.Diagnostics) {
	if r.client == nil {
		return nil
	}
	f := r.client.Known(number)
	delivery, deliveryChanges := r.willBe(number, f.Options[fonestorm.Receive])
	notification, notificationChanges := r.willBe(number+"/"+eventReceive, f.Options[fonestorm.ReceiveNotify])
	isTwice := delivery.Type == fonestorm.URL && notification.Type == fonestorm.Callback &&
		fonestorm.SameDestination(delivery, fonestorm.Delivery{Type: fonestorm.URL, Value: notification.Value})
	isDeleted := delivery.Type == fonestorm.None && notification.Type != fonestorm.None && notification.Type != ""
	switch {
	case isTwice && (deliveryChanges || notificationChanges) && r.isFirst("twice "+number):
		diags.AddAttributeWarning(path.Root("value"), "Messages Will Arrive Twice",
			fmt.Sprintf("The receive notification of FoneNumber %s calls the same URL as its delivery, so FoneStorm will send every message there twice, "+
				"unless another resource in the configuration changes one of them. Use another URL for one of them, or set the notification to type \"None\".", number))
	case isDeleted && notificationChanges && r.isFirst("deleted "+number):
		diags.AddAttributeWarning(path.Root("fonenumber"), "Notification Without Delivery",
			fmt.Sprintf("FoneNumber %s has a receive notification, but its delivery has type \"None\": the messages themselves are deleted upon receipt, "+
				"unless another resource in the configuration sets the delivery. If a fractel_fonenumber_delivery does, refer to its fonenumber in the notification, so that it is planned first.", number))
	}
	return diags
}

// deviceDiagnostics warns about a device that is not in the account.
func (r *settingResource) deviceDiagnostics(ctx context.Context, after settingModel) (diags diag.Diagnostics) {
	if after.kind() != fonestorm.Device || !after.isKnown() || !r.checks() {
		return nil
	}
	list, err := r.client.ListDevices(ctx)
	isWanted := func(d fonestorm.RegisteredDevice) bool {
		return fonestorm.SameDestination(after.destination(), fonestorm.Delivery{Type: fonestorm.Device, Value: d.ID})
	}
	if err == nil && !slices.ContainsFunc(list, isWanted) {
		diags.AddAttributeWarning(path.Root("value"), "Device Not Found in Account",
			fmt.Sprintf("FoneNumber %s will deliver to a device that the account does not list, so FoneStorm may reject the delivery or lose messages. "+
				"Check the ID, or look it up by name with the data source fractel_device.", after.FoneNumber.ValueString()))
	}
	return diags
}
