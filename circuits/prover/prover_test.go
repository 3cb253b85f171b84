package prover

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

func number(n uint64) (e field.Element) {
	e.SetUint64(n)
	return e
}

func ready(tb testing.TB) *Prover {
	tb.Helper()
	p, err := Development()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// member is a person among n in one tree.
func member(tb testing.TB, n, place uint64) Witness {
	tb.Helper()
	person := func(i uint64) Witness {
		return Witness{Secret: number(1000 + i), Trapdoor: number(2000 + i), Attributes: field.Attributes{uint32(i), 30, 40}}
	}
	var leaves []field.Element
	for i := range n {
		w := person(i)
		leaves = append(leaves, w.Leaf())
	}
	t, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		tb.Fatal(err)
	}
	w := person(place)
	if w.Path, err = t.Path(place); err != nil {
		tb.Fatal(err)
	}
	w.Sign(field.Hash("context", nil), field.Hash("message", nil))
	return w
}

func TestProofsVerify(t *testing.T) {
	t.Parallel()
	p, key := ready(t), verifier.Development()
	r := rand.New(rand.NewPCG(7, 8))
	var items []verifier.Item
	for range 4 {
		w := member(t, 100, r.Uint64N(100))
		w.Statement.Min[1], w.Statement.Max[1] = 30, 30
		w.Statement.Min[2], w.Statement.Max[2] = 39, 41
		proof, err := p.Prove(w)
		if err != nil {
			t.Fatal(err)
		}
		if err := key.Verify(proof, w.Statement); err != nil {
			t.Error(err)
		}
		items = append(items, verifier.Item{Proof: proof, Statement: w.Statement})
	}
	if bad := key.VerifyBatch(items); bad != nil {
		t.Errorf("batch: %v", bad)
	}
}

func TestOwnLeafProof(t *testing.T) {
	t.Parallel()
	w := OwnLeaf(number(1), number(2), field.Attributes{3}, number(4), number(5))
	proof, err := ready(t).Prove(w)
	if err != nil {
		t.Fatal(err)
	}
	// Anybody builds the statement from the public leaf.
	public := w.Statement
	public.Root = field.RootOf(tree.OwnLeafRoot(tree.Depth, w.Leaf()))
	if err := verifier.Development().Verify(proof, public); err != nil {
		t.Error(err)
	}
	// With a set of one member only the message separates kinds.
	public.Message = number(6)
	if verifier.Development().Verify(proof, public) == nil {
		t.Error("another message was accepted")
	}
}

// Proofs of one statement differ: none can be recognised again.
func TestProofsAreFresh(t *testing.T) {
	t.Parallel()
	w := OwnLeaf(number(1), number(2), field.Attributes{}, number(4), number(5))
	first, err := ready(t).Prove(w)
	again, err2 := ready(t).Prove(w)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if first == again {
		t.Error("two proofs are the same bytes")
	}
}

func TestProveIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	p, key := ready(t), verifier.Development()
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		w := member(t, 9, uint64(i))
		wg.Go(func() {
			proof, err := p.Prove(w)
			if err == nil {
				err = key.Verify(proof, w.Statement)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// A witness that does not satisfy is refused before the proof, by a word for what
// is wrong.
func TestWitnessRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, word string
		spoil      func(w *Witness)
	}{
		{"another secret", "lead up from the leaf", func(w *Witness) { w.Secret = number(1) }},
		{"another trapdoor", "lead up from the leaf", func(w *Witness) { w.Trapdoor = number(1) }},
		{"another attribute", "lead up from the leaf", func(w *Witness) { w.Attributes[0]++ }},
		{"another path", "lead up from the leaf", func(w *Witness) { w.Path[0] = w.Path[1] }},
		{"a broken path", "lead up from the leaf", func(w *Witness) { w.Path[3][0] = number(1) }},
		{"a short path", "levels", func(w *Witness) { w.Path = w.Path[:6] }},
		{"no path", "levels", func(w *Witness) { w.Path = nil }},
		{"a deep path", "levels", func(w *Witness) { w.Path = tree.OwnLeaf(tree.DeepDepth, w.Leaf()) }},
		{"another root", "another root", func(w *Witness) { w.Statement.Root = field.RootOf(number(1)) }},
		{"another account", "account", func(w *Witness) { w.Statement.Account = field.AccountOf(number(1)) }},
		{"another context", "account", func(w *Witness) { w.Statement.Context = number(1) }},
		{"no context", "no context", func(w *Witness) { w.Statement.Context = field.Element{} }},
		{"no message", "no message", func(w *Witness) { w.Statement.Message = field.Element{} }},
		{"max + 1", "attribute 1 lies outside", func(w *Witness) { w.Statement.Max[1] = 29 }},
		{"min - 1", "attribute 1 lies outside", func(w *Witness) { w.Statement.Min[1] = 31 }},
		{"bounds the wrong way", "minimum", func(w *Witness) { w.Statement.Min[1], w.Statement.Max[1] = 31, 29 }},
	}
	for _, tc := range cases {
		w := member(t, 9, 4)
		tc.spoil(&w)
		if proof, err := ready(t).Prove(w); err == nil || !strings.Contains(err.Error(), tc.word) || proof != (verifier.Proof{}) {
			t.Errorf("%s: %v, want a refusal that says %q", tc.name, err, tc.word)
		}
		if err := w.Check(tree.Depth); err == nil || !strings.Contains(err.Error(), tc.word) {
			t.Errorf("%s: checked before the proof: %v", tc.name, err)
		}
	}
	if w := member(t, 9, 4); w.Check(tree.Depth) != nil {
		t.Error("a good witness is refused before the proof")
	}
}

func TestProvingKeyRefused(t *testing.T) {
	t.Parallel()
	if _, err := New(tree.Depth, developmentKey[1:], sha256.Sum256(developmentKey)); err == nil || !strings.Contains(err.Error(), "pinned") {
		t.Errorf("another key than the pinned: %v", err)
	}
	if _, err := New(tree.DeepDepth, developmentKey, sha256.Sum256(developmentKey)); err == nil || !strings.Contains(err.Error(), "a domain of") {
		t.Errorf("a key of another depth: %v", err)
	}
	long := append(append([]byte(nil), developmentKey...), 0)
	if _, err := New(tree.Depth, long, sha256.Sum256(long)); err == nil || !strings.Contains(err.Error(), "follow") {
		t.Errorf("trailing bytes: %v", err)
	}
	short := developmentKey[:1000]
	if _, err := New(tree.Depth, short, sha256.Sum256(short)); err == nil {
		t.Error("a cut key was accepted")
	}
	if len(developmentKey) > 1_500_000 {
		t.Errorf("the embedded key has %d bytes", len(developmentKey))
	}
	if d := ready(t).Depth(); d != tree.Depth {
		t.Errorf("depth %d", d)
	}
}

// BenchmarkProve is one proof at a time; run it with -cpu 1,2.
func BenchmarkProve(b *testing.B) {
	p, w := ready(b), member(b, 100, 42)
	for b.Loop() {
		if _, err := p.Prove(w); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProveParallel is as many provers as cores.
func BenchmarkProveParallel(b *testing.B) {
	p, w := ready(b), member(b, 100, 42)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := p.Prove(w); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkLoad is reading the development key and compiling the circuit.
func BenchmarkLoad(b *testing.B) {
	hash := sha256.Sum256(developmentKey)
	for b.Loop() {
		if _, err := New(tree.Depth, developmentKey, hash); err != nil {
			b.Fatal(err)
		}
	}
}
