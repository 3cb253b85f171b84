package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
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

// complete refuses a directory whose restoration did not come to its end.
func (s *Snapshot) complete() error {
	_, err := s.get([]byte{tableRestoring})
	if errors.Is(err, engine.ErrUnknown) {
		return nil
	}
	return errors.Join(errors.New("a snapshot was being restored into it and is not complete; remove it and restore again"), err)
}

// before explains why what is asked for is unknown: it may lie before the base.
func (s *Snapshot) before(err error) error {
	if !errors.Is(err, engine.ErrUnknown) {
		return err
	}
	base, other := s.Base()
	if other != nil || base.Height == 0 {
		return err
	}
	return fmt.Errorf("%w: this ledger was restored from a snapshot of height %d; ask a mirror for what came before", err, base.Height)
}

// verifyBase checks a ledger that ends where it was restored.
func (s *Snapshot) verifyBase() error {
	if err := s.verifyLog(); err != nil {
		return err
	}
	if state.NewMap(readOnly{s.StreamNodes()}).Root() != s.head.Streams {
		return fmt.Errorf("header %d: streams: not the root of the streams", s.head.Height)
	}
	return nil
}
