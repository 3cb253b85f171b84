package kernel

// Steps of the number-theoretic transform over the scalar field, and of the
// quotient polynomial. Everything in and out is reduced.

// butterflies makes dif and dit(a, b, w, n, step, stepW): n butterflies with a and
// b moving on by step bytes and the root w by stepW.
func (k *kernel) butterflies() {
	fr, t := k.fr, scratch(0)
	k.butterfly("dif", func(f *function, a, b, w place) { // a+b, (a-b)·w
		f.sub(fr, t, a, b)
		f.add(fr, a, a, b)
		f.mul(fr, b, t, w)
	})
	k.butterfly("dit", func(f *function, a, b, w place) { // a+b·w, a-b·w
		f.mul(fr, t, b, w)
		f.sub(fr, b, a, t)
		f.add(fr, a, a, t)
	})
}

func (k *kernel) butterfly(export string, body func(f *function, a, b, w place)) {
	f, arg := k.function(export, 6)
	a, b, w, n, step, stepW := arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]
	f.repeat(n, func() {
		body(f, a.at(0), b.at(0), w.at(0))
		f.advance(a, step)
		f.advance(b, step)
		f.advance(w, stepW)
	})
}

// advance moves an address on by the number in a local.
func (f *function) advance(l, by local) { f.get(l).get(by).op(i32Add).set(l) }

// quotient makes hcombine(to, ab, c, e, n): from [a, b], [c, 0] and [-, e] it makes
// [a·b - c, e·(a+b)], n times. With the late input m bound in one row whose two
// sides are e, the numerator of h is (a+m·e)(b+m·e) - c - m²·e, and the second lane
// is its part linear in m.
func (k *kernel) quotient() {
	f, arg := k.function("hcombine", 5)
	to, ab, c, e, n := arg[0], arg[1], arg[2], arg[3], arg[4]
	swapped, right, left := scratch(0), scratch(1), scratch(2)
	fr := k.fr
	f.repeat(n, func() {
		f.swap(swapped, ab.at(0))
		f.add(fr, left, ab.at(0), swapped)
		f.mix(left, ab.at(0), left)    // [a, a+b]
		f.mix(right, swapped, e.at(0)) // [b, e]
		f.mul(fr, left, left, right)
		f.sub(fr, to.at(0), left, c.at(0))
		for _, l := range []local{to, ab, c, e} {
			f.step(l, pair)
		}
	})
}

// each makes a function (to, a, b, n, stepTo, stepA, stepB) that calls op n times.
func (k *kernel) each(op *function, export string) {
	f, arg := k.function(export, 7)
	f.repeat(arg[3], func() {
		f.invoke(op, arg[0].at(0), arg[1].at(0), arg[2].at(0))
		for i := range 3 {
			f.advance(arg[i], arg[4+i])
		}
	})
}
