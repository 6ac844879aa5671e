package simulator

import (
	"cmp"
	"maps"
	"slices"
)

// Get returns a FoneNumber of any account, including the credentials that the API never returns, and whether it exists.
func (s *Simulator) Get(number string) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.numbers[number]
	return f, ok
}

// Put adds or replaces a FoneNumber, as a manual change does.
func (s *Simulator) Put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Active = cmp.Or(f.Active, "yes")
	for _, kind := range []*string{&f.Receive.Type, &f.ReceiveNotify.Type, &f.SendNotify.Type} {
		*kind = cmp.Or(*kind, "None")
	}
	s.numbers[f.Number] = f
}

// Remove removes a FoneNumber from its account.
func (s *Simulator) Remove(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.numbers, number)
}

// Numbers returns every FoneNumber of the account and its subaccounts, including cancelled ones, in ascending order.
func (s *Simulator) Numbers() []FoneNumber {
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []FoneNumber
	for _, number := range slices.Sorted(maps.Keys(s.numbers)) {
		numbers = append(numbers, s.numbers[number])
	}
	return numbers
}

// Device is a SIP handset, an app, or a WebRTC endpoint of the simulated account or one of its subaccounts.
type Device struct {
	ID         string `json:"id"` // Digits.
	Name       string `json:"name"`
	Type       string `json:"type"`                 // Its model.
	FoneNumber string `json:"fonenumber,omitempty"` // Its outbound caller ID; may be empty.
	Subaccount string `json:"-"`                    // Code of its subaccount; empty for the main account.
}

// PutDevice adds or replaces a device.
func (s *Simulator) PutDevice(d Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[d.ID] = d
}
