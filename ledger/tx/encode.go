package tx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/trialith/trialith/ledger/wire"
)

const signingDomain = "trialith/v1/tx\x00"

// SigningBytes are what signer and cosigners sign:
// "trialith/v1/tx" ‖ 0x00 ‖ CBOR array of all fields before the signatures.
func (e *Envelope) SigningBytes() []byte {
	b := append(make([]byte, 0, len(signingDomain)+e.size()), signingDomain...)
	return e.appendUnsigned(wire.AppendArray(b, 8))
}

// Encode returns the canonical bytes of e.
func (e *Envelope) Encode() []byte {
	b := e.appendUnsigned(wire.AppendArray(make([]byte, 0, e.size()), 10))
	b = wire.AppendArray(wire.AppendBytes(b, e.Signature[:]), len(e.Cosigners))
	for i := range e.Cosigners {
		c := &e.Cosigners[i]
		b = wire.AppendBytes(wire.AppendBytes(wire.AppendArray(b, 2), c.Key[:]), c.Signature[:])
	}
	return b
}

// size is enough for the encoding.
func (e *Envelope) size() int { return 256 + len(e.Body) + 128*len(e.Cosigners) }

func (e *Envelope) appendUnsigned(b []byte) []byte {
	b = wire.AppendUint(b, uint64(e.Version))
	b = wire.AppendBytes(b, e.Ledger[:])
	b = wire.AppendUint(b, uint64(e.Kind))
	b = wire.AppendBytes(b, e.Stream[:])
	b = wire.AppendBytes(b, e.Key[:])
	b = wire.AppendInt(b, e.Expiry)
	b = wire.AppendBytes(b, e.Idempotency[:])
	return wire.AppendBytes(b, e.Body)
}

// parser reads the one canonical encoding of an envelope: what it accepts,
// wire.Unmarshal accepts, and the other way round.
type parser struct {
	b   []byte
	err error
}

var (
	errCut  = errors.New("ends too soon")
	errType = errors.New("another type of CBOR value than belongs there")
)

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
	p.b = nil
}

// head reads the shortest head of a major type.
func (p *parser) head(major byte) uint64 {
	got, n := p.any()
	if p.err == nil && got != major {
		p.fail(errType)
	}
	return n
}

func (p *parser) any() (major byte, n uint64) {
	if len(p.b) == 0 {
		p.fail(errCut)
		return 0, 0
	}
	first := p.b[0]
	p.b = p.b[1:]
	major, short := first>>5, first&31
	if short < 24 {
		return major, uint64(short)
	}
	if short > 27 {
		p.fail(errType)
		return 0, 0
	}
	size := 1 << (short - 24)
	if len(p.b) < size {
		p.fail(errCut)
		return 0, 0
	}
	var wide [8]byte
	copy(wide[8-size:], p.b[:size])
	p.b = p.b[size:]
	n = binary.BigEndian.Uint64(wide[:])
	if least := [...]uint64{24, 1 << 8, 1 << 16, 1 << 32}; n < least[short-24] {
		p.fail(wire.ErrNotCanonical)
	}
	return major, n
}

func (p *parser) array(n uint64) {
	if got := p.head(4); p.err == nil && got != n {
		p.fail(fmt.Errorf("array of %d elements, not %d", got, n))
	}
}

func (p *parser) uint(limit uint64) uint64 {
	n := p.head(0)
	if n > limit {
		p.fail(fmt.Errorf("number %d; at most %d", n, limit))
	}
	return n
}

func (p *parser) int() int64 {
	major, n := p.any()
	switch {
	case n > math.MaxInt64 || major > 1:
		p.fail(errType)
		return 0
	case major == 1:
		return -1 - int64(n)
	}
	return int64(n)
}

func (p *parser) bytes() []byte {
	n := p.head(2)
	if n > uint64(len(p.b)) {
		p.fail(errCut)
		return nil
	}
	x := p.b[:n]
	p.b = p.b[n:]
	return x
}

func (p *parser) fixed(dst []byte) {
	x := p.bytes()
	if p.err == nil && len(x) != len(dst) {
		p.fail(fmt.Errorf("%d bytes, not %d", len(x), len(dst)))
		return
	}
	copy(dst, x)
}

func (p *parser) envelope(e *Envelope) error {
	p.array(10)
	e.Version = uint8(p.uint(math.MaxUint8))
	p.fixed(e.Ledger[:])
	e.Kind = Kind(p.uint(math.MaxUint16))
	p.fixed(e.Stream[:])
	p.fixed(e.Key[:])
	e.Expiry = p.int()
	p.fixed(e.Idempotency[:])
	e.Body = append([]byte{}, p.bytes()...)
	p.fixed(e.Signature[:])
	n := p.head(4)
	if n > MaxCosigners {
		p.fail(fmt.Errorf("%d cosigners; at most %d", n, MaxCosigners))
	}
	e.Cosigners = []Cosignature{}
	for range n {
		if p.err != nil {
			break
		}
		var c Cosignature
		p.array(2)
		p.fixed(c.Key[:])
		p.fixed(c.Signature[:])
		e.Cosigners = append(e.Cosigners, c)
	}
	if p.err == nil && len(p.b) > 0 {
		p.fail(fmt.Errorf("%d bytes too many", len(p.b)))
	}
	return p.err
}
