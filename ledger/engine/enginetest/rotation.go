package enginetest

import (
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/tx"
)

func rotationTx(from, to int, unique byte) []byte {
	return chain.NewRotation(toy.Genesis().ID(), toy.Key(from), toy.Key(to), toy.Far, tx.Key{unique}).Encode()
}

// rotation: from its own block on the heads are signed by the new key, what the
// old one signed stays good, and the old one can sign no more.
func rotation(t testing.TB, open Open) {
	o := options(t)
	e := open(t, o)
	before := enter(t, e, toy.GrantTx(toy.Key(2), 1))
	old, err := e.Receipt(before.Hash)
	if err != nil {
		t.Fatal(err)
	}
	turn := enter(t, e, rotationTx(0, 30, 1))
	if turn.Result.Code != engine.Accepted {
		t.Fatalf("rotation: %+v", turn)
	}
	for run := range 2 {
		if run == 1 {
			shut(t, e)
			e = open(t, o)
			enter(t, e, toy.GrantTx(toy.Key(3), 1))
		}
		keys, err := e.Keys()
		if err != nil || keys.Present() != toy.Public(toy.Key(30)) || keys.At(before.Height) != toy.Genesis().Node {
			t.Errorf("keys: %+v %v", keys, err)
		}
		if _, err := chain.OpenCheckpoint(toy.Genesis().Keys(), e.Checkpoint()); err == nil {
			t.Error("the old key signed a head after the rotation")
		}
		if _, err := VerifyReceipt(toy.Genesis(), old); err != nil {
			t.Errorf("a receipt from before: %v", err)
		}
		_, err = e.Submit(limit(t), rotationTx(0, 31, 2))
		wants(t, "a rotation by the old key", err, engine.ErrRefused)
		audit(t, e)
	}
	shut(t, e)
}
