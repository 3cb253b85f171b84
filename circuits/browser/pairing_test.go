package browser_test

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/trialith/trialith/circuits/browser/browsertest"
	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/prover"
	"github.com/trialith/trialith/circuits/verifier"
)

// claim is a proof with public inputs, as the page takes it.
type claim struct {
	Proof  string `json:"proof"`
	Inputs string `json:"inputs"`
	name   string
	want   bool
}

func inputsOf(t testing.TB, s verifier.Statement) []fr.Element {
	t.Helper()
	in, err := s.PublicInputs()
	if err != nil {
		t.Fatal(err)
	}
	return in[:]
}

// honest is a proof made by the Go prover.
func honest(t testing.TB, place uint64) (verifier.Proof, prover.Witness) {
	t.Helper()
	p, err := prover.Development()
	if err != nil {
		t.Fatal(err)
	}
	w, _, _ := someone(t, 20, place)
	proof, err := p.Prove(w)
	if err != nil {
		t.Fatal(err)
	}
	return proof, w
}

// The page's verifier and ours agree on valid and forged proofs.
func testPairing(t *testing.T, page *browsertest.Page) {
	var claims []claim
	add := func(name string, proof []byte, in []fr.Element, want bool) {
		claims = append(claims, claim{hex.EncodeToString(proof), hexes(in), name, want})
	}
	proof, w := honest(t, 3)
	other, otherWitness := honest(t, 8)
	in := inputsOf(t, w.Statement)
	add("honest", proof[:], in, true)
	add("another honest", other[:], inputsOf(t, otherWitness.Statement), true)
	add("another's statement", proof[:], inputsOf(t, otherWitness.Statement), false)
	for i := range in {
		changed := append([]fr.Element(nil), in...)
		one := number(1)
		changed[i].Add(&changed[i], &one)
		add("input "+string(rune('a'+i)), proof[:], changed, false)
	}
	add("an input short", proof[:], in[:19], false)
	add("a byte short", proof[:127], in, false)
	for name, p := range forged(t, proof, other) {
		add(name, p[:], in, false)
	}
	for i, got := range browsertest.Call[[]bool](t, page, "verify", claims) {
		c := claims[i]
		if got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
		checkOurs(t, c)
	}
	unreduced := claim{Proof: claims[0].Proof, Inputs: hexPlus(claims[0].Inputs, fr.Modulus())}
	if browsertest.Call[[]bool](t, page, "verify", []claim{unreduced})[0] {
		t.Error("an input of r and above is accepted")
	}
}

// checkOurs asks our verifier for its verdict on a claim of the right lengths.
func checkOurs(t *testing.T, c claim) {
	t.Helper()
	b, err := hex.DecodeString(c.Proof)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != len(verifier.Proof{}) || len(c.Inputs) != 64*verifier.Inputs {
		return
	}
	var in [verifier.Inputs]fr.Element
	for i := range in {
		in[i] = parse(t, c.Inputs[64*i:64*(i+1)])
	}
	s := verifier.Statement{Root: field.RootOf(in[0]), Context: in[1], Account: field.AccountOf(in[2]), Message: in[3]}
	for i := range s.Min {
		low, high := in[4+i].Uint64(), in[12+i].Uint64()
		if high > 1<<32-1 {
			return // no statement of ours says this
		}
		s.Min[i], s.Max[i] = uint32(low), uint32(high)
	}
	if err := verifier.Development().Verify(verifier.Proof(b), s); (err == nil) != c.want {
		t.Errorf("%s: our verifier says %v", c.name, err)
	}
}

// hexPlus adds a number to the first element of a list.
func hexPlus(list string, x *big.Int) string {
	first, _ := new(big.Int).SetString(list[:64], 16)
	return hex.EncodeToString(first.Add(first, x).FillBytes(make([]byte, 32))) + list[64:]
}

// forged are proofs that differ from an honest one in each coordinate and sign,
// in the place of points, and in B's group.
func forged(t *testing.T, proof, other verifier.Proof) map[string]verifier.Proof {
	t.Helper()
	out := map[string]verifier.Proof{}
	r := rand.New(rand.NewPCG(5, 6))
	for name, at := range map[string]int{"A": 0, "B imaginary": 32, "B real": 64, "C": 96} {
		p := proof
		p[at] ^= 0x40
		out[name+": first byte's flag"] = p
		for range 8 {
			p = proof
			p[at+1+r.IntN(31)] ^= byte(1 + r.IntN(255))
			out[name+": byte "+hex.EncodeToString(p[at:at+8])] = p
		}
	}
	splice := func(name string, at, n int, from []byte) {
		p := proof
		copy(p[at:at+n], from)
		out[name] = p
	}
	splice("other's A", 0, 32, other[:32])
	splice("other's B", 32, 64, other[32:96])
	splice("other's C", 96, 32, other[96:])
	splice("C for A", 0, 32, proof[96:])
	splice("A for C", 96, 32, proof[:32])
	splice("B's coordinates exchanged", 32, 64, append(append([]byte{0x80 | proof[64]&0x3f}, proof[65:96]...), proof[32:64]...))
	var b curve.G2Affine
	if _, err := b.SetBytes(proof[32:96]); err != nil {
		t.Fatal(err)
	}
	for name, torsion := range torsions(t) {
		var sum curve.G2Jac
		sum.FromAffine(&torsion)
		alone := torsion.Bytes()
		splice("B of "+name, 32, 64, alone[:])
		sum.AddMixed(&b)
		var moved curve.G2Affine
		both := moved.FromJacobian(&sum).Bytes()
		splice("B plus a point of "+name, 32, 64, both[:])
	}
	return out
}

// torsions are points of the second curve outside the group, one of small order.
func torsions(t *testing.T) map[string]curve.G2Affine {
	t.Helper()
	q := twisted(t)
	cofactor := new(big.Int).Sub(new(big.Int).Lsh(fp.Modulus(), 1), fr.Modulus())
	small := big.NewInt(10069) // the cofactor's least factor
	rest, remainder := new(big.Int).QuoRem(cofactor, small, new(big.Int))
	if remainder.Sign() != 0 {
		t.Fatal("the cofactor has another factor")
	}
	return map[string]curve.G2Affine{
		"the cofactor's order": timesPlain(q, fr.Modulus()),
		"order 10069":          timesPlain(q, rest.Mul(rest, fr.Modulus())),
		"no group":             q,
	}
}

// twisted is some point of the second curve, of no known order.
func twisted(t *testing.T) (q curve.G2Affine) {
	t.Helper()
	var b curve.E2 // 3/(9+u)
	b.A0.SetUint64(9)
	b.A1.SetUint64(1)
	b.Inverse(&b)
	var three fp.Element
	three.SetUint64(3)
	b.MulByElement(&b, &three)
	for x := uint64(1); ; x++ {
		q.X.A0.SetUint64(x)
		var y curve.E2
		y.Square(&q.X).Mul(&y, &q.X).Add(&y, &b)
		if y.Legendre() == 1 {
			q.Y.Sqrt(&y)
			return q
		}
	}
}

// timesPlain is double and add: the library's multiplication is for the group.
func timesPlain(q curve.G2Affine, n *big.Int) (z curve.G2Affine) {
	var sum curve.G2Jac
	sum.FromAffine(&z)
	for i := n.BitLen() - 1; i >= 0; i-- {
		sum.DoubleAssign()
		if n.Bit(i) == 1 {
			sum.AddMixed(&q)
		}
	}
	z.FromJacobian(&sum)
	return z
}

func number(n uint64) (e fr.Element) {
	e.SetUint64(n)
	return e
}

// vector is one of the proofs that every verifier of the protocol must judge alike.
type vector struct {
	Name      string `json:"name"`
	Valid     bool   `json:"valid"`
	Proof     string `json:"proof"`
	Statement struct {
		Root, Context, Account, Message string
		Min, Max                        field.Attributes
	} `json:"statement"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("../verifier/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 40 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	return file.Vectors
}
