package provider

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// destinationDiagnostics warns of a new destination that FoneStorm accepts and that is hardly meant. The state before is nil
// for a create. Deliveries that do not change are not warned about: that would repeat itself in every plan.
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

// notificationDiagnostics warns when the receive notification calls the same URL. It sends no request: a refresh or the
// preview has read the FoneNumber.
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

// deviceDiagnostics warns of a device that the account does not have.
func (r *foneNumberDeliveryResource) deviceDiagnostics(ctx context.Context, after deliveryModel) (diags diag.Diagnostics) {
	if !r.checkOnPlan || r.firstFailure(nil) != nil {
		return nil
	}
	known := r.devices.read(ctx, r.client)
	if known != nil && !known[after.Value.ValueString()] {
		diags.AddAttributeWarning(path.Root("value"), "Device Not Found in Account",
			fmt.Sprintf("FoneNumber %s will deliver to a device that the account does not list, so FoneStorm may reject the delivery or lose its messages. "+
				"Check the ID. The data source fractel_device finds it by the name of the device.", after.FoneNumber.ValueString()))
	}
	return diags
}

// deviceList is the account's devices as a plan knows them. They are requested once, whether or not that succeeds. The zero
// value is ready for use.
type deviceList struct {
	mu   sync.Mutex
	done chan struct{}   // Closed when the response has arrived; nil before the request.
	ids  map[string]bool // Nil when the list cannot be had.
}

// read waits no longer than its own call lasts: the list may take minutes, and Ctrl-C must end all who wait for it.
func (l *deviceList) read(ctx context.Context, client *fonestorm.Client) map[string]bool {
	l.mu.Lock()
	done, first := l.done, l.done == nil
	if first {
		done = make(chan struct{})
		l.done = done
	}
	l.mu.Unlock()
	if first {
		l.ids = deviceIDs(ctx, client)
		close(done)
	}
	select {
	case <-done:
		return l.ids
	case <-ctx.Done():
		return nil
	}
}

func deviceIDs(ctx context.Context, client *fonestorm.Client) map[string]bool {
	list, err := client.ListDevices(ctx)
	if err != nil {
		return nil
	}
	ids := make(map[string]bool, len(list))
	for _, d := range list {
		ids[d.ID] = true
	}
	return ids
}
