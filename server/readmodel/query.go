package readmodel

import (
	"context"
	"errors"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// ErrUnknown says that the model holds no such row.
var ErrUnknown = errors.New("not in the read model")

// The largest list that one query returns.
const MaxLimit = 1000

var _ engine.Follower = (*Model)(nil)

// Model is the tables. Its methods are safe for concurrent use.
type Model struct{}

// Config says where the tables are.
type Config struct {
	Dir      string              // SQLite: the directory of the file; made if it is not there
	DSN      string              // PostgreSQL: its URL, postgres://…; then Dir is unused
	Genesis  *GenesisActors      // who may sign from the beginning; nil: nobody is listed
	KindName func(uint16) string // the name of a kind of transaction
}

// GenesisActors is replaced by the genesis itself.
type GenesisActors struct{}

var errNotBuilt = errors.New("readmodel: this query has no table yet")

// Open opens the tables.
func Open(Config) (*Model, error) { return nil, errNotBuilt }

// Close ends it.
func (m *Model) Close() error { return errNotBuilt }

// Cursor is the height of the last block applied.
func (m *Model) Cursor(context.Context) (uint64, error) { return 0, errNotBuilt }

// Apply writes a block's rows.
func (m *Model) Apply(context.Context, engine.Block) error { return errNotBuilt }

// Wait returns when the cursor has reached a height.
func (m *Model) Wait(ctx context.Context, height uint64) error { return errNotBuilt }

// Height is the cursor, without a query.
func (m *Model) Height() uint64 { return 0 }

// Block returns the block at a height.
func (m *Model) Block(ctx context.Context, height uint64) (Block, error) {
	return Block{}, errNotBuilt
}

// Blocks lists up to limit blocks, newest first, from a height down; 0: from the newest.
func (m *Model) Blocks(ctx context.Context, from uint64, limit int) ([]Block, error) {
	return nil, errNotBuilt
}

// Entries lists up to limit entries from a place in the log on.
func (m *Model) Entries(ctx context.Context, from uint64, limit int) ([]Entry, error) {
	return nil, errNotBuilt
}

// LatestEntries lists up to limit entries, newest first; of one stream where it is not nil.
func (m *Model) LatestEntries(ctx context.Context, stream *wire.StreamID, limit int) ([]Entry, error) {
	return nil, errNotBuilt
}

// StreamEntries lists up to limit entries of a stream from a sequence on.
func (m *Model) StreamEntries(ctx context.Context, stream wire.StreamID, from uint64, limit int) ([]Entry, error) {
	return nil, errNotBuilt
}

// BlockEntries lists the entries of a block.
func (m *Model) BlockEntries(ctx context.Context, height uint64) ([]Entry, error) {
	return nil, errNotBuilt
}

// Entry returns the entry of a transaction.
func (m *Model) Entry(ctx context.Context, hash wire.TxHash) (Entry, error) {
	return Entry{}, errNotBuilt
}

// Actors lists who may sign, authorities of the genesis first, then as registered.
func (m *Model) Actors(ctx context.Context) ([]Actor, error) { return nil, errNotBuilt }

// Actor returns one actor.
func (m *Model) Actor(ctx context.Context, id trial.ActorID) (Actor, error) {
	return Actor{}, errNotBuilt
}

// Signer returns who holds or held a key.
func (m *Model) Signer(ctx context.Context, key wire.KeyID) (Actor, error) {
	return Actor{}, errNotBuilt
}

// Delegations lists a site's delegation log.
func (m *Model) Delegations(ctx context.Context, site trial.SiteID) ([]Delegation, error) {
	return nil, errNotBuilt
}

// Trials lists all trials, the newest first.
func (m *Model) Trials(ctx context.Context) ([]Trial, error) { return nil, errNotBuilt }

// Trial returns a trial.
func (m *Model) Trial(ctx context.Context, id trial.ID) (Trial, error) { return Trial{}, errNotBuilt }

// Versions lists a trial's versions, oldest first, without protocols and changes.
func (m *Model) Versions(ctx context.Context, id trial.ID) ([]Version, error) {
	return nil, errNotBuilt
}

// Version returns a version with its protocol and changes.
func (m *Model) Version(ctx context.Context, id trial.ID, v trial.Version) (Version, error) {
	return Version{}, errNotBuilt
}

// Counters lists the counters of each set of each version of a trial.
func (m *Model) Counters(ctx context.Context, id trial.ID) ([]Counted, error) {
	return nil, errNotBuilt
}

// Decisions lists ethics' decisions on a trial, oldest first.
func (m *Model) Decisions(ctx context.Context, id trial.ID) ([]Decision, error) {
	return nil, errNotBuilt
}

// Sites lists a trial's sites by name.
func (m *Model) Sites(ctx context.Context, id trial.ID) ([]Site, error) { return nil, errNotBuilt }

// Trees lists a trial's trees by name.
func (m *Model) Trees(ctx context.Context, id trial.ID) ([]Tree, error) { return nil, errNotBuilt }

// Leaves returns the places of a tree.
func (m *Model) Leaves(ctx context.Context, id trial.ID, tree string) (Leaves, error) {
	return Leaves{}, errNotBuilt
}

// AccountList returns the consent accounts used, 32 bytes each, in order of their first acts.
func (m *Model) AccountList(ctx context.Context, id trial.ID) (Leaves, error) {
	return Leaves{}, errNotBuilt
}

// Account returns a consent account.
func (m *Model) Account(ctx context.Context, id trial.ID, a field.Account) (Account, error) {
	return Account{}, errNotBuilt
}

// Accounts lists up to limit consent accounts, newest first act first.
func (m *Model) Accounts(ctx context.Context, id trial.ID, limit int) ([]Account, error) {
	return nil, errNotBuilt
}

// Member returns an enrolled leaf with what it owes.
func (m *Model) Member(ctx context.Context, id trial.ID, leaf field.Leaf) (Member, error) {
	return Member{}, errNotBuilt
}

// Members lists up to limit enrolled leaves of a trial, or of one site of it, newest first.
func (m *Model) Members(ctx context.Context, id trial.ID, site *trial.SiteID, limit int) ([]Member, error) {
	return nil, errNotBuilt
}

// Randomisations lists up to limit randomisations, newest first.
func (m *Model) Randomisations(ctx context.Context, id trial.ID, limit int) ([]Randomisation, error) {
	return nil, errNotBuilt
}

// Visits lists up to limit entries of participants, newest first; at one site where it is not nil.
func (m *Model) Visits(ctx context.Context, id trial.ID, site *trial.SiteID, limit int) ([]Visit, error) {
	return nil, errNotBuilt
}

// Leavings lists up to limit leavings, newest first.
func (m *Model) Leavings(ctx context.Context, id trial.ID, limit int) ([]Leaving, error) {
	return nil, errNotBuilt
}

// EnrolmentByDay counts enrolments on each day that has one, in order.
func (m *Model) EnrolmentByDay(ctx context.Context, id trial.ID) ([]Point, error) {
	return nil, errNotBuilt
}

// ActsByDay counts consents to one version on each day that has one, in order.
func (m *Model) ActsByDay(ctx context.Context, id trial.ID, v trial.Version) ([]Point, error) {
	return nil, errNotBuilt
}
