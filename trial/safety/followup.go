package safety

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// FollowUp gives the latest assessment of a report. It counts from the day it
// is made. The site may raise an assessment; only the investigator, a person
// delegated recording there, lowers one, with a reason. The highest count ever
// is kept.
type FollowUp struct {
	_          struct{} `cbor:",toarray"`
	ID         trial.ReportID
	Serious    bool
	Boundaries []string // ascending
	Details    trial.Commitment
	Reason     trial.Commitment // of a lowered assessment; zero otherwise
}

// Check refuses a form that no rule could accept.
func (t FollowUp) Check() error {
	if t.Details == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "details: zero; commit to them with a salt")
	}
	return checkMembership(t.Boundaries)
}

// Authorise asks for the site or a delegated person, and for the latter to
// lower an assessment.
func (t FollowUp) Authorise(s State, c trial.Context) error {
	r, ok := state.Load[Record](s, reportKey(t.ID))
	if !ok {
		return trial.Refuse(trial.NoSuchReport, "id: %v is not reported in this trial", t.ID)
	}
	if err := bySite(s, c, r.Site); err != nil {
		return err
	}
	if t.lowers(&r) && isSite(c, r.Site) {
		return trial.Refuse(trial.NotAuthorised, "signer: an investigator lowers an assessment; the site's key may only raise one")
	}
	return nil
}

func (t FollowUp) lowers(r *Record) bool {
	return r.Serious && !t.Serious || len(without(r.Boundaries, t.Boundaries)) > 0
}

// Validate refuses a lower assessment without a reason, a reason without one,
// and a boundary that is not registered.
func (t FollowUp) Validate(s State, _ trial.Context) error {
	r, _ := state.Load[Record](s, reportKey(t.ID))
	if given := t.Reason != (trial.Commitment{}); given != t.lowers(&r) {
		return trial.Refuse(trial.ReasonMissing, "reason: commit to one where an assessment is lowered, and only there")
	}
	return registeredAll(s, t.Boundaries)
}

// Apply counts the difference.
func (t FollowUp) Apply(s State, c trial.Context) []event.Event {
	r, _ := state.Load[Record](s, reportKey(t.ID))
	lowered := t.lowers(&r)
	day := firstOpen(s, trial.DayOf(c.Now))
	count(s, day, without(t.Boundaries, r.Boundaries), without(r.Boundaries, t.Boundaries))
	r.Serious, r.Boundaries = t.Serious, t.Boundaries
	r.FollowUps++
	state.Put(s, reportKey(t.ID), r)
	return []event.Event{event.FollowedUp{
		Report: t.ID, Site: r.Site, Counted: day, Serious: t.Serious, Boundaries: t.Boundaries, Lowered: lowered,
		Details: t.Details, Reason: t.Reason,
	}}
}
