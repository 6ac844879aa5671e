package fonestorm

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DeliveryType is the type of a destination.
type DeliveryType string

// The types, in FracTEL's spelling.
const (
	Device   DeliveryType = "Device"   // The ID of a registered device.
	Email    DeliveryType = "Email"    // An e-mail address.
	URL      DeliveryType = "URL"      // A callback URL.
	Forward  DeliveryType = "Forward"  // Another telephone number.
	None     DeliveryType = "None"     // Nowhere: messages are deleted upon receipt, or there is no notification.
	Callback DeliveryType = "Callback" // A callback URL of a notification.
)

// DeliveryTypes lists the types of Set Delivery Service in the order of FracTEL's documents.
func DeliveryTypes() []DeliveryType { return []DeliveryType{Device, Email, URL, Forward, None} }

// NotificationTypes lists the types of notifications.
func NotificationTypes() []DeliveryType { return []DeliveryType{Callback, Email, None} }

var knownTypes = append(DeliveryTypes(), Callback)

// IsCallback reports whether the destination is a callback URL.
func (t DeliveryType) IsCallback() bool { return t == URL || t == Callback }

// URLMethodPOST is the only method that Set Delivery Service accepts, according to FracTEL's page. FoneNumbers that were set in
// another way can use GET or JSON.
const URLMethodPOST = "POST"

// MessageOption is something that FoneStorm does with each message of a FoneNumber. The zero value is Receive.
type MessageOption int

// The message options that have a destination.
const (
	Receive       MessageOption = iota // Delivers received messages.
	ReceiveNotify                      // Notifies about received messages, in addition to their delivery.
	SendNotify                         // Notifies about sent messages.
)

// member returns FoneStorm's name for the option, in paths and in responses.
func (o MessageOption) member() string {
	return [...]string{"receive", "receive_notify", "send_notify"}[o]
}

// String returns what the option is called in a sentence.
func (o MessageOption) String() string {
	return [...]string{"delivery", "receive notification", "send notification"}[o]
}

// Options are the destinations of a FoneNumber's messages by MessageOption. The zero value of one means that it is not known.
type Options [3]Delivery

// Delivery is the delivery service of a FoneNumber, where the messages that it receives are sent, or where notifications about its
// messages are sent. Callback credentials are not part of it, because FoneStorm never returns them.
type Delivery struct {
	Type DeliveryType `json:"type"`
	// Value is the destination: a device ID, an e-mail address, a URL, or a telephone number; empty for None.
	Value string `json:"value,omitempty"`
	// URLMethod is the HTTP method of a callback URL; empty for other types or if FoneStorm does not return it. It is also empty
	// in a delivery to set, which always has URLMethodPOST.
	URLMethod string `json:"method,omitempty"`
}

// String describes the delivery by its type and value. What a URL has before and after its host can contain a secret, so it is left
// out, and so is anything else that may be a URL in another spelling.
func (d Delivery) String() string {
	kind, value := visible(string(d.Type)), d.Value // FoneStorm may return any text.
	isText := slices.Contains([]DeliveryType{Device, Email, Forward}, d.Type) && !strings.ContainsAny(value, `/?%&\`)
	u := splitURL(value)
	switch server := u.scheme + u.host + u.port; {
	case value == "":
		return kind
	case serverURL.MatchString(server):
		value = server + "/…"
	case !isText:
		value = "…"
	}
	return fmt.Sprintf("%s %q", kind, value)
}

var serverURL = regexp.MustCompile(`^(?i)https?://[\p{L}\p{M}\p{N}._-]+(:[0-9]{1,5})?$`)

// WithoutCredentials masks a username and password in a callback URL, which can contain them if it was set by hand. Anything
// else is returned unchanged.
func WithoutCredentials(value string) string { return userOfURL.ReplaceAllString(value, "${1}***@") }

var userOfURL = regexp.MustCompile(`^([^/?#]*://)[^/?#]*@`)

// Setting is a delivery or notification to set, and what the caller knows about the one that it set before.
type Setting struct {
	Option MessageOption
	Delivery
	// Credentials authenticate FoneStorm to the callback URL. Nil leaves the current ones unchanged, and empty ones remove them.
	Credentials *Credentials
	// Last is the destination that the caller set last, and LastShown is how FoneStorm showed it. Both are zero if unknown.
	Last, LastShown Delivery
	// MustRemoveCredentials makes it an error if FoneStorm rejects empty credentials, instead of leaving earlier ones in place.
	MustRemoveCredentials bool
}

// Credentials are a username and password for HTTP Basic authentication.
type Credentials struct{ Username, Password string }

// basic returns the credentials as they are sent to a callback URL.
func (c Credentials) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
}

// SetResult is the FoneNumber as FoneStorm shows it after a setting.
type SetResult struct {
	FoneNumber
	// CredentialsKept means that FoneStorm rejected empty credentials and the setting was sent without any, so FoneStorm may
	// still send earlier credentials to the callback URL.
	CredentialsKept bool
	// Respelled means that FoneStorm shows the destination in a spelling that SameDestination does not recognize, or with another
	// method than the one that was set, and did not do so when the same setting was set last.
	Respelled bool
}

// Set sets the delivery or a notification of a FoneNumber. Setting the same thing twice is harmless. It is confirmed by what
// FoneStorm shows afterward, in any spelling that keeps the address, the digits, or the host. If FoneStorm still shows another
// destination after several reads, the error is an OtherDestination. MayHaveTakenEffect reports whether it may be set despite an
// error. When ctx is canceled, a setting in flight completes, but no other request is sent.
func (c *Client) Set(ctx context.Context, number string, s Setting) (SetResult, error) {
	if s.Credentials != nil {
		c.secrets.add(s.Credentials.Password, s.Credentials.basic())
	}
	if path := namesInURL.ReplaceAllString(splitURL(s.Value).path, ""); strings.Trim(path, "/?&#") != "" {
		c.secrets.add(path, decoded(path))
	}
	before := c.Known(number).Options[s.Option]
	f, kept, err := c.sendSetting(ctx, number, s)
	if err == nil {
		f, err = c.confirm(ctx, number, s, before, f)
	}
	if err == nil {
		c.account.put(number, f)
		return SetResult{FoneNumber: f, CredentialsKept: kept, Respelled: !s.isShownAs(f.Options[s.Option])}, nil
	}
	c.account.put(number, FoneNumber{})
	return SetResult{}, err
}

// namesInURL matches tokens and the names of parameters, which are no secrets.
var namesInURL = regexp.MustCompile(`\{\{[^{}]*\}\}|[^/?&=]+=`)

// sendSetting sends a setting and returns the FoneNumber in the response, if any. If FoneStorm rejects empty credentials, it sends the
// setting without them and reports that earlier ones may remain, unless they must be removed.
func (c *Client) sendSetting(ctx context.Context, number string, s Setting) (_ FoneNumber, kept bool, _ error) {
	r, without := s.request(number), s.request(number)
	maps.DeleteFunc(without.params, func(name, value string) bool { return strings.HasPrefix(name, "url_") && value == "" })
	f, err := c.requestFoneNumber(ctx, r, number)
	switch {
	case len(without.params) == len(r.params) || !isRejectedWith(err, sets, 400, 415, 422):
		return f, false, err
	case s.MustRemoveCredentials:
		return f, false, explained(err, DestinationRejected, "The request also removes the earlier callback credentials, which must not reach the new URL. "+
			"If FoneStorm does not accept that, set url_username and a password for the new URL")
	case MayHaveTakenEffect(err): // An earlier attempt may have removed them.
		return f, false, err
	}
	f, err = c.requestFoneNumber(ctx, without, number)
	return f, true, err
}

// request returns the request to Set Delivery Service, or to Set Receive Callback or Set Send Callback. `url_method` is required for
// every type of delivery since v2.4.
func (s Setting) request(number string) *request {
	p := params{"fonenumber": number, "type": string(s.Type)}
	switch {
	case s.Option == Receive:
		p["value"], p["url_method"] = cmp.Or(s.Value, string(None)), URLMethodPOST
	case s.Type == Callback:
		p["url"], p["method"] = s.Value, s.URLMethod
	case s.Type == Email:
		p["email"] = s.Value
	}
	if s.Credentials != nil {
		p["url_username"], p["url_password"] = s.Credentials.Username, s.Credentials.Password
	}
	return &request{role: sets, text: fmt.Sprintf("set the %s of FoneNumber %s", s.Option, number), path: "/messages/" + s.Option.member(), params: p}
}

// isShownAs reports whether a shown destination is the setting: in a known spelling and with its method, if FoneStorm shows one, or
// just as FoneStorm showed the same setting last.
func (s Setting) isShownAs(shown Delivery) bool {
	hasMethod := s.URLMethod == "" || shown.URLMethod == "" || shown.URLMethod == s.URLMethod
	return hasMethod && SameDestination(shown, s.Delivery) || s.Last == s.Delivery && s.LastShown == shown
}

// confirmWaits are the waits before the reads that confirm a setting: about five seconds, because a read can lag behind.
var confirmWaits = []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second}

// confirm waits until FoneStorm shows the setting: in the response f, or else in one of several reads. Another spelling counts if
// something else was shown before. Otherwise it may be the previous destination, and is accepted only after the last read, unless
// it means what was set last, and that is another destination.
//
// A destination that is set again, because FoneStorm did not show it as set, is always read: a response can spell it differently
// than reads do.
func (c *Client) confirm(ctx context.Context, number string, s Setting, before Delivery, f FoneNumber) (_ FoneNumber, err error) {
	isConfirmed := func() bool {
		shown := f.Options[s.Option]
		return s.isShownAs(shown) || MaySpell(shown, s.Delivery) && before.Type != "" && !SameDestination(before, shown)
	}
	isSetAgain := s.Last == s.Delivery && !s.isShownAs(before)
	if !isSetAgain && isConfirmed() {
		return f, nil
	}
	for _, wait := range confirmWaits {
		sleep(ctx, wait) // If it is canceled, so is the read.
		if f, err = c.ReadFoneNumber(ctx, number); err != nil {
			failure := *asError(err)
			failure.uncertain = true // FoneStorm has accepted the setting.
			return f, &failure
		}
		if isConfirmed() {
			return f, nil
		}
	}
	shown := f.Options[s.Option]
	isUnchanged := SameDestination(shown, s.Last) && !SameDestination(s.Last, s.Delivery)
	if MaySpell(shown, s.Delivery) && !isUnchanged {
		return f, nil
	}
	// The destination may be sensitive, so the error contains only its type.
	return f, &Error{Kind: OtherDestination, Call: s.request(number).text, uncertain: true, Reason: fmt.Sprintf(
		"FoneStorm accepted the destination of type %q but still shows %s", s.Type, shown)}
}
