package fonestorm

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// DeliveryType says what kind of destination messages go to. The zero value means that none was ever set.
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

// parseType gives a type its documented spelling: answers have it in lower case too. Types that are not documented
// are kept as they come.
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

// URLMethodPOST is the only method of delivery URLs: FracTEL's page on Set Delivery Service says that they use POST
// exclusively, and that GET and JSON are not available.
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

// delivers reports whether d, as read, is what want, as set, asks for.
func (d *Delivery) delivers(want Delivery) bool {
	return SameDestination(*d, want)
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
	return fmt.Sprintf("%s %q", kind, d.Value)
}

// SetDelivery says where messages received at a FoneNumber go, and returns the FoneNumber as FoneStorm then shows it.
// Setting the same twice is harmless. When FoneStorm shows something else than was set, the error is an *AnswerError
// and the FoneNumber is returned as well. Of any error, MayHaveTakenEffect tells whether it may be set nevertheless.
func (c *Client) SetDelivery(ctx context.Context, number string, delivery Delivery) (SetResult, error) {
	r := request{
		doing:  "setting the delivery of FoneNumber " + number,
		method: http.MethodPost,
		path:   "/messages/receive",
		form:   delivery.form(number),
	}
	if delivery.URLPassword != nil {
		r.secrets = []string{*delivery.URLPassword}
	}
	f, err := c.setDelivery(ctx, &r, number, delivery)
	if err == nil {
		c.snapshot.put(f)
		return SetResult{FoneNumber: f}, nil
	}
	c.snapshot.forget(number)
	if r.effective {
		err = &effectiveError{err}
	}
	return SetResult{FoneNumber: f}, err
}

func (c *Client) setDelivery(ctx context.Context, r *request, number string, delivery Delivery) (FoneNumber, error) {
	var answer answer
	if err := c.call(ctx, r, answer.decode); err != nil {
		return FoneNumber{}, err
	}
	f, err := answer.about(*r, number)
	if answer.FoneNumber == nil { // Version 2.1 says only that it succeeded.
		f, err = c.fetchFoneNumber(ctx, number)
	}
	if err != nil {
		return FoneNumber{}, err
	}
	if f.Delivery == nil {
		return f, &AnswerError{Doing: r.doing, Reason: "it does not show where the FoneNumber delivers now"}
	}
	if !f.Delivery.delivers(delivery) {
		return f, &AnswerError{
			Doing:  r.doing,
			Reason: fmt.Sprintf("it shows %s where %s was set", r.printable(f.Delivery.String()), &delivery),
		}
	}
	return f, nil
}

// form returns the parameters of Set Delivery Service. `url_method` is required for every type since v2.4.
func (d Delivery) form(number string) url.Values {
	form := url.Values{
		"fonenumber": {number},
		"type":       {string(d.Type)},
		"value":      {d.Value},
		"url_method": {URLMethodPOST},
	}
	if d.Type == None {
		form.Set("value", string(None))
	}
	if d.URLUsername != nil {
		form.Set("url_username", *d.URLUsername)
	}
	if d.URLPassword != nil {
		form.Set("url_password", *d.URLPassword)
	}
	return form
}
