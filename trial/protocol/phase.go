package protocol

import (
	"encoding/binary"
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// CompletePhase records that a phase of the trial is over, in the order that the
// protocol registers. Sent by the sponsor (EU CTR 536/2014 art. 36 to 38). The
// last one starts the time in which results are due.
type CompletePhase struct {
	_     struct{} `cbor:",toarray"`
	Phase string   // its id
	Day   trial.Day
}

// Phase is a completed phase.
type Phase struct {
	_    struct{} `cbor:",toarray"`
	ID   string
	Day  trial.Day
	Time int64 // when it was recorded
}

var (
	phasesKey  = []byte("protocol/phases")
	planPrefix = []byte("protocol/plan/")
)

// CompletedPhases lists the completed phases in their order.
func CompletedPhases(v state.View) []Phase {
	p, _ := state.Load[[]Phase](v, phasesKey)
	return p
}

// InForce is the newest version that opened anywhere, or the first; 0 where no
// trial is registered.
func InForce(v state.View) trial.Version {
	n := min(Latest(v), 1)
	prefix := openedKey(0)[:len("protocol/opened/")]
	v.Scan(prefix, func(key, _ []byte) bool {
		n = max(n, trial.Version(binary.BigEndian.Uint32(key[len(prefix):])))
		return true
	})
	return n
}

// Check refuses a phase without an id.
func (t CompletePhase) Check() error {
	if n := len(t.Phase); n == 0 || n > 128 {
		return trial.Refuse(trial.Malformed, "phase: an id of %d bytes; 1 to 128", n)
	}
	return nil
}

// Authorise asks for the sponsor.
func (t CompletePhase) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a phase that the version in force does not have, one out of
// its order, and a day that is to come or before the last.
func (t CompletePhase) Validate(s State, c trial.Context) error {
	n := InForce(s)
	v, _ := Get(s, n)
	done := CompletedPhases(s)
	isDone := func(id string) bool { return slices.ContainsFunc(done, func(p Phase) bool { return p.ID == id }) }
	at := slices.IndexFunc(v.Protocol.Phases, func(p trial.Phase) bool { return p.ID == t.Phase })
	if at < 0 {
		return trial.Refuse(trial.UnknownPhase, "phase: version %v, which is in force, has no %q", n, t.Phase)
	}
	if isDone(t.Phase) {
		return trial.Refuse(trial.PhaseComplete, "phase: %q is complete", t.Phase)
	}
	for _, earlier := range v.Protocol.Phases[:at] {
		if !isDone(earlier.ID) {
			return trial.Refuse(trial.PhaseOutOfOrder, "phase: %q comes before %q and is not complete; complete it first", earlier.ID, t.Phase)
		}
	}
	if today := trial.DayOf(c.Now); t.Day > today {
		return trial.Refuse(trial.DayInFuture, "day: %v is after today, %v", t.Day, today)
	}
	if len(done) > 0 && t.Day < done[len(done)-1].Day {
		return trial.Refuse(trial.DayTooEarly, "day: %v is before the phase before it was complete, %v", t.Day, done[len(done)-1].Day)
	}
	return nil
}

// Apply writes the phase.
func (t CompletePhase) Apply(s State, c trial.Context) []event.Event {
	state.Put(s, phasesKey, append(CompletedPhases(s), Phase{ID: t.Phase, Day: t.Day, Time: c.Now}))
	return []event.Event{event.PhaseCompleted{Phase: t.Phase, Day: t.Day, Time: c.Now}}
}

// LockPlan fixes a statistical analysis plan by its hash (ICH E9 5.1: before the
// blind is broken). Sent by the sponsor, once for each plan; a later plan is
// locked beside the earlier, never in its place.
type LockPlan struct {
	_        struct{} `cbor:",toarray"`
	Document trial.Digest
}

func planKey(d trial.Digest) []byte { return append(slices.Clone(planPrefix), d[:]...) }

// FirstPlan is when an analysis plan was first locked, in milliseconds since
// 1970 UTC; 0: none is.
func FirstPlan(v state.View) (first int64) {
	v.Scan(planPrefix, func(key, _ []byte) bool {
		t, _ := state.Load[int64](v, slices.Clone(key))
		if first == 0 || t < first {
			first = t
		}
		return true
	})
	return first
}

// Check refuses the hash of nothing.
func (t LockPlan) Check() error {
	if t.Document == (trial.Digest{}) {
		return trial.Refuse(trial.Malformed, "document: zero; the SHA-256 of the analysis plan")
	}
	return nil
}

// Authorise asks for the sponsor.
func (t LockPlan) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a plan that is locked.
func (t LockPlan) Validate(s State, _ trial.Context) error {
	if _, ok := s.Get(planKey(t.Document)); ok {
		return trial.Refuse(trial.PlanLocked, "document: this plan is locked; an amended plan has another hash")
	}
	return nil
}

// Apply writes the time.
func (t LockPlan) Apply(s State, c trial.Context) []event.Event {
	state.Put(s, planKey(t.Document), c.Now)
	return []event.Event{event.PlanLocked{Document: t.Document, Time: c.Now}}
}
