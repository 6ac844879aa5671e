package provider

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
)

// The lifecycle against a real account, for `make testacc-live`.
func TestAccLive(t *testing.T) {
	number := os.Getenv("FRACTEL_TEST_FONENUMBER")
	if number == "" || os.Getenv("FRACTEL_TEST_LIVE") == "" { // Both are required, so that no other test run changes a real account.
		t.Skip("changes a FoneNumber of a real account: use `make testacc-live` with FRACTEL_TEST_FONENUMBER set")
	}
	preserve(t, number)

	tour := []delivery{
		{kind: "Email", value: "terraform-provider-fractel@example.com"},
		{kind: "URL", value: "https://example.com/?from={{from}}&msg={{msg}}", username: "hook", password: "terraform"},
		{kind: "URL", value: "https://example.com/?id={{uid}}"},
		{kind: "None"},
	}
	var steps []resource.TestStep
	for i, d := range tour {
		step := resource.TestStep{Config: d.config(number), ConfigStateChecks: d.inState(testAddress, number)}
		if i > 0 {
			step.ConfigPlanChecks = planned(testAddress, plancheck.ResourceActionUpdate)
		}
		steps = append(steps, step)
	}
	steps = append(steps, resource.TestStep{
		ResourceName: testAddress, ImportState: true, ImportStateId: number,
		ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "fonenumber",
		ImportStateVerifyIgnore: []string{"on_destroy"}, // An import has another default.
	})
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: inProcess(), Steps: steps})
}

// preserve restores the delivery of a FoneNumber of a real account when the test ends or is interrupted. It rejects a
// FoneNumber that delivers to a URL unless FRACTEL_TEST_FORCE is set.
func preserve(t *testing.T, number string) {
	t.Helper()
	client, err := fonestorm.New(fonestorm.Config{
		Endpoint:          cmp.Or(os.Getenv("FRACTEL_ENDPOINT"), fonestorm.DefaultEndpoint),
		Username:          os.Getenv("FRACTEL_USERNAME"),
		Password:          os.Getenv("FRACTEL_PASSWORD"),
		Token:             os.Getenv("FRACTEL_TOKEN"),
		Subaccount:        os.Getenv("FRACTEL_SUBACCOUNT"),
		RequestsPerSecond: fonestorm.DefaultRequestsPerSecond,
		MaxRetries:        fonestorm.DefaultMaxRetries,
		RequestTimeout:    fonestorm.DefaultRequestTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.WithoutCancel(t.Context()) // The context of the test ends before the cleanup.
	original, err := client.GetFoneNumber(ctx, number)
	switch {
	case err != nil:
		t.Fatal(err)
	case original.Delivery == nil:
		t.Fatalf("FoneNumber %s shows no delivery, so that it could not be restored", number)
	case original.Delivery.Type == fonestorm.URL && os.Getenv("FRACTEL_TEST_FORCE") == "":
		t.Fatalf("FoneNumber %s delivers to a URL, whose credentials cannot be restored: use another one, or set FRACTEL_TEST_FORCE=1", number)
	}
	restore := sync.OnceValue(func() error {
		_, err := client.Set(ctx, number, fonestorm.Setting{Option: fonestorm.Receive, Delivery: *original.Delivery})
		if err != nil {
			err = fmt.Errorf("FONENUMBER %s WAS NOT RESTORED. Set its delivery by hand now: %s %q: %w",
				number, original.Delivery.Type, original.Delivery.Value, err)
		}
		return err
	})
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	quiet := context.AfterFunc(interrupted, func() {
		if err := restore(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	})
	t.Cleanup(func() {
		quiet()
		stop()
		if err := restore(); err != nil {
			t.Error(err)
		}
	})
}
