// Package contract contains a table of what the provider assumes about FoneStorm, and a run that compares it with a service. Tests
// compare the same table with the simulator.
//
// The run does not use the client, because it needs the unchanged responses. Its report contains only words of this package and no
// text from responses, so that it can be published.
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

// Status is the result of comparing an assumption with the service.
type Status string

// The statuses of an assumption.
const (
	AsAssumed  Status = "as assumed"
	Differs    Status = "differs"
	NotChecked Status = "not checked"
)

// Result is an assumption and what the run found.
type Result struct {
	ID       string `json:"id"`
	Sentence string `json:"assumption"`
	Source   string `json:"source"`
	How      string `json:"how"`
	Writes   bool   `json:"writes,omitempty"`
	Status   Status `json:"status"`
	Seen     string `json:"seen,omitempty"` // Empty if not checked.
	Why      string `json:"why,omitempty"`  // Why it was not checked.
	// NotInProfile means that the profile cannot express the finding.
	NotInProfile bool `json:"not_in_profile,omitempty"`
}

// Report is the result of a run. It contains no secrets and no personal data.
type Report struct {
	Results []Result `json:"results"`
	// Profile makes the simulator respond like the service. Settings that were not checked have their defaults.
	Profile simulator.Profile `json:"profile"`
	// Exchanges contains the distinct forms of the responses.
	Exchanges []Form `json:"exchanges"`
}

// Differences returns the number of assumptions that differ.
func (r *Report) Differences() int {
	differences := 0
	for _, result := range r.Results {
		if result.Status == Differs {
			differences++
		}
	}
	return differences
}

// Run compares the service with all assumptions. It changes only the configured FoneNumber, and restores it even if ctx ends. An
// error that is returned with a report is a NotRestoredError, says that requests failed, or both.
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

// tryAndRestore sets every delivery type on the FoneNumber and restores it.
func (s *session) tryAndRestore(ctx context.Context, original fonestorm.Delivery) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	defer func() { err = errors.Join(s.restore(ctx, original), err) }()
	return s.tryEveryType(ctx)
}

// failures returns an error if requests failed, so that not everything could be checked.
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

// report compares the findings with the assumptions.
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

// compare returns the result for one assumption.
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

// express sets the profile to the finding and reports whether that is possible.
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
