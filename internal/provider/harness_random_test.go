package provider

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// size returns the number of cases that a test tries: all with TF_ACC=1, and without it so few that all tests together take seconds.
// `make search` tries all.
func size(full, quick int) int {
	if os.Getenv("TF_ACC") == "" && !searching {
		return quick
	}
	return full
}

// searching is true for `make search`, which tries new random cases.
var searching = os.Getenv("FRACTEL_TEST_SEED") == "random"

var rapidFlags sync.Mutex

// checkRandomly checks a property for random values, which are the same in every run, except for `make search`. Flags of rapid on the
// command line take precedence, such as the -rapid.seed that a failure prints. The tests that call it take turns, because rapid
// reads its settings from flags.
func checkRandomly(t *testing.T, checks int, property func(t *rapid.T)) {
	t.Helper()
	rapidFlags.Lock()
	defer rapidFlags.Unlock()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	seed := uint64(1)
	if searching {
		seed = rand.Uint64()
	}
	for name, value := range map[string]any{"rapid.seed": seed, "rapid.checks": checks, "rapid.nofailfile": true} {
		if !given[name] {
			_ = flag.Lookup(name).Value.Set(fmt.Sprint(value))
		}
	}
	t.Logf("-rapid.seed=%s", flag.Lookup("rapid.seed").Value)
	rapid.Check(t, property)
}
