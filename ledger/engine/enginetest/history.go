package enginetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// History is what concurrent callers of a ledger did and were told. To all of
// them together the ledger must look like one list that grows at its end:
// linearizable. A write's place in the log is where it took effect, so the
// order is given and the history is checked by comparing ends with beginnings.
type History struct {
	now    atomic.Uint64
	mu     sync.Mutex
	writes []written
	reads  []sized
	looks  []looked
}

// span is from a call's beginning to its end, by one counter for all callers.
type span struct{ from, to uint64 }

type written struct {
	span
	hash  wire.TxHash
	place uint64
}

// sized is a read of the log's size.
type sized struct {
	span
	size uint64
}

// looked is a search for a transaction.
type looked struct {
	span
	hash  wire.TxHash
	found bool
	place uint64
}

func (h *History) begin() uint64 { return h.now.Add(1) }

func (h *History) record(add func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	add()
}

// Write enters a transaction.
func (h *History) Write(t testing.TB, e engine.Engine, raw []byte) {
	from := h.begin()
	got, err := Enter(limit(t), e, raw)
	to := h.now.Add(1)
	if err != nil {
		t.Error(err)
		return
	}
	at, err := place(e, got)
	if err != nil {
		t.Error(err)
		return
	}
	h.record(func() { h.writes = append(h.writes, written{span{from, to}, got.Hash, at}) })
}

// place is an entry's place in the log, which no later read can change.
func place(e engine.Engine, entry engine.Entry) (uint64, error) {
	header, err := e.Header(entry.Height)
	return header.First + uint64(entry.Index), err
}

// Size reads the size of the log.
func (h *History) Size(e engine.Engine) {
	from := h.begin()
	n := size(e)
	to := h.now.Add(1)
	h.record(func() { h.reads = append(h.reads, sized{span{from, to}, n}) })
}

// Look searches for a transaction.
func (h *History) Look(t testing.TB, e engine.Engine, hash wire.TxHash) {
	from := h.begin()
	got, err := e.Entry(hash)
	to := h.now.Add(1)
	l := looked{span: span{from, to}, hash: hash, found: err == nil}
	if err == nil {
		l.place, err = place(e, got)
	} else if errors.Is(err, engine.ErrUnknown) {
		err = nil
	}
	if err != nil {
		t.Error(err)
		return
	}
	h.record(func() { h.looks = append(h.looks, l) })
}

// Check returns what no growing list could have answered.
func (h *History) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := map[wire.TxHash]written{}
	for _, w := range h.writes {
		first, again := at[w.hash]
		if again && first.place != w.place {
			return fmt.Errorf("one transaction at places %d and %d", first.place, w.place)
		}
		if again { // it entered between the first beginning and the first end
			w.span = span{min(w.from, first.from), min(w.to, first.to)}
		}
		at[w.hash] = w
	}
	for _, check := range []func(map[wire.TxHash]written) error{h.checkWrites, h.checkReads, h.checkLooks} {
		if err := check(at); err != nil {
			return err
		}
	}
	return nil
}

// checkWrites: a write that ended before another began stands before it.
func (h *History) checkWrites(at map[wire.TxHash]written) error {
	places := map[uint64]wire.TxHash{}
	for hash, a := range at {
		if other, taken := places[a.place]; taken {
			return fmt.Errorf("transactions %v and %v are both at place %d", hash, other, a.place)
		}
		places[a.place] = hash
		for _, b := range at {
			if a.to < b.from && a.place >= b.place {
				return fmt.Errorf("a write at place %d was over before the one at place %d began", a.place, b.place)
			}
		}
	}
	return nil
}

// checkReads: a size has what was written before, has not what was begun after,
// and never goes back.
func (h *History) checkReads(at map[wire.TxHash]written) error {
	for _, r := range h.reads {
		for _, w := range at {
			if w.to < r.from && w.place >= r.size {
				return fmt.Errorf("the log had %d transactions when the write at place %d was over", r.size, w.place)
			}
			if r.to < w.from && w.place < r.size {
				return fmt.Errorf("the log had %d transactions before the write at place %d began", r.size, w.place)
			}
		}
		for _, later := range h.reads {
			if r.to < later.from && later.size < r.size {
				return fmt.Errorf("the log had %d transactions and then %d", r.size, later.size)
			}
		}
	}
	return nil
}

// checkLooks: what was written before is found, where it was written; what was
// found is found ever after, and is in every size read later.
func (h *History) checkLooks(at map[wire.TxHash]written) error {
	for _, l := range h.looks {
		w, known := at[l.hash]
		switch {
		case l.found && known && l.place != w.place:
			return fmt.Errorf("a transaction of place %d was found at %d", w.place, l.place)
		case l.found && known && l.to < w.from:
			return fmt.Errorf("the transaction of place %d was found before it was sent", w.place)
		case !l.found && known && w.to < l.from:
			return fmt.Errorf("the transaction of place %d was not found when its write was over", w.place)
		}
		for _, later := range h.looks {
			if l.found && later.hash == l.hash && l.to < later.from && !later.found {
				return fmt.Errorf("the transaction of place %d was found and then not", l.place)
			}
		}
		for _, r := range h.reads {
			if l.found && l.to < r.from && l.place >= r.size {
				return fmt.Errorf("the transaction of place %d was found, and then the log had %d", l.place, r.size)
			}
		}
	}
	return nil
}

// linearizable: callers that write and read at once cannot tell the ledger from
// one list that grows at its end.
func linearizable(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	h := new(History)
	raw := func(n int) []byte { return toy.Tx(k, toy.Note, toy.Stream(n%3), fmt.Sprint(n), uint64(n+1)) }
	const writers, each = 8, 15
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				h.Write(t, e, raw(i*each+j))
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 0)) //nolint:gosec // it only chooses what to ask for
			for range each {
				h.Size(e)
				h.Look(t, e, tx.Hash(raw(r.IntN(writers*each))))
				h.Write(t, e, raw(r.IntN(writers*each))) // somebody else's, perhaps at the same time
			}
		})
	}
	wg.Wait()
	if err := h.Check(); err != nil {
		t.Error(err)
	}
	audit(t, e)
}
