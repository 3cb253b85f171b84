package kernel

import "fmt"

// A very small assembler: instructions are values until the module is written,
// so that a test can read the same code that the browser runs.

// opcode is an instruction of WebAssembly. Those of the vector extension, which
// stand behind a prefix, have the prefix in the upper byte.
type opcode uint16

// prefix is the byte before every vector instruction.
const prefix = 0xfd

const (
	block     opcode = 0x02
	loop      opcode = 0x03
	ifThen    opcode = 0x04
	end       opcode = 0x0b
	branchIf  opcode = 0x0d
	call      opcode = 0x10
	localGet  opcode = 0x20
	localSet  opcode = 0x21
	localTee  opcode = 0x22
	i32Load   opcode = 0x28
	i32Load8  opcode = 0x2d // one byte, without sign
	i32Const  opcode = 0x41
	i64Const  opcode = 0x42
	i32Eqz    opcode = 0x45
	i32Add    opcode = 0x6a
	i32Mul    opcode = 0x6c
	i32Div    opcode = 0x6e // without sign
	i32Rem    opcode = 0x70 // without sign
	v128Load  opcode = 0xfd00
	loadBoth  opcode = 0xfd09 // one word of memory in all four words
	v128Store opcode = 0xfd0b
	shuffle   opcode = 0xfd0d
	i32x4     opcode = 0xfd11 // one number in all four words
	i64x2     opcode = 0xfd12
	v128And   opcode = 0xfd4e
	v128Xor   opcode = 0xfd51
	store64   opcode = 0xfd5b // words 0 and 1
	load32    opcode = 0xfd5c // word 0; the others are zero
	load64    opcode = 0xfd5d // words 0 and 1; the others are zero
	i32x4Shr  opcode = 0xfdac // with the sign
	i32x4Add  opcode = 0xfdae
	i32x4Sub  opcode = 0xfdb1
	i32x4Mul  opcode = 0xfdb5
	i64x2Shr  opcode = 0xfdcd // without sign
	i64x2Add  opcode = 0xfdce
	// Words 0 and 1 of both operands, without sign: two products of 64 bits.
	multiply opcode = 0xfdde
)

// valueType is the type of a local.
type valueType byte

const (
	number valueType = 0x7f // i32: an address or a count
	vector valueType = 0x7b // v128: four words of 32 bits or two of 64
)

// instruction is an opcode with what follows it: n is a number, the index of a
// local or function, a label or the offset of an access to memory; words are
// those that a shuffle takes, 0-3 from its first operand and 4-7 from its second.
type instruction struct {
	op    opcode
	n     int64
	words [4]int
}

// local is a parameter or variable of a function.
type local int

// function is one function of the module. All take numbers and return nothing.
type function struct {
	export string // empty: only the kernel calls it
	index  int
	params int
	locals []valueType
	code   []instruction
}

// number and vector declare a variable.
func (f *function) number() local { return f.declare(number) }
func (f *function) vector() local { return f.declare(vector) }

func (f *function) declare(t valueType) local {
	f.locals = append(f.locals, t)
	return local(f.params + len(f.locals) - 1)
}

// limbs declares a vector for each limb.
func (f *function) limbs() (v [limbs]local) {
	for i := range v {
		v[i] = f.vector()
	}
	return v
}

func (f *function) emit(op opcode, n int64) *function {
	f.code = append(f.code, instruction{op: op, n: n})
	return f
}

func (f *function) op(op opcode) *function     { return f.emit(op, 0) }
func (f *function) get(l local) *function      { return f.emit(localGet, int64(l)) }
func (f *function) set(l local) *function      { return f.emit(localSet, int64(l)) }
func (f *function) tee(l local) *function      { return f.emit(localTee, int64(l)) }
func (f *function) num(n int) *function        { return f.emit(i32Const, int64(n)) }
func (f *function) call(g *function) *function { return f.emit(call, int64(g.index)) }
func (f *function) all32(v uint32) *function   { return f.num(int(int32(v))).op(i32x4) }
func (f *function) all64(v int64) *function    { return f.emit(i64Const, v).op(i64x2) }

// shift shifts each lane right by one limb.
func (f *function) shift(op opcode) *function { return f.num(width).op(op) }

// step moves an address on.
func (f *function) step(l local, n int) { f.get(l).num(n).op(i32Add).set(l) }

// shuffle takes four words of the two operands.
func (f *function) shuffle(a, b, c, d int) *function {
	f.code = append(f.code, instruction{op: shuffle, words: [4]int{a, b, c, d}})
	return f
}

// repeat runs body as often as count says, which may be never; count runs down
// to zero.
func (f *function) repeat(count local, body func()) {
	f.op(block).get(count).op(i32Eqz).emit(branchIf, 0)
	f.op(loop)
	body()
	f.get(count).num(-1).op(i32Add).tee(count).emit(branchIf, 0)
	f.op(end).op(end)
}

// when runs body if the number on the stack is not zero.
func (f *function) when(body func()) {
	f.op(ifThen)
	body()
	f.op(end)
}

// module is the functions and the first bytes of memory.
type module struct {
	functions []*function
	memory    memory
}

// function adds a function of so many parameters and returns them.
func (m *module) function(export string, params int) (*function, []local) {
	f := &function{export: export, index: len(m.functions), params: params}
	m.functions = append(m.functions, f)
	ps := make([]local, params)
	for i := range ps {
		ps[i] = local(i)
	}
	return f, ps
}

// bytes returns the module in the binary format of WebAssembly 2.0, sections in
// their order. It has no imports; its memory is exported as "mem".
func (m *module) bytes() []byte {
	n := uint64(len(m.functions))
	types, functions, code := unsigned(nil, n), unsigned(nil, n), unsigned(nil, n)
	exports, exported := []byte{3, 'm', 'e', 'm', 2, 0}, uint64(1)
	for _, f := range m.functions {
		types = append(unsigned(append(types, 0x60), uint64(f.params)), repeated(byte(number), f.params)...)
		types = append(types, 0) // no results
		functions = unsigned(functions, uint64(f.index))
		if f.export != "" {
			exported++
			exports = append(append(append(exports, byte(len(f.export))), f.export...), 0)
			exports = unsigned(exports, uint64(f.index))
		}
		body := f.bytes()
		code = append(unsigned(code, uint64(len(body))), body...)
	}
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	out = section(out, 1, types)
	out = section(out, 3, functions)
	out = section(out, 5, []byte{1, 0, 1}) // one memory of at least one page
	out = section(out, 7, append(unsigned(nil, exported), exports...))
	out = section(out, 10, code)
	return section(out, 11, m.memory.segment())
}

func repeated(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func section(out []byte, id byte, body []byte) []byte {
	return append(unsigned(append(out, id), uint64(len(body))), body...)
}

// bytes returns the locals and the code.
func (f *function) bytes() []byte {
	b := unsigned(nil, uint64(len(f.locals)))
	for _, t := range f.locals {
		b = append(b, 1, byte(t))
	}
	for _, in := range f.code {
		b = in.append(b)
	}
	return append(b, byte(end))
}

func (in instruction) append(b []byte) []byte {
	if in.op>>8 == prefix {
		b = unsigned(append(b, prefix), uint64(in.op&0xff))
	} else {
		b = append(b, byte(in.op))
	}
	switch in.op {
	case block, loop, ifThen:
		return append(b, 0x40) // no result
	case branchIf, call, localGet, localSet, localTee:
		return unsigned(b, uint64(in.n))
	case i32Const, i64Const:
		return signed(b, in.n)
	case i32Load, i32Load8, v128Load, v128Store, loadBoth, load32, load64:
		return unsigned(append(b, 0), uint64(in.n)) // aligned or not
	case store64:
		return append(unsigned(append(b, 0), uint64(in.n)), 0) // the first half
	case shuffle:
		for _, w := range in.words {
			b = append(b, byte(4*w), byte(4*w+1), byte(4*w+2), byte(4*w+3))
		}
		return b
	case end, i32Eqz, i32Add, i32Mul, i32Div, i32Rem, i32x4, i64x2, v128And, v128Xor, i32x4Shr, i32x4Add, i32x4Sub, i32x4Mul, i64x2Shr, i64x2Add, multiply:
		return b
	}
	panic(fmt.Sprintf("kernel: instruction %#x has no form here", in.op))
}

// unsigned and signed append the LEB128 form of a number.
func unsigned(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func signed(b []byte, v int64) []byte {
	for {
		low := byte(v & 0x7f)
		v >>= 7
		if v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}
