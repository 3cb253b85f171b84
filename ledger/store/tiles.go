package store

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
)

// Leaves returns up to limit leaves of the log from a place on.
func (s *Snapshot) Leaves(from uint64, limit int) ([][]byte, error) {
	es, err := s.Entries(from, limit)
	if err != nil {
		return nil, err
	}
	if err := s.begins(es, from); err != nil {
		return nil, err
	}
	out := make([][]byte, len(es))
	for i := range es {
		previous, err := s.Previous(es[i])
		if err != nil {
			return nil, err
		}
		out[i] = es[i].Link(previous).Leaf()
	}
	return out, nil
}

// begins checks that entries read from a place on begin there: a ledger that
// was taken up from a snapshot of its state lacks those before it.
func (s *Snapshot) begins(es []engine.Entry, at uint64) error {
	if len(es) == 0 {
		return nil
	}
	h, err := s.Header(es[0].Height)
	if err == nil && h.First+uint64(es[0].Index) != at {
		err = fmt.Errorf("log entry %d: %w; this ledger begins later", at, engine.ErrUnknown)
	}
	return err
}

// LogNodes returns the hashes of full subtrees of the log.
func (s *Snapshot) LogNodes(nodes []chain.Node) ([][]byte, error) { return s.logNodes(nodes) }
