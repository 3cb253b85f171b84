package split_test

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The files, read by the package comment alone: nothing here knows how they were
// written.

// reader reads from the front, and panics behind the end.
type reader struct{ b []byte }

func (r *reader) take(n int) []byte {
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) short() int { return int(binary.LittleEndian.Uint16(r.take(2))) }
func (r *reader) count() int { return int(binary.LittleEndian.Uint32(r.take(4))) }

func (r *reader) shorts(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = r.short()
	}
	return out
}

// integer reads 32 bytes, little-endian, without the highest bit, which it
// returns apart.
func (r *reader) integer() (x *big.Int, high bool) {
	b := make([]byte, 32)
	for i, v := range r.take(32) {
		b[31-i] = v
	}
	high = b[0]&0x80 != 0
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b), high
}

var montgomery = new(big.Int).Lsh(big.NewInt(1), 261)

// plain is x/2^261 modulo p; a value that is not below p is none of ours.
func plain(x, p *big.Int) *big.Int {
	if x.Cmp(p) >= 0 {
		panic(fmt.Sprintf("%v is not below the order", x))
	}
	out := new(big.Int).ModInverse(montgomery, p)
	return out.Mod(out.Mul(out, x), p)
}

func (r *reader) scalar() (e fr.Element) {
	x, _ := r.integer()
	e.SetBigInt(plain(x, fr.Modulus()))
	return e
}

func (r *reader) coordinate() (e fp.Element, high bool) {
	x, high := r.integer()
	e.SetBigInt(plain(x, fp.Modulus()))
	return e, high
}

func (r *reader) full() (p curve.G1Affine) {
	p.X, _ = r.coordinate()
	p.Y, _ = r.coordinate()
	return p
}

func (r *reader) full2() (p curve.G2Affine) {
	for _, e := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
		*e, _ = r.coordinate()
	}
	return p
}

// odd is the lowest bit of an element as the files hold it.
func odd(e *fp.Element) bool {
	x := new(big.Int).Mul(e.BigInt(new(big.Int)), montgomery)
	return x.Mod(x, fp.Modulus()).Bit(0) == 1
}

func expandG1(t *testing.T, file []byte) (out []curve.G1Affine) {
	t.Helper()
	three := fp.NewElement(3)
	for r := (reader{file}); len(r.b) > 0; {
		var p curve.G1Affine
		var high bool
		p.X, high = r.coordinate()
		p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &three)
		if p.Y.Sqrt(&p.Y) == nil {
			t.Fatalf("point %d is not on the curve", len(out))
		}
		if odd(&p.Y) != high {
			p.Y.Neg(&p.Y)
		}
		out = append(out, p)
	}
	return out
}

func expandG2(t *testing.T, file []byte) (out []curve.G2Affine) {
	t.Helper()
	var b, u curve.E2 // 3/(9+u)
	b.A0.SetUint64(3)
	u.A0.SetUint64(9)
	u.A1.SetUint64(1)
	b.Mul(&b, u.Inverse(&u))
	for r := (reader{file}); len(r.b) > 0; {
		var p curve.G2Affine
		var high bool
		p.X.A0, high = r.coordinate()
		p.X.A1, _ = r.coordinate()
		p.Y.Square(&p.X).Mul(&p.Y, &p.X).Add(&p.Y, &b)
		if p.Y.Legendre() != 1 {
			t.Fatalf("point %d is not on the curve", len(out))
		}
		p.Y.Sqrt(&p.Y)
		if odd(&p.Y.A0) != high {
			p.Y.Neg(&p.Y)
		}
		out = append(out, p)
	}
	return out
}

// bases is what small.bin says of one part.
type bases struct {
	wires    []int
	repeated [][3]int
}

func (r *reader) bases() (b bases) {
	n, again := r.count(), r.count()
	b.wires = r.shorts(n)
	for range again {
		b.repeated = append(b.repeated, [3]int(r.shorts(3)))
	}
	return b
}

type small struct {
	alpha, beta, delta, lateA, lateB, late curve.G1Affine
	beta2, delta2, lateB2                  curve.G2Affine
	a, b, k                                bases
}

func readSmall(t *testing.T, file []byte) (s small) {
	t.Helper()
	r := reader{file}
	for _, p := range []*curve.G1Affine{&s.alpha, &s.beta, &s.delta, &s.lateA, &s.lateB, &s.late} {
		*p = r.full()
	}
	for _, p := range []*curve.G2Affine{&s.beta2, &s.delta2, &s.lateB2} {
		*p = r.full2()
	}
	s.a, s.b, s.k = r.bases(), r.bases(), r.bases()
	if len(r.b) != 0 {
		t.Fatalf("%d bytes follow the end of small.bin", len(r.b))
	}
	return s
}

type term struct{ coefficient, wire int }

type hint struct {
	terms       []term
	first, bits int
}

type row struct {
	sides  [3][]term
	solves int // wire + 1, or 0
}

type circuit struct {
	public, secret, internal, log, lateRow, square int
	coefficients                                   []fr.Element
	hints                                          []hint
	rows                                           []row
}

func readCircuit(t *testing.T, file []byte) (c circuit) {
	t.Helper()
	r := reader{file}
	c.public, c.secret, c.internal = r.count(), r.count(), r.count()
	coefficients, rows, hints, terms := r.count(), r.count(), r.count(), r.count()
	c.log, c.lateRow, c.square = r.count(), r.count(), r.count()
	for range coefficients {
		c.coefficients = append(c.coefficients, r.scalar())
	}
	for range hints {
		h := hint{terms: make([]term, r.short()), first: r.short(), bits: r.short()}
		for i := range h.terms {
			h.terms[i] = term{r.short(), r.short()}
		}
		c.hints = append(c.hints, h)
	}
	lengths, solved, wires, numbers := r.shorts(3*rows), r.shorts(rows), r.shorts(terms), r.shorts(terms)
	if len(r.b) != 0 {
		t.Fatalf("%d bytes follow the end of circuit.bin", len(r.b))
	}
	for i := range rows {
		one := row{solves: solved[i]}
		for side := range one.sides {
			for range lengths[3*i+side] {
				one.sides[side] = append(one.sides[side], term{numbers[0], wires[0]})
				wires, numbers = wires[1:], numbers[1:]
			}
		}
		c.rows = append(c.rows, one)
	}
	return c
}

// solve gives every wire its value, and the rows their sides, in the way of the
// browser: hints first, then row by row.
func (c *circuit) solve(inputs []fr.Element) (wires []fr.Element, sides [3][]fr.Element, err error) {
	wires = make([]fr.Element, c.public+c.secret+c.internal)
	wires[0].SetOne()
	copy(wires[1:], inputs)
	sum := func(terms []term) (s fr.Element) {
		for _, t := range terms {
			var x fr.Element
			s.Add(&s, x.Mul(&c.coefficients[t.coefficient], &wires[t.wire]))
		}
		return s
	}
	for _, h := range c.hints {
		v := sum(h.terms)
		n := v.BigInt(new(big.Int))
		for i := range h.bits {
			wires[h.first+i].SetUint64(uint64(n.Bit(i)))
		}
	}
	for i, r := range c.rows {
		left, right := sum(r.sides[0]), sum(r.sides[1])
		var product fr.Element
		product.Mul(&left, &right)
		if r.solves > 0 {
			wires[r.solves-1] = product
		} else if sum(r.sides[2]) != product {
			return nil, sides, fmt.Errorf("row %d does not hold", i)
		}
		for j, v := range []fr.Element{left, right, product} {
			sides[j] = append(sides[j], v)
		}
	}
	return wires, sides, nil
}
