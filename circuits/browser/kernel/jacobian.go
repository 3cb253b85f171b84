package kernel

// curve is what doubling and mixed addition need: the product of the field of
// the coordinates, and the sums, which work lane by lane.
type curve struct {
	product, add, sub *function
}

// Jacobian coordinates X, Y, Z stand for (X/Z², Y/Z³), three pairs. Over Fp only
// lane 0 counts. The formulas are those of the explicit-formulas database for
// a = 0: dbl-2009-l and madd-2007-bl. They are incomplete: no point is at infinity,
// and Q is neither P nor -P.
//
// In and out: reduced.

func (k *kernel) jacobian(c curve, dbl, madd string) {
	k.doubling(c, dbl)
	k.mixedAddition(c, madd)
}

// doubling makes dbl(P): P = 2P.
func (k *kernel) doubling(c curve, export string) {
	f, arg := k.function(export, 1)
	x, y, z := arg[0].at(0), arg[0].at(pair), arg[0].at(2*pair)
	xx, yy, yyyy, s, m, t := scratch(0), scratch(1), scratch(2), scratch(3), scratch(4), scratch(5)
	mul, add, sub := c.on(f)

	mul(xx, x, x)
	mul(yy, y, y)
	mul(yyyy, yy, yy)
	add(s, x, yy) // S = 2((X+YY)² - XX - YYYY)
	mul(s, s, s)
	sub(s, s, xx)
	sub(s, s, yyyy)
	add(s, s, s)
	add(m, xx, xx) // M = 3XX
	add(m, m, xx)
	mul(t, m, m) // T = M² - 2S
	mul(z, y, z) // Z = 2YZ
	add(z, z, z)
	sub(t, t, s)
	sub(x, t, s)
	sub(s, s, x) // Y = M(S - X) - 8YYYY
	mul(s, m, s)
	for range 3 {
		add(yyyy, yyyy, yyyy)
	}
	sub(y, s, yyyy)
}

// mixedAddition makes madd(P, Q): P += Q, with Q affine, two pairs.
func (k *kernel) mixedAddition(c curve, export string) {
	f, arg := k.function(export, 2)
	x, y, z := arg[0].at(0), arg[0].at(pair), arg[0].at(2*pair)
	qx, qy := arg[1].at(0), arg[1].at(pair)
	zz, u, r, hh, h, i, j := scratch(0), scratch(1), scratch(2), scratch(3), scratch(4), scratch(5), scratch(6)
	mul, add, sub := c.on(f)

	mul(zz, z, z)
	mul(u, qx, zz) // U = x·ZZ
	mul(r, qy, z)  // S = y·Z·ZZ
	mul(r, r, zz)
	sub(h, u, x) // H = U - X
	mul(hh, h, h)
	add(i, hh, hh) // I = 4HH
	add(i, i, i)
	mul(j, h, i)
	sub(r, r, y) // r = 2(S - Y)
	add(r, r, r)
	v := u
	mul(v, x, i)
	add(z, z, h) // Z = (Z+H)² - ZZ - HH
	mul(z, z, z)
	sub(z, z, zz)
	sub(z, z, hh)
	rr := zz
	mul(rr, r, r) // X = r² - J - 2V
	sub(rr, rr, j)
	sub(rr, rr, v)
	sub(x, rr, v)
	sub(v, v, x) // Y = r(V - X) - 2YJ
	mul(v, v, r)
	mul(j, y, j)
	add(j, j, j)
	sub(y, v, j)
}

// on returns the curve's operations as calls of f.
func (c curve) on(f *function) (mul, add, sub func(to, a, b place)) {
	call := func(g *function) func(to, a, b place) {
		return func(to, a, b place) {
			reduced(to, a, b)
			f.invoke(g, to, a, b)
		}
	}
	return call(c.product), call(c.add), call(c.sub)
}
