package engine

import (
	"context"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// Engine is a running ledger, whoever orders its blocks and signs its heads.
// Package enginetest holds every implementation to what stands here.
//
// Its methods are safe for concurrent use. What one call has shown, every later
// call shows too, in this process and in the next one: a read sees only what is
// durable, and the head never goes back.
type Engine interface {
	Genesis() chain.Genesis
	// Keys are the node's keys up to the head.
	Keys() (chain.Keys, error)

	// Submit admits a transaction and returns its hash. It is then queued, not
	// durable. The same bytes may come again at any time, with the same result.
	// It fails with ErrMalformed, ErrExpired, ErrBusy, ErrRefused with Check's
	// reason, a DuplicateError that names what stands, ErrClosed or ErrStopped;
	// what it refused has not entered. What one caller submits one after
	// another enters in that order, but a block's directory comes first.
	Submit(ctx context.Context, raw []byte) (wire.TxHash, error)
	// Wait returns the entry of a submitted transaction once it is durable,
	// refused or not. It fails with ErrExpired if the transaction expired
	// before its block, and with ErrUnknown if it was never admitted. A
	// transaction stays in the queue when ctx ends.
	Wait(ctx context.Context, hash wire.TxHash) (Entry, error)

	// Head is the last header; of an empty ledger genesis's, at height 0.
	Head() chain.Header
	Header(height uint64) (chain.Header, error)
	// Headers are those from one height to another, both included.
	Headers(from, to uint64) ([]chain.Header, error)
	// Checkpoint is the signed checkpoint of the head, CheckpointAt of a height.
	Checkpoint() []byte
	CheckpointAt(height uint64) ([]byte, error)

	Entry(wire.TxHash) (Entry, error)
	// Entries are up to limit of the log from a place on, StreamEntries of a
	// stream from a sequence on.
	Entries(from uint64, limit int) ([]Entry, error)
	StreamEntries(id wire.StreamID, from uint64, limit int) ([]Entry, error)
	Block(height uint64) (Block, error)
	Streams() ([]wire.StreamID, error)
	// View is a stream's committed state and what releases it; Close waits.
	View(wire.StreamID) (state.View, func())

	// Receipt proves a transaction under the checkpoint of its block.
	Receipt(wire.TxHash) (receipt.Receipt, error)
	// StreamProof shows what the head's streams root says of a stream.
	StreamProof(wire.StreamID) (chain.StreamProof, error)
	InclusionProof(index, size uint64) ([]wire.Hash, error)
	ConsistencyProof(m, n uint64) ([]wire.Hash, error)

	// CatchUp waits until every follower has applied the block that is the head
	// now. It fails if one of them has stopped.
	CatchUp(context.Context) error
	// Err is why the ledger or a follower stopped; nil while all run.
	Err() error
	// Close refuses further submissions, makes durable what is queued, and
	// returns when nothing runs any more.
	Close() error
}
