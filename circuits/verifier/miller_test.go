package verifier

import (
	"fmt"
	"math/big"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"
)

// seed is the number from which the curve's p and r are made.
var seed = big.NewInt(4965661367192848881)

// twistCofactor is the order of the second group's curve, divided by r.
func twistCofactor() *big.Int {
	h := new(big.Int).Lsh(fp.Modulus(), 1)
	return h.Sub(h, fr.Modulus())
}

func randomTwisted(t *testing.T) curve.G2Affine {
	t.Helper()
	var u curve.E2
	if _, err := u.SetRandom(); err != nil {
		t.Fatal(err)
	}
	q := curve.MapToCurve2(&u)
	if !q.IsOnCurve() || q.IsInSubGroup() {
		t.Fatal("the point is off the curve, or in the subgroup")
	}
	return q
}

// ofOrder returns a point of the twist whose order divides n, a divisor of the
// curve's order, and is not 1.
func ofOrder(t *testing.T, n *big.Int) curve.G2Affine {
	t.Helper()
	for {
		q := times(randomTwisted(t), new(big.Int).Div(twistOrder(), n))
		if !q.IsInfinity() {
			if again := times(q, n); !again.IsInfinity() {
				t.Fatalf("the point is not of order %d", n)
			}
			return q
		}
	}
}

// times is plain double and add: the library's multiplication is for the subgroup.
func times(q curve.G2Affine, n *big.Int) (z curve.G2Affine) {
	var sum curve.G2Jac
	sum.FromAffine(&z)
	for i := n.BitLen() - 1; i >= 0; i-- {
		sum.DoubleAssign()
		if n.Bit(i) == 1 {
			sum.AddMixed(&q)
		}
	}
	z.FromJacobian(&sum)
	return z
}

func randomE2(t *testing.T) (x curve.E2) {
	t.Helper()
	if _, err := x.SetRandom(); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestProductByALine(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		var f curve.GT
		if _, err := f.SetRandom(); err != nil {
			t.Fatal(err)
		}
		l := scaledLine{c: randomE2(t), line: line{randomE2(t), randomE2(t)}}
		switch i {
		case 0:
			l.a.SetZero()
		case 1:
			l.b.SetZero()
		case 2:
			l = scaledLine{}
		case 3:
			f.SetOne()
		case 4:
			l.a.Neg(&l.b)
		}
		var c, a, b curve.E2
		c.Double(&l.c)
		a.Double(&l.a)
		b.Double(&l.b)
		want, got := f, f
		if l.line.multiply(&got); !got.Equal(want.MulBy34(&a, &b)) {
			t.Errorf("case %d: another product by 1 + 2a·w + 2b·w³", i)
		}
		want, got = f, f
		if l.multiply(&got); !got.Equal(want.MulBy034(&c, &a, &b)) {
			t.Errorf("case %d: another product by 2c + 2a·w + 2b·w³", i)
		}
	}
}

func affines(p []curve.G1Affine) []curve.G1Jac {
	out := make([]curve.G1Jac, len(p))
	for i := range p {
		out[i].FromAffine(&p[i])
	}
	return out
}

func references(q []curve.G2Affine) []*curve.G2Affine {
	out := make([]*curve.G2Affine, len(q))
	for i := range q {
		out[i] = &q[i]
	}
	return out
}

// The pairs of a walk may be equal, opposite or cancel each other; the points with
// fixed lines may be infinity.
func TestMillerIsThePairing(t *testing.T) {
	t.Parallel()
	_, _, one1, one2 := curve.Generators()
	rapid.Check(t, func(t *rapid.T) {
		factor := rapid.OneOf(rapid.Int64Range(1, 3), rapid.Int64Range(-3, -1), rapid.Int64Range(1, 1<<62))
		var p []curve.G1Affine
		var q []curve.G2Affine
		draw := func(a, b int64) {
			p, q = append(p, *new(curve.G1Affine).ScalarMultiplication(&one1, big.NewInt(a))),
				append(q, *new(curve.G2Affine).ScalarMultiplication(&one2, big.NewInt(b)))
		}
		for range rapid.IntRange(1, 6).Draw(t, "pairs") {
			draw(factor.Draw(t, "p"), factor.Draw(t, "q"))
		}
		walked := len(p)
		for range rapid.IntRange(0, 3).Draw(t, "fixed pairs") {
			draw(rapid.Int64Range(-2, 2).Draw(t, "fixed p"), factor.Draw(t, "fixed q"))
		}
		lines := make([]fixedLines, len(p)-walked)
		for i := range lines {
			lines[i] = curve.PrecomputeLines(q[walked+i])
		}
		want, err := curve.Pair(p, q)
		if err != nil {
			t.Fatal(err)
		}
		v := newConvoy(affines(p[:walked]), references(q[:walked]))
		f := miller(v, fixedPairs(p[walked:], lines))
		if f = curve.FinalExponentiation(&f); !f.Equal(&want) {
			t.Fatalf("the convoy's product is another")
		}
		for i := range v {
			if v[i].outside {
				t.Fatalf("point %d is said to be outside the subgroup", i)
			}
		}

		want, err = curve.Pair(append(p[walked:], p[0]), append(q[walked:], q[0]))
		if err != nil {
			t.Fatal(err)
		}
		w := newSolo(&p[0], &q[0])
		f = miller(w, fixedPairs(p[walked:], lines))
		if f = curve.FinalExponentiation(&f); !f.Equal(&want) || !w.inside {
			t.Fatalf("alone: another product, or outside (%v)", !w.inside)
		}
	})
}

// The point of the first group may stand in any coordinates.
func TestShapeOfAnyCoordinates(t *testing.T) {
	t.Parallel()
	p := affines([]curve.G1Affine{somePoint(5), somePoint(5)})
	p[1].AddAssign(&p[0])
	p[1].SubAssign(&p[0])
	if !p[0].Equal(&p[1]) || p[0].Z.Equal(&p[1].Z) {
		t.Fatal("not the same point in other coordinates")
	}
	_, _, _, one := curve.Generators()
	v := newConvoy(p, []*curve.G2Affine{&one, &one})
	if !v[0].q.Equal(&v[1].q) || !v[0].c.Equal(&v[1].c) {
		t.Error("another shape")
	}
}

// An endomorphism is u + vπ, where π² = tπ - p. A point that it takes to infinity
// is of an order that divides its norm.
type number [2]*big.Int

func multiplier(n int64) number {
	return number{big.NewInt(n), new(big.Int)}
}

func trace() *big.Int {
	t := new(big.Int).Add(fp.Modulus(), big.NewInt(1))
	return t.Sub(t, fr.Modulus())
}

func (e number) plus(f number, factor int64) number {
	n := big.NewInt(factor)
	return number{
		new(big.Int).Add(e[0], new(big.Int).Mul(n, f[0])),
		new(big.Int).Add(e[1], new(big.Int).Mul(n, f[1])),
	}
}

// turned returns eπ.
func (e number) turned() number {
	u := new(big.Int).Mul(fp.Modulus(), e[1])
	v := new(big.Int).Mul(trace(), e[1])
	return number{u.Neg(u), v.Add(v, e[0])}
}

func (e number) norm() *big.Int {
	n := new(big.Int).Mul(e[0], e[0])
	n.Add(n, new(big.Int).Mul(trace(), new(big.Int).Mul(e[0], e[1])))
	return n.Add(n, new(big.Int).Mul(fp.Modulus(), new(big.Int).Mul(e[1], e[1])))
}

// common is what the norm and the order of the curve have in common.
func (e number) common() *big.Int {
	return new(big.Int).GCD(nil, nil, e.norm(), twistOrder())
}

func twistOrder() *big.Int { return new(big.Int).Mul(fr.Modulus(), twistCofactor()) }

// The equation of π holds on all of the curve, and the order is the order.
func TestEquationOfFrobenius(t *testing.T) {
	t.Parallel()
	q := randomTwisted(t)
	first := frobenius(&q)
	left, right := frobenius(&first), times(first, trace())
	p := times(q, fp.Modulus())
	if left.Add(&left, &p); !left.Equal(&right) {
		t.Error("π² + p is not tπ")
	}
	if q := times(q, twistOrder()); !q.IsInfinity() {
		t.Error("that is not the order of the curve")
	}
}

// The norm of 6x+2 + π - π² + π³ has only r in common with the order of the curve;
// so the points that the walk calls inside are those of order r.
func TestWalkChecksTheSubgroup(t *testing.T) {
	t.Parallel()
	first := multiplier(1).turned()
	second := first.turned()
	u := new(big.Int).Mul(seed, big.NewInt(6))
	e := number{u.Add(u, big.NewInt(2)), new(big.Int)}
	e = e.plus(first, 1).plus(second, -1).plus(second.turned(), 1)
	if got := e.common(); got.Cmp(fr.Modulus()) != 0 {
		t.Errorf("the norm and the order have %v in common", got)
	}
	if new(big.Int).Mod(twistCofactor(), fr.Modulus()).Sign() == 0 {
		t.Error("r divides the order twice")
	}
}

// No point of the curve but infinity, in the subgroup or not, comes to a step that
// adds equal or opposite points, or to infinity: all formulas of the walks hold.
func TestNoStepMeets(t *testing.T) {
	t.Parallel()
	never := func(what string, e number) {
		if got := e.common(); got.Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%s: points of an order that divides %v", what, got)
		}
	}
	one := multiplier(1)
	at := one // the walk is at this multiple of Q
	for i := len(curve.LoopCounter) - 2; i >= 0; i-- {
		twice := at.plus(at, 1)
		never(fmt.Sprintf("digit %d: tangent", i), twice)
		digit := int64(curve.LoopCounter[i])
		if digit != 0 {
			for _, sign := range []int64{1, -1} {
				never(fmt.Sprintf("digit %d: doubled first", i), twice.plus(one, sign))
				never(fmt.Sprintf("digit %d: added first", i), at.plus(one, sign))
			}
		}
		at = twice.plus(one, digit)
	}
	if want := new(big.Int).Mul(seed, big.NewInt(6)); at[0].Cmp(want.Add(want, big.NewInt(2))) != 0 {
		t.Errorf("the digits lead to %d", at[0])
	}
	for _, next := range []number{one.turned(), multiplier(-1).turned().turned()} {
		never("the end: equal", at.plus(next, -1))
		at = at.plus(next, 1)
		never("the end: opposite", at)
	}
}

// A point of any order but r, and a sum of it and a point of the subgroup, is
// called outside, alone and among others, and does the others no harm.
func TestWalksOfPointsOutside(t *testing.T) {
	t.Parallel()
	_, _, one1, one2 := curve.Generators()
	check := func(name string, q curve.G2Affine) {
		if w := newSolo(&one1, &q); q.IsInSubGroup() || alone(w).inside {
			t.Errorf("%s: inside, says the walk alone", name)
		}
		v := newConvoy(affines([]curve.G1Affine{one1, one1, one1}), references([]curve.G2Affine{one2, q, one2}))
		if miller(v, nil); v[0].outside || !v[1].outside || v[2].outside {
			t.Errorf("%s: outside: %v, %v, %v", name, v[0].outside, v[1].outside, v[2].outside)
		}
	}
	primes := []*big.Int{big.NewInt(10069), big.NewInt(5864401), big.NewInt(1875725156269)}
	last := twistCofactor()
	for _, n := range primes {
		last.Div(last, n)
	}
	primes = append(primes, last) // whether prime or not
	for some := 1; some < 1<<len(primes); some++ {
		order := big.NewInt(1)
		for i, n := range primes {
			if some>>i&1 == 1 {
				order.Mul(order, n)
			}
		}
		q := ofOrder(t, order)
		check(fmt.Sprintf("order %d", order), q)
		check(fmt.Sprintf("order %d·r", order), *q.Add(&q, &one2))
	}
}

func alone(w *solo) *solo {
	miller(w, nil)
	return w
}

// Steps without a slope, to which no point comes by itself: see
// [TestNoStepMeets]. The walks know them all the same.
func TestStepsThatMeet(t *testing.T) {
	t.Parallel()
	_, _, one1, one2 := curve.Generators()
	for _, negative := range []bool{false, true} {
		t.Run(fmt.Sprint(negative), func(t *testing.T) {
			t.Parallel()
			var f curve.GT
			f.SetOne()
			w := newSolo(&one1, &one2) // a walker at q meets q, or its opposite
			q := w.q
			if negative {
				q.Neg(&q)
			}
			w.add(&f, &q)
			if !w.z.IsZero() {
				t.Error("the walker alone goes on")
			}
			w.double(&f)
			w.add(&f, &q)
			if w.finish(&f); w.inside {
				t.Error("the walker alone is inside")
			}

			v := newConvoy(affines([]curve.G1Affine{one1, one1, one1}), references([]curve.G2Affine{one2, one2, one2}))
			for i := range v {
				if i != 1 {
					v[i].t.Double(&v[i].t)
				}
			}
			f.SetOne()
			v.doubleAndAdd(&f, negative)
			if v[0].outside || !v[1].outside || v[2].outside {
				t.Errorf("outside: %v, %v, %v", v[0].outside, v[1].outside, v[2].outside)
			}
			factor := int64(5)
			if negative {
				factor = 3
			}
			var want curve.G2Affine
			want.ScalarMultiplication(&one2, big.NewInt(factor))
			if z := newConvoy(affines([]curve.G1Affine{one1}), references([]curve.G2Affine{want})); !v[0].t.Equal(&z[0].q) {
				t.Error("the others have left their way")
			}
		})
	}
}
