package solo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/wire"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("TRIALITH_HOME"); dir != "" {
		fmt.Fprintln(os.Stderr, liveMain(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

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

func stream(t testing.TB, l *Ledger, id wire.StreamID) chain.Stream {
	t.Helper()
	s, err := l.Stream(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// audit checks everything that the ledger's read side says against itself.
func audit(t testing.TB, l *Ledger) {
	t.Helper()
	if err := enginetest.Audit(l); err != nil {
		t.Fatal(err)
	}
}

// TestOneBlock: what is queued while a block executes is one block, in the
// order of arrival but for the directory, which goes first.
func TestOneBlock(t *testing.T) {
	t.Parallel()
	c := config(t)
	hold := make(chan struct{}, 1)
	m := &toy.Machine{Hold: hold}
	c.Machine = m
	l := open(t, c)
	k, trial := toy.Key(2), toy.Stream(1)
	hold <- struct{}{}
	enter(t, l, toy.GrantTx(k, 0))
	if _, err := l.Submit(limit(t), toy.GrantTx(k, 1)); err != nil {
		t.Fatal(err)
	}
	for m.Blocks.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	// Block 2 executes, and waits.
	var hashes []wire.TxHash
	for _, raw := range [][]byte{
		toy.Tx(k, toy.Add, trial, "x", 1),
		toy.Tx(k, toy.Add, trial, "x", 2),
		toy.Tx(k, toy.Add, trial, "y", 3),
		toy.Tx(k, toy.Note, toy.Stream(2), "n", 4),
		toy.GrantTx(toy.Key(3), 5),
	} {
		hash, err := l.Submit(limit(t), raw)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	close(hold)
	for i, want := range []struct {
		index     uint32
		name      string
		code      engine.Code
		directory uint64
	}{{1, "trial/0", 0, 3}, {2, "trial/1", toy.Taken, 3}, {3, "trial/2", 0, 3}, {4, "trial/0", 0, 3}, {0, "directory/2", 0, 2}} {
		e, err := l.Wait(limit(t), hashes[i])
		if err != nil {
			t.Fatal(err)
		}
		if e.Height != 3 || e.Index != want.index || e.Name() != want.name || e.Result.Code != want.code || e.Directory != want.directory {
			t.Errorf("entry %d: height %d index %d %s code %d directory %d, want %+v in block 3",
				i, e.Height, e.Index, e.Name(), e.Result.Code, e.Directory, want)
		}
	}
	audit(t, l)
}

func TestFault07OneDirectory(t *testing.T) {
	t.Parallel()
	c := config(t)
	l := open(t, c)
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	if _, err := Open(c); err == nil {
		t.Error("two writers have the directory open")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	other := c
	other.Genesis.Name = "Another"
	other.HeadFile = ""
	if _, err := Open(other); err == nil {
		t.Error("the directory was opened as another ledger's")
	}
}

// headClock is a clock that reads the ledger it serves, as a demonstration's may.
type headClock struct{ l *Ledger }

func (c *headClock) Now() int64 {
	if c.l == nil {
		return toy.Genesis().Time
	}
	return c.l.Head().Time + 1000
}

func TestClockMayReadTheHead(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(headClock)
	c.Clock = clock
	l := open(t, c)
	clock.l = l
	if e := enter(t, l, toy.GrantTx(toy.Key(2), 1)); e.Time != toy.Genesis().Time+1000 {
		t.Errorf("time %d", e.Time)
	}
}

// BenchmarkSubmit waits for each transaction, 64 at a time on two cores.
func BenchmarkSubmit(b *testing.B) {
	l := open(b, config(b))
	k := toy.Key(2)
	enter(b, l, toy.GrantTx(k, 1<<40))
	var n atomic.Uint64
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			raw := toy.Tx(k, toy.Note, toy.Stream(int(i%4)), "body", i)
			hash, err := l.Submit(context.Background(), raw)
			if err == nil {
				_, err = l.Wait(context.Background(), hash)
			}
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
}
