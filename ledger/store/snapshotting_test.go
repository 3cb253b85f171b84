package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// taken is a grown ledger, the snapshot of its head, and its chunks.
func taken(t testing.TB, bulk int) (fsys vfs.FS, head store.Mark, info store.SnapshotInfo, chunks [][]byte) {
	t.Helper()
	fsys, head = grown(t)
	if bulk > 0 {
		l, err := solo.Open(config(fsys))
		if err != nil {
			t.Fatal(err)
		}
		for n := range uint64(bulk) { // more state than a chunk holds
			enter(t, l, toy.Tx(toy.Key(2), toy.Flood, toy.Stream(int(n)), "value 3000000", 700+n))
		}
		head = store.Mark{Height: l.Head().Height, Header: l.Head().Hash()}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was read
	at := store.Snapshots{FS: fsys, Dir: "snapshots"}
	if info, err = l.TakeSnapshot(at); err != nil {
		t.Fatal(err)
	}
	if _, err := l.TakeSnapshot(at); err == nil {
		t.Error("a snapshot was overwritten")
	}
	list, err := at.List()
	if err != nil || len(list) != 1 || !same1(list[0], info) {
		t.Fatalf("list: %v, %v", list, err)
	}
	for n := range info.Chunks {
		b, err := at.LoadChunk(info.Height, info.Format, n)
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, b)
	}
	if _, err := at.LoadChunk(info.Height, info.Format, info.Chunks); err == nil {
		t.Error("one chunk too many was loaded")
	}
	return fsys, head, info, chunks
}

func same1(a, b store.SnapshotInfo) bool {
	return a.Hash == b.Hash && a.Height == b.Height && a.Chunks == b.Chunks && bytes.Equal(a.Metadata, b.Metadata)
}

func offer(t testing.TB, fsys vfs.FS, info store.SnapshotInfo, head store.Mark) *store.Restoring {
	t.Helper()
	r, err := store.Offer("there", toy.Genesis(), info, head, store.Options{FS: fsys, MemTable: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A ledger restored from a snapshot goes on exactly as the one it is of: the
// same transactions give the same headers.
func TestRestoredSnapshotGoesOn(t *testing.T) {
	t.Parallel()
	fsys, head, info, chunks := taken(t, 3)
	if len(chunks) < 2 {
		t.Fatalf("%d chunks; the test needs several", len(chunks))
	}
	r := offer(t, fsys, info, head)
	for n, b := range chunks {
		bad := bytes.Clone(b)
		bad[len(bad)/2] ^= 1
		for what, wrong := range map[string]func() (bool, error){
			"altered": func() (bool, error) { return r.Apply(uint32(n), bad) },
			"cut":     func() (bool, error) { return r.Apply(uint32(n), b[:len(b)-1]) },
			"early":   func() (bool, error) { return r.Apply(uint32(n+1), b) },
		} {
			var again *store.ChunkError
			if _, err := wrong(); !errors.As(err, &again) || again.Chunk != uint32(n) {
				t.Errorf("chunk %d, %s: %v", n, what, err)
			}
		}
		if _, err := fsys.Stat("there"); err == nil {
			t.Fatalf("it is in place before chunk %d", n)
		}
		done, err := r.Apply(uint32(n), b)
		if err != nil || done != (n == len(chunks)-1) {
			t.Fatalf("chunk %d: %t, %v", n, done, err)
		}
	}
	f, err := store.Fsck("there", toy.Genesis(), store.FsckOptions{FS: fsys, Known: []store.Mark{head}})
	if err != nil || len(f.Found) > 0 || f.Base != head.Height {
		t.Fatalf("%+v, %v", f, err)
	}

	old, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close() //nolint:errcheck // it was read
	c := config(fsys)
	c.Dir, c.Clock = "there", follow{old}
	restored, err := solo.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if restored.Head() != old.Head() || !bytes.Equal(restored.Checkpoint(), old.Checkpoint()) {
		t.Fatalf("head %+v, want %+v", restored.Head(), old.Head())
	}
	for n := range uint64(5) {
		raw := toy.Tx(toy.Key(3), toy.Add, toy.Stream(int(n%3)), fmt.Sprint("on", n), 800+n)
		enter(t, old, raw)
		enter(t, restored, raw)
		if a, b := old.Head(), restored.Head(); a != b {
			t.Fatalf("heads %+v and %+v", a, b)
		}
		got, err := restored.Receipt(hashOf(raw))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := got.Verify(toy.Genesis(), nil); err != nil {
			t.Errorf("receipt: %v", err)
		}
	}
	// A key that was used up before the snapshot is still used up.
	if _, err := restored.Submit(t.Context(), toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "other", 51)); !errors.Is(err, engine.ErrDuplicate) {
		t.Errorf("an idempotency key of before: %v", err)
	}
	for what, read := range map[string]func() error{
		"entry":   func() error { _, err := restored.Entries(3, 1); return err },
		"block":   func() error { _, err := restored.Block(3); return err },
		"header":  func() error { _, err := restored.Header(3); return err },
		"stream":  func() error { _, err := restored.StreamEntries(toy.Stream(1), 0, 5); return err },
		"receipt": func() error { _, err := restored.Receipt(wire.TxHash{3}); return err },
	} {
		if err := read(); !errors.Is(err, engine.ErrUnknown) || !strings.Contains(err.Error(), "ask a mirror") {
			t.Errorf("%s of before the snapshot: %v", what, err)
		}
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = store.Fsck("there", toy.Genesis(), store.FsckOptions{FS: fsys}); err != nil || len(f.Found) > 0 || f.Height != head.Height+5 {
		t.Errorf("%+v, %v", f, err)
	}
}

// follow gives the time of another ledger's head: both make the same blocks.
type follow struct{ l *solo.Ledger }

func (f follow) Now() int64 { return f.l.Head().Time }

func hashOf(raw []byte) wire.TxHash { return wire.TxHash(wire.Sum("tx", raw)) }

// What was interrupted is never opened, and begins anew.
func TestHalfRestoredIsNotOpened(t *testing.T) {
	t.Parallel()
	fsys, head, info, chunks := taken(t, 3)
	r := offer(t, fsys, info, head)
	if _, err := r.Apply(0, chunks[0]); err != nil {
		t.Fatal(err)
	}
	if err := r.Crash(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open("there.restoring", toy.Genesis(), store.Options{FS: fsys}); err == nil || !strings.Contains(err.Error(), "not complete") {
		t.Errorf("half of a ledger: %v", err)
	}
	r = offer(t, fsys, info, head)
	for n, b := range chunks {
		if _, err := r.Apply(uint32(n), b); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open("there", toy.Genesis(), store.Options{FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A snapshot that names its own chunks rightly, yet is not the header's state,
// is refused, and leaves nothing. Each case changes one row.
func TestSnapshotOfAnotherStateIsRefused(t *testing.T) {
	t.Parallel()
	_, head, info, chunks := taken(t, 0)
	type pair struct {
		_          struct{} `cbor:",toarray"`
		Key, Value []byte
	}
	var rows []pair
	for all := slices.Concat(chunks...); len(all) > 0; {
		n := 0
		for n = 1; n <= len(all); n++ {
			var p pair
			if wire.Unmarshal(all[:n], &p) == nil {
				rows = append(rows, p)
				break
			}
		}
		all = all[n:]
	}
	forge := func(rs []pair) (store.SnapshotInfo, []byte) {
		var b []byte
		for _, p := range rs {
			b = append(b, wire.Marshal(p)...)
		}
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
		return store.SnapshotInfo{Height: info.Height, Format: 1, Chunks: 1, Hash: wire.Sum("snapshot", meta), Metadata: meta}, b
	}
	try := func(rs []pair) error {
		fsys := vfs.NewMem()
		forged, chunk := forge(rs)
		r, err := store.Offer("there", toy.Genesis(), forged, head, store.Options{FS: fsys, MemTable: 1 << 20})
		if err != nil {
			return err
		}
		_, err = r.Apply(0, chunk)
		for _, dir := range []string{"there", "there.restoring"} {
			if _, there := fsys.Stat(dir); err != nil && there == nil {
				t.Errorf("%v, and it left %s", err, dir)
			}
		}
		return err
	}
	if err := try(rows); err != nil {
		t.Fatalf("control: %v", err)
	}
	tried := map[byte]int{}
	for i, p := range rows {
		table := p.Key[0]
		if tried[table]++; tried[table] > 6 {
			continue
		}
		without := slices.Delete(slices.Clone(rows), i, i+1)
		changed := slices.Clone(rows)
		v := append(bytes.Clone(p.Value), 0)
		if len(p.Value) > 0 {
			v = bytes.Clone(p.Value)
			v[len(v)-1] ^= 1
		}
		changed[i].Value = v
		twice := slices.Insert(slices.Clone(rows), i, p)
		cases := map[string][]pair{"twice": twice}
		if table != 'i' { // of idempotency keys the header says nothing
			cases["missing"], cases["changed"] = without, changed
		}
		for what, rs := range cases {
			if err := try(rs); !errors.Is(err, store.ErrSnapshot) {
				t.Errorf("row %q… %s: %v", p.Key[:2], what, err)
			}
		}
	}
	if len(tried) != 4 {
		t.Errorf("rows of the tables %v", tried)
	}
	strange := append(slices.Clone(rows), pair{Key: []byte("zzz")})
	if err := try(strange); !errors.Is(err, store.ErrSnapshot) {
		t.Errorf("a row of another table: %v", err)
	}
}

// A disk that fails anywhere leaves a snapshot whole or none.
func TestTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	mem, _ := grown(t)
	l, err := solo.Open(config(mem))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was read
	height := l.Head().Height
	failed := 0
	for _, mode := range []faulty.Mode{faulty.Before, faulty.Half} {
		for change := int64(1); ; change++ {
			disk := faulty.New(vfs.NewMem())
			disk.Fail(&faulty.Fault{At: change, Mode: mode, Err: faulty.ErrSpace})
			at := store.Snapshots{FS: disk, Dir: "snapshots"}
			_, err := l.TakeSnapshot(at)
			if !disk.Failed() {
				break
			}
			if failed++; err == nil {
				t.Fatalf("change %d failed and nobody says so", change)
			}
			if _, err := disk.Stat(disk.PathJoin("snapshots", fmt.Sprint(height))); err != nil {
				continue
			}
			list, err := at.List()
			if err != nil || len(list) != 1 {
				t.Errorf("mode %d, change %d: half of one: %v, %v", mode, change, list, err)
			}
		}
	}
	if failed < 8 {
		t.Errorf("%d changes failed", failed)
	}
}

func TestOfferRefuses(t *testing.T) {
	t.Parallel()
	fsys, head, info, _ := taken(t, 0)
	for what, change := range map[string]func(*store.SnapshotInfo, *store.Mark){
		"another format":         func(i *store.SnapshotInfo, _ *store.Mark) { i.Format = 2 },
		"another height":         func(i *store.SnapshotInfo, _ *store.Mark) { i.Height++ },
		"another hash":           func(i *store.SnapshotInfo, _ *store.Mark) { i.Hash[0] ^= 1 },
		"more chunks":            func(i *store.SnapshotInfo, _ *store.Mark) { i.Chunks++ },
		"metadata that is cut":   func(i *store.SnapshotInfo, _ *store.Mark) { i.Metadata = i.Metadata[:40] },
		"not the trusted header": func(_ *store.SnapshotInfo, m *store.Mark) { m.Header[0] ^= 1 },
		"not the trusted height": func(_ *store.SnapshotInfo, m *store.Mark) { m.Height-- },
	} {
		i, m := info, head
		change(&i, &m)
		if _, err := store.Offer("there", toy.Genesis(), i, m, store.Options{FS: fsys}); !errors.Is(err, store.ErrSnapshot) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := store.Offer("data", toy.Genesis(), info, head, store.Options{FS: fsys}); err == nil {
		t.Error("a ledger would have been overwritten")
	}
	if err := offer(t, fsys, info, head).Abort(); err != nil {
		t.Errorf("control: %v", err)
	}
}
