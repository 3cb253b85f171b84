package kernel

// factors are the x_k and y_k of a sum of products.
type factors struct {
	count int
	x     func(k, i int)          // pushes limb i of x_k
	y     func(k, i, j int) local // limb j of y_k, as row i takes it
	from  func(i int) int         // the lowest limb of y that row i takes
}

// times returns the factors x_k and y_k, each row taking the whole of y_k.
func times(x func(k, i int), y ...[limbs]local) factors {
	return factors{len(y), x, func(k, _, j int) local { return y[k][j] }, func(int) int { return 0 }}
}

// quick is how many rows of a product take their multiple of p without waiting for
// it: see product.
const quick = limbs - 2

// product writes Σ x_k·y_k / 2^261 modulo p for both lanes.
//
// The accumulator t_j of each row holds two products of limbs for every term and
// row it has lived through, unreduced: carries are taken once, at the end. Rows
// go from the least limb of x to the greatest; each adds x_i·y, then a multiple of
// p that makes the lowest limb vanish, and shifts by one limb.
//
// The last two rows add q·p with q = t0·(-1/p) modulo 2^29. The rows before take
// p' = p·(-1/p modulo 2^29) for p: it is 2^29·upper - 1, so q is the lowest limb of
// t0 itself, and to add q·p' and shift is to drop that limb and add q·upper one limb
// up. That waits for no product of q. What p' is longer than p, the rows that follow
// divide away; the last two leave of it less than p/2^29.
func (f *function) product(fd *prime, to place, of factors) {
	t, upper, p := f.limbs(), f.limbs(), f.limbs()
	q, low29, inverse := f.vector(), f.vector(), f.vector()
	f.all32(mask).set(low29)
	f.constants(fd.upper, upper)
	xs := make([]local, of.count)
	for k := range xs {
		xs[k] = f.vector()
	}
	for i := range limbs {
		if i == quick {
			f.constants(fd.modulus, p)
			f.all32(fd.inverse).set(inverse)
		}
		for k, x := range xs {
			of.x(k, i)
			f.set(x)
		}
		for j := of.from(i); j < limbs; j++ {
			// A row with p leaves t8 empty.
			fresh := i == 0 || j == limbs-1 && i > quick
			f.accumulate(t[j], fresh, xs, func(k int) local { return of.y(k, i, j) })
		}
		if i < quick {
			f.get(t[0]).get(low29).op(v128And).spreadQ(q)
			f.quickRow(q, upper, t)
		} else {
			f.get(t[0]).get(inverse).op(i32x4Mul).get(low29).op(v128And).spreadQ(q)
			f.row(q, p, t)
		}
	}
	f.carry(t)
	f.pack(to, t)
}

// constants reads an element into locals.
func (f *function) constants(p place, to [limbs]local) {
	for i := range to {
		f.limb(p, i).set(to[i])
	}
}

// spreadQ moves what is on the stack from words 0 and 2 to words 0 and 1 of q.
func (f *function) spreadQ(q local) { f.tee(q).get(q).shuffle(0, 2, 0, 2).set(q) }

// quickRow adds q·p' and shifts. The lowest limb of t0 is q.
func (f *function) quickRow(q local, upper, t [limbs]local) {
	f.get(t[0]).shift(i64x2Shr).get(t[1]).op(i64x2Add)
	f.get(q).get(upper[0]).op(multiply).op(i64x2Add).set(t[0])
	last := limbs - 1
	for j := 1; j < last; j++ {
		f.get(q).get(upper[j]).op(multiply).get(t[j+1]).op(i64x2Add).set(t[j])
	}
	f.get(q).get(upper[last]).op(multiply).set(t[last])
}

// row adds q·p and shifts: t0 + q·p0 is a multiple of 2^29, so that only zeros are
// dropped. It leaves t8 empty.
func (f *function) row(q local, p, t [limbs]local) {
	f.get(q).get(p[0]).op(multiply).get(t[0]).op(i64x2Add).shift(i64x2Shr)
	f.get(q).get(p[1]).op(multiply).op(i64x2Add).get(t[1]).op(i64x2Add).set(t[0])
	for j := 2; j < limbs; j++ {
		f.get(q).get(p[j]).op(multiply).get(t[j]).op(i64x2Add).set(t[j-1])
	}
}

// accumulate adds the products x_k·y_k of two limbs to an accumulator, or begins it
// with them.
func (f *function) accumulate(t local, fresh bool, xs []local, y func(k int) local) {
	for k, x := range xs {
		f.get(x).get(y(k)).op(multiply)
		switch {
		case k > 0:
			f.op(i64x2Add)
		case !fresh:
			f.get(t).op(i64x2Add)
		}
	}
	f.set(t)
}

// carry normalises accumulators 0 to 7 into limbs 0 to 8.
func (f *function) carry(t [limbs]local) {
	low29 := f.vector()
	f.all64(mask).set(low29)
	for j := range limbs - 1 {
		f.get(t[j]).shift(i64x2Shr)
		if j+1 < limbs-1 {
			f.get(t[j+1]).op(i64x2Add)
		}
		f.set(t[j+1])
		f.get(t[j]).get(low29).op(v128And).set(t[j])
	}
}

// pack stores the lower words of 64-bit limbs as a pair.
func (f *function) pack(to place, t [limbs]local) {
	for j := 0; j+1 < limbs; j += 2 {
		f.store(v128Store, to, 8*j, func() { f.get(t[j]).get(t[j+1]).shuffle(0, 2, 4, 6) })
	}
	f.storeLimb(to, limbs-1, func() { f.get(t[limbs-1]).get(t[limbs-1]).shuffle(0, 2, 0, 2) })
}

// multiplication makes mul(to, a, b): to = a·b / 2^261, lane by lane.
//
// In: b reduced; a reduced or loose. Out: reduced.
//
// Accumulators: 9 rows of a limb of a (below 2^31) times one of b (below 2^29),
// 9 of q and upper or p (below 2^29 each) and one carry:
//
//	9·2^60 + 9·2^58 + 2^35 < 2^64
//
// Value: a < 6p and b < 2p. The multiples of p' come to less than 2^203·2^29·p and
// those of p to less than 2^261·p, so
//
//	(12p² + 2^232·p + 2^261·p) / 2^261 < 2p
func (k *kernel) multiplication(fd *prime, export string) *function {
	f, arg := k.function(export, 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	y := f.limbs()
	for j := range y {
		f.limb(b, j).set(y[j])
	}
	f.product(fd, to, times(func(_, i int) { f.limb(a, i) }, y))
	return f
}

// squaring makes square(to, a): to = a² / 2^261, lane by lane. Row i takes a_i² and
// 2·a_i·a_j for the limbs above: half of the products of mul, and in time, since a
// column is whole when its row comes.
//
// In and out: reduced.
//
// Accumulators: a column has the same sum as in a product of two reduced elements:
//
//	9·2^58 + 9·2^58 + 2^35 < 2^64
//
// The doubled limbs are below 2^30. Value: as in mul.
func (k *kernel) squaring(fd *prime, export string) *function {
	f, arg := k.function(export, 2)
	to, a := arg[0].at(0), arg[1].at(0)
	once, double := f.limbs(), f.limbs()
	for j := range once {
		f.limb(a, j).tee(once[j]).get(once[j]).op(i32x4Add).set(double[j])
	}
	f.product(fd, to, factors{
		count: 1,
		x:     func(_, i int) { f.get(once[i]) },
		y: func(_, i, j int) local {
			if i == j {
				return once[j]
			}
			return double[j]
		},
		from: func(i int) int { return i },
	})
	return f
}

// multiplicationE2 makes mulE2(to, a, b): one product in Fp2 = Fp[u]/(u²+1), lane
// 0 being the real part: [a0·b0 + a1·(4p-b1), a0·b1 + a1·b0] / 2^261. Both parts
// share their reduction.
//
// In: a and b reduced. Out: reduced.
//
// Accumulators: limbs of b below 2^29 and of 4p-b1 below 2^31:
//
//	9·2^58 + 9·2^60 + 9·2^58 + 2^36 < 2^64
//
// Value: 2p·2p + 2p·4p are 12p², as in mul.
func (k *kernel) multiplicationE2(fd *prime) *function {
	f, arg := k.function("mulE2", 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	straight, crossed, lane0 := f.limbs(), f.limbs(), f.vector()
	f.all64(0xffffffff).set(lane0) // as a number -1 in lane 0, as a mask lane 0
	for j := range straight {
		f.limb(b, j).set(straight[j])
		// [borrow - b1, b0], as the complement of b1 and one more
		f.get(straight[j]).get(straight[j]).shuffle(1, 0, 1, 0).get(lane0).op(v128Xor)
		f.limb(fd.borrow, j).get(lane0).op(v128And).op(i32x4Add).get(lane0).op(i32x4Sub).set(crossed[j])
	}
	f.product(fd, to, times(func(k, i int) { f.load(loadBoth, a, 8*i+4*k) }, straight, crossed))
	return f
}
