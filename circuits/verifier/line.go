package verifier

import (
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// A field of twelve dimensions is built as Fp², then v³ = ξ, then w² = v. The line
// through two points of the second group, at a point of the first, has three
// coefficients of twelve: those of 1, w and w³.

// line stands for 1 + 2a·w + 2b·w³. A line counts up to a factor in a smaller
// field, which the final exponentiation turns into one; so the 1 is chosen, and
// the halves save halving below.
type line struct{ a, b curve.E2 }

// binomial is 2a + 2b·v with what a product by it uses.
type binomial struct{ a, b, sum, difference curve.E2 }

func (l *line) binomial() (n binomial) {
	n.a.Double(&l.a)
	n.b.Double(&l.b)
	n.sum.Add(&l.a, &l.b)
	n.difference.Sub(&l.a, &l.b)
	return n
}

// times writes to z the product (x₀ + x₁v + x₂v²)(2a + 2bv): a polynomial of degree
// three from its values at 0, 1, -1 and infinity, four products in place of six.
func (n *binomial) times(z *[3]curve.E2, x0, x1, x2 *curve.E2) {
	var low, high, plus, minus curve.E2
	plus.Add(x0, x2)
	minus.Sub(&plus, x1)
	plus.Add(&plus, x1)
	plus.Mul(&plus, &n.sum)
	minus.Mul(&minus, &n.difference)
	low.Mul(x0, &n.a)
	high.Mul(x2, &n.b)
	z[2].Add(&plus, &minus)
	z[2].Sub(&z[2], &low)
	z[1].Sub(&plus, &minus)
	z[1].Sub(&z[1], &high)
	z[0].MulByNonResidue(&high)
	z[0].Add(&z[0], &low)
}

// multiply sets f to f·l.
func (l *line) multiply(f *curve.GT) {
	n := l.binomial()
	var even, odd [3]curve.E2
	n.times(&even, &f.C0.B0, &f.C0.B1, &f.C0.B2)
	n.times(&odd, &f.C1.B0, &f.C1.B1, &f.C1.B2)
	f.C1.B0.Add(&f.C1.B0, &even[0])
	f.C1.B1.Add(&f.C1.B1, &even[1])
	f.C1.B2.Add(&f.C1.B2, &even[2])
	odd[2].MulByNonResidue(&odd[2]) // (y₀, y₁, y₂)·v = (ξy₂, y₀, y₁)
	f.C0.B0.Add(&f.C0.B0, &odd[2])
	f.C0.B1.Add(&f.C0.B1, &odd[0])
	f.C0.B2.Add(&f.C0.B2, &odd[1])
}

// scaledLine stands for 2c + 2a·w + 2b·w³: a line whose first coefficient is not
// divided away.
type scaledLine struct {
	c curve.E2
	line
}

// multiply sets f to f·l.
func (l *scaledLine) multiply(f *curve.GT) {
	odd := l.binomial()
	all := line{l.a, l.b}
	all.a.Add(&all.a, &l.c)
	both := all.binomial()
	var c curve.E2
	c.Double(&l.c)

	// The two halves by Karatsuba's way: c·f₀, (2a+2bv)·f₁ and the product of sums.
	var x, y, z [3]curve.E2
	x[0].Mul(&f.C0.B0, &c)
	x[1].Mul(&f.C0.B1, &c)
	x[2].Mul(&f.C0.B2, &c)
	odd.times(&y, &f.C1.B0, &f.C1.B1, &f.C1.B2)
	f.C1.Add(&f.C0, &f.C1)
	both.times(&z, &f.C1.B0, &f.C1.B1, &f.C1.B2)
	f.C1.B0.Sub(&z[0], &x[0])
	f.C1.B0.Sub(&f.C1.B0, &y[0])
	f.C1.B1.Sub(&z[1], &x[1])
	f.C1.B1.Sub(&f.C1.B1, &y[1])
	f.C1.B2.Sub(&z[2], &x[2])
	f.C1.B2.Sub(&f.C1.B2, &y[2])
	y[2].MulByNonResidue(&y[2])
	f.C0.B0.Add(&x[0], &y[2])
	f.C0.B1.Add(&x[1], &y[0])
	f.C0.B2.Add(&x[2], &y[1])
}

// fixedLines are the lines of a point of the key, one row for the doublings and
// one for the additions; the last column is for the two steps at the end.
type fixedLines [2][len(curve.LoopCounter)]curve.LineEvaluationAff

// fixedPair is a point of the first group and the lines of its partner.
type fixedPair struct {
	lines *fixedLines
	x, y  fp.Element // -x/2y and 1/2y of the point; zero for infinity, whose lines are 1
}

// fixedPairs prepares points for the lines of their partners.
func fixedPairs(p []curve.G1Affine, lines []fixedLines) []fixedPair {
	ys := make([]fp.Element, len(p))
	for i := range p {
		ys[i].Double(&p[i].Y)
	}
	ys = fp.BatchInvert(ys) // of zero: zero
	out := make([]fixedPair, len(p))
	for i := range out {
		out[i] = fixedPair{lines: &lines[i], y: ys[i]}
		out[i].x.Mul(&p[i].X, &ys[i]).Neg(&out[i].x)
	}
	return out
}

// multiply sets f to the product of f and the line at the place given.
func (p *fixedPair) multiply(f *curve.GT, row, column int) {
	at := &p.lines[row][column]
	var l line
	l.a.MulByElement(&at.R0, &p.x)
	l.b.MulByElement(&at.R1, &p.y)
	l.multiply(f)
}
