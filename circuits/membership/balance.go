package membership

import (
	"slices"

	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
)

// balance swaps the sides of constraints L·R = O where that keeps wires off the
// right side: each wire there costs the prover a point of G2 too, and the key 96
// bytes. Multiplication commutes, so the statement stays the same. It returns the
// number of wires on the right side afterwards.
//
// Wires that stand on both sides anyway (squares) come first; the rest is greedy
// in the order of the constraints.
func balance(system *cs_bn254.R1CS) int {
	right := make(map[uint32]bool)
	rows := multiplications(system)
	for _, r := range rows {
		if r.square() {
			r.claim(right)
		}
	}
	for _, r := range rows {
		if r.square() {
			continue
		}
		if r.cost(r.left(), right) < r.cost(r.right(), right) {
			r.swap()
		}
		r.claim(right)
	}
	return len(right)
}

// row is the encoding of one constraint: 4 counts (all, L, R, O), then pairs of a
// coefficient and a wire.
type row []uint32

func multiplications(system *cs_bn254.R1CS) (rows []row) {
	for _, inst := range system.Instructions {
		if _, ok := system.Blueprints[inst.BlueprintID].(*constraint.BlueprintGenericR1C); ok {
			data := system.CallData[inst.StartCallData:]
			rows = append(rows, row(data[:data[0]]))
		}
	}
	return rows
}

func (r row) left() []uint32  { return r[4 : 4+2*r[1]] }
func (r row) right() []uint32 { return r[4+2*r[1] : 4+2*r[1]+2*r[2]] }

// square reports whether both sides hold the same wires.
func (r row) square() bool { return slices.Equal(wires(r.left()), wires(r.right())) }

// cost is the number of wires of a side that are not on the right side already.
func (r row) cost(side []uint32, right map[uint32]bool) (n int) {
	for i := 1; i < len(side); i += 2 {
		if !right[side[i]] {
			n++
		}
	}
	return n
}

func (r row) claim(right map[uint32]bool) {
	side := r.right()
	for i := 1; i < len(side); i += 2 {
		right[side[i]] = true
	}
}

func (r row) swap() {
	swapped := slices.Concat(r.right(), r.left())
	copy(r[4:], swapped)
	r[1], r[2] = r[2], r[1]
}

func wires(side []uint32) []uint32 {
	out := make([]uint32, 0, len(side)/2)
	for i := 1; i < len(side); i += 2 {
		out = append(out, side[i])
	}
	slices.Sort(out)
	return out
}
