package verifier

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

// The sums by tables are those of the library.
func TestWeighedInputs(t *testing.T) {
	t.Parallel()
	k := Development()
	var one, last field.Element
	one.SetOne()
	last.Neg(&one)
	for i := range 20 {
		var factors [Inputs + 1]field.Element
		for j := range factors {
			switch {
			case i == 0: // all zero: the sum is infinity
			case i == 1:
				factors[j] = last
			case i == 2 && j == 7:
				factors[j] = one
			case i > 2:
				if _, err := factors[j].SetRandom(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var want curve.G1Affine
		if _, err := want.MultiExp(k.k[:], factors[:], ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if got := k.weigh(&factors); !got.Equal(&want) {
			t.Errorf("case %d: another sum", i)
		}

		factors[0] = one
		in := [Inputs]field.Element(factors[1:])
		for j := 4; j < Inputs; j++ {
			in[j].SetUint64(uint64(uint32(in[j].Bits()[0])))
			factors[1+j] = in[j]
		}
		if _, err := want.MultiExp(k.k[:], factors[:], ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if got := k.combine(&in); !got.Equal(&want) {
			t.Errorf("case %d: another sum of inputs", i)
		}
	}
}
