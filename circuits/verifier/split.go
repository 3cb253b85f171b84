package verifier

import (
	"crypto/rand"
	"encoding/binary"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/trialith/trialith/circuits/field"
)

// The first group of the curve has a cheap endomorphism: (x, y) to (ωx, y) is
// multiplication by λ, a cube root of one modulo r.
var (
	lambda = parsed[field.Element]("4407920970296243842393367215006156084916469457145843978461")
	omega  = parsed[fp.Element]("2203960485148121921418603742825762020974279258880205651966")
)

func parsed[E any, P interface {
	*E
	SetString(string) (P, error)
}](s string) (e E) {
	if _, err := P(&e).SetString(s); err != nil {
		panic(err) // constants of this package
	}
	return e
}

// coefficient stands for u + vλ modulo r. All 2^128 values differ, for no
// combination of λ and 1 with factors this small is zero, and multiplying by one
// takes half the doublings of a plain number of 128 bits.
type coefficient struct{ u, v uint64 }

// randomCoefficients returns n coefficients that nobody can predict, none of them
// zero: errors of two proofs that cancel each other survive them with a chance of
// 2^-127 at most.
func randomCoefficients(n int) []coefficient {
	buf := make([]byte, 16*n)
	_, _ = rand.Read(buf) // never fails: the process ends if the system has no randomness
	out := make([]coefficient, n)
	for i := range out {
		part := buf[16*i:]
		out[i] = coefficient{binary.BigEndian.Uint64(part), binary.BigEndian.Uint64(part[8:])}
		if out[i] == (coefficient{}) {
			out[i].u = 1
		}
	}
	return out
}

// element returns u + vλ.
func (c coefficient) element() (e field.Element) {
	var u field.Element
	u.SetUint64(c.u)
	e.SetUint64(c.v)
	e.Mul(&e, &lambda).Add(&e, &u)
	return e
}

// endomorphism returns λ·p.
func endomorphism(p *curve.G1Affine) (q curve.G1Affine) {
	q.X.Mul(&p.X, &omega)
	q.Y = p.Y
	return q
}

// width is that of the digits of [recode], which are odd and below 2^width in
// size: 1, 3, 5, 7.
const width = 3

// odds are 1, 3, 5 and 7 times a point.
type odds [4]curve.G1Affine

// oddMultiples returns the odds of each point; they share one inversion.
func oddMultiples(points []curve.G1Affine) []odds {
	jac := make([]curve.G1Jac, 0, 4*len(points))
	var double, sum curve.G1Jac
	for i := range points {
		sum.FromAffine(&points[i])
		double.Double(&sum)
		jac = append(jac, sum)
		for range 3 {
			sum.AddAssign(&double)
			jac = append(jac, sum)
		}
	}
	affine := curve.BatchJacobianToAffineG1(jac)
	out := make([]odds, len(points))
	for i := range out {
		copy(out[i][:], affine[4*i:])
	}
	return out
}

// multiply returns u·p + v·λp, for the point p whose odds are given.
func (c coefficient) multiply(p *odds) (out curve.G1Jac) {
	u, v := recode(c.u), recode(c.v)
	out.FromAffine(new(curve.G1Affine)) // infinity
	for i := len(u) - 1; i >= 0; i-- {
		out.DoubleAssign()
		p.add(&out, u[i], false)
		p.add(&out, v[i], true)
	}
	return out
}

// add adds digit·p to the sum, or digit·λp.
func (o *odds) add(sum *curve.G1Jac, digit int8, turned bool) {
	if digit == 0 {
		return
	}
	q := o[max(digit, -digit)/2]
	if turned {
		q.X.Mul(&q.X, &omega)
	}
	if digit < 0 {
		q.Neg(&q)
	}
	sum.AddMixed(&q)
}

// recode writes n as Σ dᵢ 2^i with digits that are zero or odd and at most
// 2^width - 1 in size, few of them not zero.
func recode(n uint64) (digits [65]int8) {
	carry := uint64(0)
	for i := 0; i < len(digits); {
		bit := carry
		if i < 64 {
			bit += n >> i & 1
		}
		if bit != 1 { // 0, or 2 that carries on
			carry = bit >> 1
			i++
			continue
		}
		part := n>>min(i, 63)&(1<<(width+1)-1) | carry
		if i > 63 {
			part = carry
		}
		carry = part >> width
		digits[i] = int8(part) - int8(carry<<(width+1))
		i += width + 1
	}
	return digits
}
