package store

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Log is the log with the nodes that are not written yet.
type Log struct {
	*chain.Log
	fresh []logNode
}

type logNode struct{ key, hash []byte }

// Append adds leaves; the next Commit writes them.
func (l *Log) Append(leaves [][]byte) error {
	return l.Log.Append(leaves, func(n chain.Node, hash []byte) {
		l.fresh = append(l.fresh, logNode{logKey(n), hash})
	})
}

// take returns the nodes made since the last call.
func (l *Log) take() []logNode {
	n := l.fresh
	l.fresh = nil
	return n
}

// Log returns the log as the snapshot has it, ready to be appended to.
func (s *Snapshot) Log() (*Log, error) {
	size := s.head.Size()
	edge, err := s.logNodes(chain.LogEdge(size))
	if err != nil {
		return nil, err
	}
	log, err := chain.ResumeLog(size, edge)
	if err != nil {
		return nil, err
	}
	return &Log{Log: log}, nil
}

// InclusionProof shows that the transaction with the given place is in the log
// of the given size.
func (s *Snapshot) InclusionProof(index, size uint64) ([]wire.Hash, error) {
	if size > s.head.Size() || index >= size {
		return nil, fmt.Errorf("log: place %d of %d: %w", index, size, engine.ErrUnknown)
	}
	return chain.InclusionProof(index, size, s.logNodes)
}

// ConsistencyProof shows that the log of size n begins with the one of size m.
func (s *Snapshot) ConsistencyProof(m, n uint64) ([]wire.Hash, error) {
	if n > s.head.Size() || m > n {
		return nil, fmt.Errorf("log: sizes %d and %d: %w", m, n, engine.ErrUnknown)
	}
	return chain.ConsistencyProof(m, n, s.logNodes)
}

func (s *Snapshot) logNodes(nodes []chain.Node) ([][]byte, error) {
	out := make([][]byte, len(nodes))
	for i, n := range nodes {
		h, err := s.get(logKey(n))
		if err == nil && len(h) != wire.Size {
			err = fmt.Errorf("%d bytes", len(h))
		}
		if err != nil {
			return nil, fmt.Errorf("log: node %d/%d: %w", n.Level, n.Index, err)
		}
		out[i] = h
	}
	return out, nil
}
