package simulator

// Device is a SIP handset, an app or a WebRTC endpoint of the simulated account or of one of its subaccounts.
type Device struct {
	ID         string // Digits.
	Name       string
	Type       string // Its model.
	FoneNumber string // Its outbound caller ID; none when empty.
	Subaccount string // Code of the subaccount that has it; the main account when empty.
}

// object returns the device as the API shows it.
func (d Device) object(profile *Profile) map[string]any {
	return map[string]any{
		"id":             d.ID,
		"name":           d.Name,
		"type":           d.Type,
		"fonenumber":     textOrNull(d.FoneNumber),
		"mac_address":    nil,
		"receive_notify": Notify{}.object(profile),
	}
}
