package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

type snapshotRow struct {
	_          struct{} `cbor:",toarray"`
	Key, Value []byte
}

// rowsOf are the rows of a snapshot.
func rowsOf(t *testing.T, chunks [][]byte) (rows []snapshotRow) {
	t.Helper()
	for all := slices.Concat(chunks...); len(all) > 0; {
		n, p := 1, snapshotRow{}
		for n <= len(all) && wire.Unmarshal(all[:n], &p) != nil {
			n++
		}
		if n > len(all) {
			t.Fatal("no row")
		}
		rows, all = append(rows, p), all[n:]
	}
	return rows
}

// restoreRows offers a snapshot of these rows, that names its chunks rightly.
func restoreRows(t *testing.T, info store.SnapshotInfo, head store.Mark, rows []snapshotRow) error {
	t.Helper()
	var m struct {
		_          struct{} `cbor:",toarray"`
		Header     []any
		Checkpoint []byte
		Chunks     []wire.Hash
	}
	if err := wire.Unmarshal(info.Metadata, &m); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, p := range rows {
		b = append(b, wire.Marshal(p)...)
	}
	chunks := slices.Collect(slices.Chunk(b, store.ChunkSize))
	m.Chunks = nil
	for _, c := range chunks {
		m.Chunks = append(m.Chunks, wire.Sum("chunk", c))
	}
	meta := wire.Marshal(m)
	fsys := vfs.NewMem()
	r := offer(t, fsys, store.SnapshotInfo{
		Height: info.Height, Format: 1, Chunks: uint32(len(chunks)), Hash: wire.Sum("snapshot", meta), Metadata: meta,
	}, head)
	done, err := false, error(nil)
	for n := 0; n < len(chunks) && err == nil; n++ {
		done, err = r.Apply(uint32(n), chunks[n])
	}
	if _, there := fsys.Stat("there"); done != (there == nil) || done != (err == nil) {
		t.Errorf("done %t, %v; in place: %v", done, err, there)
	}
	return err
}

// young is the snapshot of a ledger that has no directory yet.
func young(t *testing.T) (info store.SnapshotInfo, head store.Mark, rows []snapshotRow) {
	t.Helper()
	fsys := vfs.NewMem()
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was read
	enter(t, l, toy.Tx(toy.Key(2), toy.Grant, toy.Stream(1), string(toy.PublicBytes(2)), 1))
	at := store.Snapshots{FS: fsys, Dir: "snapshots"}
	if info, err = l.TakeSnapshot(at); err != nil {
		t.Fatal(err)
	}
	chunk, err := at.LoadChunk(info.Height, info.Format, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows = rowsOf(t, [][]byte{chunk})
	head = store.Mark{Height: l.Head().Height, Header: l.Head().Hash()}
	if err := restoreRows(t, info, head, rows); err != nil {
		t.Fatalf("control: %v", err)
	}
	return info, head, rows
}

// A snapshot that leaves whole tables out is not the header's.
func TestSnapshotWithoutATableIsRefused(t *testing.T) {
	t.Parallel()
	info, head, rows := young(t)
	for _, tables := range []string{"S", "Ss", "s", "l", "Sls", "Sil"} {
		left := slices.DeleteFunc(slices.Clone(rows), func(p snapshotRow) bool { return slices.Contains([]byte(tables), p.Key[0]) })
		if err := restoreRows(t, info, head, left); !errors.Is(err, store.ErrSnapshot) {
			t.Errorf("without %s: %v", tables, err)
		}
	}
}

// The directory of a ledger that has none yet is not the snapshot's to invent,
// be it as long as what is compared at once or not.
func TestSnapshotInventsNoDirectory(t *testing.T) {
	t.Parallel()
	info, head, rows := young(t)
	first := slices.IndexFunc(rows, func(p snapshotRow) bool { return p.Key[0] == 's' })
	id := wire.Directory
	key := slices.Concat([]byte{'s'}, id[:], []byte("key/x"))
	for _, length := range []int{32, store.ChunkSize} {
		invented := snapshotRow{Key: key, Value: make([]byte, length)}
		if err := restoreRows(t, info, head, slices.Insert(slices.Clone(rows), first, invented)); !errors.Is(err, store.ErrSnapshot) {
			t.Errorf("a directory of %d bytes that nobody has: %v", length, err)
		}
	}
}
