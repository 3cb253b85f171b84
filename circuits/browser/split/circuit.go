package split

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	binary "github.com/consensys/gnark/std/math/bits"
)

// circuit is a constraint system in the form that the browser solves: hints first,
// which need inputs only, and then row by row.
type circuit struct {
	public, secret, internal int
	coefficients             []fr.Element
	hints                    []hint
	rows                     []row
	late                     lateRow
}

// hint gives wires the bits of a sum of inputs.
type hint struct {
	terms     []term
	wires     int // the first
	wireCount int
}

// row is left · right = product, or, if solves is not none, the rule that gives
// a wire the value left · right.
type row struct {
	left, right, product []term
	solves               int
}

const none = -1

type term struct{ coefficient, wire int }

// lateRow is where the late input is squared.
type lateRow struct{ row, square int }

// readCircuit takes the system apart.
func readCircuit(system *cs_bn254.R1CS) (*circuit, error) {
	c := &circuit{
		public:       system.GetNbPublicVariables(),
		secret:       system.GetNbSecretVariables(),
		internal:     system.GetNbInternalVariables(),
		coefficients: system.Coefficients,
	}
	if n := len(system.GetCommitments().CommitmentIndexes()); n != 0 {
		return nil, fmt.Errorf("split: the circuit has %d commitments, and a proof of ours has no room for one", n)
	}
	if err := errors.Join(limits("wires", c.wires()), limits("coefficients", len(c.coefficients))); err != nil {
		return nil, err
	}
	known := make([]bool, c.wires())
	for i := range c.inputs() {
		known[i] = true
	}
	if err := c.readHints(system, known); err != nil {
		return nil, err
	}
	if err := c.readRows(system, known); err != nil {
		return nil, err
	}
	if i := slices.Index(known, false); i >= 0 {
		return nil, fmt.Errorf("split: nothing gives wire %d a value", i)
	}
	return c, c.findLate()
}

func (c *circuit) inputs() int { return c.public + c.secret }
func (c *circuit) wires() int  { return c.inputs() + c.internal }

// readHints reads all hints; they must be bits of sums of inputs.
func (c *circuit) readHints(system *cs_bn254.R1CS, known []bool) error {
	for i, packed := range system.Instructions {
		switch blueprint := system.Blueprints[packed.BlueprintID].(type) {
		case *constraint.BlueprintGenericR1C:
		case *constraint.BlueprintGenericHint:
			var mapping constraint.HintMapping
			blueprint.DecompressHint(&mapping, packed.Unpack(&system.System))
			h, err := c.readHint(&mapping)
			if err != nil {
				return fmt.Errorf("split: instruction %d: %w", i, err)
			}
			for j := range h.wireCount {
				known[h.wires+j] = true
			}
			c.hints = append(c.hints, h)
		default:
			return fmt.Errorf("split: instruction %d is %T; the browser knows rows and hints", i, blueprint)
		}
	}
	return nil
}

// bitsHint is the library's hint of binary decomposition.
var bitsHint = func() solver.HintID {
	for _, h := range binary.GetHints() {
		if solver.GetHintName(h) == "github.com/consensys/gnark/std/math/bits.nBits" {
			return solver.GetHintID(h)
		}
	}
	panic("split: the library has no hint nBits any more")
}()

func (c *circuit) readHint(m *constraint.HintMapping) (hint, error) {
	if m.HintID != bitsHint {
		return hint{}, fmt.Errorf("hint %d is not the bits of a sum, the only one that the browser computes", m.HintID)
	}
	if len(m.Inputs) != 1 {
		return hint{}, fmt.Errorf("a hint of %d sums; the browser takes the bits of one", len(m.Inputs))
	}
	terms, err := c.terms(m.Inputs[0])
	if err != nil {
		return hint{}, err
	}
	for _, t := range terms {
		if t.wire >= c.inputs() {
			return hint{}, fmt.Errorf("a hint of wire %d, which is no input; the browser computes hints before rows", t.wire)
		}
	}
	return hint{terms, int(m.OutputRange.Start), int(m.OutputRange.End - m.OutputRange.Start)}, nil
}

// terms reads a linear expression.
func (c *circuit) terms(l constraint.LinearExpression) ([]term, error) {
	out := make([]term, len(l))
	for i, t := range l {
		out[i] = term{int(t.CoeffID()), int(t.WireID())}
		if out[i].coefficient >= len(c.coefficients) || out[i].wire >= c.wires() {
			return nil, fmt.Errorf("a term of coefficient %d and wire %d, which the circuit does not have", t.CoeffID(), t.WireID())
		}
	}
	return out, nil
}

// readRows reads the rows. Each may use what is known before it, and give one more
// wire its value.
func (c *circuit) readRows(system *cs_bn254.R1CS, known []bool) error {
	for i, r := range system.GetR1Cs() {
		out, err := c.readRow(r, known)
		if err != nil {
			return fmt.Errorf("split: row %d: %w", i, err)
		}
		c.rows = append(c.rows, out)
	}
	return nil
}

func (c *circuit) readRow(r constraint.R1C, known []bool) (out row, err error) {
	out.solves = none
	for _, side := range []struct {
		to   *[]term
		from constraint.LinearExpression
	}{{&out.left, r.L}, {&out.right, r.R}, {&out.product, r.O}} {
		if *side.to, err = c.terms(side.from); err != nil {
			return row{}, err
		}
	}
	if i := unknown(known, out.left, out.right); i >= 0 {
		return row{}, fmt.Errorf("wire %d stands in a factor before it has a value; the browser solves for products only", i)
	}
	i := unknown(known, out.product)
	if i < 0 {
		return out, nil
	}
	if len(out.product) != 1 {
		return row{}, fmt.Errorf("wire %d is unknown in a product of %d terms; the browser solves for one alone", i, len(out.product))
	}
	if !c.coefficients[out.product[0].coefficient].IsOne() {
		return row{}, fmt.Errorf("the unknown wire %d has a coefficient other than one", i)
	}
	known[i] = true
	out.solves, out.product = i, nil
	return out, nil
}

// unknown returns the first wire without a value, or none.
func unknown(known []bool, sides ...[]term) int {
	for _, s := range sides {
		for _, t := range s {
			if !known[t.wire] {
				return t.wire
			}
		}
	}
	return none
}

// findLate finds the row m·m = s of the late input, and refuses any other use of
// m and s: only then is the quotient what the package comment says.
func (c *circuit) findLate() error {
	if Late >= c.public {
		return fmt.Errorf("split: %d public inputs, and the late one is input %d", c.public-1, Late)
	}
	at := slices.IndexFunc(c.rows, func(r row) bool { return uses(Late, r.left, r.right, r.product) })
	if at < 0 {
		return errors.New("split: no row uses the late input; square it, or it binds nothing")
	}
	r := c.rows[at]
	if !c.isOnly(r.left, Late) || !c.isOnly(r.right, Late) || r.solves == none {
		return fmt.Errorf("split: row %d uses the late input otherwise than in its square", at)
	}
	c.late = lateRow{at, r.solves}
	for i, r := range c.rows {
		if i != at && (uses(Late, r.left, r.right, r.product) || uses(c.late.square, r.left, r.right, r.product)) {
			return fmt.Errorf("split: row %d uses the late input or its square again", i)
		}
	}
	for i, h := range c.hints {
		if uses(Late, h.terms) {
			return fmt.Errorf("split: hint %d uses the late input", i)
		}
	}
	return nil
}

// isOnly reports whether a side is the wire alone.
func (c *circuit) isOnly(side []term, wire int) bool {
	return len(side) == 1 && side[0].wire == wire && c.coefficients[side[0].coefficient].IsOne()
}

func uses(wire int, sides ...[]term) bool {
	return slices.ContainsFunc(sides, func(s []term) bool {
		return slices.ContainsFunc(s, func(t term) bool { return t.wire == wire })
	})
}

// fits refuses a key of another circuit, as far as its lengths tell.
func (c *circuit) fits(key *groth16.ProvingKey) error {
	n := int(key.Domain.Cardinality)
	if n != 1<<c.log() {
		return fmt.Errorf("split: the key's domain has %d places, and %d rows take %d", n, len(c.rows), 1<<c.log())
	}
	finite := func(at []bool) (n int) {
		for _, infinite := range at {
			if !infinite {
				n++
			}
		}
		return n
	}
	for _, l := range []struct {
		name      string
		got, want int
	}{
		{"wires on the left", len(key.InfinityA), c.wires()},
		{"wires on the right", len(key.InfinityB), c.wires()},
		{"bases of A", len(key.G1.A), finite(key.InfinityA)},
		{"bases of B on G1", len(key.G1.B), finite(key.InfinityB)},
		{"bases of B on G2", len(key.G2.B), finite(key.InfinityB)},
		{"bases of K", len(key.G1.K), c.wires() - c.public},
		{"bases of Z", len(key.G1.Z), n - 1},
		{"commitment keys", len(key.CommitmentKeys), 0},
	} {
		if l.got != l.want {
			return fmt.Errorf("split: the key has %d %s, and this circuit wants %d", l.got, l.name, l.want)
		}
	}
	if key.InfinityA[Late] || key.InfinityB[Late] {
		return errors.New("split: the key has no base for the late input; it is of another circuit")
	}
	return nil
}

// log is the logarithm of the domain.
func (c *circuit) log() int { return bits.Len(uint(max(len(c.rows), 1) - 1)) }

// bytes returns circuit.bin.
func (c *circuit) bytes() []byte {
	var lengths, solved, wires, coefficients []byte
	terms := 0
	for _, r := range c.rows {
		for _, side := range [][]term{r.left, r.right, r.product} {
			lengths = short(lengths, len(side))
			terms += len(side)
			for _, t := range side {
				wires, coefficients = short(wires, t.wire), short(coefficients, t.coefficient)
			}
		}
		solved = short(solved, r.solves+1)
	}
	out := counts(nil, c.public, c.secret, c.internal, len(c.coefficients), len(c.rows), len(c.hints), terms, c.log(), c.late.row, c.late.square)
	for i := range c.coefficients {
		out = scalar(out, &c.coefficients[i])
	}
	for _, h := range c.hints {
		out = short(short(short(out, len(h.terms)), h.wires), h.wireCount)
		for _, t := range h.terms {
			out = short(short(out, t.coefficient), t.wire)
		}
	}
	return slices.Concat(out, lengths, solved, wires, coefficients)
}
