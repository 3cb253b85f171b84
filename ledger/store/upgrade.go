package store

import (
	"bytes"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// oldFormat kept each node of a map in a row of its own.
const oldFormat = "trialith ledger 1"

// upgrade makes the maps of an older directory anew, from what they commit to,
// in one batch: it is there whole or not at all.
func (s *Store) upgrade(snap *Snapshot) error {
	batch := s.db.NewBatch()
	defer batch.Close() //nolint:errcheck // its writes are committed, or it is dropped
	ids, err := snap.Streams()
	if err != nil {
		return err
	}
	for _, id := range ids {
		stream, err := snap.Stream(id)
		if err != nil {
			return err
		}
		if err := snap.mapAnew(batch, named(tableNode, id), named(tableState, id), stream.Digest); err != nil {
			return fmt.Errorf("stream %v: %w", id, err)
		}
	}
	if err := snap.mapAnew(batch, []byte{tableStreamNode}, []byte{tableStream}, snap.head.Streams); err != nil {
		return fmt.Errorf("streams: %w", err)
	}
	set(batch, []byte{tableFormat}, []byte(format))
	return batch.Commit(pebble.Sync)
}

// mapAnew replaces the rows of the map over some rows, whose root is known.
func (s *Snapshot) mapAnew(batch *pebble.Batch, nodes, rows []byte, root wire.Hash) error {
	var pairs []state.Write
	err := s.walk(rows, rows, func(key, value []byte) error {
		pairs = append(pairs, state.Write{Key: bytes.Clone(key[len(rows):]), Value: bytes.Clone(value)})
		return nil
	})
	if err != nil {
		return err
	}
	made := state.NewOverlay(state.Empty{})
	if got := state.NewMap(made).Update(pairs); got != root {
		return fmt.Errorf("its rows have the root %v, the ledger says %v", got, root)
	}
	if err := batch.DeleteRange(nodes, after(nodes), nil); err != nil {
		return err
	}
	write(batch, nodes, made.Writes())
	return nil
}
