package contract_test

import (
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/state"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// rotateNode gives the node another key, as the engine does.
func (b *bench) rotateNode(from, to string) {
	b.tb.Helper()
	g := chain.Genesis{
		Version: chain.GenesisVersion, Name: "contract test", Time: genesis, Epoch: epoch, Rules: contract.RuleSet,
		Origin: "trialith.example/contract", Node: public("node"),
	}
	e := chain.NewRotation(g.ID(), key(from), key(to), 1<<50, tx.Key{1})
	try := state.NewOverlay(b.dir)
	p := engine.Pending{Envelope: e, Point: engine.Point{Ledger: g.ID(), Height: 7, Time: b.now}, Hash: tx.Hash(e.Encode())}
	if r := engine.Run(b.machine, g, p, try, try); r.Code != engine.Accepted {
		b.tb.Fatalf("rotation from %s to %s: code %d", from, to, r.Code)
	}
	try.Commit(b.dir)
}

// An act is wrapped by the node's present key, and by no key that it gave up.
func TestActsAreWrappedByThePresentKey(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	act := c.optioned("P", 1, 1)
	want(t, c.send(contract.ConsentAct, act, "node 2"), trial.UnknownKey)
	want(t, c.register("node 2", trial.Batcher, "regulator"), 0) // possible before, not after

	c = newClinic(t)
	c.rotateNode("node", "node 2")
	want(t, c.send(contract.ConsentAct, act, "node"), trial.UnknownKey)
	want(t, c.register("node 2", trial.Batcher, "regulator"), trial.KeyExists)
	want(t, c.register("node", trial.Batcher, "regulator"), trial.KeyExists)
	c.must(c.send(contract.ConsentAct, c.optioned("P", 1, 1), "node 2"))

	c.rotateNode("node 2", "node 3")
	want(t, c.send(contract.ConsentAct, c.optioned("P", 1, 2), "node 2"), trial.UnknownKey)
	c.must(c.send(contract.ConsentAct, c.optioned("P", 1, 2), "node 3"))
	a, node, ok := c.machine.Actor(c.dir, public("node 3").ID(), c.now)
	if !ok || a.ID != actor("node") || node != public("node 3") {
		t.Errorf("the node by its third key: %+v, %v, %t; it is the same actor", a, node, ok)
	}
	if _, _, ok := c.machine.Actor(c.dir, wire.KeyID{9}, c.now); ok {
		t.Error("control: a key of nobody has an actor")
	}
}
