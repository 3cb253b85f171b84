package kernel

import (
	"encoding/binary"
	"fmt"
	"math/big"
)

// How elements stand in memory; the package comment says why.
const (
	width = 29            // bits of a limb
	limbs = 9             // limbs of an element
	mask  = 1<<width - 1  // the largest limb of a reduced element
	radix = width * limbs // Montgomery form is x·2^radix
	pair  = 80            // bytes of two elements side by side
	plain = 40            // bytes of one element on its own
	quad  = 16            // bytes of a vector

	// Heap is the first address that the kernel leaves to its host.
	Heap = 8192

	constants  = 1024 // the address of the first constant; scratch ends here
	slots      = 12   // pair elements of scratch
	innerSlots = 10   // and of inner scratch: a node's children, parents and key
)

// place is where an element stands: an offset from the address in a local, or a
// fixed address.
type place struct {
	base   local // unused if fixed
	fixed  bool
	offset int
	// loose elements are differences without carries (subLoose). Only a
	// multiplication takes one, and only as its first operand.
	loose bool
}

func fixed(address int) place       { return place{fixed: true, offset: address} }
func (l local) at(offset int) place { return place{base: l, offset: offset} }
func (p place) plus(offset int) place {
	p.offset += offset
	return p
}

// scratch is the i-th element of the memory that every function may use which
// calls no other that does.
func scratch(i int) place {
	if i >= slots {
		panic(fmt.Sprintf("kernel: scratch %d of %d", i, slots))
	}
	return fixed(constants - pair*(i+1))
}

// address puts the address of a place on the stack.
func (f *function) address(p place) *function {
	if p.fixed {
		return f.num(p.offset)
	}
	f.get(p.base)
	if p.offset != 0 {
		f.num(p.offset).op(i32Add)
	}
	return f
}

// load reads at so many bytes behind a place.
func (f *function) load(op opcode, p place, offset int) *function {
	if p.fixed {
		return f.num(0).emit(op, int64(p.offset+offset))
	}
	return f.get(p.base).emit(op, int64(p.offset+offset))
}

// limb reads limb i of both elements of a pair into words 0 and 1.
func (f *function) limb(p place, i int) *function { return f.load(load64, p, 8*i) }

// store writes what value leaves on the stack to so many bytes behind a place.
func (f *function) store(op opcode, p place, offset int, value func()) {
	if p.fixed {
		f.num(0)
	} else {
		f.get(p.base)
	}
	value()
	f.emit(op, int64(p.offset+offset))
}

// storeLimb writes words 0 and 1 as limb i of a pair.
func (f *function) storeLimb(p place, i int, value func()) { f.store(store64, p, 8*i, value) }

// copy copies a pair.
func (f *function) copy(to, from place) {
	for i := 0; i < pair; i += quad {
		f.store(v128Store, to, i, func() { f.load(v128Load, from, i) })
	}
}

// memory is the kernel's part of memory as a page finds it.
type memory struct {
	bytes [Heap]byte
	top   int // where the next constant goes
}

// reserve returns a place for so many bytes of zeros.
func (m *memory) reserve(n int) place {
	at := m.top
	m.top += n
	if m.top > Heap {
		panic(fmt.Sprintf("kernel: %d bytes of constants overrun the host's memory at %d", m.top-constants, Heap))
	}
	return fixed(at)
}

// put writes limbs, each so many times.
func (m *memory) put(l [limbs]uint32, times int) place {
	p := m.reserve(4 * times * limbs)
	for i := range l {
		for k := range times {
			binary.LittleEndian.PutUint32(m.bytes[p.offset+4*(times*i+k):], l[i])
		}
	}
	return p
}

// pair writes an element twice, side by side.
func (m *memory) pair(l [limbs]uint32) place {
	p := m.put(l, 2)
	m.reserve(pair - 8*limbs)
	return p
}

// segment returns the data segment with the constants.
func (m *memory) segment() []byte {
	body := append(signed([]byte{1, 0, byte(i32Const)}, constants), byte(end))
	body = unsigned(body, uint64(m.top-constants))
	return append(body, m.bytes[constants:m.top]...)
}

// split returns the limbs of a number; the last holds all that is left.
func split(x *big.Int) (l [limbs]uint32) {
	rest, low := new(big.Int).Set(x), big.NewInt(mask)
	for i := range limbs - 1 {
		l[i] = uint32(new(big.Int).And(rest, low).Uint64())
		rest.Rsh(rest, width)
	}
	l[limbs-1] = uint32(rest.Uint64())
	return l
}

// montgomery returns x·2^261 modulo p.
func montgomery(x, p *big.Int) *big.Int {
	out := new(big.Int).Lsh(x, radix)
	return out.Mod(out, p)
}
