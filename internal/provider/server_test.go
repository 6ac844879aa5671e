package provider

import (
	"context"
	"testing"
)

// The context of a call has the values of Terraform's context, ends with the call, and drops the values afterward, even if
// something keeps it.
func TestCallContextIsReleased(t *testing.T) {
	t.Parallel()
	type key struct{}
	outer, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	var kept context.Context
	_, _ = released(outer, 0, func(ctx context.Context, _ int) (int, error) {
		kept = ctx // As the framework does.
		if kept.Value(key{}) != "value" || kept.Err() != nil {
			t.Errorf("during the call, the context has %v and %v", kept.Value(key{}), kept.Err())
		}
		return 0, nil
	})
	if value := kept.Value(key{}); value != nil {
		t.Errorf("the context still has %v", value)
	}
	if kept.Err() == nil {
		t.Error("the context has not ended with its call")
	}
	_, _ = released(outer, 0, func(ctx context.Context, _ int) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, nil
	})
}
