package outcome

import (
	"testing"

	"github.com/trialith/trialith/trial"
)

// TestKnownByArm: the version compared with is the newest that was in force
// before unblinding, the data cut and, under an open label, the first data.
func TestKnownByArm(t *testing.T) {
	t.Parallel()
	open := func(first, second bool) []Version {
		return []Version{
			{Number: 1, Registered: 10, InForce: 20, Open: first, Outcomes: []trial.Outcome{score}},
			{Number: 2, Registered: 100, InForce: 120, Open: second, Outcomes: []trial.Outcome{pulse}},
		}
	}
	for name, c := range map[string]struct {
		versions []Version
		seen     Seen
		want     trial.Version
	}{
		"nothing known":                     {open(false, false), Seen{}, 2},
		"cut before":                        {open(false, false), Seen{Cut: 110}, 1},
		"cut before, unblinded after":       {open(false, false), Seen{Cut: 110, Unblinded: 200}, 1},
		"unblinded before, cut after":       {open(false, false), Seen{Cut: 200, Unblinded: 110}, 1},
		"cut and unblinded after":           {open(false, false), Seen{Cut: 200, Unblinded: 210}, 2},
		"blinded data before":               {open(false, false), Seen{Data: 110}, 2},
		"open data before":                  {open(true, true), Seen{Data: 110}, 1},
		"open data after":                   {open(true, true), Seen{Data: 130}, 2},
		"open by amendment, data before":    {open(false, true), Seen{Data: 110}, 2},
		"blinded by amendment, data before": {open(true, false), Seen{Data: 110}, 2},
	} {
		if got := Compare(c.versions, c.seen, nil); got.Version != c.want {
			t.Errorf("%s: against version %v, want %v", name, got.Version, c.want)
		}
	}
	if OpenLabel(open(false, true), 0) || OpenLabel(nil, 0) || !OpenLabel(open(true, true), 0) || OpenLabel(open(true, false), 0) || !OpenLabel(open(true, false), 110) {
		t.Error("an amendment opened a label, or closed one after unblinding")
	}
}

// TestWithdrawnOnceEnrolled: an outcome taken back is a deviation once somebody
// is enrolled, unless it was exploratory from first to last.
func TestWithdrawnOnceEnrolled(t *testing.T) {
	t.Parallel()
	minor := score
	minor.Level = trial.Exploratory
	gone := func(os ...trial.Outcome) (list []Version) {
		for i, o := range os {
			list = append(list, Version{Number: trial.Version(i + 1), Registered: int64(10 + i), InForce: int64(20 + i), Outcomes: []trial.Outcome{pulse, o}})
		}
		n := int64(len(os))
		return append(list, Version{Number: trial.Version(n + 1), Registered: 100, InForce: 120, Outcomes: []trial.Outcome{pulse}})
	}
	for name, c := range map[string]struct {
		versions []Version
		enrolled int64
		want     string
	}{
		"before":                {gone(score), 101, ""},
		"after":                 {gone(score), 99, "END1 (primary) withdrawn by version 2, after the first enrolment"},
		"exploratory":           {gone(minor), 99, ""},
		"made exploratory":      {gone(score, minor), 99, "END1 (primary) withdrawn by version 3, after the first enrolment"},
		"exploratory, promoted": {gone(minor, score), 99, "END1 (primary) withdrawn by version 3, after the first enrolment"},
	} {
		lines := Compare(c.versions, Seen{Enrolled: c.enrolled}, []Reported{as(pulse)}).Lines
		if len(lines) != 2 || lines[1].Status != Withdrawn || lines[1].Deviation() != c.want {
			t.Errorf("%s: %+v", name, lines)
		}
	}
}
