package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Base is the header of the snapshot that the ledger was restored from: what
// came up to it is not here. Of a ledger that has everything it is genesis's.
func (s *Snapshot) Base() (chain.Header, error) {
	b, err := s.get([]byte{tableBase})
	if errors.Is(err, engine.ErrUnknown) {
		return s.genesis.Header(), nil
	}
	if err != nil {
		return chain.Header{}, fmt.Errorf("base: %w", err)
	}
	return chain.DecodeHeader(b)
}

// nowhere is the place of a stream's last transaction before the base: its
// entry is not here, but the stream's head after it is, which the next links to.
const nowhere = ^uint64(0)

// baseStreams tells each stream's head and count at the base.
func (s *Snapshot) baseStreams(fn func(wire.StreamID, chain.Stream)) error {
	return s.walk([]byte{tableSequence}, []byte{tableSequence}, func(key, value []byte) error {
		if len(key) != 1+wire.Size+8 || len(value) != 8+wire.Size {
			return fmt.Errorf("a row of %d and %d bytes", len(key), len(value))
		}
		if binary.BigEndian.Uint64(value) == nowhere {
			fn(wire.StreamID(key[1:1+wire.Size]), chain.Stream{
				Head: wire.Hash(value[8:]), Count: binary.BigEndian.Uint64(key[1+wire.Size:]) + 1,
			})
		}
		return nil
	})
}
