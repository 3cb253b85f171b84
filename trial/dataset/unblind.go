package dataset

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Unblind is the first release of the allocation list (ICH E9 2.3.1, 5.8). Sent
// by the data and safety monitoring board: its chair, cosigned by a member. It
// is allowed while data are open, for safety; then the event names them, and
// the gate shows it.
type Unblind struct {
	_          struct{}         `cbor:",toarray"`
	Allocation trial.Commitment // salted, to the list as released
}

// Check refuses a commitment to nothing.
func (t Unblind) Check() error {
	if t.Allocation == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "allocation: zero; commit to the list that is released")
	}
	return nil
}

// Authorise asks for two persons of the board.
func (t Unblind) Authorise(s State, c trial.Context) error {
	if _, ok := s.TrialSponsor(); !ok {
		return noTrial()
	}
	member := func(a trial.Actor) bool { return a.Role == trial.DSMB && s.OnBoard(a.ID) }
	if !member(c.Signer) {
		return trial.Refuse(trial.NotAuthorised, "only a member of the trial's monitoring board unblinds the study, not this %s; sponsor and ethics appoint the board", c.Signer.Role)
	}
	if !c.Cosigned(func(a trial.Actor) bool { return member(a) && a.ID != c.Signer.ID }) {
		return trial.Refuse(trial.NeedsSecond, "cosigners: another person of the monitoring board unblinds with the chair")
	}
	return nil
}

// Validate refuses a second release: the first is what unblinds.
func (t Unblind) Validate(s State, _ trial.Context) error {
	if at, done := Unblinded(s); done {
		return trial.Refuse(trial.AlreadyUnblinded, "allocation: the study is unblinded since %v", trial.DayOf(at))
	}
	return nil
}

// Apply writes the time, and tells which datasets were open.
func (t Unblind) Apply(s State, c trial.Context) []event.Event {
	u, _ := state.Load[unblinding](s, unblindingKey)
	u.Allocation, u.Time, u.Locks = t.Allocation, c.Now, locked(s)
	state.Put(s, unblindingKey, u)
	return []event.Event{event.Unblinded{Allocation: t.Allocation, Open: open(s), Time: c.Now}}
}

// open lists the datasets whose latest cut is not locked.
func open(s State) []string {
	var out []string
	for _, name := range Names(s) {
		if r, ok := Latest(s, name); ok && r.Locked == 0 {
			out = append(out, name)
		}
	}
	return out
}
