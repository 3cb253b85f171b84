package verifier_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// The numbers are those of docs/refusals.md; tests of other files bear them too.

// A residue has one encoding: with r added an account would look unused.
func TestRefuse01InputNotReduced(t *testing.T) {
	t.Parallel()
	key, item := verifier.Development(), valid()[0]
	r := fr.Modulus().FillBytes(make([]byte, 32))
	for name, change := range map[string]func(s *verifier.Statement){
		"account + r": func(s *verifier.Statement) { s.Account = unreduced(s.Account) },
		"root + r":    func(s *verifier.Statement) { s.Root = unreduced(s.Root) },
		"account r":   func(s *verifier.Statement) { s.Account = field.Account(r) },
		"root r":      func(s *verifier.Statement) { s.Root = field.Root(r) },
	} {
		bad := item
		change(&bad.Statement)
		if key.Verify(bad.Proof, bad.Statement) == nil {
			t.Errorf("%s: accepted", name)
		}
		if list := key.VerifyBatch([]verifier.Item{item, bad, item, item, item}); len(list) != 1 || list[0] != 1 {
			t.Errorf("%s: in a batch: %v", name, list)
		}
	}
	// Context and message come as elements; read from bytes they are as strict.
	for _, e := range []field.Element{item.Statement.Context, item.Statement.Message} {
		b := unreduced(field.Encode(e))
		if _, err := field.Decode(b[:]); err == nil {
			t.Error("an element + r was decoded")
		}
		if _, err := field.Decode(b[:31]); err == nil {
			t.Error("31 bytes were decoded")
		}
	}
	for _, text := range []string{"", "00", strings.Repeat("0", 66)} {
		var a field.Account
		if a.UnmarshalText([]byte(text)) == nil {
			t.Errorf("an account of %d digits was read", len(text))
		}
	}
}

// Over an interval the wrong way round, or with ends of more than 32 bits, the
// circuit's range check says nothing.
func TestRefuse08BoundsTheWrongWay(t *testing.T) {
	t.Parallel()
	key, item := verifier.Development(), valid()[0]
	for i := range item.Statement.Min {
		s := item.Statement
		s.Min[i], s.Max[i] = 1, 0
		if err := key.Verify(item.Proof, s); err == nil || !strings.Contains(err.Error(), "minimum") {
			t.Errorf("attribute %d: %v", i, err)
		}
	}
	var a field.Attributes
	if json.Unmarshal([]byte("[4294967295,0,0,0,0,0,0,0]"), &a) != nil {
		t.Error("2^32 - 1 was refused")
	}
	for _, text := range []string{"[4294967296,0,0,0,0,0,0,0]", "[-1,0,0,0,0,0,0,0]"} {
		if json.Unmarshal([]byte(text), &a) == nil {
			t.Errorf("%s was read as %v", text, a)
		}
	}
}

// Every spoilt point is refused for what is wrong with it, alone and in a batch.
func TestRefuse11Points(t *testing.T) {
	t.Parallel()
	key, item := verifier.Development(), valid()[0]
	for _, b := range brokenPoints(item.Proof) {
		bad := verifier.Item{Proof: verifier.Proof(b.proof), Statement: item.Statement}
		if err := key.Verify(bad.Proof, bad.Statement); err == nil || !strings.Contains(err.Error(), b.word) {
			t.Errorf("%s: %v, want a refusal that says %q", b.name, err, b.word)
		}
		if list := key.VerifyBatch([]verifier.Item{bad, item, item, item, item}); len(list) != 1 || list[0] != 0 {
			t.Errorf("%s: in a batch: %v", b.name, list)
		}
	}
}
