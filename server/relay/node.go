package relay

import (
	"context"
	"errors"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// What a node answers when it did neither take nor refuse. Any other error that
// is no *trial.Refusal says that the node could not be asked, or had no time.
var (
	// ErrUnknown: there is no such trial or transaction.
	ErrUnknown = errors.New("the node does not know it")
	// ErrExpired: the transaction's expiry has come; it never enters.
	ErrExpired = errors.New("the transaction has expired")
)

// Node is what a batcher asks of a node. What it asks is the same for everyone,
// and when it asks does not depend on what came: no question names an act, an
// account or a leaf, and none tells that an act was taken just now.
type Node interface {
	// Height is that of the ledger's newest block.
	Height(context.Context) (uint64, error)
	// Trials lists all trials: none ever leaves the list.
	Trials(context.Context) ([]trial.ID, error)
	// Versions lists the consent versions of a trial.
	Versions(context.Context, trial.ID) ([]Version, error)
	// Accounts gives the latest act under each consent account of a trial.
	Accounts(context.Context, trial.ID) (map[field.Account]Latest, error)
	// Leaves lists the places of a tree of a trial, zero where emptied. ErrUnknown:
	// there is no such tree.
	Leaves(context.Context, trial.ID, string) ([]field.Leaf, error)

	// Submit sends a transaction. A *trial.Refusal says that it never entered.
	Submit(context.Context, *tx.Envelope) (wire.TxHash, error)
	// Outcome waits until a transaction is in a block; nil says that the rules
	// accepted it, a *trial.Refusal that they did not.
	Outcome(context.Context, wire.TxHash) error
}

// Latest is the latest act under an account.
type Latest struct {
	Withdrawn bool
	Sequence  uint32
}

// Version is a consent version as far as the way in depends on it.
type Version struct {
	Version trial.Version
	// First: who consents to it is asked for the first time; nobody enrolled
	// before owes it.
	First     bool
	Deadlines []int64 // of its sites, milliseconds since 1970 UTC
}
