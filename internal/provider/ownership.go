package provider

import (
	"slices"
	"sync"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// ownership tracks which resources of this process set or destroy the delivery of which FoneNumber. Several resources can have
// the same FoneNumber, because it moves between them or because an earlier apply was interrupted. In whatever order Terraform
// plans and applies them, the FoneNumber must end up as configured.
//
// Terraform plans and applies in two processes, plans some destroys again in the second process, and never applies a resource
// that does not change. So every refresh stores in the state what the apply must know: how many other objects in the state have
// the same FoneNumber and were recorded earlier. Three rules follow:
//
//  1. An object that stays and was not the first to be recorded is set again in the same apply.
//  2. A process does not turn off a FoneNumber that one of its creates or updates set.
//  3. A destroy turns the FoneNumber off only after this process has destroyed all objects that are known to have existed: one
//     more than the highest number of earlier objects that any of the destroyed ones recorded.
//
// If an object that stays was recorded first, the third rule protects it, because every destroyed object counts it. If it was
// not first, the first two rules protect it. If no object stays, the last destroy turns the FoneNumber off.
type ownership struct {
	mu          sync.Mutex
	numbers     map[string]*owners
	applying    bool  // Whether this process is known to apply.
	warned      bool  // Whether the user was warned that the provider configuration is unknown.
	unreachable error // First error because of which FoneNumbers cannot be checked.
}

// owners is what this process knows about the resources for one FoneNumber.
type owners struct {
	change sync.Mutex // Locked while the delivery is changed.

	// While planning, by object ID.
	objects []string                 // Objects in the state, in the order in which they were recorded.
	wanted  map[string]deliveryModel // Configurations of the objects that are created or stay.
	ended   map[string]bool          // Objects that are planned to be destroyed.
	moves   bool                     // Whether the user was warned that the FoneNumber moves between resources.
	gone    bool                     // Whether a refresh found that the account no longer contains the FoneNumber.

	// While planning and, for objects that are destroyed, while applying.
	set []fonestorm.Delivery // Destinations that objects in the state set.

	// While applying.
	isSet     bool                 // Whether a create or update set the FoneNumber.
	handed    []fonestorm.Delivery // What a replaced object set, until its replacement is created.
	destroyed int                  // Number of objects that were destroyed.
	needed    int                  // Number of objects that must be destroyed before the FoneNumber is turned off.
}

func newOwnership() *ownership {
	return &ownership{numbers: map[string]*owners{}}
}

// of returns the owners of a FoneNumber. The caller must have locked mu.
func (o *ownership) of(number string) *owners {
	known, ok := o.numbers[number]
	if !ok {
		known = &owners{}
		o.numbers[number] = known
	}
	return known
}

// noteObject records an object in the state and the destinations that it set, and returns how many other objects of the same
// FoneNumber were recorded earlier. Both refresh and plan call it: Terraform before 1.12 plans orphans before it refreshes
// them, and with -refresh=false there is no refresh.
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

// hasSet reports whether an object in the state set this destination.
func (o *ownership) hasSet(number string, found fonestorm.Delivery) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return includes(o.of(number).set, found)
}

func includes(destinations []fonestorm.Delivery, found fonestorm.Delivery) bool {
	return slices.ContainsFunc(destinations, func(d fonestorm.Delivery) bool { return fonestorm.SameDestination(d, found) })
}

// conflict is whether several resources of one configuration set the same FoneNumber, and how.
type conflict int

const (
	noConflict conflict = iota
	sameTwice           // Another resource sets it in the same way.
	different           // Another resource sets it in another way.
)

// wants records the configuration of a FoneNumber. A resource that is replaced is planned twice, with the same ID.
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

// ends records that an object is planned to be destroyed.
func (o *ownership) ends(number, id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	of := o.of(number)
	if of.ended == nil {
		of.ended = make(map[string]bool, 1)
	}
	of.ended[id] = true
}

// moves reports whether this process has planned to destroy one object of a FoneNumber and to keep or create another one. It
// returns true only once for each FoneNumber.
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

// isWanted reports whether the plan so far keeps or creates another object with the FoneNumber.
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

// markApplying records that this process applies. Terraform does not announce this: only the change that it requests shows
// it.
func (o *ownership) markApplying() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.applying = true
}

// lock waits for any other change to the FoneNumber to end, and returns the function that ends this one.
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

// destroys records the destroy of an object that recorded this many earlier objects and set these destinations. If the
// FoneNumber can be turned off now, it returns the destinations that all destroyed objects set, and otherwise who still has
// a claim to it.
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

// handOver stores what a replaced object set, for its replacement, which is created later in this process.
func (o *ownership) handOver(number string, set []fonestorm.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.of(number).handed = set
}

// handedOver returns what the replaced object set; nil if a create replaces none.
func (o *ownership) handedOver(number string) []fonestorm.Delivery {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of(number).handed
}

// claim is who still has a claim to a FoneNumber when an object is destroyed.
type claim int

const (
	unclaimed              claim = iota
	claimedByConfiguration       // A create or update of this process set it.
	claimedByState               // Another object in the state has the same FoneNumber.
)

// warnOnce reports whether to warn that the provider configuration is unknown. It returns true only once.
func (o *ownership) warnOnce() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.warned
	o.warned = true
	return first
}

// firstFailure stores the error because of which FoneNumbers cannot be checked, if it is the first one and not nil, and
// returns the stored error.
func (o *ownership) firstFailure(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unreachable == nil {
		o.unreachable = err
	}
	return o.unreachable
}

// plannedForward returns the number that a FoneNumber will forward to according to the plan so far; "" if it will not
// forward. ok is false if nothing is planned for it.
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
