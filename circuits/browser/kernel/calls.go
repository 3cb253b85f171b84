package kernel

// Calls of the field's functions on places. They hold callers to the ranges that
// the functions state: everything is reduced but the results of subLoose.

func (f *function) invoke(g *function, places ...place) {
	for _, p := range places {
		f.address(p)
	}
	f.call(g)
}

// reduced panics unless all places hold reduced elements.
func reduced(places ...place) {
	for _, p := range places {
		if p.loose {
			panic("kernel: a loose element is used where only a reduced one may be")
		}
	}
}

// mul is to = a·b; a may be loose.
func (f *function) mul(fd *prime, to, a, b place) {
	reduced(to, b)
	f.invoke(fd.mul, to, a, b)
}

func (f *function) square(fd *prime, to, a place) {
	reduced(to, a)
	f.invoke(fd.square, to, a)
}

func (f *function) add(fd *prime, to, a, b place) {
	reduced(to, a, b)
	f.invoke(fd.add, to, a, b)
}

func (f *function) sub(fd *prime, to, a, b place) {
	reduced(to, a, b)
	f.invoke(fd.sub, to, a, b)
}

// minus2 is to = s - a - b.
func (k *kernel) minus2(f *function, to, s, a, b place) {
	reduced(to, s, a, b)
	f.invoke(k.sub2, to, s, a, b)
}

// minusLoose is to = a - b, and returns the loose result.
func (k *kernel) minusLoose(f *function, to, a, b place) place {
	reduced(to, a, b)
	f.invoke(k.subLoose, to, a, b)
	to.loose = true
	return to
}

// times2 is to = a·b in Fp2.
func (k *kernel) times2(f *function, to, a, b place) {
	reduced(to, a, b)
	f.invoke(k.mulE2, to, a, b)
}
