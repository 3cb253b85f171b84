package verifier

import (
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
	ok, inside := b.together(some)
	if ok {
		return
	}
	b.budget -= len(some)
	if len(inside) < len(some) { // once at most: the rest are of the right order
		b.search(inside)
		return
	}
	half := len(some) / 2
	b.search(some[:half])
	b.search(some[half:])
}

func (b *batch) single(some []int) {
	for _, i := range some {
		if b.key.decide(&b.all[i].points, &b.all[i].in) != nil {
			b.bad = append(b.bad, i)
		}
	}
}

// together checks, with random coefficients r,
//
//	Π e(rᵢAᵢ, Bᵢ) · e(Σrᵢ K₀ + Σⱼ(Σᵢ rᵢxᵢⱼ)Kⱼ, -γ) · e(Σ rᵢCᵢ, -δ) · e(Σrᵢ α, -β) = 1,
//
// and that each B is of order r. It moves the items of another order to b.bad, and
// returns the rest.
func (b *batch) together(some []int) (ok bool, inside []int) {
	coefficients := randomCoefficients(len(some))
	var cs combination
	var sums [Inputs + 1]field.Element
	for i, item := range some {
		c := &b.all[item]
		cs.add(&c.points.c, coefficients[i])
		r := coefficients[i].element()
		sums[0].Add(&sums[0], &r)
		for j := range c.in {
			var t field.Element
			sums[1+j].Add(&sums[1+j], t.Mul(&r, &c.in[j]))
		}
	}
	fixed, ok := b.key.fixed(&cs, &sums)
	product, outside := b.pairings(some, coefficients, fixed)
	for i, item := range some {
		if outside[i] {
			b.bad = append(b.bad, item)
		} else {
			inside = append(inside, item)
		}
	}
	if !ok || len(inside) < len(some) {
		return false, inside
	}
	product = curve.FinalExponentiation(&product)
	return product.IsOne(), inside
}

// pairings returns the product of the pairs (rᵢAᵢ, Bᵢ) and the fixed ones before
// the final exponentiation, and which of the Bᵢ are not of order r.
func (b *batch) pairings(some []int, r []coefficient, fixed []fixedPair) (product curve.GT, outside []bool) {
	var mu sync.Mutex
	product.SetOne()
	outside = make([]bool, len(some))
	parallel(len(some), func(from, to int) {
		var mine []fixedPair
		if from == 0 {
			mine = fixed
		}
		v := b.convoy(some[from:to], r[from:to])
		part := miller(v, mine)
		for i := range v {
			outside[from+i] = v[i].outside
		}
		mu.Lock()
		defer mu.Unlock()
		product.Mul(&product, &part)
	})
	return product, outside
}

// convoy returns the pairs (rᵢAᵢ, Bᵢ), ready to walk.
func (b *batch) convoy(some []int, r []coefficient) convoy {
	as := make([]curve.G1Affine, len(some))
	bs := make([]*curve.G2Affine, len(some))
	for i, item := range some {
		as[i] = b.all[item].points.a
		bs[i] = &b.all[item].points.b
	}
	scaled := make([]curve.G1Jac, len(some))
	for i, o := range oddMultiples(as) {
		scaled[i] = r[i].multiply(&o)
	}
	return newConvoy(scaled, bs)
}

// combination is a sum of points with coefficients, written with factors of 64
// bits only.
type combination struct {
	points  []curve.G1Affine
	factors []field.Element
}

func (c *combination) add(p *curve.G1Affine, r coefficient) {
	var u, v field.Element
	u.SetUint64(r.u)
	v.SetUint64(r.v)
	c.points = append(c.points, *p, endomorphism(p))
	c.factors = append(c.factors, u, v)
}

// fixed returns the sums, paired with -γ, -δ and -β. Infinity, which a sum may be,
// contributes one to the product.
func (k *Key) fixed(cs *combination, sums *[Inputs + 1]field.Element) (pairs []fixedPair, ok bool) {
	var p [3]curve.G1Affine
	p[0] = k.weigh(sums)
	if _, err := p[1].MultiExp(cs.points, cs.factors, ecc.MultiExpConfig{}); err != nil {
		return nil, false
	}
	p[2].ScalarMultiplication(&k.alpha, sums[0].BigInt(new(big.Int)))
	return fixedPairs(p[:], k.prepare().lines[:]), true
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
