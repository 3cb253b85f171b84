package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Enrol says that this person may be asked: the site has checked who they are.
// It is no consent. Sent by an investigator whom the site delegated enrolling
// to at that time, never by a sponsor (C2); a leaf made on the site's kiosk
// needs a second person. The device proves that it holds the leaf's secret.
type Enrol struct {
	_      struct{} `cbor:",toarray"`
	Proven Proven   // kind enrol
	Leaf   field.Leaf
	Kiosk  bool
}

// Check refuses a form that no rule could accept.
func (t Enrol) Check() error { return t.Proven.check(act.Enrol) }

// Claim is what the proof must show.
func (t Enrol) Claim() (*verifier.Item, error) {
	return ownLeaf(&t.Proven, t.Leaf)
}

func ownLeaf(p *Proven, leaf field.Leaf) (*verifier.Item, error) {
	e, err := leaf.Element()
	if err != nil {
		return nil, trial.Refuse(trial.Malformed, "leaf: %v", err)
	}
	return p.statement(field.RootOf(tree.OwnLeafRoot(tree.Depth, e))), nil
}

// Authorise asks for the investigator that the proof names, delegated there.
func (t Enrol) Authorise(s State, c trial.Context) error {
	return bySite(s, c, &t.Proven, t.Kiosk)
}

// bySite asks for the investigator named in the act, delegated enrolling at the
// site in the act, and where two are needed for a second person.
func bySite(s State, c trial.Context, p *Proven, two bool) error {
	if err := p.here(c); err != nil {
		return err
	}
	if p.Act.Person != c.Signer.ID {
		return trial.Refuse(trial.NotAuthorised, "act: person: the participant's device named %v, who has not signed", p.Act.Person)
	}
	if err := delegated(s, c, p.Act.Site, trial.Enrolling); err != nil {
		return err
	}
	if two {
		return second(s, c, p.Act.Site)
	}
	return nil
}

// Validate refuses an outdated version, a leaf used before, and anybody while
// safety holds.
func (t Enrol) Validate(s State, c trial.Context) error {
	a := &t.Proven.Act
	if err := s.MayEnrolUnder(a.Version, a.Site, c.Now); err != nil {
		return err
	}
	if err := onTime(s, c, a.Version, a.Day); err != nil {
		return err
	}
	if err := s.SafetyHold(c.Now); err != nil {
		return err
	}
	if err := room(s, a.Version, trial.New); err != nil {
		return err
	}
	for _, o := range s.VersionsOpen(a.Site) {
		if err := room(s, o.Version, trial.Existing); err != nil && o.Version > a.Version && o.Existing {
			return err
		}
	}
	return freshLeaf(s, t.Leaf)
}

// Apply puts the leaf into N(v), and into E(w) of each later version that is
// open at the site already and affects existing participants.
func (t Enrol) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	a := &t.Proven.Act
	m := member{Site: a.Site, Version: a.Version, Enrolled: c.Now, Kiosk: t.Kiosk, Active: true}
	r.tell(event.Enrolled{Leaf: t.Leaf, Site: a.Site, Version: a.Version, Day: a.Day, Kiosk: t.Kiosk})
	r.join(t.Leaf, &m, a.Version, trial.New, r.answerBy(a.Version), c.Now)
	for _, o := range s.VersionsOpen(a.Site) {
		if o.Version > a.Version && o.Existing {
			r.join(t.Leaf, &m, o.Version, trial.Existing, max(o.Deadline, r.answerBy(o.Version)), o.Opened)
		}
	}
	state.Put(s, memberKey(t.Leaf), m)
	return r.done()
}

// answerBy is until when someone enrolled now may answer.
func (r *roll) answerBy(v trial.Version) int64 {
	p, _, _ := r.s.Protocol(v)
	return r.c.Now + trial.Days(p.Terms.AnswerDays)
}

// React puts the leaves active at a site into E(v) when v opens there, where v
// affects existing participants.
func React(s State, c trial.Context, e event.Event) []event.Event {
	o, ok := e.(event.Opened)
	if !ok || !o.Existing {
		return nil
	}
	r := &roll{s: s, c: c}
	var leaves []field.Leaf
	s.Scan(leafPrefix, func(key, _ []byte) bool {
		leaves = append(leaves, field.Leaf(key[len(leafPrefix):]))
		return true
	})
	for _, leaf := range leaves {
		m, _ := getMember(s, leaf)
		if m.Active && m.Site == o.Site && m.owes(o.Version) == nil {
			r.join(leaf, &m, o.Version, trial.Existing, o.Deadline, o.Time)
			state.Put(s, memberKey(leaf), m)
		}
	}
	return r.done()
}
