package fonestorm

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
)

// FoneNumber is a telephone number of the account.
type FoneNumber struct {
	Number string // Ten digits.
	Label  string // May be empty.
	Group  string // May be empty.
	Status Status

	// MessagingDisabled is true if the FoneNumber does not receive messages.
	MessagingDisabled bool

	// Listed means that it comes from the account's list, which can show it in another way than a single read, or not completely.
	Listed bool

	// Options are where its messages are delivered and who is notified. One that was never set has type None. A list
	// and the response to a setting can lack some of them.
	Options Options
}

// Status is the `is_active` of a FoneNumber.
type Status int

// The statuses of a FoneNumber.
const (
	Active        Status = iota // Also if FoneStorm does not return it.
	StatusUnknown               // FoneStorm returned an undocumented value.
	CancellationPending
	Cancelled
)

// MayBeActive reports whether the FoneNumber is not known to be cancelled, and no cancellation is pending.
func (s Status) MayBeActive() bool { return s == Active || s == StatusUnknown }

// GetFoneNumber returns one FoneNumber with its delivery and these message options. An error of kind NotFound means that
// the account does not have it. Reads are shared: what this client has read, listed, or set is returned without another request
// for the lifetime of the client, and so is the failure of a read. What is not known is requested in the cheapest way: first by single
// reads, then by one list for all the rest, then by single reads again for what the list lacks, such as message options.
func (c *Client) GetFoneNumber(ctx context.Context, number string, options ...MessageOption) (FoneNumber, error) {
	e := c.account.entry(number)
	f, err := e.get(func() (FoneNumber, error) {
		if c.account.singles.Add(1) > singleReads {
			_, _ = c.list(ctx) // If it fails or does not contain this FoneNumber, which may be inactive, it is read singly.
		}
		if f, known := e.known(); known {
			return f, nil
		}
		return c.ReadFoneNumber(ctx, number)
	})
	isMissing := func(o MessageOption) bool { return f.Options[o].Type == "" }
	if err == nil && slices.ContainsFunc(options, isMissing) {
		return c.ReadFoneNumber(ctx, number)
	}
	return f, err
}

// Known returns the FoneNumber if GetFoneNumber would return its delivery without a request; the zero value otherwise.
func (c *Client) Known(number string) FoneNumber {
	f, _ := c.account.entry(number).known()
	return f
}

// ReadFoneNumber returns one FoneNumber like GetFoneNumber, but always sends a request. Lists may spell a destination differently; use
// this to read one FoneNumber again.
func (c *Client) ReadFoneNumber(ctx context.Context, number string) (FoneNumber, error) {
	r := &request{role: readsOne, text: "read FoneNumber " + number, path: "/fonenumbers/" + url.PathEscape(number)}
	e := c.account.entry(number) // If the FoneNumber is set in the meantime, another entry counts.
	f, err := c.requestFoneNumber(ctx, r, number)
	if err != nil {
		return FoneNumber{}, c.confirmNotFound(ctx, number, err)
	}
	for o := range f.Options { // FoneStorm may not return one that was never set.
		f.Options[o] = cmp.Or(f.Options[o], Delivery{Type: None})
	}
	e.kept.Store(&outcome[FoneNumber]{value: f})
	return f, nil
}

// requestFoneNumber sends a request about one FoneNumber and returns the FoneNumber in the response. The response to a
// setting need not contain it, because a read shows what was set; then the FoneNumber is the zero value.
func (c *Client) requestFoneNumber(ctx context.Context, r *request, number string) (FoneNumber, error) {
	return call(ctx, c, r, func(body []byte) (FoneNumber, error) {
		f, err := decodeFoneNumber(body)
		switch {
		case err == nil && f.Number == number:
			return f, nil
		case r.role == sets && (err == nil || len(bytes.TrimSpace(body)) == 0):
			return FoneNumber{}, nil
		default:
			return FoneNumber{}, cmp.Or(err, errors.New("does not contain the FoneNumber"))
		}
	})
}

// confirmNotFound decides what a 404 in response to a read means; it returns any other error as it is. The account's list must confirm
// that the FoneNumber is gone, unless FoneStorm does not support or permit it.
func (c *Client) confirmNotFound(ctx context.Context, number string, err error) error {
	if KindOf(err) != NotFound {
		return err
	}
	list, unread := c.list(ctx)
	switch {
	case KindOf(unread) == Canceled:
		return unread
	case unread != nil && !isRejectedWith(unread, lists, 400, 403, 410, 415, 422):
		return explained(err, UnexpectedResponse, "The account's list could not be read, so the FoneNumber is not treated as deleted")
	case slices.ContainsFunc(list, func(f FoneNumber) bool { return f.Number == number && f.Status != Cancelled }):
		return explained(err, UnexpectedResponse, "The account's list contains the FoneNumber, so it is not treated as deleted")
	default:
		return err
	}
}
