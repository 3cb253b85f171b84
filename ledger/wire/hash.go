package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Size is the length in bytes of every hash and identifier of the ledger.
const Size = sha256.Size

// The ledger's fixed-size names. They have one text form, lower-case hex, and
// one CBOR form, a byte string of 32 bytes; they are types of their own so that
// one cannot be passed for another.
type (
	// Hash is a domain-separated SHA-256 made by Sum.
	Hash [Size]byte
	// LedgerID is H("ledger", genesis).
	LedgerID [Size]byte
	// KeyID is H("key", public key).
	KeyID [Size]byte
	// StreamID names a stream: a trial's TrialID, or 32 zero bytes for the directory.
	StreamID [Size]byte
	// TxHash is H("tx", encoded envelope).
	TxHash [Size]byte
)

// Directory is the stream of actors, their keys and delegations.
var Directory StreamID

// Sum returns H(tag, x…) = SHA-256("trialith/v1/" ‖ tag ‖ 0x00 ‖ CBOR array of x).
// Every hash of the ledger is made here, so that no two uses share a domain.
func Sum(tag string, xs ...any) Hash {
	h := sha256.New()
	h.Write([]byte("trialith/v1/" + tag))
	h.Write([]byte{0})
	if xs == nil {
		xs = []any{}
	}
	h.Write(Marshal(xs))
	var out Hash
	h.Sum(out[:0])
	return out
}

func (h Hash) String() string     { return hex.EncodeToString(h[:]) }
func (h LedgerID) String() string { return hex.EncodeToString(h[:]) }
func (h KeyID) String() string    { return hex.EncodeToString(h[:]) }
func (h StreamID) String() string { return hex.EncodeToString(h[:]) }
func (h TxHash) String() string   { return hex.EncodeToString(h[:]) }

// MarshalText gives the text form, 64 lower-case hex digits.
func (h Hash) MarshalText() ([]byte, error)     { return HexText(h[:]), nil }
func (h LedgerID) MarshalText() ([]byte, error) { return HexText(h[:]), nil }
func (h KeyID) MarshalText() ([]byte, error)    { return HexText(h[:]), nil }
func (h StreamID) MarshalText() ([]byte, error) { return HexText(h[:]), nil }
func (h TxHash) MarshalText() ([]byte, error)   { return HexText(h[:]), nil }

// UnmarshalText accepts the text form alone.
func (h *Hash) UnmarshalText(b []byte) error     { return ParseHex(h[:], b) }
func (h *LedgerID) UnmarshalText(b []byte) error { return ParseHex(h[:], b) }
func (h *KeyID) UnmarshalText(b []byte) error    { return ParseHex(h[:], b) }
func (h *StreamID) UnmarshalText(b []byte) error { return ParseHex(h[:], b) }
func (h *TxHash) UnmarshalText(b []byte) error   { return ParseHex(h[:], b) }

// HexText is the text form of a name: lower-case hex.
func HexText(b []byte) []byte { return []byte(hex.EncodeToString(b)) }

// ParseHex decodes the text form of a name into dst, strictly: exactly
// 2·len(dst) lower-case hex digits.
func ParseHex(dst, text []byte) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("a name has %d hex digits, this has %d", 2*len(dst), len(text))
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return fmt.Errorf("a name is lower-case hex, %q is not", c)
		}
	}
	_, err := hex.Decode(dst, text)
	return err
}
