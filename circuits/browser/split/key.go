package split

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
)

// small returns small.bin.
func (c *circuit) small(key *groth16.ProvingKey) ([]byte, error) {
	if err := usable(key); err != nil {
		return nil, err
	}
	late, err := c.latePoint(key)
	if err != nil {
		return nil, err
	}
	if late.IsInfinity() {
		return nil, errors.New("split: the late point is at infinity; this is no key of a ceremony")
	}
	lateA, lateB := indexOf(key.InfinityA, Late), indexOf(key.InfinityB, Late)
	var out []byte
	for _, p := range []*curve.G1Affine{&key.G1.Alpha, &key.G1.Beta, &key.G1.Delta, &key.G1.A[lateA], &key.G1.B[lateB], late} {
		out = coordinate(coordinate(out, &p.X), &p.Y)
	}
	for _, p := range []*curve.G2Affine{&key.G2.Beta, &key.G2.Delta, &key.G2.B[lateB]} {
		for _, x := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
			out = coordinate(out, x)
		}
	}
	public := make([]bool, c.wires())
	for i := range c.public {
		public[i] = true
	}
	out = bases(out, key.InfinityA, key.G1.A)
	out = bases(out, key.InfinityB, key.G1.B)
	return bases(out, public, key.G1.K), nil
}

// indexOf is the place of a wire's base among those that are not left out.
func indexOf(left []bool, wire int) (n int) {
	for _, out := range left[:wire] {
		if !out {
			n++
		}
	}
	return n
}

// bases appends which wires have a base, and which bases repeat one of equal x.
func bases(out []byte, left []bool, points []curve.G1Affine) []byte {
	var wires []byte
	for i := range left {
		if !left[i] {
			wires = short(wires, i)
		}
	}
	repeated := repeats(points, g1)
	out = append(counts(out, len(points), len(repeated)), wires...)
	for _, r := range repeated {
		out = short(short(short(out, r.at), r.first), r.sign)
	}
	return out
}

// latePoint is what stands at the square of the late input: the base of the wire
// of the square, and Σ h2 over Z.
func (c *circuit) latePoint(key *groth16.ProvingKey) (*curve.G1Affine, error) {
	h2 := c.lateQuotient(&key.Domain)
	p := new(curve.G1Affine)
	if _, err := p.MultiExp(key.G1.Z, h2, ecc.MultiExpConfig{}); err != nil {
		return nil, fmt.Errorf("split: late point: %w", err)
	}
	return p.Add(p, &key.G1.K[c.late.square-c.public]), nil
}

// lateQuotient returns the coefficients of h2 = (e² - e)/(X^n - 1) in the order of
// Z, with e the Lagrange polynomial of the late row. On the coset, where X^n - 1 is
// a constant, the division is one of values.
func (c *circuit) lateQuotient(d *fft.Domain) []fr.Element {
	n := int(d.Cardinality)
	e := make([]fr.Element, n)
	e[c.late.row].SetOne()
	d.FFTInverse(e, fft.DIF)
	d.FFT(e, fft.DIT, fft.OnCoset())
	one, vanishing := fr.One(), fr.Element{}
	vanishing.Exp(d.FrMultiplicativeGen, big.NewInt(int64(n)))
	vanishing.Sub(&vanishing, &one).Inverse(&vanishing)
	for i := range e {
		var square fr.Element
		square.Square(&e[i])
		e[i].Sub(&square, &e[i]).Mul(&e[i], &vanishing)
	}
	d.FFTInverse(e, fft.DIF, fft.OnCoset())
	return e[:n-1]
}
