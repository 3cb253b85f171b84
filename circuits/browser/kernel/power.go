package kernel

import "math/big"

// power makes pow(to, a, bits, n): to = a^e in both lanes, with e as n bytes of 0
// or 1, the most significant first. It is not constant in time; what it is asked
// for are points of the key and of a proof.
//
// In: a reduced or loose. Out: reduced.
func (k *kernel) power(fd *prime, export string) *function {
	f, arg := k.function(export, 4)
	to, a, bit, n := arg[0].at(0), arg[1].at(0), arg[2], arg[3]
	a.loose = true
	sum := k.memory.reserve(pair) // not scratch: who calls has its own there
	f.copy(sum, fd.one)
	f.repeat(n, func() {
		f.square(fd, sum, sum)
		f.get(bit).emit(i32Load8, 0).when(func() { f.mul(fd, sum, a, sum) })
		f.step(bit, 1)
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
