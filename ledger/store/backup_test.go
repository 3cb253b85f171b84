package store_test

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// A backup taken while blocks are written restores to a head that the ledger
// had, under the root that it had then.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	stop := make(chan struct{})
	var load sync.WaitGroup
	for client := range 3 {
		load.Go(func() {
			for n := uint64(0); ; n++ {
				select {
				case <-stop:
					return
				default:
					enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(client), "n", n))
				}
			}
		})
	}
	var made []store.Manifest
	for n := range 5 {
		before := l.Head().Height
		m, err := l.Backup(fmt.Sprint("backup", n))
		if err != nil {
			t.Fatal(err)
		}
		if m.Height < before {
			t.Errorf("backup of height %d, begun at %d", m.Height, before)
		}
		made = append(made, m)
	}
	close(stop)
	load.Wait()
	headers, err := l.Headers(1, l.Head().Height)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for n, m := range made {
		to := fmt.Sprint("restored", n)
		got, f, err := store.Restore(fmt.Sprint("backup", n), to, store.RestoreOptions{FS: fsys, Known: []store.Mark{{Height: m.Height, Header: m.Header}}})
		if err != nil {
			t.Fatal(err)
		}
		h := headers[m.Height-1]
		if got.Height != m.Height || m.Header != h.Hash() || m.Size != h.Size() || f.Height != h.Height || len(f.Found) > 0 {
			t.Errorf("restored %+v, found %+v; the header of that height is %+v", got, f, h)
		}
		c := config(fsys)
		c.Dir = to
		back, err := solo.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if back.Head() != h {
			t.Errorf("head %+v, want %+v", back.Head(), h)
		}
		enter(t, back, toy.Tx(toy.Key(2), toy.Note, toy.Stream(7), "on", 1))
		if err := back.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t testing.TB) (fsys vfs.FS, head store.Mark) {
	t.Helper()
	fsys, head = grown(t)
	if _, err := store.Backup("data", toy.Genesis(), fsys, "backup"); err != nil {
		t.Fatal(err)
	}
	return fsys, head
}

// Whatever is done to a backup's files, it is not restored, and nothing is left
// where the ledger belongs.
func TestRestoreRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	whole, head := closed(t)
	_, _, err := store.ReadBackup(whole, "backup")
	if err != nil {
		t.Fatal(err)
	}
	data := func(fsys vfs.FS, suffix string) string {
		names, err := fsys.List("backup/ledger")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if strings.HasSuffix(n, suffix) {
				return path.Join("backup/ledger", n)
			}
		}
		t.Fatalf("no file %s in %q", suffix, names)
		return ""
	}
	for name, change := range map[string]func(vfs.FS){
		"": func(vfs.FS) {},
		"a bit of a table": func(fsys vfs.FS) {
			file := data(fsys, ".sst")
			b := readFile(t, fsys, file)
			b[len(b)/2] ^= 1
			writeFile(t, fsys, file, b)
		},
		"a table missing": func(fsys vfs.FS) { _ = fsys.Remove(data(fsys, ".sst")) },
		"a file too many": func(fsys vfs.FS) { writeFile(t, fsys, "backup/ledger/000999.sst", []byte("x")) },
		"no manifest":     func(fsys vfs.FS) { _ = fsys.Remove("backup/manifest.json") },
		"another height": func(fsys vfs.FS) {
			b := readFile(t, fsys, "backup/manifest.json")
			writeFile(t, fsys, "backup/manifest.json", []byte(strings.Replace(string(b), fmt.Sprintf(`"height": %d`, head.Height), `"height": 9999`, 1)))
		},
		"a path out of it": func(fsys vfs.FS) {
			b := readFile(t, fsys, "backup/manifest.json")
			writeFile(t, fsys, "backup/manifest.json", []byte(strings.Replace(string(b), `"ledger/`, `"ledger/../`, 1)))
		},
		"another genesis": func(fsys vfs.FS) {
			g := toy.Genesis()
			g.Name = "another"
			writeFile(t, fsys, "backup/genesis.cbor", g.Encode())
		},
	} {
		fsys := vfs.NewMem()
		if _, err := vfs.Clone(whole, fsys, "backup", "backup"); err != nil {
			t.Fatal(err)
		}
		change(fsys)
		_, _, err := store.Restore("backup", "restored", store.RestoreOptions{FS: fsys, Known: []store.Mark{head}})
		if (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
		for _, at := range []string{"restored", "restored.restoring"} {
			if _, there := fsys.Stat(at); err != nil && there == nil {
				t.Errorf("%q: left %s behind", name, at)
			}
		}
	}
}

func TestRestoreRefusesWhatIsOld(t *testing.T) {
	t.Parallel()
	fsys, head := closed(t)
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	enter(t, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "after the backup", 999))
	newer := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		known []store.Mark
		says  string
	}{
		"the ledger went on":      {[]store.Mark{{Height: newer.Height, Header: newer.Hash()}}, "too old"},
		"one of two went on":      {[]store.Mark{head, {Height: newer.Height, Header: newer.Hash()}}, "too old"},
		"another block, signed":   {[]store.Mark{{Height: head.Height, Header: wire.Hash{1}}}, "another block"},
		"another block, long ago": {[]store.Mark{{Height: 3, Header: wire.Hash{1}}}, "another block"},
		"control":                 {[]store.Mark{head, {Height: 0, Header: toy.Genesis().Header().Hash()}}, ""},
	} {
		_, _, err := store.Restore("backup", "restored", store.RestoreOptions{FS: fsys, Known: c.known})
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || strings.Contains(c.says, "old") != errors.Is(err, store.ErrOld) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if _, _, err := store.Restore("backup", "restored", store.RestoreOptions{FS: fsys}); err == nil {
				t.Error("a ledger was overwritten")
			}
			if err := fsys.RemoveAll("restored"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := store.Backup("data", toy.Genesis(), fsys, "backup"); err == nil {
		t.Error("a backup was overwritten")
	}
	c, err := chain.OpenCheckpoint(keysOf(t, fsys), readFile(t, fsys, "backup/checkpoint"))
	if err != nil || c.Height != head.Height || c.Header != head.Header {
		t.Errorf("the backup's checkpoint: %+v, %v", c, err)
	}
}

func keysOf(t testing.TB, fsys vfs.FS) chain.Keys {
	t.Helper()
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it was read
	k, err := l.Keys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}
