package provider

import (
	"maps"
	"sync"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ownership is what this process knows about the resources of each setting: the delivery or a notification of a FoneNumber, by its
// ID. Several objects in a state can manage the same setting, because it moves between resources or because an earlier apply was
// interrupted. In whatever order Terraform refreshes, plans, and applies them, the setting must end up as configured. Three rules
// ensure this:
//
//  1. A destroy turns a setting off only if it still has a destination that the destroyed object applied, and this process has
//     not set it through another object.
//  2. A destroy that is part of a replacement for the same setting changes nothing, and hands what it applied over to the
//     create, which saves it if it fails.
//  3. If two objects in a state manage the same setting, and FoneStorm shows what they applied, the first one that is refreshed
//     stays. The refresh of the other one removes it from the state. If it is configured, it is created again.
//
// Terraform plans and applies in two processes, each of which has an ownership of its own.
type ownership struct {
	mu       sync.Mutex
	settings map[string]*owners
	warnings sync.Map // Warnings that concern several settings, by their summary and the FoneNumber.
}

// owners is what this process knows about one setting. That of a delivery, whose ID is the FoneNumber, also has what concerns
// all settings of the FoneNumber.
type owners struct {
	change  sync.Mutex // Locked while a setting of the FoneNumber is changed: each response shows all of them.
	planned map[fonestorm.MessageOption]plannedSetting

	refreshed  string // ID of the first object that a refresh found in effect.
	imported   bool   // Whether that object was imported by this process.
	configured string // ID of the object that the configuration contains.
	gone       bool   // Whether a refresh found that the account no longer contains the FoneNumber.
	set        bool   // Whether a create or update of this process set it.
	handed     *handedOver
}

// handedOver is a replaced object.
type handedOver struct {
	state settingModel
	rec   record
}

// plannedSetting is what the configuration plans for a message option.
type plannedSetting struct {
	undecided bool                // It is not planned yet, or its destination is known only after apply.
	destroyed bool                // Another resource may still set it.
	to        *fonestorm.Delivery // Nil if it does not change.
}

func newOwnership() *ownership {
	return &ownership{settings: map[string]*owners{}}
}

// of locks the ownership and returns what is known about a setting. The caller must call unlock.
func (o *ownership) of(setting string) (_ *owners, unlock func()) {
	o.mu.Lock()
	known, ok := o.settings[setting]
	if !ok {
		known = &owners{planned: map[fonestorm.MessageOption]plannedSetting{}}
		o.settings[setting] = known
	}
	return known, o.mu.Unlock
}

// lock waits for any other change to the FoneNumber to end, and returns the function that ends this one.
func (o *ownership) lock(number string) (unlock func()) {
	of, done := o.of(number)
	done()
	of.change.Lock()
	return of.change.Unlock
}

// plans records what is planned for a message option of a FoneNumber, and returns what is planned for all of them so far.
func (o *ownership) plans(number string, option fonestorm.MessageOption, p plannedSetting) map[fonestorm.MessageOption]plannedSetting {
	of, done := o.of(number)
	defer done()
	if before, found := of.planned[option]; !found || before.undecided || !p.destroyed && !p.undecided {
		of.planned[option] = p
	}
	return maps.Clone(of.planned)
}

// warns reports whether this is the first time that a warning about several settings of a FoneNumber is due.
func (o *ownership) warns(summary, number string) bool {
	_, already := o.warnings.LoadOrStore(summary+number, true)
	return !already
}

// refreshes records an object that a refresh found in effect. It reports whether the object is the first one of the setting,
// and otherwise whether either was imported by this process.
func (o *ownership) refreshes(setting, id string, importing bool) (first, imported bool) {
	of, done := o.of(setting)
	defer done()
	if of.refreshed == "" {
		of.refreshed, of.imported = id, importing
	}
	return of.refreshed == id, importing || of.imported
}

// configures records that the configuration contains an object. It returns false if it contains another one with the same
// setting. A resource that is replaced is planned twice, with the same ID.
func (o *ownership) configures(setting, id string) bool {
	of, done := o.of(setting)
	defer done()
	if of.configured == "" {
		of.configured = id
	}
	return of.configured == id
}

func (o *ownership) markGone(setting string) {
	of, done := o.of(setting)
	defer done()
	of.gone = true
}

func (o *ownership) isGone(setting string) bool {
	of, done := o.of(setting)
	defer done()
	return of.gone
}

func (o *ownership) markSet(setting string) {
	of, done := o.of(setting)
	defer done()
	of.set = true
}

func (o *ownership) isSet(setting string) bool {
	of, done := o.of(setting)
	defer done()
	return of.set
}

// handOver stores a replaced object for its replacement, which is created later in this process.
func (o *ownership) handOver(setting string, state settingModel, rec record) {
	of, done := o.of(setting)
	defer done()
	of.handed = &handedOver{state, rec}
}

// replaced returns the object that a create replaces; the zero value if there is none.
func (o *ownership) replaced(setting string) handedOver {
	of, done := o.of(setting)
	defer done()
	if of.handed == nil {
		return handedOver{}
	}
	return *of.handed
}
