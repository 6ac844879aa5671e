package provider

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// The server implements every optional part of the protocol that the provider supports.
func TestServerSupportsOptionalInterfaces(t *testing.T) {
	t.Parallel()
	p, served := New("test")(), NewServer("test")
	has, serves := map[string]bool{}, map[string]bool{}
	_, has["list resources"] = p.(provider.ProviderWithListResources)
	_, serves["list resources"] = served.(tfprotov6.ListResourceServer)
	_, has["actions"] = p.(provider.ProviderWithActions)
	_, serves["actions"] = served.(tfprotov6.ActionServer)
	_, has["state stores"] = p.(provider.ProviderWithStateStores)
	_, serves["state stores"] = served.(tfprotov6.StateStoreServer)
	for part := range has {
		if has[part] != serves[part] {
			t.Errorf("%s: supported by the provider: %t, by the server: %t", part, has[part], serves[part])
		}
	}
}

// The context of a call has the values of Terraform's context, ends with the call, and drops the values afterward, even if
// something keeps it.
func TestCallContextIsReleased(t *testing.T) {
	t.Parallel()
	type key struct{}
	outer, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	var kept context.Context
	_, _ = released(outer, 0, func(ctx context.Context, _ int) (int, error) {
		var release context.CancelFunc
		kept, release = context.WithCancel(ctx) // The framework keeps it.
		t.Cleanup(release)
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
