package fonestorm

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

const (
	// singleReads is the number of single reads before the whole account is read as a list. For a few resources single reads
	// are cheaper than the list, and for many they hardly delay it.
	singleReads = 5
	// readsAtOnce is the maximum number of concurrent single reads that complete a list.
	readsAtOnce = 10
)

// account is what the client knows about the account, so that a thousand reads require only a handful of requests. It is updated
// by every response: single reads, lists, and settings.
type account struct {
	singles atomic.Int32 // Number of reads of FoneNumbers that were not known.
	list    once[[]FoneNumber]
	devices once[[]RegisteredDevice]
	entries sync.Map // The *entry of each FoneNumber.
}

// entry is what is known about one FoneNumber, from a read or, if it has a delivery there, from a list or the response to a setting. A
// setting replaces the entry, so that late responses to earlier requests are ignored.
type entry struct {
	once[FoneNumber]
	wasSet bool // A list may be older than the setting, and must not fill the entry.
}

func (a *account) entry(number string) *entry {
	known, _ := a.entries.LoadOrStore(number, &entry{})
	e, _ := known.(*entry)
	return e
}

// put stores what FoneStorm shows after a setting; the zero value if the setting failed. Without a delivery, the next read sends a
// request.
func (a *account) put(number string, f FoneNumber) {
	e := &entry{wasSet: true}
	if f.Options[Receive].Type != "" {
		e.kept.Store(&outcome[FoneNumber]{value: f})
	}
	a.entries.Store(number, e)
}

// once is a value that is requested when it is first needed, such as a token or a list. The zero value is empty.
type once[T any] struct {
	flight singleflight.Group
	kept   atomic.Pointer[outcome[T]]
}

type outcome[T any] struct {
	value T
	err   error
}

// get returns the value, or requests it. Concurrent callers share the first one's request and context, because Terraform
// ends all contexts at the same time. A failure is kept, too, unless the context ended or nothing was sent: it has had its retries.
func (o *once[T]) get(request func() (T, error)) (T, error) {
	result, _, _ := o.flight.Do("", func() (any, error) {
		if known := o.kept.Load(); known != nil {
			return known, nil
		}
		value, err := request()
		requested := &outcome[T]{value, err}
		if KindOf(err) != Canceled && (err == nil || asError(err).Attempts > 0) {
			o.kept.CompareAndSwap(nil, requested)
		}
		return requested, nil
	})
	shared, _ := result.(*outcome[T])
	return shared.value, shared.err
}

// known returns the value if it is known.
func (o *once[T]) known() (value T, _ bool) {
	if kept := o.kept.Load(); kept != nil {
		return kept.value, kept.err == nil
	}
	return value, false
}

// list returns the account's list in the first form that FoneStorm supports: with each delivery, or only the numbers. It stores the
// active FoneNumbers that have a delivery, unless they were read or set before.
func (c *Client) list(ctx context.Context) ([]FoneNumber, error) {
	return c.account.list.get(func() (list []FoneNumber, err error) {
		for _, query := range []string{"filter=all", ""} {
			r := &request{role: lists, text: "list the account's FoneNumbers", path: "/fonenumbers", query: query}
			if list, err = call(ctx, c, r, decodeFoneNumbers); !isRejectedWith(err, lists, 400, 404, 410, 415, 422) {
				break // The filter is supported, or something else is wrong.
			}
		}
		for _, f := range list {
			f.Listed = true
			if e := c.account.entry(f.Number); f.Options[Receive].Type != "" && f.Status.MayBeActive() && !e.wasSet {
				if known := e.kept.Load(); known == nil || known.err != nil {
					e.kept.CompareAndSwap(known, &outcome[FoneNumber]{value: f})
				}
			}
		}
		return list, err
	})
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order, with what was read or set before. The list is
// shared in the same way as single reads. FoneNumbers that are listed without their delivery or these message options are read singly.
func (c *Client) ListFoneNumbers(ctx context.Context, options ...MessageOption) ([]FoneNumber, error) {
	found, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	isInactive := func(f FoneNumber) bool { return !f.Status.MayBeActive() }
	list := slices.DeleteFunc(slices.Clone(found), isInactive)
	reads, stopped := errgroup.WithContext(ctx)
	reads.SetLimit(readsAtOnce)
	for i := range list {
		reads.Go(func() (err error) {
			if stopped.Err() == nil || ctx.Err() != nil { // A read itself is not stopped, because other callers may share it.
				list[i], err = c.GetFoneNumber(ctx, list[i].Number, options...)
			}
			if KindOf(err) == UnexpectedResponse && asError(err).Status == http.StatusNotFound {
				list[i].Status, err = Cancelled, nil // It was removed from the account after it was listed.
			}
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, isInactive), nil
}

// RegisteredDevice is a SIP handset, an app, or a WebRTC endpoint of the account, to which messages can be delivered.
type RegisteredDevice struct {
	ID         string // Digits.
	Name       string // May be empty and need not be unique.
	Type       string // The model, in FoneStorm's words.
	FoneNumber string // Its outbound caller ID; may be empty.
}

// ListDevices returns the devices of the account, in FoneStorm's order. The client sends one request and remembers its result,
// including a failure: a user who is not allowed to list devices will not be allowed the next time either.
func (c *Client) ListDevices(ctx context.Context) ([]RegisteredDevice, error) {
	return c.account.devices.get(func() ([]RegisteredDevice, error) {
		return call(ctx, c, &request{role: lists, text: "list the account's devices", path: "/devices"}, decodeDevices)
	})
}
