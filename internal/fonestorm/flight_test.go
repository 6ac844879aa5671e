package fonestorm

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// Shared work continues while any caller waits for it, and is canceled with the last one.
func TestFlights(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var f flights[int]
		begun, stopped := 0, 0
		work := func(ctx context.Context) (int, error) {
			begun++
			<-ctx.Done()
			stopped++
			return 0, ctx.Err()
		}
		results := make(chan error, 3)
		var cancels []context.CancelCauseFunc
		why := errors.New("no longer needed")
		for range 3 {
			ctx, cancel := contextWithCause(t)
			cancels = append(cancels, cancel)
			go func() {
				_, err := f.do(ctx, "a", work)
				results <- err
			}()
			synctest.Wait()
		}
		for i, cancel := range cancels {
			if begun != 1 || stopped != 0 {
				t.Fatalf("before cancellation %d the work was started %d times and stopped %d times", i+1, begun, stopped)
			}
			cancel(why)
			if err := <-results; !errors.Is(err, why) {
				t.Errorf("the canceled caller got %v", err)
			}
			synctest.Wait()
		}
		if stopped != 1 {
			t.Errorf("the work was stopped %d times", stopped)
		}
		// The next caller does not get the result of canceled work.
		got, err := f.do(t.Context(), "a", func(context.Context) (int, error) { return 7, nil })
		if got != 7 || err != nil {
			t.Errorf("the next caller got %d, %v", got, err)
		}
	})
}

func TestFlightsOfDifferentKeysAreSeparate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var f flights[string]
		open := make(chan struct{})
		results := make(chan string, 3)
		begin := func(key, value string) {
			go func() {
				got, _ := f.do(t.Context(), key, func(context.Context) (string, error) {
					<-open
					return value, nil
				})
				results <- got
			}()
			synctest.Wait()
		}
		begin("a", "first")
		begin("b", "other")
		f.forget("a", nil) // The next caller starts the work again; the first still gets its result.
		begin("a", "second")
		close(open)
		got := map[string]bool{<-results: true, <-results: true, <-results: true}
		if !got["first"] || !got["other"] || !got["second"] {
			t.Errorf("the results are %v", got)
		}
		f.forget("a", nil)
	})
}
