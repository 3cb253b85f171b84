package replay_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/engine/solo"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// whole is a ledger of several streams, with refused transactions, blocks of
// several and a rotation of the node's key.
type whole struct {
	headers []chain.Header
	blocks  [][]engine.Entry
	streams map[wire.StreamID]chain.Stream
}

func recordWhole(t testing.TB) whole {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	next := toy.Key(50)
	l, err := solo.Open(solo.Config{
		Dir: t.TempDir(), Key: toy.Key(0), Machine: new(toy.Machine), Genesis: toy.Genesis(),
		KeyOf: func(tx.PublicKey) (ed25519.PrivateKey, error) { return next, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	enter := func(raws ...[]byte) {
		var last wire.TxHash
		for _, raw := range raws {
			if last, err = l.Submit(ctx, raw); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.Wait(ctx, last); err != nil {
			t.Fatal(err)
		}
	}
	enter(toy.GrantTx(toy.Key(2), 1))
	for i := range 9 {
		var raws [][]byte
		for s := range 5 {
			raws = append(raws, toy.Tx(toy.Key(2), toy.Add, toy.Stream(s), fmt.Sprint(i/2), uint64(i)))
		}
		if i == 4 {
			raws = append(raws, chain.NewRotation(toy.Genesis().ID(), toy.Key(0), next, toy.Far, tx.Key{1}).Encode())
		}
		enter(raws...)
	}
	w := whole{streams: map[wire.StreamID]chain.Stream{}}
	if w.headers, err = l.Headers(1, l.Head().Height); err != nil {
		t.Fatal(err)
	}
	for _, h := range w.headers {
		b, err := l.Block(h.Height)
		if err != nil {
			t.Fatal(err)
		}
		w.blocks = append(w.blocks, b.Entries)
	}
	ids, err := l.Streams()
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if w.streams[id], err = l.Stream(id); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// bare leaves of an entry what a mirror is given.
func bare(es []engine.Entry) []engine.Entry {
	out := make([]engine.Entry, len(es))
	for i, e := range es {
		out[i] = engine.Entry{Stream: e.Stream, Hash: e.Hash, Result: engine.Result{Code: e.Result.Code}, Envelope: slices.Clone(e.Envelope)}
	}
	return out
}

func (w whole) run(change func(height uint64, h *chain.Header, es []engine.Entry) []engine.Entry) (*replay.Whole, error) {
	r := replay.NewWhole(new(toy.Machine), toy.Genesis())
	for i, h := range w.headers {
		es := bare(w.blocks[i])
		if change != nil {
			es = change(h.Height, &h, es)
		}
		if _, err := r.Block(h, es, nil); err != nil {
			return r, err
		}
	}
	return r, nil
}

func TestWhole(t *testing.T) {
	t.Parallel()
	w := recordWhole(t)
	r, err := w.run(nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Head() != w.headers[len(w.headers)-1] || r.Streams() != 6 {
		t.Errorf("head %+v, %d streams", r.Head(), r.Streams())
	}
	for id, want := range w.streams {
		if got := r.Stream(id); got != want {
			t.Errorf("stream %v: %+v, want %+v", id, got, want)
		}
	}
	keys, err := r.Keys()
	if err != nil || len(keys.Rotations()) != 1 || keys.Present() != toy.Public(toy.Key(50)) {
		t.Errorf("keys: %v", err)
	}
	refused := 0
	for _, es := range w.blocks {
		for _, e := range es {
			if e.Result.Code != engine.Accepted {
				refused++
			}
		}
	}
	if refused != 20 {
		t.Errorf("%d refused transactions; the test is made for 20", refused)
	}
}

// Whatever is changed of what a mirror is given, it refuses.
func TestWholeRefuses(t *testing.T) {
	t.Parallel()
	w := recordWhole(t)
	at := uint64(len(w.headers))
	for w.headers[at-1].Count < 2 {
		at--
	}
	first := func(es []engine.Entry, code engine.Code) *engine.Entry {
		i := slices.IndexFunc(es, func(e engine.Entry) bool { return e.Result.Code == code && e.Stream != wire.Directory })
		if i < 0 {
			return &es[0]
		}
		return &es[i]
	}
	for name, change := range map[string]func(h *chain.Header, es []engine.Entry) []engine.Entry{
		"left out": func(_ *chain.Header, es []engine.Entry) []engine.Entry { return es[1:] },
		"put in":   func(_ *chain.Header, es []engine.Entry) []engine.Entry { return append(es, es[0]) },
		"swapped":  func(_ *chain.Header, es []engine.Entry) []engine.Entry { slices.Reverse(es); return es },
		"code":     func(_ *chain.Header, es []engine.Entry) []engine.Entry { es[0].Result.Code ^= 3; return es },
		"hash":     func(_ *chain.Header, es []engine.Entry) []engine.Entry { es[0].Hash[0] ^= 1; return es },
		"stream":   func(_ *chain.Header, es []engine.Entry) []engine.Entry { es[0].Stream[5] ^= 1; return es },
		"refused without a body": func(_ *chain.Header, es []engine.Entry) []engine.Entry {
			e := first(es, engine.Accepted)
			e.Result.Code, e.Envelope = toy.Taken, nil
			return es
		},
		"signed again": func(_ *chain.Header, es []engine.Entry) []engine.Entry {
			e := first(es, engine.Accepted)
			e.Envelope = toy.Tx(toy.Key(2), toy.Add, e.Stream, "other", 777)
			e.Hash, e.Result.Code = tx.Hash(e.Envelope), 0
			return es
		},
		"signed by a stranger": func(_ *chain.Header, es []engine.Entry) []engine.Entry {
			e := first(es, engine.Accepted)
			e.Envelope = toy.Tx(toy.Key(3), toy.Add, e.Stream, "other", 777)
			e.Hash, e.Result.Code = tx.Hash(e.Envelope), 0
			return es
		},
		"header's results": func(h *chain.Header, es []engine.Entry) []engine.Entry { h.Results[0] ^= 1; return es },
		"header's root":    func(h *chain.Header, es []engine.Entry) []engine.Entry { h.Root[0] ^= 1; return es },
		"header's streams": func(h *chain.Header, es []engine.Entry) []engine.Entry { h.Streams[0] ^= 1; return es },
		"header's time":    func(h *chain.Header, es []engine.Entry) []engine.Entry { h.Time -= 1 << 40; return es },
	} {
		r, err := w.run(func(height uint64, h *chain.Header, es []engine.Entry) []engine.Entry {
			if height == at {
				return change(h, es)
			}
			return es
		})
		var d *replay.Divergence
		if !errors.As(err, &d) || r.Head().Height != at-1 {
			t.Errorf("%s: %v at %d", name, err, r.Head().Height)
			continue
		}
		if _, again := r.Block(w.headers[at-1], bare(w.blocks[at-1]), nil); again == nil {
			t.Errorf("%s: it goes on after a divergence", name)
		}
	}
}

// broken is a state machine that panics.
type broken struct{ toy.Machine }

func (*broken) Execute(engine.Pending, state.View, state.Store) engine.Result { panic("at fault") }

func TestWholeOutlivesTheMachine(t *testing.T) {
	t.Parallel()
	w := recordWhole(t)
	r := replay.NewWhole(new(broken), toy.Genesis())
	if _, err := r.Block(w.headers[0], bare(w.blocks[0]), nil); err == nil {
		t.Error("no error")
	}
}
