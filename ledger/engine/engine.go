// Package engine holds what the two engines share: the state machine they
// drive, the blocks they make, and the followers they feed.
package engine

import (
	"context"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Code is the result of a transaction: 0 accepted, else a refusal of the state
// machine's append-only table. Codes are part of consensus.
type Code uint16

// Event is what an accepted transaction did, for followers: a number from the
// state machine's table and canonical CBOR.
type Event struct {
	_    struct{} `cbor:",toarray"`
	Kind uint16
	Body []byte
}

// Result of executing one transaction. A refused one has no events.
type Result struct {
	_      struct{} `cbor:",toarray"`
	Code   Code
	Events []Event
}

// Point is where in the ledger a transaction executes. Nothing below the
// engine reads a clock: Time is the block's.
type Point struct {
	Ledger    wire.LedgerID
	Height    uint64
	Index     uint32 // place in the block
	Time      int64  // milliseconds since 1970 UTC
	Directory uint64 // transactions in the directory stream before this one
	Sequence  uint64 // transactions in this one's stream before it
}

// Pending is a transaction in a block that is being executed.
type Pending struct {
	Point    Point
	Hash     wire.TxHash
	Envelope *tx.Envelope
}

// StateMachine executes blocks. It is deterministic: equal states and blocks
// give equal results and writes on every machine.
type StateMachine interface {
	// Check says why a transaction must not enter: its form, its signatures, a
	// proof that does not verify, a signer without the right. It reads the
	// committed state of the directory and of the transaction's stream, which
	// may have moved on when the transaction executes. A replay asks again, of
	// the state just before the transaction: so whatever Check refuses for a
	// reason of state, Execute must refuse too. Safe for concurrent use.
	Check(at Point, directory, stream state.View, e *tx.Envelope) error
	// Prepare is told a whole block before its transactions are executed, with
	// the committed state, so that what can be verified together is. It may
	// not influence results.
	Prepare(view func(wire.StreamID) state.View, block []Pending)
	// Execute runs one transaction. If it refuses, it has written nothing.
	// For a transaction of the directory, directory and stream are the same.
	Execute(p Pending, directory state.View, stream state.Store) Result
}

// Entry is one transaction in the ledger, with its place in its stream. A
// refused one keeps its hash and code, no envelope, and has no events.
type Entry struct {
	_         struct{} `cbor:",toarray"`
	Stream    wire.StreamID
	Sequence  uint64 // in its stream, from 0
	Height    uint64
	Index     uint32 // in its block
	Time      int64
	Directory uint64
	Hash      wire.TxHash
	Result    Result
	Envelope  []byte // canonical bytes; empty when refused
}

// Block is what a follower is told.
type Block struct {
	Height  uint64
	Time    int64
	Entries []Entry
}

// Follower is told each block once, in order, from its own durable cursor on.
// Apply must be repeatable: a block may come again after a crash.
type Follower interface {
	// Cursor is the height of the last block applied, 0 for none.
	Cursor(context.Context) (uint64, error)
	Apply(context.Context, Block) error
}

// Clock gives the time of the next block.
type Clock interface {
	// Now is milliseconds since 1970 UTC.
	Now() int64
}
