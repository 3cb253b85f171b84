package kernel

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

var modulus = fp.Modulus()

// shown returns a coordinate as the kernel keeps it, sometimes with p added: a
// value has two reduced forms.
func shown(e fp.Element, more bool) *big.Int {
	x := montgomery(e.BigInt(new(big.Int)), modulus)
	if more {
		x.Add(x, modulus)
	}
	return x
}

// value undoes shown.
func value(x *big.Int) (e fp.Element) {
	var r fp.Element
	r.SetBigInt(montgomery(big.NewInt(1), modulus)).Inverse(&r)
	e.SetBigInt(x)
	return *e.Mul(&e, &r)
}

func pointG1(n int64) (p bn254.G1Affine) {
	_, _, g, _ := bn254.Generators()
	return *p.ScalarMultiplication(&g, big.NewInt(n))
}

func pointG2(n int64) (p bn254.G2Affine) {
	_, _, _, g := bn254.Generators()
	return *p.ScalarMultiplication(&g, big.NewInt(n))
}

// putG1 writes a point as g1add reads it: two plain elements.
func (m *machine) putG1(p bn254.G1Affine, more bool) int {
	at := m.alloc(2 * plain)
	m.setLimbs(at, 4, split(shown(p.X, more)))
	m.setLimbs(at+plain, 4, split(shown(p.Y, !more)))
	return at
}

func (m *machine) g1(at int) bn254.G1Affine {
	m.t.Helper()
	return bn254.G1Affine{X: value(m.reduced(at, 4, modulus)), Y: value(m.reduced(at+plain, 4, modulus))}
}

func (m *machine) putE2(e bn254.E2, more bool) int {
	return m.pair(shown(e.A0, more), shown(e.A1, !more))
}

func (m *machine) e2(at int) bn254.E2 {
	m.t.Helper()
	return bn254.E2{A0: value(m.reduced(at, 8, modulus)), A1: value(m.reduced(at+4, 8, modulus))}
}

// putG2 writes a point as g2add reads it: two pairs.
func (m *machine) putG2(p bn254.G2Affine, more bool) int {
	at := m.putE2(p.X, more)
	m.putE2(p.Y, !more)
	return at
}

// Batches of one to seven pairs of additions are the library's; some write the
// sum where an operand stood, as the prover does.
func TestG1Add(t *testing.T) {
	t.Parallel()
	for n := range 8 {
		m, r := start(t), chance(uint64(n))
		var list []int
		var want []bn254.G1Affine
		for i := range 2 * n {
			a, b := pointG1(1+r.Int64N(1<<40)), pointG1(-1-r.Int64N(1<<40))
			p1, p2 := m.putG1(a, i&1 > 0), m.putG1(b, i&2 > 0)
			to := []int{p1, p2, m.alloc(2 * plain)}[i%3]
			list = append(list, p1, p2, to)
			want = append(want, *new(bn254.G1Affine).Add(&a, &b))
		}
		m.call("g1add", m.words(list...), n, m.alloc(pair*(2*n+1)))
		for i := range want {
			if got := m.g1(list[3*i+2]); !got.Equal(&want[i]) {
				t.Errorf("addition %d of %d: %v, want %v", i, 2*n, got, want[i])
			}
		}
	}
}

func TestG2Add(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		m, r := start(t), chance(uint64(n))
		var list []int
		var want []bn254.G2Affine
		for i := range n {
			a, b := pointG2(1+r.Int64N(1<<40)), pointG2(-1-r.Int64N(1<<40))
			p1, p2 := m.putG2(a, i&1 > 0), m.putG2(b, i&2 > 0)
			to := []int{p1, p2, m.alloc(2 * pair)}[i%3]
			list = append(list, p1, p2, to)
			want = append(want, *new(bn254.G2Affine).Add(&a, &b))
		}
		m.call("g2add", m.words(list...), n, m.alloc(pair*(2*n+1)))
		for i := range want {
			at := list[3*i+2]
			if x, y := m.e2(at), m.e2(at+pair); !x.Equal(&want[i].X) || !y.Equal(&want[i].Y) {
				t.Errorf("addition %d of %d: (%v, %v), want %v", i, n, x.String(), y.String(), want[i])
			}
		}
	}
}

// Equal x spoils its lane of the batch, and not only its own addition: the host must
// list such points.
func TestEqualPointsSpoilTheirBatch(t *testing.T) {
	t.Parallel()
	m := start(t)
	two, three := pointG1(2), pointG1(3)
	var list []int
	for _, p := range [][2]bn254.G1Affine{{two, two}, {two, three}} {
		list = append(list, m.putG1(p[0], false), m.putG1(p[1], false), m.alloc(2*plain))
	}
	// Lane 0 adds 2+2, 2+3 and 2+3; lane 1 adds 2+3 each time.
	for range 2 {
		list = append(list, list[3], list[4], m.alloc(2*plain), list[3], list[4], m.alloc(2*plain))
	}
	m.call("g1add", m.words(list...), 3, m.alloc(pair*7))
	five := pointG1(5)
	for i := 1; i < 6; i++ {
		if got, same := m.g1(list[3*i+2]), i%2 == 1; got.Equal(&five) != same {
			t.Errorf("addition %d: 2 + 3 is right: %v; want it right in lane 1 alone", i, !same)
		}
	}
}

// Doublings and mixed additions, one after another, are the library's.
func TestJacobianG1(t *testing.T) {
	t.Parallel()
	m, r := start(t), chance(6)
	want, q := pointG1(77), pointG1(-12345)
	at := m.pair(shown(want.X, true), new(big.Int))
	m.pair(shown(want.Y, false), new(big.Int))
	m.pair(montgomery(big.NewInt(1), modulus), new(big.Int))
	other := m.pair(shown(q.X, false), new(big.Int))
	m.pair(shown(q.Y, true), new(big.Int))
	for i := range 60 {
		if r.IntN(2) == 0 {
			m.call("dbl1", at)
			want.Double(&want)
		} else {
			m.call("madd1", at, other)
			want.Add(&want, &q)
		}
		got := bn254.G1Jac{X: m.e2(at).A0, Y: m.e2(at + pair).A0, Z: m.e2(at + 2*pair).A0}
		if affine := new(bn254.G1Affine).FromJacobian(&got); !affine.Equal(&want) {
			t.Fatalf("step %d: %v, want %v", i, affine, want)
		}
	}
}

func TestJacobianG2(t *testing.T) {
	t.Parallel()
	m, r := start(t), chance(7)
	want, q := pointG2(77), pointG2(-12345)
	at := m.putG2(want, true)
	m.putE2(*new(bn254.E2).SetOne(), false)
	other := m.putG2(q, false)
	for i := range 60 {
		if r.IntN(2) == 0 {
			m.call("dbl2", at)
			want.Double(&want)
		} else {
			m.call("madd2", at, other)
			want.Add(&want, &q)
		}
		got := bn254.G2Jac{X: m.e2(at), Y: m.e2(at + pair), Z: m.e2(at + 2*pair)}
		if affine := new(bn254.G2Affine).FromJacobian(&got); !affine.Equal(&want) {
			t.Fatalf("step %d: %v, want %v", i, affine, want)
		}
	}
}

func TestManyInFp2(t *testing.T) {
	t.Parallel()
	m := start(t)
	a, b, c := pointG2(5), pointG2(6), pointG2(7)
	first := m.putG2(a, true)
	second := m.putE2(b.X, false)
	m.putE2(c.Y, false)
	m.call("mulE2Many", first, first, second, 2, pair, pair, pair)
	if x, y := m.e2(first), m.e2(first+pair); !x.Equal(a.X.Mul(&a.X, &b.X)) || !y.Equal(a.Y.Mul(&a.Y, &c.Y)) {
		t.Errorf("mulE2Many: %v, %v", x.String(), y.String())
	}
}
