package simulator

import (
	"cmp"
	"net/http"
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
	Unnotified        bool // Its object contains no notifications.

	Receive       Receive
	ReceiveNotify Notify // About each message that is received.
	SendNotify    Notify // About each message that is sent.
}

// Notify is a notification about each message, in addition to its delivery. The zero value means none.
type Notify struct {
	Type   string // None or empty, Callback, or Email.
	Email  string
	URL    string
	Method string // GET, POST, or JSON.

	// The API accepts these and never returns them.
	URLUsername string
	URLPassword string
}

// Receive is the delivery of a FoneNumber. It has a field for each type of destination; fields of other types than the current
// one keep old values, as in FoneStorm.
type Receive struct {
	Type      string // Device, Email, URL, Forward, or None; Put turns "" into None.
	Device    string
	Email     string
	URL       string
	URLMethod string
	Forward   string

	// The API accepts these and never returns them.
	URLUsername string
	URLPassword string
}

// destination returns the field of a type; nil for None and unknown types.
func (r *Receive) destination(kind string) *string {
	return map[string]*string{"Device": &r.Device, "Email": &r.Email, "URL": &r.URL, "Forward": &r.Forward}[kind]
}

// Value returns the destination of the current type; "" for None.
func (r Receive) Value() string {
	if field := r.destination(r.Type); field != nil {
		return *field
	}
	return ""
}

// String describes the delivery, without the credentials.
func (r Receive) String() string { return strings.TrimSpace(r.Type + " " + r.Value()) }

// Delivering returns r with a new destination. Fields of other types and the credentials keep their values.
func (r Receive) Delivering(kind, value string) Receive {
	r.Type = kind
	if field := r.destination(kind); field != nil {
		*field = value
	}
	if kind == "URL" {
		r.URLMethod = "POST"
	}
	return r
}

// show returns the JSON of a FoneNumber for the response to a request.
func (s *Simulator) show(r *http.Request, f FoneNumber) object {
	if s.showAs != nil {
		f = s.showAs(Request{Path: r.URL.Path}.Kind(), f)
	}
	return s.options.Dialect.foneNumber(f)
}

// foneNumber returns the JSON of a FoneNumber.
func (d Dialect) foneNumber(f FoneNumber) object {
	shown := object{
		"fonenumber":  f.Number,
		"label":       f.Label,
		"group":       textOrNull(f.Group),
		"is_active":   f.Active,
		"fax_options": object{"receive": object{"type": "None"}}, // Not in the contract, because FoneStorm adds members over time.
	}
	if f.Undeliverable {
		return shown
	}
	enabled := "yes"
	if f.MessagingDisabled {
		enabled = "no"
	}
	options := object{"receive": d.receive(f.Receive), "mms_enabled": enabled, d.EnabledMember: enabled}
	if !f.Unnotified {
		options["receive_notify"], options["send_notify"] = f.ReceiveNotify.object(), f.SendNotify.object()
	}
	shown[d.OptionsMember] = options
	return shown
}

// receive returns the JSON of a delivery.
func (d Dialect) receive(r Receive) object {
	kind, method := r.Type, r.URLMethod
	if kind != "None" && !d.DocumentedTypes {
		kind = strings.ToLower(kind)
	}
	if r.URL != "" {
		method = cmp.Or(d.URLMethod, method)
	}
	return object{
		"type":       kind,
		"device":     r.Device,
		"email":      textOrNull(r.Email),
		"url":        textOrNull(r.URL),
		"url_method": textOrNull(method),
		"forward":    r.Forward,
	}
}

// object returns the JSON of a notification.
func (n Notify) object() object {
	return object{"type": cmp.Or(n.Type, "None"), "email": n.Email, "url": textOrNull(n.URL), "method": textOrNull(n.Method)}
}

// textOrNull returns nil for an unset field, as FoneStorm does for some fields. Others are "".
func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
