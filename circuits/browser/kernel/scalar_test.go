package kernel

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
)

var order = fr.Modulus()

func scalarOf(r *rand.Rand) (e fr.Element) {
	e.SetBigInt(below(r, order))
	return e
}

// inside returns a scalar as the kernel keeps it, and outside undoes it.
func inside(e fr.Element) *big.Int { return montgomery(e.BigInt(new(big.Int)), order) }

func outside(x *big.Int) (e fr.Element) {
	var r fr.Element
	r.SetBigInt(montgomery(big.NewInt(1), order)).Inverse(&r)
	e.SetBigInt(x)
	return *e.Mul(&e, &r)
}

// array writes pairs one behind the other.
func (m *machine) array(lane0, lane1 []fr.Element) int {
	at := m.top
	for i := range lane0 {
		m.pair(inside(lane0[i]), inside(lane1[i]))
	}
	return at
}

func (m *machine) scalars(at int) (out [2]fr.Element) {
	m.t.Helper()
	l := m.lanes(at, order)
	return [2]fr.Element{outside(l[0]), outside(l[1])}
}

func someScalars(r *rand.Rand, n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i] = scalarOf(r)
	}
	return out
}

// Butterflies with all their steps make the library's transforms: dif from natural
// to bit-reversed order, dit back with the inverse root, times n.
func TestButterfliesMakeTransforms(t *testing.T) {
	t.Parallel()
	const n = 32
	m, r, domain := start(t), chance(8), fft.NewDomain(n)
	x, y := someScalars(r, n), someScalars(r, n)
	powers := func(w fr.Element) int {
		out := make([]fr.Element, n/2)
		out[0].SetOne()
		for i := 1; i < len(out); i++ {
			out[i].Mul(&out[i-1], &w)
		}
		return m.array(out, out)
	}
	at, roots, inverse := m.array(x, y), powers(domain.Generator), powers(domain.GeneratorInv)
	for half, step := n/2, pair; half > 0; half, step = half/2, step*2 {
		for block := 0; block < n; block += 2 * half {
			m.call("dif", at+pair*block, at+pair*(block+half), roots, half, pair, step)
		}
	}
	wantX, wantY := append([]fr.Element(nil), x...), append([]fr.Element(nil), y...)
	domain.FFT(wantX, fft.DIF)
	domain.FFT(wantY, fft.DIF)
	for i := range n {
		if got := m.scalars(at + pair*i); got[0] != wantX[i] || got[1] != wantY[i] {
			t.Fatalf("dif: value %d is %v", i, got)
		}
	}
	for half, step := 1, pair*n/2; half < n; half, step = half*2, step/2 {
		for block := 0; block < n; block += 2 * half {
			m.call("dit", at+pair*block, at+pair*(block+half), inverse, half, pair, step)
		}
	}
	for i := range n {
		got := m.scalars(at + pair*i)
		x[i].Mul(&x[i], new(fr.Element).SetUint64(n))
		y[i].Mul(&y[i], new(fr.Element).SetUint64(n))
		if got[0] != x[i] || got[1] != y[i] {
			t.Fatalf("dit: value %d is %v", i, got)
		}
	}
}

func TestQuotientRows(t *testing.T) {
	t.Parallel()
	const n = 9
	m, r := start(t), chance(9)
	a, b, c, e, zero := someScalars(r, n), someScalars(r, n), someScalars(r, n), someScalars(r, n), make([]fr.Element, n)
	ab := m.array(a, b)
	to := ab // as the prover does
	m.call("hcombine", to, ab, m.array(c, zero), m.array(c, e), n)
	for i := range n {
		var rest, late, sum fr.Element
		rest.Mul(&a[i], &b[i]).Sub(&rest, &c[i])
		late.Mul(&e[i], sum.Add(&a[i], &b[i]))
		if got := m.scalars(to + pair*i); got[0] != rest || got[1] != late {
			t.Errorf("row %d: %v", i, got)
		}
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	m, r := start(t), chance(10)
	for n := range 12 {
		var list []int
		var sides [2]fr.Element
		for range n {
			for side := range sides {
				c, w := scalarOf(r), scalarOf(r)
				list = append(list, m.plain(inside(c)), m.plain(inside(w)))
				sides[side].Add(&sides[side], c.Mul(&c, &w))
			}
		}
		ab, c := m.alloc(pair), m.alloc(pair)
		m.call("row", m.words(list...), n, ab, c)
		var product fr.Element
		product.Mul(&sides[0], &sides[1])
		if got := m.scalars(ab); got != sides {
			t.Errorf("%d terms: sides %v, want %v", n, got, sides)
		}
		if got := m.scalars(c); got[0] != product || got[1] != product {
			t.Errorf("%d terms: product %v, want %v", n, got, product)
		}
	}
}

// family draws the children of a node, with the values at the field's edges among
// them.
func family(r *rand.Rand) (out [field.Arity]fr.Element) {
	for i := range out {
		switch r.IntN(4) {
		case 0: // zero, as an empty place has
		case 1:
			out[i].SetInt64(-1)
		default:
			out[i] = scalarOf(r)
		}
	}
	return out
}

func TestPoseidonIsTheTreesNode(t *testing.T) {
	t.Parallel()
	m, r := start(t), chance(11)
	for range 20 {
		a, b := family(r), family(r)
		m.top = Heap
		to := m.alloc(pair)
		children := m.array(a[:], b[:])
		m.call("poseidon8", to, children)
		want := [2]fr.Element{field.Node(&a), field.Node(&b)}
		if got := m.scalars(to); got != want {
			t.Fatalf("nodes of %v and %v: %v, want %v", a, b, got, want)
		}
		for i := range a {
			if got := m.scalars(children + pair*i); got[0] != a[i] || got[1] != b[i] {
				t.Fatal("poseidon8 changed the children")
			}
		}
	}
}

// Levels made by nodes in place end in the root of the tree.
func TestNodesMakeATree(t *testing.T) {
	t.Parallel()
	const leaves = 512
	m, r := start(t), chance(12)
	all := someScalars(r, leaves)
	reference, err := tree.Build(3, all)
	if err != nil {
		t.Fatal(err)
	}
	at := m.alloc(plain * leaves)
	for i, e := range all {
		m.setLimbs(at+plain*i, 4, split(inside(e)))
	}
	m.call("nodes", at, at, leaves/16) // to 64 nodes
	m.call("nodes", at, at, 4)         // to 8
	m.call("nodes", at, at, 1)         // to 1, and one of what stood behind
	want, x := reference.Root(), m.reduced(at, 4, order)
	if got := outside(x); got != want {
		t.Errorf("root %v, want %v", got.String(), want.String())
	}
}
