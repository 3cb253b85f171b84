package split_test

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs_bn254 "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"

	"github.com/trialith/trialith/circuits/browser/split"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/membership"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/tree"
)

// development is the development set-up and its files.
type development struct {
	system *cs_bn254.R1CS
	key    *groth16.ProvingKey
	files  map[string][]byte
}

var makeDevelopment = sync.OnceValues(func() (d development, err error) {
	p, err := prover.Development()
	if err != nil {
		return d, err
	}
	d.system, d.key = p.Parts()
	files, err := split.Split(d.system, d.key)
	d.files = make(map[string][]byte)
	for _, f := range files {
		d.files[f.Name] = f.Bytes
	}
	return d, err
})

func ready(t *testing.T) development {
	t.Helper()
	d, err := makeDevelopment()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheCommittedFilesAreThese(t *testing.T) {
	t.Parallel()
	d := ready(t)
	if len(d.files) != 7 {
		t.Errorf("%d files", len(d.files))
	}
	for name, want := range d.files {
		got, err := os.ReadFile(filepath.Join("../dist", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("dist/%s is another; run go generate in this directory", name)
		}
	}
}

// The points of all parts come back from their files.
func TestPointsComeBack(t *testing.T) {
	t.Parallel()
	d := ready(t)
	for name, want := range map[string][]curve.G1Affine{
		"A.bin": d.key.G1.A, "B1.bin": d.key.G1.B, "K.bin": d.key.G1.K, "Z.bin": d.key.G1.Z,
	} {
		if !slices.Equal(expandG1(t, d.files[name]), want) {
			t.Errorf("%s: the points are not the key's", name)
		}
	}
	if !slices.Equal(expandG2(t, d.files["B2.bin"]), d.key.G2.B) {
		t.Error("B2.bin: the points are not the key's")
	}
}

func TestSmallSaysWhatTheKeySays(t *testing.T) {
	t.Parallel()
	d := ready(t)
	s := readSmall(t, d.files["small.bin"])
	if s.alpha != d.key.G1.Alpha || s.beta != d.key.G1.Beta || s.delta != d.key.G1.Delta ||
		s.beta2 != d.key.G2.Beta || s.delta2 != d.key.G2.Delta {
		t.Error("the constants are not the key's")
	}
	wiresOf := func(infinite []bool) (out []int) {
		for i, left := range infinite {
			if !left {
				out = append(out, i)
			}
		}
		return out
	}
	if !slices.Equal(s.a.wires, wiresOf(d.key.InfinityA)) || !slices.Equal(s.b.wires, wiresOf(d.key.InfinityB)) {
		t.Error("other wires have bases than in the key")
	}
	for i, w := range s.k.wires {
		if w != d.system.GetNbPublicVariables()+i {
			t.Fatalf("base %d of K is wire %d's", i, w)
		}
	}
	if at := slices.Index(s.a.wires, split.Late); s.lateA != d.key.G1.A[at] {
		t.Error("the late base of A is another")
	}
	if at := slices.Index(s.b.wires, split.Late); s.lateB != d.key.G1.B[at] || s.lateB2 != d.key.G2.B[at] {
		t.Error("the late base of B is another")
	}
	for name, part := range map[string]struct {
		points []curve.G1Affine
		said   bases
	}{"A": {d.key.G1.A, s.a}, "B1": {d.key.G1.B, s.b}, "K": {d.key.G1.K, s.k}} {
		if want := equalX(part.points); !slices.Equal(part.said.repeated, want) {
			t.Errorf("%s: repeated bases %v, want %v", name, part.said.repeated, want)
		}
	}
}

// equalX finds repeated bases by looking at all pairs.
func equalX(points []curve.G1Affine) (out [][3]int) {
	for i := range points {
		for j := range i {
			if points[i].X == points[j].X {
				sign := 0
				if points[i].Y == points[j].Y {
					sign = 1
				}
				out = append(out, [3]int{i, j, sign})
				break
			}
		}
	}
	return out
}

// latePointByHand computes the late point from the closed form of its
// coefficients: e has ω^(-jk)/n at X^k, so the upper half of e², which is the
// quotient by X^n - 1, has (n-1-k)·ω^(-jk)/n² there.
func latePointByHand(t *testing.T, d development, lateRow, square int) curve.G1Affine {
	t.Helper()
	domain, n := &d.key.Domain, int(d.key.Domain.Cardinality)
	var w, power, squared fr.Element
	w.Exp(domain.GeneratorInv, big.NewInt(int64(lateRow)))
	power.SetOne()
	squared.SetUint64(uint64(n)).Square(&squared).Inverse(&squared)
	coefficients := make([]fr.Element, n-1)
	for k := range coefficients {
		at := reversed(k, n)
		coefficients[at].SetUint64(uint64(n-1-k)).Mul(&coefficients[at], &power).Mul(&coefficients[at], &squared)
		power.Mul(&power, &w)
	}
	var p curve.G1Affine
	if _, err := p.MultiExp(d.key.G1.Z, coefficients, ecc.MultiExpConfig{}); err != nil {
		t.Fatal(err)
	}
	return *p.Add(&p, &d.key.G1.K[square-d.system.GetNbPublicVariables()])
}

// reversed is k with its bits in the other order, below n.
func reversed(k, n int) (out int) {
	for bit := 1; bit < n; bit *= 2 {
		out = 2*out + k&1
		k /= 2
	}
	return out
}

func TestLatePoint(t *testing.T) {
	t.Parallel()
	d := ready(t)
	c := readCircuit(t, d.files["circuit.bin"])
	if got := readSmall(t, d.files["small.bin"]).late; got != latePointByHand(t, d, c.lateRow, c.square) {
		t.Error("the late point is another")
	}
}

// someone is a participant among others, with bounds that hold and a message.
func someone(t *testing.T, message string) prover.Witness {
	t.Helper()
	w := prover.Witness{Attributes: field.Attributes{7, 30, 1<<32 - 1}}
	w.Secret.SetUint64(11)
	w.Trapdoor.SetUint64(12)
	leaves := make([]field.Element, 20)
	for i := range leaves {
		leaves[i].SetUint64(uint64(1000 + i))
	}
	leaves[9] = w.Leaf()
	members, err := tree.Build(tree.Depth, leaves)
	if err != nil {
		t.Fatal(err)
	}
	if w.Path, err = members.Path(9); err != nil {
		t.Fatal(err)
	}
	w.Sign(field.Hash("context", nil), field.Hash("message", []byte(message)))
	w.Statement.Min[1], w.Statement.Max[1] = 18, 65
	return w
}

// witnessOf fills the circuit: the values are the public inputs, then the secrets.
func witnessOf(t *testing.T, w *prover.Witness) witness.Witness {
	t.Helper()
	public, err := w.Statement.PublicInputs()
	if err != nil {
		t.Fatal(err)
	}
	c := membership.New(tree.Depth)
	c.Secret, c.Trapdoor = w.Secret, w.Trapdoor
	c.Root, c.Context, c.Account, c.Message = public[0], public[1], public[2], public[3]
	for i := range w.Attributes {
		c.Attributes[i], c.Min[i], c.Max[i] = w.Attributes[i], public[4+i], public[12+i]
	}
	for i := range w.Path {
		for j := range w.Path[i] {
			c.Path[i][j] = w.Path[i][j]
		}
	}
	full, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// The file solves as the library's system does, wire by wire and row by row.
func TestCircuitSolvesAsTheLibraryDoes(t *testing.T) {
	t.Parallel()
	d := ready(t)
	c := readCircuit(t, d.files["circuit.bin"])
	w := someone(t, "consent")
	full := witnessOf(t, &w)
	wires, sides, err := c.solve(full.Vector().(fr.Vector))
	if err != nil {
		t.Fatal(err)
	}
	solved, err := d.system.Solve(full)
	if err != nil {
		t.Fatal(err)
	}
	want := solved.(*cs_bn254.R1CSSolution)
	rows := len(sides[0])
	if !slices.Equal(wires, want.W) || !slices.Equal(sides[0], want.A[:rows]) || !slices.Equal(sides[1], want.B[:rows]) || !slices.Equal(sides[2], want.C[:rows]) {
		t.Error("the library has other values")
	}
}

// An input changed by one is refused exactly when the library refuses it.
func TestChangedInputs(t *testing.T) {
	t.Parallel()
	d := ready(t)
	c := readCircuit(t, d.files["circuit.bin"])
	w := someone(t, "consent")
	full := witnessOf(t, &w)
	values := full.Vector().(fr.Vector)
	one, refused := fr.One(), 0
	for i := range values {
		kept := values[i]
		values[i].Add(&values[i], &one)
		_, _, err := c.solve(values)
		if library := d.system.IsSolved(full); (library == nil) != (err == nil) {
			t.Errorf("input %d: %v, and the library says %v", i, err, library)
		}
		if err != nil {
			refused++
		}
		values[i] = kept
	}
	// Public: root, context and account. Private: all. Never the message.
	if refused < len(values)-17 {
		t.Errorf("%d of %d changed inputs are refused", refused, len(values))
	}
}
