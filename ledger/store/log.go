package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/wire"
)

// Log is the log with the nodes that are not written yet.
type Log struct {
	*chain.Log
	fresh []logRow // by level
}

// logRow is a row of the log: the hashes of full subtrees of one level that
// follow one another, kept under the first. A block writes one row of each
// level, not one of each hash.
type logRow struct {
	first  chain.Node
	hashes []byte
}

// Append adds leaves; the next Commit writes them.
func (l *Log) Append(leaves [][]byte) error {
	return l.Log.Append(leaves, func(n chain.Node, hash []byte) {
		for uint(len(l.fresh)) <= n.Level {
			l.fresh = append(l.fresh, logRow{})
		}
		r := &l.fresh[n.Level]
		if len(r.hashes) == 0 {
			r.first = n
		}
		r.hashes = append(r.hashes, hash...)
	})
}

// take returns the nodes made since the last call. Some rows may be empty.
func (l *Log) take() []logRow {
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

func (s *Snapshot) logNodes(nodes []chain.Node) (_ [][]byte, err error) {
	r := s.logReader()
	defer func() { err = errors.Join(err, r.close()) }()
	out := make([][]byte, len(nodes))
	for i, n := range nodes {
		if out[i], err = r.get(n); err != nil {
			return nil, fmt.Errorf("log: node %d/%d: %w", n.Level, n.Index, err)
		}
	}
	return out, nil
}

// logReader reads nodes of the log and remembers the last row of each level,
// for those who read one node after another.
type logReader struct {
	s    *Snapshot
	it   *pebble.Iterator // opened when it is needed
	rows map[uint]logRow
}

func (s *Snapshot) logReader() *logReader { return &logReader{s: s, rows: map[uint]logRow{}} }

func (r *logReader) close() error {
	if r.it == nil {
		return nil
	}
	return r.it.Close()
}

// get returns a node's hash, or engine.ErrUnknown.
func (r *logReader) get(n chain.Node) ([]byte, error) {
	row := r.rows[n.Level]
	if h := row.at(n); h != nil {
		return h, nil
	}
	row, err := r.row(n)
	if err != nil {
		return nil, err
	}
	r.rows[n.Level] = row
	if h := row.at(n); h != nil {
		return h, nil
	}
	return nil, engine.ErrUnknown
}

func (r logRow) at(n chain.Node) []byte {
	if n.Level != r.first.Level || n.Index < r.first.Index || n.Index-r.first.Index >= uint64(len(r.hashes)/wire.Size) {
		return nil
	}
	from := (n.Index - r.first.Index) * wire.Size
	return r.hashes[from : from+wire.Size : from+wire.Size]
}

// row reads the row that the node is in, if it is in any.
func (r *logReader) row(n chain.Node) (logRow, error) {
	if r.it == nil {
		prefix := []byte{tableLog}
		it, err := r.s.r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
		if err != nil {
			return logRow{}, fmt.Errorf("read: %w", err)
		}
		r.it = it
	}
	if !r.it.SeekLT(append(logKey(n), 0)) { // the last that does not begin after the node
		return logRow{}, errors.Join(r.it.Error(), engine.ErrUnknown)
	}
	key, value := r.it.Key(), r.it.Value()
	if len(key) != len(logKey(n)) || len(value)%wire.Size != 0 {
		return logRow{}, fmt.Errorf("a row of %d and %d bytes", len(key), len(value))
	}
	return logRow{
		first:  chain.Node{Level: uint(key[1]), Index: binary.BigEndian.Uint64(key[2:])},
		hashes: bytes.Clone(value),
	}, nil
}
