package kernel

import "math/big"

// prime is one of the two fields with its functions.
type prime struct {
	p       *big.Int
	inverse uint32 // -1/p modulo 2^29

	modulus place // p
	upper   place // (p·inverse + 1)/2^29: the limbs of p·inverse above the lowest, and one more
	twice   place // 2p
	borrow  place // 4p with limbs that no limb of a reduced element exceeds
	one     place // 2^261 modulo p

	mul, square, add, sub *function
}

// newPrime writes the constants of a field.
func (k *kernel) newPrime(p *big.Int) *prime {
	m := &k.memory
	times := func(n int64) *big.Int { return new(big.Int).Mul(p, big.NewInt(n)) }
	word := big.NewInt(1 << width)
	inverse := new(big.Int).Sub(word, new(big.Int).ModInverse(p, word))
	return &prime{
		p:       p,
		inverse: uint32(inverse.Uint64()),
		modulus: m.pair(split(p)),
		upper:   m.pair(split(upper(p, inverse))),
		borrow:  m.pair(lend(split(times(4)))),
		twice:   m.pair(split(times(2))),
		one:     m.pair(split(montgomery(big.NewInt(1), p))),
	}
}

// upper returns (p·inverse + 1)/2^29, which is whole, and below p.
func upper(p, inverse *big.Int) *big.Int {
	x := new(big.Int).Mul(p, inverse)
	return x.Add(x, big.NewInt(1)).Rsh(x, width)
}

// lend moves one from each limb to the limb below, so that every limb but the
// last is at least 2^29 - 1: the number stays the same.
func lend(l [limbs]uint32) [limbs]uint32 {
	for i := range limbs - 1 {
		l[i] += 1 << width
		l[i+1]--
	}
	return l
}

// exponent writes the bits of a number, a byte each, the most significant first.
func (k *kernel) exponent(e *big.Int) (bits place, n int) {
	n = e.BitLen()
	bits = k.memory.reserve((n + quad - 1) &^ (quad - 1))
	for i := range n {
		k.memory.bytes[bits.offset+i] = byte(e.Bit(n - 1 - i))
	}
	return bits, n
}
