package fonestorm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// FoneNumber is a telephone number of the account.
type FoneNumber struct {
	Number string // Ten digits.
	Label  string // Empty when it has none.
	Group  string // Empty when it is in none.
	Status Status

	// MessagingDisabled is set when the account receives no messages at this number.
	MessagingDisabled bool

	// Delivery is where its messages go. It is nil only in list entries that do not show it; a number on which nothing was
	// ever set has type None.
	Delivery *Delivery
	// CallbackURL is the callback URL that FoneStorm shows, whether messages go there now or it is left from earlier. Empty
	// for none.
	CallbackURL string
	// ReceiveNotify is the notification about received messages, beside their delivery.
	ReceiveNotify Notification
}

// Status is the `is_active` of a FoneNumber. The zero value means that FoneStorm did not say.
type Status string

// The states of a FoneNumber.
const (
	Active              Status = "yes"
	CancellationPending Status = "no"
	Cancelled           Status = "cancel"
	StatusUnknown       Status = "unknown" // FoneStorm said something that is not documented.
)

// MayBeActive reports whether nothing says that the FoneNumber is cancelled or about to be.
func (s Status) MayBeActive() bool { return s != CancellationPending && s != Cancelled }

// Notification is a callback or an e-mail about each received message. It delivers nothing. The zero value means that
// FoneStorm showed none.
type Notification struct {
	Type   NotificationType
	Email  string // Empty unless the type is Email.
	URL    string // Empty unless the type is Callback; may be left from earlier.
	Method string // How the URL is called, as FoneStorm shows it.
}

// NotificationType is the kind of a notification.
type NotificationType string

// The documented kinds of notification.
const (
	NotifyNone     NotificationType = "None"
	NotifyCallback NotificationType = "Callback"
	NotifyEmail    NotificationType = "Email"
)

// GetFoneNumber returns one FoneNumber. IsNotFound tells from the error that the account does not have it. Reads are shared:
// what this client has read, listed or set serves every further read for as long as it lives, which is one plan or apply.
func (c *Client) GetFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	f, err := c.snapshot.get(ctx, number)
	if IsNotFound(err) {
		err = c.confirmNotFound(ctx, number, err)
	}
	return f, err
}

// Known returns a FoneNumber that GetFoneNumber would return without a request, and whether there is one.
func (c *Client) Known(number string) (FoneNumber, bool) {
	return c.snapshot.known(number)
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order. The list is shared in the same way as
// single reads; where FoneStorm lists only numbers, each of them costs one more request.
func (c *Client) ListFoneNumbers(ctx context.Context) ([]FoneNumber, error) {
	return c.snapshot.list(ctx)
}

// confirmNotFound decides what a 404 about a FoneNumber means. The account's list must agree, where it can be had; where it
// cannot, something else must have shown that this is FoneStorm.
func (c *Client) confirmNotFound(ctx context.Context, number string, notFound error) error {
	listed, err := c.snapshot.contains(ctx, number)
	switch {
	case isCanceled(err):
		return err
	case listed:
		return unconfirmed(notFound, "The account's list contains the FoneNumber, so it is not taken for gone.")
	case err == nil || c.proven.Load():
		return notFound
	case hasStatus(err, http.StatusNotFound):
		return nothingFound(notFound, c.endpoint.Redacted())
	default:
		return unconfirmed(notFound, "Whether that is so could not be confirmed: "+err.Error())
	}
}

// listTimeout is how long the list of all FoneNumbers may take, at least: FracTEL warns that it may take a while.
const listTimeout = 2 * time.Minute

// fetchFoneNumbers asks FoneStorm for all FoneNumbers.
func (c *Client) fetchFoneNumbers(ctx context.Context, form listForm) ([]FoneNumber, error) {
	r := &request{operation: listFoneNumbers, method: http.MethodGet, path: "/fonenumbers", timeout: listTimeout, once: true}
	if form != plainList {
		r.query = url.Values{"filter": {string(form)}}
	}
	var list []FoneNumber
	var skipped int
	err := c.call(ctx, r, func(body io.Reader) error {
		list, skipped = []FoneNumber{}, 0 // An earlier attempt may have got part of it.
		err := decodeList(body, func(f FoneNumber) { list = append(list, f) }, func() { skipped++ })
		if err == nil && len(list) == 0 && skipped > 0 { // Not an account without FoneNumbers.
			err = fmt.Errorf("%w: has no FoneNumber in any entry of the list", errWrongForm)
		}
		return err
	})
	if err != nil {
		return nil, err // Part of the account is no answer.
	}
	if skipped > 0 {
		tflog.Warn(ctx, "FoneStorm listed entries without a FoneNumber", map[string]any{"skipped": skipped})
	}
	return list, nil
}

// fetchFoneNumber asks FoneStorm for one FoneNumber.
func (c *Client) fetchFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	r := &request{operation: readFoneNumber, subject: number, method: http.MethodGet, path: "/fonenumbers/" + url.PathEscape(number)}
	f, err := c.askAbout(ctx, r)
	switch {
	case err != nil:
		return FoneNumber{}, err
	case f == nil:
		return FoneNumber{}, unexpected(r, false, "contains no FoneNumber")
	case f.Delivery == nil:
		f.Delivery = &Delivery{Type: None} // A number on which nothing was ever set may not show any.
	}
	return *f, nil
}

// askAbout sends a request about one FoneNumber and returns what the response says about it; nil when it only reports
// success.
func (c *Client) askAbout(ctx context.Context, r *request) (*FoneNumber, error) {
	var found answer
	err := c.call(ctx, r, func(body io.Reader) (err error) {
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if r.sets() && len(bytes.TrimSpace(content)) == 0 {
			found = answer{}
			return nil
		}
		found, err = decodeAnswer(content)
		return err
	})
	if err != nil || found.foneNumber == nil {
		return nil, err
	}
	if got := found.foneNumber.Number; got != canonicalNumber(r.subject) {
		return nil, unexpected(r, false, fmt.Sprintf("is about FoneNumber %q", c.secrets.clean(got)))
	}
	found.foneNumber.Number = r.subject
	return found.foneNumber, nil
}
