package publication

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Release makes a staged package the trial's results, whatever the gate says:
// each check that does not hold is an exception beside them for good. Sent by
// the sponsor; once results are overdue by any custodian or the regulator too,
// so that silence hides nothing.
type Release struct {
	_     struct{} `cbor:",toarray"`
	Stage uint32
}

// Check has nothing to refuse by form alone.
func (t Release) Check() error { return nil }

// Authorise asks for the sponsor or, once overdue, a custodian or the regulator.
// Whether it is overdue is a question of order, so Validate asks it.
func (t Release) Authorise(s State, c trial.Context) error {
	sponsor, ok := s.Sponsor()
	if !ok {
		return noTrial()
	}
	if c.Signer.ID == sponsor || c.Signer.Role == trial.Custodian || c.Signer.Role == trial.Regulator {
		return nil
	}
	return trial.Refuse(trial.NotAuthorised, "results are released by their sponsor or, once overdue, by a custodian or the regulator; not by a %s", c.Signer.Role)
}

// Validate refuses what is out already, and others than the sponsor before
// results are overdue. No check of the gate is asked: it vetoes nothing.
func (t Release) Validate(s State, c trial.Context) error {
	r, ok := GetStage(s, t.Stage)
	switch {
	case !ok:
		return noStage(t.Stage)
	case r.Released != 0:
		return trial.Refuse(trial.AlreadyReleased, "stage: package %d is released since %v", t.Stage, trial.DayOf(r.Released))
	case r.Supersedes != 0:
		return trial.Refuse(trial.IsCorrection, "stage: package %d corrects %d; send a correction, with a reason", t.Stage, r.Supersedes)
	}
	if sponsor, _ := s.Sponsor(); c.Signer.ID == sponsor {
		return nil
	}
	if l := Label(s, c.Now); l.Word != trial.Overdue {
		return trial.Refuse(trial.NotOverdue, "stage: results are not overdue; until they are, their sponsor releases them")
	}
	return nil
}

// Apply releases.
func (t Release) Apply(s State, c trial.Context) []event.Event { return release(s, c, t.Stage, "") }

// release writes what the gate says now beside the results, for good.
func release(s State, c trial.Context, stage uint32, reason string) []event.Event {
	r, _ := GetStage(s, stage)
	checks := Gate(s, r.Cut, stage, c.Now)
	r.Released, r.By, r.Reason = c.Now, c.Signer.ID, reason
	r.Comparison = Compare(s, r.Cut, r.Outcomes)
	r.Exceptions, r.Word = trial.Exceptions(checks), trial.Verified
	if len(r.Exceptions) > 0 {
		r.Word = trial.PublishedWithExceptions
	}
	state.Put(s, stageKey(stage), r)
	l := getLast(s)
	l.Released = append(l.Released, stage)
	state.Put(s, lastKey, l)
	return tell(event.Released{
		Stage: stage, Cut: r.Cut, Package: r.Package, By: c.Signer.ID, Label: r.Word, Exceptions: r.Exceptions,
		Checks: checks, Comparison: r.Comparison, Time: c.Now,
	})
}
