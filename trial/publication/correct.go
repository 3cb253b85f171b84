package publication

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Correct releases a staged package in place of the released one that it names,
// with a reason. Sent by the sponsor. The earlier one stays, with a link to it
// (ICMJE: corrections and version control).
type Correct struct {
	_      struct{} `cbor:",toarray"`
	Stage  uint32
	Reason string
}

// Check refuses a correction without a reason.
func (t Correct) Check() error { return checkReason(t.Reason) }

// Authorise asks for the trial's sponsor.
func (t Correct) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a package that corrects nothing, or what does not stand any more.
func (t Correct) Validate(s State, _ trial.Context) error {
	r, ok := GetStage(s, t.Stage)
	switch {
	case !ok:
		return noStage(t.Stage)
	case r.Supersedes == 0:
		return trial.Refuse(trial.NoCorrection, "stage: package %d supersedes none; stage it again and name the one it corrects", t.Stage)
	case r.Released != 0:
		return trial.Refuse(trial.AlreadyReleased, "stage: package %d is released since %v", t.Stage, trial.DayOf(r.Released))
	}
	return stillStands(s, "stage", r.Supersedes)
}

// Apply releases the package and links both ways.
func (t Correct) Apply(s State, c trial.Context) []event.Event {
	r, _ := GetStage(s, t.Stage)
	was, _ := GetStage(s, r.Supersedes)
	was.SupersededBy = t.Stage
	state.Put(s, stageKey(r.Supersedes), was)
	events := release(s, c, t.Stage, t.Reason)
	return append(events, event.ResultsCorrected{Stage: t.Stage, Corrects: r.Supersedes, Reason: t.Reason, Time: c.Now})
}

// Retract marks released results as not to be relied on. Sent by the sponsor or
// the regulator. The bytes and the label they were released with stay (ICMJE:
// retractions).
type Retract struct {
	_      struct{} `cbor:",toarray"`
	Stage  uint32
	Reason string
}

// Check refuses a retraction without a reason.
func (t Retract) Check() error { return checkReason(t.Reason) }

// Authorise asks for the sponsor or the regulator.
func (t Retract) Authorise(s State, c trial.Context) error {
	if c.Signer.Role == trial.Regulator {
		if _, ok := s.Sponsor(); !ok {
			return noTrial()
		}
		return nil
	}
	return bySponsor(s, c)
}

// Validate refuses what is not out, or does not stand any more.
func (t Retract) Validate(s State, _ trial.Context) error { return stillStands(s, "stage", t.Stage) }

// Apply marks the stage.
func (t Retract) Apply(s State, c trial.Context) []event.Event {
	r, _ := GetStage(s, t.Stage)
	r.Retracted, r.Retraction = c.Now, t.Reason
	state.Put(s, stageKey(t.Stage), r)
	return tell(event.ResultsRetracted{Stage: t.Stage, Reason: t.Reason, By: c.Signer.ID, Time: c.Now})
}
