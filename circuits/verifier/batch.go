package verifier

import (
	"crypto/rand"
	"math/big"
	"runtime"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	curve "github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/trialith/trialith/circuits/field"
)

// Item is a proof and the statement that it should prove.
type Item struct {
	Proof     Proof
	Statement Statement
}

const (
	// smallBatch is the size below which one by one is faster.
	smallBatch = 4
	// patience bounds what a batch stuffed with bad proofs may cost: after this
	// many times its size in bisection, the rest is checked one by one.
	patience = 3
)

// VerifyBatch checks many proofs at once, about three times as fast as one by
// one, and returns the indices of the bad items in ascending order, nil when all
// hold. The verdict on each item is that of [Key.Verify]: the random coefficients
// can hide a bad item only with a chance of 2^-127.
//
// It uses all cores; a caller inside the rules uses [Key.Verify].
func (k *Key) VerifyBatch(items []Item) []int {
	b := batch{key: k, all: make([]checked, len(items))}
	parallel(len(items), func(from, to int) {
		for i := from; i < to; i++ {
			b.all[i].read(&items[i])
		}
	})
	good := make([]int, 0, len(items))
	for i := range b.all {
		if b.all[i].err != nil {
			b.bad = append(b.bad, i)
		} else {
			good = append(good, i)
		}
	}
	b.budget = patience * len(good)
	b.search(good)
	slices.Sort(b.bad)
	return b.bad
}

// checked is an item whose points and inputs have been read.
type checked struct {
	points points
	in     [Inputs]field.Element
	err    error
}

func (c *checked) read(item *Item) {
	if c.in, c.err = item.Statement.PublicInputs(); c.err == nil {
		c.points, c.err = item.Proof.points()
	}
}

type batch struct {
	key    *Key
	all    []checked
	bad    []int
	budget int
}

// search adds the bad ones among some items to b.bad, by bisection.
func (b *batch) search(some []int) {
	if len(some) < smallBatch || b.budget < 0 {
		b.single(some)
		return
	}
	if b.together(some) {
		return
	}
	b.budget -= len(some)
	half := len(some) / 2
	b.search(some[:half])
	b.search(some[half:])
}

func (b *batch) single(some []int) {
	for _, i := range some {
		if !b.key.holds(&b.all[i].points, &b.all[i].in) {
			b.bad = append(b.bad, i)
		}
	}
}

// together checks, with random coefficients r,
//
//	Π e(rᵢAᵢ, Bᵢ) · e(Σrᵢ K₀ + Σⱼ(Σᵢ rᵢxᵢⱼ)Kⱼ, -γ) · e(Σ rᵢCᵢ, -δ) · e(Σrᵢ α, -β) = 1.
func (b *batch) together(some []int) bool {
	coefficients := randomCoefficients(len(some))
	left := make([]curve.G1Affine, len(some), len(some)+3)
	right := make([]curve.G2Affine, len(some), len(some)+3)
	cs := make([]curve.G1Affine, len(some))
	var sums [Inputs + 1]field.Element
	for i, item := range some {
		c := &b.all[item]
		right[i], cs[i] = c.points.b, c.points.c
		sums[0].Add(&sums[0], &coefficients[i])
		for j := range c.in {
			var t field.Element
			sums[1+j].Add(&sums[1+j], t.Mul(&coefficients[i], &c.in[j]))
		}
	}
	parallel(len(some), func(from, to int) { b.scale(left, some, coefficients, from, to) })
	fixed, ok := b.key.fixed(cs, coefficients, &sums)
	if !ok {
		return false
	}
	left = append(left, fixed[:]...)
	right = append(right, b.key.gamma, b.key.delta, b.key.beta)
	return pairsToOne(left, right)
}

// scale writes rᵢAᵢ for a range of the items.
func (b *batch) scale(left []curve.G1Affine, some []int, r []field.Element, from, to int) {
	jac := make([]curve.G1Jac, to-from)
	for i := from; i < to; i++ {
		jac[i-from] = multiply(&b.all[some[i]].points.a, &r[i])
	}
	copy(left[from:to], curve.BatchJacobianToAffineG1(jac))
}

// fixed returns the sums paired with γ, δ and β, negated. Infinity, which a sum
// may be, contributes one to the product.
func (k *Key) fixed(cs []curve.G1Affine, r []field.Element, sums *[Inputs + 1]field.Element) (out [3]curve.G1Affine, ok bool) {
	if _, err := out[0].MultiExp(k.k[:], sums[:], ecc.MultiExpConfig{}); err != nil {
		return out, false
	}
	if _, err := out[1].MultiExp(cs, r, ecc.MultiExpConfig{}); err != nil {
		return out, false
	}
	alpha := multiply(&k.alpha, &sums[0])
	out[2].FromJacobian(&alpha)
	for i := range out {
		out[i].Neg(&out[i])
	}
	return out, true
}

// multiply returns s times p.
func multiply(p *curve.G1Affine, s *field.Element) (out curve.G1Jac) {
	var n big.Int
	var jac curve.G1Jac
	jac.FromAffine(p)
	out.ScalarMultiplication(&jac, s.BigInt(&n))
	return out
}

// randomCoefficients returns n elements of 128 bits that nobody can predict, none
// of them zero: errors of two proofs that cancel each other survive them with a
// chance of 2^-127 at most.
func randomCoefficients(n int) []field.Element {
	buf := make([]byte, 16*n)
	_, _ = rand.Read(buf) // never fails: the process ends if the system has no randomness
	out := make([]field.Element, n)
	for i := range out {
		out[i].SetBytes(buf[16*i : 16*(i+1)])
		if out[i].IsZero() {
			out[i].SetOne()
		}
	}
	return out
}

// pairsToOne reports whether the product of the pairings is one.
func pairsToOne(p []curve.G1Affine, q []curve.G2Affine) bool {
	var (
		mu      sync.Mutex
		failed  bool
		product curve.GT
	)
	product.SetOne()
	parallel(len(p), func(from, to int) {
		part, err := curve.MillerLoop(p[from:to], q[from:to])
		mu.Lock()
		defer mu.Unlock()
		failed = failed || err != nil
		product.Mul(&product, &part)
	})
	e := curve.FinalExponentiation(&product)
	return !failed && e.IsOne()
}

// parallel splits 0..n over the cores, in parts of at least 8.
func parallel(n int, work func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n/8)
	if parts < 2 {
		if n > 0 {
			work(0, n)
		}
		return
	}
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { work(i*n/parts, (i+1)*n/parts) })
	}
	wg.Wait()
}
