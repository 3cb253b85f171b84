package kernel

// Sums and differences work on words 0 and 1 of a vector for each limb, as
// numbers with a sign: a limb between -2^31 and 2^31 holds whatever a few
// additions of reduced limbs leave, and settle makes it a limb again.

// settle carries with the sign: limbs 0 to 7 become 0 to 2^29 - 1 and the last
// keeps the sign of the whole.
func (f *function) settle(v [limbs]local) {
	low29 := f.vector()
	f.all32(mask).set(low29)
	for i := range limbs - 1 {
		f.get(v[i]).shift(i32x4Shr).get(v[i+1]).op(i32x4Add).set(v[i+1])
		f.get(v[i]).get(low29).op(v128And).set(v[i])
	}
}

// lift adds 2p to the lanes that are negative.
func (f *function) lift(fd *prime, v [limbs]local) {
	negative := f.vector()
	f.get(v[limbs-1]).num(31).op(i32x4Shr).set(negative) // all ones or zero
	for i := range v {
		f.get(v[i])
		f.limb(fd.twice, i).get(negative).op(v128And).op(i32x4Add).set(v[i])
	}
}

// finish settles, lifts as often as 2p may be missing, and stores.
func (f *function) finish(fd *prime, to place, v [limbs]local, lifts int) {
	f.settle(v)
	for range lifts {
		f.lift(fd, v)
		f.settle(v)
	}
	for i := range v {
		f.storeLimb(to, i, func() { f.get(v[i]) })
	}
}

// subtraction makes sub(to, a, b): to = a - b.
//
// In and out: reduced. The difference lies between -2p and 2p, one 2p makes it
// positive. Limbs: ±2^29, with 2p below 2^30 + 2^29.
func (k *kernel) subtraction(fd *prime, export string) *function {
	f, arg := k.function(export, 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	v := f.limbs()
	for i := range v {
		f.limb(a, i)
		f.limb(b, i).op(i32x4Sub).set(v[i])
	}
	f.finish(fd, to, v, 1)
	return f
}

// addition makes add(to, a, b): to = a + b.
//
// In and out: reduced. The sum less 2p lies between -2p and 2p, one 2p makes it
// positive. Limbs: between -2^29 and 2^30.
func (k *kernel) addition(fd *prime, export string) *function {
	f, arg := k.function(export, 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	v := f.limbs()
	for i := range v {
		f.limb(a, i)
		f.limb(b, i).op(i32x4Add)
		f.limb(fd.twice, i).op(i32x4Sub).set(v[i])
	}
	f.finish(fd, to, v, 1)
	return f
}

// subtraction2 makes sub2(to, s, a, b): to = s - a - b.
//
// In and out: reduced. The difference lies between -4p and 2p, at most two 2p
// make it positive. Limbs: between -2^30 and 2^29.
func (k *kernel) subtraction2(fd *prime) *function {
	f, arg := k.function("", 4)
	to, s, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0), arg[3].at(0)
	v := f.limbs()
	for i := range v {
		f.limb(s, i)
		f.limb(a, i).op(i32x4Sub)
		f.limb(b, i).op(i32x4Sub).set(v[i])
	}
	f.finish(fd, to, v, 2)
	return f
}

// looseSubtraction makes subLoose(to, a, b): to = a - b + 4p without carries.
//
// In: reduced. Out: loose, which is below 6p with limbs from 0 to below 2^31. No
// limb is negative, since none of 4p as lent exceeds 2^30 nor falls below the
// greatest limb of b: 2^29 - 1, and for the last that of 2p.
func (k *kernel) looseSubtraction(fd *prime) *function {
	f, arg := k.function("", 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	for i := 0; i < pair; i += quad {
		f.store(v128Store, to, i, func() {
			f.load(v128Load, a, i).load(v128Load, fd.borrow, i).op(i32x4Add).load(v128Load, b, i).op(i32x4Sub)
		})
	}
	return f
}
