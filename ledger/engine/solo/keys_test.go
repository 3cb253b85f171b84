package solo

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/internal/toy"
	"github.com/trialith/trialith/ledger/receipt"
	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

// holding finds the keys of the given numbers.
func holding(numbers ...int) func(tx.PublicKey) (ed25519.PrivateKey, error) {
	return func(key tx.PublicKey) (ed25519.PrivateKey, error) {
		for _, n := range numbers {
			if toy.Public(toy.Key(n)) == key {
				return toy.Key(n), nil
			}
		}
		return nil, errors.New("no such key file")
	}
}

func rotationTx(from, to int) []byte {
	return chain.NewRotation(toy.Genesis().ID(), toy.Key(from), toy.Key(to), toy.Far, tx.Key{byte(to)}).Encode()
}

// The key is rotated twice while others submit. Every receipt verifies, those
// before under the old key; a ledger that is opened without the new key is not.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.KeyOf = holding(20, 21)
	l := open(t, c)
	early := enter(t, l, toy.GrantTx(toy.Key(2), 1))
	before, err := l.Receipt(early.Hash)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 30 {
				enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(i), fmt.Sprint(n), uint64(n)))
			}
		})
	}
	first := enter(t, l, rotationTx(0, 20))
	second := enter(t, l, rotationTx(20, 21))
	wg.Wait()
	late := enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(9), "late", 1))
	audit(t, l)

	keys, err := l.Keys()
	if err != nil || keys.Present() != toy.Public(toy.Key(21)) || keys.At(first.Height) != toy.Public(toy.Key(20)) ||
		keys.At(first.Height-1) != toy.Genesis().Node || keys.At(second.Height) != toy.Public(toy.Key(21)) {
		t.Fatalf("keys: %v, rotated at %d and %d; %v", keys.Rotations(), first.Height, second.Height, err)
	}
	if _, err := before.Verify(toy.Genesis(), nil); err != nil {
		t.Errorf("a receipt given before the rotation: %v", err)
	}
	after, err := l.Receipt(late.Hash)
	if err != nil {
		t.Fatal(err)
	}
	back, err := receipt.Parse(after.Text())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.Verify(toy.Genesis(), nil); err != nil {
		t.Errorf("a receipt given after the rotations: %v", err)
	}
	old, err := l.Head().Checkpoint(toy.Genesis().Origin).Sign(chain.NewSigner(toy.Genesis().Origin, toy.Key(20)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chain.OpenCheckpoint(keys, old); err == nil {
		t.Error("a checkpoint of the head is good under the key that was given up")
	}

	head := l.Head()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c.KeyOf = holding(20)
	if l, err := Open(c); err == nil || !strings.Contains(err.Error(), "no such key file") {
		t.Errorf("opened without the present key: %v, %v", l, err)
	}
	c.Key, c.KeyOf = toy.Key(21), nil
	l = open(t, c)
	if l.Head() != head {
		t.Errorf("head %v, it was %v", l.Head(), head)
	}
	enter(t, l, toy.Tx(toy.Key(2), toy.Add, toy.Stream(9), "later", 2))
	audit(t, l)
}

// A rotation that would leave the node without a key does not enter, nor one
// that somebody else made.
func TestRotationsThatDoNotEnter(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.KeyOf = holding(20)
	l := open(t, c)
	trial := chain.NewRotation(toy.Genesis().ID(), toy.Key(0), toy.Key(20), toy.Far, tx.Key{1})
	trial.Stream, trial.Cosigners = toy.Stream(1), nil
	trial.Sign(toy.Key(0))
	trial.Cosign(toy.Key(20))
	for name, raw := range map[string][]byte{
		"a key that is not here": rotationTx(0, 21), "a stranger's": rotationTx(5, 20), "in a trial": trial.Encode(),
	} {
		if hash, err := l.Submit(limit(t), raw); !errors.Is(err, engine.ErrRefused) {
			t.Errorf("%s: %v, %v", name, hash, err)
		}
	}
	if s := stream(t, l, wire.Directory); s.Count != 0 {
		t.Errorf("the directory has %d transactions", s.Count)
	}
	if e := enter(t, l, rotationTx(0, 20)); e.Result.Code != engine.Accepted {
		t.Errorf("control: code %d", e.Result.Code)
	}
}
