package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

// ErrSnapshot says that a snapshot is not what its header commits to. Nothing of
// it is kept; take another one.
var ErrSnapshot = errors.New("the snapshot is refused")

// ChunkError says that a chunk is not the one that the snapshot names, or not
// the next: ask for the one with this number again, of somebody else.
type ChunkError struct {
	Chunk  uint32
	Reason string
}

func (e *ChunkError) Error() string { return fmt.Sprintf("chunk %d: %s", e.Chunk, e.Reason) }

// Restoring is a snapshot that is being restored. It belongs to one goroutine.
type Restoring struct {
	fsys    vfs.FS
	dir     string // where the ledger will be
	genesis chain.Genesis
	meta    *metadata
	next    uint32
	db      *pebble.DB
	batch   *pebble.Batch
	rest    []byte // of a row that is not whole yet
	last    []byte // key of the last row
	edge    map[string][]byte
	streams []state.Write
	known   bool // the streams were compared with the header
	heads   map[wire.StreamID]chain.Stream
	within  bool // a stream's state, current's
	current wire.StreamID
	pending []state.Write // of the current stream's state
	bytes   int
}

// Offer begins to restore a snapshot into a directory that does not exist. The
// trusted head is of a checkpoint that the caller verified, better with the
// cosignatures of witnesses: all that the snapshot holds is compared with it.
func Offer(dir string, g chain.Genesis, info SnapshotInfo, trusted Mark, o Options) (_ *Restoring, err error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.MemTable == 0 {
		o.MemTable = memTable
	}
	m, err := info.open()
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w: %w", ErrSnapshot, err)
	}
	h := m.Header
	if h.Height == 0 || h.Height != trusted.Height || h.Hash() != trusted.Header || h.Ledger != g.ID() {
		return nil, fmt.Errorf("snapshot: %w: it is of height %d, header %v; trusted is %d, %v", ErrSnapshot, h.Height, h.Hash(), trusted.Height, trusted.Header)
	}
	if err := fresh(o.FS, dir); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	r := &Restoring{fsys: o.FS, dir: dir, genesis: g, meta: m, edge: map[string][]byte{}, heads: map[wire.StreamID]chain.Stream{}}
	if err := errors.Join(o.FS.RemoveAll(r.half()), o.FS.MkdirAll(r.half(), 0o700)); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if r.db, err = openDB(r.half(), o, nil); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	// The mark makes every Open refuse what is not complete.
	first := r.db.NewBatch()
	set(first, []byte{tableRestoring}, nil)
	set(first, []byte{tableFormat}, []byte(format))
	set(first, []byte{tableGenesis}, g.Encode())
	if err := errors.Join(first.Commit(pebble.Sync), first.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot: %w", err), r.Abort())
	}
	r.batch = r.db.NewBatch()
	return r, nil
}

func (r *Restoring) half() string { return r.dir + ".restoring" }

// Abort gives up and removes what was written.
func (r *Restoring) Abort() error {
	if r.db == nil {
		return nil
	}
	db := r.db
	r.db = nil
	if r.batch != nil {
		_ = r.batch.Close() // it is dropped
	}
	return errors.Join(db.Close(), r.fsys.RemoveAll(r.half()))
}

// Apply takes the next chunk. After the last it compares the whole with the
// header, makes it durable and moves it in place; done is true then. A
// *ChunkError leaves everything as it was; any other error ends the restoration.
func (r *Restoring) Apply(chunk uint32, b []byte) (done bool, err error) {
	switch {
	case r.db == nil:
		return false, errors.New("snapshot: the restoration is over")
	case chunk != r.next:
		return false, &ChunkError{r.next, fmt.Sprintf("is the next, %d came", chunk)}
	case len(b) > ChunkSize || chunkHash(b) != r.meta.Chunks[chunk]:
		return false, &ChunkError{chunk, "not the one that the snapshot names"}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			done, err = false, errors.Join(fmt.Errorf("snapshot: %w", err), r.Abort())
		}
	}()
	if err := r.parse(b); err != nil {
		return false, err
	}
	if r.next++; int(r.next) < len(r.meta.Chunks) {
		return false, nil
	}
	return true, r.finish()
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSnapshot, fmt.Errorf(format, args...))
}

// parse takes the rows that are whole, and keeps the rest for the next chunk.
func (r *Restoring) parse(b []byte) error {
	r.rest = append(r.rest, b...)
	at := 0
	for {
		n, whole, err := rowLength(r.rest[at:])
		if err != nil {
			return err
		}
		if !whole {
			break
		}
		var x pair
		if err := wire.Unmarshal(r.rest[at:at+n], &x); err != nil {
			return refuse("row: %w", err)
		}
		if bytes.Compare(x.Key, r.last) <= 0 {
			return refuse("row %s: not after the one before it", describe(x.Key))
		}
		r.last = bytes.Clone(x.Key)
		if err := r.row(x.Key, x.Value); err != nil {
			return err
		}
		at += n
	}
	r.rest = append(r.rest[:0], r.rest[at:]...)
	return nil
}

// rowLength is the length of the row that b begins with: an array of two byte
// strings.
func rowLength(b []byte) (n int, whole bool, err error) {
	if len(b) == 0 {
		return 0, false, nil
	}
	if b[0] != 0x82 {
		return 0, false, refuse("row: not an array of key and value")
	}
	n = 1
	for range 2 {
		if n >= len(b) {
			return 0, false, nil
		}
		size, head := int(b[n]&0x1f), 1
		if b[n]>>5 != 2 || size > 26 {
			return 0, false, refuse("row: not a byte string of at most 32 bits of length")
		}
		if size >= 24 {
			more := 1 << (size - 24)
			if n+1+more > len(b) {
				return 0, false, nil
			}
			var wide [8]byte
			copy(wide[8-more:], b[n+1:n+1+more])
			size, head = int(binary.BigEndian.Uint64(wide[:])), 1+more //nolint:gosec // at most 32 bits
		}
		if size > engine.MaxValue+wire.MaxItem {
			return 0, false, refuse("row: a value of %d bytes", size)
		}
		n += head + size
	}
	return n, n <= len(b), nil
}

// row takes one row, by its table.
func (r *Restoring) row(key, value []byte) error {
	if key[0] != tableStream && !r.known {
		if err := r.streamsWhole(); err != nil {
			return err
		}
	}
	switch {
	case key[0] == tableStream && len(key) == 1+wire.Size:
		s, err := chain.DecodeStream(value)
		if err != nil || s.Count == 0 {
			return refuse("%s: %w", describe(key), errors.Join(err, errors.New("a stream has a transaction")))
		}
		id := wire.StreamID(key[1:])
		r.heads[id] = s
		r.streams = append(r.streams, state.Write{Key: bytes.Clone(id[:]), Value: bytes.Clone(value)})
		// Its next transaction links to the head, and its entry is not here.
		set(r.batch, sequenceKey(id, s.Count-1), append(binary.BigEndian.AppendUint64(nil, nowhere), s.Head[:]...))
		return r.keep(key, value)
	case key[0] == tableIdempotency && len(key) == 1+2*wire.Size+16 && len(value) == wire.Size:
		return r.keep(key, value)
	case key[0] == tableLog && len(key) == 10 && len(value) == wire.Size:
		r.edge[string(key)] = bytes.Clone(value)
		return r.keep(key, value)
	case key[0] == tableState && len(key) >= 1+wire.Size:
		return r.stateRow(wire.StreamID(key[1:1+wire.Size]), key, value)
	}
	return refuse("%s: no row of a snapshot", describe(key))
}

// keep writes a row, and what has gathered when it is much.
func (r *Restoring) keep(key, value []byte) error {
	set(r.batch, key, value)
	if r.batch.Len() < ChunkSize {
		return nil
	}
	return r.flush()
}

func (r *Restoring) flush() error {
	err := errors.Join(r.batch.Commit(pebble.NoSync), r.batch.Close())
	r.batch = r.db.NewBatch()
	return err
}

// streamsWhole compares the streams with the header, before anything is compared
// with them, and keeps the map over them.
func (r *Restoring) streamsWhole() error {
	nodes := state.NewOverlay(state.Empty{})
	if got := state.NewMap(nodes).Update(r.streams); got != r.meta.Header.Streams {
		return refuse("its streams have the root %v; the header says %v", got, r.meta.Header.Streams)
	}
	write(r.batch, []byte{tableStreamNode}, nodes.Writes())
	r.streams, r.known = nil, true
	return nil
}

// stateRow takes a row of a stream's state. A long state is folded into its map
// part by part.
func (r *Restoring) stateRow(id wire.StreamID, key, value []byte) error {
	if !r.within || id != r.current {
		if err := r.stateWhole(); err != nil {
			return err
		}
		if _, ok := r.heads[id]; !ok {
			return refuse("%s: of no stream there is", describe(key))
		}
		r.within, r.current = true, id
	}
	r.pending = append(r.pending, state.Write{Key: bytes.Clone(key[1+wire.Size:]), Value: bytes.Clone(value)})
	if r.bytes += len(key) + len(value); r.bytes >= ChunkSize {
		if _, err := r.fold(); err != nil {
			return err
		}
	}
	return r.keep(key, value)
}

// fold brings the map over the current stream's state up to date.
func (r *Restoring) fold() (wire.Hash, error) {
	if err := r.flush(); err != nil {
		return wire.Hash{}, err
	}
	snap := (&Store{db: r.db, genesis: r.genesis}).snapshotAt(r.meta.Header)
	defer snap.Release()
	nodes := state.NewOverlay(snap.Nodes(r.current))
	root := state.NewMap(nodes).Update(r.pending)
	r.pending, r.bytes = nil, 0
	write(r.batch, named(tableNode, r.current), nodes.Writes())
	return root, r.flush()
}

// stateWhole compares the current stream's state with its digest.
func (r *Restoring) stateWhole() error {
	if !r.within {
		return nil
	}
	s := r.heads[r.current]
	root, err := r.fold()
	if err != nil {
		return err
	}
	if root != s.Digest {
		return refuse("the state of stream %v has the digest %v; the header says %v", r.current, root, s.Digest)
	}
	delete(r.heads, r.current)
	r.within = false
	return nil
}

// finish compares what only the whole shows, and moves it in place.
func (r *Restoring) finish() error {
	if len(r.rest) > 0 {
		return refuse("it ends within a row")
	}
	if !r.known {
		if err := r.streamsWhole(); err != nil {
			return err
		}
	}
	if err := r.stateWhole(); err != nil {
		return err
	}
	for id, s := range r.heads {
		if s.Digest != (wire.Hash{}) {
			return refuse("the state of stream %v is missing", id)
		}
	}
	if err := r.logWhole(); err != nil {
		return err
	}
	h := r.meta.Header
	set(r.batch, numbered(tableHeader, h.Height), h.Encode())
	set(r.batch, []byte{tableBase}, h.Encode())
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.signed(); err != nil {
		return err
	}
	return r.place()
}

// logWhole compares the edge of the log with the header's root.
func (r *Restoring) logWhole() error {
	h := r.meta.Header
	nodes := chain.LogEdge(h.Size())
	edge := make([][]byte, len(nodes))
	for i, n := range nodes {
		edge[i] = r.edge[string(logKey(n))]
	}
	if len(r.edge) != len(nodes) {
		return refuse("%d nodes of the log; its edge has %d", len(r.edge), len(nodes))
	}
	log, err := chain.ResumeLog(h.Size(), edge)
	if err != nil {
		return refuse("%w", err)
	}
	if root, err := log.Root(); err != nil || root != h.Root {
		return refuse("the edge of the log does not give the header's root (%v)", err)
	}
	return nil
}

// signed keeps the checkpoint that came along, once the node's keys are known.
func (r *Restoring) signed() error {
	snap := (&Store{db: r.db, genesis: r.genesis}).snapshotAt(r.meta.Header)
	defer snap.Release()
	keys, err := engine.NodeKeys(r.genesis, snap.State(wire.Directory))
	if err != nil {
		return refuse("%w", err)
	}
	c, err := chain.OpenCheckpoint(keys, r.meta.Checkpoint)
	if err == nil {
		err = c.Matches(r.meta.Header)
	}
	if err != nil {
		return refuse("%w", err)
	}
	set(r.batch, numbered(tableCheckpoint, c.Height), r.meta.Checkpoint)
	return nil
}

// place takes the mark away, with all else durable, and moves the ledger to
// where it belongs.
func (r *Restoring) place() error {
	if err := r.batch.Delete([]byte{tableRestoring}, nil); err != nil {
		return err
	}
	if err := errors.Join(r.batch.Commit(pebble.Sync), r.batch.Close()); err != nil {
		return err
	}
	db := r.db
	r.batch, r.db = nil, nil
	return inTurn(
		db.Close,
		func() error { return r.fsys.Rename(r.half(), r.dir) },
		func() error { return syncDir(r.fsys, parentOf(r.fsys, r.dir)) },
	)
}
