package verifier

import (
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// A walk takes the points Q of some pairs (P, Q) to [6x+2]Q, then adds π(Q) and
// -π²(Q), and multiplies f by each line on the way, at P.
type walk interface {
	double(f *curve.GT)
	doubleAndAdd(f *curve.GT, negative bool)
	finish(f *curve.GT)
}

// miller returns the product of the optimal ate pairings of the walk's pairs and
// of the fixed ones, before the final exponentiation. All pairs share one number f
// and so its squarings.
func miller(w walk, fixed []fixedPair) (f curve.GT) {
	f.SetOne()
	const top = len(curve.LoopCounter) - 1 // its digit is 1: the walk starts at Q
	for i := top - 1; i >= 0; i-- {
		if i < top-1 {
			f.Square(&f)
		}
		digit := curve.LoopCounter[i]
		if digit == 0 {
			w.double(&f)
		} else {
			w.doubleAndAdd(&f, digit < 0)
		}
		for j := range fixed {
			fixed[j].multiply(&f, 0, i)
			if digit != 0 {
				fixed[j].multiply(&f, 1, i)
			}
		}
	}
	w.finish(&f)
	for j := range fixed {
		fixed[j].multiply(&f, 0, top)
		fixed[j].multiply(&f, 1, top)
	}
	return f
}

// A pair (P, Q) is walked on another curve of the same shape, to which
// (x, y) → (s²x, s³y) takes Q. With s = -x/y of P a slope there is the coefficient
// of w as it stands, and only that of w³ has to be multiplied.

// shape returns s, and c = 1/(y·s³), for a point P that is not infinity; xy is
// 1/(XY) of its coordinates. No point of the first group has X = 0 or Y = 0: it
// would be of order 3 or 2.
func shape(p *curve.G1Jac, xy *fp.Element) (s, c fp.Element) {
	var t fp.Element
	s.Square(&p.X).Mul(&s, xy).Mul(&s, &p.Z).Neg(&s) // -XZ/Y
	t.Square(&p.Y).Mul(&t, xy)                       // Y/X
	c.Square(&t).Mul(&c, &t).Mul(&c, xy).Mul(&c, &p.X).Neg(&c)
	return s, c
}

// reshape returns (s²x, s³y).
func reshape(q *curve.G2Affine, s *fp.Element) (z curve.G2Affine) {
	var t fp.Element
	t.Square(s)
	z.X.MulByElement(&q.X, &t)
	t.Mul(&t, s)
	z.Y.MulByElement(&q.Y, &t)
	return z
}

// The endomorphism π of the second group's curve. It is the same map after
// [reshape], whose factors lie in the smallest field.
func frobenius(q *curve.G2Affine) (z curve.G2Affine) {
	z.X.Conjugate(&q.X).MulByNonResidue1Power2(&z.X)
	z.Y.Conjugate(&q.Y).MulByNonResidue1Power3(&z.Y)
	return z
}

// ends returns π(Q), -π²(Q) and -π³(Q). A point Q that is not infinity is of order r exactly when
//
//	[6x+2]Q + π(Q) - π²(Q) = -π³(Q):
//
// the norm of 6x+2 + π - π² + π³ has no factor but r in common with the order of
// the curve. So the walk, which comes to the left side, checks the subgroup.
func ends(q *curve.G2Affine) (first, second, third curve.G2Affine) {
	first = frobenius(q)
	second = frobenius(&first)
	third = frobenius(&second)
	second.Neg(&second)
	third.Neg(&third)
	return first, second, third
}
