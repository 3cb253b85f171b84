// Package relay is the way in for a participant's acts that nobody on it can
// follow (PROTOCOL.md, section 8). The device seals its act to a batcher's key
// and posts it through a relay of another organisation, always in one size: the
// relay knows the address and not the act, the batcher knows the act and not
// the address. The batcher sends what came in an epoch in one batch, shuffled.
//
// A [Relay] holds no ledger, key or file and writes down nothing about a
// request. A [Batcher] signs a [Promise] for each act that it took; by then the
// act is on its disk, so that dropping it can be proven.
package relay

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
	SealKeyLen  = 65   // an uncompressed point of P-256
	PlainBytes  = 2048 // length of the act (uint16, big-endian), the act, zeros
	MaxActBytes = PlainBytes - 2
	SealedBytes = KeyIDBytes + SealKeyLen + PlainBytes + 16
)

// SealKey is the public HPKE key that acts are sealed to:
// DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
type SealKey [SealKeyLen]byte

// KeyID tells a batcher which of its keys a message was sealed to.
type KeyID [KeyIDBytes]byte

func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

// ID is the first bytes of SHA-256("trialith/v1/seal/key" ‖ 0x00 ‖ key).
func (k SealKey) ID() KeyID {
	sum := sha256.Sum256(domain("seal/key", k[:]))
	return KeyID(sum[:KeyIDBytes])
}

// SealedHash names a sealed act: the SHA-256 of its bytes.
type SealedHash [sha256.Size]byte

// HashSealed names a sealed act.
func HashSealed(sealed []byte) SealedHash { return sha256.Sum256(sealed) }

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

// sealInfo binds a sealed act to one ledger and one batcher.
func sealInfo(ledger wire.LedgerID, batcher trial.ActorID) []byte {
	return domain("seal", ledger[:], batcher[:])
}

// Seal seals the canonical bytes of an act to a batcher's key. The result has
// SealedBytes, whatever the act.
func Seal(key SealKey, ledger wire.LedgerID, batcher trial.ActorID, act []byte) ([]byte, error) {
	if len(act) == 0 || len(act) > MaxActBytes {
		return nil, fmt.Errorf("act: %d bytes; at least one and at most %d fit into a sealed act", len(act), MaxActBytes)
	}
	public, err := kem.NewPublicKey(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	plain := make([]byte, PlainBytes)
	binary.BigEndian.PutUint16(plain, uint16(len(act)))
	copy(plain[2:], act)
	sealed, err := hpke.Seal(public, kdf, aead, sealInfo(ledger, batcher), plain)
	if err != nil {
		return nil, err
	}
	id := key.ID()
	return append(id[:], sealed...), nil
}

var errUnreadable = errors.New("sealed act: does not open with this batcher's key; get its key anew and seal again")

// unseal opens what Seal made, strictly: one length, zeros after the act.
func unseal(key hpke.PrivateKey, ledger wire.LedgerID, batcher trial.ActorID, sealed []byte) ([]byte, error) {
	if len(sealed) != SealedBytes {
		return nil, fmt.Errorf("sealed act: %d bytes; it has %d", len(sealed), SealedBytes)
	}
	plain, err := hpke.Open(key, kdf, aead, sealInfo(ledger, batcher), sealed[KeyIDBytes:])
	if err != nil || len(plain) != PlainBytes {
		return nil, errUnreadable
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
