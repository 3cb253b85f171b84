package publication

import (
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

// Stage names a results package by the hash of its bytes, and lists the outcomes
// it reports. Sent by the sponsor; nobody can see it as results yet (EU CTR
// 536/2014 art. 37; 42 CFR 11.48). Outcomes are compared with the registered
// ones by the contract itself.
type Stage struct {
	_          struct{}     `cbor:",toarray"`
	Package    trial.CID    // root of the package
	Manifest   trial.Digest // SHA-256 of its metadata file
	Outcomes   []outcome.Reported
	Cut        uint32 // the data cut it speaks as of
	Supersedes uint32 // the released stage that it corrects; 0: none
}

// Check refuses a form that no rule could accept.
func (t Stage) Check() error {
	if err := t.Package.Check(); err != nil {
		return trial.Refuse(trial.Malformed, "package: %v", err)
	}
	if t.Manifest == (trial.Digest{}) {
		return trial.Refuse(trial.Malformed, "manifest: zero; the SHA-256 of the package's metadata file")
	}
	if err := outcome.CheckReported(t.Outcomes); err != nil {
		return trial.Refuse(trial.Malformed, "%v", err)
	}
	return nil
}

// Authorise asks for the trial's sponsor.
func (t Stage) Authorise(s State, c trial.Context) error { return bySponsor(s, c) }

// Validate refuses a cut that was not made, and a correction of what does not stand.
func (t Stage) Validate(s State, _ trial.Context) error {
	if _, ok := GetCut(s, t.Cut); !ok {
		return trial.Refuse(trial.NoSuchCut, "cut: number %d was not made; make a data cut first, at its time", t.Cut)
	}
	if t.Supersedes == 0 {
		return nil
	}
	return stillStands(s, "supersedes", t.Supersedes)
}

// stillStands refuses a stage that is not released, or that another stands in place of.
func stillStands(s State, field string, n uint32) error {
	was, ok := GetStage(s, n)
	switch {
	case !ok:
		return noStage(n)
	case was.Released == 0:
		return trial.Refuse(trial.NotReleased, "%s: package %d is not released; only what is out is corrected or retracted", field, n)
	case was.SupersededBy != 0:
		return trial.Refuse(trial.NotStanding, "%s: package %d is corrected by %d; name that one", field, n, was.SupersededBy)
	case was.Retracted != 0:
		return trial.Refuse(trial.NotStanding, "%s: package %d is retracted; stage anew, without naming it", field, n)
	}
	return nil
}

// Apply writes the stage.
func (t Stage) Apply(s State, c trial.Context) []event.Event {
	l := getLast(s)
	l.Stage++
	state.Put(s, stageKey(l.Stage), StageRecord{
		Package: t.Package, Manifest: t.Manifest, Outcomes: t.Outcomes, Cut: t.Cut, Supersedes: t.Supersedes, Time: c.Now,
	})
	state.Put(s, lastKey, l)
	return tell(event.Staged{
		Number: l.Stage, Package: t.Package, Manifest: t.Manifest, Outcomes: t.Outcomes, Cut: t.Cut, Supersedes: t.Supersedes,
		Comparison: Compare(s, t.Cut, t.Outcomes), Time: c.Now,
	})
}
