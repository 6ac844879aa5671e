package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// originalKey is where private state keeps what a FoneNumber delivered to before its resource was created.
const originalKey = "original"

// original is its form there.
type original struct {
	Type  fonestorm.DeliveryType `json:"type"`
	Value string                 `json:"value,omitempty"`
}

// privateState is Terraform's storage for what is no attribute. The framework does not let its type be named.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// rememberOriginal keeps what the FoneNumber delivers to before it is set. It asks FoneStorm only where on_destroy needs
// it; otherwise it takes what the plan's check has found, if there was one, in case on_destroy changes later.
func (r *foneNumberDeliveryResource) rememberOriginal(ctx context.Context, plan deliveryModel, private privateState) (diags diag.Diagnostics) {
	number := plan.FoneNumber.ValueString()
	f, known := r.client.Known(number)
	if !known && plan.OnDestroy.ValueString() == onDestroyRestore {
		var err error
		if f, err = r.client.GetFoneNumber(ctx, number); err != nil {
			diags.Append(apiDiagnostic(err, number))
			return diags
		}
	}
	if f.Delivery == nil {
		return nil
	}
	kept, err := json.Marshal(original{Type: f.Delivery.Type, Value: f.Delivery.Value})
	if err != nil {
		diags.AddError("Original delivery cannot be remembered", fmt.Sprintf("FoneNumber %s: %s.", number, err))
		return diags
	}
	return private.SetKey(ctx, originalKey, kept)
}

// readOriginal returns what was remembered; nil when nothing was, or when it cannot be set again.
func readOriginal(ctx context.Context, private privateState) (*fonestorm.Delivery, diag.Diagnostics) {
	kept, diags := private.GetKey(ctx, originalKey)
	if len(kept) == 0 || diags.HasError() {
		return nil, diags
	}
	var o original
	if err := json.Unmarshal(kept, &o); err != nil {
		diags.AddError("Original delivery cannot be read", fmt.Sprintf("The private state is damaged: %s.", err))
		return nil, diags
	}
	if o.Type == "" { // None was ever set, which is like None.
		o.Type = fonestorm.None
	}
	if !slices.Contains(fonestorm.DeliveryTypes(), o.Type) {
		return nil, diags
	}
	return &fonestorm.Delivery{Type: o.Type, Value: o.Value}, diags
}
