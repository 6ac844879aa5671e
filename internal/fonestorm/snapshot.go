package fonestorm

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// singleReads is the number of single reads before the whole account is read as a list. For a few resources single reads
	// are cheaper than the list, and for many they do not delay it.
	singleReads = 5
	// readsAtOnce is the maximum number of concurrent single reads that complete a list.
	readsAtOnce = 10
)

// snapshot is what the client knows about the account, so that a thousand reads require only a handful of requests.
//
// It is updated by every response: single reads, the list of all FoneNumbers, and settings. For a FoneNumber that it does not
// know, the client sends a request: first single reads, then one for the whole list, then single reads again for FoneNumbers that
// are not in the list. The result of the list is remembered even if it failed: a list that FoneStorm rejects, or does not return
// in time, is not requested again.
type snapshot struct {
	fetch    func(ctx context.Context, number string) (FoneNumber, error)
	fetchAll func(ctx context.Context, form listForm) ([]FoneNumber, error)

	reads    flights[FoneNumber] // By FoneNumber.
	listings flights[[]FoneNumber]

	mu      sync.Mutex
	entries map[string]entry
	singles int // Number of single reads before the first list.
	listed  map[listForm]listing
}

// listForm is a way to request all FoneNumbers.
type listForm string

const (
	wholeFoneNumbers listForm = "all" // With filter=all: FoneNumbers with their delivery, if FoneStorm honors the filter.
	plainList        listForm = ""    // Without a filter: only the numbers, or FoneNumbers.
)

// listing is the result of requesting a list.
type listing struct {
	list []FoneNumber
	err  error
}

// entry is what is known about one FoneNumber.
type entry struct {
	foneNumber FoneNumber
	since      time.Time
	forgotten  bool // A setting failed, and it is unknown whether it took effect.
}

func newSnapshot(
	fetch func(context.Context, string) (FoneNumber, error), fetchAll func(context.Context, listForm) ([]FoneNumber, error),
) *snapshot {
	return &snapshot{fetch: fetch, fetchAll: fetchAll, entries: map[string]entry{}, listed: map[listForm]listing{}}
}

// get returns a FoneNumber that is known, or requests it in the cheapest way.
func (s *snapshot) get(ctx context.Context, number string) (FoneNumber, error) {
	if f, known := s.known(number); known {
		return f, nil
	}
	return s.reads.do(ctx, number, func(ctx context.Context) (FoneNumber, error) {
		if !s.readSingly() {
			// If the list fails or does not contain this FoneNumber, which may be inactive, it is read singly.
			_, _ = s.listOnce(ctx, wholeFoneNumbers)
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

// known returns the FoneNumber if no request is needed.
func (s *snapshot) known(number string) (FoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[number]
	if !ok || e.forgotten {
		return FoneNumber{}, false
	}
	return e.foneNumber, true
}

// readSingly decides whether the next read is a single one, and counts it.
func (s *snapshot) readSingly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, asked := s.listed[wholeFoneNumbers]; asked {
		return true // The list failed or does not contain the FoneNumber.
	}
	if s.singles < singleReads {
		s.singles++
		return true
	}
	return false
}

// list returns every active FoneNumber, updated with everything that was learned since it was listed. FoneNumbers that are listed
// without their delivery are read singly.
func (s *snapshot) list(ctx context.Context) ([]FoneNumber, error) {
	listed, err := s.anyList(ctx)
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
					list[i].Status, err = Cancelled, nil // It was removed from the account after it was listed.
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

// contains reports whether the account's list contains a FoneNumber, or returns the error of the list.
func (s *snapshot) contains(ctx context.Context, number string) (bool, error) {
	list, err := s.anyList(ctx)
	return slices.ContainsFunc(list, func(f FoneNumber) bool { return f.Number == number }), err
}

// anyList returns the account's list in the first form that FoneStorm supports.
func (s *snapshot) anyList(ctx context.Context) ([]FoneNumber, error) {
	list, err := s.listOnce(ctx, wholeFoneNumbers)
	if err != nil && isUnsupported(err) {
		return s.listOnce(ctx, plainList)
	}
	return list, err
}

// listOnce returns the account's list in this form, which is requested only once.
func (s *snapshot) listOnce(ctx context.Context, form listForm) ([]FoneNumber, error) {
	return s.listings.do(ctx, string(form), func(ctx context.Context) ([]FoneNumber, error) {
		if known, asked := s.knownList(form); asked {
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

func (s *snapshot) knownList(form listForm) (listing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, asked := s.listed[form]
	return known, asked
}

// learnAll stores a list that was requested at the time begun, except for FoneNumbers that were set since.
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

// learn stores the response to a read that was sent at the time begun, unless the FoneNumber was set since.
func (s *snapshot) learn(f FoneNumber, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[f.Number]; !ok || e.since.Before(begun) {
		s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
	}
}

// put stores the response to a setting.
func (s *snapshot) put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
}

// forget records that a setting failed, so that the next read of this FoneNumber sends a request.
func (s *snapshot) forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[number] = entry{since: time.Now(), forgotten: true}
	s.reads.forget(number, nil) // A read in progress may have been sent before the setting.
}
