package field

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"pgregory.net/rapid"
)

// TestWideIsTheLibrarys: the rounds written out are gnark-crypto's, for random
// states and for those of the least and greatest elements.
func TestWideIsTheLibrarys(t *testing.T) {
	t.Parallel()
	library := poseidon2.NewPermutation(WideWidth, WideFull, WidePartial)
	var least, one, greatest Element
	one.SetOne()
	greatest.Sub(&least, &one)
	rapid.Check(t, func(t *rapid.T) {
		var state [WideWidth]Element
		for i := range state {
			switch rapid.IntRange(0, 4).Draw(t, "lane") {
			case 0:
				state[i] = least
			case 1:
				state[i] = greatest
			default:
				state[i].SetBytes(rapid.SliceOfN(rapid.Byte(), Size, Size).Draw(t, "element"))
			}
		}
		want := state
		for range 3 {
			if err := library.Permutation(want[:]); err != nil {
				t.Fatal(err)
			}
			eight.permute(&state)
			if state != want {
				t.Fatalf("state %v, the library's %v", state, want)
			}
		}
	})
}

// BenchmarkLibrary is what BenchmarkNode is measured against.
func BenchmarkLibrary(b *testing.B) {
	library := poseidon2.NewPermutation(WideWidth, WideFull, WidePartial)
	var state [WideWidth]Element
	for b.Loop() {
		if err := library.Permutation(state[:]); err != nil {
			b.Fatal(err)
		}
	}
}
