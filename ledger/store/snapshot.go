package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// Snapshot is the ledger as it was after one block. It is safe for concurrent
// use, and must be released.
type Snapshot struct {
	db      *pebble.DB
	r       *pebble.Snapshot
	recent  *recent
	used    *used
	genesis chain.Genesis
	head    chain.Header
	users   atomic.Int64
}

var _ engine.Base = (*Snapshot)(nil)

// Snapshot takes a snapshot of what was committed last. It panics if the disk
// fails; see Catch.
func (s *Store) Snapshot() *Snapshot {
	snap := s.snapshotAt(s.genesis.Header())
	if h, ok := snap.last(); ok {
		snap.head = h
	}
	return snap
}

func (s *Store) snapshotAt(head chain.Header) *Snapshot {
	snap := &Snapshot{db: s.db, r: s.db.NewSnapshot(), recent: s.recent, used: s.used, genesis: s.genesis, head: head}
	snap.users.Store(1)
	return snap
}

// Retain adds a user; each Retain needs a Release. The caller must hold it
// already, or know that somebody does.
func (s *Snapshot) Retain() { s.users.Add(1) }

// Release takes a user away; after the last one the snapshot is gone.
func (s *Snapshot) Release() {
	if s.users.Add(-1) == 0 {
		_ = s.r.Close() // closing a snapshot of an open database cannot fail
	}
}

// Genesis is the ledger's.
func (s *Snapshot) Genesis() chain.Genesis { return s.genesis }

// Head is the last header; of an empty ledger, genesis's.
func (s *Snapshot) Head() chain.Header { return s.head }

func (s *Snapshot) last() (chain.Header, bool) {
	prefix := []byte{tableHeader}
	it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		panic(readError{err})
	}
	defer closeRead(it)
	if !it.Last() {
		return chain.Header{}, false
	}
	h, err := chain.DecodeHeader(it.Value())
	if err != nil {
		panic(readError{err})
	}
	return h, true
}

// Header returns the header at a height; genesis's at 0.
func (s *Snapshot) Header(height uint64) (chain.Header, error) {
	switch height {
	case s.head.Height:
		return s.head, nil
	case 0:
		return s.genesis.Header(), nil
	}
	b, err := s.get(numbered(tableHeader, height))
	if err != nil {
		return chain.Header{}, fmt.Errorf("header %d: %w", height, s.before(err))
	}
	return chain.DecodeHeader(b)
}

// Checkpoint returns the signed checkpoint of a height. It may have been signed
// after the snapshot was taken: it never changes.
func (s *Snapshot) Checkpoint(height uint64) ([]byte, error) {
	b, err := s.from(s.db, numbered(tableCheckpoint, height))
	if err != nil {
		return nil, fmt.Errorf("checkpoint %d: %w", height, err)
	}
	return b, nil
}

// Place returns where in the log a transaction is.
func (s *Snapshot) Place(hash wire.TxHash) (uint64, error) {
	b, err := s.get(named(tableTransaction, hash))
	if err != nil {
		return 0, fmt.Errorf("transaction %v: %w", hash, s.before(err))
	}
	return number(b)
}

// At returns the entry at a place in the log.
func (s *Snapshot) At(index uint64) (engine.Entry, error) {
	b, err := s.get(numbered(tableEntry, index))
	if err != nil {
		return engine.Entry{}, fmt.Errorf("log entry %d: %w", index, s.before(err))
	}
	return decodeEntry(b)
}

// Entry returns the entry of a transaction.
func (s *Snapshot) Entry(hash wire.TxHash) (engine.Entry, error) {
	index, err := s.Place(hash)
	if err != nil {
		return engine.Entry{}, err
	}
	return s.At(index)
}

// Entries returns up to limit entries from a place in the log on.
func (s *Snapshot) Entries(from uint64, limit int) ([]engine.Entry, error) {
	if base, err := s.Base(); err != nil || from < base.Size() {
		return nil, errors.Join(err, fmt.Errorf("log entry %d: %w", from, s.before(engine.ErrUnknown)))
	}
	var out []engine.Entry
	err := s.walk([]byte{tableEntry}, numbered(tableEntry, from), func(_, value []byte) error {
		if len(out) >= limit {
			return io.EOF
		}
		e, err := decodeEntry(value)
		out = append(out, e)
		return err
	})
	return out, err
}

// StreamEntries returns up to limit entries of a stream from a sequence on.
func (s *Snapshot) StreamEntries(id wire.StreamID, from uint64, limit int) ([]engine.Entry, error) {
	var out []engine.Entry
	err := s.walk(named(tableSequence, id), sequenceKey(id, from), func(_, value []byte) error {
		if len(out) >= limit {
			return io.EOF
		}
		if len(value) != 8+wire.Size {
			return fmt.Errorf("stream %v: index record of %d bytes", id, len(value))
		}
		e, err := s.At(binary.BigEndian.Uint64(value))
		out = append(out, e)
		return err
	})
	return out, err
}

// Block returns the block at a height.
func (s *Snapshot) Block(height uint64) (engine.Block, error) {
	h, err := s.Header(height)
	if err != nil {
		return engine.Block{}, err
	}
	if height == 0 {
		return engine.Block{}, fmt.Errorf("block 0: %w", engine.ErrUnknown)
	}
	b := engine.Block{Height: h.Height, Time: h.Time}
	b.Entries, err = s.Entries(h.First, int(h.Count))
	if err == nil && len(b.Entries) != int(h.Count) {
		err = fmt.Errorf("block %d: %d entries, its header says %d", height, len(b.Entries), h.Count)
	}
	return b, err
}

// Idempotent returns the transaction that a signer sent under an idempotency key.
func (s *Snapshot) Idempotent(id wire.StreamID, signer wire.KeyID, k tx.Key) (wire.TxHash, bool, error) {
	key := idempotencyKey(id, signer, k)
	if s.used.never(key) {
		return wire.TxHash{}, false, nil
	}
	b, err := s.get(key)
	if errors.Is(err, engine.ErrUnknown) {
		return wire.TxHash{}, false, nil
	}
	if err != nil || len(b) != wire.Size {
		return wire.TxHash{}, false, fmt.Errorf("idempotency key: %d bytes: %w", len(b), err)
	}
	return wire.TxHash(b), true, nil
}

// Previous returns the head of the entry's stream before the entry.
func (s *Snapshot) Previous(e engine.Entry) (wire.Hash, error) {
	if e.Sequence == 0 {
		return wire.Hash{}, nil
	}
	b, err := s.get(sequenceKey(e.Stream, e.Sequence-1))
	if err != nil || len(b) != 8+wire.Size {
		return wire.Hash{}, fmt.Errorf("%s: entry before: %d bytes: %w", e.Name(), len(b), err)
	}
	return wire.Hash(b[8:]), nil
}

// Stream returns the head, count and digest of a stream; zero before its first
// transaction.
func (s *Snapshot) Stream(id wire.StreamID) (chain.Stream, error) {
	b, err := s.get(named(tableStream, id))
	if errors.Is(err, engine.ErrUnknown) {
		return chain.Stream{}, nil
	}
	if err != nil {
		return chain.Stream{}, err
	}
	return chain.DecodeStream(b)
}

// Streams returns the ids of all streams, in order.
func (s *Snapshot) Streams() ([]wire.StreamID, error) {
	var out []wire.StreamID
	err := s.walk([]byte{tableStream}, []byte{tableStream}, func(key, _ []byte) error {
		out = append(out, wire.StreamID(key[1:]))
		return nil
	})
	return out, err
}

// StreamProof shows what the head's streams root says of a stream.
func (s *Snapshot) StreamProof(id wire.StreamID) (p chain.StreamProof, err error) {
	defer Catch(&err)
	p = chain.StreamProof{ID: id, Height: s.head.Height}
	if p.Stream, err = s.Stream(id); err != nil {
		return p, err
	}
	p.Proof = state.NewMap(readOnly{s.StreamNodes()}).Prove(id[:])
	return p, nil
}

// State is a stream's state. Its methods panic if the disk fails; see Catch.
func (s *Snapshot) State(id wire.StreamID) state.View {
	return view{s, named(tableState, id)}
}

// Nodes are the nodes of the map over a stream's state.
func (s *Snapshot) Nodes(id wire.StreamID) state.View {
	return view{s, named(tableNode, id)}
}

// StreamNodes are the nodes of the map over the streams.
func (s *Snapshot) StreamNodes() state.View { return view{s, []byte{tableStreamNode}} }

// view is the part of the database under a prefix.
type view struct {
	s      *Snapshot
	prefix []byte
}

func (v view) key(k []byte) []byte {
	return append(slices.Clip(v.prefix), k...)
}

func (v view) Get(key []byte) ([]byte, bool) {
	b, err := v.s.get(v.key(key))
	if errors.Is(err, engine.ErrUnknown) {
		return nil, false
	}
	if err != nil {
		panic(readError{err})
	}
	return b, true
}

func (v view) Scan(prefix []byte, fn func(key, value []byte) bool) {
	from := v.key(prefix)
	err := v.s.walk(from, from, func(key, value []byte) error {
		if !fn(bytes.Clone(key[len(v.prefix):]), bytes.Clone(value)) {
			return io.EOF
		}
		return nil
	})
	if err != nil {
		panic(readError{err})
	}
}

// get returns a value, which must not be modified, or engine.ErrUnknown.
func (s *Snapshot) get(key []byte) ([]byte, error) {
	if !s.recent.keeps(key) {
		return s.from(s.r, key)
	}
	b, known := s.recent.get(s.head.Height, key)
	if known && b == nil {
		return nil, engine.ErrUnknown
	}
	if known {
		return b, nil
	}
	b, err := s.from(s.r, key)
	if err == nil || errors.Is(err, engine.ErrUnknown) {
		s.recent.read(s.head.Height, key, b)
	}
	return b, err
}

func (s *Snapshot) from(r pebble.Reader, key []byte) ([]byte, error) {
	b, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, engine.ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	value := append(make([]byte, 0, len(b)), b...)
	return value, closer.Close()
}

// walk calls fn for the pairs that begin with prefix, from a key on, until fn
// returns an error; io.EOF ends it without one.
func (s *Snapshot) walk(prefix, from []byte, fn func(key, value []byte) error) error {
	it, err := s.r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err = fn(it.Key(), it.Value()); err != nil {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, it.Close())
}

func closeRead(c io.Closer) {
	if err := c.Close(); err != nil {
		panic(readError{err})
	}
}

// readError is what a view panics with: state.View has no room for an error,
// because to a rule a disk that fails is no state at all.
type readError struct{ err error }

// Catch turns, where it is deferred, the failure of a view into an error.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case readError:
		*err = fmt.Errorf("store: %w", r.err)
	default:
		panic(r)
	}
}

// readOnly makes a view a node store that is not written.
type readOnly struct{ state.View }

func (readOnly) Set(_, _ []byte) { panic("store: a snapshot is not written") }
func (readOnly) Delete([]byte)   { panic("store: a snapshot is not written") }

func decodeEntry(b []byte) (engine.Entry, error) {
	var e engine.Entry
	if err := wire.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("entry: %w", err)
	}
	return e, nil
}

func number(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("number of %d bytes", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}
