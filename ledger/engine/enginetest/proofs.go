package enginetest

import (
	"bytes"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/wire"
)

// receipts: every entry's receipt verifies, now and when the log has grown; no
// receipt proves another entry.
func receipts(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	kept := map[wire.TxHash][]byte{}
	for i := range 30 {
		got := enter(t, e, toy.Tx(k, toy.Add, toy.Stream(i%3), fmt.Sprint(i/2), uint64(i+1)))
		p := proven(t, e, got.Hash)
		if p.Link != got.Link(p.Link.Previous) || p.Accepted() != (got.Result.Code == engine.Accepted) {
			t.Errorf("%s: proven %+v, entered %+v", got.Name(), p.Link, got)
		}
		kept[got.Hash] = p.Link.Leaf()
	}
	for hash, leaf := range kept {
		p := proven(t, e, hash)
		if !bytes.Equal(p.Link.Leaf(), leaf) {
			t.Errorf("%v: another leaf than when it entered", hash)
		}
		h := e.Head()
		path, err := e.InclusionProof(p.Index, h.Size())
		if err == nil {
			err = chain.VerifyInclusion(leaf, p.Index, h.Size(), path, h.Root)
		}
		if err != nil {
			t.Errorf("%v: inclusion under the newest head: %v", hash, err)
		}
	}
}

// proven is what a transaction's receipt says.
func proven(t testing.TB, e engine.Engine, hash wire.TxHash) receipt.Proven {
	t.Helper()
	r, err := e.Receipt(hash)
	if err != nil {
		t.Fatal(err)
	}
	p, err := VerifyReceipt(e.Genesis(), r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// streamProofs: at each head, each stream's head is proven, and an absent one absent.
func streamProofs(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	counts := map[wire.StreamID]uint64{wire.Directory: 1}
	for i := range 12 {
		got := enter(t, e, toy.Tx(k, toy.Note, toy.Stream(i%5), fmt.Sprint(i), uint64(i+1)))
		counts[got.Stream]++
		for n := range 7 {
			id := toy.Stream(n)
			p, err := e.StreamProof(id)
			if err == nil {
				err = p.Verify(e.Head())
			}
			if err != nil || p.Stream.Count != counts[id] {
				t.Errorf("stream %d after %d: count %d, want %d: %v", n, i, p.Stream.Count, counts[id], err)
			}
			p.Stream.Count++
			if p.Verify(e.Head()) == nil {
				t.Errorf("stream %d: a changed proof verifies", n)
			}
		}
	}
}

// consistency: of all heads that anyone saw, each extends each before it.
func consistency(t testing.TB, open Open) {
	o := options(t)
	e := open(t, o)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	heads := map[uint64]chain.Header{}
	for i := range 12 {
		if i == 6 {
			shut(t, e)
			e = open(t, o)
		}
		heads[e.Head().Height] = e.Head()
		var last wire.TxHash
		for j := range i%4 + 1 {
			last = submit(t, e, toy.Tx(k, toy.Note, toy.Stream(j), fmt.Sprint(i, j), uint64(100*i+j+1)))
		}
		wait(t, e, last)
		heads[e.Head().Height] = e.Head()
	}
	defer shut(t, e)
	for _, a := range heads {
		for _, b := range heads {
			if a.Size() > b.Size() {
				continue
			}
			p, err := e.ConsistencyProof(a.Size(), b.Size())
			if err == nil {
				err = chain.VerifyConsistency(a.Size(), b.Size(), p, a.Root, b.Root)
			}
			if err != nil {
				t.Errorf("heights %d and %d: %v", a.Height, b.Height, err)
			}
		}
		extends(t, e, a)
	}
}

// reexecution: two runs of one machine over one workload come to the blocks'
// own headers, whatever GOMAXPROCS is.
func reexecution(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	raws := Load(t, e, 8, 12)
	for _, procs := range []int{1, 2, 8} {
		err := withProcs(procs, func() error {
			return Reexecute(e, new(toy.Machine), func(h wire.TxHash) []byte { return raws[h] })
		})
		if err != nil {
			t.Errorf("at GOMAXPROCS %d: %v", procs, err)
		}
	}
}

var procs sync.Mutex

// withProcs runs fn at a number of processors; one at a time.
func withProcs(n int, fn func() error) error {
	procs.Lock()
	defer procs.Unlock()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	return fn()
}

// Load has clients enter transactions at once, of which a third are refused by
// a rule and a few are of the directory. It returns their bytes.
func Load(t testing.TB, e engine.Engine, clients, each int) map[wire.TxHash][]byte {
	t.Helper()
	raws := map[wire.TxHash][]byte{}
	var mu sync.Mutex
	send := func(raw []byte) {
		got, err := Enter(limit(t), e, raw)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		raws[got.Hash] = raw
	}
	base := 1000 * (e.Head().Size() + 1)
	for i := range clients {
		send(toy.GrantTx(toy.Key(i), base))
	}
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for j := range each {
				n := base + uint64(j+1)
				switch {
				case j%7 == 6:
					send(toy.GrantTx(toy.Key(i), n))
				case j%3 == 2:
					send(toy.Tx(toy.Key(i), toy.Add, toy.Stream(i%3), "taken by one", n))
				default:
					send(toy.Tx(toy.Key(i), toy.Add, toy.Stream(i%3), fmt.Sprint(i, n), n))
				}
			}
		})
	}
	wg.Wait()
	return raws
}
