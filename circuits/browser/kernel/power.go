package kernel

import "math/big"

// window is the number of bits that a power takes at once.
const window = 3

// power makes pow(to, a, bits, n): to = a^e in both lanes, with e as n bytes of 0
// or 1, the most significant first. After the n modulo 3 leading bits it goes on by
// three: three squarings, and a product with one of a, a², … a⁷. It is not constant
// in time; what it is asked for are points of the key and of a proof.
//
// In and out: reduced.
func (k *kernel) power(fd *prime, export string) *function {
	f, arg := k.function(export, 4)
	to, a, bit, n := arg[0].at(0), arg[1].at(0), arg[2], arg[3]
	power := func(i int) place { return k.inner.plus(pair * i) }
	sum := power(0)
	f.copy(power(1), a)
	for i := 2; i < 1<<window; i++ {
		f.mul(fd, power(i), power(i-1), a)
	}
	f.copy(sum, fd.one)
	count, chosen := f.number(), f.number()
	f.get(n).num(window).op(i32Rem).set(count)
	f.repeat(count, func() {
		f.square(fd, sum, sum)
		f.get(bit).emit(i32Load8, 0).when(func() { f.mul(fd, sum, sum, power(1)) })
		f.step(bit, 1)
	})
	f.get(n).num(window).op(i32Div).set(count)
	f.repeat(count, func() {
		for range window {
			f.square(fd, sum, sum)
		}
		f.get(bit).emit(i32Load8, 0).num(2).op(i32Mul)
		f.get(bit).emit(i32Load8, 1).op(i32Add).num(2).op(i32Mul)
		f.get(bit).emit(i32Load8, 2).op(i32Add).num(pair).op(i32Mul).tee(chosen)
		f.when(func() { f.mul(fd, sum, sum, chosen.at(sum.offset)) })
		f.step(bit, window)
	})
	f.copy(to, sum)
	return f
}

// inversion makes inv(to, a): to = a^(p-2) in both lanes, which is 1/a, or 0 for
// 0. In Montgomery form too: pow begins at one's image.
func (k *kernel) inversion(fd *prime, pow *function, export string) *function {
	bits, n := k.exponent(new(big.Int).Sub(fd.p, big.NewInt(2)))
	f, arg := k.function(export, 2)
	f.get(arg[0]).get(arg[1]).address(bits).num(n).call(pow)
	return f
}
