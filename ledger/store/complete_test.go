package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
)

// An old backup is completed with what a mirror keeps of the blocks since. The
// ledger then has the same head, and goes on; what was refused stays refused.
func TestOldBackupIsCompleted(t *testing.T) {
	t.Parallel()
	fsys, _ := closed(t)
	l, err := solo.Open(config(fsys))
	if err != nil {
		t.Fatal(err)
	}
	refused := toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "taken", 901)
	enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "taken", 900), refused, toy.GrantTx(toy.Key(4), 902))
	crowd(t, l)
	head := l.Head()
	kept := map[uint64][]engine.Entry{}
	headers, err := l.Headers(1, head.Height)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		b, err := l.Block(h.Height)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entries { // as a mirror keeps them
			kept[h.Height] = append(kept[h.Height], engine.Entry{
				Stream: e.Stream, Hash: e.Hash, Result: engine.Result{Code: e.Result.Code}, Envelope: e.Envelope,
			})
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(change func(h *chain.Header, es []engine.Entry)) store.RestoreOptions {
		return store.RestoreOptions{FS: fsys, Known: []store.Mark{{Height: head.Height, Header: head.Hash()}}, Complete: func(s *store.Store) error {
			snap := s.Snapshot()
			at := snap.Head().Height
			snap.Release()
			for _, h := range headers[at:] {
				es := append([]engine.Entry(nil), kept[h.Height]...)
				change(&h, es)
				if err := s.Complete(new(toy.Machine), h, es); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	for name, change := range map[string]func(*chain.Header, []engine.Entry){
		"a code":        func(_ *chain.Header, es []engine.Entry) { es[0].Result.Code ^= 1 },
		"a hash":        func(_ *chain.Header, es []engine.Entry) { es[0].Hash[3] ^= 1 },
		"a stream":      func(_ *chain.Header, es []engine.Entry) { es[0].Stream[3] ^= 1 },
		"the root":      func(h *chain.Header, _ []engine.Entry) { h.Root[0] ^= 1 },
		"the streams":   func(h *chain.Header, _ []engine.Entry) { h.Streams[0] ^= 1 },
		"a header lost": func(h *chain.Header, _ []engine.Entry) { h.Height++ },
	} {
		if _, _, err := store.Restore("backup", "restored", with(change)); err == nil {
			t.Fatalf("%s: completed", name)
		}
		for _, dir := range []string{"restored", "restored.restoring"} {
			if _, err := fsys.Stat(dir); err == nil {
				t.Errorf("%s: left %s", name, dir)
			}
		}
	}
	if _, _, err := store.Restore("backup", "restored", store.RestoreOptions{FS: fsys, Known: with(nil).Known}); !errors.Is(err, store.ErrOld) {
		t.Errorf("without the blocks: %v", err)
	}
	_, f, err := store.Restore("backup", "restored", with(func(*chain.Header, []engine.Entry) {}))
	if err != nil || f.Height != head.Height || f.Header != head.Hash() {
		t.Fatalf("%+v, %v", f, err)
	}
	c := config(fsys)
	c.Dir = "restored"
	back, err := solo.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close() //nolint:errcheck // what matters was checked
	if back.Head() != head {
		t.Errorf("head %+v, it was %+v", back.Head(), head)
	}
	hash, err := back.Submit(t.Context(), refused)
	if err != nil || hash != tx.Hash(refused) || back.Head() != head {
		t.Errorf("the refused transaction again: %v, %v", hash, err)
	}
	e, err := back.Entry(hash)
	if err != nil || e.Result.Code != toy.Taken || len(e.Envelope) > 0 {
		t.Errorf("the refused transaction: %+v, %v", e, err)
	}
	if _, err := back.Submit(t.Context(), toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "other", 900)); !errors.Is(err, engine.ErrDuplicate) {
		t.Errorf("a key that an accepted transaction used: %v", err)
	}
	enter(t, back, toy.Tx(toy.Key(4), toy.Add, toy.Stream(1), "on", 903))
	// Its state does not say that the refused one entered: who took it up from a
	// snapshot would let it in again.
	if _, err := back.TakeSnapshot(store.Snapshots{FS: fsys, Dir: "snapshots"}); err == nil || !strings.Contains(err.Error(), "completed") {
		t.Errorf("a snapshot of it: %v", err)
	}
}
