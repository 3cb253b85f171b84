package store_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
)

// newest is the node's key after the rotation in grown.
const newest = 20

func config(fsys vfs.FS) solo.Config {
	return solo.Config{
		Dir: "data", Key: toy.Key(0), Machine: new(toy.Machine), Genesis: toy.Genesis(), FS: fsys, MemTable: 64 << 10,
		KeyOf: func(tx.PublicKey) (ed25519.PrivateKey, error) { return toy.Key(newest), nil },
	}
}

// enter submits transactions one after the other, so that each has a block.
func enter(t testing.TB, l *solo.Ledger, raws ...[]byte) {
	t.Helper()
	for _, raw := range raws {
		hash, err := l.Submit(context.Background(), raw)
		if err == nil {
			_, err = l.Wait(context.Background(), hash)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// grown is a directory in memory with a ledger of three trials, refusals, a
// rotation, and blocks of one and of several transactions, in table files and in the write-ahead log.
func grown(t testing.TB) (vfs.FS, store.Mark) {
	t.Helper()
	fsys := vfs.NewMem()
	var head chain.Header
	k := toy.Key(2)
	for round := range 3 { // opening it again writes the log of the last round into tables
		l, err := solo.Open(config(fsys))
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			enter(t, l, toy.GrantTx(k, 1), toy.GrantTx(toy.Key(3), 1))
		}
		if round == 1 {
			enter(t, l, chain.NewRotation(l.ID(), toy.Key(0), toy.Key(newest), toy.Far, tx.Key{9}).Encode())
		}
		for n := range 8 {
			id := uint64(100*round + n)
			enter(t, l, toy.Tx(k, toy.Add, toy.Stream(n%3), fmt.Sprint("x", n), id), toy.Tx(k, toy.Note, toy.Stream(1), "n", 50+id))
		}
		if round == 2 {
			crowd(t, l)
		}
		head = l.Head()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return fsys, store.Mark{Height: head.Height, Header: head.Hash()}
}

// crowd submits many at once until some block has several transactions.
func crowd(t testing.TB, l *solo.Ledger) {
	t.Helper()
	before := l.Head()
	for round := range uint64(100) {
		var wg sync.WaitGroup
		for client := range 16 {
			wg.Go(func() {
				enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(client%3), "crowd", 10_000+100*round+uint64(client)))
			})
		}
		wg.Wait()
		if h := l.Head(); h.Size()-before.Size() > h.Height-before.Height {
			return
		}
	}
	t.Fatal("every block has one transaction")
}

func fsck(t testing.TB, fsys vfs.FS, signed store.Mark) *store.Findings {
	t.Helper()
	f, err := store.Fsck("data", toy.Genesis(), store.FsckOptions{FS: fsys, Known: []store.Mark{signed}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func clone(t testing.TB, from vfs.FS) vfs.FS {
	t.Helper()
	to := vfs.NewMem()
	if _, err := vfs.Clone(from, to, "data", "data"); err != nil {
		t.Fatal(err)
	}
	return to
}

func readFile(t testing.TB, fsys vfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, fsys vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fsys.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// rows is all that a database holds.
func rows(fsys vfs.FS) (map[string]string, error) {
	db, err := pebble.Open("data", &pebble.Options{FS: fsys, ReadOnly: true, FormatMajorVersion: pebble.FormatNewest, Logger: silent{}, EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}}})
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // it was read
	it, err := db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for ok := it.First(); ok; ok = it.Next() {
		out[string(it.Key())] = string(it.Value())
	}
	return out, it.Close()
}

type silent struct{}

func (silent) Infof(string, ...any)      {}
func (silent) Errorf(string, ...any)     {}
func (silent) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

func TestFsckOfAWholeLedger(t *testing.T) {
	t.Parallel()
	fsys, signed := grown(t)
	before, err := rows(fsys)
	if err != nil {
		t.Fatal(err)
	}
	names, err := fsys.List("data")
	if err != nil {
		t.Fatal(err)
	}
	f, err := store.Fsck("data", toy.Genesis(), store.FsckOptions{FS: fsys, Known: []store.Mark{signed}, Replay: new(toy.Machine)})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Found) > 0 || !f.Replayed || f.Size < 51+16 || f.Streams != 4 || f.Files == 0 || f.Unsigned > 0 {
		t.Errorf("%+v", f)
	}
	after, err := rows(fsys)
	if err != nil {
		t.Fatal(err)
	}
	now, err := fsys.List("data")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	slices.Sort(now)
	if !slices.Equal(names, now) || len(before) != len(after) {
		t.Errorf("fsck changed the directory: %q, it was %q", now, names)
	}
	other := toy.Genesis()
	other.Name = "another"
	if f, err = store.Fsck("data", other, store.FsckOptions{FS: fsys}); err != nil || len(f.Found) == 0 || f.Found[0].Table != "genesis" {
		t.Errorf("under another genesis: %+v, %v", f, err)
	}
}

// A bit flipped anywhere in any file is found, with height and table, or it lies
// where nothing is kept, and then every row reads as before.
func TestFsckFindsEveryFlippedBit(t *testing.T) {
	t.Parallel()
	whole, signed := grown(t)
	want, err := rows(whole)
	if err != nil {
		t.Fatal(err)
	}
	names, err := whole.List("data")
	if err != nil {
		t.Fatal(err)
	}
	found, idle := map[string]int{}, map[string]int{}
	for _, name := range names {
		file := path.Join("data", name)
		b := readFile(t, whole, file)
		step := max(1, len(b)/flips)
		for at := 0; at < len(b); at += step {
			fsys := clone(t, whole)
			bad := bytes.Clone(b)
			bad[at] ^= 1 << (at % 8)
			writeFile(t, fsys, file, bad)
			kind := path.Ext(name)
			if kind == "" || strings.Contains(name, "marker") {
				kind, _, _ = strings.Cut(name, "-")
			}
			if first, any := fsck(t, fsys, signed).First(); any {
				if first.Height == 0 || first.Table == "" || first.Reason == "" {
					t.Errorf("%s, byte %d: found, but not named: %+v", name, at, first)
				}
				found[kind]++
				continue
			}
			idle[kind]++
			got, err := rows(fsys)
			head := string(binary.BigEndian.AppendUint64([]byte{'c'}, signed.Height))
			if _, ok := got[head]; err == nil && !ok {
				got[head] = want[head] // a lost checkpoint of the head is signed again, to the same bytes
			}
			if err != nil || !same(got, want) {
				t.Errorf("%s, byte %d of %d: not found, and %d rows of %d (%v)", name, at, len(b), len(got), len(want), err)
			}
		}
	}
	t.Logf("found %v, held nothing %v", found, idle)
	if found[".sst"] == 0 || found[".log"] == 0 || found["MANIFEST"] == 0 || idle[".sst"] > 0 {
		t.Errorf("found %v, held nothing %v", found, idle)
	}
}

// flips is how many bytes of each file are flipped, one at a time.
const flips = 80

func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// Rows that are wrong under right checksums: somebody's hand, or the program's.
func TestFsckFindsWrongRows(t *testing.T) {
	t.Parallel()
	whole, signed := grown(t)
	all, err := rows(whole)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[byte]string{
		'v': "format", 'g': "genesis", 'H': "header", 'c': "checkpoint", 'e': "entry", 't': "transaction index", 'q': "stream index",
		'i': "idempotency key", 's': "state", 'm': "state map", 'S': "stream", 'M': "stream map", 'l': "log",
	}
	byTable := map[byte][]string{}
	for k := range all {
		byTable[k[0]] = append(byTable[k[0]], k)
	}
	if len(byTable) != len(tables) {
		t.Fatalf("%d tables have rows, %d are tested", len(byTable), len(tables))
	}
	for table, name := range tables {
		keys := byTable[table]
		slices.Sort(keys)
		k := keys[len(keys)/2]
		for what, change := range map[string]func(*pebble.Batch) error{
			"altered": func(b *pebble.Batch) error {
				v := []byte(all[k])
				v[len(v)-1] ^= 1
				return b.Set([]byte(k), v, nil)
			},
			"missing": func(b *pebble.Batch) error { return b.Delete([]byte(k), nil) },
			"one too many": func(b *pebble.Batch) error {
				extra := []byte(k)
				extra[len(extra)-1] ^= 0x80
				return b.Set(extra, []byte(all[k]), nil)
			},
		} {
			if len(k) == 1 && what == "one too many" || table == 'c' && what == "missing" {
				continue // no key beside it; a checkpoint is signed again
			}
			f := fsck(t, altered(t, whole, change), signed)
			first, any := f.First()
			if !any {
				t.Errorf("%s, %s: not found", name, what)
				continue
			}
			if first.Height == 0 || first.Height > f.Height+1<<40 {
				t.Errorf("%s, %s: %+v", name, what, first)
			}
			named := slices.ContainsFunc(f.Found, func(x store.Finding) bool { return x.Table == name })
			if !named && table != 'S' { // what is above its streams is named for it too
				t.Errorf("%s, %s: named %v", name, what, f.Found)
			}
		}
	}
	if f := fsck(t, altered(t, whole, func(b *pebble.Batch) error { return b.Set([]byte("zz"), nil, nil) }), signed); len(f.Found) == 0 {
		t.Error("a row of no table: not found")
	}
	if f := fsck(t, altered(t, whole, func(b *pebble.Batch) error { return nil }), signed); len(f.Found) > 0 {
		t.Errorf("control: %v", f.Found)
	}
}

func altered(t testing.TB, whole vfs.FS, change func(*pebble.Batch) error) vfs.FS {
	t.Helper()
	fsys := clone(t, whole)
	db, err := pebble.Open("data", &pebble.Options{FS: fsys, FormatMajorVersion: pebble.FormatNewest, Logger: silent{}, EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}}})
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	if err := change(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return fsys
}
