// Package wire holds the one encoding of the ledger, deterministic CBOR
// (RFC 8949 section 4.2.1), and the domain-separated hash that names things.
//
// Whatever is signed or hashed is encoded here, and whatever comes from outside
// is decoded here: strictly, so that a value has exactly one encoding. The
// decoder of the library accepts a few forms that the encoder never writes (a
// map key that is not shortest, a byte string shorter than its array), so
// Unmarshal encodes again and compares.
package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// MaxItem bounds the bytes of one encoded value that Unmarshal looks at. What a
// ledger writes stays well below it (see the limits of package engine); what
// comes from outside has a smaller limit of its own before it is decoded.
const MaxItem = 64 << 20

// ErrNotCanonical says that bytes decode, but are not the encoding of what they decode to.
var ErrNotCanonical = errors.New("not the canonical CBOR of its value; encode deterministically (RFC 8949 section 4.2.1)")

var (
	encoding cbor.EncMode
	decoding cbor.DecMode
)

func init() {
	enc := cbor.CoreDetEncOptions()
	// A nil slice and an empty one are the same value: one encoding.
	enc.NilContainers = cbor.NilContainerAsEmpty
	enc.TagsMd = cbor.TagsForbidden
	var err error
	if encoding, err = enc.EncMode(); err != nil {
		panic(err)
	}
	decoding, err = cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		IntDec:            cbor.IntDecConvertNone,
		MaxNestedLevels:   16,
		MaxArrayElements:  1 << 20,
		MaxMapPairs:       1 << 16,
	}.DecMode()
	if err != nil {
		panic(err)
	}
}

// Marshal encodes v. It panics on a type that has no encoding: that is a
// mistake in the program, never in its input.
func Marshal(v any) []byte {
	b, err := encoding.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("wire: %T: %v", v, err))
	}
	return b
}

// Unmarshal decodes b into v and refuses every encoding but Marshal's.
func Unmarshal(b []byte, v any) error {
	if len(b) > MaxItem {
		return fmt.Errorf("%d bytes; a value has at most %d", len(b), MaxItem)
	}
	if err := decoding.Unmarshal(b, v); err != nil {
		return err
	}
	again, err := encoding.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return ErrNotCanonical
	}
	return nil
}
