package fonestorm

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
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
	reads singleflight.Group // By FoneNumber.
	whole once[[]FoneNumber]
	plain once[[]FoneNumber]

	mu      sync.Mutex
	entries map[string]entry
	version int // Increases with each setting.
	singles int // Number of single reads before the list.
}

// entry is what is known about one FoneNumber.
type entry struct {
	foneNumber FoneNumber
	version    int  // The account's version after the last setting of this FoneNumber; zero without one.
	forgotten  bool // The setting failed, and it is unknown whether it took effect.
}

func newAccount() *account { return &account{entries: map[string]entry{}} }

// known returns the FoneNumber if no request is needed.
func (a *account) known(number string) (FoneNumber, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.entries[number]
	return e.foneNumber, ok && !e.forgotten
}

// put stores the response to a setting. It may show only some of the message options; the others stay as they were.
func (a *account) put(f FoneNumber) {
	before, _ := a.known(f.Number)
	f.Delivery = cmp.Or(f.Delivery, before.Delivery)
	f.ReceiveNotify, f.SendNotify = cmp.Or(f.ReceiveNotify, before.ReceiveNotify), cmp.Or(f.SendNotify, before.SendNotify)
	a.set(f.Number, entry{foneNumber: f, forgotten: f.Delivery == nil})
}

// forget records that a setting failed, so that the next read of this FoneNumber sends a request.
func (a *account) forget(number string) { a.set(number, entry{forgotten: true}) }

func (a *account) set(number string, e entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	e.version = a.version
	a.entries[number] = e
	a.reads.Forget(number) // A read in progress may have been sent before the setting.
}

// now returns the version to pass to learn.
func (a *account) now() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version
}

// learn stores the response to a request that was sent at this version, except for FoneNumbers that were set since.
func (a *account) learn(sent int, found ...FoneNumber) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range found {
		if e := a.entries[f.Number]; f.Delivery != nil && e.version <= sent {
			a.entries[f.Number] = entry{foneNumber: f, version: e.version}
		}
	}
}

// readSingly decides whether the next read is a single one, and counts it.
func (a *account) readSingly() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.singles++
	return a.singles <= singleReads
}

// get returns a FoneNumber that is known, or requests it in the cheapest way: first single reads, then one list for all the rest,
// then single reads again for FoneNumbers that are not in the list, or there without these message options.
func (c *Client) get(ctx context.Context, number string, options []MessageOption) (FoneNumber, error) {
	if f, known := c.account.known(number); known && f.shows(options) {
		return f, nil
	}
	f, err := shared(ctx, &c.account.reads, number, func() (FoneNumber, error) {
		if !c.account.readSingly() {
			_, _ = c.wholeList(ctx) // If it fails or does not contain this FoneNumber, which may be inactive, it is read singly.
		}
		if f, known := c.account.known(number); known {
			return f, nil
		}
		return c.fetchFoneNumber(ctx, number)
	})
	if err != nil || f.shows(options) {
		return f, err
	}
	return c.fetchFoneNumber(ctx, number)
}

// wholeList returns the FoneNumbers with their delivery, if FoneStorm honors the filter. A list that FoneStorm rejects, or does not
// return in time, is not requested again.
func (c *Client) wholeList(ctx context.Context) ([]FoneNumber, error) {
	request := func(ctx context.Context) ([]FoneNumber, error) {
		return c.fetchFoneNumbers(ctx, url.Values{"filter": {"all"}})
	}
	return c.account.whole.get(ctx, request, isNotCanceled)
}

// anyList returns the account's list in the first form that FoneStorm supports: with the delivery, or only the numbers.
func (c *Client) anyList(ctx context.Context) ([]FoneNumber, error) {
	list, err := c.wholeList(ctx)
	if !isUnsupported(err) {
		return list, err
	}
	request := func(ctx context.Context) ([]FoneNumber, error) { return c.fetchFoneNumbers(ctx, nil) }
	return c.account.plain.get(ctx, request, isNotCanceled)
}

// ListFoneNumbers returns every active FoneNumber of the account, in FoneStorm's order, with everything that was learned since the
// list was requested. The list is shared in the same way as single reads. FoneNumbers that are listed without these message
// options are read singly.
func (c *Client) ListFoneNumbers(ctx context.Context, options ...MessageOption) ([]FoneNumber, error) {
	found, err := c.anyList(ctx)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(found)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(readsAtOnce)
	for i := range list {
		if !list[i].Status.MayBeActive() {
			continue
		}
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
	return slices.DeleteFunc(list, func(f FoneNumber) bool { return !f.Status.MayBeActive() }), nil
}
