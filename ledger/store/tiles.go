package store

import (
	"github.com/trialith/trialith/ledger/chain"
)

// Leaves returns up to limit leaves of the log from a place on.
func (s *Snapshot) Leaves(from uint64, limit int) ([][]byte, error) {
	es, err := s.Entries(from, limit)
	if err != nil {
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

// LogNodes returns the hashes of full subtrees of the log.
func (s *Snapshot) LogNodes(nodes []chain.Node) ([][]byte, error) { return s.logNodes(nodes) }
