package publication

import (
	"slices"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/event"
	"github.com/trialith/trialith/trial/outcome"
)

// Held is a custodian's answer about a staged package: it holds the bytes and
// has recomputed what it signs, or it refuses, with a reason. Sent by a custodian
// of an organisation that is not the sponsor's. The last answer counts. With the
// second that holds, results that every check passes are released at once.
type Held struct {
	_        struct{} `cbor:",toarray"`
	Stage    uint32
	Package  trial.CID    // recomputed from the bytes received; zero in a refusal
	Outcomes trial.Digest // of the outcome list as read in the package; zero in a refusal
	Cells    bool         // the small-cell check has passed
	Refusal  string       // why the custodian does not hold it; empty: it does
}

// Check refuses an answer that is neither yes nor no.
func (t Held) Check() error {
	if len(t.Refusal) > 4096 {
		return trial.Refuse(trial.Malformed, "refusal: %d bytes; at most 4096", len(t.Refusal))
	}
	if t.Refusal != "" {
		if t.Package != (trial.CID{}) || t.Outcomes != (trial.Digest{}) || t.Cells {
			return trial.Refuse(trial.Malformed, "refusal: who refuses vouches for nothing; leave package, outcomes and cells empty")
		}
		return nil
	}
	if !t.Cells {
		return trial.Refuse(trial.Malformed, "cells: the small-cell check has not passed; refuse, with the reason, instead")
	}
	return nil
}

// Authorise asks for a custodian.
func (t Held) Authorise(s State, c trial.Context) error {
	if _, ok := s.Sponsor(); !ok {
		return noTrial()
	}
	if c.Signer.Role != trial.Custodian {
		return trial.Refuse(trial.NotAuthorised, "only a custodian vouches for bytes, not a %s", c.Signer.Role)
	}
	return nil
}

// Validate refuses the sponsor's own house, a second answer of one house, and a
// package that is not the staged one.
func (t Held) Validate(s State, c trial.Context) error {
	r, ok := GetStage(s, t.Stage)
	if !ok {
		return noStage(t.Stage)
	}
	house := organisation(c.Signer.Name)
	if slices.Contains(sponsors(s), house) {
		return trial.Refuse(trial.SponsorsCustodian, "signer: %q is the sponsor's own organisation; a custodian is another's", c.Signer.Name)
	}
	for _, h := range r.Held {
		if h.Custodian != c.Signer.ID && h.Organisation == house {
			return trial.Refuse(trial.SameOrganisation, "signer: %q has answered by another key; custodians are of different organisations", c.Signer.Name)
		}
		if h.Custodian == c.Signer.ID && h.Refusal == t.Refusal {
			return trial.Refuse(trial.AlreadyHeld, "stage: this custodian has said the same of package %d; it stands", t.Stage)
		}
	}
	return t.same(&r)
}

func (t Held) same(r *StageRecord) error {
	switch {
	case t.Refusal != "":
		return nil
	case t.Package != r.Package:
		return trial.Refuse(trial.PackageDiffers, "package: the bytes make %v, staged is %v; refuse, with the reason, or ask for the right bytes", t.Package, r.Package)
	case t.Outcomes != outcome.Digest(r.Outcomes):
		return trial.Refuse(trial.PackageDiffers, "outcomes: the list in the package is not the staged one; refuse, with the reason")
	}
	return nil
}

// sponsors lists the organisations behind the trial: who registered it, and the
// sponsors that any version names.
func sponsors(s State) []string {
	houses := []string{organisation(getFacts(s).Sponsor)}
	for _, v := range s.Versions() {
		houses = append(houses, organisation(v.Protocol.Sponsor))
		for _, co := range v.Protocol.CoSponsors {
			houses = append(houses, organisation(co))
		}
	}
	return houses
}

// Apply keeps the answer, and releases what every check passes.
func (t Held) Apply(s State, c trial.Context) []event.Event {
	r, _ := GetStage(s, t.Stage)
	r.Held = slices.DeleteFunc(r.Held, func(h Holding) bool { return h.Custodian == c.Signer.ID })
	r.Held = append(r.Held, Holding{
		Custodian: c.Signer.ID, Organisation: organisation(c.Signer.Name), Refusal: t.Refusal, Time: c.Now,
	})
	state.Put(s, stageKey(t.Stage), r)
	events := tell(event.PackageHeld{
		Stage: t.Stage, Custodian: c.Signer.ID, Name: c.Signer.Name, Holds: t.Refusal == "", Refusal: t.Refusal,
		Holders: uint32(r.Holders()), Time: c.Now,
	})
	if r.Released != 0 || r.Supersedes != 0 || r.Holders() < Custodians {
		return events
	}
	if len(trial.Exceptions(Gate(s, r.Cut, t.Stage, c.Now))) > 0 {
		return events
	}
	return append(events, release(s, c, t.Stage, "")...)
}
