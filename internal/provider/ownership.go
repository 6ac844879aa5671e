package provider

import (
	"cmp"
	"sync"
	"sync/atomic"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ownership is what this process knows about the resources of each setting: the delivery or a notification of a FoneNumber, by its
// ID. Several objects in a state can manage the same setting, because it moves between resources or because an earlier apply was
// interrupted. In whatever order Terraform refreshes, plans, and applies them, the setting must end up as configured. Three rules
// ensure this:
//
//  1. A destroy turns a setting off only if FoneStorm still shows a destination that the destroyed object applied.
//  2. If another object sets it, the destroy changes nothing. A destroy knows the other object if it is its replacement, if its plan
//     found it in the configuration (both in record.Continues), or if this apply has planned it again (owners.configured). If it has
//     failed already (owners.failed), the destroy fails, too. Otherwise, the create continues with what the destroyed object applied
//     (owners.replaced), and saves it if it fails.
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
	refreshed  record              // Of the first object that a refresh found in effect.
	imported   bool                // Whether that object was imported by this process.
	configured string              // ID of the object that the configuration contains.
	planned    *fonestorm.Delivery // What it will be, the zero value if that is not known yet; nil if it stays as FoneStorm shows it.
}

// prior is the object that a change updates, replaces, or destroys; the zero value if there is none.
type prior struct {
	state settingModel
	rec   record
}

// of returns what is known about a setting.
func (o *ownership) of(setting string) *owners {
	known, _ := o.settings.LoadOrStore(setting, &owners{})
	return known.(*owners) //nolint:forcetypeassert // Nothing else is stored.
}

// lock waits until no other setting of a FoneNumber is changed. The caller must call unlock.
func (o *ownership) lock(number string) (unlock func()) {
	change := &o.of(number).change
	change.Lock()
	return change.Unlock
}

// refreshes records an object that a refresh found in effect. It reports whether the object is the first one of the setting,
// and otherwise whether either was imported by this process.
func (o *ownership) refreshes(rec record, importing bool) (first, imported bool) {
	of := o.of(rec.SettingID)
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.refreshed.ID == "" {
		of.refreshed, of.imported = rec, importing
	}
	return of.refreshed.ID == rec.ID, importing || of.imported
}

// isConfiguredBeside reports whether this process knows that the configuration contains another object with the same setting.
func (of *owners) isConfiguredBeside(id string) bool {
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.configured != "" && of.configured != id
}

// foundInEffect returns the record of the object that a refresh found in effect; the zero value if there is none.
func (o *ownership) foundInEffect(setting string) record {
	of := o.of(setting)
	of.mu.Lock()
	defer of.mu.Unlock()
	return of.refreshed
}

// plans records what a setting will be, as in owners, and the ID of the object that the configuration contains; "" if this does not come
// from the configuration, and then it is ignored if the configuration contains an object, or a destroy turns it off. It returns false if the configuration
// contains another object with the same setting. A resource that is replaced is planned twice, with the same ID.
func (o *ownership) plans(setting, id string, planned *fonestorm.Delivery) bool {
	of := o.of(setting)
	of.mu.Lock()
	defer of.mu.Unlock()
	of.configured = cmp.Or(of.configured, id)
	if of.configured == id && (id != "" || of.planned == nil || of.planned.Type == "") {
		of.planned = planned
	}
	return of.configured == id
}

// willBe returns what a setting will be, and whether that differs from what FoneStorm shows; the zero value if it is not known.
func (o *ownership) willBe(setting string, shown fonestorm.Delivery) (is fonestorm.Delivery, changes bool) {
	of := o.of(setting)
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.planned == nil {
		return shown.Normalized(), false
	}
	is = *of.planned
	return is, is.Type != "" && (shown.Type == "" || !fonestorm.SameDestination(is, shown.Normalized()))
}
