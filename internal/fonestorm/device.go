package fonestorm

import "context"

// RegisteredDevice is a SIP handset, an app, or a WebRTC endpoint of the account, to which messages can be delivered.
type RegisteredDevice struct {
	ID         string // Digits.
	Name       string // May be empty and need not be unique.
	Type       string // The model, in FoneStorm's words.
	FoneNumber string // Its outbound caller ID; may be empty.
}

// ListDevices returns the devices of the account, in FoneStorm's order. The client sends one request and remembers its result,
// including a failure: a user who is not allowed to list devices will not be allowed the next time either.
func (c *Client) ListDevices(ctx context.Context) ([]RegisteredDevice, error) {
	return c.account.devices.get(func() ([]RegisteredDevice, error) {
		return call(ctx, c, &request{role: lists, text: "list the account's devices", path: "/devices"}, decodeDevices)
	})
}
