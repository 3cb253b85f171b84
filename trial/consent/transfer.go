package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
)

// Transfer moves a leaf to another site. It joins every version that is open
// there, has not ended there, and is not owed yet, whomever it affects: else it
// could be left with versions that ended elsewhere, and nothing to answer for
// where it is. Sent by an investigator of the new site, cosigned by a delegated
// person of the old.
type Transfer struct {
	_    struct{} `cbor:",toarray"`
	Leaf field.Leaf
	To   trial.SiteID
}

// Check has nothing to refuse by form alone.
func (t Transfer) Check() error { return nil }

// Authorise asks for both sites.
func (t Transfer) Authorise(s State, c trial.Context) error {
	m, ok := getMember(s, t.Leaf)
	if !ok {
		return trial.Refuse(trial.NotEnrolled, "leaf: not an enrolled leaf of this trial")
	}
	if err := delegated(s, c, t.To, trial.Enrolling); err != nil {
		return err
	}
	return second(s, c, m.Site)
}

// Validate refuses a leaf that left, and a site where the trial is not open.
func (t Transfer) Validate(s State, c trial.Context) error {
	m, _ := getMember(s, t.Leaf)
	if !m.Active {
		return trial.Refuse(trial.NotActive, "leaf: has left")
	}
	if m.Site == t.To {
		return trial.Refuse(trial.SameSite, "to: the leaf is at this site")
	}
	if len(s.VersionsOpen(t.To)) == 0 {
		return trial.Refuse(trial.SiteNotOpen, "to: no version is open at this site")
	}
	for _, o := range t.joins(s, c, &m) {
		if err := room(s, o.Version, trial.Existing); err != nil {
			return err
		}
	}
	return nil
}

// joins lists what the leaf joins at the new site.
func (t Transfer) joins(s State, c trial.Context, m *member) (out []trial.Opening) {
	floor := s.Floor(t.To, c.Now) // what is older has ended there
	for _, o := range s.VersionsOpen(t.To) {
		if o.Version >= floor && m.owes(o.Version) == nil {
			out = append(out, o)
		}
	}
	return out
}

// Apply moves the leaf.
func (t Transfer) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	m, _ := getMember(s, t.Leaf)
	from := m.Site
	m.Site = t.To
	for _, o := range t.joins(s, c, &m) {
		r.join(t.Leaf, &m, o.Version, trial.Existing, max(o.Deadline, r.answerBy(o.Version)), o.Opened)
	}
	state.Put(s, memberKey(t.Leaf), m)
	r.tell(event.Transferred{Leaf: t.Leaf, From: from, To: t.To})
	return r.done()
}
