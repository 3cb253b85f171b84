package solo

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/wire"
)

// promises are what a ledger has told anyone: no fault may make it untrue.
type promises struct {
	mu      sync.Mutex
	entries map[wire.TxHash]engine.Entry
	heads   map[uint64]chain.Header
}

func newPromises() *promises {
	return &promises{entries: map[wire.TxHash]engine.Entry{}, heads: map[uint64]chain.Header{}}
}

// entered keeps an entry that Wait has returned.
func (p *promises) entered(e engine.Entry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries[e.Hash] = e
}

// saw keeps a head that was shown.
func (p *promises) saw(h chain.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads[h.Height] = h
}

// clone is what had been told at this moment.
func (p *promises) clone() *promises {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &promises{entries: maps.Clone(p.entries), heads: maps.Clone(p.heads)}
}

// errUntrue is a promise that a ledger breaks without saying that it cannot read.
var errUntrue = errors.New("it says otherwise now")

// broken counts what a ledger no longer stands by, and names one of it.
func (p *promises) broken(l *Ledger) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for hash, want := range p.entries {
		got, e := l.Entry(hash)
		if e == nil && (got.Height != want.Height || got.Index != want.Index || got.Result.Code != want.Result.Code) || errors.Is(e, engine.ErrUnknown) {
			e = errUntrue
		}
		if e != nil {
			n, err = n+1, fmt.Errorf("%s of block %d, now %s of block %d: %w", want.Name(), want.Height, got.Name(), got.Height, e)
		}
	}
	for height, want := range p.heads {
		got, e := l.Header(height)
		if e == nil && got != want || errors.Is(e, engine.ErrUnknown) {
			e = errUntrue
		}
		if e != nil {
			n, err = n+1, fmt.Errorf("block %d was shown as %v, now %v: %w", height, want.Hash(), got.Hash(), e)
		}
	}
	return n, err
}

// load has four clients enter transactions, each waiting for its own, and a
// reader who looks at the head. It ends when all are done or the ledger stops.
func (p *promises) load(t *testing.T, l *Ledger, series uint64, each int) {
	ctx := limit(t)
	stop := make(chan struct{})
	var reader, clients sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				p.saw(l.Head())
			}
		}
	})
	for i := range 4 {
		clients.Go(func() {
			if _, err := enginetest.Enter(ctx, l, toy.GrantTx(toy.Key(2), 0)); err != nil {
				t.Error(err)
				return
			}
			for j := range each {
				n := series<<16 + uint64(i)<<8 + uint64(j)
				e, err := enginetest.Enter(ctx, l, toy.Tx(toy.Key(2), toy.Note, toy.Stream(i), fmt.Sprint(n), n))
				if err != nil {
					if !errors.Is(err, engine.ErrStopped) {
						t.Error(err)
					}
					return
				}
				p.entered(e)
			}
		})
	}
	clients.Wait()
	close(stop)
	reader.Wait()
}

// crashable is a disk in memory that knows what of it was synced.
func crashable(t *testing.T) *vfs.MemFS {
	fs := vfs.NewCrashableMem()
	if err := fs.MkdirAll("keys", 0o700); err != nil {
		t.Fatal(err)
	}
	if d, err := fs.OpenDir(""); err != nil || errors.Join(d.Sync(), d.Close()) != nil {
		t.Fatal(err)
	}
	return fs
}

// powerCuts runs a ledger under load through power cuts, each just before some
// change of the disk, be it in the middle of a block, in the open that follows
// the cut before, or in between. It returns how many promises were broken.
func powerCuts(t *testing.T, seed uint64, cuts int, lies bool) (lost int) {
	r := rand.New(rand.NewPCG(seed, 1))
	mem := crashable(t)
	c := config(t)
	c.Dir, c.MemTable, c.HeadFile = "data", 64<<10, "keys/head"
	if lies {
		c.HeadFile = "" // it would refuse the restart, which is another test
	}
	told, span := newPromises(), int64(80)
	for cut := range cuts {
		disk := faulty.New(mem)
		if lies {
			disk.Lie()
		}
		c.FS = disk
		var next *vfs.MemFS
		var kept *promises
		power := func() {
			kept = told.clone() // before the clone: what is told later may be lost
			next = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
		}
		at := 1 + r.Int64N(span)
		disk.BeforeEach(func(change int64) {
			if change == at {
				power()
			}
		})
		l, err := Open(c)
		if err != nil && lies { // a log with a hole: that is noticed as well
			return lost + len(told.entries)
		}
		if err != nil {
			t.Fatalf("seed %d, cut %d: %v", seed, cut, err)
		}
		n, err := told.broken(l)
		if n > 0 && !lies {
			t.Errorf("seed %d, cut %d: %v", seed, cut, err)
		}
		if lost += n; n > 0 {
			told = newPromises()
		}
		if err := enginetest.Audit(l); err != nil {
			t.Errorf("seed %d, cut %d: %v", seed, cut, err)
		}
		told.load(t, l, seed<<8|uint64(cut), 4+int(seed%7))
		span = max(40, disk.Changes())
		disk.BeforeEach(nil)
		if next == nil {
			power()
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		mem, told = next, kept
	}
	return lost
}

// TestFault01PowerCuts: no cut at any moment makes untrue what a ledger told.
func TestFault01PowerCuts(t *testing.T) {
	t.Parallel()
	seeds, cuts := 8, 5
	if faulty.Long() {
		seeds, cuts = 120, 6
	}
	for seed := range seeds {
		if powerCuts(t, uint64(seed), cuts, false) > 0 {
			t.Errorf("seed %d: what was acknowledged is gone", seed)
		}
	}
}

// The control: on a disk that does not sync when it is told to, the same cuts
// must break something, else the test above shows nothing.
func TestFault01Control(t *testing.T) {
	t.Parallel()
	lost := 0
	for seed := range uint64(4) {
		lost += powerCuts(t, seed, 4, true)
	}
	if lost == 0 {
		t.Error("nothing was lost without a sync; the power cut is not one")
	}
}
