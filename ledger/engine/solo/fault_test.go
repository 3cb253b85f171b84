package solo

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/wire"
)

// powerCuts runs a ledger through power cuts and counts the acknowledged
// transactions that are gone.
func powerCuts(t *testing.T, seed uint64, noSync bool) (lost int) {
	r := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	if err := fs.MkdirAll("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	if d, err := fs.OpenDir(""); err != nil || errors.Join(d.Sync(), d.Close()) != nil {
		t.Fatal(err)
	}
	c := config(t)
	c.Dir, c.FS, c.NoSync, c.MemTable = "data", fs, noSync, 64<<10
	c.HeadFile = "keys/head"
	if noSync {
		c.HeadFile = "" // it would refuse the restart, which is another test
	}
	acknowledged := map[wire.TxHash]bool{}
	n := uint64(0)
	for range 4 {
		c.FS = fs
		l, err := Open(c)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		lost += missing(l, acknowledged)
		if l.Head().Height > 0 {
			audit(t, l)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 5 + seed%7 {
					i := atomic.AddUint64(&n, 1)
					hash, err := l.Submit(context.Background(), toy.GrantTx(toy.Key(int(i)), i))
					if err == nil {
						_, err = l.Wait(context.Background(), hash)
					}
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					acknowledged[hash] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		// The clone is what a disk may hold if the power fails now.
		next := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		fs = next
	}
	return lost
}

func missing(l *Ledger, acknowledged map[wire.TxHash]bool) (n int) {
	for h := range acknowledged {
		if _, err := l.Entry(h); err != nil {
			delete(acknowledged, h)
			n++
		}
	}
	return n
}

func TestPowerCut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		if lost := powerCuts(t, seed, false); lost > 0 {
			t.Errorf("seed %d: %d acknowledged transactions are gone", seed, lost)
		}
	}
}

// The control: without the sync the same cuts must lose something, else the
// test above shows nothing.
func TestPowerCutWithoutSyncLoses(t *testing.T) {
	t.Parallel()
	lost := 0
	for seed := range uint64(6) {
		lost += powerCuts(t, seed, true)
	}
	if lost == 0 {
		t.Error("nothing was lost without a sync; the power cut is not one")
	}
}

// copyDir copies a closed data directory.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestOldBackupIsRefused(t *testing.T) {
	t.Parallel()
	c := config(t)
	backup := filepath.Join(t.TempDir(), "backup")
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	copyDir(t, c.Dir, backup)
	l = open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(3), 1))
	newest := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	old := c
	old.Dir = backup
	if _, err := Open(old); !errors.Is(err, ErrRolledBack) {
		t.Fatalf("an old backup: %v", err)
	}
	// Written behind the guard's back, the backup becomes a second history of
	// the same height: refused as well.
	old.HeadFile = ""
	l = open(t, old)
	enter(t, l, toy.GrantTx(toy.Key(4), 1))
	if l.Head().Height != newest.Height {
		t.Fatal("the fork should be as long as the ledger")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	old.HeadFile = c.HeadFile
	if _, err := Open(old); !errors.Is(err, ErrRolledBack) {
		t.Fatalf("a second history: %v", err)
	}
	open(t, c)
}

func TestHeadFileMissingOrDamaged(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	head := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(c.HeadFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string][]byte{"cut": good[:20], "longer": append(slices.Clone(good), 'x'), "empty": nil} {
		if err := os.WriteFile(c.HeadFile, damage, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(c); err == nil {
			t.Errorf("%s: the head file was taken", name)
		}
	}
	if err := os.Remove(c.HeadFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); !errors.Is(err, ErrRolledBack) {
		t.Errorf("no head file: %v", err)
	}
	if err := WriteHead(vfs.Default, c.HeadFile, head); err != nil {
		t.Fatal(err)
	}
	open(t, c)
}

func TestSecondWriterIsFenced(t *testing.T) {
	t.Parallel()
	// Another process signs with the same key from a copy of the directory. Its
	// history may be longer, or it may be as long as this one and another.
	for name, sign := range map[string]func(*chain.Header){
		"longer":  func(h *chain.Header) { h.Height++ },
		"another": func(h *chain.Header) { h.Results[0] ^= 1 },
	} {
		c := config(t)
		l := open(t, c)
		enter(t, l, toy.GrantTx(toy.Key(2), 1))
		other := l.Head()
		sign(&other)
		if err := WriteHead(vfs.Default, c.HeadFile, other); err != nil {
			t.Fatal(err)
		}
		hash, err := l.Submit(limit(t), toy.GrantTx(toy.Key(3), 1))
		if err == nil {
			_, err = l.Wait(limit(t), hash)
		}
		if !errors.Is(err, engine.ErrStopped) || !errors.Is(l.Err(), ErrRolledBack) {
			t.Errorf("%s: signed beside another writer: %v, %v", name, err, l.Err())
		}
	}
}

// A sync that fails stops the ledger: it acknowledges nothing, then or later.
func TestFailedSyncStops(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	inject := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileWrite) {
			return errorfs.ErrInjected
		}
		return nil
	})
	c := config(t)
	mem := vfs.NewMem()
	c.Dir, c.HeadFile, c.FS = "data", "", errorfs.Wrap(mem, inject)
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	first := enter(t, l, toy.GrantTx(toy.Key(2), 1))
	failing.Store(true)
	for i := range 3 {
		hash, err := l.Submit(limit(t), toy.GrantTx(toy.Key(3+i), 1))
		if err == nil {
			_, err = l.Wait(limit(t), hash)
		}
		if !errors.Is(err, engine.ErrStopped) {
			t.Fatalf("transaction %d after a failed sync: %v", i, err)
		}
	}
	if l.Head().Height != 1 || l.Err() == nil {
		t.Errorf("head %d, error %v; what was not synced is shown", l.Head().Height, l.Err())
	}
	if err := l.Close(); err == nil {
		t.Log("the store closed in spite of the failure")
	}
	failing.Store(false)
	c.FS = mem
	l = open(t, c)
	if e, err := l.Entry(first.Hash); err != nil || e.Height != 1 {
		t.Errorf("the acknowledged transaction: %+v %v", e, err)
	}
	audit(t, l)
}

// A damaged directory is refused with the reason.
func TestDamageIsFoundOnOpen(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "x", 1))
	// A header that nobody executed, as a buggy or hostile program might leave it.
	h := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*chain.Header){
		"root":     func(h *chain.Header) { h.Root[0] ^= 1 },
		"streams":  func(h *chain.Header) { h.Streams[0] ^= 1 },
		"results":  func(h *chain.Header) { h.Results[0] ^= 1 },
		"previous": func(h *chain.Header) { h.Previous[0] ^= 1 },
		"log":      func(h *chain.Header) { h.Count++ },
	} {
		bad := h
		change(&bad)
		rewriteHeader(t, c.Dir, bad)
		// The store finds it by itself, before the checkpoint gives it away.
		s, err := store.Open(c.Dir, c.Genesis, store.Options{})
		if err == nil {
			err = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: opened with %v", name, err)
		}
	}
	rewriteHeader(t, c.Dir, h)
	open(t, c)
}
