package simulator

import (
	"maps"
	"net/url"
	"strings"
)

// FoneNumber is a telephone number of the simulated account or one of its subaccounts. Texts are not validated, so that a test
// can use anything that a real account may contain.
type FoneNumber struct {
	Number     string // Ten digits.
	Subaccount string // Code of its subaccount; empty for the main account.
	Label      string
	Group      string
	Active     string // "yes" or empty, "no" if a cancellation is pending, "cancel" if cancelled.

	MessagingDisabled bool // The number does not receive messages.
	Undeliverable     bool // Its object contains no delivery settings.

	Receive       Receive
	ReceiveNotify Notify
}

// Notify is a notification about each message, in addition to its delivery. The zero value means none.
type Notify struct {
	Type   string // None or empty, Callback, or Email.
	Email  string
	URL    string
	Method string // GET, POST, or JSON.
}

// Receive is the delivery of a FoneNumber. It has a field for each type of destination; fields of other types than the current
// one keep old values, as in FoneStorm.
type Receive struct {
	Type      string // Device, Email, URL, Forward, or None; empty means None, as if it was never set.
	Device    string
	Email     string
	URL       string
	URLMethod string
	Forward   string

	// The API accepts these and never returns them.
	URLUsername string
	URLPassword string
}

// Value returns the destination of the current type; "" for None.
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

// String describes the delivery, without credentials.
func (r Receive) String() string {
	value := r.Value()
	if u, err := url.Parse(value); err == nil && u.User != nil {
		value = u.Redacted()
	}
	return strings.TrimSpace(r.Type + " " + value)
}

// change describes the change from r to next.
func (r Receive) change(next Receive) string {
	credentials := ""
	switch {
	case next.URLUsername == r.URLUsername && next.URLPassword == r.URLPassword:
	case next.URLUsername == "" && next.URLPassword == "":
		credentials = ", credentials removed"
	default:
		credentials = ", credentials set"
	}
	if r.String() == next.String() {
		return next.String() + " as before" + credentials
	}
	return r.String() + " -> " + next.String() + credentials
}

// Delivering returns r with a new destination. Fields of other types and the credentials keep their values.
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

// record is a FoneNumber and internal state.
type record struct {
	FoneNumber
	neverSet bool // Its delivery was never set.
}

// object returns the FoneNumber as the API shows it.
func (f record) object(profile *Profile) map[string]any {
	object := map[string]any{
		"fonenumber": f.Number,
		"label":      f.Label,
		"group":      textOrNull(f.Group),
		"is_active":  f.Active,
		"fax_options": map[string]any{ // Not in the contract, because FoneStorm adds members over time.
			"receive": map[string]any{"type": "None"},
		},
	}
	if f.Undeliverable {
		return object
	}
	enabled := "yes"
	if f.MessagingDisabled {
		enabled = "no"
	}
	options := map[string]any{
		"receive_notify": f.ReceiveNotify.object(profile),
		"send_notify":    Notify{}.object(profile),
		"mms_enabled":    enabled,
	}
	if !f.neverSet || profile.UnsetDelivery != "missing" {
		options["receive"] = f.receive(profile)
	}
	switch profile.OptionsMember {
	case "message_options":
		options["messaging_enabled"] = enabled
		object["message_options"] = options
	case "both":
		options["messaging_enabled"] = enabled
		object["message_options"] = options
		object["sms_options"] = map[string]any{"sms_enabled": enabled, "mms_enabled": enabled}
	case "receive":
		options["sms_enabled"] = enabled
		maps.Copy(object, options)
	default:
		options["sms_enabled"] = enabled
		object["sms_options"] = options
	}
	return object
}

// receive returns the delivery as the API shows it.
func (f record) receive(profile *Profile) map[string]any {
	if f.neverSet && profile.UnsetDelivery == "empty" {
		return map[string]any{"type": "", "device": "", "email": "", "url": "", "url_method": "", "forward": ""}
	}
	if f.neverSet && profile.UnsetDelivery == "null" {
		return map[string]any{"type": nil, "device": nil, "email": nil, "url": nil, "url_method": nil, "forward": nil}
	}
	return map[string]any{
		"type":       profile.spellType(f.Receive.Type),
		"device":     f.Receive.Device,
		"email":      textOrNull(f.Receive.Email),
		"url":        textOrNull(f.Receive.URL),
		"url_method": profile.showMethod(f.Receive),
		"forward":    f.Receive.Forward,
	}
}

func (p *Profile) spellType(kind string) string {
	switch p.Types {
	case "documented":
		return kind
	case "all-lower":
		return strings.ToLower(kind)
	case "upper":
		return strings.ToUpper(kind)
	case "padded":
		return " " + kind + " "
	}
	if kind == "None" {
		return kind
	}
	return strings.ToLower(kind)
}

func (p *Profile) showMethod(r Receive) any {
	switch {
	case r.URL == "" || p.URLMethod == "kept":
		return textOrNull(r.URLMethod)
	case p.URLMethod == "empty":
		return ""
	case p.URLMethod == "null":
		return nil
	default:
		return p.URLMethod
	}
}

// object returns the notification as the API shows it.
func (n Notify) object(profile *Profile) map[string]any {
	object := map[string]any{"url": textOrNull(n.URL), "method": textOrNull(n.Method)}
	if profile.NotificationType == "shown" {
		object["type"] = "None"
		if n.Type != "" {
			object["type"] = n.Type
		}
		object["email"] = n.Email
	}
	return object
}

// textOrNull returns nil for an unset field, as FoneStorm does for some fields. Others are "".
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
