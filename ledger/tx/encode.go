package tx

import (
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

// decode reads the one canonical encoding: what it takes, wire.Unmarshal takes
// too, and the other way round.
func (e *Envelope) decode(b []byte) error {
	r := wire.NewReader(b)
	r.Array(10)
	e.Version = uint8(r.Uint(math.MaxUint8))
	r.Fixed(e.Ledger[:])
	e.Kind = Kind(r.Uint(math.MaxUint16))
	r.Fixed(e.Stream[:])
	r.Fixed(e.Key[:])
	e.Expiry = r.Int()
	r.Fixed(e.Idempotency[:])
	e.Body = append([]byte{}, r.Bytes()...)
	r.Fixed(e.Signature[:])
	e.Cosigners = make([]Cosignature, r.List(MaxCosigners))
	for i := range e.Cosigners {
		r.Array(2)
		r.Fixed(e.Cosigners[i].Key[:])
		r.Fixed(e.Cosigners[i].Signature[:])
	}
	return r.Done()
}
