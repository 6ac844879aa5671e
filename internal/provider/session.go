package provider

import (
	"sync"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// session is what Configure hands to resources and data sources: the client, and what this run of the provider has
// planned and done so far. Terraform starts a new run to plan and another to apply.
type session struct {
	client      *fonestorm.Client // Nil while planning with credentials that are not known yet.
	checkOnPlan bool

	mu        sync.Mutex
	locks     map[string]*sync.Mutex // By FoneNumber.
	plans     map[string]numberPlans
	applying  bool            // Whether this run has begun to change anything: it is an apply.
	set       map[string]bool // FoneNumbers that a create or update of this run has set.
	unchecked error           // Why FoneStorm could not be asked; the first reason stands for all.
}

func newSession(client *fonestorm.Client, checkOnPlan bool) *session {
	return &session{
		client: client, checkOnPlan: checkOnPlan,
		locks: map[string]*sync.Mutex{}, plans: map[string]numberPlans{}, set: map[string]bool{},
	}
}

// lock waits until no other change is made to the FoneNumber, and returns what ends this one.
func (s *session) lock(number string) (unlock func()) {
	s.mu.Lock()
	s.applying = true
	lock, known := s.locks[number]
	if !known {
		lock = new(sync.Mutex)
		s.locks[number] = lock
	}
	s.mu.Unlock()
	lock.Lock()
	return lock.Unlock
}

func (s *session) markSet(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set[number] = true
}

func (s *session) isApplying() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applying
}

func (s *session) hasSet(number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set[number]
}

// numberPlans are the plans of this run for one FoneNumber. There should be only one resource for it, or one that
// goes and one that comes.
type numberPlans struct {
	created   bool           // By a resource that is new.
	kept      bool           // By a resource that is in the state.
	destroyed bool           // By a resource that goes and changes the delivery when it does.
	wanted    *deliveryModel // As created or kept; nil for neither.
}

// conflict is what a plan for a FoneNumber means together with the earlier ones of this run.
type conflict int

const (
	noConflict  conflict = iota
	twoOwners            // Two resources set the FoneNumber.
	killedOwner          // One resource sets it, another turns it off.
	handover             // One resource gives it up, another takes it.
)

// notePlan adds the plan of one resource for a FoneNumber.
//
// A resource that is replaced without a change (-replace) is planned twice, as kept and as created, which looks like
// two resources that agree. So two that agree are let through unless both are new.
func (s *session) notePlan(number string, added numberPlans) conflict {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.plans[number]
	earlier := p
	p.created = p.created || added.created
	p.kept = p.kept || added.kept
	p.destroyed = p.destroyed || added.destroyed
	if added.wanted != nil {
		p.wanted = added.wanted
	}
	s.plans[number] = p
	switch {
	case earlier.created && added.created,
		earlier.wanted != nil && added.wanted != nil && *earlier.wanted != *added.wanted:
		return twoOwners
	case p.kept && p.destroyed:
		return killedOwner
	case p.created && p.destroyed:
		return handover
	default:
		return noConflict
	}
}

// forwardsBack follows forwards from a FoneNumber through what is planned and what is known of the account, and
// returns the way when it comes back to where it began.
func (s *session) forwardsBack(number, target string) []string {
	way := []string{number}
	for seen := map[string]bool{}; target != "" && !seen[target]; target = s.forwardOf(target) {
		way = append(way, target)
		if target == number {
			return way
		}
		seen[target] = true
	}
	return nil
}

// forwardOf returns where a FoneNumber forwards to; "" when it does not or nothing is known of it.
func (s *session) forwardOf(number string) string {
	s.mu.Lock()
	wanted := s.plans[number].wanted
	s.mu.Unlock()
	if wanted != nil {
		if wanted.Type.ValueString() == string(fonestorm.Forward) {
			return wanted.Value.ValueString()
		}
		return ""
	}
	if f, known := s.client.Known(number); known && f.Delivery != nil && f.Delivery.Type == fonestorm.Forward {
		return f.Delivery.Value
	}
	return ""
}
