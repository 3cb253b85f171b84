package kernel

// gathering makes gather(to, a, b): two plain elements become the lanes of a
// pair.
func (k *kernel) gathering() *function {
	f, arg := k.function("gather", 3)
	to, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	x, y := f.vector(), f.vector()
	for i := 0; i < limbs-1; i += 4 {
		f.load(v128Load, a, 4*i).set(x).load(v128Load, b, 4*i).set(y)
		f.store(v128Store, to, 8*i, func() { f.get(x).get(y).shuffle(0, 4, 1, 5) })
		f.store(v128Store, to, 8*i+quad, func() { f.get(x).get(y).shuffle(2, 6, 3, 7) })
	}
	f.store(v128Store, to, 8*(limbs-1), func() {
		f.load(load32, a, 4*(limbs-1)).load(load32, b, 4*(limbs-1)).shuffle(0, 4, 1, 5)
	})
	return f
}

// scattering makes scatter(from, a, b): the lanes of a pair become two plain
// elements. The word behind each is made zero.
func (k *kernel) scattering() *function {
	f, arg := k.function("scatter", 3)
	from, a, b := arg[0].at(0), arg[1].at(0), arg[2].at(0)
	x, y := f.vector(), f.vector()
	for i := 0; i < limbs-1; i += 4 {
		f.load(v128Load, from, 8*i).set(x).load(v128Load, from, 8*i+quad).set(y)
		f.store(v128Store, a, 4*i, func() { f.get(x).get(y).shuffle(0, 2, 4, 6) })
		f.store(v128Store, b, 4*i, func() { f.get(x).get(y).shuffle(1, 3, 5, 7) })
	}
	f.limb(from, limbs-1).set(x)
	f.store(store64, a, 4*(limbs-1), func() { f.get(x).get(x).shuffle(0, 2, 2, 2) })
	f.store(store64, b, 4*(limbs-1), func() { f.get(x).get(x).shuffle(1, 2, 2, 2) })
	return f
}

// swap writes [a1, a0].
func (f *function) swap(to, a place) {
	for i := range limbs {
		f.storeLimb(to, i, func() { f.limb(a, i).limb(a, i).shuffle(1, 0, 1, 0) })
	}
}

// mix writes [a0, b1].
func (f *function) mix(to, a, b place) {
	for i := range limbs {
		f.storeLimb(to, i, func() { f.limb(a, i).limb(b, i).shuffle(0, 5, 0, 5) })
	}
}

// spread writes the element of n words' distance between its limbs into both
// lanes.
func (f *function) spread(to, a place, n int) {
	for i := range limbs {
		f.storeLimb(to, i, func() { f.load(loadBoth, a, 4*n*i) })
	}
}
