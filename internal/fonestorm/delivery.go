package fonestorm

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// DeliveryType is the type of a destination.
type DeliveryType string

// The types of Set Delivery Service, in FracTEL's spelling.
const (
	Device  DeliveryType = "Device"  // The ID of a registered device.
	Email   DeliveryType = "Email"   // An e-mail address.
	URL     DeliveryType = "URL"     // A callback URL.
	Forward DeliveryType = "Forward" // Another telephone number.
	None    DeliveryType = "None"    // Nowhere: messages are deleted upon receipt.
)

// DeliveryTypes lists the types in the order of FracTEL's documents.
func DeliveryTypes() []DeliveryType { return []DeliveryType{Device, Email, URL, Forward, None} }

// parseType returns the documented spelling of a type, which responses also show in lower case. An empty type means that no
// delivery was ever set, which is the same as None. Undocumented types are returned unchanged.
func parseType(text string) DeliveryType {
	text = strings.TrimSpace(text)
	for _, known := range DeliveryTypes() {
		if strings.EqualFold(text, string(known)) {
			return known
		}
	}
	if text == "" {
		return None
	}
	return DeliveryType(text)
}

// URLMethodPOST is the only method that Set Delivery Service accepts, according to FracTEL's page. FoneNumbers that were set in
// another way can use GET or JSON.
const URLMethodPOST = "POST"

// Delivery is the delivery service of a FoneNumber: where the messages that it receives are sent.
type Delivery struct {
	Type DeliveryType
	// Value is the destination: a device ID, an e-mail address, a URL, or a telephone number; empty for None.
	Value string
	// URLMethod is the HTTP method of a callback URL; empty for other types or if FoneStorm does not return it. SetDelivery
	// ignores it and sends URLMethodPOST.
	URLMethod string

	// URLUsername and URLPassword authenticate FoneStorm to the callback URL (HTTP Basic). FoneStorm never returns them. Nil
	// leaves the current value unchanged, and "" removes it.
	URLUsername *string
	URLPassword *string
}

// String describes the delivery in Set Delivery Service's terms, without credentials.
func (d *Delivery) String() string {
	kind := string(d.Type)
	if !slices.Contains(DeliveryTypes(), d.Type) { // FoneStorm may return any text.
		kind = strconv.Quote(kind)
	}
	if d.Value == "" {
		return kind
	}
	return fmt.Sprintf("%s %q", kind, WithoutCredentials(d.Value))
}

// WithoutCredentials masks a username and password in a callback URL, which can contain them if it was set by hand. Anything
// else is returned unchanged.
func WithoutCredentials(value string) string {
	scheme, rest, found := strings.Cut(value, "://")
	if !found {
		return value
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		return scheme + "://***@" + rest[at+1:]
	}
	return value
}

// SetResult is the FoneNumber as FoneStorm shows it after its delivery was set.
type SetResult struct {
	FoneNumber
	// CredentialsKept means that FoneStorm rejected empty credentials and the delivery was set without any, so FoneStorm may
	// still send earlier credentials to the callback URL.
	CredentialsKept bool
}

// SetDelivery sets the delivery of a FoneNumber. Setting the same delivery twice is harmless. If FoneStorm still shows another
// destination (see SameDestination) when it is read again, the error is an OtherDestination. If the outcome of the request is
// unknown, SetDelivery reads the FoneNumber to find out where possible; MayHaveTakenEffect reports whether the delivery may be
// set despite an error. When ctx is canceled, the request in flight completes, but no other request is sent.
func (c *Client) SetDelivery(ctx context.Context, number string, want Delivery) (SetResult, error) {
	c.keepSecret(want)
	before, known := c.Known(number)
	kept := false
	if c.rejectsEmptyCredentials.Load() {
		want, kept = want.withoutEmptyCredentials()
	}
	f, err := c.set(ctx, number, want)
	if without, empty := want.withoutEmptyCredentials(); empty && isUnreadBody(asError(err)) {
		if other, otherErr := c.set(ctx, number, without); !isUnreadBody(asError(otherErr)) {
			c.rejectsEmptyCredentials.Store(otherErr == nil)
			want, f, err, kept = without, other, otherErr, true
		}
	}
	if MayHaveTakenEffect(err) && KindOf(err) != OtherDestination && ctx.Err() == nil {
		f, err = c.settle(ctx, number, want, known && !SameDestination(*before.Delivery, want), err)
	}
	if err != nil {
		c.account.forget(number)
		if IsNotFound(err) {
			err = c.confirmSettingNotFound(ctx, number, err)
		}
		return SetResult{FoneNumber: f}, err
	}
	c.account.put(f)
	return SetResult{FoneNumber: f, CredentialsKept: kept}, nil
}

// confirmSettingNotFound decides what a 404 means that a setting returned: the FoneNumber is gone only if a read returns 404, too.
func (c *Client) confirmSettingNotFound(ctx context.Context, number string, notFound error) error {
	_, err := c.fetchFoneNumber(ctx, number)
	if IsNotFound(err) {
		return c.confirmNotFound(ctx, number, notFound)
	}
	return unconfirmed(notFound, "Reading the FoneNumber does not confirm that")
}

// keepSecret adds the callback password to the masked secrets, also in the form that FoneStorm sends to the callback URL.
func (c *Client) keepSecret(d Delivery) {
	if d.URLPassword == nil || *d.URLPassword == "" {
		return
	}
	c.secrets.add(*d.URLPassword)
	if d.URLUsername != nil {
		c.secrets.add(basicCredentials(*d.URLUsername, *d.URLPassword))
	}
}

// basicCredentials encodes a username and password for HTTP Basic authentication.
func basicCredentials(username, password string) string {
	if password == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
}

// withoutEmptyCredentials removes empty credentials from the delivery and reports whether there were any.
func (d Delivery) withoutEmptyCredentials() (Delivery, bool) {
	found := false
	for _, credential := range []**string{&d.URLUsername, &d.URLPassword} {
		if *credential != nil && **credential == "" {
			*credential, found = nil, true
		}
	}
	return d, found
}

// set sends the setting and verifies that FoneStorm shows it.
func (c *Client) set(ctx context.Context, number string, want Delivery) (FoneNumber, error) {
	r := &request{
		operation: setDelivery, subject: number,
		method: http.MethodPost, path: "/messages/receive", params: want.params(number),
	}
	f, err := c.requestFoneNumber(ctx, r)
	if err != nil {
		return FoneNumber{}, err
	}
	if f == nil || f.Delivery == nil || !SameDestination(*f.Delivery, want) {
		read, err := c.fetchFoneNumber(ctx, number) // The response may have shown the previous delivery.
		if err != nil {
			return FoneNumber{}, uncertain(err)
		}
		f = &read
	}
	if !SameDestination(*f.Delivery, want) {
		return *f, otherDestination(r, c.secrets.clean(f.Delivery.String()), want)
	}
	return *f, nil
}

// settle reads the FoneNumber to find out whether a failed setting took effect. Because FoneStorm does not return credentials,
// a read cannot confirm that they were set unless the destination changed with them.
func (c *Client) settle(ctx context.Context, number string, want Delivery, changes bool, failed error) (FoneNumber, error) {
	if (want.URLUsername != nil || want.URLPassword != nil) && !changes {
		return FoneNumber{}, failed
	}
	f, err := c.fetchFoneNumber(ctx, number)
	if err != nil || !SameDestination(*f.Delivery, want) {
		return FoneNumber{}, failed
	}
	return f, nil
}

// params returns the parameters of Set Delivery Service. `url_method` is required for every type since v2.4.
func (d Delivery) params(number string) params {
	p := params{"fonenumber": number, "type": string(d.Type), "value": d.Value, "url_method": URLMethodPOST}
	if d.Type == None {
		p["value"] = string(None)
	}
	if d.URLUsername != nil {
		p["url_username"] = *d.URLUsername
	}
	if d.URLPassword != nil {
		p["url_password"] = *d.URLPassword
	}
	return p
}
