package kernel

import (
	"context"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// machine is one instance of the kernel with its memory.
type machine struct {
	t      *testing.T
	module api.Module
	top    int
}

// compiled is the kernel, compiled once for all tests.
var compiled = sync.OnceValue(func() (c struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	err     error
},
) {
	ctx := context.Background()
	c.runtime = wazero.NewRuntime(ctx)
	c.module, c.err = c.runtime.CompileModule(ctx, Generate())
	return c
})

func start(t *testing.T) *machine {
	t.Helper()
	c := compiled()
	if c.err != nil {
		t.Fatal(c.err)
	}
	module, err := c.runtime.InstantiateModule(t.Context(), c.module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := module.Memory().Grow(15); !ok {
		t.Fatal("the memory does not grow")
	}
	return &machine{t, module, Heap}
}

// call runs an exported function.
func (m *machine) call(name string, args ...int) {
	m.t.Helper()
	f := m.module.ExportedFunction(name)
	if f == nil {
		m.t.Fatalf("the kernel exports no %s", name)
	}
	in := make([]uint64, len(args))
	for i, a := range args {
		in[i] = uint64(uint32(a))
	}
	if _, err := f.Call(m.t.Context(), in...); err != nil {
		m.t.Fatalf("%s%v: %v", name, args, err)
	}
}

// alloc returns fresh memory, filled with what no function may rely on.
func (m *machine) alloc(n int) int {
	at := m.top
	m.top += (n + quad - 1) &^ (quad - 1)
	for i := range n {
		m.module.Memory().WriteByte(uint32(at+i), 0xa5)
	}
	return at
}

func (m *machine) word(at int) uint32 {
	v, ok := m.module.Memory().ReadUint32Le(uint32(at))
	if !ok {
		m.t.Fatalf("no memory at %d", at)
	}
	return v
}

func (m *machine) setWord(at int, v uint32) { m.module.Memory().WriteUint32Le(uint32(at), v) }

func (m *machine) setBytes(at int, b ...byte) { m.module.Memory().Write(uint32(at), b) }

// words allocates and fills a list.
func (m *machine) words(v ...int) int {
	at := m.alloc(4 * len(v))
	for i, x := range v {
		m.setWord(at+4*i, uint32(x))
	}
	return at
}

// pair allocates and fills a pair.
func (m *machine) pair(x, y *big.Int) int {
	at := m.alloc(pair)
	m.setLimbs(at, 8, split(x))
	m.setLimbs(at+4, 8, split(y))
	return at
}

// plain allocates and fills a plain element.
func (m *machine) plain(x *big.Int) int {
	at := m.alloc(plain)
	m.setLimbs(at, 4, split(x))
	return at
}

func (m *machine) setLimbs(at, step int, l [limbs]uint32) {
	for i, v := range l {
		m.setWord(at+step*i, v)
	}
}

// reduced reads an element whose limbs are step bytes apart, and fails unless it
// is reduced.
func (m *machine) reduced(at, step int, p *big.Int) *big.Int {
	m.t.Helper()
	x := new(big.Int)
	for i := limbs - 1; i >= 0; i-- {
		v := m.word(at + step*i)
		if v > mask {
			m.t.Fatalf("limb %d is %#x", i, v)
		}
		x.Lsh(x, width).Or(x, big.NewInt(int64(v)))
	}
	if x.Cmp(new(big.Int).Lsh(p, 1)) >= 0 {
		m.t.Fatalf("%v is not below 2p", x)
	}
	return x
}

// lanes reads both elements of a pair modulo p.
func (m *machine) lanes(at int, p *big.Int) (out [2]*big.Int) {
	m.t.Helper()
	for i := range out {
		out[i] = m.reduced(at+4*i, 8, p)
		out[i].Mod(out[i], p)
	}
	return out
}

// chance is a source that gives every run the same numbers.
func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 29)) }

// below returns a number below n.
func below(r *rand.Rand, n *big.Int) *big.Int {
	x := new(big.Int)
	for range 6 {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(r.Uint64()))
	}
	return x.Mod(x, n)
}

// edges are the values of a field of order p where a limb, a carry or a sign
// turns: all below 2p.
func edges(p *big.Int) []*big.Int {
	one := big.NewInt(1)
	near := func(x *big.Int, d int64) *big.Int { return new(big.Int).Add(x, big.NewInt(d)) }
	twice := new(big.Int).Lsh(p, 1)
	out := []*big.Int{new(big.Int), one, big.NewInt(2), near(p, -1), p, near(p, 1), near(twice, -2), near(twice, -1), montgomery(one, p)}
	for i := 1; i < limbs; i++ {
		turn := new(big.Int).Lsh(one, uint(width*i))
		out = append(out, near(turn, -1), turn)
	}
	// All limbs but the last are ones, and the last as great as it may be.
	ones := new(big.Int).Rsh(twice, width*(limbs-1))
	ones.Lsh(ones, width*(limbs-1)).Sub(ones, one)
	return append(out, ones)
}

// element is what the library's two fields have in common.
type element[E any] interface {
	*E
	SetBigInt(*big.Int) *E
	BigInt(*big.Int) *big.Int
	Mul(a, b *E) *E
	Add(a, b *E) *E
	Sub(a, b *E) *E
}

// library computes with the library's field: mul is the product over 2^261.
func library[E any, P element[E]](p *big.Int) map[string]func(a, b *big.Int) *big.Int {
	in := func(x *big.Int) P { return P(new(E)).SetBigInt(x) }
	out := func(x P) *big.Int { return x.BigInt(new(big.Int)) }
	r := in(new(big.Int).ModInverse(montgomery(big.NewInt(1), p), p))
	return map[string]func(a, b *big.Int) *big.Int{
		"mul": func(a, b *big.Int) *big.Int { x := in(a); return out(P(x).Mul(P(P(x).Mul(x, in(b))), r)) },
		"add": func(a, b *big.Int) *big.Int { x := in(a); return out(P(x).Add(x, in(b))) },
		"sub": func(a, b *big.Int) *big.Int { x := in(a); return out(P(x).Sub(x, in(b))) },
	}
}

// fields are both fields with the letter before their functions' names.
var fields = []struct {
	letter string
	p      *big.Int
	ops    map[string]func(a, b *big.Int) *big.Int
}{
	{"", fp.Modulus(), library[fp.Element](fp.Modulus())},
	{"r", fr.Modulus(), library[fr.Element](fr.Modulus())},
}
