package fonestorm

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// singleReads is how many reads are answered one by one before the whole account is read at once: with a few
	// resources that is cheaper than the list, with many it delays nothing.
	singleReads = 5
	// readsAtOnce is how many single reads complete a list at the same time.
	readsAtOnce = 10
)

// snapshot is what this client knows of the account, so that a thousand reads cost a handful of requests.
//
// Every response goes into it: single reads, the list of all FoneNumbers, and what settings return. A read that it cannot
// answer asks FoneStorm: singly at first, then for the whole list, and singly again for what the list does not show. What
// became of asking for the list is remembered: one that FoneStorm refuses, or does not complete in time, is not asked for
// again.
type snapshot struct {
	fetch    func(ctx context.Context, number string) (FoneNumber, error)
	fetchAll func(ctx context.Context, form listForm) ([]FoneNumber, error)

	reads    flights[FoneNumber] // By number.
	listings flights[[]FoneNumber]

	mu      sync.Mutex
	entries map[string]entry
	singles int // Single reads begun before the first list.
	listed  map[listForm]listing
}

// listForm is a form in which FoneStorm can be asked for all FoneNumbers.
type listForm string

const (
	wholeFoneNumbers listForm = "all" // With filter=all: FoneNumbers with their delivery, where the filter is honored.
	plainList        listForm = ""    // Without a filter: numbers, or FoneNumbers.
)

// listing is what became of asking for a list.
type listing struct {
	list []FoneNumber
	err  error
}

// entry is what is known of one FoneNumber.
type entry struct {
	foneNumber FoneNumber
	since      time.Time
	forgotten  bool // A setting failed, so that it is not known whether it took effect.
}

func newSnapshot(
	fetch func(context.Context, string) (FoneNumber, error), fetchAll func(context.Context, listForm) ([]FoneNumber, error),
) *snapshot {
	return &snapshot{fetch: fetch, fetchAll: fetchAll, entries: map[string]entry{}, listed: map[listForm]listing{}}
}

// get returns a FoneNumber from what is known, or asks FoneStorm in the way that costs least.
func (s *snapshot) get(ctx context.Context, number string) (FoneNumber, error) {
	if f, known := s.known(number); known {
		return f, nil
	}
	return s.reads.do(ctx, number, func(ctx context.Context) (FoneNumber, error) {
		if !s.readSingly() {
			// A list that fails leaves the single read, and so does one without this number: it has only active ones.
			_, _ = s.ask(ctx, wholeFoneNumbers)
		}
		if f, known := s.known(number); known {
			return f, nil
		}
		begun := time.Now()
		f, err := s.fetch(ctx, number)
		if err == nil {
			s.learn(f, begun)
		}
		return f, err
	})
}

// known returns a FoneNumber that needs no request.
func (s *snapshot) known(number string) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[number]
	if !ok || e.forgotten {
		return FoneNumber{}, false
	}
	return e.foneNumber, true
}

// readSingly decides how the next read is made, and counts it.
func (s *snapshot) readSingly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, asked := s.listed[wholeFoneNumbers]; asked {
		return true // It failed, or does not show the FoneNumber.
	}
	if s.singles < singleReads {
		s.singles++
		return true
	}
	return false
}

// list returns every active FoneNumber, with what has been learned since it was listed. What the list does not show of a
// FoneNumber is read singly.
func (s *snapshot) list(ctx context.Context) ([]FoneNumber, error) {
	listed, err := s.askAnyhow(ctx)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(listed)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(readsAtOnce)
	for i := range list {
		if f, known := s.known(list[i].Number); known {
			list[i] = f
		} else {
			reads.Go(func() (err error) {
				f, err := s.get(readCtx, list[i].Number)
				if IsNotFound(err) {
					list[i].Status, err = Cancelled, nil // It has left the account since it was listed.
				} else if err == nil {
					list[i] = f
				}
				return err
			})
		}
	}
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(f FoneNumber) bool { return !f.Status.MayBeActive() }), nil
}

// contains reports whether the account's list contains a FoneNumber. The error says why there is no list.
func (s *snapshot) contains(ctx context.Context, number string) (bool, error) {
	list, err := s.askAnyhow(ctx)
	return slices.ContainsFunc(list, func(f FoneNumber) bool { return f.Number == number }), err
}

// askAnyhow returns the account's list in whichever form FoneStorm supports.
func (s *snapshot) askAnyhow(ctx context.Context) ([]FoneNumber, error) {
	list, err := s.ask(ctx, wholeFoneNumbers)
	if err != nil && isUnsupported(err) {
		return s.ask(ctx, plainList)
	}
	return list, err
}

// ask returns the account's list in this form. FoneStorm is asked once.
func (s *snapshot) ask(ctx context.Context, form listForm) ([]FoneNumber, error) {
	return s.listings.do(ctx, string(form), func(ctx context.Context) ([]FoneNumber, error) {
		if known, asked := s.asked(form); asked {
			return known.list, known.err
		}
		begun := time.Now()
		list, err := s.fetchAll(ctx, form)
		if !isCanceled(err) {
			s.learnAll(form, listing{list, err}, begun)
		}
		return list, err
	})
}

func (s *snapshot) asked(form listForm) (listing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, asked := s.listed[form]
	return known, asked
}

// learnAll keeps a list that was begun at this time, except where a setting has ended since.
func (s *snapshot) learnAll(form listForm, l listing, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed[form] = l
	now := time.Now()
	for _, f := range l.list {
		if e, ok := s.entries[f.Number]; f.Delivery != nil && (!ok || e.since.Before(begun)) {
			s.entries[f.Number] = entry{foneNumber: f, since: now}
		}
	}
}

// learn keeps the answer to a read that was begun at this time, unless a setting has ended since.
func (s *snapshot) learn(f FoneNumber, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[f.Number]; !ok || e.since.Before(begun) {
		s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
	}
}

// put keeps the answer to a setting.
func (s *snapshot) put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
}

// forget notes that a setting failed: the next read of this FoneNumber asks FoneStorm.
func (s *snapshot) forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[number] = entry{since: time.Now(), forgotten: true}
	s.reads.forget(number, nil) // A read that is under way may be from before the setting.
}
