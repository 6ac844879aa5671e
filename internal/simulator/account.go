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
	if !ok {
		return FoneNumber{}, false
	}
	return f.FoneNumber, true
}

// Put adds or replaces a FoneNumber, as a manual change does.
func (s *Simulator) Put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Active = cmp.Or(f.Active, "yes")
	f.Receive.Type = cmp.Or(f.Receive.Type, "None")
	s.numbers[f.Number] = &record{FoneNumber: f, before: f}
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
		numbers = append(numbers, s.numbers[number].FoneNumber)
	}
	return numbers
}

// Device is a SIP handset, an app, or a WebRTC endpoint of the simulated account or one of its subaccounts.
type Device struct {
	ID         string // Digits.
	Name       string
	Type       string // Its model.
	FoneNumber string // Its outbound caller ID; may be empty.
	Subaccount string // Code of its subaccount; empty for the main account.
}

// PutDevice adds or replaces a device.
func (s *Simulator) PutDevice(d Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[d.ID] = d
}

// Devices returns every device of the account and its subaccounts, ordered by ID.
func (s *Simulator) Devices() []Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.devices), func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
}

// hasSubaccount reports whether the account has a subaccount, which is one with FoneNumbers.
func (s *Simulator) hasSubaccount(code string) bool {
	isUser := func(u user) bool { return u.account == code }
	return !slices.ContainsFunc(s.users, isUser) && slices.ContainsFunc(s.Numbers(), func(f FoneNumber) bool { return f.Subaccount == code })
}

// subaccountOf returns the value of Subaccount in the FoneNumbers and devices of a token's account.
func (s *Simulator) subaccountOf(account string) string {
	if account == s.options.Account {
		return ""
	}
	return account
}
