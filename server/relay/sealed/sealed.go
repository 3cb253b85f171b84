// Package sealed is the bytes between a participant's device and a batcher, as a
// relay carries them (PROTOCOL.md, section 8): the key that an act is sealed to,
// the sealed act, and the promise that it was taken. They are in docs/wire.md,
// "The way in", and in the browser in server/web/app/promise.ts.
package sealed

import (
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// The sizes of a sealed act, each the only one there is, so that no size tells
// one act from another.
const (
	KeyIDBytes  = 8
	KeyBytes    = 65   // an uncompressed point of P-256
	PlainBytes  = 2048 // length of the act (uint16, big-endian), the act, zeros
	MaxActBytes = PlainBytes - 2
	Bytes       = KeyIDBytes + KeyBytes + PlainBytes + 16
)

// Key is the public HPKE key that acts are sealed to:
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
type Key [KeyBytes]byte

// KeyID tells a batcher which of its keys a message was sealed to.
type KeyID [KeyIDBytes]byte

func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

// ID is the first bytes of SHA-256("trialith/v1/seal/key" ‖ 0x00 ‖ key).
func (k Key) ID() KeyID {
	sum := sha256.Sum256(domain("seal/key", k[:]))
	return KeyID(sum[:KeyIDBytes])
}

// Hash names a sealed act: the SHA-256 of its bytes.
type Hash [sha256.Size]byte

// HashOf names a sealed act.
func HashOf(sealed []byte) Hash { return sha256.Sum256(sealed) }

// domain begins whatever is hashed, signed or sealed here with what it is. All
// parts are of fixed size, so the bytes have one reading.
func domain(word string, parts ...[]byte) []byte {
	b := append([]byte("trialith/v1/"+word), 0)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

var (
	kem  = hpke.DHKEM(ecdh.P256())
	kdf  = hpke.HKDFSHA256()
	aead = hpke.AES128GCM()
)

// info binds a sealed act to one ledger and one batcher.
func info(ledger wire.LedgerID, batcher trial.ActorID) []byte {
	return domain("seal", ledger[:], batcher[:])
}

// Seal seals the canonical bytes of an act to a batcher's key. The result has
// Bytes, whatever the act.
func Seal(key Key, ledger wire.LedgerID, batcher trial.ActorID, act []byte) ([]byte, error) {
	if len(act) == 0 || len(act) > MaxActBytes {
		return nil, fmt.Errorf("act: %d bytes; at least one and at most %d fit into a sealed act", len(act), MaxActBytes)
	}
	plain := make([]byte, PlainBytes)
	binary.BigEndian.PutUint16(plain, uint16(len(act)))
	copy(plain[2:], act)
	return sealPlain(key, ledger, batcher, plain)
}

func sealPlain(key Key, ledger wire.LedgerID, batcher trial.ActorID, plain []byte) ([]byte, error) {
	public, err := kem.NewPublicKey(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	sealed, err := hpke.Seal(public, kdf, aead, info(ledger, batcher), plain)
	if err != nil {
		return nil, err
	}
	id := key.ID()
	return append(id[:], sealed...), nil
}

// ErrUnreadable says that a sealed act does not open.
var ErrUnreadable = errors.New("sealed act: does not open with this batcher's key; get its key anew and seal again")

// Open opens what Seal made, strictly: one length, zeros after the act. It is
// ErrUnreadable where it was sealed to another key, ledger or batcher.
func Open(key hpke.PrivateKey, ledger wire.LedgerID, batcher trial.ActorID, sealed []byte) ([]byte, error) {
	if len(sealed) != Bytes {
		return nil, fmt.Errorf("sealed act: %d bytes; it has %d", len(sealed), Bytes)
	}
	plain, err := hpke.Open(key, kdf, aead, info(ledger, batcher), sealed[KeyIDBytes:])
	if err != nil || len(plain) != PlainBytes {
		return nil, ErrUnreadable
	}
	n := int(binary.BigEndian.Uint16(plain))
	if n == 0 || n > MaxActBytes {
		return nil, fmt.Errorf("sealed act: says it is %d bytes; at least one and at most %d", n, MaxActBytes)
	}
	for _, x := range plain[2+n:] {
		if x != 0 {
			return nil, errors.New("sealed act: not filled up with zeros")
		}
	}
	return plain[2 : 2+n], nil
}
