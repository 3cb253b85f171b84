package engine_test

import (
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func run(directory *state.Memory, e *tx.Envelope, height uint64) engine.Result {
	try := state.NewOverlay(directory)
	r := engine.Run(new(toy.Machine), toy.Genesis(), engine.Pending{Envelope: e, Point: engine.Point{Height: height}}, try, try)
	if r.Code == engine.Accepted {
		try.Commit(directory)
	}
	return r
}

func rotation(from, to int) *tx.Envelope {
	return chain.NewRotation(toy.Genesis().ID(), toy.Key(from), toy.Key(to), toy.Far, tx.Key{byte(to)})
}

// Whatever a proposer puts into a block, only the present key rotates.
func TestOnlyThePresentKeyRotates(t *testing.T) {
	t.Parallel()
	dir := new(state.Memory)
	trial := rotation(0, 20)
	trial.Stream = toy.Stream(1)
	for i, step := range []struct {
		e    *tx.Envelope
		code engine.Code
		node int
	}{
		{rotation(3, 20), engine.BadRotation, 0},
		{trial, engine.BadRotation, 0},
		{rotation(0, 20), engine.Accepted, 20},
		{rotation(0, 21), engine.BadRotation, 20},
		{rotation(20, 0), engine.BadRotation, 20},
		{rotation(20, 21), engine.Accepted, 21},
	} {
		before := engine.Check(new(toy.Machine), toy.Genesis(), engine.Point{}, dir, dir, step.e)
		if r := run(dir, step.e, uint64(i+1)); r.Code != step.code || (before == nil) != (step.code == engine.Accepted) {
			t.Errorf("step %d: code %d, check before: %v; want %d", i, r.Code, before, step.code)
		}
		if got := engine.NodeKey(toy.Genesis().Node, dir); got != toy.Public(toy.Key(step.node)) {
			t.Errorf("step %d: the node's key is %v", i, got)
		}
	}
	keys, err := engine.NodeKeys(toy.Genesis(), dir)
	if err != nil || len(keys.Rotations()) != 2 || keys.At(2) != toy.Public(toy.Key(0)) || keys.At(3) != toy.Public(toy.Key(20)) || keys.At(6) != toy.Public(toy.Key(21)) {
		t.Errorf("keys: %v, %v", keys.Rotations(), err)
	}
}

// writer writes the keys that it is given.
type writer struct {
	toy.Machine
	keys []string
}

func (w *writer) Execute(_ engine.Pending, _ state.View, s state.Store) engine.Result {
	for _, k := range w.keys {
		s.Set([]byte(k), nil)
	}
	return engine.Result{}
}

// No key beside it hides a key of the engine's, not even the empty one.
func TestNoKeyHidesTheEnginesKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keys []string
		want engine.Code
	}{
		{[]string{"", "a"}, engine.Accepted},
		{[]string{"", "\x00node"}, engine.Reserved},
		{[]string{"", "\x00", "a"}, engine.Reserved},
	} {
		dir := new(state.Memory)
		try := state.NewOverlay(dir)
		r := engine.Run(&writer{keys: c.keys}, toy.Genesis(), engine.Pending{Envelope: new(tx.Envelope)}, try, try)
		if r.Code != c.want {
			t.Errorf("keys %q: code %d, want %d", c.keys, r.Code, c.want)
		}
	}
}

// A state machine that writes a key of the engine's is refused, and one key
// further it is not.
func TestTheEnginesKeysAreReserved(t *testing.T) {
	t.Parallel()
	dir := new(state.Memory)
	grant, err := tx.Decode(toy.GrantTx(toy.Key(2), 1))
	if err != nil {
		t.Fatal(err)
	}
	run(dir, grant, 1)
	for body, want := range map[string]engine.Code{"\x00": engine.Reserved, "\x00node": engine.Reserved, "\x01": engine.Accepted, "node": engine.Accepted} {
		e, err := tx.Decode(toy.Tx(toy.Key(2), toy.Add, wire.Directory, body, 2))
		if err != nil {
			t.Fatal(err)
		}
		if r := run(dir, e, 2); r.Code != want || want != engine.Accepted && r.Events != nil {
			t.Errorf("key %q: %+v; want code %d", body, r, want)
		}
	}
}
