package kernel

// Additions of affine points come in batches, so that one inversion serves all
// (Montgomery's trick): prefix products of the differences x2 - x1 go up, and on
// the way down each inverse is the running inverse times the prefix product
// before it.
//
// The formulas are incomplete: x(p1) must differ from x(p2), and no point is at
// infinity. One equal pair spoils all additions of its lane in the batch: every
// slope becomes zero. Whoever proves sees it, because a proof is verified before it
// is sent.

// batch are the locals of a batch of additions.
type batch struct {
	list        local // of this addition: addresses
	count       local
	differences local // one pair for each addition
	prefixes    local // one more
}

// begin sets the locals up for list, n, buffer and writes the empty product.
func (f *function) begin(list, n, buffer local, empty func(to place)) batch {
	b := batch{f.number(), f.number(), f.number(), f.number()}
	f.get(list).set(b.list).get(n).set(b.count).get(buffer).set(b.differences)
	f.get(buffer).get(n).num(pair).op(i32Mul).op(i32Add).set(b.prefixes)
	empty(b.prefixes.at(0))
	return b
}

// move goes on by so many additions of a list entry's size.
func (f *function) move(b batch, by, entry int) {
	f.step(b.prefixes, by*pair)
	f.step(b.differences, by*pair)
	f.step(b.list, by*entry)
}

// g1 makes g1add(list, n, buffer): n pairs of additions on G1, both lanes at
// once. The list holds for each addition the addresses p1, p2 and to; a point is
// two plain elements, 80 bytes. The buffer has room for 2n+1 pairs. Points in and
// out are reduced.
func (k *kernel) g1() {
	const entry = 24 // of two additions: p1 p2 to, p1 p2 to
	f, arg := k.function("g1add", 3)
	x1, x2, y1, y2, t := scratch(0), scratch(1), scratch(2), scratch(3), scratch(4)
	slope, s, inverse, running := scratch(5), scratch(6), scratch(7), scratch(8)
	fp := k.fp
	b := f.begin(arg[0], arg[1], arg[2], func(to place) { f.copy(to, fp.one) })
	// both reads coordinate c of point i of the two additions.
	both := func(to place, i, c int) {
		f.address(to).point(b.list, 4*i, plain*c).point(b.list, 4*i+entry/2, plain*c).call(k.gather)
	}
	write := func(from place, c int) {
		f.address(from).point(b.list, 8, plain*c).point(b.list, 8+entry/2, plain*c).call(k.scatter)
	}

	f.repeat(b.count, func() {
		both(x1, 0, 0)
		both(x2, 1, 0)
		difference := k.minusLoose(f, b.differences.at(0), x2, x1)
		f.mul(fp, b.prefixes.at(pair), difference, b.prefixes.at(0))
		f.move(b, 1, entry)
	})
	f.invoke(k.inverse, running, b.prefixes.at(0))
	f.get(arg[1]).set(b.count)
	f.repeat(b.count, func() {
		f.move(b, -1, entry)
		difference := b.differences.at(0)
		difference.loose = true
		f.mul(fp, inverse, running, b.prefixes.at(0))
		f.mul(fp, running, difference, running)
		both(x1, 0, 0)
		both(x2, 1, 0)
		both(y1, 0, 1)
		both(y2, 1, 1)
		f.mul(fp, slope, k.minusLoose(f, t, y2, y1), inverse)
		f.square(fp, s, slope)
		k.minus2(f, x2, s, x1, x2)
		f.mul(fp, s, k.minusLoose(f, t, x1, x2), slope)
		f.sub(fp, y2, s, y1)
		write(x2, 0)
		write(y2, 1)
	})
}

// point puts an address that the list holds, and so many bytes more, on the stack.
func (f *function) point(list local, at, offset int) *function {
	f.get(list).emit(i32Load, int64(at))
	if offset != 0 {
		f.num(offset).op(i32Add)
	}
	return f
}

// g2 makes g2add(list, n, buffer): n additions on the twist, one at a time since
// a coordinate fills both lanes. A point is two pairs, 160 bytes; the list is that
// of g1add. The buffer has room for 2n+1 pairs. Points in and out are reduced.
func (k *kernel) g2() {
	const entry = 12
	f, arg := k.function("g2add", 3)
	t, slope, s, inverse, running := scratch(0), scratch(1), scratch(2), scratch(3), scratch(4)
	fp := k.fp
	b := f.begin(arg[0], arg[1], arg[2], func(to place) { f.mix(to, fp.one, k.zero) })
	p1, p2, to := f.number(), f.number(), f.number()

	f.repeat(b.count, func() {
		f.point(b.list, 0, 0).set(p1).point(b.list, 4, 0).set(p2)
		f.sub(fp, b.differences.at(0), p2.at(0), p1.at(0))
		k.times2(f, b.prefixes.at(pair), b.prefixes.at(0), b.differences.at(0))
		f.move(b, 1, entry)
	})
	k.invert2(f, running, b.prefixes.at(0), t, s, inverse)
	f.get(arg[1]).set(b.count)
	f.repeat(b.count, func() {
		f.move(b, -1, entry)
		k.times2(f, inverse, running, b.prefixes.at(0))
		k.times2(f, running, running, b.differences.at(0))
		f.point(b.list, 0, 0).set(p1).point(b.list, 4, 0).set(p2).point(b.list, 8, 0).set(to)
		f.sub(fp, t, p2.at(pair), p1.at(pair))
		k.times2(f, slope, inverse, t)
		k.times2(f, s, slope, slope)
		k.minus2(f, inverse, s, p1.at(0), p2.at(0)) // x
		f.sub(fp, t, p1.at(0), inverse)
		k.times2(f, s, t, slope)
		f.sub(fp, to.at(pair), s, p1.at(pair)) // to may be p1: its x is written last
		f.copy(to.at(0), inverse)
	})
}

// invert2 is to = 1/z in Fp2: the conjugate of z over its norm. It uses t, c and i.
func (k *kernel) invert2(f *function, to, z, t, c, i place) {
	f.sub(k.fp, t, k.zero, z)
	f.mix(c, z, t)       // [z0, -z1]
	k.times2(f, t, z, c) // [norm, 0]
	f.invoke(k.inverse, i, t)
	f.spread(i, i, 2) // lane 0 in both
	f.mul(k.fp, to, c, i)
}
