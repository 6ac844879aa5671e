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

// get returns the value, and requests it if it is not known. A failure is kept only if it is final. A caller stops waiting when its
// own context ends. The request has the context of the first caller: if that ends, another caller requests it again.
func (o *once[T]) get(ctx context.Context, request func(context.Context) (T, error), isFinal func(error) bool) (value T, _ error) {
	for {
		done := o.flight.DoChan("", func() (any, error) {
			if known := o.kept.Load(); known != nil {
				return known.value, known.err
			}
			value, err := request(ctx)
			if err == nil || isFinal(err) {
				o.keep(value, err)
			}
			return value, err
		})
		select {
		case result := <-done:
			if KindOf(result.Err) == Canceled && ctx.Err() == nil {
				continue
			}
			value, _ = result.Val.(T)
			return value, result.Err
		case <-ctx.Done():
			return value, ctx.Err()
		}
	}
}

// known returns the value if it was requested with success.
func (o *once[T]) known() (value T, _ bool) {
	if kept := o.kept.Load(); kept != nil {
		return kept.value, kept.err == nil
	}
	return value, false
}

func (o *once[T]) keep(value T, err error) { o.kept.Store(&outcome[T]{value, err}) }
