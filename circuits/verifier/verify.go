package verifier

import (
	"errors"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

var errFalse = errors.New("proof: does not prove the statement")

// prepared is what depends on the key alone and is worth keeping: e(α, β), the
// lines of -γ, -δ and -β, and for each K its multiples d·256^w·K, one row for each
// byte of its input; a bound of 32 bits needs four rows only, as K₀ does.
type prepared struct {
	alphaBeta curve.GT
	lines     [3]fixedLines
	windows   [Inputs + 1][]window
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
		n := wordSize
		if 1 <= i && i <= 4 {
			n = field.Size
		}
		p.windows[i] = multiples(k.k[i], n)
	}
	return p
}

// window holds d times a point for d = 1 to 255.
type window [255]curve.G1Affine

// wordSize is the number of bytes of a bound.
const wordSize = 4

// multiples returns rows w of d·256^w·base for d = 1 to 255.
func multiples(base curve.G1Affine, rows int) []window {
	const row = len(window{})
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
	out := make([]window, rows)
	for w := range out {
		copy(out[w][:], affine[row*w:])
	}
	return out
}

// Verify returns nil when the proof proves the statement under this key.
// It starts no goroutine, once the tables of the key are made (by its first use), and
// its verdict depends on its arguments alone.
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
		addDigits(&sum, windows[1+i], in[i].Bits(), 0)
	}
	var out curve.G1Affine
	out.FromJacobian(&sum)
	return out
}

// weigh returns Σ sⱼKⱼ. Where a table has one word's rows, it serves for each word
// of the factor in turn.
func (k *Key) weigh(s *[Inputs + 1]field.Element) curve.G1Affine {
	var limbs [Inputs + 1][4]uint64
	for j := range s {
		limbs[j] = s[j].Bits()
	}
	var sum curve.G1Jac
	sum.FromAffine(new(curve.G1Affine)) // infinity
	windows := &k.prepare().windows
	for from := field.Size - wordSize; from >= 0; from -= wordSize {
		for range 8 * wordSize {
			sum.DoubleAssign()
		}
		for j, rows := range windows {
			if len(rows) == wordSize {
				addDigits(&sum, rows, limbs[j], from)
			}
		}
	}
	for j, rows := range windows {
		if len(rows) == field.Size {
			addDigits(&sum, rows, limbs[j], 0)
		}
	}
	var out curve.G1Affine
	out.FromJacobian(&sum)
	return out
}

// addDigits adds the multiples for the bytes of a number, from one of them on.
func addDigits(sum *curve.G1Jac, rows []window, limbs [4]uint64, from int) {
	for w := range rows {
		at := from + w
		if d := byte(limbs[at/8] >> (8 * (at % 8))); d != 0 {
			sum.AddMixed(&rows[w][d-1])
		}
	}
}
