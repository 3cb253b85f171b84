package verifier

import (
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// convoy walks many pairs in step, in affine coordinates: the slopes of one step
// share one inversion.
type convoy []walker

type walker struct {
	q, t curve.G2Affine // reshaped, and its multiple
	c    fp.Element
	// The slope is slope/run, then in slope alone; before is the product of the
	// denominators of the walkers before this one.
	slope, run, before curve.E2
	// outside: its point is not of order r, and its slopes may mean nothing.
	outside bool
}

// newConvoy starts a walk; no point is infinity.
func newConvoy(p []curve.G1Jac, q []*curve.G2Affine) convoy {
	inverses := make([]fp.Element, len(p))
	for i := range p {
		inverses[i].Mul(&p[i].X, &p[i].Y)
	}
	inverses = fp.BatchInvert(inverses)
	out := make(convoy, len(p))
	for i := range out {
		s, c := shape(&p[i], &inverses[i])
		s.Halve() // a line holds half of the slope
		c.Double(&c).Double(&c)
		out[i].c = c
		out[i].q = reshape(q[i], &s)
		out[i].t = out[i].q
	}
	return out
}

// divide makes the slope of each walker slope/run. No point of the curve comes to a
// denominator of zero, of whatever order; if one did, it would be outside, and
// nobody else may suffer from it.
func (v convoy) divide() {
	var product curve.E2
	product.SetOne()
	for i := range v {
		w := &v[i]
		if w.run.IsZero() {
			w.outside = true
			w.run.SetOne()
		}
		w.before = product
		product.Mul(&product, &w.run)
	}
	product.Inverse(&product)
	for i := len(v) - 1; i >= 0; i-- {
		w := &v[i]
		w.before.Mul(&w.before, &product)
		product.Mul(&product, &w.run)
		w.slope.Mul(&w.slope, &w.before)
	}
}

// draw multiplies f by the line through t with the walker's slope, and returns
// slope·x - y.
func (w *walker) draw(f *curve.GT) (r curve.E2) {
	l := line{a: w.slope}
	r.Mul(&w.slope, &w.t.X).Sub(&r, &w.t.Y)
	l.b.MulByElement(&r, &w.c)
	l.multiply(f)
	return r
}

// third returns the x of the third point on the line through t and the x given.
func (w *walker) third(x *curve.E2) (z curve.E2) {
	z.Square(&w.slope)
	z.Sub(&z, &w.t.X)
	z.Sub(&z, x)
	return z
}

// step draws the line through t and x, and moves t to the sum.
func (w *walker) step(f *curve.GT, x *curve.E2) {
	r := w.draw(f)
	w.t.X = w.third(x)
	w.t.Y.Mul(&w.slope, &w.t.X)
	w.t.Y.Sub(&r, &w.t.Y)
}

func (v convoy) double(f *curve.GT) {
	for i := range v {
		w := &v[i]
		w.run.Square(&w.t.X)
		w.slope.Double(&w.run)
		w.slope.Add(&w.slope, &w.run)
		w.run.Double(&w.t.Y)
	}
	v.divide()
	for i := range v {
		w := &v[i]
		x := w.t.X
		w.step(f, &x)
	}
}

// aim readies the slope of the line through t and q.
func (w *walker) aim(q *curve.G2Affine) {
	w.slope.Sub(&q.Y, &w.t.Y)
	w.run.Sub(&q.X, &w.t.X)
}

// doubleAndAdd goes from t to (t + q) + t without the y of t + q
// (Eisenträger, Lauter and Montgomery, ePrint 2003/257).
func (v convoy) doubleAndAdd(f *curve.GT, negative bool) {
	for i := range v {
		w := &v[i]
		q := w.q
		if negative {
			q.Y.Neg(&q.Y)
		}
		w.aim(&q)
	}
	v.divide()
	xs := make([]curve.E2, len(v)) // of t + q
	firsts := make([]curve.E2, len(v))
	for i := range v {
		w := &v[i]
		w.draw(f)
		xs[i], firsts[i] = w.third(&w.q.X), w.slope
		w.run.Sub(&w.t.X, &xs[i])
		w.slope.Double(&w.t.Y)
	}
	v.divide()
	for i := range v {
		v[i].slope.Sub(&v[i].slope, &firsts[i])
		v[i].step(f, &xs[i])
	}
}

func (v convoy) finish(f *curve.GT) {
	for i := range v {
		first, _, _ := ends(&v[i].q)
		v[i].aim(&first)
	}
	v.divide()
	for i := range v {
		first, second, _ := ends(&v[i].q)
		v[i].step(f, &first.X)
		v[i].aim(&second)
	}
	v.divide()
	for i := range v {
		_, second, third := ends(&v[i].q)
		v[i].step(f, &second.X)
		if !v[i].t.Equal(&third) {
			v[i].outside = true
		}
	}
}
