package wire

import (
	"crypto/sha256"
	"encoding/binary"
)

// What is encoded for every transaction is written by hand with these, many
// times faster than Marshal finds its way by reflection. A test beside each use
// compares the two.

// AppendUint appends an unsigned number.
func AppendUint(b []byte, n uint64) []byte { return appendHead(b, 0, n) }

// AppendInt appends a number.
func AppendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, 1, uint64(-(n + 1)))
	}
	return appendHead(b, 0, uint64(n))
}

// AppendBytes appends a byte string.
func AppendBytes(b, x []byte) []byte { return append(appendHead(b, 2, uint64(len(x))), x...) }

// AppendArray appends the head of an array of n elements, which follow.
func AppendArray(b []byte, n int) []byte { return appendHead(b, 4, uint64(n)) }

// appendHead appends the shortest head of a major type (RFC 8949 section 3).
func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

// SumEncoded is Sum of the elements of an encoded array.
func SumEncoded(tag string, array []byte) Hash {
	var buf [512]byte
	b := append(append(append(buf[:0], "trialith/v1/"...), tag...), 0)
	if len(b)+len(array) <= len(buf) {
		return sha256.Sum256(append(b, array...))
	}
	h := sha256.New()
	h.Write(b)
	h.Write(array)
	var out Hash
	h.Sum(out[:0])
	return out
}

// SumBytes is Sum of one byte string.
func SumBytes(tag string, x []byte) Hash {
	var buf [512]byte
	b := append(append(append(buf[:0], "trialith/v1/"...), tag...), 0)
	b = appendHead(AppendArray(b, 1), 2, uint64(len(x)))
	if len(b)+len(x) <= len(buf) {
		return sha256.Sum256(append(b, x...))
	}
	h := sha256.New()
	h.Write(b)
	h.Write(x)
	var out Hash
	h.Sum(out[:0])
	return out
}
