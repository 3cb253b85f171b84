package api

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// Ledger orders transactions and proves what it holds. *solo.Ledger is one.
type Ledger interface {
	// Submit admits a transaction; it fails as engine's errors say.
	Submit(ctx context.Context, raw []byte) (wire.TxHash, error)
	// Wait returns the entry of an admitted transaction once it is durable.
	Wait(context.Context, wire.TxHash) (engine.Entry, error)
	Entry(wire.TxHash) (engine.Entry, error)
	Receipt(wire.TxHash) (receipt.Receipt, error)
	Genesis() chain.Genesis
	Head() chain.Header
	Headers(from, to uint64) ([]chain.Header, error)
	Checkpoint() []byte
	// StreamProof shows what the head's streams root says of a stream.
	StreamProof(wire.StreamID) (chain.StreamProof, error)
	// View is a stream's committed state, and what releases it.
	View(wire.StreamID) (state.View, func())
	// Err is why the ledger or a follower stopped; nil while all run.
	Err() error
}

// Model answers from the tables. *readmodel.Model is one.
type Model interface {
	Wait(ctx context.Context, height uint64) error
	Entries(ctx context.Context, from uint64, limit int) ([]readmodel.Entry, error)
	Actors(context.Context) ([]readmodel.Actor, error)
	Trials(context.Context) ([]readmodel.Trial, error)
	Trial(context.Context, trial.ID) (readmodel.Trial, error)
	Versions(context.Context, trial.ID) ([]readmodel.Version, error)
	Version(context.Context, trial.ID, trial.Version) (readmodel.Version, error)
	Sites(context.Context, trial.ID) ([]readmodel.Site, error)
	Trees(context.Context, trial.ID) ([]readmodel.Tree, error)
	Leaves(context.Context, trial.ID, string) (readmodel.Leaves, error)
	AccountList(context.Context, trial.ID) (readmodel.Leaves, error)
	Member(context.Context, trial.ID, field.Leaf) (readmodel.Member, error)
	AllMembers(context.Context, trial.ID) ([]readmodel.Member, error)
	AllAccounts(context.Context, trial.ID) ([]readmodel.Account, error)
	EntryAccounts(context.Context, trial.ID) (readmodel.Leaves, error)
	Batches(context.Context, trial.ID, int) ([]readmodel.Batch, error)
	CountersignedAt(context.Context, trial.ID, *trial.SiteID, int) ([]readmodel.Countersigned, error)
	Delegations(context.Context, trial.SiteID) ([]readmodel.Delegation, error)
	Boundaries(context.Context, trial.ID) ([]trial.Boundary, error)
	Harm(context.Context, trial.ID) (readmodel.Harm, error)
	Looks(context.Context, trial.ID) ([]readmodel.Look, error)
	Flags(context.Context, trial.ID) ([]readmodel.Flag, error)
	BoardDecisions(context.Context, trial.ID) ([]readmodel.BoardDecision, error)
	Datasets(context.Context, trial.ID) ([]readmodel.Dataset, error)
	Unblindings(context.Context, trial.ID) ([]readmodel.Unblinding, error)
	Stages(context.Context, trial.ID) ([]readmodel.Stage, error)
}

var _ Model = (*readmodel.Model)(nil)

// Config is what the API stands on. It holds no key.
type Config struct {
	Ledger Ledger
	Model  Model
	Clock  engine.Clock
	Study  bool   // the clock is a demonstration's: it jumps
	Notice string // what every reader is to be told; may be empty

	// Wrap makes the signed transaction of a participant's act, the same for
	// the same bytes. The node does it, under its own key.
	Wrap func(act []byte) (envelope []byte, err error)
	// Witnesses says whose cosignatures make a receipt a witnessed one; nil: nobody's.
	Witnesses receipt.Policy
	// Cosigners counts the witnesses that cosigned the newest cosigned
	// checkpoint; nil: nobody does.
	Cosigners func() int
	// Evidence writes a trial's evidence file; nil: there is none here.
	Evidence func(context.Context, trial.ID, io.Writer) error
	// Verify reports on an evidence file of the given size, as a value that
	// encodes to JSON; nil: not here.
	Verify func(context.Context, io.ReaderAt, int64) (any, error)
	// Package takes the archive of a trial's released results into the registry
	// and returns its root; nil: there is no registry here.
	Package func(context.Context, trial.ID, []byte) (trial.CID, error)
	// NotDue counts the members of a version who stay and whose time has not
	// run out; nil: nobody is counted so.
	NotDue func(context.Context, trial.ID, trial.Version) (uint64, error)
	// Gate lists every check between a trial's newest results and VERIFIED as
	// it stands now, and Label is the word on its results. Where they are nil,
	// the contract answers from the ledger's state at Clock.
	Gate  func(context.Context, trial.ID) ([]trial.Check, error)
	Label func(context.Context, trial.ID) (trial.Label, error)
	// Ways are the ways in for acts, read anew for each answer; nil: there are none.
	Ways func() Ways

	Log *slog.Logger // told of faults, never of requests; nil: nothing is told
}

func (c *Config) validate() error {
	for _, f := range []struct {
		name string
		here bool
	}{
		{"Ledger", c.Ledger != nil},
		{"Model", c.Model != nil},
		{"Clock", c.Clock != nil},
		{"Wrap", c.Wrap != nil},
	} {
		if !f.here {
			return errors.New("api: Config." + f.name + ": missing")
		}
	}
	if c.NotDue == nil {
		c.NotDue = func(context.Context, trial.ID, trial.Version) (uint64, error) { return 0, nil }
	}
	if c.Gate == nil {
		c.Gate = func(_ context.Context, id trial.ID) ([]trial.Check, error) {
			view, release := c.Ledger.View(wire.StreamID(id))
			defer release()
			return contract.Gate(view, c.Clock.Now()), nil
		}
	}
	if c.Label == nil {
		c.Label = func(_ context.Context, id trial.ID) (trial.Label, error) {
			view, release := c.Ledger.View(wire.StreamID(id))
			defer release()
			return contract.Label(view, c.Clock.Now()), nil
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}
