package store

import (
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
)

// verify checks that the last block's header, the log, the maps and the
// streams that the block changed agree. It does not read what came before.
func (s *Snapshot) verify(genesis chain.Genesis) error {
	h := s.head
	if h.Height == 0 {
		return nil
	}
	base, err := s.Base()
	if err != nil {
		return err
	}
	if h == base {
		return s.verifyBase()
	}
	prev := genesis.Header()
	if h.Height > 1 {
		if prev, err = s.Header(h.Height - 1); err != nil {
			return err
		}
	}
	if err := h.Follows(prev); err != nil {
		return err
	}
	if err := s.verifyLog(); err != nil {
		return err
	}
	b, err := s.Block(h.Height)
	if err != nil {
		return err
	}
	if engine.ResultsHash(b.Entries) != h.Results {
		return fmt.Errorf("header %d: results: not those of its entries", h.Height)
	}
	return s.verifyStreams(b)
}

func (s *Snapshot) verifyLog() error {
	log, err := s.Log()
	if err != nil {
		return err
	}
	root, err := log.Root()
	if err != nil {
		return err
	}
	if root != s.head.Root {
		return fmt.Errorf("header %d: root: not that of the log", s.head.Height)
	}
	return nil
}

func (s *Snapshot) verifyStreams(b engine.Block) error {
	h := s.head
	if state.NewMap(readOnly{s.StreamNodes()}).Root() != h.Streams {
		return fmt.Errorf("header %d: streams: not the root of the streams", h.Height)
	}
	for i := range b.Entries {
		id := b.Entries[i].Stream
		p, err := s.StreamProof(id)
		if err != nil {
			return err
		}
		if err := p.Verify(h); err != nil {
			return err
		}
		if state.NewMap(readOnly{s.Nodes(id)}).Root() != p.Stream.Digest {
			return fmt.Errorf("header %d: stream %v: digest: not that of its state", h.Height, id)
		}
	}
	if _, err := s.At(h.Size()); !errors.Is(err, engine.ErrUnknown) {
		return fmt.Errorf("log entry %d lies beyond the head", h.Size())
	}
	return nil
}
