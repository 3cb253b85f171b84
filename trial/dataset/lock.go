package dataset

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// MaxLocked bounds the datasets that one lock names.
const MaxLocked = 256

// Lock closes datasets up to a cut: what is committed at it can never change
// (ICH E9 5.8). Sent by the sponsor, once for each dataset and cut.
type Lock struct {
	_     struct{} `cbor:",toarray"`
	Names []string // ascending, each once; none: all that were ever committed
	Cut   trial.Day
}

// Check refuses a list that no rule could accept.
func (t Lock) Check() error {
	if len(t.Names) > MaxLocked || !slices.IsSorted(t.Names) || len(slices.Compact(slices.Clone(t.Names))) != len(t.Names) {
		return trial.Refuse(trial.Malformed, "names: at most %d, ascending, each once; none means all", MaxLocked)
	}
	for _, name := range t.Names {
		if err := checkName("names", name); err != nil {
			return err
		}
	}
	return nil
}

// Authorise asks for the trial's sponsor.
func (t Lock) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a dataset that is not committed at the cut, or is locked.
func (t Lock) Validate(s State, _ trial.Context) error {
	names := t.scope(s)
	if len(names) == 0 {
		return trial.Refuse(trial.NotCommitted, "names: no dataset is committed; commit first")
	}
	for _, name := range names {
		r, ok := Get(s, name, t.Cut)
		if !ok {
			return trial.Refuse(trial.NotCommitted, "names: %q is not committed up to %v; commit it with that cut first", name, t.Cut)
		}
		if locked, fixed := Locked(s, name); fixed && t.Cut <= locked || r.Locked != 0 {
			return trial.Refuse(trial.AlreadyLocked, "names: %q is locked up to %v; lock later data with a later cut", name, locked)
		}
	}
	return nil
}

func (t Lock) scope(s State) []string {
	if len(t.Names) == 0 {
		return Names(s)
	}
	return t.Names
}

// Apply locks.
func (t Lock) Apply(s State, c trial.Context) []event.Event {
	names := t.scope(s)
	for _, name := range names {
		r, _ := Get(s, name, t.Cut)
		r.Locked = c.Now
		state.Put(s, recordKey(name, t.Cut), r)
		n, _ := state.Load[standing](s, nameKey(name))
		n.Locked, n.Fixed = t.Cut, true
		state.Put(s, nameKey(name), n)
	}
	return []event.Event{event.DatasetLocked{Names: names, Cut: t.Cut, Time: c.Now}}
}
