// Package split lays a proving key and its constraint system out as the files that
// the browser's prover reads: the key in parts, since each worker needs only some
// of them, and points compressed, since they expand faster than they travel.
//
// # Bytes
//
// Counts are little-endian words of 32 bits, indices and coefficients' numbers of
// 16. A field element is x·2^261 modulo its field's order (the Montgomery form of
// package kernel), below the order, 32 bytes, little-endian: no file needs a
// multiplication to be read. An element of Fp2 is its real part, then its
// imaginary part; a full point is x, then y. A compressed point is x whose first
// element has in its highest bit the lowest bit of y, or of y's real part.
//
// The files have no header of their own: whoever reads them has their pinned
// SHA-256, which says more than a magic number.
//
//	A.bin, B1.bin  bases of the left and the right side on G1, compressed: those
//	               that are not at infinity, in the order of their wires
//	B2.bin         the bases of B1 on G2, compressed
//	K.bin          bases of the wires that are not public, compressed
//	Z.bin          bases of the quotient, compressed, in bit-reversed order
//
//	circuit.bin    10 counts: public wires (with the constant one), secret wires,
//	               internal wires, coefficients, rows, hints, terms, logarithm of
//	               the domain, row of the late input, wire of its square
//	               the coefficients, as scalars
//	               each hint: number of terms, first wire, number of wires; then
//	               each term's coefficient and wire. The wires are the bits of the
//	               sum, the least first
//	               each row: its number of terms on the left, on the right, and in
//	               the product
//	               each row: the wire that it solves plus one, or 0 for a check.
//	               A row that solves has no terms in the product
//	               all terms' wires, then all terms' coefficients: rows in order,
//	               each left, right, product
//
//	small.bin      full points: alpha, beta, delta on G1; the late input's bases
//	               of A and B1; the late point (below); beta, delta and the late
//	               input's base of B2 on G2
//	               for A, B and K: the number of bases, the number of repeated
//	               ones, each base's wire, and for each repeated one its place,
//	               the place of the first base of equal x, and 1 if the points are
//	               equal, 0 if opposite
//
// # The late input
//
// The message is bound last. It stands in one row, m·m = s, and nowhere else, so
// the sums of A and B are linear in m, and the quotient is h0 + m·h1 + m²·h2. The
// late point is all that stands at m²: the base of the wire s, and Σ h2 over Z,
// where h2 = (e² - e)/(X^n - 1) and e is the polynomial that is one in that row.
//
// # What it does not do
//
// It knows no circuit but of this form: [Split] refuses any other, and says why.
// It checks no point; the key's hash is the key's affair.
package split

import (
	"encoding/binary"
	"fmt"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
)

//go:generate go run ./generate ../dist

// Late is the wire of the message: the fourth public input behind the constant one.
const Late = 4

// File is one file of the prover.
type File struct {
	Name  string
	Bytes []byte
}

// Split returns the files of a circuit and its key, always the same ones. It
// refuses a circuit that the browser's prover could not solve, and a key that
// does not belong to it.
func Split(system *cs_bn254.R1CS, key *groth16.ProvingKey) ([]File, error) {
	c, err := readCircuit(system)
	if err != nil {
		return nil, err
	}
	if err := c.fits(key); err != nil {
		return nil, err
	}
	small, err := c.small(key)
	if err != nil {
		return nil, err
	}
	files := []File{
		{"small.bin", small},
		{"circuit.bin", c.bytes()},
		{"A.bin", compressG1(key.G1.A)},
		{"B1.bin", compressG1(key.G1.B)},
		{"K.bin", compressG1(key.G1.K)},
		{"Z.bin", compressG1(key.G1.Z)},
		{"B2.bin", compressG2(key.G2.B)},
	}
	return files, nil
}

// short appends a number of 16 bits. What is counted here fits: see limits.
func short(b []byte, v int) []byte { return binary.LittleEndian.AppendUint16(b, uint16(v)) }

// counts appends numbers of 32 bits.
func counts(b []byte, v ...int) []byte {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// limits refuses what 16 bits could not name.
func limits(what string, n int) error {
	if n > 1<<16-1 {
		return fmt.Errorf("split: %d %s, and the files have room for %d; widen their indices", n, what, 1<<16-1)
	}
	return nil
}
