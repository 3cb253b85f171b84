package solo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/enginetest"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/internal/faulty"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/wire"
)

const day = int64(24 * time.Hour / time.Millisecond)

// expired returns an entry that is in a block although its expiry had come.
func expired(entries []engine.Entry, expiry map[wire.TxHash]int64) error {
	for _, e := range entries {
		if at, ok := expiry[e.Hash]; ok && e.Time >= at {
			return fmt.Errorf("%s: in a block of %d, expired at %d", e.Name(), e.Time, at)
		}
	}
	return nil
}

// TestFault12ClockJumps: while clients send, the clock jumps up to a day either
// way, and again over a restart. Time never goes back, nothing enters that has
// expired, and who is told "expired" is told the truth.
func TestFault12ClockJumps(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + day)
	c.Clock = clock
	expiry := map[wire.TxHash]int64{}
	var mu sync.Mutex
	late := 0
	r := rand.New(rand.NewPCG(12, 0))
	for run := range 3 {
		l := open(t, c)
		enter(t, l, toy.GrantTx(toy.Key(2), 0))
		stop := make(chan struct{})
		var jumps, clients sync.WaitGroup
		jumps.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					clock.T.Add(r.Int64N(2*day) - day + 1000) // a little forth on the whole
					time.Sleep(200 * time.Microsecond)
				}
			}
		})
		ctx := limit(t)
		for i := range 4 {
			clients.Go(func() {
				for j := range 30 {
					until := clock.Now() + day/2*int64(j%4)
					raw := toy.TxUntil(toy.Key(2), toy.Note, toy.Stream(i), "x", uint64(run<<16|i<<8|j+1), until)
					e, err := enginetest.Enter(ctx, l, raw)
					mu.Lock()
					switch {
					case err == nil:
						expiry[e.Hash] = until
					case errors.Is(err, engine.ErrExpired), errors.Is(err, engine.ErrUnknown):
						late++
					default:
						t.Error(err)
					}
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		close(stop)
		jumps.Wait()
		audit(t, l) // holds the headers' times to rising
		entries, err := l.Entries(0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if err := expired(entries, expiry); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		clock.T.Add([]int64{-3 * day, 3 * day, 0}[run])
	}
	if late == 0 || len(expiry) == 0 {
		t.Errorf("%d entered, %d were late; the clock does not jump", len(expiry), late)
	}
}

// The control: an entry after its expiry, and a header whose time goes back,
// are found.
func TestFault12Control(t *testing.T) {
	t.Parallel()
	if expired([]engine.Entry{{Hash: wire.TxHash{1}, Time: 5}}, map[wire.TxHash]int64{{1}: 5}) == nil {
		t.Error("an expired entry passes")
	}
	l := open(t, config(t))
	enter(t, l, toy.GrantTx(toy.Key(2), 0))
	enter(t, l, toy.GrantTx(toy.Key(2), 1))
	headers, err := l.Headers(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	headers[1].Time = headers[0].Time - day
	if chain.CheckHeaders(toy.Genesis(), headers) == nil {
		t.Error("a header whose time goes back passes")
	}
}

// history runs a workload from a seed, one transaction after another by a clock
// that moves with them, and returns every header and the bytes of what entered.
func history(t *testing.T, m engine.StateMachine, seed uint64) ([]chain.Header, *Ledger, map[wire.TxHash][]byte) {
	t.Helper()
	c := config(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1)
	c.Clock, c.Machine = clock, m
	l := open(t, c)
	r := rand.New(rand.NewPCG(seed, 13))
	raws := map[wire.TxHash][]byte{}
	for i := range 60 {
		k := toy.Key(2 + r.IntN(3))
		raw := toy.GrantTx(k, uint64(i))
		if i >= 3 && r.IntN(8) > 0 {
			raw = toy.Tx(k, toy.Add, toy.Stream(r.IntN(4)), fmt.Sprint(r.IntN(20)), uint64(i))
		}
		e, err := enginetest.Enter(limit(t), l, raw)
		if err == nil {
			raws[e.Hash] = raw
		} else if !errors.Is(err, engine.ErrRefused) {
			t.Fatal(err)
		}
		clock.T.Add(int64(r.IntN(5)))
	}
	headers, err := l.Headers(1, l.Head().Height)
	if err != nil {
		t.Fatal(err)
	}
	return headers, l, raws
}

// replayed replays each trial from its entries alone.
func replayed(t *testing.T, l *Ledger, headers []chain.Header) {
	t.Helper()
	directory, err := l.StreamEntries(wire.Directory, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		trial, err := l.StreamEntries(toy.Stream(n), 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		got, err := replay.Run(new(toy.Machine), toy.Genesis(), directory, trial, headers)
		if err == nil {
			err = got.Match(stream(t, l, wire.Directory), stream(t, l, toy.Stream(n)))
		}
		if err != nil {
			t.Errorf("trial %d: %v", n, err)
		}
	}
}

// TestFault13Determinism: equal transactions at equal times make equal headers
// at every height, at any GOMAXPROCS, by the ledger, by executing its blocks
// anew, and by replaying each trial alone. That several at once make what their
// blocks say is the conformance suite's Reexecution.
func TestFault13Determinism(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if faulty.Long() {
		seeds = 20
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range seeds {
		var first []chain.Header
		for _, procs := range []int{1, 2, 8} {
			runtime.GOMAXPROCS(procs)
			headers, l, raws := history(t, new(toy.Machine), seed)
			if first == nil {
				first = headers
				replayed(t, l, headers)
			}
			if err := same(first, headers); err != nil {
				t.Errorf("seed %d, GOMAXPROCS %d: %v", seed, procs, err)
			}
			if err := enginetest.Reexecute(l, new(toy.Machine), func(h wire.TxHash) []byte { return raws[h] }); err != nil {
				t.Errorf("seed %d, GOMAXPROCS %d: %v", seed, procs, err)
			}
		}
	}
}

func same(a, b []chain.Header) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d blocks and %d", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			return fmt.Errorf("block %d: %+v and %+v", i+1, a[i], b[i])
		}
	}
	return nil
}

// The control: a machine that writes what depends on the run is found by both.
func TestFault13Control(t *testing.T) {
	t.Parallel()
	a, _, _ := history(t, new(counting), 1)
	m := new(counting)
	m.n = 100
	b, l, raws := history(t, m, 1)
	if same(a, b) == nil {
		t.Error("two runs that write other things have the same headers")
	}
	if enginetest.Reexecute(l, m, func(h wire.TxHash) []byte { return raws[h] }) == nil {
		t.Error("executed again, what it writes is the same")
	}
}

// counting is a machine that counts over its whole life.
type counting struct {
	toy.Machine
	n int
}

func (c *counting) Execute(p engine.Pending, directory state.View, s state.Store) engine.Result {
	c.n++
	s.Set([]byte("count"), fmt.Append(nil, c.n))
	return c.Machine.Execute(p, directory, s)
}
