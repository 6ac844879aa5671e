package provider

import (
	"slices"
	"sync"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ownership knows which resources of this process set or end the delivery of which FoneNumber. Two resources can have to do
// with one FoneNumber, because it moves from one to the other or because an earlier apply was interrupted. Whatever the order
// in which Terraform plans and applies them, the FoneNumber must end as the configuration says.
//
// Terraform plans and applies in two processes, applies some destroys with a plan of the second process, and never applies
// a resource that does not change. So what the apply must know is in the state, where every refresh puts it: how many other
// objects in the state have the same FoneNumber and were noted earlier. From that follow three rules:
//
//  1. An object that was not the first to be noted is set again in the same apply, if it stays.
//  2. A FoneNumber that a create or update of this process has set is not turned off by it.
//  3. A destroy turns the FoneNumber off only when as many objects have been destroyed in this process as were there at least:
//     one more than any of those destroyed saw before it.
//
// If an object that stays was noted first, the third rule protects it: those destroyed each saw at least one more object
// than there are destroys. If it was not first, the first two rules do. If none stays, the last destroy turns the FoneNumber off.
type ownership struct {
	mu          sync.Mutex
	numbers     map[string]*owners
	applying    bool  // Whether this process applies, as far as is known.
	warned      bool  // Whether the user knows that the provider configuration is unknown.
	unreachable error // Why FoneNumbers could not be checked; the first reason stands for all.
}

// owners is what this process knows of the resources of one FoneNumber.
type owners struct {
	change sync.Mutex // Held by whoever changes the delivery.

	// While planning, by the IDs of objects.
	objects []string                 // Objects in the state, in the order in which they were noted.
	wanted  map[string]deliveryModel // What the configuration says of those that are created or stay.
	ended   map[string]bool          // Objects that are planned to be destroyed.
	moves   bool                     // The user knows that the FoneNumber moves between resources.
	gone    bool                     // A refresh found that the account no longer has the FoneNumber.

	// While planning, and while applying, what destroys did not change.
	set []fonestorm.Delivery // Destinations that objects in the state have set.

	// While applying.
	isSet     bool                 // By a create or update.
	handed    []fonestorm.Delivery // What the old half of a replacement has set, and left for the new half to replace.
	destroyed int                  // Objects that were destroyed.
	needed    int                  // Objects that must be destroyed before the FoneNumber is turned off.
}

func newOwnership() *ownership {
	return &ownership{numbers: map[string]*owners{}}
}

// of returns the owners of a FoneNumber, with which the caller may only deal while it has locked mu.
func (o *ownership) of(number string) *owners {
	known, ok := o.numbers[number]
	if !ok {
		known = &owners{}
		o.numbers[number] = known
	}
	return known
}

// noteObject notes an object in the state, by its ID and what it has set, and returns how many other objects of the same
// FoneNumber were noted earlier. A refresh does so, but Terraform before 1.12 plans orphans before it refreshes them, and
// with -refresh=false there is none.
func (o *ownership) noteObject(number, id string, set []fonestorm.Delivery) (others int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	if i := slices.Index(of.objects, id); i >= 0 {
		return i
	}
	of.objects = append(of.objects, id)
	of.set = append(of.set, set...)
	return len(of.objects) - 1
}

// hasSet reports whether an object in the state has set this destination.
func (o *ownership) hasSet(number string, found fonestorm.Delivery) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return includes(o.of(number).set, found)
}

func includes(destinations []fonestorm.Delivery, found fonestorm.Delivery) bool {
	return slices.ContainsFunc(destinations, func(d fonestorm.Delivery) bool { return fonestorm.SameDestination(d, found) })
}

// conflict says whether several resources of one configuration have the same FoneNumber.
type conflict int

const (
	noConflict conflict = iota
	sameTwice           // Another resource sets it in the same way.
	different           // Another resource sets it in another way.
)

// wants notes what the configuration says of a FoneNumber. A resource that is replaced is planned twice, with the same ID.
func (o *ownership) wants(number, id string, wanted deliveryModel) (found conflict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	for other, theirs := range of.wanted {
		switch {
		case other == id:
		case wanted.contradicts(theirs):
			return different
		default:
			found = sameTwice
		}
	}
	if of.wanted == nil {
		of.wanted = make(map[string]deliveryModel, 1)
	}
	of.wanted[id] = wanted
	return found
}

// ends notes that an object is planned to be destroyed.
func (o *ownership) ends(number, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	if of.ended == nil {
		of.ended = make(map[string]bool, 1)
	}
	of.ended[id] = true
}

// moves reports whether this process has planned to destroy one object of a FoneNumber and to keep or create another. It
// does so once for each FoneNumber.
func (o *ownership) moves(number string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	for ended := range of.ended {
		for wanted := range of.wanted {
			if ended != wanted && !of.moves {
				of.moves = true
				return true
			}
		}
	}
	return false
}

// isWanted reports whether the plan so far keeps or creates another object of the FoneNumber than this one.
func (o *ownership) isWanted(number, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for wanted := range o.of(number).wanted {
		if wanted != id {
			return true
		}
	}
	return false
}

func (o *ownership) markGone(number string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of(number).gone = true
}

func (o *ownership) isGone(number string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of(number).gone
}

// markApplying notes that this process applies. Terraform does not say so: only a change that it requests shows it.
func (o *ownership) markApplying() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.applying = true
}

// lock waits until no other change is made to the FoneNumber, and returns what ends this one.
func (o *ownership) lock(number string) (unlock func()) {
	o.mu.Lock()
	of := o.of(number)
	o.mu.Unlock()
	of.change.Lock()
	return of.change.Unlock
}

// isApplying reports whether this process applies.
func (o *ownership) isApplying() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.applying
}

func (o *ownership) markSet(number string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of(number).isSet = true
}

// destroys notes that an object is destroyed that saw this many others before it and has set these destinations. It
// returns all destinations that destroyed objects have set if the FoneNumber may be turned off now, and otherwise who else
// has to do with it.
func (o *ownership) destroys(number string, others int, set []fonestorm.Delivery) (destinations []fonestorm.Delivery, still claim) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	of.set = append(of.set, set...)
	of.destroyed++
	of.needed = max(of.needed, others+1)
	switch {
	case of.isSet:
		return nil, claimedByConfiguration
	case of.destroyed < of.needed:
		return nil, claimedByState
	default:
		return of.set, unclaimed
	}
}

// handOver leaves what the old half of a replacement has set to the new half, which is created later in this process.
func (o *ownership) handOver(number string, set []fonestorm.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of(number).handed = set
}

// handedOver returns what a create replaces; nil unless it is the new half of a replacement.
func (o *ownership) handedOver(number string) []fonestorm.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of(number).handed
}

// claim says who else has to do with a FoneNumber when an object is destroyed.
type claim int

const (
	unclaimed              claim = iota
	claimedByConfiguration       // A create or update of this process has set it.
	claimedByState               // Another object in the state has the same FoneNumber.
)

// warnOnce reports whether the user has to be told that the provider configuration is unknown.
func (o *ownership) warnOnce() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.warned
	o.warned = true
	return first
}

// firstFailure keeps the reason why FoneNumbers cannot be checked, unless it is nil or there is one already, and returns the
// one that is kept.
func (o *ownership) firstFailure(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unreachable == nil {
		o.unreachable = err
	}
	return o.unreachable
}

// plannedForward returns where a FoneNumber will forward to according to the plan so far: "" when it will not. Not ok means
// that nothing is planned for it.
func (o *ownership) plannedForward(number string) (target string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, wanted := range o.of(number).wanted {
		if wanted.Type.ValueString() == string(fonestorm.Forward) {
			target = wanted.Value.ValueString()
		}
		ok = true
	}
	return target, ok
}
