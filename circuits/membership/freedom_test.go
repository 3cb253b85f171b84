package membership

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"

	"github.com/trialith/trialith/circuits/tree"
)

// freedom is in how many directions a valid solution can be moved while every
// constraint holds to first order: what the prover may choose. Choosable are the
// secret and the trapdoor, eight attributes (their bounds go with them, for a
// difference made of bits cannot move a little), context and message, and on each
// level of the path all children but the one below.
func freedom(depth int) int { return 2 + 8 + 2 + (tree.Arity-1)*depth }

// No constraint can be deleted: at a valid solution all constraints are
// independent, so that without any one of them the solutions have one dimension
// more, and there are some that it alone refuses. Deleting a constraint, or
// making it follow from others, fails this test, which names the constraint that
// is not independent.
func TestNoConstraintCanBeDeleted(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{2, tree.Depth, tree.DeepDepth} {
		system := compile(t, depth)
		wires := solution(t, system, depth)
		rows := system.GetR1Cs()
		dependent := dependents(system, rows, wires)
		for _, i := range dependent {
			t.Errorf("depth %d: constraint %d follows from those before it", depth, i)
		}
		if got := len(wires) - 1 - len(rows) + len(dependent); got != freedom(depth) {
			t.Errorf("depth %d: %d free directions, want %d: a constraint is missing or too many", depth, got, freedom(depth))
		}
	}
}

// The control: whichever constraint is deleted, the test above counts one
// direction too many; a constraint that stands twice is named. Short runs try a
// sample.
func TestDeletedConstraintIsNoticed(t *testing.T) {
	t.Parallel()
	system := compile(t, 2)
	wires := solution(t, system, 2)
	rows := system.GetR1Cs()
	step := 1
	if testing.Short() {
		step = 97
	}
	for i := 0; i < len(rows); i += step {
		rest := append(append([]constraint.R1C(nil), rows[:i]...), rows[i+1:]...)
		if got := len(wires) - 1 - len(rest) + len(dependents(system, rest, wires)); got != freedom(2)+1 {
			t.Errorf("without constraint %d: %d free directions, want %d", i, got, freedom(2)+1)
		}
	}
	if twice := dependents(system, append(append([]constraint.R1C(nil), rows...), rows[5]), wires); len(twice) != 1 || twice[0] != len(rows) {
		t.Errorf("a constraint that stands twice: %v", twice)
	}
}

func solution(t *testing.T, system *cs_bn254.R1CS, depth int) []fr.Element {
	t.Helper()
	return solved(t, system, newSample(t, rand.New(rand.NewPCG(17, uint64(depth))), depth).assignment())
}

// entry is one coefficient of a row of derivatives.
type entry struct {
	wire  int
	value fr.Element
}

// dependents returns the constraints whose derivatives at a solution depend on
// those of earlier ones. Rows are kept by their highest wire; most constraints
// bring a wire of their own and need no elimination.
func dependents(system *cs_bn254.R1CS, rows []constraint.R1C, wires []fr.Element) (out []int) {
	pivots := make([][]entry, len(wires))
	work := make([]fr.Element, len(wires))
	for i := range rows {
		derive(system, &rows[i], wires, work)
		if !reduce(work, pivots) {
			out = append(out, i)
		}
	}
	return out
}

// derive writes the derivatives of L·R - O by each wire into the row.
func derive(system *cs_bn254.R1CS, c *constraint.R1C, wires, row []fr.Element) {
	clear(row)
	var l, r, t fr.Element
	sum := func(side constraint.LinearExpression, s *fr.Element) {
		for _, term := range side {
			s.Add(s, t.Mul(&system.Coefficients[term.CID], &wires[term.VID]))
		}
	}
	sum(c.L, &l)
	sum(c.R, &r)
	minus := fr.One()
	minus.Neg(&minus)
	for _, part := range []struct {
		side   constraint.LinearExpression
		factor fr.Element
	}{{c.L, r}, {c.R, l}, {c.O, minus}} {
		for _, term := range part.side {
			row[term.VID].Add(&row[term.VID], t.Mul(&system.Coefficients[term.CID], &part.factor))
		}
	}
	row[0].SetZero() // the constant one cannot move
}

// reduce subtracts kept rows until the highest wire is new, and keeps the row
// under it; it reports false if nothing is left.
func reduce(row []fr.Element, pivots [][]entry) bool {
	var factor, t fr.Element
	for w := len(row) - 1; w > 0; w-- {
		if row[w].IsZero() {
			continue
		}
		if pivots[w] == nil {
			pivots[w] = keep(row[:w+1])
			return true
		}
		factor = row[w]
		for i := range pivots[w] {
			e := &pivots[w][i]
			row[e.wire].Sub(&row[e.wire], t.Mul(&factor, &e.value))
		}
	}
	return false
}

// keep returns the row divided by its highest entry.
func keep(row []fr.Element) (out []entry) {
	var inverse, t fr.Element
	inverse.Inverse(&row[len(row)-1])
	for w := range row {
		if !row[w].IsZero() {
			out = append(out, entry{w, *t.Mul(&row[w], &inverse)})
		}
	}
	return out
}
