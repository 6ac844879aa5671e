package fonestorm

import (
	"context"
	"sync"
)

// flights share work among all who ask for the same at the same time: a login, or a read. Unlike singleflight's, the work is
// told to stop when the last one who waits for it has been canceled, so that nothing is sent after Ctrl-C. The zero value is
// ready for use.
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

// do returns the result of work, which is begun unless it is under way for the same key. When ctx ends first, do returns
// the context's cause.
func (f *flights[T]) do(ctx context.Context, key string, work func(context.Context) (T, error)) (T, error) {
	f.mu.Lock()
	current, ok := f.flying[key]
	if !ok {
		shared, stop := context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // Whoever leaves last calls it.
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

// leave notes that somebody does not wait any longer.
func (f *flights[T]) leave(key string, left *flight[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if left.waiting--; left.waiting == 0 {
		left.stop()
		if f.flying[key] == left {
			delete(f.flying, key) // Who asks next must not get the result of work that was stopped.
		}
	}
}

// forget makes the next one who asks begin anew, although the work may still be under way for those who wait.
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
