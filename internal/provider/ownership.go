package provider

import (
	"cmp"
	"sync"
	"sync/atomic"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ownership is what this process knows about the resources of each setting: the delivery or a notification of a FoneNumber. Several
// objects in a state can manage the same setting, because it moves between resources or because an earlier apply was
// interrupted. In whatever order Terraform refreshes, plans, and applies them, the setting must end up as configured. Three rules
// ensure this:
//
//  1. A destroy turns a setting off only if FoneStorm still shows a destination that the destroyed object applied.
//  2. If another object sets it, the destroy changes nothing, but hands over what the destroyed object applied (owners.replaced). The
//     create of the other object continues with that, and saves it if it fails. A destroy knows of its replacement and of an object
//     that its plan found in the configuration (both in record.Continues), and of one that this apply has planned again
//     (owners.configured). If the other object has failed already (owners.failed), the destroy fails, too.
//  3. If two objects in a state manage the same setting, and FoneStorm shows what they applied, the first one that is refreshed
//     stays (owners.refreshed). The refresh of the other one removes it from the state. If it is configured, it is created again.
//
// Terraform plans and applies in two processes, each of which has an ownership of its own.
type ownership struct {
	settings sync.Map // *owners by setting.
}

// owners is what this process knows about one setting. The owners of a delivery, whose ID is the FoneNumber, also lock the other
// settings of the FoneNumber.
type owners struct {
	// change is locked while a setting of the FoneNumber is changed, because each response shows all of them. It guards replaced.
	change   sync.Mutex
	replaced prior // The destroyed object that a create continues; the zero value if there is none.

	gone   atomic.Bool // Whether a refresh found that the account no longer contains the FoneNumber.
	failed atomic.Bool // Whether an object of the configuration could not be validated, planned, or set.

	mu         sync.Mutex
	refreshed  record // Of the first object that a refresh found in effect.
	imported   bool   // Whether that object was imported by this process.
	configured string // Record ID of the object that the configuration contains.
	// planned is what the setting will be; the zero value if that is not known yet, and nil if it stays as FoneStorm shows it.
	planned *fonestorm.Delivery
}

// prior is the object that a change updates, replaces, or destroys; the zero value if there is none.
type prior struct {
	state settingModel
	rec   record
}

// ownersOf returns what is known about a setting.
func (o *ownership) ownersOf(setting string) *owners {
	known, _ := o.settings.LoadOrStore(setting, &owners{})
	return known.(*owners) //nolint:forcetypeassert // Nothing else is stored.
}

// lock waits until no other setting of a FoneNumber is changed. The caller must call unlock.
func (o *ownership) lock(number string) (unlock func()) {
	change := &o.ownersOf(number).change
	change.Lock()
	return change.Unlock
}

// refreshes records an object that a refresh found in effect. It reports whether the object is the first one of the setting,
// and otherwise whether either was imported by this process.
func (o *ownership) refreshes(rec record, importing bool) (first, imported bool) {
	owners := o.ownersOf(rec.SettingID)
	owners.mu.Lock()
	defer owners.mu.Unlock()
	if owners.refreshed.ID == "" {
		owners.refreshed, owners.imported = rec, importing
	}
	return owners.refreshed.ID == rec.ID, importing || owners.imported
}

// isConfiguredBeside reports whether this process knows that the configuration contains another object with the same setting.
func (owners *owners) isConfiguredBeside(id string) bool {
	owners.mu.Lock()
	defer owners.mu.Unlock()
	return owners.configured != "" && owners.configured != id
}

// foundInEffect returns the record of the object that a refresh found in effect; the zero value if there is none.
func (o *ownership) foundInEffect(setting string) record {
	owners := o.ownersOf(setting)
	owners.mu.Lock()
	defer owners.mu.Unlock()
	return owners.refreshed
}

// plans records that an object of the configuration, with this record ID, sets a setting, and what it will be, as in owners. It returns
// false if another object of the configuration was planned first. A resource that is replaced is planned twice, with the same ID.
// Without an ID, as in a refresh or a destroy, what it will be is only a guess: it never replaces what the configuration plans, or
// that a destroy turns the setting off.
func (o *ownership) plans(setting, id string, planned *fonestorm.Delivery) bool {
	owners := o.ownersOf(setting)
	owners.mu.Lock()
	defer owners.mu.Unlock()
	owners.configured = cmp.Or(owners.configured, id)
	if owners.configured == id && (id != "" || owners.planned == nil || owners.planned.Type == "") {
		owners.planned = planned
	}
	return owners.configured == id
}

// willBe returns what a setting will be, the zero value if that is not known yet, and whether it differs from what FoneStorm shows.
func (o *ownership) willBe(setting string, shown fonestorm.Delivery) (is fonestorm.Delivery, changes bool) {
	owners := o.ownersOf(setting)
	owners.mu.Lock()
	defer owners.mu.Unlock()
	if owners.planned == nil {
		return shown.Normalized(), false
	}
	is = *owners.planned
	return is, is.Type != "" && (shown.Type == "" || !fonestorm.SameDestination(is, shown.Normalized()))
}
