package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Reader reads what is written with the Append functions, strictly: of each
// value the one canonical encoding. After the first error everything reads as
// zero; Done tells it.
type Reader struct {
	b   []byte
	err error
}

var (
	errCut  = errors.New("ends too soon")
	errType = errors.New("another type of CBOR value than belongs there")
)

// NewReader reads b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// Done returns the first error. Bytes that are left are one.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail(fmt.Errorf("%d bytes too many", len(r.b)))
	}
	return r.err
}

// Array reads the head of an array of n elements, which follow.
func (r *Reader) Array(n uint64) {
	if got := r.head(4); r.err == nil && got != n {
		r.fail(fmt.Errorf("array of %d elements, not %d", got, n))
	}
}

// List reads the head of an array of at most so many elements.
func (r *Reader) List(most uint64) int {
	n := r.head(4)
	if n > most {
		r.fail(fmt.Errorf("array of %d elements; at most %d", n, most))
		return 0
	}
	return int(n)
}

// Uint reads an unsigned number that is at most so large.
func (r *Reader) Uint(most uint64) uint64 {
	n := r.head(0)
	if n > most {
		r.fail(fmt.Errorf("number %d; at most %d", n, most))
		return 0
	}
	return n
}

// Int reads a number.
func (r *Reader) Int() int64 {
	major, n := r.any()
	switch {
	case n > math.MaxInt64 || major > 1:
		r.fail(errType)
		return 0
	case major == 1:
		return -1 - int64(n)
	}
	return int64(n)
}

// Bytes reads a byte string; what it returns is part of what is read.
func (r *Reader) Bytes() []byte {
	n := r.head(2)
	if n > uint64(len(r.b)) {
		r.fail(errCut)
		return nil
	}
	x := r.b[:n:n]
	r.b = r.b[n:]
	return x
}

// Fixed reads a byte string of the length of dst.
func (r *Reader) Fixed(dst []byte) {
	x := r.Bytes()
	if r.err == nil && len(x) != len(dst) {
		r.fail(fmt.Errorf("%d bytes, not %d", len(x), len(dst)))
		return
	}
	copy(dst, x)
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// head reads the head of a major type.
func (r *Reader) head(major byte) uint64 {
	got, n := r.any()
	if r.err == nil && got != major {
		r.fail(errType)
	}
	if r.err != nil {
		return 0
	}
	return n
}

// any reads a head, which must be the shortest for its number.
func (r *Reader) any() (major byte, n uint64) {
	if len(r.b) == 0 {
		r.fail(errCut)
		return 0, 0
	}
	first := r.b[0]
	r.b = r.b[1:]
	major, short := first>>5, first&31
	if short < 24 {
		return major, uint64(short)
	}
	if short > 27 {
		r.fail(errType)
		return 0, 0
	}
	size := 1 << (short - 24)
	if len(r.b) < size {
		r.fail(errCut)
		return 0, 0
	}
	var wide [8]byte
	copy(wide[8-size:], r.b[:size])
	r.b = r.b[size:]
	n = binary.BigEndian.Uint64(wide[:])
	if least := [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}; n < least[short-24] {
		r.fail(ErrNotCanonical)
		return 0, 0
	}
	return major, n
}
