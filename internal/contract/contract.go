// Package contract is what the provider assumes of FoneStorm, as a table, and a run that compares it with a service. The
// same table is compared with the simulator in the tests, so that the simulator is known to be what the table says.
//
// The run speaks HTTP itself and not through the client: it needs the responses as they are. Its report contains words
// of this package and no text of a response, so that it can be published.
package contract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fractel/terraform-provider-fractel/internal/fonestorm"
	"github.com/fractel/terraform-provider-fractel/internal/simulator"
)

// Status says how an assumption compares with the service.
type Status string

// The statuses of an assumption.
const (
	AsAssumed  Status = "as assumed"
	Differs    Status = "differs"
	NotChecked Status = "not checked"
)

// Result is an assumption and what was seen of it.
type Result struct {
	ID       string `json:"id"`
	Sentence string `json:"assumption"`
	Source   string `json:"source"`
	How      string `json:"how"`
	Writes   bool   `json:"writes,omitempty"`
	Status   Status `json:"status"`
	Seen     string `json:"seen,omitempty"` // Empty when not checked.
	Why      string `json:"why,omitempty"`  // It was not checked.
	// NotInProfile says that the profile cannot express what was seen.
	NotInProfile bool `json:"not_in_profile,omitempty"`
}

// Report is the result of a run. It contains no secrets and no personal data.
type Report struct {
	Results []Result `json:"results"`
	// Profile makes the simulator respond as the service did. Settings about which nothing was seen have their defaults.
	Profile simulator.Profile `json:"profile"`
	// Exchanges are the forms of the responses, each once.
	Exchanges []Form `json:"exchanges"`
}

// Differences returns how many assumptions differ.
func (r *Report) Differences() int {
	differences := 0
	for _, result := range r.Results {
		if result.Status == Differs {
			differences++
		}
	}
	return differences
}

// Run compares the service with all assumptions. It changes nothing but the FoneNumber of the configuration, which it
// restores, also when ctx ends. An error that comes with a report is NotRestoredError, or says that requests failed, or
// both.
func Run(ctx context.Context, config Config) (*Report, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	s := newSession(config)
	if err := s.logIn(ctx); err != nil {
		return nil, err
	}
	run := s.survey
	if s.FoneNumber != "" {
		original, err := s.original(ctx)
		if err != nil {
			return nil, err
		}
		run = func(ctx context.Context) error {
			if err := s.survey(ctx); err != nil {
				return err
			}
			return s.tryAndRestore(ctx, original)
		}
	}
	err := run(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if unrestored := (*NotRestoredError)(nil); ctx.Err() != nil || err != nil && !errors.As(err, &unrestored) {
		return nil, err
	}
	return s.report(), errors.Join(err, s.failures())
}

// tryAndRestore sets every type on the FoneNumber and restores it.
func (s *session) tryAndRestore(ctx context.Context, original fonestorm.Delivery) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() { err = errors.Join(s.restore(ctx, original), err) }()
	return s.tryEveryType(ctx)
}

// failures returns an error when requests failed, so that less was checked than could be.
func (s *session) failures() error {
	var failed []string
	for _, x := range s.exchanges {
		if why := x.failure(); why != "" && !x.rateLimited() {
			failed = append(failed, x.label()+": "+why)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d requests failed, the first of them %s", len(failed), failed[0])
}

// report compares what was seen with the assumptions.
func (s *session) report() *Report {
	report := &Report{Exchanges: s.forms()}
	for _, a := range Assumptions() {
		found := s.compare(a)
		result := Result{
			ID: a.ID, Sentence: a.Sentence, Source: a.Source, How: a.How, Writes: a.Writes,
			Status: NotChecked, Seen: found.seen, Why: found.unchecked,
		}
		if found.seen != "" {
			result.Status, result.Why = Differs, ""
			expressed := s.express(a, found, &report.Profile)
			if slices.Contains(a.assumed, found.seen) {
				result.Status = AsAssumed
			} else {
				result.NotInProfile = !expressed
			}
		}
		report.Results = append(report.Results, result)
	}
	return report
}

// compare returns what was seen of an assumption.
func (s *session) compare(a Assumption) finding {
	if a.Writes && s.FoneNumber == "" {
		return finding{unchecked: "needs -fonenumber"}
	}
	for _, purpose := range a.needs {
		if s.find(purpose) == nil {
			return finding{unchecked: s.missing(purpose)}
		}
	}
	return a.observe(&s.record)
}

// express makes the profile respond as was seen, and reports whether it can.
func (s *session) express(a Assumption, found finding, profile *simulator.Profile) bool {
	expressed := len(found.respellings) > 0
	for _, name := range found.respellings {
		if !slices.Contains(profile.Respellings, name) {
			profile.Respellings = append(profile.Respellings, name)
		}
	}
	if a.setting == "" {
		return expressed
	}
	return profile.Set(a.setting, cmp.Or(found.profile, found.seen)) == nil
}
