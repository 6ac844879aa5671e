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
	Label  string // May be empty.
	Group  string // May be empty.
	Status Status

	// MessagingDisabled is true if the FoneNumber does not receive messages.
	MessagingDisabled bool

	// Delivery is nil only in list entries that do not contain it. A FoneNumber whose delivery was never set has type None.
	Delivery *Delivery
	// CallbackURL is the callback URL that FoneStorm shows, even if messages are no longer sent to it; empty for none.
	CallbackURL string
	// ReceiveNotify is the notification about received messages, in addition to their delivery.
	ReceiveNotify Notification
}

// Status is the `is_active` of a FoneNumber. The zero value means that FoneStorm did not return it.
type Status string

// The statuses of a FoneNumber.
const (
	Active              Status = "yes"
	CancellationPending Status = "no"
	Cancelled           Status = "cancel"
	StatusUnknown       Status = "unknown" // FoneStorm returned an undocumented value.
)

// MayBeActive reports whether the FoneNumber is not known to be cancelled, and no cancellation is pending.
func (s Status) MayBeActive() bool { return s != CancellationPending && s != Cancelled }

// Notification is a callback or an e-mail about each received message. It does not deliver the message. The zero value means
// that FoneStorm did not return one.
type Notification struct {
	Type   NotificationType
	Email  string // Empty unless the type is Email.
	URL    string // May be set even if the type is not Callback.
	Method string // The HTTP method or format in which FoneStorm calls the URL.
}

// NotificationType is the type of a notification.
type NotificationType string

// The documented types of notifications.
const (
	NotifyNone     NotificationType = "None"
	NotifyCallback NotificationType = "Callback"
	NotifyEmail    NotificationType = "Email"
)

// GetFoneNumber returns one FoneNumber. IsNotFound reports whether the error means that the account does not have it. Reads are
// shared: what this client has read, listed, or set is returned without another request for the lifetime of the client, which is
// one plan or apply.
func (c *Client) GetFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	f, err := c.snapshot.get(ctx, number)
	if IsNotFound(err) {
		err = c.confirmNotFound(ctx, number, err)
	}
	return f, err
}

// ReadFoneNumber reads one FoneNumber with a request of its own. Lists may spell a destination differently.
func (c *Client) ReadFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	f, err := c.fetchFoneNumber(ctx, number)
	if err != nil {
		return f, err
	}
	c.snapshot.put(f)
	return f, nil
}

// Known returns the FoneNumber if GetFoneNumber would return it without a request.
func (c *Client) Known(number string) (FoneNumber, bool) {
	return c.snapshot.known(number)
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order. The list is shared in the same way as
// single reads. If FoneStorm lists only numbers, the client sends one more request for each of them.
func (c *Client) ListFoneNumbers(ctx context.Context) ([]FoneNumber, error) {
	return c.snapshot.list(ctx)
}

// confirmNotFound decides what a 404 about a FoneNumber means. The account's list must confirm it. If there is no list, another
// response must have shown that the endpoint is FoneStorm's.
func (c *Client) confirmNotFound(ctx context.Context, number string, notFound error) error {
	listed, err := c.snapshot.contains(ctx, number)
	switch {
	case isCanceled(err):
		return err
	case listed:
		return unconfirmed(notFound, "The account's list contains the FoneNumber, so the provider does not treat it as deleted.")
	case err == nil || c.proven.Load():
		return notFound
	case hasStatus(err, http.StatusNotFound):
		return nothingFound(notFound, c.endpoint.Redacted())
	default:
		return unconfirmed(notFound, "This could not be confirmed: "+err.Error())
	}
}

// listTimeout is the minimum timeout for the list of all FoneNumbers: FracTEL warns that it may take a while.
const listTimeout = 2 * time.Minute

// fetchFoneNumbers requests all FoneNumbers.
func (c *Client) fetchFoneNumbers(ctx context.Context, form listForm) ([]FoneNumber, error) {
	r := &request{operation: listFoneNumbers, method: http.MethodGet, path: "/fonenumbers", timeout: listTimeout, once: true}
	if form != plainList {
		r.query = url.Values{"filter": {string(form)}}
	}
	var list []FoneNumber
	var skipped int
	err := c.call(ctx, r, func(body io.Reader) error {
		list, skipped = []FoneNumber{}, 0 // An earlier attempt may have read part of the list.
		err := decodeList(body, func(f FoneNumber) { list = append(list, f) }, func() { skipped++ })
		if err == nil && len(list) == 0 && skipped > 0 { // An account without FoneNumbers has an empty list.
			err = fmt.Errorf("%w: no entry of the list contains a FoneNumber", errWrongForm)
		}
		return err
	})
	if err != nil {
		return nil, err // A partial list must not be used.
	}
	if skipped > 0 {
		tflog.Warn(ctx, "FoneStorm listed entries without a FoneNumber", map[string]any{"skipped": skipped})
	}
	return list, nil
}

// fetchFoneNumber requests one FoneNumber.
func (c *Client) fetchFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	r := &request{operation: readFoneNumber, subject: number, method: http.MethodGet, path: "/fonenumbers/" + url.PathEscape(number)}
	f, err := c.requestFoneNumber(ctx, r)
	switch {
	case err != nil:
		return FoneNumber{}, err
	case f == nil:
		return FoneNumber{}, unexpected(r, false, "contains no FoneNumber")
	case f.Delivery == nil:
		f.Delivery = &Delivery{Type: None} // FoneStorm may not return a delivery that was never set.
	}
	return *f, nil
}

// requestFoneNumber sends a request about one FoneNumber and returns the FoneNumber in the response; nil if the response only
// reports success.
func (c *Client) requestFoneNumber(ctx context.Context, r *request) (*FoneNumber, error) {
	var found foneNumberResponse
	err := c.call(ctx, r, func(body io.Reader) (err error) {
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if r.sets() && len(bytes.TrimSpace(content)) == 0 {
			found = foneNumberResponse{}
			return nil
		}
		found, err = decodeFoneNumber(content)
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
