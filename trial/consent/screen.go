package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/event"
)

// Screen attests, after screening, a second leaf with the screening attributes.
// Sent by a delegated investigator, who convinced themselves of the attributes;
// the device proves that it holds the leaf's secret.
type Screen struct {
	_      struct{} `cbor:",toarray"`
	Proven Proven   // kind screen
	Leaf   field.Leaf
}

// Check refuses a form that no rule could accept.
func (t Screen) Check() error { return t.Proven.check(act.Screen) }

// Claim is what the proof must show.
func (t Screen) Claim() (*verifier.Item, error) {
	return ownLeaf(&t.Proven, t.Leaf)
}

// Authorise asks for the investigator that the proof names, delegated there.
func (t Screen) Authorise(s State, c trial.Context) error { return bySite(s, c, &t.Proven, false) }

// Validate refuses a leaf used before, and a site where the trial is not open.
func (t Screen) Validate(s State, c trial.Context) error {
	open := s.VersionsOpen(t.Proven.Act.Site)
	if len(open) == 0 {
		return trial.Refuse(trial.SiteNotOpen, "site: no version is open at this site")
	}
	if err := onTime(s, c, open[len(open)-1].Version, t.Proven.Act.Day); err != nil {
		return err
	}
	if full(s, act.EligibleLeaves) {
		return trial.Refuse(trial.TreeFull, "the tree of screened leaves is full; register the trial with the larger circuit")
	}
	return freshLeaf(s, t.Leaf)
}

// screened is what the ledger knows of a leaf with screening attributes.
type screened struct {
	_        struct{} `cbor:",toarray"`
	Site     trial.SiteID
	Deviated bool
}

// Apply puts the leaf into the tree of eligibility.
func (t Screen) Apply(s State, c trial.Context) []event.Event {
	r := &roll{s: s, c: c}
	state.Put(s, screenedKey(t.Leaf), screened{Site: t.Proven.Act.Site})
	r.add(act.EligibleLeaves, t.Leaf)
	r.tell(event.Screened{Leaf: t.Leaf, Site: t.Proven.Act.Site, Day: t.Proven.Act.Day})
	return r.done()
}

// Randomise enters a participant who proves, once, the registered criteria of
// the version in force. No arm is named. Sent by a delegated investigator.
type Randomise struct {
	_      struct{} `cbor:",toarray"`
	Proven Proven   // kind eligible
}

func eligibleKey(a field.Account) []byte { return append([]byte("consent/eligible/"), a[:]...) }

// Check refuses a form that no rule could accept.
func (t Randomise) Check() error { return t.Proven.check(act.Eligible) }

// ClaimIn is what the proof must show: the bounds are the registered criteria,
// taken from the ledger, never from the request.
func (t Randomise) ClaimIn(s State) (*verifier.Item, error) {
	p, _, ok := s.Protocol(t.Proven.Act.Version)
	if !ok {
		return nil, trial.Refuse(trial.NoSuchVersion, "version: %v is not registered", t.Proven.Act.Version)
	}
	item := t.Proven.statement(t.Proven.Root)
	item.Statement.Min, item.Statement.Max = p.Bounds()
	return item, nil
}

// Authorise asks for the investigator that the proof names, delegated there.
func (t Randomise) Authorise(s State, c trial.Context) error { return bySite(s, c, &t.Proven, false) }

// Validate refuses a second randomisation and criteria that are not in force.
func (t Randomise) Validate(s State, c trial.Context) error {
	a := &t.Proven.Act
	if err := s.MayEnrolUnder(a.Version, a.Site, c.Now); err != nil {
		return err
	}
	if err := onTime(s, c, a.Version, a.Day); err != nil {
		return err
	}
	if _, used := s.Get(eligibleKey(t.Proven.Account)); used {
		return trial.Refuse(trial.AlreadyRandomised, "account: randomised before")
	}
	p, _, _ := s.Protocol(a.Version)
	return accepted(s, c, act.EligibleLeaves, t.Proven.Root, func(epochEnd int64) int64 {
		return epochEnd + trial.Days(p.Terms.AnswerDays)
	})
}

// Apply records the randomisation.
func (t Randomise) Apply(s State, _ trial.Context) []event.Event {
	a := &t.Proven.Act
	state.Put(s, eligibleKey(t.Proven.Account), a.Version)
	return []event.Event{event.Randomised{Site: a.Site, Version: a.Version, Day: a.Day, Account: t.Proven.Account}}
}

// Deviate records that somebody was randomised who cannot prove the registered
// criteria (ICH E6(R3) 2.5.4): counted, and an exception at release. Sent by a
// delegated investigator, cosigned by a second person.
type Deviate struct {
	_         struct{}   `cbor:",toarray"`
	Leaf      field.Leaf // the one attested after screening
	Version   trial.Version
	Day       trial.Day
	Criterion string // what was not met, in words; names no person
	Reason    trial.Commitment
}

// Check refuses a form that no rule could accept.
func (t Deviate) Check() error {
	if n := len(t.Criterion); n == 0 || n > 1024 {
		return trial.Refuse(trial.Malformed, "criterion: %d bytes; 1 to 1024", n)
	}
	if t.Reason == (trial.Commitment{}) {
		return trial.Refuse(trial.Malformed, "reason: commit to the reason, with a salt")
	}
	return nil
}

// Authorise asks for two delegated people of the leaf's site.
func (t Deviate) Authorise(s State, c trial.Context) error {
	x, ok := state.Load[screened](s, screenedKey(t.Leaf))
	if !ok {
		return trial.Refuse(trial.NotEligibleLeaf, "leaf: not attested after screening in this trial")
	}
	if err := delegated(s, c, x.Site, trial.Enrolling); err != nil {
		return err
	}
	return second(s, c, x.Site)
}

// Validate refuses a second deviation of one leaf.
func (t Deviate) Validate(s State, c trial.Context) error {
	x, _ := state.Load[screened](s, screenedKey(t.Leaf))
	if x.Deviated {
		return trial.Refuse(trial.AlreadyRandomised, "leaf: its deviation is recorded")
	}
	if err := s.MayEnrolUnder(t.Version, x.Site, c.Now); err != nil {
		return err
	}
	return onTime(s, c, t.Version, t.Day)
}

// Apply records the deviation.
func (t Deviate) Apply(s State, _ trial.Context) []event.Event {
	x, _ := state.Load[screened](s, screenedKey(t.Leaf))
	x.Deviated = true
	state.Put(s, screenedKey(t.Leaf), x)
	return []event.Event{event.Randomised{Site: x.Site, Version: t.Version, Day: t.Day, Deviation: t.Criterion}}
}
