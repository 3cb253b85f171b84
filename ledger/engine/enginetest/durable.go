package enginetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/wire"
)

func closeDrains(t testing.TB, open Open) {
	o := options(t)
	e := open(t, o)
	hashes := make([]wire.TxHash, 50)
	for i := range hashes {
		hashes[i] = submit(t, e, toy.GrantTx(toy.Key(2+i), 1))
	}
	shut(t, e)
	e = open(t, o)
	defer shut(t, e)
	for _, h := range hashes {
		if _, err := e.Entry(h); err != nil {
			t.Error(err)
		}
	}
	audit(t, e)
}

// closed: a ledger that was closed says so, and shows nothing that is not there.
func closed(t testing.TB, open Open) {
	e := open(t, options(t))
	got := enter(t, e, toy.GrantTx(toy.Key(2), 1))
	shut(t, e)
	_, err := e.Submit(limit(t), toy.GrantTx(toy.Key(5), 1))
	wants(t, "submitted", err, engine.ErrClosed)
	_, err = e.Wait(limit(t), got.Hash)
	wants(t, "waited", err, engine.ErrClosed)
	_, err = e.Entry(got.Hash)
	wants(t, "read an entry", err, engine.ErrClosed)
	_, err = e.Receipt(got.Hash)
	wants(t, "read a receipt", err, engine.ErrClosed)
	wants(t, "closed again", e.Close(), engine.ErrClosed)
	if e.Head() != (chain.Header{}) || e.Checkpoint() != nil {
		t.Errorf("head %+v, checkpoint %q", e.Head(), e.Checkpoint())
	}
	v, release := e.View(wire.Directory)
	defer release()
	v.Scan(nil, func(key, _ []byte) bool {
		t.Errorf("the state has %q", key)
		return false
	})
}

func restart(t testing.TB, open Open) {
	o := options(t)
	e := open(t, o)
	enter(t, e, toy.GrantTx(toy.Key(2), 1))
	for i := range 20 {
		enter(t, e, toy.Tx(toy.Key(2), toy.Add, toy.Stream(i%3), fmt.Sprint(i), uint64(i)))
	}
	head, checkpoint := e.Head(), string(e.Checkpoint())
	shut(t, e)
	e = open(t, o)
	defer shut(t, e)
	if e.Head() != head || string(e.Checkpoint()) != checkpoint {
		t.Errorf("head after a restart %+v, before %+v", e.Head(), head)
	}
	got := enter(t, e, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "after", 99))
	if got.Height != head.Height+1 || got.Sequence != 7 {
		t.Errorf("%s at height %d after %d", got.Name(), got.Height, head.Height)
	}
	audit(t, e)
	extends(t, e, head)
}

// extends checks that the log goes on from where it was at a head.
func extends(t testing.TB, e engine.Engine, head chain.Header) {
	t.Helper()
	h, err := e.Header(head.Height)
	if err != nil || h != head {
		t.Errorf("header %d is %+v, was %+v: %v", head.Height, h, head, err)
	}
	if head.Size() == 0 {
		return
	}
	now := e.Head()
	p, err := e.ConsistencyProof(head.Size(), now.Size())
	if err == nil {
		err = chain.VerifyConsistency(head.Size(), now.Size(), p, head.Root, now.Root)
	}
	if err != nil {
		t.Errorf("the log of height %d does not go on from height %d: %v", now.Height, head.Height, err)
	}
}

// timeIsMonotone: block times rise, whatever the clock does.
func timeIsMonotone(t testing.TB, open Open) {
	o := options(t)
	clock := new(toy.Clock)
	o.Clock = clock
	e := open(t, o)
	day := int64(24 * time.Hour / time.Millisecond)
	start := toy.Genesis().Time
	last := start
	for i, now := range []int64{start + day, start, start - day, start + day + 1, start + 2*day, 0, start + 3*day, start + day} {
		clock.T.Store(now)
		if i == 5 { // while it is down, too
			shut(t, e)
			e = open(t, o)
		}
		got := enter(t, e, toy.GrantTx(toy.Key(2+i), 1))
		if got.Time <= last || got.Time < now {
			t.Errorf("block %d: time %d, after %d, by a clock that says %d", got.Height, got.Time, last, now)
		}
		last = got.Time
	}
	audit(t, e)
	shut(t, e)
}

// readYourWrites: once Wait has told of an entry, every read has it.
func readYourWrites(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	for i := range 20 {
		id := toy.Stream(i % 4)
		got := enter(t, e, toy.Tx(k, toy.Add, id, fmt.Sprint(i), uint64(i+1)))
		if err := visible(e, got, fmt.Sprint(i)); err != nil {
			t.Fatalf("%s: %v", got.Name(), err)
		}
	}
}

// visible checks that every kind of read shows an entry of toy.Add.
func visible(e engine.Engine, want engine.Entry, key string) error {
	if got, err := e.Entry(want.Hash); err != nil || got.Height != want.Height || got.Index != want.Index {
		return fmt.Errorf("entry: %+v %w", got, err)
	}
	h := e.Head()
	if h.Height < want.Height {
		return fmt.Errorf("head %d, the entry is in %d", h.Height, want.Height)
	}
	c, err := OpenCheckpoint(e, e.Checkpoint())
	if err != nil || c.Height < want.Height {
		return fmt.Errorf("checkpoint of height %d, the entry is in %d: %w", c.Height, want.Height, err)
	}
	if b, err := e.Block(want.Height); err != nil || b.Entries[want.Index].Hash != want.Hash {
		return fmt.Errorf("block: %w", err)
	}
	if es, err := e.StreamEntries(want.Stream, want.Sequence, 1); err != nil || len(es) != 1 || es[0].Hash != want.Hash {
		return fmt.Errorf("stream: %d entries: %w", len(es), err)
	}
	if p, err := e.StreamProof(want.Stream); err != nil || p.Stream.Count <= want.Sequence {
		return fmt.Errorf("stream proof: %+v %w", p, err)
	}
	v, release := e.View(want.Stream)
	defer release()
	if value, ok := v.Get([]byte(key)); !ok || string(value) != fmt.Sprint(want.Sequence) {
		return fmt.Errorf("state: %q is %q", key, value)
	}
	r, err := e.Receipt(want.Hash)
	if err != nil {
		return err
	}
	p, err := VerifyReceipt(e.Genesis(), r)
	if err == nil && p.Link.Hash != want.Hash {
		err = errors.New("it proves another transaction")
	}
	return err
}
