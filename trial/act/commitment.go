package act

import (
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Choice is what an option commitment hides: which form was shown, in which
// language, and which options were taken.
type Choice struct {
	_        struct{} `cbor:",toarray"`
	Form     string
	Language string
	Taken    []string // option ids, in the order of the form
}

// Commit makes H("commit", kind, salt, bytes). The salt is as secret as what it hides.
func Commit(kind string, salt [32]byte, content []byte) trial.Commitment {
	return trial.Commitment(wire.Sum("commit", kind, salt, content))
}

// Commit commits to the choice.
func (c Choice) Commit(salt [32]byte) trial.Commitment {
	return Commit("options", salt, wire.Marshal(c))
}

// FormSet is the digest of all consent forms of a version: what a consent agrees to.
func FormSet(forms []trial.Form) trial.Digest {
	return trial.Digest(wire.Sum("form", forms))
}

// TrialID names the trial a sponsor registers under an idempotency key.
func TrialID(ledger wire.LedgerID, sponsor trial.ActorID, key [16]byte) trial.ID {
	return trial.ID(wire.Sum("trial", ledger, sponsor, key))
}

// ActorID names the actor whose first key is key; a site has a tag of its own.
func ActorID(ledger wire.LedgerID, role trial.Role, key [32]byte) trial.ActorID {
	tag := "actor"
	if role == trial.Site {
		tag = "site"
	}
	return trial.ActorID(wire.Sum(tag, ledger, key))
}
