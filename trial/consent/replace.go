package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Replace puts a new leaf in place of one whose key is lost, or whose
// decision-maker changed. The old one leaves by word; the new one joins every
// open set of it, and so is asked again. Sent by an investigator, cosigned by a
// second delegated person, counted and sampled.
type Replace struct {
	_          struct{} `cbor:",toarray"`
	Proven     Proven   // kind enrol, of the new leaf, naming the old one's version
	Leaf       field.Leaf
	Old        field.Leaf
	Statements []Statement // on the old leaf
	Reason     trial.Commitment
}

// Check refuses a form that no rule could accept.
func (t Replace) Check() error {
	if t.Reason == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "reason: commit to the reason, with a salt")
	}
	if err := checkStatements(t.Statements); err != nil {
		return err
	}
	return t.Proven.check(act.Enrol)
}

// Claim is what the proof must show.
func (t Replace) Claim() (*verifier.Item, error) {
	return ownLeaf(&t.Proven, t.Leaf)
}

// Authorise asks for the investigator in the proof and a second person, both of
// the site of the old leaf.
func (t Replace) Authorise(s State, c trial.Context) error {
	m, ok := getMember(s, t.Old)
	if !ok {
		return trial.Refuse(trial.NotEnrolled, "old: not an enrolled leaf of this trial")
	}
	if m.Site != t.Proven.Act.Site {
		return trial.Refuse(trial.NotAuthorised, "site: the old leaf is at %v", m.Site)
	}
	return bySite(s, c, &t.Proven, true)
}

// Validate refuses a leaf that left, and statements that do not fit.
func (t Replace) Validate(s State, c trial.Context) error {
	m, _ := getMember(s, t.Old)
	if !m.Active {
		return trial.Refuse(trial.NotActive, "old: has left; enrol again")
	}
	if t.Proven.Act.Version != m.Version {
		return trial.Refuse(trial.OutdatedVersion, "version: the old leaf was enrolled under %v", m.Version)
	}
	if err := onTime(s, c, m.Version, t.Proven.Act.Day); err != nil {
		return err
	}
	if err := stated(s, c, &m, t.Statements); err != nil {
		return err
	}
	for _, x := range t.Statements {
		if err := room(s, x.Version, m.owes(x.Version).Set); err != nil {
			return err
		}
	}
	return freshLeaf(s, t.Leaf)
}

// Apply removes the old leaf and lets the new one join its open sets.
func (t Replace) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	old, _ := getMember(s, t.Old)
	r.word(t.Old, &old, trial.ByWord, t.Statements)
	state.Put(s, memberKey(t.Old), old)

	m := member{Site: old.Site, Version: old.Version, Enrolled: c.Now, Kiosk: old.Kiosk, Active: true}
	r.tell(event.Enrolled{Leaf: t.Leaf, Site: m.Site, Version: m.Version, Day: t.Proven.Act.Day, Kiosk: m.Kiosk})
	opening := map[trial.Version]trial.Opening{}
	for _, o := range s.VersionsOpen(m.Site) {
		opening[o.Version] = o
	}
	for _, x := range t.Statements {
		o := old.owes(x.Version)
		due := r.answerBy(o.Version)
		if o.Set == trial.Existing {
			due = max(due, opening[o.Version].Deadline)
		}
		r.join(t.Leaf, &m, o.Version, o.Set, due, opening[o.Version].Opened)
	}
	state.Put(s, memberKey(t.Leaf), m)
	r.tell(event.Replaced{Old: t.Old, New: t.Leaf, Site: m.Site})
	return r.done()
}
