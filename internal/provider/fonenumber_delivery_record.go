package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"math"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// recordKey is the key of the record in private state.
const recordKey = "delivery"

// record is what private state stores about a fractel_fonenumber_delivery in addition to its attributes. The zero value is
// the record of a resource about which nothing is known. A record is short and repeats nothing that the state contains:
// Terraform writes the whole state after each change, so 1,000 changes write every record 1,000 times.
type record struct {
	// ID distinguishes objects in the state that have the same FoneNumber. Terraform does not send their addresses to a
	// provider.
	ID string `json:"id,omitempty"`
	// FoneNumber is the FoneNumber that the record is about.
	FoneNumber string `json:"fonenumber,omitempty"`
	// Account is the FoneStorm account in which the FoneNumber was last seen; empty if the token did not contain it.
	Account string `json:"account,omitempty"`
	// Own means that this resource set the destination in the state, and no other one that FoneStorm may still have.
	Own bool `json:"own,omitempty"`
	// Set contains the destinations that this resource set, unless Own is true. It is empty after an import, and has more
	// than one element if it is not known whether the last one took effect.
	Set []destinationRecord `json:"set,omitempty"`
	// Uncertain means that the create failed, and that no refresh has found its delivery yet.
	Uncertain bool `json:"uncertain,omitempty"`
	// URLMethod is the method that FoneStorm returned after the delivery was set; empty if it returned none.
	URLMethod string `json:"url_method,omitempty"`
	// OnDestroy is the value in the state before a refresh removed it; empty otherwise.
	OnDestroy string `json:"on_destroy,omitempty"`
	// Imported means that the delivery was imported, and that this resource does not own it.
	Imported bool `json:"imported,omitempty"`
	// NoCallback means that FoneStorm returned no callback URL at the last refresh, not even a stale one.
	NoCallback bool `json:"no_callback,omitempty"`
	// Others is the number of other objects in the state that have the same FoneNumber and were recorded earlier, see
	// ownership.
	Others int `json:"others,omitempty"`
	// Creates is the FoneNumber that a planned create sets. It is never in a state.
	Creates string `json:"creates,omitempty"`
}

// destinationRecord is a destination in a record.
type destinationRecord struct {
	Type  fonestorm.DeliveryType `json:"type"`
	Value string                 `json:"value,omitempty"`
}

// setting returns the record with more destinations that this resource set.
func (rec record) setting(destinations ...fonestorm.Delivery) record {
	for _, d := range destinations {
		rec.Set = append(rec.Set, destinationRecord{d.Type, d.Value})
	}
	return rec
}

// privateState is Terraform's private state. The framework does not export its type.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readRecord returns the zero value if there is no record. The record of a replaced object is about another FoneNumber.
func readRecord(ctx context.Context, private privateState) (rec record, diags diag.Diagnostics) {
	data, diags := private.GetKey(ctx, recordKey)
	if len(data) == 0 || diags.HasError() {
		return rec, diags
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		diags.AddError("Invalid Private State", "Could not read the private state of this resource: "+err.Error()+". "+
			"Remove the resource from the state with a removed block that has destroy = false, then import the FoneNumber again.")
	}
	return rec, diags
}

func (rec record) write(ctx context.Context, private privateState) (diags diag.Diagnostics) {
	data, err := json.Marshal(rec)
	if err != nil {
		diags.AddError("Invalid Private State", "Could not write the private state of this resource: "+err.Error()+". This is a bug in the provider. Please report it to its developers.")
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

// compacted returns the record without what the state contains.
func (rec record) compacted(state deliveryModel) record {
	if !state.OnDestroy.IsNull() {
		rec.OnDestroy = ""
	}
	if d := state.destination(); len(rec.Set) == 1 && rec.Set[0] == (destinationRecord{d.Type, d.Value}) {
		rec.Own, rec.Set = true, nil
	}
	return rec
}

// expanded reverses compacted for the destination, which the state no longer contains once it changes.
func (rec record) expanded(state deliveryModel) record {
	if rec.Own {
		rec.Own = false
		rec = rec.setting(state.destination())
	}
	return rec
}

// of returns the record if it is about this FoneNumber, and the zero value otherwise. A tainted object is destroyed with the
// record of its replacement, which contains nothing about it.
func (rec record) of(number string) record {
	if rec.FoneNumber != number {
		return record{}
	}
	return rec
}

// defaultOnDestroy returns the value of on_destroy if the configuration does not set it.
func (rec record) defaultOnDestroy() string {
	if rec.Imported {
		return onDestroyKeep
	}
	return onDestroyDisable
}

// onDestroy returns the value of on_destroy for an object; empty if it is not known.
func (rec record) onDestroy(state deliveryModel) string {
	if !state.OnDestroy.IsNull() {
		return state.OnDestroy.ValueString()
	}
	return rec.OnDestroy
}

// destinations returns the destinations that the FoneNumber has if nothing else set it: those that this resource set or, if
// they are not known, the one in the state.
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

// others returns how many other objects must be destroyed before the FoneNumber is turned off. If a refresh found some and
// the record is lost, it returns more than can exist.
func (rec record) others(state deliveryModel) int {
	if rec.FoneNumber == "" && state.OnDestroy.IsNull() {
		return math.MaxInt - 1
	}
	return rec.Others
}
