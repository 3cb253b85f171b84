package prover

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// laid writes a witness as a page does.
func laid(w Witness) []byte {
	var b []byte
	element := func(e field.Element) { v := field.Encode(e); b = append(b, v[:]...) }
	numbers := func(a field.Attributes) {
		for _, v := range a {
			b = binary.BigEndian.AppendUint32(b, v)
		}
	}
	element(w.Secret)
	element(w.Trapdoor)
	numbers(w.Attributes)
	for i := range w.Path {
		for j := range w.Path[i] {
			element(w.Path[i][j])
		}
	}
	b = append(b, w.Statement.Root[:]...)
	element(w.Statement.Context)
	b = append(b, w.Statement.Account[:]...)
	element(w.Statement.Message)
	numbers(w.Statement.Min)
	numbers(w.Statement.Max)
	return b
}

func TestLayout(t *testing.T) {
	t.Parallel()
	w := member(t, 9, 4)
	w.Statement.Min[1], w.Statement.Max[1] = 30, 31
	b := laid(w)
	got, err := ParseWitness(b)
	if err != nil || !bytes.Equal(laid(got), b) {
		t.Errorf("%v: another witness was read", err)
	}
	s, err := ParseStatement(b[WitnessSize-StatementSize:])
	if err != nil || s != w.Statement {
		t.Errorf("%v: %+v, want %+v", err, s, w.Statement)
	}
}

func TestLayoutRefused(t *testing.T) {
	t.Parallel()
	good := laid(member(t, 9, 4))
	at := func(offset int) []byte { // r itself in the place of an element
		b := bytes.Clone(good)
		copy(b[offset:], modulus)
		return b
	}
	for _, tc := range []struct {
		name, word string
		b          []byte
	}{
		{"empty", "bytes", nil},
		{"short", "bytes", good[1:]},
		{"long", "bytes", append(bytes.Clone(good), 0)},
		{"secret", "secret", at(0)},
		{"trapdoor", "trapdoor", at(32)},
		{"path", "path", at(96 + 32*55)},
		{"root", "root", at(WitnessSize - StatementSize)},
		{"context", "context", at(WitnessSize - StatementSize + 32)},
		{"account", "account", at(WitnessSize - StatementSize + 64)},
		{"message", "message", at(WitnessSize - StatementSize + 96)},
	} {
		if _, err := ParseWitness(tc.b); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, err := ParseStatement(good[:StatementSize-1]); err == nil {
		t.Error("a short statement was read")
	}
}

// modulus is r, the first number that is no element.
var modulus = func() []byte {
	var one, e field.Element
	one.SetOne()
	e.Neg(&one)
	b := field.Encode(e)
	b[31]++ // r is odd: no carry
	return b[:]
}()

func TestDump(t *testing.T) {
	t.Parallel()
	var dump bytes.Buffer
	if err := ready(t).WriteDump(&dump); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(dump.Bytes())
	p, err := Load(tree.Depth, dump.Bytes(), hash)
	if err != nil {
		t.Fatal(err)
	}
	w := member(t, 9, 4)
	proof, err := p.Prove(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Development().Verify(proof, w.Statement); err != nil {
		t.Error(err)
	}
	changed := bytes.Clone(dump.Bytes())
	changed[len(changed)/2] ^= 1
	if _, err := Load(tree.Depth, changed, hash); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("a changed dump: %v", err)
	}
	for _, n := range []int{0, 7, 8, 1000, dump.Len() / 2} {
		short := dump.Bytes()[:n]
		if _, err := Load(tree.Depth, short, sha256.Sum256(short)); err == nil {
			t.Errorf("a dump of %d bytes was loaded", n)
		}
	}
	if _, err := Load(tree.DeepDepth, dump.Bytes(), hash); err == nil || !strings.Contains(err.Error(), "inputs") {
		t.Errorf("a dump of another depth: %v", err)
	}
}
