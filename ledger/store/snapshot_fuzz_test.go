package store_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// FuzzSnapshotChunk offers any bytes as the only chunk of a snapshot: they are
// the state of the header, or they are refused as no snapshot.
func FuzzSnapshotChunk(f *testing.F) {
	_, head, info, chunks := taken(f, 0)
	whole := chunks[0]
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{0x82, 0x5a, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x82, 0x40, 0x40})
	f.Add(append([]byte{0x82, 0x41, 's', 0x40}, whole...))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m struct {
			_          struct{} `cbor:",toarray"`
			Header     []any
			Checkpoint []byte
			Chunks     []wire.Hash
		}
		if err := wire.Unmarshal(info.Metadata, &m); err != nil {
			t.Fatal(err)
		}
		m.Chunks = []wire.Hash{wire.Sum("chunk", b)}
		meta := wire.Marshal(m)
		i := store.SnapshotInfo{Height: info.Height, Format: 1, Chunks: 1, Hash: wire.Sum("snapshot", meta), Metadata: meta}
		fsys := vfs.NewMem()
		r, err := store.Offer("there", toy.Genesis(), i, head, store.Options{FS: fsys, MemTable: 256 << 10})
		if err != nil {
			t.Fatal(err)
		}
		done, err := r.Apply(0, b)
		if err != nil && !errors.Is(err, store.ErrSnapshot) {
			t.Fatalf("%x: %v", b, err)
		}
		if _, there := fsys.Stat("there"); done != (there == nil) || done != (err == nil) {
			t.Fatalf("done %t, %v; in place: %v", done, err, there)
		}
	})
}
