package store

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

var hasher = rfc6962.DefaultHasher

// Log is the growing end of the RFC 6962 tree over all transactions.
type Log struct {
	edge *compact.Range
	new  []logNode
}

type logNode struct{ key, hash []byte }

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{edge: (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)}
}

// Append adds leaves.
func (l *Log) Append(leaves [][]byte) error {
	for _, leaf := range leaves {
		h := hasher.HashLeaf(leaf)
		// The visitor is not told of the leaf itself.
		l.new = append(l.new, logNode{logKey(0, l.edge.End()), h})
		if err := l.edge.Append(h, l.visit); err != nil {
			return fmt.Errorf("log: %w", err)
		}
	}
	return nil
}

func (l *Log) visit(id compact.NodeID, hash []byte) {
	if id.Level > 0 {
		l.new = append(l.new, logNode{logKey(id.Level, id.Index), hash})
	}
}

// Size is the number of leaves.
func (l *Log) Size() uint64 { return l.edge.End() }

// Root is the RFC 6962 root.
func (l *Log) Root() (wire.Hash, error) {
	if l.Size() == 0 {
		return wire.Hash(hasher.EmptyRoot()), nil
	}
	b, err := l.edge.GetRootHash(nil)
	if err != nil {
		return wire.Hash{}, fmt.Errorf("log: %w", err)
	}
	return wire.Hash(b), nil
}

// take returns the nodes made since the last call.
func (l *Log) take() []logNode {
	n := l.new
	l.new = nil
	return n
}

// Log returns the log as the snapshot has it, ready to be appended to.
func (s *Snapshot) Log() (*Log, error) {
	size := s.head.Size()
	hashes, err := s.nodes(compact.RangeNodes(0, size, nil))
	if err != nil {
		return nil, err
	}
	edge, err := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewRange(0, size, hashes)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &Log{edge: edge}, nil
}

// InclusionProof shows that the transaction with the given place is in the log
// of the given size.
func (s *Snapshot) InclusionProof(index, size uint64) ([]wire.Hash, error) {
	if size > s.head.Size() || index >= size {
		return nil, fmt.Errorf("log: place %d of %d: %w", index, size, engine.ErrUnknown)
	}
	n, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return s.path(n)
}

// ConsistencyProof shows that the log of size n begins with the one of size m.
func (s *Snapshot) ConsistencyProof(m, n uint64) ([]wire.Hash, error) {
	if n > s.head.Size() || m > n {
		return nil, fmt.Errorf("log: sizes %d and %d: %w", m, n, engine.ErrUnknown)
	}
	p, err := proof.Consistency(m, n)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return s.path(p)
}

func (s *Snapshot) path(n proof.Nodes) ([]wire.Hash, error) {
	hashes, err := s.nodes(n.IDs)
	if err != nil {
		return nil, err
	}
	if hashes, err = n.Rehash(hashes, hasher.HashChildren); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	out := make([]wire.Hash, len(hashes))
	for i, h := range hashes {
		out[i] = wire.Hash(h)
	}
	return out, nil
}

func (s *Snapshot) nodes(ids []compact.NodeID) ([][]byte, error) {
	out := make([][]byte, len(ids))
	for i, id := range ids {
		h, err := s.get(logKey(id.Level, id.Index))
		if err != nil {
			return nil, fmt.Errorf("log: node %d/%d: %w", id.Level, id.Index, err)
		}
		if len(h) != wire.Size {
			return nil, fmt.Errorf("log: node %d/%d has %d bytes", id.Level, id.Index, len(h))
		}
		out[i] = h
	}
	return out, nil
}
