package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"math"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// recordKey is where private state contains the record.
const recordKey = "delivery"

// record is what private state remembers of a fractel_fonenumber_delivery besides its attributes. The zero value is that of a
// resource of which nothing is known. It is short, and repeats nothing that the state contains: Terraform writes the whole
// state after each change, so that 1,000 changes write every record 1,000 times.
type record struct {
	// ID distinguishes objects in the state that have the same FoneNumber. Terraform does not name them to a provider.
	ID string `json:"id,omitempty"`
	// FoneNumber is the one that all of this is about.
	FoneNumber string `json:"fonenumber,omitempty"`
	// Account is the FoneStorm account in which it was seen last; empty when the token did not say.
	Account string `json:"account,omitempty"`
	// Own says that this resource has set the destination in the state, and nothing else that may still be there.
	Own bool `json:"own,omitempty"`
	// Set contains what this resource has set unless Own says it. It is empty after an import, and has more than one element
	// when it is not known whether the last one took effect.
	Set []destinationRecord `json:"set,omitempty"`
	// Uncertain says that the create which set it failed, and no refresh has found it yet.
	Uncertain bool `json:"uncertain,omitempty"`
	// URLMethod is what FoneStorm showed as method after that; empty when it showed none.
	URLMethod string `json:"url_method,omitempty"`
	// OnDestroy is what the state contained before a refresh took it out; empty otherwise.
	OnDestroy string `json:"on_destroy,omitempty"`
	// Imported says that the delivery was not created by this resource and is not its own.
	Imported bool `json:"imported,omitempty"`
	// NoCallback says that FoneStorm showed no callback URL at the last refresh, not even a stale one.
	NoCallback bool `json:"no_callback,omitempty"`
	// Others is how many other objects in the state have the same FoneNumber and were noted earlier, see ownership.
	Others int `json:"others,omitempty"`
	// Creates is the FoneNumber that a planned create sets. It is never in a state.
	Creates string `json:"creates,omitempty"`
}

// destinationRecord is a destination in a record.
type destinationRecord struct {
	Type  fonestorm.DeliveryType `json:"type"`
	Value string                 `json:"value,omitempty"`
}

// setting returns the record with further destinations that this resource has set.
func (rec record) setting(destinations ...fonestorm.Delivery) record {
	for _, d := range destinations {
		rec.Set = append(rec.Set, destinationRecord{d.Type, d.Value})
	}
	return rec
}

// privateState is Terraform's storage for what is no attribute. The framework does not export its type.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readRecord returns the zero value when there is no record, or one of another FoneNumber, as that of a replaced object.
func readRecord(ctx context.Context, private privateState) (rec record, diags diag.Diagnostics) {
	data, diags := private.GetKey(ctx, recordKey)
	if len(data) == 0 || diags.HasError() {
		return rec, diags
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		diags.AddError("Invalid Private State", "The private state of this resource cannot be read. Import the FoneNumber again: "+err.Error()+".")
	}
	return rec, diags
}

func (rec record) write(ctx context.Context, private privateState) (diags diag.Diagnostics) {
	data, err := json.Marshal(rec)
	if err != nil {
		diags.AddError("Invalid Private State", "The private state of this resource cannot be written: "+err.Error()+".")
		return diags
	}
	return private.SetKey(ctx, recordKey, data)
}

// identified returns the record with an ID.
func (rec record) identified() record {
	if rec.ID == "" {
		rec.ID = rand.Text()[:8] // 40 random bits.
	}
	return rec
}

// compacted returns the record without what a state contains as well.
func (rec record) compacted(state deliveryModel) record {
	if !state.OnDestroy.IsNull() {
		rec.OnDestroy = ""
	}
	if d := state.destination(); len(rec.Set) == 1 && rec.Set[0] == (destinationRecord{d.Type, d.Value}) {
		rec.Own, rec.Set = true, nil
	}
	return rec
}

// expanded undoes compacted for the destination, which differs from that in the state once the state changes.
func (rec record) expanded(state deliveryModel) record {
	if rec.Own {
		rec.Own = false
		rec = rec.setting(state.destination())
	}
	return rec
}

// of returns the record if it is about this FoneNumber. A tainted object is destroyed with the record of its replacement,
// which knows nothing of it.
func (rec record) of(number string) record {
	if rec.FoneNumber != number {
		return record{}
	}
	return rec
}

// defaultOnDestroy is what on_destroy is when the configuration does not set it.
func (rec record) defaultOnDestroy() string {
	if rec.Imported {
		return onDestroyKeep
	}
	return onDestroyDisable
}

// onDestroy returns what happens when the object is destroyed; empty when nothing is known of it.
func (rec record) onDestroy(state deliveryModel) string {
	if !state.OnDestroy.IsNull() {
		return state.OnDestroy.ValueString()
	}
	return rec.OnDestroy
}

// destinations returns where the FoneNumber delivers if nobody else has set it: to what this resource has set or, when
// that is not known, to what the state says.
func (rec record) destinations(state deliveryModel) []fonestorm.Delivery {
	if len(rec.Set) == 0 {
		return []fonestorm.Delivery{state.destination()}
	}
	var set []fonestorm.Delivery
	for _, d := range rec.Set {
		set = append(set, fonestorm.Delivery{Type: d.Type, Value: d.Value})
	}
	return set
}

// others returns how many other objects must be destroyed before the FoneNumber is turned off. When a refresh found some and
// the record is lost, no number is high enough.
func (rec record) others(state deliveryModel) int {
	if rec.FoneNumber == "" && state.OnDestroy.IsNull() {
		return math.MaxInt - 1
	}
	return rec.Others
}
