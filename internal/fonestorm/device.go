package fonestorm

import (
	"context"
	"io"
	"net/http"
)

// RegisteredDevice is a SIP handset, an app, or a WebRTC endpoint of the account, to which messages can be delivered.
type RegisteredDevice struct {
	ID         string // Digits.
	Name       string // May be empty and need not be unique.
	Type       string // The model, in FoneStorm's words.
	FoneNumber string // Its outbound caller ID; may be empty.
}

// deviceListing is the result of listing the devices.
type deviceListing struct {
	list []RegisteredDevice
	err  error
}

// ListDevices returns the devices of the account, in FoneStorm's order. The client sends one request and remembers its result,
// including a failure: a user who is not allowed to list devices will not be allowed the next time either.
func (c *Client) ListDevices(ctx context.Context) ([]RegisteredDevice, error) {
	return c.devices.do(ctx, "", func(ctx context.Context) ([]RegisteredDevice, error) {
		if known := c.listed.Load(); known != nil {
			return known.list, known.err
		}
		list, err := c.fetchDevices(ctx)
		if !isCanceled(err) {
			c.listed.Store(&deviceListing{list, err})
		}
		return list, err
	})
}

func (c *Client) fetchDevices(ctx context.Context) ([]RegisteredDevice, error) {
	var list []RegisteredDevice
	r := &request{operation: listDevices, method: http.MethodGet, path: "/devices", once: true}
	err := c.call(ctx, r, func(body io.Reader) error {
		list = []RegisteredDevice{} // An earlier attempt may have read part of the list.
		return decodeArray(body, "devices", func(entry loose[wireDevice]) {
			if d := entry.value.device(); d.ID != "" {
				list = append(list, d)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

type wireDevice struct {
	ID         scalar `json:"id"`
	Name       scalar `json:"name"`
	Type       scalar `json:"type"`
	FoneNumber scalar `json:"fonenumber"`
}

func (w *wireDevice) device() RegisteredDevice {
	return RegisteredDevice{ID: w.ID.trimmed(), Name: w.Name.text, Type: w.Type.text, FoneNumber: canonicalNumber(w.FoneNumber.text)}
}
