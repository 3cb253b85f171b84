package publication

import (
	"fmt"
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
)

// ending is when the last phase of a trial was complete for the first time. It
// stays: a phase that an amendment adds later reopens nothing, so that results
// that are due stay due.
type ending struct {
	_    struct{} `cbor:",toarray"`
	Day  trial.Day
	Time int64 // when that was recorded
}

var endingKey = []byte("publication/ending")

// end keeps the moment at which no phase of the version in force is open.
func end(s State, c trial.Context) {
	if _, ok := s.Get(endingKey); ok {
		return
	}
	done := s.Completed()
	if len(done) == 0 || len(openPhases(s, done)) > 0 {
		return
	}
	state.Put(s, endingKey, ending{Day: done[len(done)-1].Day, Time: c.Now})
}

// ended is the day on which the last phase was completed.
func ended(q Questions) (trial.Day, bool) {
	e, ok := state.Load[ending](q, endingKey)
	return e.Day, ok
}

// openPhases lists the phases of the version in force that are not complete.
func openPhases(q Questions, done []Completed) (open []string) {
	p := inForce(q)
	if p == nil {
		return nil
	}
	for _, x := range p.Phases {
		if !completed(done, x.ID) {
			open = append(open, x.ID)
		}
	}
	return open
}

func completed(done []Completed, phase string) bool {
	return slices.ContainsFunc(done, func(c Completed) bool { return c.Phase == phase })
}

// within asks whether a trial has people, and took in none once it was over: its
// phases complete and its data cut say nothing of those who came later.
func within(q Questions) trial.Check {
	f := getFacts(q)
	day, over := ended(q)
	switch {
	case f.Enrolments == 0:
		return failed(CheckEnrolled, trial.Sponsor, "nobody is enrolled")
	case f.Afterwards > 0:
		return failed(CheckEnrolled, trial.Sponsor, "%d of %d enrolments and randomisations after the last phase was complete on %v",
			f.Afterwards, f.Enrolments+f.Proven+f.Deviations, day)
	case !over:
		return passed(CheckEnrolled, trial.Sponsor, "%d enrolments", f.Enrolments)
	}
	return passed(CheckEnrolled, trial.Sponsor, "%d enrolments, none after the last phase was complete on %v", f.Enrolments, day)
}

// beyond asks whether data were committed that the cut knows nothing of.
func beyond(q Questions, asOf trial.Day) trial.Check {
	d := q.Data(asOf)
	if len(d.Beyond) > 0 {
		return failed(CheckBeyond, trial.Sponsor, "data beyond the cut of %v: %s", asOf, firstOf("datasets", d.Beyond))
	}
	return passed(CheckBeyond, trial.Sponsor, "%d datasets, none with data beyond %v", d.Datasets, asOf)
}

// again judges anew each version that was NOT DUE at a cut: a person whose time
// had run out by then may have stood behind one whose time had not.
func again(q Questions, c *CutRecord, now int64) []trial.Check {
	checks := slices.Clone(c.Checks)
	if len(c.NotDue) == 0 {
		return checks
	}
	for _, x := range q.Consents(now) {
		if x.Holds || !slices.Contains(c.NotDue, x.Version) {
			continue
		}
		for i := range checks {
			if checks[i].ID == CheckConsent+x.Version.String() {
				checks[i].Holds = false
				checks[i].Detail = fmt.Sprintf("%s at the cut, %s since", checks[i].Detail, x.Verdict)
			}
		}
	}
	return checks
}

// consentCheck says of a version that is NOT DUE how many may be overdue all the same.
func consentCheck(c Consent) trial.Check {
	x := trial.Check{ID: CheckConsent + c.Version.String(), Holds: c.Holds, Detail: c.Verdict, Owner: trial.Site}
	if c.NotDue && c.Overdue > 0 {
		x.Detail += fmt.Sprintf(", of whom up to %d may be overdue", c.Overdue)
	}
	return x
}
