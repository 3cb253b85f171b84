// Package store keeps a ledger on disk: everything in one pebble database, and
// one synced batch a block, so that there is one way to recover. A block is
// there whole or not at all.
package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// format names the layout of the keys; a directory of another one is refused.
const format = "trialith ledger 2"

// Options of a store. The zero value is right for use.
type Options struct {
	FS vfs.FS // nil: the disk
	// MemTable is the size in bytes of pebble's tables in memory; 0: 8 MiB.
	MemTable uint64
	// NoSync leaves out the sync of each block. It is there for the test that
	// shows what the sync is for: a power cut then loses acknowledged blocks.
	NoSync bool
}

// Store is an open ledger directory. One goroutine writes; any read, through
// snapshots.
type Store struct {
	db      *pebble.DB
	lock    io.Closer
	genesis chain.Genesis
	sync    *pebble.WriteOptions
	recent  *recent
	used    *used
}

// Open opens or creates the directory of g's ledger, and checks that what the
// last block says is what the directory holds.
func Open(dir string, g chain.Genesis, o Options) (*Store, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.MemTable == 0 {
		o.MemTable = memTable
	}
	if err := o.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	lock, err := pebble.LockDirectory(dir, o.FS)
	if err != nil {
		return nil, fmt.Errorf("store: %s: another process has it open; a ledger has one writer: %w", dir, err)
	}
	db, err := openDB(dir, o, lock)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", dir, err), lock.Close())
	}
	s := &Store{db: db, lock: lock, genesis: g, sync: pebble.Sync, recent: new(recent), used: newUsed()}
	if o.NoSync {
		s.sync = pebble.NoSync
	}
	if err := s.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %s: %w", dir, err), s.Close())
	}
	s.used.fill(s.snapshotAt(s.genesis.Header()))
	return s, nil
}

// Close closes the directory. Release every snapshot first.
func (s *Store) Close() (err error) {
	defer func() {
		if r := recover(); r != nil { // pebble panics when a write failed before
			err = fmt.Errorf("store: close: %v", r)
		}
		err = errors.Join(err, s.lock.Close())
	}()
	s.used.close()
	return s.db.Close()
}

// begin writes genesis into an empty directory and checks any other.
func (s *Store) begin() (err error) {
	defer Catch(&err)
	snap := s.Snapshot()
	defer func() { snap.Release() }()
	s.recent.height = snap.head.Height
	found, err := snap.get([]byte{tableFormat})
	switch {
	case errors.Is(err, engine.ErrUnknown):
		b := s.db.NewBatch()
		defer b.Close() //nolint:errcheck // its writes are committed, or it is dropped
		set(b, []byte{tableFormat}, []byte(format))
		set(b, []byte{tableGenesis}, s.genesis.Encode())
		return b.Commit(pebble.Sync)
	case err != nil:
		return err
	case string(found) != format && string(found) != oldFormat:
		return fmt.Errorf("its format is %q, this program reads %q; open it with the version of the program that wrote it, or a newer one", found, format)
	}
	genesis, err := snap.get([]byte{tableGenesis})
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	if !bytes.Equal(genesis, s.genesis.Encode()) {
		return errors.New("it belongs to a ledger of another genesis")
	}
	if err := snap.complete(); err != nil {
		return err
	}
	if string(found) == oldFormat {
		if err := s.upgrade(snap); err != nil {
			return fmt.Errorf("upgrade: %w", err)
		}
		snap.Release()
		snap = s.Snapshot()
	}
	return snap.verify(s.genesis)
}

// Block is one block as it is written.
type Block struct {
	Header   chain.Header
	Executed *engine.Executed
	Items    []engine.Item // in the entries' order
	Log      *Log          // the log with the block's leaves appended
}

// Written is a block that lies in the store and may not be durable yet.
type Written struct {
	height   uint64
	batch    *pebble.Batch
	snapshot *Snapshot
	unsynced bool
}

// Snapshot is the ledger after the block. It must be released. Until Wait has
// returned, nobody outside may be told of what it holds.
func (w *Written) Snapshot() *Snapshot { return w.snapshot }

// Wait returns when the block is durable, and every one before it. Call it
// once. After an error the store is unusable: what reached the disk is not known.
func (w *Written) Wait() (err error) {
	defer catchWrite(w.height, &err)
	if !w.unsynced {
		return w.batch.Close()
	}
	if err := w.batch.SyncWait(); err != nil {
		return fmt.Errorf("store: block %d: %w", w.height, err)
	}
	return w.batch.Close()
}

// Write writes a block in one batch and starts its sync, so that the next block
// can be executed on it meanwhile. After an error the store is unusable.
func (s *Store) Write(b Block) (_ *Written, err error) {
	defer catchWrite(b.Header.Height, &err)
	batch, err := s.batch(b)
	if err != nil {
		return nil, fmt.Errorf("store: block %d: %w", b.Header.Height, err)
	}
	s.recent.write(b.Header.Height, b.rows)
	w := &Written{height: b.Header.Height, batch: batch, unsynced: s.sync.Sync}
	if w.unsynced {
		err = s.db.ApplyNoSyncWait(batch, s.sync)
	} else {
		err = s.db.Apply(batch, s.sync)
	}
	if err != nil {
		return nil, fmt.Errorf("store: block %d: %w", b.Header.Height, err)
	}
	w.snapshot = s.snapshotAt(b.Header)
	return w, nil
}

// Commit writes a block and returns when it is durable.
func (s *Store) Commit(b Block) error {
	w, err := s.Write(b)
	if err != nil {
		return err
	}
	defer w.Snapshot().Release()
	return w.Wait()
}

// catchWrite turns pebble's panic over a failed write into an error.
func catchWrite(height uint64, err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf("store: block %d: %w", height, r)
	default:
		*err = fmt.Errorf("store: block %d: %v", height, r)
	}
}

func (s *Store) batch(b Block) (*pebble.Batch, error) {
	batch := s.db.NewBatch()
	set(batch, numbered(tableHeader, b.Header.Height), b.Header.Encode())
	for i := range b.Executed.Entries {
		again, err := s.again(b.Executed.Entries, i)
		if err != nil {
			return nil, errors.Join(err, batch.Close())
		}
		s.putEntry(batch, b.Header.First+uint64(i), &b.Executed.Entries[i], b.Executed.Heads[i], b.Items[i].Envelope, again)
	}
	b.rows(func(key, value []byte) { put(batch, key, value) })
	for _, r := range b.Log.take() {
		if len(r.hashes) > 0 {
			set(batch, logKey(r.first), r.hashes)
		}
	}
	return batch, nil
}

// again reports whether the i-th of a block's entries is of a transaction that
// the log has already: it is found where it was first.
func (s *Store) again(entries []engine.Entry, i int) (bool, error) {
	e := &entries[i]
	if e.Result.Code.UsesKey() {
		return false, nil
	}
	for j := range i {
		if entries[j].Hash == e.Hash {
			return true, nil
		}
	}
	_, closer, err := s.db.Get(named(tableTransaction, e.Hash))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, closer.Close()
}

func (s *Store) putEntry(b *pebble.Batch, index uint64, e *engine.Entry, head wire.Hash, env *tx.Envelope, again bool) {
	place := numbered(tableEntry, index)[1:]
	set(b, numbered(tableEntry, index), e.Encode())
	set(b, sequenceKey(e.Stream, e.Sequence), slices.Concat(place, head[:]))
	if !again {
		set(b, named(tableTransaction, e.Hash), place)
	}
	if e.Result.Code.UsesKey() && env != nil { // none: refused, and given to Complete
		key := idempotencyKey(e.Stream, env.Key, env.Idempotency)
		s.used.add(key)
		set(b, key, e.Hash[:])
	}
}

// SetCheckpoint keeps the signed checkpoint of a height. It is not synced: a
// lost one is signed again, to the same bytes.
func (s *Store) SetCheckpoint(height uint64, msg []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("store: checkpoint %d: %v", height, r)
		}
	}()
	return s.db.Set(numbered(tableCheckpoint, height), msg, pebble.NoSync)
}

// set adds to a batch. A batch in memory fails only by growing past 4 GiB,
// which a block's limits exclude.
func set(b *pebble.Batch, key, value []byte) {
	if err := b.Set(key, value, nil); err != nil {
		panic(err)
	}
}

// rows tells every row of the streams, the states and the maps that the block
// changes; a value of nil removes it.
func (b *Block) rows(fn func(key, value []byte)) {
	for i := range b.Executed.Changed {
		c := &b.Executed.Changed[i]
		fn(named(tableStream, c.ID), c.Stream.Encode())
		rows(named(tableState, c.ID), c.State, fn)
		rows(named(tableNode, c.ID), c.Nodes, fn)
	}
	rows([]byte{tableStreamNode}, b.Executed.StreamNodes, fn)
}

// rows tells the rows under a prefix that change. A key is good for one call.
func rows(prefix []byte, ws []state.Write, fn func(key, value []byte)) {
	key := prefix
	for _, w := range ws {
		key = append(key[:len(prefix)], w.Key...)
		switch {
		case w.Delete:
			fn(key, nil)
		case w.Value == nil:
			fn(key, []byte{})
		default:
			fn(key, w.Value)
		}
	}
}

func write(b *pebble.Batch, prefix []byte, ws []state.Write) {
	rows(slices.Clip(prefix), ws, func(key, value []byte) { put(b, key, value) })
}

// put adds a row to a batch, or its removal.
func put(b *pebble.Batch, key, value []byte) {
	if value != nil {
		set(b, key, value)
	} else if err := b.Delete(key, nil); err != nil {
		panic(err)
	}
}
