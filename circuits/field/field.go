// Package field holds the arithmetic that the consent proof and the ledger
// share: elements of the scalar field of BN254, the Poseidon2 hashes of the
// statement, hashing to the field, and the derivation of a person's secrets.
//
// Every function here has a twin inside the circuit (package membership) or on
// the device; docs/wire.md fixes the bytes and testdata/vectors.json pins them.
// The package needs no proving code, so that a verifier stays small.
package field

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Element is an element of the scalar field of BN254, of order r.
type Element = fr.Element

// Size is the length in bytes of an encoded [Element].
const Size = 32

// Decode reads a canonical element: exactly 32 bytes, big-endian, less than r.
//
// Nothing is ever reduced: a value and the same value plus r would otherwise be
// two names of one account.
func Decode(b []byte) (Element, error) {
	var e Element
	if len(b) != Size {
		return e, fmt.Errorf("field element: %d bytes, want %d", len(b), Size)
	}
	if err := e.SetBytesCanonical(b); err != nil {
		return Element{}, errors.New("field element: not less than the field's order r; send the canonical encoding")
	}
	return e, nil
}

// Encode returns the canonical big-endian encoding of e.
func Encode(e Element) [32]byte { return e.Bytes() }
