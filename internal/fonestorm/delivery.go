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

// DeliveryType says what kind of destination messages go to.
type DeliveryType string

// The types of Set Delivery Service, as FracTEL spells them.
const (
	Device  DeliveryType = "Device"  // A registered device, by its ID.
	Email   DeliveryType = "Email"   // An e-mail address.
	URL     DeliveryType = "URL"     // A callback URL.
	Forward DeliveryType = "Forward" // Another telephone number.
	None    DeliveryType = "None"    // Nowhere: messages are deleted upon receipt.
)

// DeliveryTypes lists the types in the order of FracTEL's documents.
func DeliveryTypes() []DeliveryType { return []DeliveryType{Device, Email, URL, Forward, None} }

// parseType gives a type its documented spelling: responses show it in lower case too. No type means that nothing was ever
// set, which is the same as None. Types that are not documented are kept as they are.
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

// URLMethodPOST is the only method that Set Delivery Service accepts: FracTEL's page says that delivery URLs use POST
// exclusively, and that GET and JSON are not available. Numbers that were set in another way can show those.
const URLMethodPOST = "POST"

// Delivery is where the messages received at a FoneNumber go.
type Delivery struct {
	Type DeliveryType
	// Value is the destination: a device ID, an e-mail address, a URL or a telephone number. Empty for None.
	Value string
	// URLMethod is how a callback URL is called; empty for other types and when FoneStorm does not say. It is not
	// used when setting: that is always URLMethodPOST.
	URLMethod string

	// URLUsername and URLPassword authenticate FoneStorm to the callback URL (HTTP Basic). They can be set and never
	// read: nil leaves what is there, "" removes it.
	URLUsername *string
	URLPassword *string
}

// String describes the delivery in the words of Set Delivery Service, without credentials.
func (d *Delivery) String() string {
	kind := string(d.Type)
	if !slices.Contains(DeliveryTypes(), d.Type) { // It can be any text.
		kind = strconv.Quote(kind)
	}
	if d.Value == "" {
		return kind
	}
	return fmt.Sprintf("%s %q", kind, WithoutCredentials(d.Value))
}

// WithoutCredentials returns a callback URL with asterisks in place of a user name and password, which FoneNumbers that were
// set by hand can have in it. Anything else is returned as it is.
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

// SetResult is what FoneStorm shows after a delivery was set.
type SetResult struct {
	FoneNumber
	// CredentialsKept says that FoneStorm refused empty credentials, so that the delivery was set without any: earlier ones
	// may still be sent to the callback URL.
	CredentialsKept bool
}

// SetDelivery says where messages received at a FoneNumber go. Setting the same twice is harmless. A result is compared as
// SameDestination does; when FoneStorm shows another destination, after it has been read once more, the error's kind is
// OtherDestination. A request whose outcome is not known is settled by reading where that can tell; of any error,
// MayHaveTakenEffect says whether the delivery may be set nevertheless. When ctx is canceled no further request is sent, and
// the one under way ends by itself.
func (c *Client) SetDelivery(ctx context.Context, number string, want Delivery) (SetResult, error) {
	c.keepSecret(want)
	before, known := c.Known(number)
	kept := false
	if c.refusesEmpty.Load() {
		want, kept = want.withoutEmptyCredentials()
	}
	f, err := c.set(ctx, number, want)
	if without, empty := want.withoutEmptyCredentials(); empty && isUnreadBody(asError(err)) {
		if other, otherErr := c.set(ctx, number, without); !isUnreadBody(asError(otherErr)) {
			c.refusesEmpty.Store(otherErr == nil)
			want, f, err, kept = without, other, otherErr, true
		}
	}
	if MayHaveTakenEffect(err) && KindOf(err) != OtherDestination && ctx.Err() == nil {
		f, err = c.settle(ctx, number, want, known && !SameDestination(*before.Delivery, want), err)
	}
	if err != nil {
		c.snapshot.forget(number)
		if IsNotFound(err) {
			err = c.confirmSettingNotFound(ctx, number, err)
		}
		return SetResult{FoneNumber: f}, err
	}
	c.snapshot.put(f)
	return SetResult{FoneNumber: f, CredentialsKept: kept}, nil
}

// confirmSettingNotFound decides what a 404 in answer to a setting means: the FoneNumber is gone only if reading it says so, too.
func (c *Client) confirmSettingNotFound(ctx context.Context, number string, notFound error) error {
	_, err := c.fetchFoneNumber(ctx, number)
	if IsNotFound(err) {
		return c.confirmNotFound(ctx, number, notFound)
	}
	return unconfirmed(notFound, "Reading the FoneNumber does not confirm that")
}

// keepSecret makes the callback credentials secret, also in the form in which they are sent to the callback URL.
func (c *Client) keepSecret(d Delivery) {
	if d.URLPassword == nil || *d.URLPassword == "" {
		return
	}
	c.secrets.add(*d.URLPassword)
	if d.URLUsername != nil {
		c.secrets.add(basicCredentials(*d.URLUsername, *d.URLPassword))
	}
}

// basicCredentials returns a user name and password as HTTP Basic authentication sends them.
func basicCredentials(username, password string) string {
	if password == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
}

// withoutEmptyCredentials returns the delivery without credentials that are empty, and whether there were any.
func (d Delivery) withoutEmptyCredentials() (Delivery, bool) {
	found := false
	for _, credential := range []**string{&d.URLUsername, &d.URLPassword} {
		if *credential != nil && **credential == "" {
			*credential, found = nil, true
		}
	}
	return d, found
}

// set sends the setting and makes sure that FoneStorm shows it.
func (c *Client) set(ctx context.Context, number string, want Delivery) (FoneNumber, error) {
	r := &request{
		operation: setDelivery, subject: number,
		method: http.MethodPost, path: "/messages/receive", params: want.params(number),
	}
	f, err := c.askAbout(ctx, r)
	if err != nil {
		return FoneNumber{}, err
	}
	if f == nil || f.Delivery == nil || !SameDestination(*f.Delivery, want) {
		read, err := c.fetchFoneNumber(ctx, number) // It may have shown what was there before.
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

// settle finds out by reading whether a setting took effect that failed with this error. Reading cannot tell that
// credentials were set, unless the destination changed with them.
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
