package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/wire"
)

// A state snapshot is a ledger's state after one block: what a node needs to go
// on from there, without what came before. It has the shape of ABCI 2.0: listed,
// loaded by the chunk, offered, applied.
//
// It is the streams, the idempotency keys that were used, the edge of the log
// and the state of every stream, as a row [key, value] each in canonical CBOR,
// in the order of the keys, cut into chunks. The header's streams root and log
// root say whether all but the idempotency keys are right: of these the header
// says nothing, so take a snapshot from whom you would take the node from.
const (
	// SnapshotFormat is the only form of snapshot there is.
	SnapshotFormat = 1
	// ChunkSize is the length of every chunk but the last.
	ChunkSize = 4 << 20
	// MaxChunks bounds a snapshot: 256 GiB.
	MaxChunks = 1 << 16

	metadataFile = "snapshot.cbor"
	maxMetadata  = 34*MaxChunks + chain.MaxCheckpointBytes + 1024
)

// SnapshotInfo describes a snapshot: the Snapshot of ABCI 2.0.
type SnapshotInfo struct {
	Height   uint64
	Format   uint32
	Chunks   uint32
	Hash     wire.Hash // H("snapshot", metadata)
	Metadata []byte
}

// metadata says what a snapshot is of. Encoded as a CBOR array.
type metadata struct {
	_          struct{} `cbor:",toarray"`
	Header     chain.Header
	Checkpoint []byte      // of the header, as far as it is signed
	Chunks     []wire.Hash // H("chunk", bytes)
}

func (m *metadata) info() SnapshotInfo {
	b := wire.Marshal(m)
	return SnapshotInfo{
		Height: m.Header.Height, Format: SnapshotFormat, Chunks: uint32(len(m.Chunks)), //nolint:gosec // at most MaxChunks
		Hash: wire.Sum("snapshot", b), Metadata: b,
	}
}

// open decodes the metadata that an info comes with.
func (i SnapshotInfo) open() (*metadata, error) {
	m := new(metadata)
	if i.Format != SnapshotFormat {
		return m, fmt.Errorf("format %d; only %d is known", i.Format, SnapshotFormat)
	}
	if len(i.Metadata) > maxMetadata {
		return m, fmt.Errorf("metadata: %d bytes; at most %d", len(i.Metadata), maxMetadata)
	}
	if err := wire.Unmarshal(i.Metadata, m); err != nil {
		return m, fmt.Errorf("metadata: %w", err)
	}
	if len(m.Chunks) == 0 || len(m.Chunks) > MaxChunks {
		return m, fmt.Errorf("metadata: %d chunks; 1 to %d", len(m.Chunks), MaxChunks)
	}
	if i.Hash != m.info().Hash || i.Height != m.Header.Height || int(i.Chunks) != len(m.Chunks) {
		return m, errors.New("height, chunks or hash are not those of the metadata")
	}
	return m, nil
}

// Snapshots is a directory of state snapshots. Its zero FS is the disk.
type Snapshots struct {
	FS  vfs.FS
	Dir string
}

func (d Snapshots) fs() vfs.FS {
	if d.FS == nil {
		return vfs.Default
	}
	return d.FS
}

func (d Snapshots) path(height uint64) string {
	return d.fs().PathJoin(d.Dir, strconv.FormatUint(height, 10))
}

// Take writes a snapshot of the state after the last block into a directory of
// its own, whole or not at all. It reads s and does not hold up its writer.
//
// A ledger with blocks that Complete appended is refused: of the refused in them
// it knows the hashes alone, which do not travel, so that who goes on from its
// snapshot would let them in again.
func (d Snapshots) Take(s *Snapshot) (info SnapshotInfo, err error) {
	defer Catch(&err)
	fsys, height := d.fs(), s.Head().Height
	if height == 0 {
		return info, errors.New("snapshot: the ledger has no block")
	}
	if completed, err := s.Completed(); err != nil || completed {
		return info, errors.Join(errors.New("snapshot: the ledger was completed with a mirror's blocks, and lacks idempotency keys of the refused in them; copy it by a backup"), err)
	}
	if err := fresh(fsys, d.path(height)); err != nil {
		return info, fmt.Errorf("snapshot: %w", err)
	}
	half := d.path(height) + ".new"
	if err := errors.Join(fsys.RemoveAll(half), fsys.MkdirAll(half, 0o700)); err != nil {
		return info, fmt.Errorf("snapshot: %w", err)
	}
	w := &chunker{fsys: fsys, dir: half}
	m := &metadata{Header: s.Head()}
	if m.Checkpoint, err = s.Checkpoint(height); err != nil {
		return info, fmt.Errorf("snapshot: %w", err)
	}
	if err := w.rows(s); err != nil {
		return info, fmt.Errorf("snapshot: %w", err)
	}
	m.Chunks = w.hashes
	info = m.info()
	err = inTurn(
		func() error { return writeWhole(fsys, fsys.PathJoin(half, metadataFile), info.Metadata) },
		func() error { return syncDir(fsys, half) },
		func() error { return fsys.Rename(half, d.path(height)) },
		func() error { return syncDir(fsys, d.Dir) },
	)
	if err != nil {
		return info, fmt.Errorf("snapshot: %w", err)
	}
	return info, nil
}

// List returns what snapshots there are, the newest first.
func (d Snapshots) List() ([]SnapshotInfo, error) {
	names, err := d.fs().List(d.Dir)
	if err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	var out []SnapshotInfo
	for _, name := range names {
		height, err := strconv.ParseUint(name, 10, 64)
		if err != nil || d.path(height) != d.fs().PathJoin(d.Dir, name) {
			continue
		}
		info, err := d.info(height)
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b SnapshotInfo) int { return -compare(a.Height, b.Height) })
	return out, nil
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (d Snapshots) info(height uint64) (SnapshotInfo, error) {
	b, err := readWhole(d.fs(), d.fs().PathJoin(d.path(height), metadataFile), maxMetadata)
	m := new(metadata)
	if err == nil {
		err = wire.Unmarshal(b, m)
	}
	if err == nil && m.Header.Height != height {
		err = fmt.Errorf("is of height %d", m.Header.Height)
	}
	if err != nil {
		return SnapshotInfo{}, fmt.Errorf("snapshot %d: %w", height, err)
	}
	return m.info(), nil
}

// LoadChunk returns one chunk of a snapshot, from 0.
func (d Snapshots) LoadChunk(height uint64, format, chunk uint32) ([]byte, error) {
	if format != SnapshotFormat {
		return nil, fmt.Errorf("snapshot: format %d; only %d is known", format, SnapshotFormat)
	}
	b, err := readWhole(d.fs(), d.fs().PathJoin(d.path(height), chunkName(chunk)), ChunkSize)
	if err != nil {
		return nil, fmt.Errorf("snapshot %d, chunk %d: %w", height, chunk, err)
	}
	return b, nil
}

func chunkName(n uint32) string { return fmt.Sprintf("%05d.chunk", n) }

// chunker cuts rows into chunks.
type chunker struct {
	fsys   vfs.FS
	dir    string
	buf    bytes.Buffer
	hashes []wire.Hash
}

// rows writes all rows of a snapshot, in the order of their keys.
func (w *chunker) rows(s *Snapshot) error {
	row := func(key, value []byte) error {
		w.buf.Write(wire.Marshal(pair{Key: key, Value: value}))
		return w.cut(ChunkSize)
	}
	for _, table := range snapshotTables {
		var err error
		if table == tableLog {
			err = edgeRows(s, row)
		} else {
			err = s.walk([]byte{table}, []byte{table}, row)
		}
		if err != nil {
			return err
		}
	}
	return w.cut(1)
}

// edgeRows tells the edge of the log, a row for each node, in the order of the keys.
func edgeRows(s *Snapshot, fn func(key, value []byte) error) error {
	nodes := chain.LogEdge(s.Head().Size())
	slices.SortFunc(nodes, func(a, b chain.Node) int { return bytes.Compare(logKey(a), logKey(b)) })
	hashes, err := s.logNodes(nodes)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		if err := fn(logKey(n), hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

// pair is one row of the database. Encoded as a CBOR array.
type pair struct {
	_          struct{} `cbor:",toarray"`
	Key, Value []byte
}

// snapshotTables are the tables that travel, sorted. The rest is built of them,
// or lies before the snapshot.
var snapshotTables = []byte{tableStream, tableIdempotency, tableLog, tableState}

// cut writes chunks while there are as many bytes.
func (w *chunker) cut(least int) error {
	for w.buf.Len() >= least {
		if len(w.hashes) == MaxChunks {
			return fmt.Errorf("more than %d chunks", MaxChunks)
		}
		chunk := w.buf.Next(ChunkSize)
		name := w.fsys.PathJoin(w.dir, chunkName(uint32(len(w.hashes)))) //nolint:gosec // below MaxChunks
		if err := writeWhole(w.fsys, name, chunk); err != nil {
			return err
		}
		w.hashes = append(w.hashes, chunkHash(chunk))
	}
	return nil
}

func chunkHash(b []byte) wire.Hash { return wire.Sum("chunk", b) }
