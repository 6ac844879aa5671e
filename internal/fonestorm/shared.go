package fonestorm

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/singleflight"
)

// once is a value that is requested when it is first needed, such as a token or a list. All callers share one request, and its
// result is kept. The zero value is empty.
type once[T any] struct {
	flight singleflight.Group
	kept   atomic.Pointer[outcome[T]]
}

type outcome[T any] struct {
	value T
	err   error
}

// get returns the value, and requests it if it is not known. A failure is kept only if it is final.
func (o *once[T]) get(ctx context.Context, request func(context.Context) (T, error), isFinal func(error) bool) (T, error) {
	if known := o.kept.Load(); known != nil {
		return known.value, known.err
	}
	return shared(ctx, &o.flight, "", func() (T, error) {
		if known := o.kept.Load(); known != nil {
			return known.value, known.err // Another caller has requested it since.
		}
		value, err := request(ctx)
		if err == nil || isFinal(err) {
			o.kept.Store(&outcome[T]{value, err})
		}
		return value, err
	})
}

// shared runs work once for all callers that ask for the same key at the same time. A caller stops waiting when its own context
// ends. The work has the context of the first caller: if that ends, another caller starts the work again.
func shared[T any](ctx context.Context, flight *singleflight.Group, key string, work func() (T, error)) (T, error) {
	for {
		done := flight.DoChan(key, func() (any, error) { return work() })
		select {
		case result := <-done:
			if KindOf(result.Err) == Canceled && ctx.Err() == nil {
				continue
			}
			value, _ := result.Val.(T)
			return value, result.Err
		case <-ctx.Done():
			var none T
			return none, ctx.Err()
		}
	}
}
