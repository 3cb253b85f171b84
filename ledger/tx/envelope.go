// Package tx is the signed transaction: what a client makes and the ledger orders.
package tx

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/hdevalence/ed25519consensus"

	"github.com/trialith/trialith/ledger/wire"
)

// Version is the only envelope version there is.
const Version = 1

// Limits of an envelope. They are checked before anything is decoded further.
const (
	MaxBytes     = 256 << 10
	MaxCosigners = 8
)

// Kind numbers what a transaction does. The state machine owns the table.
type Kind uint16

// PublicKey is an Ed25519 public key.
type PublicKey [ed25519.PublicKeySize]byte

// ID is the name of the key, H("key", public key).
func (k PublicKey) ID() wire.KeyID { return wire.KeyID(wire.SumBytes("key", k[:])) }

// MarshalText gives lower-case hex.
func (k PublicKey) MarshalText() ([]byte, error) { return wire.HexText(k[:]), nil }

// UnmarshalText accepts lower-case hex alone.
func (k *PublicKey) UnmarshalText(b []byte) error { return wire.ParseHex(k[:], b) }

// Signature is an Ed25519 signature, checked by ZIP-215: the one rule on which
// single and batch verification of every implementation agree.
type Signature [ed25519.SignatureSize]byte

// Key names the idempotency key of an envelope: a client that does not know
// whether its transaction arrived sends it again under the same one.
type Key [16]byte

// Envelope is one transaction as it is signed, sent, ordered and kept.
// Encoded as a CBOR array of its fields.
type Envelope struct {
	_           struct{} `cbor:",toarray"`
	Version     uint8
	Ledger      wire.LedgerID
	Kind        Kind
	Stream      wire.StreamID
	Key         wire.KeyID // of the signer
	Expiry      int64      // milliseconds since 1970 UTC: never enters a block at or after it
	Idempotency Key
	Body        []byte
	Signature   Signature
	Cosigners   []Cosignature // sorted by key, no key twice, not the signer's
}

// Cosignature is a second person's signature over the same bytes.
type Cosignature struct {
	_         struct{} `cbor:",toarray"`
	Key       wire.KeyID
	Signature Signature
}

// Sign signs e with the given private key and sets Key and Signature.
func (e *Envelope) Sign(key ed25519.PrivateKey) {
	e.Version = Version
	e.Key = PublicKey(key.Public().(ed25519.PublicKey)).ID()
	e.Signature = Signature(ed25519.Sign(key, e.SigningBytes()))
}

// Cosign adds the signature of a second person. Sign first.
func (e *Envelope) Cosign(key ed25519.PrivateKey) {
	id := PublicKey(key.Public().(ed25519.PublicKey)).ID()
	c := Cosignature{Key: id, Signature: Signature(ed25519.Sign(key, e.SigningBytes()))}
	at, _ := slices.BinarySearchFunc(e.Cosigners, id, func(c Cosignature, id wire.KeyID) int {
		return bytes.Compare(c.Key[:], id[:])
	})
	e.Cosigners = slices.Insert(e.Cosigners, at, c)
}

// Hash names the transaction whose canonical bytes are b.
func Hash(b []byte) wire.TxHash { return wire.TxHash(wire.SumBytes("tx", b)) }

// Decode parses canonical bytes and checks the form of the envelope, not its
// signatures: who holds a key is known to the directory alone.
func Decode(b []byte) (*Envelope, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("transaction: %d bytes; at most %d", len(b), MaxBytes)
	}
	e := new(Envelope)
	if err := e.decode(b); err != nil {
		return nil, fmt.Errorf("transaction: %w", err)
	}
	return e, e.check()
}

func (e *Envelope) check() error {
	if e.Version != Version {
		return fmt.Errorf("transaction: version %d; only %d is known", e.Version, Version)
	}
	if len(e.Cosigners) > MaxCosigners {
		return fmt.Errorf("transaction: %d cosigners; at most %d", len(e.Cosigners), MaxCosigners)
	}
	for i, c := range e.Cosigners {
		if c.Key == e.Key {
			return errors.New("transaction: cosigners: the signer cannot cosign")
		}
		if i > 0 && bytes.Compare(e.Cosigners[i-1].Key[:], c.Key[:]) >= 0 {
			return errors.New("transaction: cosigners: sort them by key, each once")
		}
	}
	return nil
}

// Verify reports whether s is key's signature over message, by ZIP-215.
func (s Signature) Verify(key PublicKey, message []byte) bool {
	return ed25519consensus.Verify(key[:], message, s[:])
}
