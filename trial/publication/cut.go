package publication

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

// Cut fixes the day up to which results will speak, and keeps what the gate
// finds at that moment. Sent by the sponsor at its time: it settles nothing, and
// another cut may follow (ICH E9 4.5; E6(R3) 4.2.8).
type Cut struct {
	_    struct{} `cbor:",toarray"`
	AsOf trial.Day
}

// Check has nothing to refuse by form alone.
func (t Cut) Check() error { return nil }

// Authorise asks for the trial's sponsor.
func (t Cut) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a cut that is not made at its time: its checks are read now.
func (t Cut) Validate(_ State, c trial.Context) error {
	today := trial.DayOf(c.Now)
	if t.AsOf > today {
		return trial.Refuse(trial.DayInFuture, "as of: %v is after today, %v; cut when the day has come", t.AsOf, today)
	}
	if t.AsOf < today-1 {
		return trial.Refuse(trial.DayTooEarly, "as of: %v is past; a cut is made on its day or the day after, not backwards: cut as of %v", t.AsOf, today)
	}
	return nil
}

// Apply keeps the checks as they stand.
func (t Cut) Apply(s State, c trial.Context) []event.Event {
	l := getLast(s)
	l.Cut++
	r := CutRecord{AsOf: t.AsOf, Time: c.Now, Checks: AtCut(s, c.Now), Entered: atCut(s)}
	for _, x := range s.Consents(c.Now) {
		if x.NotDue {
			r.NotDue = append(r.NotDue, x.Version)
		}
	}
	state.Put(s, cutKey(l.Cut), r)
	state.Put(s, lastKey, l)
	saw(s, c, func(m *outcome.Moment) { m.Cuts++ })
	return tell(event.CutMade{Number: l.Cut, AsOf: t.AsOf, Time: c.Now, Checks: r.Checks})
}
