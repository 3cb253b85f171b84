package solo

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
)

// copyDir copies a closed data directory.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestFault06OldBackup(t *testing.T) {
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

// TestFault07TwoCopies: of two ledgers on copies of one directory, beside one
// key, only one runs; and when it has signed, the other copy is an old one. The
// control takes the head file away: both run, and sign two histories.
func TestFault07TwoCopies(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other := c
	other.Dir = filepath.Join(t.TempDir(), "copy")
	copyDir(t, c.Dir, other.Dir)
	l = open(t, c)
	if _, err := Open(other); err == nil {
		t.Error("two ledgers run beside one key")
	}
	enter(t, l, toy.GrantTx(toy.Key(3), 1))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(other); !errors.Is(err, ErrRolledBack) {
		t.Errorf("the other copy: %v", err)
	}
	c.HeadFile, other.HeadFile = "", ""
	one, two := open(t, c), open(t, other)
	enter(t, two, toy.GrantTx(toy.Key(4), 1))
	a, err := one.Header(2)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := two.Header(2); err != nil || a == b {
		t.Errorf("the control: without the head file there is one history: %v", err)
	}
}

func TestFault07SecondWriter(t *testing.T) {
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
