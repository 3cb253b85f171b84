package safety

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Decide is the monitoring board's decision on a boundary at a look: it answers
// what that look flagged, without saying in which arm (FDA guidance on data
// monitoring committees, 2006). Sent by a member of the board, cosigned by
// another. A later decision on the boundary stands for the earlier; pause and
// stop refuse enrolment and first doses until then, never ongoing treatment.
type Decide struct {
	_        struct{} `cbor:",toarray"`
	Look     uint32
	Boundary string
	Decision trial.BoardDecision
	Reason   string
}

// answer is a decision at a look.
type answer struct {
	_        struct{} `cbor:",toarray"`
	Decision trial.BoardDecision
	First    int64 // when the look was first answered
	Time     int64
}

// Check refuses a form that no rule could accept.
func (t Decide) Check() error {
	if t.Decision < trial.Continue || t.Decision > trial.Stop {
		return trial.Refuse(trial.Malformed, "decision: %d; 1 continue, 2 modify, 3 pause, 4 stop", t.Decision)
	}
	if t.Reason == "" || len(t.Reason) > 4096 {
		return trial.Refuse(trial.Malformed, "reason: the board states one, in at most 4096 bytes")
	}
	return nil
}

// Authorise asks for two members of the board.
func (t Decide) Authorise(s State, c trial.Context) error {
	if err := byBoard(s, c); err != nil {
		return err
	}
	if !c.Cosigned(func(a trial.Actor) bool { return member(s, a) && a.ID != c.Signer.ID }) {
		return trial.Refuse(trial.NeedsSecond, "needs the cosignature of another member of the monitoring board")
	}
	return nil
}

// Validate refuses a decision on what was not looked at.
func (t Decide) Validate(s State, _ trial.Context) error {
	r, ok := state.Load[LookRecord](s, lookKey(t.Look))
	if !ok {
		return trial.Refuse(trial.NoSuchLook, "look: there is no look %d", t.Look)
	}
	if !slices.ContainsFunc(r.Counts, func(n trial.Count) bool { return n.Boundary == t.Boundary }) {
		return trial.Refuse(trial.UnknownBoundary, "boundary: look %d was not at %q", t.Look, t.Boundary)
	}
	return nil
}

// Apply answers.
func (t Decide) Apply(s State, c trial.Context) []event.Event {
	a, answered := state.Load[answer](s, decisionKey(t.Look, t.Boundary))
	if !answered {
		a.First = c.Now
	}
	a.Decision, a.Time = t.Decision, c.Now
	state.Put(s, decisionKey(t.Look, t.Boundary), a)
	state.Put(s, key(standingPrefix, t.Boundary), t.Decision)
	return []event.Event{event.BoardDecided{Look: t.Look, Boundary: t.Boundary, Decision: t.Decision, Reason: t.Reason, Time: c.Now}}
}

// Hold says why nobody may be enrolled or given a first dose now: a flag that
// the board has not answered in its days, or a decision to pause or stop. A
// flag by arm is known here only once its look is opened.
func Hold(v state.View, now int64) error {
	for _, f := range Flags(v) {
		if f.Answered == 0 && now > f.Due {
			return trial.Refuse(trial.FlagUnanswered, "the boundary %q was crossed on %v and the board has not answered within its days; it decides first", f.Boundary, f.Crossed)
		}
	}
	var held error
	v.Scan(standingPrefix, func(k, _ []byte) bool {
		if d, _ := state.Load[trial.BoardDecision](v, slices.Clone(k)); d == trial.Pause || d == trial.Stop {
			held = trial.Refuse(trial.BoardHolds, "the board decided to %v on the boundary %q; it decides again first", d, k[len(standingPrefix):])
		}
		return held == nil
	})
	return held
}
