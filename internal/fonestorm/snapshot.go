package fonestorm

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// singleReads is how many reads are answered one by one before the whole account is read at once: with a few
	// resources that is cheaper than the list, with many it delays nothing.
	singleReads = 5
	// maxAge is how long an answer of FoneStorm serves further reads.
	maxAge = 30 * time.Second
)

// snapshot is what this client knows of the account, so that a thousand reads cost a handful of requests.
//
// Every answer of FoneStorm goes into it: single reads, the list of all FoneNumbers, and what writes return. A read
// that it cannot answer asks FoneStorm: singly at first, then for the whole list, and singly again for what the list
// does not tell.
type snapshot struct {
	client  *Client
	reading singleflight.Group // By number; the list has the key "".

	mu      sync.Mutex
	entries map[string]entry
	singles int // Single reads begun before the first list.

	listed   time.Time    // When the last list ended, well or not.
	lastList []FoneNumber // What it was; nil when it failed.
}

// entry is what is known of one FoneNumber.
type entry struct {
	foneNumber FoneNumber
	since      time.Time
	forgotten  bool // A write failed, so that it is not known whether it took effect.
}

func newSnapshot(client *Client) *snapshot {
	return &snapshot{client: client, entries: make(map[string]entry)}
}

// get returns a FoneNumber from what is known, or asks FoneStorm in the way that costs least.
func (s *snapshot) get(ctx context.Context, number string) (FoneNumber, error) {
	if f, known := s.known(number); known {
		return f, nil
	}
	return share(ctx, &s.reading, number, func(ctx context.Context) (FoneNumber, error) {
		if !s.readSingly() {
			// A failed list leaves the single read, and so does one without this number: it has only active ones.
			_ = s.readAll(ctx)
		}
		if f, known := s.known(number); known {
			return f, nil
		}
		begun := time.Now()
		f, err := s.client.fetchFoneNumber(ctx, number)
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
	if !ok || e.forgotten || time.Since(e.since) >= maxAge {
		return FoneNumber{}, false
	}
	return e.foneNumber, true
}

// readSingly decides how the next read is made, and counts it.
func (s *snapshot) readSingly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listIsFresh() {
		return true // It failed, or does not tell.
	}
	if s.singles < singleReads {
		s.singles++
		return true
	}
	return false
}

func (s *snapshot) listIsFresh() bool { return !s.listed.IsZero() && time.Since(s.listed) < maxAge }

// list returns every active FoneNumber, with what has been learned since it was listed.
func (s *snapshot) list(ctx context.Context) ([]FoneNumber, error) {
	if err := s.readAll(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.lastList)
	for i, f := range list {
		if e, ok := s.entries[f.Number]; ok && !e.forgotten {
			list[i] = e.foneNumber
		}
	}
	return list, nil
}

// readAll reads the whole account, unless that has just been done.
func (s *snapshot) readAll(ctx context.Context) error {
	_, err := share(ctx, &s.reading, "", func(ctx context.Context) (struct{}, error) {
		if s.listIsKnown() {
			return struct{}{}, nil
		}
		begun := time.Now()
		list, err := s.client.fetchFoneNumbers(ctx)
		s.learnAll(list, begun)
		return struct{}{}, err
	})
	return err
}

func (s *snapshot) listIsKnown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listIsFresh() && s.lastList != nil
}

// learnAll keeps the answer to a list that was begun at this time, except where a write has ended since. The list is
// nil when it failed.
func (s *snapshot) learnAll(list []FoneNumber, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.lastList = time.Now(), list
	if list == nil {
		return
	}
	for number, e := range s.entries {
		if e.since.Before(begun) {
			delete(s.entries, number)
		}
	}
	for _, f := range list {
		if _, newer := s.entries[f.Number]; !newer && f.Delivery != nil {
			s.entries[f.Number] = entry{foneNumber: f, since: s.listed}
		}
	}
}

// learn keeps the answer to a read that was begun at this time, unless a write has ended since.
func (s *snapshot) learn(f FoneNumber, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[f.Number]; !ok || e.since.Before(begun) {
		s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
	}
}

// put keeps the answer to a write.
func (s *snapshot) put(f FoneNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[f.Number] = entry{foneNumber: f, since: time.Now()}
}

// forget notes that a write failed: the next read of this FoneNumber asks FoneStorm.
func (s *snapshot) forget(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[number] = entry{since: time.Now(), forgotten: true}
	s.reading.Forget(number) // A read that is under way may be from before the write.
}

// share does work once for all who ask for the same at the same time. It goes on for the others when one of them is
// cancelled.
func share[T any](ctx context.Context, group *singleflight.Group, key string, work func(context.Context) (T, error)) (T, error) {
	result := group.DoChan(key, func() (any, error) { return work(context.WithoutCancel(ctx)) })
	select {
	case r := <-result:
		value, _ := r.Val.(T)
		return value, r.Err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
