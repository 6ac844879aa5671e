package provider

import (
	"context"
	"testing"
)

// A call's context has what Terraform's has, ends with it, and keeps nothing of it afterwards, whoever still holds it.
func TestCallContextIsLetGo(t *testing.T) {
	t.Parallel()
	type key struct{}
	outer, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	var kept, keptCancelled context.Context
	read := func(ctx context.Context, request string) (any, error) {
		var end context.CancelFunc
		kept, end = context.WithCancel(ctx) // As the framework does.
		_ = end
		return request + ctx.Value(key{}).(string), ctx.Err()
	}
	if got, err := during(outer, read, "a "); got != "a value" || err != nil {
		t.Errorf("the call gives %v, %v", got, err)
	}
	if value := kept.Value(key{}); value != nil {
		t.Errorf("the context still has %v", value)
	}
	if kept.Err() == nil {
		t.Error("the context has not ended with its call")
	}

	wait := func(ctx context.Context, _ string) (any, error) {
		keptCancelled = ctx
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if _, err := during(outer, wait, ""); err == nil || keptCancelled.Err() == nil {
		t.Errorf("a call that Terraform cancels ends with %v", err)
	}
}
