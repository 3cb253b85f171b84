package verifier

import (
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// solo walks one pair without inversions, in homogeneous projective coordinates
// (Aranha et al., ePrint 2010/526, section 4; here all coordinates times 4, which
// saves halving).
type solo struct {
	q       curve.G2Affine // reshaped
	x, y, z curve.E2       // of its multiple
	b3      curve.E2       // three times the constant of its curve
	c       fp.Element
	inside  bool
}

// twistB3 is 9/ξ, three times the constant of the second group's curve.
var twistB3 = func() (b curve.E2) {
	b.A0.SetUint64(9)
	b.MulByNonResidueInv(&b)
	return b
}()

// newSolo starts a walk; p and q are not infinity.
func newSolo(p *curve.G1Affine, q *curve.G2Affine) *solo {
	var jac curve.G1Jac
	jac.FromAffine(p)
	var inverse fp.Element
	inverse.Mul(&p.X, &p.Y).Inverse(&inverse)
	s, c := shape(&jac, &inverse)
	w := &solo{q: reshape(q, &s), c: c}
	s.Square(&s)
	inverse.Square(&s).Mul(&inverse, &s)
	w.b3.MulByElement(&twistB3, &inverse)
	w.x, w.y = w.q.X, w.q.Y
	w.z.SetOne()
	return w
}

func (w *solo) double(f *curve.GT) {
	var a, b, c, e, g, h, t curve.E2
	a.Mul(&w.x, &w.y).Double(&a)
	b.Square(&w.y)
	c.Square(&w.z)
	e.Mul(&c, &w.b3)
	t.Add(&b, &c)
	h.Add(&w.y, &w.z).Square(&h).Sub(&h, &t) // 2yz

	var l scaledLine
	l.c = h
	t.Square(&w.x)
	l.a.Double(&t).Add(&l.a, &t)
	l.b.Sub(&b, &e).MulByElement(&l.b, &w.c)

	t.Double(&e).Add(&t, &e)
	g.Add(&b, &t)
	w.x.Sub(&b, &t).Mul(&w.x, &a)
	e.Square(&e).Double(&e).Double(&e)
	t.Double(&e).Add(&t, &e)
	w.y.Square(&g).Sub(&w.y, &t)
	w.z.Mul(&b, &h).Double(&w.z).Double(&w.z)
	l.multiply(f)
}

func (w *solo) doubleAndAdd(f *curve.GT, negative bool) {
	w.double(f)
	q := w.q
	if negative {
		q.Neg(&q)
	}
	w.add(f, &q)
}

// add adds q to the point. From a step that adds equal or opposite points, which
// no point of the curve meets, z stays zero.
func (w *solo) add(f *curve.GT, q *curve.G2Affine) {
	var o, l, ll, lll, g, h, t curve.E2
	t.Mul(&q.Y, &w.z)
	o.Sub(&w.y, &t)
	t.Mul(&q.X, &w.z)
	l.Sub(&w.x, &t)

	var at scaledLine
	at.c, at.a = l, o
	t.Mul(&l, &q.Y)
	at.b.Mul(&q.X, &o).Sub(&at.b, &t).MulByElement(&at.b, &w.c)

	ll.Square(&l)
	lll.Mul(&l, &ll)
	g.Mul(&w.x, &ll)
	t.Square(&o).Mul(&t, &w.z)
	h.Add(&lll, &t)
	t.Double(&g)
	h.Sub(&h, &t)
	w.x.Mul(&l, &h)
	t.Mul(&w.y, &lll)
	w.y.Sub(&g, &h).Mul(&w.y, &o).Sub(&w.y, &t)
	w.z.Mul(&w.z, &lll)
	at.multiply(f)
}

func (w *solo) finish(f *curve.GT) {
	first, second, third := ends(&w.q)
	w.add(f, &first)
	w.add(f, &second)
	third.X.Mul(&third.X, &w.z)
	third.Y.Mul(&third.Y, &w.z)
	w.inside = !w.z.IsZero() && third.X.Equal(&w.x) && third.Y.Equal(&w.y)
}
