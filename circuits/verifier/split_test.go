package verifier

import (
	"math"
	"math/big"
	"testing"

	curve "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"
)

func somePoint(n int64) (p curve.G1Affine) {
	p.ScalarMultiplicationBase(big.NewInt(n))
	return p
}

func TestEndomorphismIsLambda(t *testing.T) {
	t.Parallel()
	p := somePoint(12345)
	var want curve.G1Affine
	want.ScalarMultiplication(&p, lambda.BigInt(new(big.Int)))
	if got := endomorphism(&p); !got.Equal(&want) {
		t.Error("(ωx, y) is not λ times the point")
	}
}

// No two coefficients are the same number: the lattice of (u, v) with
// u + vλ = 0 mod r has no vector with parts below 2^64. Its determinant is r, and
// Gauss's reduction finds the shortest.
func TestCoefficientsDiffer(t *testing.T) {
	t.Parallel()
	a := [2]*big.Int{fr.Modulus(), new(big.Int)}
	b := [2]*big.Int{new(big.Int).Neg(lambda.BigInt(new(big.Int))), big.NewInt(1)}
	dot := func(x, y [2]*big.Int) *big.Int {
		return new(big.Int).Add(new(big.Int).Mul(x[0], y[0]), new(big.Int).Mul(x[1], y[1]))
	}
	for {
		if dot(a, a).Cmp(dot(b, b)) < 0 {
			a, b = b, a
		}
		twice := new(big.Int).Lsh(dot(b, b), 1)
		q := new(big.Int).Add(new(big.Int).Lsh(dot(a, b), 1), dot(b, b))
		q.Div(q, twice) // rounded to the nearest
		if q.Sign() == 0 {
			break
		}
		for i := range a {
			a[i] = new(big.Int).Sub(a[i], new(big.Int).Mul(q, b[i]))
		}
	}
	// The difference of two coefficients has parts below 2^64 in size.
	if limit := new(big.Int).Lsh(big.NewInt(1), 129); dot(b, b).Cmp(limit) <= 0 {
		t.Errorf("a vector of squared length %v lies in the lattice", dot(b, b))
	}
}

func TestMultiplyByACoefficient(t *testing.T) {
	t.Parallel()
	p := somePoint(777)
	check := func(t interface{ Errorf(string, ...any) }, c coefficient) {
		var want curve.G1Affine
		e := c.element()
		want.ScalarMultiplication(&p, e.BigInt(new(big.Int)))
		jac := c.multiply(&oddMultiples([]curve.G1Affine{p})[0])
		var got curve.G1Affine
		got.FromJacobian(&jac)
		if !got.Equal(&want) {
			t.Errorf("%+v: another point", c)
		}
	}
	edges := []uint64{0, 1, 2, 7, 8, 15, 16, 1 << 62, 1 << 63, math.MaxUint64, math.MaxUint64 - 1, 0xf << 60, 0xaaaaaaaaaaaaaaaa}
	for _, u := range edges {
		for _, v := range edges {
			check(t, coefficient{u, v})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, coefficient{rapid.Uint64().Draw(t, "u"), rapid.Uint64().Draw(t, "v")})
	})
}

func TestRecodedDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		sum := new(big.Int)
		digits := recode(n)
		for i, d := range digits {
			if d != 0 && (d%2 == 0 || d > 7 || d < -7) {
				t.Fatalf("digit %d is %d", i, d)
			}
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(i)))
		}
		if !sum.IsUint64() || sum.Uint64() != n {
			t.Fatalf("%d is recoded as %v", n, sum)
		}
	})
}

func TestRefuse18PredictableCoefficients(t *testing.T) {
	t.Parallel()
	seen := map[coefficient]bool{}
	for range 10 {
		for _, c := range randomCoefficients(100) {
			if seen[c] || c == (coefficient{}) {
				t.Fatalf("%+v twice, or zero", c)
			}
			seen[c] = true
		}
	}
}
