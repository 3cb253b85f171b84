package store_test

import (
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/engine/replay"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/store"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// proposer makes blocks of whatever it is given, as one without a door might.
type proposer struct {
	t   *testing.T
	s   *store.Store
	log *store.Log
}

func (p *proposer) snapshot() *store.Snapshot {
	snap := p.s.Snapshot()
	p.t.Cleanup(snap.Release)
	return snap
}

func (p *proposer) propose(time int64, raws ...[]byte) []engine.Code {
	p.t.Helper()
	snap := p.snapshot()
	head := snap.Head()
	items := make([]engine.Item, len(raws))
	for i, raw := range raws {
		e, err := tx.Decode(raw)
		if err != nil {
			p.t.Fatal(err)
		}
		items[i] = engine.Item{Hash: tx.Hash(raw), Envelope: e, Raw: raw}
	}
	engine.Order(items)
	h := chain.Header{
		Version: chain.HeaderVersion, Ledger: toy.Genesis().ID(), Height: head.Height + 1, Time: time,
		First: head.Size(), Count: uint32(len(items)), Previous: head.Hash(), Rules: head.Rules,
	}
	done, err := engine.Execute(new(toy.Machine), snap, h, items)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.log.Append(done.Leaves); err != nil {
		p.t.Fatal(err)
	}
	h.Streams, h.Results = done.Streams, done.Results
	if h.Root, err = p.log.Root(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.s.Commit(store.Block{Header: h, Executed: done, Items: items, Log: p.log}); err != nil {
		p.t.Fatal(err)
	}
	var codes []engine.Code
	for _, e := range done.Entries {
		codes = append(codes, e.Result.Code)
	}
	return codes
}

// TestExecuteJudgesWhatADoorWouldKeepOut: a block may hold a transaction again,
// another one under a used key, or an expired one. Each is refused with the
// engine's own code, uses no key up, and hides nothing of what was there first;
// and a replay agrees.
func TestExecuteJudgesWhatADoorWouldKeepOut(t *testing.T) {
	t.Parallel()
	s, err := store.Open("data", toy.Genesis(), store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	p := &proposer{t: t, s: s}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if p.log, err = p.snapshot().Log(); err != nil {
		t.Fatal(err)
	}
	k, trial, now := toy.Key(2), toy.Stream(1), toy.Genesis().Time
	until := func(body string, key uint64, expiry int64) []byte {
		return toy.TxUntil(k, toy.Add, trial, body, key, expiry)
	}
	x, taken, late := until("x", 7, toy.Far), until("x", 8, toy.Far), until("z", 9, now+2)
	for i, b := range []struct {
		raws  [][]byte
		codes []engine.Code
	}{
		{[][]byte{toy.GrantTx(k, 1), x, x, taken}, []engine.Code{0, 0, engine.Duplicate, toy.Taken}},
		{
			[][]byte{x, until("y", 7, toy.Far), taken, until("y", 8, toy.Far), late, late},
			[]engine.Code{engine.Duplicate, engine.Duplicate, engine.Duplicate, engine.Duplicate, engine.Expired, engine.Expired},
		},
		// The key of what expired is free, and then it is used.
		{[][]byte{until("z", 9, toy.Far), late, toy.GrantTx(k, 1)}, []engine.Code{engine.Duplicate, 0, engine.Duplicate}},
	} {
		if codes := p.propose(now+1+int64(i), b.raws...); !slices.Equal(codes, b.codes) {
			t.Errorf("block %d: codes %d, want %d", i+1, codes, b.codes)
		}
	}
	snap := p.snapshot()
	for _, c := range []struct {
		raw   []byte
		place uint64
	}{{x, 1}, {taken, 3}, {until("y", 7, toy.Far), 5}, {late, 8}} {
		if place, err := snap.Place(tx.Hash(c.raw)); err != nil || place != c.place {
			t.Errorf("found at %d, want %d: %v", place, c.place, err)
		}
	}
	used, ok, err := snap.Idempotent(trial, toy.Public(k).ID(), tx.Key{15: 7})
	if err != nil || !ok || used != tx.Hash(x) {
		t.Errorf("the key is used by %v %t: %v", used, ok, err)
	}
	agrees(t, snap, trial)
}

func agrees(t *testing.T, s *store.Snapshot, trial wire.StreamID) {
	t.Helper()
	var headers []chain.Header
	for height := uint64(1); height <= s.Head().Height; height++ {
		h, err := s.Header(height)
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, h)
	}
	streams := map[wire.StreamID]chain.Stream{}
	entries := map[wire.StreamID][]engine.Entry{}
	for _, id := range []wire.StreamID{wire.Directory, trial} {
		var err error
		if entries[id], err = s.StreamEntries(id, 0, 1<<20); err != nil {
			t.Fatal(err)
		}
		if streams[id], err = s.Stream(id); err != nil {
			t.Fatal(err)
		}
	}
	r, err := replay.Run(new(toy.Machine), toy.Genesis(), entries[wire.Directory], entries[trial], headers)
	if err == nil {
		err = r.Match(streams[wire.Directory], streams[trial])
	}
	if err != nil {
		t.Errorf("replay: %v", err)
	}
}
