package field

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// wide is gnark-crypto's permutation of width 8 with its rounds written out and
// sums without branches, since trees are made of it. A property test holds the
// two equal.
type wide struct {
	full     [WideFull][WideWidth]Element
	partial  [WidePartial]Element
	diagonal [WideWidth]Element // of the inner matrix, less one
}

var eight = newWide()

func newWide() *wide {
	p := poseidon2.NewParameters(WideWidth, WideFull, WidePartial)
	w := &wide{diagonal: [WideWidth]Element(p.DiagM1)}
	const half = WideFull / 2
	for i := range half {
		w.full[i] = [WideWidth]Element(p.RoundKeys[i])
		w.full[half+i] = [WideWidth]Element(p.RoundKeys[half+WidePartial+i])
	}
	for i := range w.partial {
		w.partial[i] = p.RoundKeys[half+i][0]
	}
	return w
}

func (w *wide) permute(s *[WideWidth]Element) {
	outer(s)
	for i := range WideFull / 2 {
		fullRound(s, &w.full[i])
	}
	for i := range w.partial {
		w.partialRound(s, &w.partial[i])
	}
	for i := WideFull / 2; i < WideFull; i++ {
		fullRound(s, &w.full[i])
	}
}

func fullRound(s, keys *[WideWidth]Element) {
	for i := range s {
		add(&s[i], &s[i], &keys[i])
		fifth(&s[i])
	}
	outer(s)
}

// partialRound is a power in lane 0 and the inner matrix: each lane times its
// diagonal, and the sum of all lanes. The products of the other lanes come
// first: they wait for nothing, so that the processor makes them beside the power.
func (w *wide) partialRound(s *[WideWidth]Element, key *Element) {
	var a, b, c Element
	add(&a, &s[1], &s[2])
	add(&b, &s[3], &s[4])
	add(&c, &s[5], &s[6])
	add(&a, &a, &b)
	add(&c, &c, &s[7])
	add(&a, &a, &c)
	add(&s[0], &s[0], key)
	b.Square(&s[0])
	s[1].Mul(&s[1], &w.diagonal[1])
	s[2].Mul(&s[2], &w.diagonal[2])
	b.Square(&b)
	s[3].Mul(&s[3], &w.diagonal[3])
	s[4].Mul(&s[4], &w.diagonal[4])
	s[0].Mul(&s[0], &b)
	s[5].Mul(&s[5], &w.diagonal[5])
	s[6].Mul(&s[6], &w.diagonal[6])
	s[7].Mul(&s[7], &w.diagonal[7])
	add(&a, &a, &s[0])
	s[0].Mul(&s[0], &w.diagonal[0])
	add(&s[0], &s[0], &a)
	add(&s[1], &s[1], &a)
	add(&s[2], &s[2], &a)
	add(&s[3], &s[3], &a)
	add(&s[4], &s[4], &a)
	add(&s[5], &s[5], &a)
	add(&s[6], &s[6], &a)
	add(&s[7], &s[7], &a)
}

func fifth(e *Element) {
	var x Element
	x.Square(e)
	x.Square(&x)
	e.Mul(e, &x)
}

// outer multiplies by the outer matrix: M4 on each half, then the sum of the
// halves on both.
func outer(s *[WideWidth]Element) {
	quarter((*[4]Element)(s[:4]))
	quarter((*[4]Element)(s[4:]))
	for i := range 4 {
		var sum Element
		add(&sum, &s[i], &s[4+i])
		add(&s[i], &s[i], &sum)
		add(&s[4+i], &s[4+i], &sum)
	}
}

// quarter multiplies by M4 (Poseidon2, section 5.1).
func quarter(s *[4]Element) {
	var t0, t1, t2, t3 Element
	add(&t0, &s[0], &s[1])
	add(&t1, &s[2], &s[3])
	add(&t2, &s[1], &s[1])
	add(&t2, &t2, &t1)
	add(&t3, &s[3], &s[3])
	add(&t3, &t3, &t0)
	add(&s[3], &t1, &t1)
	add(&s[3], &s[3], &s[3])
	add(&s[3], &s[3], &t3)
	add(&s[1], &t0, &t0)
	add(&s[1], &s[1], &s[1])
	add(&s[1], &s[1], &t2)
	add(&s[0], &t3, &s[1])
	add(&s[2], &t2, &s[3])
}

// r in four words, the least first. It is below 2^255: the sum of two elements
// has no fifth.
const (
	order0 = 0x43e1f593f0000001
	order1 = 0x2833e84879b97091
	order2 = 0xb85045b68181585d
	order3 = 0x30644e72e131a029
)

// add is Element's Add without its branch, which half of all random sums take
// and no processor foresees.
func add(z, x, y *Element) {
	var c uint64
	var s, t Element
	s[0], c = bits.Add64(x[0], y[0], 0)
	s[1], c = bits.Add64(x[1], y[1], c)
	s[2], c = bits.Add64(x[2], y[2], c)
	s[3], _ = bits.Add64(x[3], y[3], c)
	t[0], c = bits.Sub64(s[0], order0, 0)
	t[1], c = bits.Sub64(s[1], order1, c)
	t[2], c = bits.Sub64(s[2], order2, c)
	t[3], c = bits.Sub64(s[3], order3, c)
	keep := -c // all ones where the sum is below r already
	z[0] = t[0] ^ keep&(s[0]^t[0])
	z[1] = t[1] ^ keep&(s[1]^t[1])
	z[2] = t[2] ^ keep&(s[2]^t[2])
	z[3] = t[3] ^ keep&(s[3]^t[3])
}
