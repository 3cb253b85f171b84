package solo

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
)

// Who was told that a transaction has expired was told so for good: a clock
// that is set back lets it in no more, be it refused at the door or on its way
// into a block.
func TestExpiredStaysExpired(t *testing.T) {
	t.Parallel()
	c := config(t)
	clock, m := new(toy.Clock), &toy.Machine{Hold: make(chan struct{}, 1)}
	start := toy.Genesis().Time + day
	clock.T.Store(start)
	c.Clock, c.Machine = clock, m
	l := open(t, c)
	t.Cleanup(func() { close(m.Hold) })
	m.Hold <- struct{}{}
	enter(t, l, toy.GrantTx(toy.Key(2), 0))

	door := toy.TxUntil(toy.Key(2), toy.Note, toy.Stream(1), "x", 1, start+1000)
	clock.T.Store(start + 2000)
	if _, err := l.Submit(t.Context(), door); !errors.Is(err, engine.ErrExpired) {
		t.Fatal(err)
	}
	clock.T.Store(start + 10)
	if _, err := l.Submit(t.Context(), door); !errors.Is(err, engine.ErrExpired) {
		t.Errorf("at the door: %v", err)
	}

	if _, err := l.Submit(t.Context(), toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "before", 2)); err != nil {
		t.Fatal(err)
	}
	for m.Blocks.Load() < 2 { // it is being executed
		runtime.Gosched()
	}
	queued := toy.TxUntil(toy.Key(2), toy.Note, toy.Stream(1), "x", 3, start+3000)
	hash, err := l.Submit(t.Context(), queued)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	it := l.pending[hash]
	l.mu.Unlock()
	clock.T.Store(start + 4000)
	m.Hold <- struct{}{}
	if <-it.done; !errors.Is(it.err, engine.ErrExpired) {
		t.Fatal(it.err)
	}
	clock.T.Store(start + 20)
	if _, err := l.Submit(t.Context(), queued); !errors.Is(err, engine.ErrExpired) {
		t.Errorf("on its way into a block: %v", err)
	}
}

// A transaction that only claims to be a signer's, and is refused for that,
// does not take its idempotency key from the signer's own.
func TestForgedTakesNoKey(t *testing.T) {
	t.Parallel()
	c := config(t)
	m := &toy.Machine{Gate: make(chan struct{}, 1)}
	c.Machine = m
	l := open(t, c)
	pass := sync.OnceFunc(func() { close(m.Gate) })
	t.Cleanup(pass)
	m.Gate <- struct{}{}
	enter(t, l, toy.GrantTx(toy.Key(2), 0))

	own := toy.Tx(toy.Key(2), toy.Note, toy.Stream(1), "own", 1)
	e, err := tx.Decode(own)
	if err != nil {
		t.Fatal(err)
	}
	e.Body = []byte("forged")
	raw := e.Encode()
	forged, entered := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := l.Submit(t.Context(), raw)
		forged <- err
	}()
	for m.Checks.Load() < 2 {
		runtime.Gosched()
	}
	go func() {
		_, err := l.Submit(t.Context(), own)
		entered <- err
	}()
	for waits := false; !waits; runtime.Gosched() { // for the verdict on the other
		select {
		case err := <-entered:
			t.Fatalf("told while the other is being checked: %v", err)
		default:
		}
		l.mu.Lock()
		waits = l.pending[tx.Hash(raw)].checked != nil
		l.mu.Unlock()
	}
	pass()
	if err := <-forged; !errors.Is(err, engine.ErrRefused) {
		t.Errorf("the forged: %v", err)
	}
	if err := <-entered; err != nil {
		t.Errorf("the signer's own: %v", err)
	}
	if e, err := l.Wait(limit(t), tx.Hash(own)); err != nil || e.Result.Code != engine.Accepted {
		t.Errorf("%+v, %v", e, err)
	}
}
