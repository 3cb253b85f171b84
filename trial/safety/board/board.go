// Package board seals what a look found to the monitoring board. The ledger
// carries the sealed bytes and cannot read them; their length is one, whatever
// was found and however many arms there are.
package board

import (
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

const (
	encapsulated = 32 // X25519
	tag          = 16 // ChaCha20-Poly1305
	bytes        = 256 - encapsulated - tag
)

// Look is what sealed bytes are bound to: they open for no other look.
type Look struct {
	Ledger wire.LedgerID
	Trial  trial.ID
	AsOf   trial.Day
}

func (l Look) info() []byte {
	return wire.Marshal([]any{"trialith/v1/board look", l.Ledger, l.Trial, l.AsOf})
}

// Key opens what is sealed to the board. It is the members' alone.
type Key struct{ private hpke.PrivateKey }

// NewKey derives a key from 32 secret random bytes.
func NewKey(seed [32]byte) (*Key, error) {
	private, err := hpke.DHKEM(ecdh.X25519()).DeriveKeyPair(seed[:])
	if err != nil {
		return nil, fmt.Errorf("board key: %w", err)
	}
	return &Key{private}, nil
}

// Public is the key to seal with.
func (k *Key) Public() []byte { return k.private.PublicKey().Bytes() }

// Seal encrypts (HPKE, RFC 9180) for each arm and boundary whether it is
// crossed: arms in the order of the opening, in each its boundaries.
func Seal(public []byte, l Look, crossed []bool) ([]byte, error) {
	if len(crossed) > 8*bytes {
		return nil, fmt.Errorf("crossed: %d arms and boundaries; at most %d", len(crossed), 8*bytes)
	}
	to, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("board key: %w", err)
	}
	plain := make([]byte, bytes)
	for i, c := range crossed {
		if c {
			plain[i/8] |= 1 << (i % 8)
		}
	}
	return hpke.Seal(to, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), l.info(), plain)
}

// Open tells for each of n arms and boundaries whether it is crossed.
func (k *Key) Open(sealed []byte, l Look, n int) ([]bool, error) {
	plain, err := hpke.Open(k.private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), l.info(), sealed)
	if err != nil {
		return nil, fmt.Errorf("sealed: not to this key and look: %w", err)
	}
	if len(plain) != bytes || n < 0 || n > 8*bytes {
		return nil, fmt.Errorf("sealed: %d bytes hold no answer for %d arms and boundaries", len(plain), n)
	}
	crossed := make([]bool, n)
	for i := range 8 * bytes {
		set := plain[i/8]>>(i%8)&1 == 1
		if i < n {
			crossed[i] = set
		} else if set {
			return nil, errors.New("sealed: more is marked than there are arms and boundaries")
		}
	}
	return crossed, nil
}
