package kernel

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
)

// A second reading of the code: every vector is an interval for each word of 32 or
// each half of 64 bits, holding whatever the operands may be within their stated
// ranges. Arithmetic is exact; what would not fit is an error. So no limb and no
// accumulator overflows if a function can be followed from its start to its end.

// interval is the numbers from lo to hi. One that is cut has lost its upper bits, or
// means nothing, as padding does.
type interval struct {
	lo, hi *big.Int
	cut    bool
}

func from(lo, hi int64) interval { return interval{lo: big.NewInt(lo), hi: big.NewInt(hi)} }

// nothing is a word that nobody may use as a number.
func nothing() interval { return interval{lo: new(big.Int), hi: big.NewInt(1<<32 - 1), cut: true} }

func power2(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func (x interval) within(lo, hi *big.Int) bool { return x.lo.Cmp(lo) >= 0 && x.hi.Cmp(hi) < 0 }

func (x interval) unsigned(bits uint) bool { return x.within(new(big.Int), power2(bits)) }
func (x interval) signed() bool            { return x.within(big.NewInt(-1<<31), power2(31)) }
func (x interval) is(v int64) bool         { return x.lo.Cmp(x.hi) == 0 && x.lo.IsInt64() && x.lo.Int64() == v }

func (x interval) String() string { return fmt.Sprintf("[%v, %v]", x.lo, x.hi) }

func plus(x, y interval) interval {
	return interval{lo: new(big.Int).Add(x.lo, y.lo), hi: new(big.Int).Add(x.hi, y.hi)}
}

func minus(x, y interval) interval {
	return interval{lo: new(big.Int).Sub(x.lo, y.hi), hi: new(big.Int).Sub(x.hi, y.lo)}
}

// multiplied is of numbers that are not negative.
func multiplied(x, y interval) interval {
	return interval{lo: new(big.Int).Mul(x.lo, y.lo), hi: new(big.Int).Mul(x.hi, y.hi)}
}

// right shifts towards minus infinity, as both instructions do in their range.
func right(x interval, n uint) interval {
	return interval{lo: new(big.Int).Rsh(x.lo, n), hi: new(big.Int).Rsh(x.hi, n)}
}

// and is of a mask 2^n - 1, of all ones or zeros, or of a sign (-1 or 0).
func and(x, y interval) (interval, error) {
	for _, o := range [][2]interval{{x, y}, {y, x}} {
		m, v := o[0], o[1]
		switch {
		case m.is(0):
			return from(0, 0), nil
		case m.is(-1):
			return v, nil
		case m.is(mask) && v.lo.Sign() >= 0 && v.hi.Cmp(m.hi) < 0:
			return v, nil
		case m.is(mask):
			return from(0, mask), nil
		case m.within(big.NewInt(-1), big.NewInt(1)) && v.lo.Sign() >= 0:
			return interval{lo: new(big.Int), hi: v.hi}, nil
		}
	}
	return interval{}, fmt.Errorf("and of %v and %v is none that is used here", x, y)
}

// xor is with all ones or with zero.
func xor(x, ones interval) (interval, error) {
	switch {
	case ones.is(0):
		return x, nil
	case ones.is(-1) && x.signed():
		return minus(from(-1, -1), x), nil
	}
	return interval{}, fmt.Errorf("exclusive or of %v and %v is none that is used here", x, ones)
}

// span is a vector: four words, or two halves.
type span struct{ words, halves []interval }

// split views halves as words.
func (v span) split() []interval {
	if v.words != nil {
		return v.words
	}
	var out []interval
	for _, h := range v.halves {
		switch {
		case h.is(1<<32 - 1):
			out = append(out, from(-1, -1), from(0, 0))
		case h.unsigned(32):
			out = append(out, h, from(0, 0))
		default:
			out = append(out, nothing(), nothing())
		}
	}
	return out
}

// address is a number: an offset from what a parameter holds, or from zero.
type address struct{ param, offset int }

const zeroPage = -1

// reading follows one function without loops or calls.
type reading struct {
	constants []byte
	// operand is the range of a word at an offset behind the address in a parameter.
	operand func(param, offset int) interval
	// top bounds the highest limb as it is stored: it is what remains of the value
	// above the other limbs, and the value has a bound of its own, which no interval
	// of a limb can show. Nil: the interval must do.
	top      *interval
	greatest *big.Int         // accumulator
	stored   map[int]interval // words, by offset behind parameter 0
	vectors  map[int64]span
	stack    []any
}

func (r *reading) push(v any) { r.stack = append(r.stack, v) }

func (r *reading) pop() any {
	v := r.stack[len(r.stack)-1]
	r.stack = r.stack[:len(r.stack)-1]
	return v
}

func (r *reading) vector() span     { return r.pop().(span) }
func (r *reading) address() address { return r.pop().(address) }

// follow reads a function.
func (r *reading) follow(f *function) error {
	r.greatest, r.stored, r.vectors = new(big.Int), map[int]interval{}, map[int64]span{}
	for i, in := range f.code {
		if err := r.step(f, in); err != nil {
			return fmt.Errorf("%s, instruction %d: %w", f.export, i, err)
		}
	}
	return nil
}

func (r *reading) step(f *function, in instruction) error {
	switch in.op {
	case localGet:
		if in.n < int64(f.params) {
			r.push(address{int(in.n), 0})
		} else {
			r.push(r.vectors[in.n])
		}
	case localSet:
		r.vectors[in.n] = r.vector()
	case localTee:
		r.vectors[in.n] = r.stack[len(r.stack)-1].(span)
	case i32Const:
		r.push(address{zeroPage, int(in.n)})
	case i64Const:
		r.push(big.NewInt(in.n))
	case i64x2:
		n := r.pop().(*big.Int)
		r.push(span{halves: []interval{{lo: n, hi: n}, {lo: n, hi: n}}})
	case i32x4:
		n := int64(r.address().offset)
		r.push(span{words: []interval{from(n, n), from(n, n), from(n, n), from(n, n)}})
	case load64:
		a := r.address()
		r.push(span{words: []interval{r.load(a, in.n), r.load(a, in.n+4), from(0, 0), from(0, 0)}})
	case v128Load:
		a := r.address()
		r.push(span{words: []interval{r.load(a, in.n), r.load(a, in.n+4), r.load(a, in.n+8), r.load(a, in.n+12)}})
	case loadBoth:
		w := r.load(r.address(), in.n)
		r.push(span{words: []interval{w, w, w, w}})
	case store64, v128Store:
		return r.store(in)
	default:
		return r.compute(in)
	}
	return nil
}

func (r *reading) load(a address, offset int64) interval {
	at := a.offset + int(offset)
	if a.param != zeroPage {
		return r.operand(a.param, at)
	}
	v := int64(binary.LittleEndian.Uint32(r.constants[at:]))
	return from(v, v)
}

// store accepts words of the result that hold what a word holds.
func (r *reading) store(in instruction) error {
	words, a := r.vector().split(), r.address()
	if a.param != 0 {
		return fmt.Errorf("a store that is not to the first parameter")
	}
	n := 4
	if in.op == store64 {
		n = 2
	}
	for i, w := range words[:n] {
		at := a.offset + int(in.n) + 4*i
		switch limb := at / 8; {
		case limb == limbs:
			continue // padding
		case limb == limbs-1 && r.top != nil:
			w = *r.top
		case w.cut || !w.unsigned(32):
			return fmt.Errorf("%v is stored as a word", w)
		}
		r.stored[at] = w
	}
	return nil
}

func (r *reading) compute(in instruction) (err error) {
	var out span
	switch in.op {
	case i32x4Shr, i64x2Shr:
		out, err = r.shift(in.op)
	case shuffle:
		out = r.shuffle(in.words)
	default:
		y := r.vector()
		out, err = r.combine(in.op, r.vector(), y)
	}
	if err == nil {
		r.push(out)
	}
	return err
}

func (r *reading) shift(op opcode) (out span, err error) {
	n, v := uint(r.address().offset), r.vector()
	if op == i64x2Shr {
		for _, h := range v.halves {
			out.halves = append(out.halves, right(h, n))
		}
		return out, nil
	}
	for _, w := range v.split() {
		if !w.signed() {
			return out, fmt.Errorf("%v is shifted as a number with a sign", w)
		}
		out.words = append(out.words, right(w, n))
	}
	return out, nil
}

func (r *reading) shuffle(words [4]int) (out span) {
	y, x := r.vector().split(), r.vector().split()
	both := slices.Concat(x, y)
	for _, w := range words {
		out.words = append(out.words, both[w])
	}
	return out
}

// combine computes an instruction of two vectors.
func (r *reading) combine(op opcode, x, y span) (out span, err error) {
	switch op {
	case i64x2Add:
		for i := range x.halves {
			sum := plus(x.halves[i], y.halves[i])
			if !sum.unsigned(64) {
				return out, fmt.Errorf("an accumulator overflows: %v", sum)
			}
			if sum.hi.Cmp(r.greatest) > 0 {
				r.greatest = sum.hi
			}
			out.halves = append(out.halves, sum)
		}
		return out, nil
	case multiply:
		a, b := x.split(), y.split()
		for i := range 2 {
			if a[i].cut || b[i].cut || !a[i].unsigned(32) || !b[i].unsigned(32) {
				return out, fmt.Errorf("%v and %v are multiplied as words", a[i], b[i])
			}
			out.halves = append(out.halves, multiplied(a[i], b[i]))
		}
		return out, nil
	case v128And:
		if x.halves != nil && y.halves != nil {
			out.halves, err = each(x.halves, y.halves, and)
			return out, err
		}
		out.words, err = each(x.split(), y.split(), and)
	case v128Xor:
		out.words, err = each(x.split(), y.split(), xor)
	case i32x4Mul: // modulo 2^32 on purpose: of q only the lowest bits count
		out.words = []interval{from(0, 1<<32-1), from(0, 1<<32-1), from(0, 1<<32-1), from(0, 1<<32-1)}
	case i32x4Add, i32x4Sub:
		out.words, err = each(x.split(), y.split(), func(a, b interval) (interval, error) {
			z := plus(a, b)
			if op == i32x4Sub {
				z = minus(a, b)
			}
			if a.cut || b.cut {
				return nothing(), nil
			}
			if !z.signed() && !z.unsigned(32) {
				return z, fmt.Errorf("a limb overflows: %v and %v give %v", a, b, z)
			}
			return z, nil
		})
	default:
		err = fmt.Errorf("instruction %#x is not one of straight arithmetic", op)
	}
	return out, err
}

func each(x, y []interval, f func(a, b interval) (interval, error)) ([]interval, error) {
	out := make([]interval, len(x))
	for i := range x {
		var err error
		if out[i], err = f(x[i], y[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}
