package membership

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/test"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/tree"
	"github.com/trialith/trialith/circuits/verifier"
)

// sample is a person in a tree, computed by the native functions alone.
type sample struct {
	secret, trapdoor, context, message field.Element
	attributes, low, high              field.Attributes
	path                               tree.Path
}

func random(r *rand.Rand) (e field.Element) {
	var b [32]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	e.SetBytes(b[:])
	return e
}

// newSample draws a person at a random place among others, with bounds that the
// attributes just meet or have room in.
func newSample(t *testing.T, r *rand.Rand, depth int) *sample {
	t.Helper()
	s := &sample{secret: random(r), trapdoor: random(r), context: random(r), message: random(r)}
	s.low, s.high = verifier.Vacuous()
	for i := range s.attributes {
		v := r.Uint32N(math.MaxUint32-20) + 10
		s.attributes[i] = v
		switch r.IntN(3) {
		case 0:
			s.low[i], s.high[i] = v, v
		case 1:
			s.low[i], s.high[i] = v-r.Uint32N(10), v+r.Uint32N(10)
		}
	}
	tr := tree.New(depth, tree.NewMemory())
	place := r.Uint64N(tr.Capacity())
	for _, other := range []uint64{0, place ^ 1, place ^ 8, r.Uint64N(tr.Capacity())} {
		s.set(t, tr, other, random(r))
	}
	s.set(t, tr, place, s.leaf())
	path, err := tr.Path(place)
	if err != nil {
		t.Fatal(err)
	}
	s.path = path
	return s
}

func (s *sample) set(t *testing.T, tr *tree.Tree, place uint64, e field.Element) {
	t.Helper()
	if err := tr.Set(place, e); err != nil {
		t.Fatal(err)
	}
}

func (s *sample) leaf() field.Element {
	return field.NewLeaf(field.Identity(s.secret, s.trapdoor), s.attributes)
}

func (s *sample) assignment() *Circuit {
	c := New(len(s.path))
	c.Secret, c.Trapdoor = s.secret, s.trapdoor
	c.Root, c.Context, c.Message = s.path.Root(), s.context, s.message
	c.Account = field.NewAccount(s.secret, s.leaf(), s.context)
	for i := range s.attributes {
		c.Attributes[i], c.Min[i], c.Max[i] = s.attributes[i], s.low[i], s.high[i]
	}
	for i := range s.path {
		for j := range s.path[i] {
			c.Path[i][j] = s.path[i][j]
		}
	}
	return c
}

var depths = []int{tree.Depth, tree.DeepDepth}

func compile(t *testing.T, depth int) *cs_bn254.R1CS {
	t.Helper()
	system, err := Compile(depth)
	if err != nil {
		t.Fatal(err)
	}
	return system
}

// solve reports whether the compiled, balanced system accepts the assignment.
func solve(t *testing.T, system *cs_bn254.R1CS, c *Circuit) error {
	t.Helper()
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	_, err = system.Solve(w, solver.WithNbTasks(1))
	return err
}

// solved returns all wires of the system for a valid assignment.
func solved(t *testing.T, system *cs_bn254.R1CS, c *Circuit) []fr.Element {
	t.Helper()
	full, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	out, err := system.Solve(full)
	if err != nil {
		t.Fatal(err)
	}
	return out.(*cs_bn254.R1CSSolution).W
}

// The native functions and the circuit are twins: what one computes, the other
// accepts, both by the test engine and by the compiled system.
func TestNativeTwin(t *testing.T) {
	t.Parallel()
	for _, depth := range depths {
		system := compile(t, depth)
		r := rand.New(rand.NewPCG(3, uint64(depth)))
		for range 5 {
			c := newSample(t, r, depth).assignment()
			if err := test.IsSolved(New(depth), c, ecc.BN254.ScalarField()); err != nil {
				t.Fatalf("depth %d: test engine: %v", depth, err)
			}
			if err := solve(t, system, c); err != nil {
				t.Fatalf("depth %d: compiled system: %v", depth, err)
			}
		}
	}
}

// The sizes are recorded: a change is a change of the keys and of the phone's
// time to prove.
func TestGoldenSize(t *testing.T) {
	t.Parallel()
	golden := map[int]struct{ constraints, rightWires, bound int }{
		tree.Depth:     {3920, 2791, 4000},
		tree.DeepDepth: {5404, 3791, 5500},
	}
	for depth, want := range golden {
		system := compile(t, depth)
		right := make(map[uint32]bool)
		for _, r := range multiplications(system) {
			r.claim(right)
		}
		if n := system.GetNbConstraints(); n != want.constraints || n > want.bound {
			t.Errorf("depth %d: %d constraints, recorded %d, at most %d", depth, n, want.constraints, want.bound)
		}
		if len(right) != want.rightWires {
			t.Errorf("depth %d: %d wires on the right side, recorded %d", depth, len(right), want.rightWires)
		}
		// The constant one stands first among the public wires.
		if n := system.GetNbPublicVariables(); n != verifier.Inputs+1 {
			t.Errorf("depth %d: %d public wires, want %d", depth, n, verifier.Inputs+1)
		}
		if infos := system.CommitmentInfo.CommitmentIndexes(); len(infos) != 0 {
			t.Errorf("depth %d: %d commitments, want none", depth, len(infos))
		}
	}
	for _, depth := range []int{0, tree.DeepDepth + 1} {
		if _, err := Compile(depth); err == nil {
			t.Errorf("depth %d compiled", depth)
		}
	}
}

// Balancing exchanges sides and nothing else: constraint by constraint the system
// is the unbalanced one up to the order of two factors.
func TestBalanceKeepsTheConstraints(t *testing.T) {
	t.Parallel()
	for _, depth := range depths {
		ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, New(depth))
		if err != nil {
			t.Fatal(err)
		}
		unbalanced := ccs.(*cs_bn254.R1CS)
		balanced := compile(t, depth)
		before, after := unbalanced.GetR1Cs(), balanced.GetR1Cs()
		swapped := 0
		for i := range before {
			b, a := before[i], after[i]
			same := slices.Equal(b.L, a.L) && slices.Equal(b.R, a.R)
			exchanged := slices.Equal(b.L, a.R) && slices.Equal(b.R, a.L)
			if !slices.Equal(b.O, a.O) || !same && !exchanged {
				t.Fatalf("depth %d: constraint %d is another", depth, i)
			}
			if !same {
				swapped++
			}
		}
		if swapped == 0 || len(before) != len(after) {
			t.Errorf("depth %d: %d of %d constraints exchanged, %d before", depth, swapped, len(after), len(before))
		}
		s := newSample(t, rand.New(rand.NewPCG(19, uint64(depth))), depth)
		if !slices.Equal(solved(t, unbalanced, s.assignment()), solved(t, balanced, s.assignment())) {
			t.Errorf("depth %d: one witness gives the two systems different wires", depth)
		}
		wrong := s.assignment()
		wrong.Trapdoor = plus(wrong.Trapdoor, 1)
		if solve(t, unbalanced, wrong) == nil || solve(t, balanced, wrong) == nil {
			t.Errorf("depth %d: a wrong witness was accepted", depth)
		}
	}
}

// Every wire is held by a constraint: whatever single value of a valid solution
// is changed, public inputs among them, some constraint fails.
func TestNoWireIsFree(t *testing.T) {
	t.Parallel()
	system := compile(t, tree.Depth)
	wires := solved(t, system, newSample(t, rand.New(rand.NewPCG(5, 6)), tree.Depth).assignment())
	uses := make([][]int, len(wires))
	rows := system.GetR1Cs()
	for i, row := range rows {
		for _, side := range []constraint.LinearExpression{row.L, row.R, row.O} {
			for _, term := range side {
				uses[term.VID] = append(uses[term.VID], i)
			}
		}
	}
	one := fr.One()
	for w := 1; w < len(wires); w++ { // wire 0 is the constant one
		wires[w].Add(&wires[w], &one)
		if !slices.ContainsFunc(uses[w], func(i int) bool { return !holds(system, &rows[i], wires) }) {
			t.Errorf("wire %d can be changed alone: it stands in %d constraints", w, len(uses[w]))
		}
		wires[w].Sub(&wires[w], &one)
	}
}

func holds(system *cs_bn254.R1CS, row *constraint.R1C, wires []fr.Element) bool {
	sum := func(side constraint.LinearExpression) (s fr.Element) {
		for _, term := range side {
			var t fr.Element
			s.Add(&s, t.Mul(&system.Coefficients[term.CID], &wires[term.VID]))
		}
		return s
	}
	l, r, o := sum(row.L), sum(row.R), sum(row.O)
	l.Mul(&l, &r)
	return l.Equal(&o)
}
