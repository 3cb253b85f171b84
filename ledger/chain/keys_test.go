package chain

import (
	"bytes"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
)

func rotation(from, to int, height uint64) Rotation {
	e := NewRotation(genesis().ID(), key(from), key(to), 1<<50, tx.Key{byte(height)})
	return Rotation{Height: height, Envelope: e.Encode()}
}

// The key of a checkpoint's own height signs it, and no other does.
func TestKeysOverTheHeights(t *testing.T) {
	t.Parallel()
	g := genesis()
	k, err := NewKeys(g, rotation(0, 20, 5), rotation(20, 21, 9), rotation(21, 22, 9))
	if err != nil {
		t.Fatal(err)
	}
	for height, signs := range map[uint64]int{0: 0, 4: 0, 5: 20, 8: 20, 9: 22, 1 << 40: 22} {
		for _, n := range []int{0, 20, 21, 22} {
			c := Checkpoint{Origin: g.Origin, Size: 7, Height: height, Time: 1}
			msg := mustSign(t, c, g.Origin, n)
			if got, err := OpenCheckpoint(k, msg); (err == nil) != (n == signs) || err == nil && got != c {
				t.Errorf("height %d, signed by key %d: %+v, %v; key %d signs there", height, n, got, err, signs)
			}
			both := append(bytes.Clone(msg), mustSign(t, c, g.Origin, signs)[len(c.Text())+1:]...)
			if _, err := OpenCheckpoint(k, both); n != signs && err != nil {
				t.Errorf("height %d, signed by key %d beside the right one: %v", height, n, err)
			}
		}
		if n := len(k.Until(height)); n != map[int]int{0: 0, 20: 1, 22: 3}[signs] {
			t.Errorf("height %d: a receipt carries %d rotations", height, n)
		}
	}
	if k.Present() != public(22) || len(k.Rotations()) != 3 || k.Genesis().ID() != g.ID() {
		t.Errorf("present %v, %d rotations", k.Present(), len(k.Rotations()))
	}
	old, err := g.VerifierKey()
	if err != nil {
		t.Fatal(err)
	}
	if now, err := k.VerifierKey(); err != nil || now == old || !strings.HasPrefix(now, g.Origin+"+") {
		t.Errorf("verifier key %q, %v; before it was %q", now, err, old)
	}
}

// A rotation is what the present key signed and the new one cosigned, and
// nothing else. Each case differs from the control in one thing.
func TestBadRotations(t *testing.T) {
	t.Parallel()
	g := genesis()
	made := func(change func(*tx.Envelope)) Rotation {
		e := NewRotation(g.ID(), key(0), key(20), 1<<50, tx.Key{1})
		e.Signature, e.Cosigners = tx.Signature{}, nil
		change(e)
		if e.Signature == (tx.Signature{}) {
			e.Sign(key(0))
		}
		if e.Cosigners == nil {
			e.Cosign(key(20))
		}
		return Rotation{Height: 5, Envelope: e.Encode()}
	}
	for _, c := range []struct {
		name, says string
		rotations  []Rotation
	}{
		{"control", "", []Rotation{made(func(*tx.Envelope) {})}},
		{"by another key", "present key", []Rotation{rotation(3, 20, 5)}},
		{"by the key given up", "present key", []Rotation{rotation(0, 20, 5), rotation(0, 21, 9)}},
		{"back to an old key", "was the node's before", []Rotation{rotation(0, 20, 5), rotation(20, 0, 9)}},
		{"to an authority's key", "authority", []Rotation{rotation(0, 1, 5)}},
		{"another kind", "not a rotation", []Rotation{made(func(e *tx.Envelope) { e.Kind = 3 })}},
		{"another stream", "not a rotation", []Rotation{made(func(e *tx.Envelope) { e.Stream[0] = 1 })}},
		{"another ledger", "not a rotation", []Rotation{made(func(e *tx.Envelope) { e.Ledger[0] ^= 1 })}},
		{"no key in it", "body", []Rotation{made(func(e *tx.Envelope) { e.Body = wire.Marshal([]any{}) })}},
		{"cosigned by somebody else", "cosigners", []Rotation{made(func(e *tx.Envelope) { e.Sign(key(0)); e.Cosign(key(21)) })}},
		{"cosigned by two", "cosigners", []Rotation{made(func(e *tx.Envelope) { e.Sign(key(0)); e.Cosign(key(20)); e.Cosign(key(21)) })}},
		{"a wrong signature", "signature", []Rotation{made(func(e *tx.Envelope) { e.Sign(key(0)); e.Signature[3] ^= 1 })}},
		{"a wrong cosignature", "new key's signature", []Rotation{made(func(e *tx.Envelope) { e.Sign(key(0)); e.Cosign(key(20)); e.Cosigners[0].Signature[3] ^= 1 })}},
		{"at height 0", "height 0", []Rotation{rotation(0, 20, 0)}},
		{"before the one before it", "height 4", []Rotation{rotation(0, 20, 5), rotation(20, 21, 4)}},
		{"no transaction", "rotation 1", []Rotation{{Height: 5, Envelope: []byte{0x80}}}},
	} {
		_, err := NewKeys(g, c.rotations...)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.says)
		}
	}
}

func TestRotationsAreBounded(t *testing.T) {
	t.Parallel()
	var rs []Rotation
	for n := range MaxRotations {
		rs = append(rs, rotation(100+n, 101+n, uint64(n+1)))
	}
	g := genesis()
	g.Node = public(100)
	for i := range rs { // of the ledger of that genesis
		rs[i].Envelope = NewRotation(g.ID(), key(100+i), key(101+i), 1<<50, tx.Key{1}).Encode()
	}
	k, err := NewKeys(g, rs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Check(NewRotation(g.ID(), key(100+MaxRotations), key(99), 1<<50, tx.Key{1})); err == nil {
		t.Errorf("rotation %d was let pass", MaxRotations+1)
	}
}
