package split_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// A second prover, dumb and from the files alone, with the message bound last:
// what it makes must verify, so the files hold all that a proof takes.

type parts struct {
	small
	circuit
	a, b1, k, z []curve.G1Affine
	b2          []curve.G2Affine
}

func readParts(t *testing.T, files map[string][]byte) parts {
	t.Helper()
	return parts{
		readSmall(t, files["small.bin"]), readCircuit(t, files["circuit.bin"]),
		expandG1(t, files["A.bin"]), expandG1(t, files["B1.bin"]), expandG1(t, files["K.bin"]), expandG1(t, files["Z.bin"]),
		expandG2(t, files["B2.bin"]),
	}
}

// open is a proof but for its message.
type open struct {
	parts
	sumA, sumB, sumC, sumLate curve.G1Affine // sumLate stands at the message
	sumB2                     curve.G2Affine
}

func sumG1(t *testing.T, points []curve.G1Affine, scalars []fr.Element) (p curve.G1Affine) {
	t.Helper()
	if _, err := p.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return p
}

func pick(wires []fr.Element, of []int) (out []fr.Element) {
	for _, w := range of {
		out = append(out, wires[w])
	}
	return out
}

// prepare proves all but the message, whose input it takes for zero.
func (p parts) prepare(t *testing.T, inputs []fr.Element) open {
	t.Helper()
	inputs = append([]fr.Element(nil), inputs...)
	inputs[3] = fr.Element{}
	wires, sides, err := p.solve(inputs)
	if err != nil {
		t.Fatal(err)
	}
	o := open{parts: p}
	a, b := pick(wires, p.small.a.wires), pick(wires, p.b.wires)
	o.sumA, o.sumB = sumG1(t, p.a, a), sumG1(t, p.b1, b)
	if _, err := o.sumB2.MultiExp(p.b2, b, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	h0, h1 := p.quotients(sides)
	o.sumC, o.sumLate = sumG1(t, p.z, h0), sumG1(t, p.z, h1)
	k := sumG1(t, p.k, pick(wires, p.small.k.wires))
	o.sumC.Add(&o.sumC, &k)
	return o
}

// quotients are h0 = (a·b - c)/(X^n - 1) and h1 = e·(a+b)/(X^n - 1).
func (p parts) quotients(sides [3][]fr.Element) (h0, h1 []fr.Element) {
	n := 1 << p.log
	d := fft.NewDomain(uint64(n))
	lift := func(v []fr.Element) []fr.Element {
		out := make([]fr.Element, n)
		copy(out, v)
		d.FFTInverse(out, fft.DIF)
		d.FFT(out, fft.DIT, fft.OnCoset())
		return out
	}
	late := make([]fr.Element, n)
	late[p.lateRow].SetOne()
	a, b, c, e := lift(sides[0]), lift(sides[1]), lift(sides[2]), lift(late)
	one, vanishing := fr.One(), fr.Element{}
	vanishing.Exp(d.FrMultiplicativeGen, big.NewInt(int64(n)))
	vanishing.Sub(&vanishing, &one).Inverse(&vanishing)
	for i := range n {
		var product, sum fr.Element
		product.Mul(&a[i], &b[i]).Sub(&product, &c[i])
		sum.Add(&a[i], &b[i]).Mul(&sum, &e[i])
		a[i].Mul(&product, &vanishing)
		b[i].Mul(&sum, &vanishing)
	}
	d.FFTInverse(a, fft.DIF, fft.OnCoset())
	d.FFTInverse(b, fft.DIF, fft.OnCoset())
	return a[:n-1], b[:n-1]
}

// finish binds the message, with the given randomness.
func (o open) finish(message, r, s fr.Element) (proof verifier.Proof) {
	times := func(p curve.G1Affine, by fr.Element) curve.G1Affine {
		return *p.ScalarMultiplication(&p, by.BigInt(new(big.Int)))
	}
	times2 := func(p curve.G2Affine, by fr.Element) curve.G2Affine {
		return *p.ScalarMultiplication(&p, by.BigInt(new(big.Int)))
	}
	total := func(first curve.G1Affine, more ...curve.G1Affine) curve.G1Affine {
		for _, p := range more {
			first.Add(&first, &p)
		}
		return first
	}
	var square, rs fr.Element
	square.Square(&message)
	rs.Mul(&r, &s).Neg(&rs)
	a := total(o.sumA, o.alpha, times(o.lateA, message), times(o.delta, r))
	b1 := total(o.sumB, o.beta, times(o.lateB, message), times(o.delta, s))
	b := o.sumB2
	for _, p := range []curve.G2Affine{o.beta2, times2(o.lateB2, message), times2(o.delta2, s)} {
		b.Add(&b, &p)
	}
	c := total(o.sumC, times(o.sumLate, message), times(o.late, square), times(a, s), times(b1, r), times(o.delta, rs))
	x, y, z := a.Bytes(), b.Bytes(), c.Bytes()
	copy(proof[:32], x[:])
	copy(proof[32:96], y[:])
	copy(proof[96:], z[:])
	return proof
}

func TestAProofFromTheFiles(t *testing.T) {
	t.Parallel()
	d := ready(t)
	first := someone(t, "first")
	o := readParts(t, d.files).prepare(t, witnessOf(t, &first).Vector().(fr.Vector))
	key := verifier.Development()
	for i, message := range []field.Element{fr.One(), *new(fr.Element).SetInt64(-1), field.Hash("message", []byte("first")), field.Hash("message", []byte("second"))} {
		statement := first.Statement
		statement.Message = message
		proof := o.finish(message, fr.NewElement(uint64(5+i)), fr.NewElement(77))
		if err := key.Verify(proof, statement); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
		statement.Message.SetUint64(12345)
		if err := key.Verify(proof, statement); err == nil {
			t.Errorf("message %d: the proof verifies for another", i)
		}
	}
}
