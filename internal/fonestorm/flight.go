package fonestorm

import (
	"context"
	"sync"
)

// flights shares the result of work, such as a login or a read, among all callers that need it at the same time. Unlike
// singleflight, it cancels the work when the last waiting caller has been canceled, so that nothing is sent after Ctrl-C. The
// zero value is ready to use.
type flights[T any] struct {
	mu     sync.Mutex
	flying map[string]*flight[T]
}

type flight[T any] struct {
	done    chan struct{}
	stop    context.CancelFunc
	waiting int
	value   T
	err     error
}

// do returns the result of work, and starts it unless it is already running for the same key. If ctx ends first, do returns the
// context's cause.
func (f *flights[T]) do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	current, ok := f.flying[key]
	if !ok {
		shared, stop := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // The last caller to leave calls it.
		current = &flight[T]{done: make(chan struct{}), stop: stop}
		if f.flying == nil {
			f.flying = map[string]*flight[T]{}
		}
		f.flying[key] = current
		go func() {
			defer close(current.done)
			defer f.forget(key, current)
			current.value, current.err = work(shared)
		}()
	}
	current.waiting++
	f.mu.Unlock()

	select {
	case <-current.done:
		return current.value, current.err
	case <-ctx.Done():
		f.leave(key, current)
		var none T
		return none, context.Cause(ctx)
	}
}

// leave records that a caller no longer waits.
func (f *flights[T]) leave(key string, left *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if left.waiting--; left.waiting == 0 {
		left.stop()
		if f.flying[key] == left {
			delete(f.flying, key) // The next caller must not get the result of canceled work.
		}
	}
}

// forget makes the next caller start the work again, even if it is still running for others.
func (f *flights[T]) forget(key string, ended *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ended == nil {
		ended = f.flying[key]
	}
	if ended != nil && f.flying[key] == ended {
		delete(f.flying, key)
	}
}
