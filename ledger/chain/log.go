package chain

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/trialith/trialith/ledger/wire"
)

var (
	hasher = rfc6962.DefaultHasher
	ranges = compact.RangeFactory{Hash: hasher.HashChildren}
)

// Node names a full subtree of the log: level 0 are the leaves.
type Node struct {
	Level uint
	Index uint64
}

// Log is the growing end of the RFC 6962 tree over all transactions.
type Log struct{ edge *compact.Range }

// NewLog returns an empty log.
func NewLog() *Log { return &Log{edge: ranges.NewEmptyRange(0)} }

// LogEdge names the nodes that a log of the given size is resumed from.
func LogEdge(size uint64) []Node { return nodesOf(compact.RangeNodes(0, size, nil)) }

// ResumeLog takes up a log of the given size from its edge.
func ResumeLog(size uint64, edge [][]byte) (*Log, error) {
	r, err := ranges.NewRange(0, size, edge)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &Log{edge: r}, nil
}

// Append adds leaves. It tells visit, unless nil, each full subtree that is new.
func (l *Log) Append(leaves [][]byte, visit func(Node, []byte)) error {
	if visit == nil {
		visit = func(Node, []byte) {}
	}
	for _, leaf := range leaves {
		h := hasher.HashLeaf(leaf)
		visit(Node{Index: l.Size()}, h)
		err := l.edge.Append(h, func(id compact.NodeID, hash []byte) {
			if id.Level > 0 {
				visit(Node{id.Level, id.Index}, hash)
			}
		})
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
	}
	return nil
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

// InclusionProof makes the proof that leaf index is in the log of the given
// size, with nodes read by get.
func InclusionProof(index, size uint64, get func([]Node) ([][]byte, error)) ([]wire.Hash, error) {
	n, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return path(n, get)
}

// ConsistencyProof makes the proof that the log of size n begins with the one
// of size m, with nodes read by get.
func ConsistencyProof(m, n uint64, get func([]Node) ([][]byte, error)) ([]wire.Hash, error) {
	p, err := proof.Consistency(m, n)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return path(p, get)
}

// VerifyInclusion checks that leaf has the given index in the log of the given
// size and root.
func VerifyInclusion(leaf []byte, index, size uint64, path []wire.Hash, root wire.Hash) error {
	return proof.VerifyInclusion(hasher, index, size, hasher.HashLeaf(leaf), raw(path), root[:])
}

// VerifyConsistency checks that the log of size2 and root2 begins with the one
// of size1 and root1.
func VerifyConsistency(size1, size2 uint64, path []wire.Hash, root1, root2 wire.Hash) error {
	return proof.VerifyConsistency(hasher, size1, size2, raw(path), root1[:], root2[:])
}

func path(n proof.Nodes, get func([]Node) ([][]byte, error)) ([]wire.Hash, error) {
	hashes, err := get(nodesOf(n.IDs))
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

func nodesOf(ids []compact.NodeID) []Node {
	out := make([]Node, len(ids))
	for i, id := range ids {
		out[i] = Node{id.Level, id.Index}
	}
	return out
}

func raw(hs []wire.Hash) [][]byte {
	out := make([][]byte, len(hs))
	for i := range hs {
		out[i] = hs[i][:]
	}
	return out
}
