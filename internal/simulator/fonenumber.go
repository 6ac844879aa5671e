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
	Unnotified        bool // Its object contains no notifications.

	Receive       Receive
	ReceiveNotify Notify // About each message that is received.
	SendNotify    Notify // About each message that is sent.
}

// Notify is a notification about each message, in addition to its delivery. The zero value means none.
type Notify struct {
	Type   string `json:"type"` // None or empty, Callback, or Email.
	Email  string `json:"email"`
	URL    string `json:"url,omitempty"`
	Method string `json:"method,omitempty"` // GET, POST, or JSON.

	// The API accepts these and never returns them.
	URLUsername string `json:"-"`
	URLPassword string `json:"-"`
}

// Receive is the delivery of a FoneNumber. It has a field for each type of destination; fields of other types than the current
// one keep old values, as in FoneStorm.
type Receive struct {
	Type      string `json:"type"` // Device, Email, URL, Forward, or None; Put turns "" into None.
	Device    string `json:"device"`
	Email     string `json:"email,omitempty"`
	URL       string `json:"url,omitempty"`
	URLMethod string `json:"url_method,omitempty"`
	Forward   string `json:"forward"`

	// The API accepts these and never returns them.
	URLUsername string `json:"-"`
	URLPassword string `json:"-"`
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

// show returns what the response to a request contains about a FoneNumber.
func (s *Simulator) show(r *http.Request, f FoneNumber) object {
	if s.showAs != nil {
		f = s.showAs(Request{Path: r.URL.Path}.Kind(), f)
	}
	dialect, enabled := s.options.Dialect, "yes"
	if f.MessagingDisabled {
		enabled = "no"
	}
	if f.Receive.Type != "None" && !dialect.DocumentedTypes {
		f.Receive.Type = strings.ToLower(f.Receive.Type)
	}
	if f.Receive.URL != "" {
		f.Receive.URLMethod = cmp.Or(dialect.URLMethod, f.Receive.URLMethod)
	}
	options := object{"receive": f.Receive, "mms_enabled": enabled, dialect.EnabledMember: enabled}
	if !f.Unnotified {
		options["receive_notify"], options["send_notify"] = f.ReceiveNotify, f.SendNotify
	}
	return object{
		"fonenumber":          f.Number,
		"label":               f.Label,
		"group":               f.Group,
		"is_active":           f.Active,
		"fax_options":         object{"receive": object{"type": "None"}}, // Not in the contract, because FoneStorm adds members over time.
		dialect.OptionsMember: options,
	}
}
