package relay

import (
	"context"
	"errors"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
)

// What a node answers when it did neither take nor refuse. Any other error that
// is no *trial.Refusal says that the node could not be asked, or had no time.
var (
	// ErrUnknown: there is no such trial or transaction.
	ErrUnknown = errors.New("the node does not know it")
	// ErrExpired: the transaction's expiry has come; it never enters.
	ErrExpired = errors.New("the transaction has expired")
)

// Node is what a batcher asks of a node. What it asks is the same for everyone:
// no question names an act, an account or a leaf.
type Node interface {
	// Latest lists the latest act under each consent account of a trial.
	Latest(context.Context, trial.ID) (map[field.Account]Latest, error)
	// Versions lists the consent versions of a trial.
	Versions(context.Context, trial.ID) ([]Version, error)
	// Submit sends a transaction. A *trial.Refusal says that it never entered.
	Submit(context.Context, *tx.Envelope) (wire.TxHash, error)
	// Outcome waits until a transaction is in a block; nil says that the rules
	// accepted it, a *trial.Refusal that they did not.
	Outcome(context.Context, wire.TxHash) error
}

// Latest is the latest act under an account.
type Latest struct {
	Kind     act.Kind
	Sequence uint32
}

// over reports whether an act's account has come so far that the act has no
// effect any more.
func (l Latest) over(a *act.Act) bool {
	switch a.Kind {
	case act.Consent, act.Superseded:
		return true
	default:
		return l.Kind == act.Withdraw || a.Sequence <= l.Sequence
	}
}

// Version is a consent version as far as the way in depends on it.
type Version struct {
	Version trial.Version
	// First: who consents to it is asked for the first time; nobody enrolled
	// before owes it.
	First     bool
	Deadlines []int64 // of its sites, milliseconds since 1970 UTC
}
