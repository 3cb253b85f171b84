package store

import (
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Complete appends a block that this ledger made before and lost with its disk,
// from what others keep of it: header, and of each transaction stream, hash,
// code and the envelope unless it was refused. It is executed again, and kept
// only if everything is as the header says; the header itself is for the caller
// to compare with a checkpoint.
//
// Which idempotency keys the refused used nobody keeps. So the height is noted,
// and Completed tells whoever lets transactions in to ask for their hashes too.
func (s *Store) Complete(m engine.StateMachine, h chain.Header, given []engine.Entry) (err error) {
	defer Catch(&err)
	snap := s.Snapshot()
	defer snap.Release()
	if err := h.Follows(snap.Head()); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if len(given) != int(h.Count) {
		return fmt.Errorf("store: block %d: %d transactions, its header says %d", h.Height, len(given), h.Count)
	}
	done, items, err := engine.ExecuteGiven(m, snap, h, given)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	log, err := snap.Log()
	if err == nil {
		err = log.Append(done.Leaves)
	}
	var root wire.Hash
	if err == nil {
		root, err = log.Root()
	}
	if err != nil {
		return fmt.Errorf("store: block %d: %w", h.Height, err)
	}
	if root != h.Root || done.Streams != h.Streams || done.Results != h.Results {
		return fmt.Errorf("store: block %d: executed again it is not what its header commits to", h.Height)
	}
	if err := s.db.Set(numbered(tableCompleted, h.Height), nil, pebble.NoSync); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return s.Commit(Block{Header: h, Executed: done, Items: items, Log: log})
}

// Completed reports whether there is a block that Complete appended.
func (s *Snapshot) Completed() (yes bool, err error) {
	err = s.walk([]byte{tableCompleted}, []byte{tableCompleted}, func(_, _ []byte) error {
		yes = true
		return io.EOF
	})
	return yes, err
}

func (s *Snapshot) completedAt(height uint64) bool {
	_, err := s.get(numbered(tableCompleted, height))
	return err == nil
}
