package fonestorm

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	// singleReads is the number of single reads before the whole account is read as a list. For a few resources single reads
	// are cheaper than the list, and for many they do not delay it.
	singleReads = 5
	// readsAtOnce is the maximum number of concurrent single reads that complete a list.
	readsAtOnce = 10
)

// account is what the client knows about the account, so that a thousand reads require only a handful of requests. It is updated
// by every response: single reads, the list of all FoneNumbers, and settings.
type account struct {
	singles atomic.Int32 // Number of reads that were not known.
	list    once[[]FoneNumber]
	entries sync.Map // Of *entry by number.
}

// entry is what is known about one FoneNumber; it has a delivery. A setting replaces the entry, so that the responses to earlier
// requests are stored where nobody reads them.
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
		e.keep(f, nil)
	}
	a.entries.Store(number, e)
}

// get returns a FoneNumber that is known, or requests it in the cheapest way: first single reads, then one list for all the rest,
// then single reads again for FoneNumbers that are not in the list, or there without these message options.
func (c *Client) get(ctx context.Context, number string, options []MessageOption) (FoneNumber, error) {
	e := c.account.entry(number)
	f, err := e.get(ctx, func(ctx context.Context) (FoneNumber, error) {
		if c.account.singles.Add(1) > singleReads {
			_, _ = c.list(ctx) // If it fails or does not contain this FoneNumber, which may be inactive, it is read singly.
		}
		if f, known := e.known(); known {
			return f, nil
		}
		return c.read(ctx, number)
	}, func(error) bool { return false })
	isMissing := func(o MessageOption) bool { return f.Options[o].Type == "" }
	if err == nil && slices.ContainsFunc(options, isMissing) {
		return c.read(ctx, number)
	}
	return f, err
}

// list returns the account's list in the first form that FoneStorm supports: with each delivery, or only the numbers. It stores the
// FoneNumbers that have a delivery, unless more is known about them. It is not requested again if that fails, unless the
// caller's context ended.
func (c *Client) list(ctx context.Context) ([]FoneNumber, error) {
	return c.account.list.get(ctx, func(ctx context.Context) (list []FoneNumber, err error) {
		for _, query := range []string{"filter=all", ""} {
			r := &request{role: lists, text: "list the account's FoneNumbers", path: "/fonenumbers", query: query}
			if list, err = call(ctx, c, r, decodeFoneNumbers); !isRejectedWith(err, lists, 400, 404, 410, 415, 422) {
				break // The filter is supported, or something else is wrong.
			}
		}
		for _, f := range list {
			f.Listed = true
			if e := c.account.entry(f.Number); f.Options[Receive].Type != "" && f.Status.MayBeActive() && !e.wasSet {
				e.kept.CompareAndSwap(nil, &outcome[FoneNumber]{value: f})
			}
		}
		return list, err
	}, isNotCanceled)
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order, with everything that was learned since the
// list was requested. The list is shared in the same way as single reads. FoneNumbers that are listed without these message
// options are read singly.
func (c *Client) ListFoneNumbers(ctx context.Context, options ...MessageOption) ([]FoneNumber, error) {
	found, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	isInactive := func(f FoneNumber) bool { return !f.Status.MayBeActive() }
	list := slices.DeleteFunc(slices.Clone(found), isInactive)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(readsAtOnce)
	for i := range list {
		reads.Go(func() error {
			f, err := c.get(readCtx, list[i].Number, options)
			if IsNotFound(err) {
				f, err = FoneNumber{Status: Cancelled}, nil // It was removed from the account after it was listed.
			}
			list[i] = f
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, isInactive), nil
}
