package provider

import "sync"

// ownership is what this process knows about the resources of each FoneNumber. Several objects in a state can have the same
// FoneNumber, because it moves between resources or because an earlier apply was interrupted. In whatever order Terraform
// refreshes, plans, and applies them, the FoneNumber must end up as configured. Three rules ensure this:
//
//  1. A destroy turns a FoneNumber off only if it still has a destination that the destroyed object applied, and this process has
//     not set it through another object.
//  2. A destroy that is part of a replacement for the same FoneNumber changes nothing, and hands what it applied over to the
//     create, which saves it if it fails.
//  3. If two objects in a state have the same FoneNumber, and FoneStorm shows what they applied, the first one that is refreshed
//     stays. The refresh of the other one removes it from the state. If it is configured, it is created again.
//
// Terraform plans and applies in two processes, each of which has an ownership of its own.
type ownership struct {
	mu      sync.Mutex
	numbers map[string]*owners
}

// owners is what this process knows about one FoneNumber.
type owners struct {
	change sync.Mutex // Locked while the FoneNumber is changed.

	refreshed  string // ID of the first object that a refresh found in effect.
	imported   bool   // Whether that object was imported by this process.
	configured string // ID of the object that the configuration contains.
	gone       bool   // Whether a refresh found that the account no longer contains the FoneNumber.
	set        bool   // Whether a create or update of this process set the FoneNumber.
	handed     *handedOver
}

// handedOver is a replaced object.
type handedOver struct {
	state deliveryModel
	rec   record
}

func newOwnership() *ownership {
	return &ownership{numbers: map[string]*owners{}}
}

// of locks the ownership and returns what is known about a FoneNumber. The caller must call unlock.
func (o *ownership) of(number string) (_ *owners, unlock func()) {
	o.mu.Lock()
	known, ok := o.numbers[number]
	if !ok {
		known = &owners{}
		o.numbers[number] = known
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

// refreshes records an object that a refresh found in effect. It reports whether the object is the first one of the FoneNumber,
// and otherwise whether either was imported by this process.
func (o *ownership) refreshes(number, id string, importing bool) (first, imported bool) {
	of, done := o.of(number)
	defer done()
	if of.refreshed == "" {
		of.refreshed, of.imported = id, importing
	}
	return of.refreshed == id, importing || of.imported
}

// configures records that the configuration contains an object. It returns false if it contains another one with the same
// FoneNumber. A resource that is replaced is planned twice, with the same ID.
func (o *ownership) configures(number, id string) bool {
	of, done := o.of(number)
	defer done()
	if of.configured == "" {
		of.configured = id
	}
	return of.configured == id
}

func (o *ownership) markGone(number string) {
	of, done := o.of(number)
	defer done()
	of.gone = true
}

func (o *ownership) isGone(number string) bool {
	of, done := o.of(number)
	defer done()
	return of.gone
}

func (o *ownership) markSet(number string) {
	of, done := o.of(number)
	defer done()
	of.set = true
}

func (o *ownership) isSet(number string) bool {
	of, done := o.of(number)
	defer done()
	return of.set
}

// handOver stores a replaced object for its replacement, which is created later in this process.
func (o *ownership) handOver(number string, state deliveryModel, rec record) {
	of, done := o.of(number)
	defer done()
	of.handed = &handedOver{state, rec}
}

// replaced returns the object that a create replaces; the zero value if there is none.
func (o *ownership) replaced(number string) handedOver {
	of, done := o.of(number)
	defer done()
	if of.handed == nil {
		return handedOver{}
	}
	return *of.handed
}
