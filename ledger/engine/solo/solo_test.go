package solo

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/internal/toy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(t testing.TB) Config {
	dir := t.TempDir()
	return Config{
		Dir: filepath.Join(dir, "data"), HeadFile: filepath.Join(dir, "head"), Key: toy.Key(0),
		Machine: new(toy.Machine), Genesis: toy.Genesis(), MemTable: 1 << 20,
	}
}

func open(t testing.TB, c Config) *Ledger {
	t.Helper()
	l, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// enter submits a transaction and waits for its entry.
func enter(t testing.TB, l *Ledger, raw []byte) engine.Entry {
	t.Helper()
	ctx := limit(t)
	hash, err := l.Submit(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Wait(ctx, hash)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOneTransaction(t *testing.T) {
	t.Parallel()
	l := open(t, config(t))
	if h := l.Head(); h != toy.Genesis().Header() {
		t.Fatalf("head of an empty ledger: %+v", h)
	}
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	e := enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "x", 2))
	if e.Result.Code != engine.Accepted || e.Name() != "trial/0" || e.Height != 2 || e.Directory != 1 {
		t.Fatalf("entry: %+v", e)
	}
	r, err := l.Receipt(e.Hash)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Verify(toy.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if p.Index != 1 || p.Link.Hash != e.Hash || !p.Accepted() {
		t.Fatalf("proven: %+v", p)
	}
	c, err := chain.OpenCheckpoint(toy.Genesis(), l.Checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Matches(l.Head()); err != nil {
		t.Fatal(err)
	}
}
