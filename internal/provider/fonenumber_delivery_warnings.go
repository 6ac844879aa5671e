package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// destinationDiagnostics warns about a new destination that FoneStorm accepts but that is probably a mistake. The prior
// state is nil for a create. An unchanged destination gets no warning, which would appear in every plan.
func (r *foneNumberDeliveryResource) destinationDiagnostics(ctx context.Context, before *deliveryModel, after deliveryModel) diag.Diagnostics {
	if r.client == nil || r.isApplying() || after.hasUnknown() || after.FoneNumber.IsUnknown() ||
		before != nil && after.FoneNumber.Equal(before.FoneNumber) && after.sameDestination(*before) {
		return nil
	}
	kind := fonestorm.DeliveryType(after.Type.ValueString())
	if kind == fonestorm.Device {
		return r.deviceDiagnostics(ctx, after)
	}
	if kind == fonestorm.URL {
		return r.notificationDiagnostics(after)
	}
	return nil
}

// notificationDiagnostics warns if the receive notification calls the same URL. It sends no request, because a refresh or
// the preview has read the FoneNumber.
func (r *foneNumberDeliveryResource) notificationDiagnostics(after deliveryModel) (diags diag.Diagnostics) {
	number := after.FoneNumber.ValueString()
	f, known := r.client.Known(number)
	if !known || f.ReceiveNotify.Type != fonestorm.NotifyCallback {
		return nil
	}
	notified := fonestorm.Delivery{Type: fonestorm.URL, Value: f.ReceiveNotify.URL}
	if fonestorm.SameDestination(notified, after.destination()) {
		diags.AddAttributeWarning(path.Root("value"), "Messages Will Arrive Twice",
			fmt.Sprintf("The receive notification of FoneNumber %s calls the same URL as this delivery, so FoneStorm will send every message there twice. "+
				"Remove the notification in FoneStorm, or use another URL for one of them.", number))
	}
	return diags
}

// deviceDiagnostics warns about a device that is not in the account.
func (r *foneNumberDeliveryResource) deviceDiagnostics(ctx context.Context, after deliveryModel) (diags diag.Diagnostics) {
	if !r.checkOnPlan || r.firstFailure(nil) != nil {
		return nil
	}
	list, err := r.client.ListDevices(ctx)
	wanted := fonestorm.Delivery{Type: fonestorm.Device, Value: after.Value.ValueString()}
	isWanted := func(d fonestorm.RegisteredDevice) bool {
		return fonestorm.SameDestination(wanted, fonestorm.Delivery{Type: fonestorm.Device, Value: d.ID})
	}
	if err == nil && !slices.ContainsFunc(list, isWanted) {
		diags.AddAttributeWarning(path.Root("value"), "Device Not Found in Account",
			fmt.Sprintf("FoneNumber %s will deliver to a device that the account does not list, so FoneStorm may reject the delivery or lose messages. "+
				"Check the ID, or look it up by name with the data source fractel_device.", after.FoneNumber.ValueString()))
	}
	return diags
}
