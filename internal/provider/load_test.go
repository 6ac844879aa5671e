package provider

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

const (
	loadSeed    = 1        // Seed of the faults.
	atOnce      = 10       // Number of resources that Terraform works on at the same time.
	mostApplies = 3        // Maximum number of applies until everything is as configured.
	mostMemory  = 16 << 20 // Maximum number of bytes that the provider keeps after a plan.
	neighbors   = 10       // Number of FoneNumbers in the account that are not managed.
)

// Thousands of deliveries and notifications are created, read, and destroyed while one request of a hundred meets a fault. The next
// apply retries what failed, as a user would do, until everything is as configured. Terraform itself takes most of an hour for
// that, because it writes its whole state after each resource. So this test replaces Terraform, in a synctest bubble in which
// latency takes no time. Each FoneNumber has one of them: time does not pass in a bubble while one waits for the lock of another.
//
// It is not parallel because it measures the memory of the process.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := size(2_000, 1_000, 500)
		a := newAccountInMemory(t, simulator.Options{FoneNumbers: n + neighbors, Latency: 20 * time.Millisecond})
		for i := range neighbors {
			a.byHand(loadNumber(n+i), "Email", "neighbor@example.com")
		}
		l := &load{a.world(t), n, faults{map[string]int{}, map[simulator.Fault]int{}}}
		l.atOnce = atOnce
		var configs []attributes
		for i := range n {
			configs = append(configs, loadConfig(i))
		}
		a.Inject(l.faults.choose)
		l.applyUntilDone(configs...)
		l.plansNothing()
		l.applyUntilDone(nil)
		total := 0
		for _, met := range l.faults.met {
			total += met
		}
		if t.Logf("faults with seed %d: %v", loadSeed, l.faults.met); total < n/100 {
			t.Errorf("there were %d faults, want twice as many as a hundredth of %d FoneNumbers", total, n)
		}
	})
}

// loadSetting returns the setting of a FoneNumber that has a resource. A quarter are notifications, of both types.
func loadSetting(i int) setting { return settings[map[int]int{4: 1, 5: 1}[i%8]] }

// loadDestination is unique, so that it identifies the resource.
func loadDestination(i int) delivery {
	number := loadNumber(i)
	return []delivery{
		{kind: "Email", value: "ops-" + number + "@example.com"},
		{kind: "URL", value: "https://hooks.example.com/" + number + "?msg={{msg}}", username: "hook", password: "horse-" + number},
		{kind: "Forward", value: "407" + number[3:]},
		{kind: "Device", value: "987" + number},
	}[i%4]
}

func loadConfig(i int) attributes {
	config := loadSetting(i).config(loadDestination(i).attributes(loadNumber(i)))
	if password := config["url_password"]; password != nil {
		delete(config, "url_password")
		config["url_password_wo"], config["url_password_wo_version"] = password, 1
	}
	return config
}

// load is a world with many resources, whose requests meet faults.
type load struct {
	*world
	resources int
	faults    faults
}

// applyUntilDone applies until there are no errors, and checks that FoneStorm is as configured and that the other FoneNumbers are
// unchanged.
func (l *load) applyUntilDone(configs ...attributes) {
	l.t.Helper()
	for n := 1; ; n++ {
		begun := time.Now()
		problems := errorsOf(l.apply(configs...))
		l.t.Logf("apply %d: %d errors in %s", n, len(problems), time.Since(begun))
		if len(problems) == 0 {
			break
		}
		if n == mostApplies {
			l.t.Fatalf("apply %d still has errors: %s: %s", n, problems[0].Summary, problems[0].Detail)
		}
	}
	for i := range l.resources {
		want := delivery{kind: "None"}
		if len(l.config) > 0 {
			want = loadDestination(i)
		}
		loadSetting(i).mustBe(l.t, l.account, loadNumber(i), want)
	}
	for i := range neighbors {
		l.account.mustDeliver(l.t, loadNumber(l.resources+i), delivery{kind: "Email", value: "neighbor@example.com"})
	}
}

// plansNothing checks that a plan is empty and sends few requests, which deliveries and notifications share, and that the provider
// does not keep requests in memory.
func (l *load) plansNothing() {
	l.t.Helper()
	l.account.Inject(nil) // A fault would add requests.
	defer l.account.Inject(l.faults.choose)
	l.account.Forget()
	before := memory()
	p := l.plan()
	grown := memory() - before
	if problem := failure(p.diags); !p.isEmpty() || problem != nil {
		l.t.Fatalf("the plan is not empty, or has an error: %+v", problem)
	}
	if n := len(l.account.Requests()); n > 7 {
		l.t.Errorf("the plan took %d requests, want at most 7", n)
	}
	l.t.Logf("the provider keeps %d KiB after a plan", grown>>10)
	if grown > mostMemory {
		l.t.Errorf("the provider keeps %d MiB after a plan", grown>>20)
	}
}

// memory returns the number of bytes in use.
func memory() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// loadNumber returns the FoneNumber with this index.
func loadNumber(i int) string { return strconv.Itoa(3215550000 + i) }

// faults are drawn for one request of a hundred.
type faults struct {
	seen map[string]int // Number of requests by kind and FoneNumber.
	met  map[simulator.Fault]int
}

// choose draws a fault by the purpose of a request and how often it was sent, not by the order of requests, so that every
// run of the test has the same faults.
func (f *faults) choose(r *http.Request) simulator.Fault {
	about := kindOf(r) + r.URL.Path + simulator.Parameters(r).Get("fonenumber")
	f.seen[about]++
	hash := fnv.New64a()
	fmt.Fprint(hash, about, f.seen[about])
	draw := rand.New(rand.NewPCG(loadSeed, hash.Sum64()))
	if draw.IntN(100) > 0 {
		return ""
	}
	all := simulator.Faults()
	fault := all[draw.IntN(len(all))]
	f.met[fault]++
	return fault
}
