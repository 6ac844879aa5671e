package simulator

import "strings"

// FoneNumber is a telephone number of the simulated account.
type FoneNumber struct {
	Number string // Ten digits.
	Label  string
	Group  string
	Active string // "yes" (also when empty), "no" for a pending cancellation, "cancel" for a cancelled one.

	MessagingDisabled bool // The number takes no messages.
	Undeliverable     bool // Its object comes without delivery settings.

	Receive Receive
}

// Receive is where messages received at a FoneNumber go. It has one field for each destination; those of other types
// keep old values, as in FoneStorm.
type Receive struct {
	Type      string // Device, Email, URL, Forward or None; None when empty.
	Device    string
	Email     string
	URL       string
	URLMethod string
	Forward   string

	// The API takes these and never returns them.
	URLUsername string
	URLPassword string
}

// Value returns the destination of the current type, and "" for None.
func (r Receive) Value() string {
	switch r.Type {
	case "Device":
		return r.Device
	case "Email":
		return r.Email
	case "URL":
		return r.URL
	case "Forward":
		return r.Forward
	default:
		return ""
	}
}

// Delivering returns the setting that results from r when messages are sent to a new destination. Fields of other
// types, and the credentials, stay behind.
func (r Receive) Delivering(kind, value string) Receive {
	r.Type = kind
	switch kind {
	case "Device":
		r.Device = value
	case "Email":
		r.Email = value
	case "URL":
		r.URL, r.URLMethod = value, "POST"
	case "Forward":
		r.Forward = value
	}
	return r
}

// object returns the FoneNumber as the API shows it.
func (f FoneNumber) object(dialect Dialect) map[string]any {
	object := map[string]any{
		"fonenumber": f.Number,
		"label":      f.Label,
		"group":      textOrNull(f.Group),
		"is_active":  f.Active,
		"fax_options": map[string]any{ // Not in the contract: members appear over time.
			"receive": map[string]any{"type": "None"},
		},
	}
	if f.Undeliverable {
		return object
	}
	kind := f.Receive.Type
	if dialect.LowerCaseTypes {
		kind = strings.ToLower(kind)
	}
	enabled := "yes"
	if f.MessagingDisabled {
		enabled = "no"
	}
	options := map[string]any{
		"receive": map[string]any{
			"type":       kind,
			"device":     f.Receive.Device,
			"email":      textOrNull(f.Receive.Email),
			"url":        textOrNull(f.Receive.URL),
			"url_method": textOrNull(f.Receive.URLMethod),
			"forward":    f.Receive.Forward,
		},
		"receive_notify": map[string]any{"url": nil, "method": nil},
		"send_notify":    map[string]any{"url": nil, "method": nil},
		"mms_enabled":    enabled,
	}
	if dialect.Options == "message_options" {
		options["messaging_enabled"] = enabled
	} else {
		options["sms_enabled"] = enabled
	}
	object[dialect.Options] = options
	return object
}

// textOrNull shows an unset field as null, as FoneStorm does for some of them; others it shows as "".
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
