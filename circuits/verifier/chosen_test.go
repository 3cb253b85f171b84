package verifier

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

// knownKey is a key whose secrets are known and small, so that sums on the way
// meet, and anything can be proved with A and B as one likes.
type knownKey struct {
	*Key
	k [Inputs + 1]field.Element
}

// Its α, β, γ and δ are 2, 3, 1 and -2.
func newKnownKey(t *testing.T) *knownKey {
	t.Helper()
	y := new(knownKey)
	g1 := func(n int64) []byte {
		b := multiple1(integer(n)).Bytes()
		return b[:]
	}
	g2 := func(n int64) []byte {
		b := multiple2(integer(n)).Bytes()
		return b[:]
	}
	raw := slices.Concat(g1(2), g1(3), g2(3), g2(1), g1(-2), g2(-2))
	raw = binary.BigEndian.AppendUint32(raw, Inputs+1)
	for i := range y.k {
		n := int64(i + 1)
		if i%2 == 1 {
			n = -n
		}
		y.k[i] = integer(n)
		raw = append(raw, g1(n)...)
	}
	var err error
	if y.Key, err = ParseKey(append(raw, make([]byte, 8)...)); err != nil {
		t.Fatal(err)
	}
	return y
}

func integer(n int64) (e field.Element) {
	e.SetInt64(n)
	return e
}

func multiple1(n field.Element) *curve.G1Affine {
	return new(curve.G1Affine).ScalarMultiplicationBase(n.BigInt(new(big.Int)))
}

func multiple2(n field.Element) *curve.G2Affine {
	return new(curve.G2Affine).ScalarMultiplicationBase(n.BigInt(new(big.Int)))
}

// sum is K₀ + Σ xᵢKᵢ, as a number.
func (y *knownKey) sum(t *testing.T, s *Statement) field.Element {
	t.Helper()
	in, err := s.PublicInputs()
	if err != nil {
		t.Fatal(err)
	}
	sum := y.k[0]
	for i := range in {
		var term field.Element
		sum.Add(&sum, term.Mul(&in[i], &y.k[1+i]))
	}
	return sum
}

// prove returns the proof with a·G₁ and b·G₂; C is (ab - αβ - γ·sum)/δ.
func (y *knownKey) prove(t *testing.T, s *Statement, a, b field.Element) points {
	t.Helper()
	var c field.Element
	six, sum, delta := integer(6), y.sum(t, s), integer(-2)
	c.Mul(&a, &b).Sub(&c, &six).Sub(&c, &sum).Div(&c, &delta)
	return points{a: *multiple1(a), b: *multiple2(b), c: *multiple1(c)}
}

func (q *points) proof() Proof {
	a, b, c := q.a.Bytes(), q.b.Bytes(), q.c.Bytes()
	return Proof(slices.Concat(a[:], b[:], c[:]))
}

// gnarkHolds is the verdict of gnark-crypto's own subgroup check and pairing.
func (y *knownKey) gnarkHolds(t *testing.T, q *points, s *Statement) bool {
	t.Helper()
	inputs, c, alpha := *multiple1(y.sum(t, s)), q.c, y.alpha
	inputs.Neg(&inputs)
	c.Neg(&c)
	alpha.Neg(&alpha)
	ok, err := curve.PairingCheck([]curve.G1Affine{q.a, inputs, c, alpha}, []curve.G2Affine{q.b, y.gamma, y.delta, y.beta})
	if err != nil {
		t.Fatal(err)
	}
	return ok && q.b.IsInSubGroup()
}

// withSum changes the root so that the sum of the inputs is the number given.
func (y *knownKey) withSum(t *testing.T, s Statement, sum int64) Statement {
	t.Helper()
	want, is := integer(sum), y.sum(t, &s)
	root, err := s.Root.Element()
	if err != nil {
		t.Fatal(err)
	}
	want.Sub(&want, &is).Div(&want, &y.k[1])
	s.Root = field.RootOf(*root.Add(&root, &want))
	return s
}

// Proofs of chosen numbers, good and spoilt, and statements whose inputs meet,
// cancel or fill their bytes: alone and in batches the verdict is the library's.
func TestChosenProofs(t *testing.T) {
	t.Parallel()
	y := newKnownKey(t)
	plain := Statement{Root: field.RootOf(integer(1)), Context: integer(1), Account: field.AccountOf(integer(1)), Message: integer(1)}
	full := Statement{Root: field.RootOf(integer(-1)), Context: integer(-1), Account: field.AccountOf(integer(-1)), Message: integer(-1)}
	for i := range full.Min {
		full.Min[i], full.Max[i] = math.MaxUint32, math.MaxUint32
	}
	statements := []Statement{plain, full}
	for _, sum := range []int64{0, 1, -1} {
		statements = append(statements, y.withSum(t, plain, sum), y.withSum(t, full, sum))
	}
	small := ofOrder(t, big.NewInt(10069))
	spoil := []struct {
		name   string
		change func(q *points)
	}{
		{"as made", func(*points) {}},
		{"both negated", func(q *points) { q.a.Neg(&q.a); q.b.Neg(&q.b) }},
		{"A negated", func(q *points) { q.a.Neg(&q.a) }},
		{"A and C exchanged", func(q *points) { q.a, q.c = q.c, q.a }},
		{"λA", func(q *points) { q.a = endomorphism(&q.a) }},
		{"πB", func(q *points) { q.b = frobenius(&q.b) }},
		{"B and a small order", func(q *points) { q.b.Add(&q.b, &small) }},
		{"B of a small order", func(q *points) { q.b = small }},
		{"C off by the generator", func(q *points) { q.c.Add(&q.c, multiple1(integer(1))) }},
		{"C off by its opposite", func(q *points) { q.c.Add(&q.c, multiple1(integer(-1))) }},
		{"another statement's one", func(q *points) { *q = y.prove(t, &plain, integer(5), integer(7)) }},
	}
	numbers := []field.Element{integer(1), integer(-1), integer(2), lambda}
	var items []Item
	var want, good []int
	for i := range statements {
		s := statements[i]
		for _, spoilt := range spoil {
			j := len(items)
			q := y.prove(t, &s, numbers[j%4], numbers[j/4%4])
			spoilt.change(&q)
			if q.a.IsInfinity() || q.c.IsInfinity() {
				continue
			}
			item := Item{Proof: q.proof(), Statement: s}
			holds := y.gnarkHolds(t, &q, &s)
			if err := y.Verify(item.Proof, s); (err == nil) != holds {
				t.Errorf("statement %d, %s: %v, and the library says %v", i, spoilt.name, err, holds)
			}
			if holds {
				good = append(good, j)
			} else {
				want = append(want, j)
			}
			items = append(items, item)
		}
	}
	if len(good) < len(statements) || len(want) < len(statements) {
		t.Fatalf("%d good and %d bad items", len(good), len(want))
	}
	if got := y.VerifyBatch(items); !slices.Equal(got, want) {
		t.Errorf("bad items %v, want %v", got, want)
	}
	together := func(some []int) (bool, []int) {
		b := batch{key: y.Key, all: make([]checked, len(items))}
		for i := range items {
			b.all[i].read(&items[i])
		}
		return b.together(some)
	}
	// In one go: a verdict found one by one would hide a product that is never one.
	if ok, inside := together(slices.Repeat(good, 2)); !ok || len(inside) != 2*len(good) {
		t.Errorf("together: %v, %d of %d inside", ok, len(inside), 2*len(good))
	}
	for _, i := range want {
		if ok, _ := together(append(slices.Clone(good[:smallBatch]), i)); ok {
			t.Errorf("together with item %d, which is bad: true", i)
		}
	}
}
