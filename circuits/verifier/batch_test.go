package verifier_test

import (
	"math/big"
	"slices"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"pgregory.net/rapid"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// repeat returns n items that all hold.
func repeat(n int) []verifier.Item {
	out := make([]verifier.Item, n)
	for i := range out {
		out[i] = valid()[i%len(valid())]
	}
	return out
}

func TestBatchThatHolds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3, 4, 5, 16, 33} {
		if bad := verifier.Development().VerifyBatch(repeat(n)); bad != nil {
			t.Errorf("%d good items: %v are said to be bad", n, bad)
		}
	}
}

// Whatever stands in a batch, its verdict is that of one by one.
func TestBatchIsOneByOne(t *testing.T) {
	t.Parallel()
	key := verifier.Development()
	spoil := []func(i *verifier.Item){
		func(i *verifier.Item) { i.Statement.Message = number(1) },
		func(i *verifier.Item) { i.Statement.Account = unreduced(i.Statement.Account) },
		func(i *verifier.Item) { i.Statement.Context = field.Element{} },
		func(i *verifier.Item) { i.Statement.Min[0], i.Statement.Max[0] = 2, 1 },
		func(i *verifier.Item) { i.Proof = verifier.Proof{} },
		func(i *verifier.Item) { copy(i.Proof[32:], offSubgroup()) },
		func(i *verifier.Item) { i.Proof[0] ^= 0x40 },
	}
	rapid.Check(t, func(t *rapid.T) {
		items := repeat(rapid.IntRange(0, 20).Draw(t, "size"))
		var want []int
		for i := range items {
			if rapid.IntRange(0, 4).Draw(t, "spoilt") == 0 {
				spoil[rapid.IntRange(0, len(spoil)-1).Draw(t, "how")](&items[i])
			}
			if key.Verify(items[i].Proof, items[i].Statement) != nil {
				want = append(want, i)
			}
		}
		if got := key.VerifyBatch(items); !slices.Equal(got, want) {
			t.Fatalf("batch %v, one by one %v", got, want)
		}
	})
}

func TestRefuse18OneBadInABatch(t *testing.T) {
	t.Parallel()
	key := verifier.Development()
	for _, i := range []int{0, 1, 15, 16, 31} {
		items := repeat(32)
		items[i].Statement.Message = number(7)
		if bad := key.VerifyBatch(items); !slices.Equal(bad, []int{i}) {
			t.Errorf("item %d is bad, and the batch says %v", i, bad)
		}
	}
}

// Points B outside the subgroup are put aside before the bisection of the rest.
func TestBatchOfPointsOutside(t *testing.T) {
	t.Parallel()
	key := verifier.Development()
	items := repeat(16)
	items[3].Statement.Message = number(7)
	want := []int{0, 3, 5, 15}
	for _, i := range []int{0, 5, 15} {
		copy(items[i].Proof[32:], offSubgroup())
	}
	if bad := key.VerifyBatch(items); !slices.Equal(bad, want) {
		t.Errorf("bad items %v, want %v", bad, want)
	}
	var all []int
	for i := range items {
		copy(items[i].Proof[32:], offSubgroup())
		all = append(all, i)
	}
	if bad := key.VerifyBatch(items); !slices.Equal(bad, all) {
		t.Errorf("%d of 16 points outside found", len(bad))
	}
}

func TestBatchOfBadItems(t *testing.T) {
	t.Parallel()
	items := repeat(64)
	var all []int
	for i := range items {
		items[i].Statement.Message = number(7)
		all = append(all, i)
	}
	if bad := verifier.Development().VerifyBatch(items); !slices.Equal(bad, all) {
		t.Errorf("%d of 64 bad items found", len(bad))
	}
}

// cancelling are batches whose errors cancel under coefficients that are equal,
// or that count upwards: proofs shifted by opposite points.
func cancelling() (out []struct {
	Name  string
	Items []verifier.Item
	Bad   []int
},
) {
	_, _, one, _ := curve.Generators()
	for _, c := range []struct {
		name        string
		first, last int
		factor      int64
	}{{"errors that cancel", 1, 4, 1}, {"errors that cancel under coefficients 1, 2, 3, …", 0, 5, 6}} {
		items := repeat(6)
		for i, factor := range map[int]int64{c.first: c.factor, c.last: -1} {
			var p, shift curve.G1Affine
			if _, err := p.SetBytes(items[i].Proof[96:]); err != nil {
				panic(err) // of a valid vector
			}
			shift.ScalarMultiplication(&one, new(big.Int).Abs(big.NewInt(factor)))
			if factor < 0 {
				shift.Neg(&shift)
			}
			p.Add(&p, &shift)
			b := p.Bytes()
			copy(items[i].Proof[96:], b[:])
		}
		out = append(out, struct {
			Name  string
			Items []verifier.Item
			Bad   []int
		}{c.name, items, []int{c.first, c.last}})
	}
	return out
}

// Their product is right with coefficients that are equal, or that can be known
// beforehand; only unequal and unpredictable ones refuse them.
func TestRefuse18ErrorsThatCancel(t *testing.T) {
	t.Parallel()
	for _, c := range cancelling() {
		for range 10 {
			if bad := verifier.Development().VerifyBatch(c.Items); !slices.Equal(bad, c.Bad) {
				t.Fatalf("%s: bad items %v, want %v", c.Name, bad, c.Bad)
			}
		}
	}
}
