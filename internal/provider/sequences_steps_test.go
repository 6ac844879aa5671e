package provider

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// modelNumbers are the FoneNumbers of TestRandomSequences. Resource i manages number i; the last number is not managed.
var modelNumbers = []string{"3215551201", "3215551202", "3215551203", "3215551204"}

// managedNumbers is the number of FoneNumbers that can be managed.
const managedNumbers = 3

// step is a step of a sequence in TestRandomSequences. The whole sequence is drawn before it runs, so that rapid can omit
// steps to find the shortest one that fails.
type step interface {
	fmt.Stringer
	do(m *model)
}

// configure adds a resource to the configuration, or removes it.
type configure struct {
	resource int
	config   attributes // Nil to remove it.
}

func (s configure) String() string {
	if s.config == nil {
		return fmt.Sprintf("remove the resource of %s", modelNumbers[s.resource])
	}
	var settings []string
	for name, value := range s.config {
		settings = append(settings, fmt.Sprintf("%s = %v", name, value))
	}
	slices.Sort(settings)
	return "configure " + strings.Join(settings, ", ")
}

// byHand is a change outside of Terraform.
type byHand struct {
	number, kind, value string
}

func (s byHand) String() string {
	return fmt.Sprintf("set %s by hand to %s %q", s.number, s.kind, s.value)
}

// delivers checks the delivery of a FoneNumber.
type delivers struct {
	number string
	delivery
}

func (s delivers) String() string { return fmt.Sprintf("%s delivers to %v", s.number, s.delivery) }

// apply is a `terraform apply` whose requests meet these faults, one after the other; "" for none.
type apply struct {
	faults []simulator.Fault
}

func (s apply) String() string {
	if len(s.faults) == 0 {
		return "apply"
	}
	return fmt.Sprintf("apply while requests meet %q", s.faults)
}

// interrupt is an apply that is interrupted while a request is in progress. Its requests may meet faults too.
type interrupt struct {
	at     int
	faults []simulator.Fault
}

func (s interrupt) String() string {
	return fmt.Sprintf("apply, interrupted at request %d, while requests meet %q", s.at, s.faults)
}

// elsewhere is a refresh with the credentials of another account.
type elsewhere struct{}

func (elsewhere) String() string { return "refresh with another account" }

var (
	emails    = rapid.SampledFrom([]string{"ops@example.com", "dev@example.com"})
	callbacks = rapid.SampledFrom([]string{"https://hooks.example.com/sms?msg={{msg}}", "https://hooks.example.org/"})
	forwards  = rapid.SampledFrom([]string{"3215559991", "3215559992"})
	devices   = rapid.SampledFrom([]string{"987123543678", "11"})
	kinds     = rapid.SampledFrom([]string{"Email", "URL", "Forward", "Device", "None"})
)

// valueOf draws a destination of a type.
func valueOf(t *rapid.T, kind string) string {
	switch kind {
	case "Email":
		return emails.Draw(t, "email")
	case "URL":
		return callbacks.Draw(t, "callback")
	case "Forward":
		return forwards.Draw(t, "forward")
	case "Device":
		return devices.Draw(t, "device")
	default:
		return ""
	}
}

// passwordPrefix is the prefix of all passwords in TestRandomSequences, to search for them.
const passwordPrefix = "correct-horse-"

var configs = rapid.Custom(func(t *rapid.T) step {
	s := configure{resource: rapid.IntRange(0, managedNumbers-1).Draw(t, "resource")}
	if rapid.IntRange(0, 3).Draw(t, "removed") == 0 {
		return s
	}
	kind := kinds.Draw(t, "type")
	s.config = attributes{"fonenumber": modelNumbers[s.resource], "type": kind}
	if value := valueOf(t, kind); value != "" {
		s.config["value"] = value
	}
	if left := rapid.SampledFrom([]string{"", onDestroyDisable, onDestroyKeep}).Draw(t, "on_destroy"); left != "" {
		s.config["on_destroy"] = left
	}
	if kind == "URL" {
		version := rapid.IntRange(1, 3).Draw(t, "version")
		switch rapid.SampledFrom([]string{"none", "user name", "state", "write-only"}).Draw(t, "credentials") {
		case "user name":
			s.config["url_username"] = fmt.Sprintf("hook-%d", version)
		case "state":
			s.config["url_username"] = "hook"
			s.config["url_password"] = fmt.Sprint(passwordPrefix, version)
		case "write-only":
			s.config["url_username"] = "hook"
			s.config["url_password_wo"] = fmt.Sprint(passwordPrefix, "wo-", version)
			s.config["url_password_wo_version"] = version
		}
	}
	return s
})

var handiwork = rapid.Custom(func(t *rapid.T) step {
	kind := kinds.Draw(t, "type")
	return byHand{number: rapid.SampledFrom(modelNumbers).Draw(t, "number"), kind: kind, value: valueOf(t, kind)}
})

// noticeable are the faults that a provider can detect. It cannot detect a response without a delivery, which is that of a
// FoneNumber on which none was ever set.
var noticeable = slices.DeleteFunc(simulator.Faults(), func(f simulator.Fault) bool { return f == simulator.ReceiveMissing })

var applies = rapid.Custom(func(t *rapid.T) step {
	if rapid.Bool().Draw(t, "faultless") {
		return apply{}
	}
	// Most requests meet no fault, so that faults also occur late.
	fault := rapid.OneOf(rapid.Just(simulator.Fault("")), rapid.SampledFrom(noticeable))
	return apply{faults: rapid.SliceOfN(fault, 1, 25).Draw(t, "faults")}
})

var interrupts = rapid.Custom(func(t *rapid.T) step {
	fault := rapid.OneOf(rapid.Just(simulator.Fault("")), rapid.Just(simulator.Fault("")), rapid.SampledFrom(noticeable))
	return interrupt{at: rapid.IntRange(1, 12).Draw(t, "request"), faults: rapid.SliceOfN(fault, 0, 12).Draw(t, "faults")}
})

// sequences are random sequences that contain enough applies.
var sequences = rapid.SliceOfN(rapid.OneOf(configs, configs, handiwork, applies, applies, interrupts, rapid.Just[step](elsewhere{})), 1, 14)

// dialects are the variants of FoneStorm's responses.
var dialects = rapid.SampledFrom([]string{"live", "2.12"})
