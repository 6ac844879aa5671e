package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// recordKey is the key of the record in private state.
const recordKey = "setting"

// record is what private state contains about a setting in addition to its attributes. It is explicit about what this resource
// set, because the state of a destroy may or may not have been refreshed. It is short, because Terraform
// writes the whole state after each change.
type record struct {
	// ID is the record ID. It distinguishes objects in the state that manage the same setting, because Terraform does not send their
	// addresses to a provider.
	ID string `json:"id,omitempty"`
	// SettingID is the ID of the setting that the record is about.
	SettingID string `json:"setting,omitempty"`
	// Account is the FoneStorm account in which the FoneNumber was last set or found; empty if the token did not name it.
	Account string `json:"account,omitempty"`
	// Applied contains the destinations that this resource may have left in FoneStorm: the last one that was set, imported, or adopted,
	// and after it those of settings whose outcome is unknown.
	Applied []fonestorm.Delivery `json:"applied,omitempty"`
	// Shown is how FoneStorm showed the first of them after it was set. Nil means that this resource has not set it, as after
	// an import, or does not know whether it has.
	Shown *fonestorm.Delivery `json:"shown,omitempty"`
	// Unseen means that FoneStorm may have callback credentials that are not in the state: something else set them, or they
	// remained because FoneStorm rejected empty ones.
	Unseen bool `json:"unseen,omitempty"`
	// Continues is the ID of the setting if another object sets it after this one is destroyed, as the plan of the destroy knows: its
	// replacement, or another resource in the configuration.
	Continues string `json:"continues,omitempty"`
}

// last returns the destination that this resource set last, and how FoneStorm showed it; zero values if it has set nothing.
func (rec record) last() (set, asShown fonestorm.Delivery) {
	if rec.Shown == nil {
		return set, asShown
	}
	return rec.Applied[0], *rec.Shown
}

// find returns the applied destination that FoneStorm shows, in the spelling in which it was set, and true. For any other
// destination, it returns what FoneStorm shows, normalized. Tokens that are percent-encoded in a URL make it another one, unless this
// resource has set nothing: FoneStorm may show them so.
func (rec record) find(found fonestorm.Delivery) (fonestorm.Delivery, bool) {
	_, known := rec.last()
	if known.Type == found.Type && known.Type != "" && known.Value == found.Value {
		return rec.Applied[0], true
	}
	if rec.Shown == nil || !found.Type.IsCallback() {
		found = found.Normalized()
	}
	for _, applied := range rec.Applied {
		if fonestorm.SameDestination(applied, found) {
			return applied, true
		}
	}
	return found, false
}

// current reads the FoneNumber of a setting, and reports whether FoneStorm shows a destination that was applied. A list can show
// something else than a single read. So if it shows nothing that was applied, or masks what is imported, a single read decides.
func (rec record) current(ctx context.Context, client *fonestorm.Client, m settingModel) (f fonestorm.FoneNumber, inEffect bool, err error) {
	f, err = client.GetFoneNumber(ctx, m.FoneNumber.ValueString(), m.option())
	_, inEffect = rec.find(f.Options[m.option()])
	if !inEffect && f.Listed && (len(rec.Applied) > 0 || mask.MatchString(f.Options[m.option()].Value)) {
		f, err = client.ReadFoneNumber(ctx, f.Number)
		_, inEffect = rec.find(f.Options[m.option()])
	}
	return f, inEffect, err
}

// configuring returns the record after an update that sends nothing. From now on, this resource owns the planned destination, even if
// something else had set it, unless it is only planned because of ignore_changes.
func (rec record) configuring(planned, configured fonestorm.Delivery) record {
	_, inEffect := rec.find(planned)
	if !inEffect && fonestorm.SameDestination(planned.Normalized(), configured.Normalized()) {
		rec.Applied, rec.Shown, rec.Unseen = []fonestorm.Delivery{planned}, nil, true
	}
	return rec
}

// ifAbout returns the record if it is about the setting of this state. Otherwise, nothing is known about that: a state was edited, or an
// object was tainted, which Terraform destroys with the record of its replacement.
func (rec record) ifAbout(state settingModel) record {
	if rec.SettingID == state.id() {
		return rec
	}
	return record{SettingID: state.id(), Unseen: true}
}

// identified returns the record with an ID.
func (rec record) identified() record {
	if rec.ID == "" {
		rec.ID = rand.Text()[:8] // 40 random bits.
	}
	return rec
}

// privateState is Terraform's private state. The framework does not export its type.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// readRecord returns the zero value if there is no record.
func readRecord(ctx context.Context, private privateState, diags *diag.Diagnostics) (rec record) {
	data, problems := private.GetKey(ctx, recordKey)
	diags.Append(problems...)
	if len(data) == 0 || problems.HasError() {
		return rec
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		diags.AddError("Invalid Private State", "Could not read the private state of this resource: "+err.Error()+". "+
			"Remove the resource from the state with a removed block that has destroy = false, then import the FoneNumber again.")
	}
	return rec
}

func (rec record) write(ctx context.Context, private privateState) diag.Diagnostics {
	data, _ := json.Marshal(rec) // Encoding texts cannot fail.
	return private.SetKey(ctx, recordKey, data)
}
