// Package consent holds the rules about the people of a trial, none of whom it
// can name: leaves that sites enrol, accounts that devices prove, the sets of
// who owes consent to which version, and the counters that the verdict is
// counted from.
//
// The rules are those of the consent protocol; what weakens one of them breaks
// the count (see the property test in trial/contract).
package consent

import (
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// State is what the rules of consent read and write: the trial's stream, and
// the questions that other rooms answer.
type State interface {
	state.Store

	// Delegated reports whether a site had delegated a task to a person then.
	Delegated(trial.SiteID, trial.ActorID, trial.Task, int64) bool

	// Protocol returns a registered version and the digest of its forms.
	Protocol(trial.Version) (*trial.Protocol, trial.Digest, bool)

	// MayEnrolUnder says why nobody may be enrolled under a version at a site.
	MayEnrolUnder(trial.Version, trial.SiteID, int64) error
	// VersionsOpen lists the versions open at a site, oldest first.
	VersionsOpen(trial.SiteID) []trial.Opening
	// NextDeadline is a version's earliest deadline at or after a time.
	NextDeadline(trial.Version, int64) (int64, bool)
	// Floor is the oldest version whose passes a site accepts.
	Floor(trial.SiteID, int64) trial.Version
	// Settled reports whether nothing may change a version's counters any more.
	Settled(trial.Version, int64) bool

	// SafetyHold says why nobody may be enrolled or given a first dose now.
	SafetyHold(int64) error
}

// Proven is an act and the proof for it. Root is left out (zero) where the kind
// is proven against the tree of one's own leaf: anybody computes that root.
type Proven struct {
	_       struct{} `cbor:",toarray"`
	Act     act.Act
	Root    field.Root
	Account field.Account
	Proof   verifier.Proof
}

// check refuses an act of another kind than the transaction is for.
func (p *Proven) check(kinds ...act.Kind) error {
	if err := p.Act.Check(); err != nil {
		return trial.Refuse(trial.Malformed, "%v", err)
	}
	for _, k := range kinds {
		if k != p.Act.Kind {
			continue
		}
		if r, _ := k.Rule(); r.Tree == act.OwnLeaf && p.Root != (field.Root{}) {
			return trial.Refuse(trial.Malformed, "root: computed from the leaf for a %s; leave it zero", k)
		}
		return nil
	}
	return trial.Refuse(trial.Malformed, "act: a %s cannot stand here", p.Act.Kind)
}

// here refuses an act made for another ledger or trial: the proof binds both,
// so it would verify wherever its root is known.
func (p *Proven) here(c trial.Context) error {
	if p.Act.Ledger != c.Ledger {
		return trial.Refuse(trial.WrongLedger, "act: ledger: made for %v", p.Act.Ledger)
	}
	if p.Act.Trial != c.Trial {
		return trial.Refuse(trial.UnknownTrial, "act: trial: made for %v", p.Act.Trial)
	}
	return nil
}

// statement is what the proof must show. Everything in it but the account is
// computed here or in the ledger's state, never taken as public input from outside.
func (p *Proven) statement(root field.Root) *verifier.Item {
	s := verifier.Statement{Root: root, Context: p.Act.Context(), Account: p.Account, Message: p.Act.Message()}
	s.Min, s.Max = verifier.Vacuous()
	return &verifier.Item{Proof: p.Proof, Statement: s}
}

// second asks for a cosigner at the site who is another delegated person.
func second(s State, c trial.Context, site trial.SiteID) error {
	if c.Cosigned(func(a trial.Actor) bool {
		return a.ID != c.Signer.ID && s.Delegated(site, a.ID, trial.Countersigning, c.Now)
	}) {
		return nil
	}
	return trial.Refuse(trial.NeedsSecond, "needs the cosignature of a second person whom the site delegated countersigning to")
}

func delegated(s State, c trial.Context, site trial.SiteID, task trial.Task) error {
	if !s.Delegated(site, c.Signer.ID, task, c.Now) {
		return trial.Refuse(trial.UnknownDelegate, "signer: not delegated to do this at site %v at this time; the site's delegation log says who is", site)
	}
	return nil
}

// onTime refuses a day that is not over the registered recording delay ago.
func onTime(s State, c trial.Context, v trial.Version, day trial.Day) error {
	p, _, ok := s.Protocol(v)
	if !ok {
		return trial.Refuse(trial.NoSuchVersion, "version: %v is not registered", v)
	}
	if day > trial.DayOf(c.Now) {
		return trial.Refuse(trial.DayInFuture, "day: %v is in the future", day)
	}
	if c.Now >= (day+1).Start()+trial.Hours(p.Terms.RecordingHours) {
		return trial.Refuse(trial.DayTooEarly, "day: %v; record within %d hours", day, p.Terms.RecordingHours)
	}
	return nil
}
