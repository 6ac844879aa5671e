package simulator

// Device is a SIP handset, an app, or a WebRTC endpoint of the simulated account or one of its subaccounts.
type Device struct {
	ID         string // Digits.
	Name       string
	Type       string // Its model.
	FoneNumber string // Its outbound caller ID; may be empty.
	Subaccount string // Code of its subaccount; empty for the main account.
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
