package split

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/constraint"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/std/math/bits"
)

// form is a small circuit of the form that the browser solves, with one thing more.
type form struct {
	Public [4]frontend.Variable `gnark:",public"` // the fourth is the late input
	Secret frontend.Variable
	more   func(api frontend.API, c *form) error
	// late is how the late input is used; nil squares it.
	late func(api frontend.API, m frontend.Variable)
}

func (c *form) Define(api frontend.API) error {
	bits.ToBinary(api, api.Sub(c.Secret, c.Public[0]), bits.WithNbDigits(8))
	api.AssertIsEqual(api.Mul(c.Secret, c.Public[1], c.Secret), c.Public[2])
	if c.late == nil {
		api.Mul(c.Public[3], c.Public[3])
	} else {
		c.late(api, c.Public[3])
	}
	if c.more != nil {
		return c.more(api, c)
	}
	return nil
}

func compile(t *testing.T, c frontend.Circuit) *cs_bn254.R1CS {
	t.Helper()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	return system.(*cs_bn254.R1CS)
}

func setup(t *testing.T, system *cs_bn254.R1CS) *groth16.ProvingKey {
	t.Helper()
	pk := new(groth16.ProvingKey)
	if err := groth16.Setup(system, pk, new(groth16.VerifyingKey)); err != nil {
		t.Fatal(err)
	}
	return pk
}

// wantRefusal fails unless the error says the word.
func wantRefusal(t *testing.T, name string, err error, word string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), word) {
		t.Errorf("%s: %v, want a refusal that says %q", name, err, word)
	}
}

// Control: the form itself is split.
func TestTheFormIsTaken(t *testing.T) {
	t.Parallel()
	system := compile(t, &form{})
	files, err := Split(system, setup(t, system))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 7 {
		t.Errorf("%d files", len(files))
	}
}

func double(_ *big.Int, in, out []*big.Int) error {
	out[0].Lsh(in[0], 1)
	return nil
}

type threeInputs struct {
	Public [3]frontend.Variable `gnark:",public"`
	Secret frontend.Variable
}

func (c *threeInputs) Define(api frontend.API) error {
	api.AssertIsEqual(api.Mul(c.Public[0], c.Public[1], c.Secret), c.Public[2])
	return nil
}

func TestOtherCircuitsAreRefused(t *testing.T) {
	t.Parallel()
	more := func(f func(api frontend.API, c *form) error) frontend.Circuit { return &form{more: f} }
	late := func(f func(api frontend.API, m frontend.Variable)) frontend.Circuit { return &form{late: f} }
	for name, c := range map[string]struct {
		circuit frontend.Circuit
		word    string
	}{
		"commitment": {more(func(api frontend.API, c *form) error {
			_, err := api.(frontend.Committer).Commit(c.Secret)
			return err
		}), "commitments"},
		"another hint": {more(func(api frontend.API, c *form) error {
			out, err := api.Compiler().NewHint(double, 1, c.Secret)
			api.AssertIsEqual(out[0], api.Add(c.Secret, c.Secret))
			return err
		}), "not the bits of a sum"},
		"hint of a product": {more(func(api frontend.API, c *form) error {
			bits.ToBinary(api, api.Mul(c.Secret, c.Secret), bits.WithNbDigits(8))
			return nil
		}), "which is no input"},
		"inverse": {more(func(api frontend.API, c *form) error {
			api.Inverse(c.Secret)
			return nil
		}), "stands in a factor before it has a value"},
		"three public inputs": {&threeInputs{}, "3 public inputs"},
		"late input unused":   {late(func(frontend.API, frontend.Variable) {}), "no row uses the late input"},
		"late input times two": {late(func(api frontend.API, m frontend.Variable) {
			api.Mul(api.Mul(2, m), m)
		}), "otherwise than in its square"},
		"late input in a sum": {late(func(api frontend.API, m frontend.Variable) {
			api.Mul(api.Add(m, 1), m)
		}), "otherwise than in its square"},
		"late input checked, not squared": {late(func(api frontend.API, m frontend.Variable) {
			api.AssertIsEqual(m, 1)
		}), "otherwise than in its square"},
		"late input squared twice": {late(func(api frontend.API, m frontend.Variable) {
			api.Mul(m, m)
			api.Mul(m, m)
		}), "uses the late input or its square again"},
		"late input cubed": {late(func(api frontend.API, m frontend.Variable) {
			api.Mul(m, m, m)
		}), "uses the late input or its square again"},
		"square of the late input compared": {late(func(api frontend.API, m frontend.Variable) {
			api.AssertIsEqual(api.Mul(m, m), 4)
		}), "uses the late input or its square again"},
		"bits of the late input": {late(func(api frontend.API, m frontend.Variable) {
			api.Mul(m, m)
			out, _ := api.Compiler().NewHint(bits.GetHints()[1], 3, m)
			for _, b := range out {
				api.AssertIsBoolean(b)
			}
		}), "hint 1 uses the late input"},
	} {
		_, err := Split(compile(t, c.circuit), new(groth16.ProvingKey))
		wantRefusal(t, name, err, c.word)
	}
}

func TestChangedSystemsAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *cs_bn254.R1CS)
		word   string
	}{
		"a wire that nothing solves": {func(s *cs_bn254.R1CS) { s.NbInternalVariables++ }, "nothing gives wire"},
		"too many wires":             {func(s *cs_bn254.R1CS) { s.NbInternalVariables = 1 << 16 }, "wires, and the files have room for"},
		"another kind of instruction": {func(s *cs_bn254.R1CS) {
			s.Blueprints[s.Instructions[0].BlueprintID] = &constraint.BlueprintLookupHint[constraint.U64]{}
		}, "the browser knows rows and hints"},
	} {
		system := compile(t, &form{})
		c.change(system)
		_, err := Split(system, new(groth16.ProvingKey))
		wantRefusal(t, name, err, c.word)
	}
}

// Rows that the library's front end does not make, but another might.
func TestOtherRowsAreRefused(t *testing.T) {
	t.Parallel()
	c := &circuit{public: 2, internal: 2}
	c.coefficients = compile(t, &form{}).Coefficients // 0, 1, 2, -1, -2 and others
	one := func(wire int) constraint.LinearExpression {
		return constraint.LinearExpression{{VID: uint32(wire), CID: constraint.CoeffIdOne}}
	}
	known := func() []bool { return []bool{true, true, false, false} }
	if out, err := c.readRow(constraint.R1C{L: one(0), R: one(1), O: one(2)}, known()); err != nil || out.solves != 2 || out.product != nil {
		t.Fatalf("a row that solves: %+v, %v", out, err)
	}
	for name, r := range map[string]struct {
		row  constraint.R1C
		word string
	}{
		"unknown on the left":  {constraint.R1C{L: one(2), R: one(1), O: one(1)}, "stands in a factor"},
		"unknown on the right": {constraint.R1C{L: one(0), R: one(3), O: one(1)}, "stands in a factor"},
		"unknown in a sum":     {constraint.R1C{L: one(0), R: one(1), O: append(one(1), one(2)...)}, "unknown in a product of 2 terms"},
		"coefficient of the unknown": {constraint.R1C{L: one(0), R: one(1), O: constraint.LinearExpression{
			{VID: 2, CID: constraint.CoeffIdTwo},
		}}, "coefficient other than one"},
		"no such wire":        {constraint.R1C{L: one(4)}, "which the circuit does not have"},
		"no such coefficient": {constraint.R1C{R: constraint.LinearExpression{{VID: 1, CID: 1 << 20}}}, "which the circuit does not have"},
	} {
		_, err := c.readRow(r.row, known())
		wantRefusal(t, name, err, r.word)
	}
	h := constraint.HintMapping{HintID: bitsHint, Inputs: []constraint.LinearExpression{one(0), one(1)}}
	_, err := c.readHint(&h)
	wantRefusal(t, "a hint of two sums", err, "a hint of 2 sums")
}

func TestOtherKeysAreRefused(t *testing.T) {
	t.Parallel()
	system := compile(t, &form{})
	for name, c := range map[string]struct {
		change func(k *groth16.ProvingKey)
		word   string
	}{
		"another domain":       {func(k *groth16.ProvingKey) { k.Domain.Cardinality *= 2 }, "the key's domain has"},
		"fewer wires":          {func(k *groth16.ProvingKey) { k.InfinityA = k.InfinityA[1:] }, "wires on the left"},
		"fewer on the right":   {func(k *groth16.ProvingKey) { k.InfinityB = k.InfinityB[1:] }, "wires on the right"},
		"a base of A missing":  {func(k *groth16.ProvingKey) { k.G1.A = k.G1.A[1:] }, "bases of A"},
		"a base of B1 missing": {func(k *groth16.ProvingKey) { k.G1.B = k.G1.B[1:] }, "bases of B on G1"},
		"a base of B2 missing": {func(k *groth16.ProvingKey) { k.G2.B = k.G2.B[1:] }, "bases of B on G2"},
		"a base of K missing":  {func(k *groth16.ProvingKey) { k.G1.K = k.G1.K[1:] }, "bases of K"},
		"a base of Z missing":  {func(k *groth16.ProvingKey) { k.G1.Z = k.G1.Z[1:] }, "bases of Z"},
		"no late base": {func(k *groth16.ProvingKey) {
			k.InfinityA[Late], k.InfinityA[slices.Index(k.InfinityA, true)] = true, false
		}, "no base for the late input"},
		"K at infinity":      {func(k *groth16.ProvingKey) { k.G1.K[1] = curve.G1Affine{} }, "point 1 of K is at infinity"},
		"delta at infinity":  {func(k *groth16.ProvingKey) { k.G1.Delta = curve.G1Affine{} }, "point 2 of constants on G1"},
		"B2 at infinity":     {func(k *groth16.ProvingKey) { k.G2.B[0] = curve.G2Affine{} }, "point 0 of B2"},
		"Z repeated":         {func(k *groth16.ProvingKey) { k.G1.Z[2] = k.G1.Z[0] }, "Z repeats 1"},
		"Z repeated negated": {func(k *groth16.ProvingKey) { k.G1.Z[2].Neg(&k.G1.Z[0]) }, "Z repeats 1"},
		"B1 alone repeated":  {func(k *groth16.ProvingKey) { k.G1.B[1] = k.G1.B[0] }, "repeats other bases on G1 than on G2"},
	} {
		pk := setup(t, system)
		c.change(pk)
		_, err := Split(system, pk)
		wantRefusal(t, name, err, c.word)
	}
}

func TestRepeats(t *testing.T) {
	t.Parallel()
	_, _, p, _ := curve.Generators()
	var q, minus curve.G1Affine
	q.Double(&p)
	minus.Neg(&p)
	got := repeats([]curve.G1Affine{p, q, minus, q, p}, g1)
	if want := []repeat{{2, 0, 0}, {3, 1, 1}, {4, 0, 1}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
