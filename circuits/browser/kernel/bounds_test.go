package kernel

import (
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// The ranges that the functions' comments state, as intervals of their limbs.

// highest is the greatest last limb of a value below n·p.
func highest(p *big.Int, n int64) int64 {
	x := new(big.Int).Mul(p, big.NewInt(n))
	return x.Sub(x, big.NewInt(1)).Rsh(x, width*(limbs-1)).Int64()
}

// reducedLimb is limb i of a reduced element, and behind the last the padding.
func reducedLimb(p *big.Int, i int) interval {
	switch {
	case i < limbs-1:
		return from(0, mask)
	case i == limbs-1:
		return from(0, highest(p, 2))
	}
	return nothing()
}

// looseLimb is limb i of a loose element.
func looseLimb(int) interval { return from(0, 1<<31-1) }

// sum is the sum of pairs n, e of n·2^e.
func sum(terms ...int64) *big.Int {
	out := new(big.Int)
	for i := 0; i < len(terms); i += 2 {
		out.Add(out, new(big.Int).Lsh(big.NewInt(terms[i]), uint(terms[i+1])))
	}
	return out
}

// read follows a function whose parameters from the second on are reduced, but
// for those that are loose.
func read(k *kernel, fd *prime, f *function, loose ...int) (*reading, error) {
	top := from(0, highest(fd.p, 2)) // TestValuesStayReduced
	r := &reading{constants: k.memory.bytes[:], top: &top}
	if f == k.subLoose {
		r.top = nil
	}
	r.operand = func(param, offset int) interval {
		if slices.Contains(loose, param) {
			return looseLimb(offset / 8)
		}
		return reducedLimb(fd.p, offset/8)
	}
	return r, r.follow(f)
}

// The accumulators of a product stay below the sum that its comment states, and
// that below 2^64; its limbs are reduced.
func TestNoAccumulatorOverflows(t *testing.T) {
	t.Parallel()
	k := generate()
	stated := sum(9, 60, 9, 58, 1, 35)
	statedSquare := sum(9, 58, 9, 58, 1, 35)
	statedE2 := sum(9, 58, 9, 60, 9, 58, 1, 36)
	for _, c := range []struct {
		name   string
		fd     *prime
		f      *function
		loose  []int
		stated *big.Int
	}{
		{"mul", k.fp, k.fp.mul, []int{1}, stated},
		{"rmul", k.fr, k.fr.mul, []int{1}, stated},
		{"square", k.fp, k.fp.square, nil, statedSquare},
		{"rsquare", k.fr, k.fr.square, nil, statedSquare},
		{"mulE2", k.fp, k.mulE2, nil, statedE2},
	} {
		r, err := read(k, c.fd, c.f, c.loose...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.stated.Cmp(power2(64)) >= 0 || r.greatest.Cmp(c.stated) > 0 {
			t.Errorf("%s: an accumulator reaches %v; stated are %v, which must be below 2^64", c.name, r.greatest, c.stated)
		}
		wantReduced(t, c.name, r, c.fd)
	}
}

// wantReduced fails unless limbs 0 to 8 of both lanes were stored and are those of
// a reduced element.
func wantReduced(t *testing.T, name string, r *reading, fd *prime) {
	t.Helper()
	for i := range limbs {
		for lane := range 2 {
			got, stored := r.stored[8*i+4*lane]
			if want := reducedLimb(fd.p, i); !stored || got.lo.Sign() < 0 || got.hi.Cmp(want.hi) > 0 {
				t.Errorf("%s: limb %d of lane %d is stored %v as %v, want within %v", name, i, lane, stored, got, want)
			}
		}
	}
}

// No limb of a sum or difference leaves its word; all but the highest are reduced
// by the last carry, and the highest by the bound of the value below.
func TestNoLimbOverflows(t *testing.T) {
	t.Parallel()
	k := generate()
	for _, c := range []struct {
		name string
		fd   *prime
		f    *function
	}{
		{"add", k.fp, k.fp.add},
		{"sub", k.fp, k.fp.sub},
		{"radd", k.fr, k.fr.add},
		{"rsub", k.fr, k.fr.sub},
		{"sub2", k.fp, k.sub2},
	} {
		r, err := read(k, c.fd, c.f)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		wantReduced(t, c.name, r, c.fd)
	}
	r, err := read(k, k.fp, k.subLoose)
	if err != nil {
		t.Fatal(err)
	}
	for i := range limbs {
		if got := r.stored[8*i]; got.hi == nil || got.lo.Sign() < 0 || got.hi.Cmp(looseLimb(i).hi) > 0 {
			t.Errorf("subLoose: limb %d is %v", i, got)
		}
	}
}

// The values: reduced operands give a reduced result. Each line is the inequality
// of a function's comment.
func TestValuesStayReduced(t *testing.T) {
	t.Parallel()
	radix, k := power2(radix), generate()
	if k.fp.modulus.offset != 1024 {
		t.Errorf("the limbs of p stand at %d, and the package comment says 1024", k.fp.modulus.offset)
	}
	for i, f := range fields {
		fd := []*prime{k.fp, k.fr}[i]
		for n, at := range map[int64]place{1: fd.modulus, 2: fd.twice, 4: fd.borrow} {
			if got := k.constant(at); got.Cmp(new(big.Int).Mul(f.p, big.NewInt(n))) != 0 {
				t.Errorf("%v stands where %d times %v should", got, n, f.p)
			}
		}
		p := func(n int64) *big.Int { return new(big.Int).Mul(f.p, big.NewInt(n)) }
		most := func(n int64) *big.Int { return new(big.Int).Sub(p(n), big.NewInt(1)) }
		// below is whether x and the greatest multiples of p' and p, over 2^261, stay
		// below 2p.
		below := func(x *big.Int) bool {
			split := power2(width * quick)
			long := new(big.Int).Mul(k.constant(fd.upper), power2(width)) // p' + 1
			total := long.Mul(long, split)
			total.Add(total, new(big.Int).Mul(new(big.Int).Sub(radix, split), f.p))
			return total.Add(total, x).Cmp(new(big.Int).Mul(p(2), radix)) < 0
		}
		loose := new(big.Int).Add(most(2), p(4)) // a - b + 4p
		if loose.Cmp(p(6)) >= 0 || !below(new(big.Int).Mul(loose, most(2))) {
			t.Errorf("%smul: a loose times a reduced element is not reduced", f.letter)
		}
		complex := new(big.Int).Mul(most(2), most(2))
		complex.Add(complex, new(big.Int).Mul(most(2), p(4)))
		if !below(complex) {
			t.Errorf("mulE2 with %v: not reduced", f.p)
		}
		// After each lift what was negative has grown by 2p and stays below 2p.
		for name, d := range map[string]struct {
			lo, hi *big.Int
			lifts  int64
		}{
			"add":  {new(big.Int).Neg(p(2)), new(big.Int).Sub(new(big.Int).Add(most(2), most(2)), p(2)), 1},
			"sub":  {new(big.Int).Neg(most(2)), most(2), 1},
			"sub2": {new(big.Int).Neg(new(big.Int).Add(most(2), most(2))), most(2), 2},
		} {
			if d.hi.Cmp(p(2)) >= 0 || new(big.Int).Add(d.lo, p(2*d.lifts)).Sign() < 0 {
				t.Errorf("%s%s: from %v to %v, %d times 2p do not reduce it", f.letter, name, d.lo, d.hi, d.lifts)
			}
		}
	}
}

// constant is the value of a pair in the first memory.
func (k *kernel) constant(at place) *big.Int {
	out := new(big.Int)
	for i := limbs - 1; i >= 0; i-- {
		out.Lsh(out, width).Add(out, big.NewInt(int64(binary.LittleEndian.Uint32(k.memory.bytes[at.offset+8*i:]))))
	}
	return out
}

// Control: two loose operands would overflow, and the reading finds it.
func TestTheReadingFindsOverflow(t *testing.T) {
	t.Parallel()
	k := generate()
	for name, f := range map[string]*function{"mul": k.fp.mul, "square": k.fp.square, "mulE2": k.mulE2} {
		if _, err := read(k, k.fp, f, 1, 2); err == nil || !strings.Contains(err.Error(), "overflows") && !strings.Contains(err.Error(), "multiplied") {
			t.Errorf("%s of two loose operands: %v", name, err)
		}
	}
	if _, err := read(k, k.fp, k.subLoose, 1, 2); err == nil {
		t.Error("a difference of loose elements passes")
	}
	f, arg := k.function("", 2)
	v := f.limbs()
	for i := range v {
		f.limb(arg[1].at(0), i)
		for range 4 {
			f.limb(arg[1].at(0), i).op(i32x4Add)
		}
		f.set(v[i])
	}
	f.finish(k.fp, arg[0].at(0), v, 1)
	if _, err := read(k, k.fp, f); err == nil {
		t.Error("five limbs in a word with a sign pass")
	}
}

// A loose element where a reduced one must be is refused while the kernel is made.
func TestCallsHoldTheirRanges(t *testing.T) {
	t.Parallel()
	k := generate()
	f, _ := k.function("", 0)
	loose := k.minusLoose(f, scratch(0), scratch(1), scratch(2))
	for name, bad := range map[string]func(){
		"mul":   func() { f.mul(k.fp, scratch(3), scratch(1), loose) },
		"add":   func() { f.add(k.fp, scratch(3), loose, scratch(1)) },
		"sub":   func() { f.sub(k.fp, scratch(3), scratch(1), loose) },
		"mulE2": func() { k.times2(f, scratch(3), loose, scratch(1)) },
		"sub2":  func() { k.minus2(f, scratch(3), loose, scratch(1), scratch(2)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s takes a loose element", name)
				}
			}()
			bad()
		}()
	}
	f.mul(k.fp, scratch(3), loose, scratch(1)) // and where it may be, it is not
}
