package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func empty(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	if h := e.Head(); h != toy.Genesis().Header() {
		t.Fatalf("head of an empty ledger: %+v", h)
	}
	if _, err := e.Entry(wire.TxHash{1}); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("entry of nothing: %v", err)
	}
	if _, err := e.Receipt(wire.TxHash{1}); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("receipt of nothing: %v", err)
	}
	if _, err := e.Block(1); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("block 1: %v", err)
	}
	if _, err := e.Wait(limit(t), wire.TxHash{1}); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("waiting for a transaction that was never sent: %v", err)
	}
	p, err := e.StreamProof(toy.Stream(1))
	if err != nil || p.Stream != (chain.Stream{}) {
		t.Errorf("stream proof: %+v %v", p, err)
	}
	audit(t, e)
}

func oneTransaction(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	enter(t, e, toy.GrantTx(toy.Key(2), 1))
	got := enter(t, e, toy.Tx(toy.Key(2), toy.Add, toy.Stream(1), "x", 2))
	if got.Result.Code != engine.Accepted || got.Name() != "trial/0" || got.Height != 2 || got.Directory != 1 {
		t.Fatalf("entry: %+v", got)
	}
	audit(t, e)
}

// order: what one caller submits one after another enters in that order.
func order(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	hashes := make([]wire.TxHash, 60)
	for i := range hashes {
		hashes[i] = submit(t, e, toy.Tx(k, toy.Note, toy.Stream(i%3), fmt.Sprint(i), uint64(i+1)))
	}
	last := map[wire.StreamID]uint64{}
	var place uint64
	for i, h := range hashes {
		got := wait(t, e, h)
		if want := last[got.Stream]; got.Sequence != want {
			t.Errorf("transaction %d is %s, want number %d", i, got.Name(), want)
		}
		last[got.Stream]++
		header, err := e.Header(got.Height)
		if err != nil {
			t.Fatal(err)
		}
		if at := header.First + uint64(got.Index); at != place+1 {
			t.Errorf("transaction %d is at place %d of the log, the one before it at %d", i, at, place)
		}
		place++
	}
	audit(t, e)
}

// directoryFirst: within a block the directory's transactions execute first.
func directoryFirst(t testing.TB, open Open) {
	o := options(t)
	hold := make(chan struct{})
	m := &toy.Machine{Hold: hold}
	o.Machine = m
	e := open(t, o)
	defer shut(t, e)
	first := submit(t, e, toy.GrantTx(toy.Key(2), 0))
	until(t, "a first block", func() bool { return m.Blocks.Load() > 0 })
	// What comes now waits for the next blocks.
	var hashes []wire.TxHash
	for i := range 20 {
		raw := toy.GrantTx(toy.Key(3+i), 1)
		if i%3 != 0 {
			raw = toy.Tx(toy.Key(3+i-i%3), toy.Grant, toy.Stream(i%3), string(toy.PublicBytes(3+i-i%3)), uint64(2+i))
		}
		hashes = append(hashes, submit(t, e, raw))
	}
	close(hold)
	wait(t, e, first)
	for _, h := range hashes {
		wait(t, e, h)
	}
	audit(t, e) // holds every block to it
	b, err := e.Block(2)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) > 1 && b.Entries[0].Stream != wire.Directory {
		t.Errorf("block 2 begins with %s", b.Entries[0].Name())
	}
}

// refusals: what Check refuses does not enter; what a rule refuses enters as
// hash and code, without body or effect.
func refusals(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k, trial := toy.Key(2), toy.Stream(1)
	enter(t, e, toy.GrantTx(k, 0))
	unknown := toy.Tx(toy.Key(9), toy.Add, trial, "x", 4)
	for range 2 {
		_, err := e.Submit(limit(t), unknown)
		wants(t, "unknown signer", err, engine.ErrRefused)
		wants(t, "the reason", err, toy.ErrSignature)
	}
	if _, err := e.Wait(limit(t), tx.Hash(unknown)); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("waiting for what was refused: %v", err)
	}
	enter(t, e, toy.Tx(k, toy.Add, trial, "x", 1))
	got := enter(t, e, toy.Tx(k, toy.Add, trial, "x", 2))
	if got.Result.Code != toy.Taken || len(got.Envelope) > 0 || len(got.Result.Events) > 0 || got.Name() != "trial/1" {
		t.Errorf("refused by a rule: %+v", got)
	}
	enter(t, e, toy.Tx(k, toy.Add, trial, "y", 3))
	v, release := e.View(trial)
	defer release()
	if _, ok := v.Get([]byte("scratch")); ok {
		t.Error("the refused transaction's write is there")
	}
	if x, _ := v.Get([]byte("x")); string(x) != "0" {
		t.Errorf("x was added by %q, want 0", x)
	}
	if y, _ := v.Get([]byte("y")); string(y) != "2" {
		t.Errorf("y was added by %q, want 2", y)
	}
	audit(t, e)
}

// tooLarge: effects that nobody could decode again are refused, with every
// write discarded, and what is within the limits is read back.
func tooLarge(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 1))
	for i, c := range []struct {
		body string
		code engine.Code
	}{
		{"value 33554433", engine.TooLarge},
		{"event 33554432", engine.TooLarge},
		{"events 524289", engine.TooLarge},
		{"value 5000000", engine.Accepted},
		{"event 5000000", engine.Accepted},
		{"events 100000", engine.Accepted},
	} {
		got := enter(t, e, toy.Tx(k, toy.Flood, toy.Stream(0), c.body, uint64(i+2)))
		if got.Result.Code != c.code {
			t.Errorf("%s: code %d", c.body, got.Result.Code)
		}
	}
	audit(t, e)
}

func submitErrors(t testing.TB, open Open) {
	o := options(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1000)
	o.Clock = clock
	e := open(t, o)
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 1))
	foreign, err := tx.Decode(toy.Tx(k, toy.Add, toy.Stream(1), "x", 2))
	if err != nil {
		t.Fatal(err)
	}
	foreign.Ledger[0] ^= 1
	foreign.Sign(k)
	good := toy.Tx(k, toy.Add, toy.Stream(1), "x", 2)
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":        {nil, engine.ErrMalformed},
		"not CBOR":       {[]byte("x"), engine.ErrMalformed},
		"cut off":        {good[:len(good)-1], engine.ErrMalformed},
		"longer":         {append(slices.Clip(good), 0), engine.ErrMalformed},
		"too large":      {make([]byte, tx.MaxBytes+1), engine.ErrMalformed},
		"another ledger": {foreign.Encode(), engine.ErrMalformed},
		"expired":        {toy.TxUntil(k, toy.Add, toy.Stream(1), "x", 3, clock.Now()), engine.ErrExpired},
		"expired by 0":   {toy.TxUntil(k, toy.Add, toy.Stream(1), "x", 4, 0), engine.ErrExpired},
	} {
		_, err := e.Submit(limit(t), c.raw)
		wants(t, name, err, c.want)
	}
	if n := size(e); n != 1 {
		t.Errorf("the log has %d transactions; none of these may enter", n)
	}
	audit(t, e)
}

func idempotency(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 1))
	enter(t, e, toy.GrantTx(toy.Key(3), 1))
	raw := toy.Tx(k, toy.Add, toy.Stream(1), "x", 7)
	first := enter(t, e, raw)
	if again := enter(t, e, raw); again.Height != first.Height || again.Index != first.Index || again.Result.Code != engine.Accepted {
		t.Errorf("the same bytes again: %+v", again)
	}
	duplicate(t, e, toy.Tx(k, toy.Add, toy.Stream(1), "y", 7), first.Hash)
	// A transaction that a rule refused has used its key as well.
	refused := enter(t, e, toy.Tx(k, toy.Add, toy.Stream(1), "x", 8))
	duplicate(t, e, toy.Tx(k, toy.Add, toy.Stream(1), "z", 8), refused.Hash)
	// The key is the signer's and the stream's own.
	enter(t, e, toy.Tx(k, toy.Add, toy.Stream(2), "y", 7))
	enter(t, e, toy.Tx(toy.Key(3), toy.Add, toy.Stream(1), "y", 7))
	if n := size(e); n != 6 {
		t.Errorf("%d transactions, want 6", n)
	}
	audit(t, e)
}

// duplicate submits another transaction under a key that was used.
func duplicate(t testing.TB, e engine.Engine, raw []byte, earlier wire.TxHash) {
	t.Helper()
	hash, err := e.Submit(limit(t), raw)
	dup := new(engine.DuplicateError)
	if !errors.As(err, &dup) || !errors.Is(err, engine.ErrDuplicate) || dup.Earlier != earlier || hash != earlier {
		t.Errorf("another transaction under the same key: %v %v; %v stands", hash, err, earlier)
	}
}

func idempotencyInTheQueue(t testing.TB, open Open) {
	o := options(t)
	gate := make(chan struct{})
	m := &toy.Machine{Gate: gate}
	o.Machine = m
	e := open(t, o)
	defer shut(t, e)
	first := toy.GrantTx(toy.Key(2), 1)
	second := toy.TxUntil(toy.Key(2), toy.Grant, wire.Directory, string(toy.PublicBytes(2)), 1, toy.Far+1)
	ctx := limit(t)
	var wg sync.WaitGroup
	for range 3 { // the same bytes three times at once: one of them is checked
		wg.Go(func() {
			if hash, err := e.Submit(ctx, first); err != nil || hash != tx.Hash(first) {
				t.Error(hash, err)
			}
		})
	}
	until(t, "a check", func() bool { return m.Checks.Load() > 0 })
	// Another one under the same key may be told at once, or when it is known
	// that the first was signed by who it says.
	wg.Go(func() { duplicate(t, e, second, tx.Hash(first)) })
	close(gate)
	wg.Wait()
	wait(t, e, tx.Hash(first))
	if n := size(e); m.Checks.Load() != 1 || n != 1 {
		t.Errorf("%d checks and %d transactions, want one each", m.Checks.Load(), n)
	}
	duplicate(t, e, second, tx.Hash(first))
}

func idempotencyAfterRestart(t testing.TB, open Open) {
	o := options(t)
	e := open(t, o)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 1))
	raw := toy.Tx(k, toy.Add, toy.Stream(1), "x", 7)
	first := enter(t, e, raw)
	shut(t, e)
	e = open(t, o)
	defer shut(t, e)
	if again := enter(t, e, raw); again.Height != first.Height || again.Index != first.Index {
		t.Errorf("the same bytes after a restart: %+v", again)
	}
	duplicate(t, e, toy.Tx(k, toy.Add, toy.Stream(1), "y", 7), first.Hash)
	if n := size(e); n != 2 {
		t.Errorf("%d transactions, want 2", n)
	}
}

// expiryInTheQueue: a transaction whose expiry comes while it waits never enters.
func expiryInTheQueue(t testing.TB, open Open) {
	o := options(t)
	clock := new(toy.Clock)
	clock.T.Store(toy.Genesis().Time + 1000)
	gate := make(chan struct{}, 1)
	m := &toy.Machine{Gate: gate}
	o.Clock, o.Machine = clock, m
	e := open(t, o)
	defer shut(t, e)
	k := toy.Key(2)
	gate <- struct{}{}
	enter(t, e, toy.GrantTx(k, 1))
	raw := toy.TxUntil(k, toy.Add, toy.Stream(1), "x", 2, clock.Now()+100)
	errs := make(chan error, 1)
	ctx := limit(t)
	go func() {
		_, err := Enter(ctx, e, raw)
		errs <- err
	}()
	until(t, "its check", func() bool { return m.Checks.Load() == 2 })
	clock.T.Add(100) // a block's time now equals the expiry
	gate <- struct{}{}
	// Depending on who is first it is told of the drop, or finds nothing.
	if err := <-errs; !errors.Is(err, engine.ErrExpired) && !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("expired before its block: %v", err)
	}
	// Its key was not used up.
	gate <- struct{}{}
	if got := enter(t, e, toy.Tx(k, toy.Add, toy.Stream(1), "x", 2)); got.Result.Code != engine.Accepted || size(e) != 2 {
		t.Errorf("signed again with a later expiry: %+v, log of %d", got, size(e))
	}
	audit(t, e)
}

func busy(t testing.TB, open Open) {
	o := options(t)
	gate := make(chan struct{})
	m := &toy.Machine{Gate: gate}
	o.MaxQueue, o.Machine = 2, m
	e := open(t, o)
	defer shut(t, e)
	ctx := limit(t)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			if _, err := Enter(ctx, e, toy.GrantTx(toy.Key(2+i), 1)); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "two checks", func() bool { return m.Checks.Load() == 2 })
	for range 10 {
		_, err := e.Submit(ctx, toy.GrantTx(toy.Key(9), 1))
		wants(t, "the third of two", err, engine.ErrBusy)
	}
	close(gate)
	wg.Wait()
	enter(t, e, toy.GrantTx(toy.Key(9), 1))
	if n := size(e); n != 3 {
		t.Errorf("%d transactions, want 3", n)
	}
}

func manySubmitters(t testing.TB, open Open) {
	e := open(t, options(t))
	defer shut(t, e)
	k := toy.Key(2)
	enter(t, e, toy.GrantTx(k, 0))
	const clients, each = 64, 8
	ctx := limit(t)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for j := range each {
				// Every second transaction is sent by two clients at once.
				n := uint64(i/2*2*each + i%2*(j%2)*each + j + 1)
				if _, err := Enter(ctx, e, toy.Tx(k, toy.Note, toy.Stream(int(n%5)), fmt.Sprint(n), n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if want := uint64(1 + clients*each*3/4); size(e) != want {
		t.Errorf("%d transactions, want %d", size(e), want)
	}
	audit(t, e)
}

// cancelled: who stops waiting neither loses the transaction nor doubles it.
func cancelled(t testing.TB, open Open) {
	o := options(t)
	hold := make(chan struct{})
	m := &toy.Machine{Hold: hold}
	o.Machine = m
	e := open(t, o)
	defer shut(t, e)
	raw := toy.GrantTx(toy.Key(2), 1)
	hash := submit(t, e, raw)
	until(t, "its block", func() bool { return m.Blocks.Load() == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.Wait(ctx, hash)
	wants(t, "a wait that was given up", err, context.Canceled)
	if _, err := e.Entry(hash); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("an entry before its block: %v", err)
	}
	close(hold)
	if got := enter(t, e, raw); got.Height != 1 || size(e) != 1 {
		t.Errorf("height %d in a log of %d", got.Height, size(e))
	}
}
