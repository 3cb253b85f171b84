package verifier

import (
	"errors"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

var errFalse = errors.New("proof: does not prove the statement")

// prepared is what depends on the key alone and is worth keeping: e(α, β), the
// lines of -γ and -δ, and for each public input the multiples d·16^w·K of its
// base, of which a bound of 32 bits needs eight windows only.
type prepared struct {
	alphaBeta curve.GT
	lines     [2][2][len(curve.LoopCounter)]curve.LineEvaluationAff
	windows   [Inputs][][15]curve.G1Affine
}

func (k *Key) tables() *prepared {
	p := new(prepared)
	e, err := curve.Pair([]curve.G1Affine{k.alpha}, []curve.G2Affine{k.beta})
	if err != nil {
		panic(err) // only a difference in length fails
	}
	p.alphaBeta = e
	var negative curve.G2Affine
	p.lines[0] = curve.PrecomputeLines(*negative.Neg(&k.gamma))
	p.lines[1] = curve.PrecomputeLines(*negative.Neg(&k.delta))
	for i := range p.windows {
		n := 64
		if i >= 4 {
			n = 8
		}
		p.windows[i] = multiples(k.k[1+i], n)
	}
	return p
}

// multiples returns rows w of d·16^w·base for d = 1 to 15.
func multiples(base curve.G1Affine, rows int) [][15]curve.G1Affine {
	var step curve.G1Jac
	step.FromAffine(&base)
	jac := make([]curve.G1Jac, 0, 15*rows)
	for range rows {
		sum := step
		for range 15 {
			jac = append(jac, sum)
			sum.AddAssign(&step)
		}
		step = sum
	}
	affine := curve.BatchJacobianToAffineG1(jac)
	out := make([][15]curve.G1Affine, rows)
	for w := range out {
		copy(out[w][:], affine[15*w:])
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
	if !k.holds(&q, &in) {
		return errFalse
	}
	return nil
}

// holds checks e(A, B) · e(K₀ + Σ xᵢKᵢ, -γ) · e(C, -δ) = e(α, β).
func (k *Key) holds(q *points, in *[Inputs]field.Element) bool {
	p := k.prepare()
	first, err := curve.MillerLoop([]curve.G1Affine{q.a}, []curve.G2Affine{q.b})
	if err != nil {
		return false
	}
	lines := p.lines // a copy: the loop below writes into its lines
	second, err := curve.MillerLoopFixedQ([]curve.G1Affine{k.combine(in), q.c}, lines[:])
	if err != nil {
		return false
	}
	e := curve.FinalExponentiation(&first, &second)
	return e.Equal(&p.alphaBeta)
}

// combine returns K₀ + Σ xᵢKᵢ.
func (k *Key) combine(in *[Inputs]field.Element) curve.G1Affine {
	var sum curve.G1Jac
	sum.FromAffine(&k.k[0])
	windows := &k.prepare().windows
	for i := range in {
		limbs := in[i].Bits()
		for w := range windows[i] {
			if d := limbs[w/16] >> (4 * (w % 16)) & 15; d != 0 {
				sum.AddMixed(&windows[i][w][d-1])
			}
		}
	}
	var out curve.G1Affine
	out.FromJacobian(&sum)
	return out
}
