package kernel

import (
	"bytes"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

func TestTheCommittedKernelIsThis(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("../dist/kernel.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, Generate()) {
		t.Error("dist/kernel.wasm is another; run go generate in this directory")
	}
}

// operands are all pairs of edges, and random ones.
func operands(p *big.Int) (out [][2]*big.Int) {
	e := edges(p)
	for _, a := range e {
		for _, b := range e {
			out = append(out, [2]*big.Int{a, b})
		}
	}
	r, twice := chance(1), new(big.Int).Lsh(p, 1)
	for range 2000 {
		out = append(out, [2]*big.Int{below(r, twice), below(r, twice)})
	}
	return out
}

// Sums, differences and products are the library's, on both lanes and in place.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	for _, f := range fields {
		m := start(t)
		all := operands(f.p)
		for i, v := range all {
			w := all[(7*i+3)%len(all)] // the other lane's
			m.top = Heap
			a, b, to := m.pair(v[0], w[0]), m.pair(v[1], w[1]), m.alloc(pair)
			for name, op := range f.ops {
				m.call(f.letter+name, to, a, b)
				want := [2]*big.Int{op(v[0], v[1]), op(w[0], w[1])}
				if got := m.lanes(to, f.p); got[0].Cmp(want[0]) != 0 || got[1].Cmp(want[1]) != 0 {
					t.Fatalf("%s%s of %v and %v: %v, want %v", f.letter, name, v, w, got, want)
				}
			}
			m.call(f.letter+"square", to, b)
			if got, want := m.lanes(to, f.p), f.ops["mul"]; got[0].Cmp(want(v[1], v[1])) != 0 || got[1].Cmp(want(w[1], w[1])) != 0 {
				t.Fatalf("%ssquare of %v and %v: %v", f.letter, v[1], w[1], got)
			}
			m.call(f.letter+"mul", a, a, b)
			if got, want := m.lanes(a, f.p)[0], f.ops["mul"](v[0], v[1]); got.Cmp(want) != 0 {
				t.Fatalf("%smul in place: %v, want %v", f.letter, got, want)
			}
			m.call(f.letter+"sub", b, a, b)
			if got, want := m.lanes(b, f.p)[1], f.ops["sub"](f.ops["mul"](w[0], w[1]), w[1]); got.Cmp(want) != 0 {
				t.Fatalf("%ssub in place: %v, want %v", f.letter, got, want)
			}
		}
	}
}

// The first operand of a product may have limbs as great as a loose difference's.
func TestLooseOperand(t *testing.T) {
	t.Parallel()
	for _, f := range fields {
		m, r := start(t), chance(2)
		greatest := split(new(big.Int).Mul(f.p, big.NewInt(6)))
		for i := range 2000 {
			var l [limbs]uint32
			for j := range limbs - 1 {
				l[j] = 1<<31 - 1
				if i > 0 {
					l[j] = r.Uint32() >> 1
				}
			}
			l[limbs-1] = greatest[limbs-1] - 5 // the limbs below exceed theirs by less than 5 of it
			a, b := new(big.Int), below(r, new(big.Int).Lsh(f.p, 1))
			if i == 0 { // all limbs as great as they can be: accumulators pass 2^63
				b.Lsh(f.p, 1).Rsh(b, width*(limbs-1)).Lsh(b, width*(limbs-1)).Sub(b, big.NewInt(1))
			}
			for j := limbs - 1; j >= 0; j-- {
				a.Lsh(a, width).Add(a, big.NewInt(int64(l[j])))
			}
			m.top = Heap
			x, y, to := m.alloc(pair), m.pair(b, b), m.alloc(pair)
			m.setLimbs(x, 8, l)
			m.setLimbs(x+4, 8, l)
			m.call(f.letter+"mul", to, x, y)
			want := f.ops["mul"](a, b)
			if got := m.lanes(to, f.p); got[0].Cmp(want) != 0 || got[1].Cmp(want) != 0 {
				t.Fatalf("%smul of %#x and %v: %v, want %v", f.letter, l, b, got, want)
			}
		}
	}
}

// e2 is the library's element with the two values divided by 2^261.
func e2(v [2]*big.Int) (e bn254.E2) {
	e.A0.SetBigInt(v[0])
	e.A1.SetBigInt(v[1])
	var r fp.Element
	r.SetBigInt(montgomery(big.NewInt(1), fp.Modulus())).Inverse(&r)
	e.MulByElement(&e, &r)
	return e
}

func TestProductInFp2(t *testing.T) {
	t.Parallel()
	m, p := start(t), fp.Modulus()
	all := operands(p)
	for i, v := range all {
		w := all[(5*i+1)%len(all)]
		m.top = Heap
		x, y := m.pair(v[0], v[1]), m.pair(w[0], w[1])
		a, b := e2(v), e2(w)
		to := []int{m.alloc(pair), x, y}[i%3]
		m.call("mulE2", to, x, y)
		if got := e2(m.lanes(to, p)); !got.Equal(a.Mul(&a, &b)) {
			t.Fatalf("mulE2 of %v and %v: %v", v, w, got.String())
		}
	}
}

func TestPowerAndInverse(t *testing.T) {
	t.Parallel()
	m, r, p := start(t), chance(3), fp.Modulus()
	values := append(edges(p), below(r, p), below(r, p))
	bits := m.alloc(256)
	for i, x := range values {
		y := values[len(values)-1-i]
		n := i // the shortest exponents first: none, and what no window fills
		if i > 6 {
			n = r.IntN(255)
		}
		e := new(big.Int)
		for j := range n {
			bit := r.IntN(2)
			m.setBytes(bits+j, byte(bit))
			e.Lsh(e, 1).Add(e, big.NewInt(int64(bit)))
		}
		a, to := m.pair(x, y), m.alloc(pair)
		// In Montgomery form a power is (x/R)^e·R.
		power := func(x, e *big.Int) *big.Int {
			v := new(big.Int).Mul(x, new(big.Int).ModInverse(montgomery(big.NewInt(1), p), p))
			return montgomery(v.Exp(v.Mod(v, p), e, p), p)
		}
		m.call("pow", to, a, bits, n)
		if got := m.lanes(to, p); got[0].Cmp(power(x, e)) != 0 || got[1].Cmp(power(y, e)) != 0 {
			t.Fatalf("pow of %v and %v to %v: %v", x, y, e, got)
		}
		m.call("inv", a, a)
		minus2 := new(big.Int).Sub(p, big.NewInt(2))
		if got := m.lanes(a, p); got[0].Cmp(power(x, minus2)) != 0 || got[1].Cmp(power(y, minus2)) != 0 {
			t.Fatalf("inv of %v and %v: %v", x, y, got)
		}
	}
}

func TestGatherAndScatter(t *testing.T) {
	t.Parallel()
	m, r, p := start(t), chance(4), fp.Modulus()
	x, y := below(r, p), below(r, p)
	to := m.alloc(pair)
	m.call("gather", to, m.plain(x), m.plain(y))
	if got := m.lanes(to, p); got[0].Cmp(x) != 0 || got[1].Cmp(y) != 0 {
		t.Errorf("gathered %v", got)
	}
	a, b := m.alloc(plain), m.alloc(plain)
	m.call("scatter", to, a, b)
	if m.reduced(a, 4, p).Cmp(x) != 0 || m.reduced(b, 4, p).Cmp(y) != 0 {
		t.Error("scattered others than were gathered")
	}
	if m.word(a+plain-4) != 0 || m.word(b+plain-4) != 0 {
		t.Error("the word behind a plain element is not zero")
	}
}

// The array forms do what the single ones do, with the steps they are given.
func TestMany(t *testing.T) {
	t.Parallel()
	const n = 5
	for _, f := range fields {
		for name, op := range f.ops {
			m, r := start(t), chance(5)
			var a, b [n]*big.Int
			first, second := m.top, 0
			for i := range a {
				a[i] = below(r, f.p)
				m.pair(a[i], a[i])
			}
			for i := range b {
				b[i] = below(r, f.p)
				if at := m.pair(b[i], b[i]); i == 0 {
					second = at
				}
			}
			to := m.alloc(2 * pair * n)
			m.call(f.letter+name+"Many", to, first, second, 0, 2*pair, pair, pair)
			if m.word(to) != 0xa5a5a5a5 {
				t.Errorf("%s%sMany of none wrote something", f.letter, name)
			}
			m.call(f.letter+name+"Many", to, first, second, n, 2*pair, pair, pair)
			for i := range a {
				if got := m.lanes(to+2*pair*i, f.p)[0]; got.Cmp(op(a[i], b[i])) != 0 {
					t.Errorf("%s%sMany: element %d is %v", f.letter, name, i, got)
				}
			}
			m.call(f.letter+name+"Many", first, first, second, n, pair, pair, 0) // one second operand for all
			if got := m.lanes(first+pair*(n-1), f.p)[1]; got.Cmp(op(a[n-1], b[0])) != 0 {
				t.Errorf("%s%sMany with a step of 0: %v", f.letter, name, got)
			}
		}
	}
}
