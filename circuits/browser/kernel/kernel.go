// Package kernel generates kernel.wasm, the inner loops of the browser's prover:
// the two fields of BN254, additions on its groups, the steps of transforms, rows
// of the circuit and the hashes of a tree, in WebAssembly with vectors of 128 bits.
//
// # Elements
//
// An element x stands as x·2^261 modulo its field's order p in nine limbs of 29
// bits, the least first: a product of two limbs has 58 bits, so that an
// accumulator of 64 bits holds a whole column of a multiplication and no carry is
// taken before its end. Each function states the sum that shows it, and a test
// follows the code instruction by instruction and finds no accumulator that could
// overflow.
//
// Two elements are worked on at once, the lanes of a pair. Word 2i of a pair is
// limb i of lane 0, word 2i+1 that of lane 1; a pair takes 80 bytes, of which the
// last 8 mean nothing. An element on its own (plain) is nine words, and takes 40
// bytes of which the last 4 mean nothing. An element of Fp2 is a pair: real part,
// imaginary part. A number is little-endian; no address needs to be aligned. The
// result of arithmetic may stand where an operand stood, and a sum of points where
// one of the two points stood, if no other addition of the batch uses that point.
//
// An element is reduced if it is below 2p with limbs below 2^29. Reduced elements
// go in and come out everywhere; they have two forms for most values, and it is
// the host that compares with p. Memory is exported as "mem"; from [Heap] on it
// is the host's. The limbs of p, each twice, stand at address 1024.
//
// # Exports
//
//	mul, add, sub (to, a, b)             pairs over the field of coordinates
//	square (to, a)                       a·a
//	mulE2 (to, a, b)                     one product in Fp2
//	pow (to, a, bits, n)                 a^e: n bytes 0 or 1, most significant first
//	inv (to, a)                          1/a, and 0 for 0
//	gather (to, a, b)                    two plain elements to a pair
//	scatter (from, a, b)                 and back
//	g1add, g2add (list, n, buffer)       batches of affine additions
//	dbl1, dbl2 (P), madd1, madd2 (P, Q)  Jacobian steps on G1 and G2
//	rmul, radd, rsub (to, a, b)          pairs over the scalar field
//	rsquare (to, a)                      a·a
//	dif, dit (a, b, w, n, step, stepW)   butterflies of a transform
//	hcombine (to, ab, c, e, n)           rows of the quotient
//	row (list, n, ab, c)                 one constraint of the circuit
//	poseidon8 (to, children)             two nodes: 8 pairs to one pair
//	nodes (to, from, n)                  2n nodes: plain elements to plain elements
//
// and mulMany, addMany, subMany, mulE2Many, rmulMany, raddMany, rsubMany (to, a, b,
// n, stepTo, stepA, stepB), which go through arrays of pairs.
//
// # What it does not do
//
// It is not constant in time, and the additions are incomplete: points of equal x
// give nonsense, so a key's bases of equal x are listed (package split) and a proof
// is verified before it leaves the device.
package kernel

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

//go:generate go run ./generate ../dist/kernel.wasm

// kernel is the module while it is made, with the functions that others call.
type kernel struct {
	module
	zero                     place
	inner                    place // scratch of pow and of nodes: neither calls the other
	fp, fr                   *prime
	mulE2, sub2, subLoose    *function
	gather, scatter, inverse *function
}

// Generate returns the module. It depends on nothing: the same bytes each time.
func Generate() []byte { return generate().bytes() }

func generate() *kernel {
	k := new(kernel)
	k.memory.top = constants
	k.fp, k.fr = k.newPrime(fp.Modulus()), k.newPrime(fr.Modulus())
	k.zero, k.inner = k.memory.pair(split(new(big.Int))), k.memory.reserve(innerSlots*pair)
	k.base()
	k.scalars()
	k.g1()
	k.g2()
	k.jacobian(curve{k.fp.mul, k.fp.add, k.fp.sub}, "dbl1", "madd1")
	k.jacobian(curve{k.mulE2, k.fp.add, k.fp.sub}, "dbl2", "madd2")
	k.butterflies()
	k.quotient()
	k.rows()
	k.poseidon()
	return k
}

// base makes the functions of the field of the coordinates.
func (k *kernel) base() {
	k.fp.mul = k.multiplication(k.fp, "mul")
	k.fp.square = k.squaring(k.fp, "square")
	k.fp.add = k.addition(k.fp, "add")
	k.fp.sub = k.subtraction(k.fp, "sub")
	k.mulE2 = k.multiplicationE2(k.fp)
	k.sub2, k.subLoose = k.subtraction2(k.fp), k.looseSubtraction(k.fp)
	k.gather, k.scatter = k.gathering(), k.scattering()
	k.inverse = k.inversion(k.fp, k.power(k.fp, "pow"), "inv")
	k.each(k.fp.mul, "mulMany")
	k.each(k.fp.add, "addMany")
	k.each(k.fp.sub, "subMany")
	k.each(k.mulE2, "mulE2Many")
}

// scalars makes the functions of the field of the circuit.
func (k *kernel) scalars() {
	k.fr.mul = k.multiplication(k.fr, "rmul")
	k.fr.square = k.squaring(k.fr, "rsquare")
	k.fr.add = k.addition(k.fr, "radd")
	k.fr.sub = k.subtraction(k.fr, "rsub")
	k.each(k.fr.mul, "rmulMany")
	k.each(k.fr.add, "raddMany")
	k.each(k.fr.sub, "rsubMany")
}
