package dataset

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Cause is why one participant's arm was opened.
type Cause uint8

// The causes.
const (
	Emergency Cause = iota + 1 // care could not go on without knowing
	Suspected                  // a suspected unexpected serious adverse reaction
)

func (c Cause) String() string {
	switch c {
	case Emergency:
		return "emergency"
	case Suspected:
		return "suspected reaction"
	default:
		return "unknown cause"
	}
}

// UnblindOne records that one participant's arm was opened (ICH E6(R3) 2.11.2,
// EU CTR 536/2014 annex III). Sent by an investigator on the site's delegation
// log. Nothing about the state of the trial stops it: it is counted.
type UnblindOne struct {
	_      struct{} `cbor:",toarray"`
	Site   trial.SiteID
	Cause  Cause
	Reason trial.Commitment // salted, to who and why, kept in the vault
}

// Check refuses an unknown cause.
func (t UnblindOne) Check() error {
	if t.Cause != Emergency && t.Cause != Suspected {
		return trial.Refuse(trial.Malformed, "cause: %d; 1 emergency, 2 suspected reaction", t.Cause)
	}
	return nil
}

// Authorise asks for anybody to whom the site delegated anything.
func (t UnblindOne) Authorise(s State, c trial.Context) error {
	if _, ok := s.TrialSponsor(); !ok {
		return noTrial()
	}
	for task := trial.Enrolling; task <= trial.Countersigning; task++ {
		if c.Signer.Role == trial.Investigator && s.Delegated(t.Site, c.Signer.ID, task, c.Now) {
			return nil
		}
	}
	return trial.Refuse(trial.UnknownDelegate, "site: %v has delegated nothing to %q at this time", t.Site, c.Signer.Name)
}

// Validate refuses nothing: an emergency waits for no rule.
func (t UnblindOne) Validate(State, trial.Context) error { return nil }

// Apply counts.
func (t UnblindOne) Apply(s State, c trial.Context) []event.Event {
	u, _ := state.Load[unblinding](s, unblindingKey)
	u.Emergencies++
	state.Put(s, unblindingKey, u)
	state.Put(s, emergencyKey(t.Site), EmergenciesAt(s, t.Site)+1)
	return []event.Event{event.UnblindedOne{Site: t.Site, Cause: uint8(t.Cause), Number: u.Emergencies, Time: c.Now}}
}
