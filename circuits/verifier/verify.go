package verifier

import (
	"errors"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

var errFalse = errors.New("proof: does not prove the statement")

// prepared is what depends on the key alone and is worth keeping: e(α, β), the
// lines of -γ, -δ and -β, and for each public input the multiples d·256^w·K of its
// base, one row for each byte; a bound of 32 bits needs four rows only.
type prepared struct {
	alphaBeta curve.GT
	lines     [3]fixedLines
	windows   [Inputs][][255]curve.G1Affine
}

func (k *Key) tables() *prepared {
	p := new(prepared)
	e, err := curve.Pair([]curve.G1Affine{k.alpha}, []curve.G2Affine{k.beta})
	if err != nil {
		panic(err) // only a difference in length fails
	}
	p.alphaBeta = e
	for i, q := range [3]curve.G2Affine{k.gamma, k.delta, k.beta} {
		p.lines[i] = curve.PrecomputeLines(*q.Neg(&q))
	}
	for i := range p.windows {
		n := field.Size
		if i >= 4 {
			n = 4
		}
		p.windows[i] = multiples(k.k[1+i], n)
	}
	return p
}

// multiples returns rows w of d·256^w·base for d = 1 to 255.
func multiples(base curve.G1Affine, rows int) [][255]curve.G1Affine {
	const row = 255
	var step curve.G1Jac
	step.FromAffine(&base)
	jac := make([]curve.G1Jac, 0, row*rows)
	for range rows {
		sum := step
		for range row {
			jac = append(jac, sum)
			sum.AddAssign(&step)
		}
		step = sum
	}
	affine := curve.BatchJacobianToAffineG1(jac)
	out := make([][row]curve.G1Affine, rows)
	for w := range out {
		copy(out[w][:], affine[row*w:])
	}
	return out
}

// Verify returns nil when the proof proves the statement under this key.
// It starts no goroutine, and its verdict depends on its arguments alone.
func (k *Key) Verify(proof Proof, s Statement) error {
	in, err := s.PublicInputs()
	if err != nil {
		return err
	}
	q, err := proof.points()
	if err != nil {
		return err
	}
	return k.decide(&q, &in)
}

// decide checks e(A, B) · e(K₀ + Σ xᵢKᵢ, -γ) · e(C, -δ) = e(α, β), and B's order.
func (k *Key) decide(q *points, in *[Inputs]field.Element) error {
	p := k.prepare()
	w := newSolo(&q.a, &q.b)
	f := miller(w, fixedPairs([]curve.G1Affine{k.combine(in), q.c}, p.lines[:2]))
	if !w.inside {
		return errOutside
	}
	if f = curve.FinalExponentiation(&f); !f.Equal(&p.alphaBeta) {
		return errFalse
	}
	return nil
}

// combine returns K₀ + Σ xᵢKᵢ.
func (k *Key) combine(in *[Inputs]field.Element) curve.G1Affine {
	var sum curve.G1Jac
	sum.FromAffine(&k.k[0])
	windows := &k.prepare().windows
	for i := range in {
		limbs := in[i].Bits()
		for w := range windows[i] {
			if d := byte(limbs[w/8] >> (8 * (w % 8))); d != 0 {
				sum.AddMixed(&windows[i][w][d-1])
			}
		}
	}
	var out curve.G1Affine
	out.FromJacobian(&sum)
	return out
}
